"""depth.py FOLDER...: compiles every program of the folders at -O0 and at -O1,
with and without a causal mask. -O1 must not be deeper than -O0, and no model may
have fewer layers than the chain of heads that `--stats` shows, whose lines must
be lines of the program."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def stats(program, options, folder):
    model = folder / f"{program.stem}{''.join(options)}.h5"
    run = subprocess.run(
        ["raspc", program, *options, "--stats=json", "-o", model],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    model.unlink(missing_ok=True)
    if run.returncode:
        sys.exit(f"{program} {options}: {run.stderr}")
    return json.loads(run.stdout)


def check(program, mask, folder):
    """What is wrong, as lines."""
    lines = len(program.read_text().splitlines())
    layers = []
    for level in ("-O0", "-O1"):
        own = stats(program, [level, *mask], folder)
        layers.append(own["layers"])
        where = f"{program.name} {level} {' '.join(mask)}"
        chain = own["chain"]
        if own["layers_at_least"] != max(1, len(chain)):
            yield f"{where}: the chain is not as long as the bound"
        if own["layers_at_least"] > own["layers"]:
            yield f"{where}: {own['layers']} layers, fewer than the bound"
        for link in chain:
            if not 1 <= link.get("line", 1) <= lines:
                yield f"{where}: no line {link['line']}"
    if layers[1] > layers[0]:
        yield f"{where}: {layers[1]} layers, but {layers[0]} at -O0"


programs = [program for folder in sys.argv[1:]
            for program in sorted(pathlib.Path(folder).glob("*.rasp"))]
with tempfile.TemporaryDirectory() as name, \
        concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    found = pool.map(lambda job: list(check(*job, pathlib.Path(name))),
                     [(program, mask) for program in programs
                      for mask in ([], ["--causal"])])
    problems = [line for lines in found for line in lines]
print(*problems, sep="\n")
print(len(programs), "programs,", len(problems), "problems")
sys.exit(bool(problems) or not programs)
