"""check.py PROGRAM WORKDIR [--no-causal] [--samples=N]: is the model right?

Compiles the program as it is, without optimization and with a causal mask.
rasp-verify must find no difference, on every input if there are not too many;
the first two models must also answer what meanings/ says, and may not meet an
input on which the program fails.
"""

import argparse
import importlib
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.append(str(here.parent / "support"))
import models

MOST_VERIFIED = 140_000

arguments = argparse.ArgumentParser()
arguments.add_argument("program", type=pathlib.Path)
arguments.add_argument("workdir", type=pathlib.Path)
arguments.add_argument("--no-causal", action="store_true")
arguments.add_argument("--samples", type=int, default=1000)
arguments = arguments.parse_args()

meanings = models.Meanings()
for topic in sorted((here / "meanings").glob("*.py")):
    sys.path.append(str(topic.parent))
    module = importlib.import_module(topic.stem)
    twice = meanings.keys() & module.MEANINGS.keys()
    assert not twice, twice
    meanings.update(module.MEANINGS)
    meanings.inputs.update(module.MEANINGS.inputs)

program = models.Program(arguments.program)
meaning = meanings[program.name]
words = list(
    models.inputs(program, meanings.inputs.get(program.name), arguments.samples)
)
total = program.number_of_inputs()
exhaustive = total <= MOST_VERIFIED
amount = "--exhaustive" if exhaustive else f"--samples={arguments.samples}"

runs = {"O1": [], "O0": ["-O0"]}
if not arguments.no_causal:
    runs["causal"] = ["--causal"]
bad = 0
for run, options in runs.items():
    arguments.workdir.mkdir(parents=True, exist_ok=True)
    model = arguments.workdir / f"{program.name}.{run}.h5"
    models.compile_model(program.path, model, *options)
    result = models.verify(model, amount)
    good = (
        result["exit"] == 0
        and result["mismatches"] == 0
        and result["inputs"] > 0
        and (result["excluded"] == 0 or run == "causal")
        and result["exhaustive"] == exhaustive
    )
    wrong = 0
    if run != "causal":
        answers = models.outputs(model, words)
        wrong = models.wrong(program.name, meaning, words, answers)
    print(f"{program.name} {run}: {result}, {wrong} of {len(words)} unlike the meaning")
    bad += not good or wrong > 0
sys.exit(bad > 0)
