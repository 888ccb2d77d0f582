"""levels.py FOLDER...: every program of the folders at each level. -Os may never
be larger than -O1, and -O1 never deeper than -O0."""

import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

LEVELS = "01s"


def measure(job):
    program, level, folder = job
    command = ["raspc", f"-O{level}", program, "--stats=json"]
    command += ["-o", folder / f"{program.stem}.{level}.h5"]
    run = subprocess.run(command, capture_output=True, check=True)
    return json.loads(run.stdout)


def main():
    programs = [path for name in sys.argv[1:]
                for path in sorted(pathlib.Path(name).glob("*.rasp"))]
    bad = smaller = 0
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(program, level, pathlib.Path(folder))
                for program in programs for level in LEVELS]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            stats = list(pool.map(measure, jobs))
    for i, program in enumerate(programs):
        plain, usual, smallest = stats[3 * i:3 * i + 3]
        larger = smallest["parameters"] > usual["parameters"]
        deeper = usual["layers"] > plain["layers"]
        smaller += smallest["parameters"] < usual["parameters"]
        bad += larger or deeper
        print(program.stem, *(f"{own['layers']} layers, {own['parameters']};"
                              for own in (plain, usual, smallest)),
              "LARGER" if larger else "", "DEEPER" if deeper else "")
    print(f"{len(programs)} programs, {bad} bad, {smaller} smaller at -Os")
    sys.exit(bad > 0 or not programs)


if __name__ == "__main__":
    main()
