"""dump_all.py [--sanitized] FOLDER...: rasp-dump finds every model as it is labelled.

Compiles each program of the folders, as it is and in one other way, which
changes from program to program, and prints how much was checked.
"""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile

WAYS = ["-O0", "-Os", "--causal", "--dtype=float64", "--pad=none"]
# Sanitizers take ten times as long for everything.
LONGEST = 600 if "--sanitized" in sys.argv else 60  # seconds for one model


def dump(program, options, model):
    model.unlink(missing_ok=True)
    compiled = subprocess.run(["raspc", *options, program, "-o", model], capture_output=True)
    if compiled.returncode:
        assert "--causal" in options, (program, options, compiled.stderr)
        return None
    command = ["rasp-dump", "--json", model]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
    if result.returncode:
        print(program, *options, result.stderr)
        return None
    return json.loads(result.stdout)


def main(folders):
    programs = sorted(path for folder in folders for path in pathlib.Path(folder).glob("*.rasp"))
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "model.h5"
        for i, program in enumerate(programs):
            for options in [], [WAYS[i % len(WAYS)]]:
                found = dump(program, options, model)
                if found is None:
                    counts["bad"] += options != ["--causal"] or model.exists()
                    continue
                counts["models"] += 1
                counts["whole"] += "unchecked" not in found["summary"]
    print(f"{counts['models']} models as labelled, {counts['bad']} not")
    print(f"{100 * counts['whole'] // counts['models']} percent checked as a whole")


main([argument for argument in sys.argv[1:] if not argument.startswith("--")])
