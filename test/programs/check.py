"""check.py PROGRAM WORKDIR [--may-refuse=RUN,...] [--samples=N]: are its models right?

Compiles the program as it is (the run "O1"), without optimization ("O0") and
with a causal mask ("causal"). Runs that may be refused for the precision or
size that they need are right if they are refused for that, or are right.
rasp-verify must find no difference, on every input if there are not too many;
the first two models must also answer what meanings/ says, and may not meet an
input on which the program fails. What the program's comment promises,

    #   abac  ->  [T, F, T, F]
    #   3 1 4  ->  3 + 1 + 4 = 8, everywhere

must be true as well.
"""

import argparse
import importlib
import pathlib
import re
import sys

here = pathlib.Path(__file__).parent
sys.path.append(str(here.parent / "support"))
import models

MOST_VERIFIED = 140_000
RUNS = {"O1": [], "O0": ["-O0"], "causal": ["--causal"]}
REASONS = ["TooNoisy", "SelectorTooNoisy", "ValuesTooClose", "ValueSetTooLarge"]

arguments = argparse.ArgumentParser()
arguments.add_argument("program", type=pathlib.Path)
arguments.add_argument("workdir", type=pathlib.Path)
arguments.add_argument("--may-refuse", default="", type=lambda runs: runs.split(","))
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



def examples(program):
    """The inputs and outputs in the program's comment."""
    for line in program.text.splitlines():
        match = re.fullmatch(r"#   (.+?)  ->  (.*)", line)
        if not match:
            continue
        word, shown = match[1].strip(), re.split("->|= ", match[2])[-1].strip()
        if program.kind == "int":
            word = [int(token) for token in word.split()]
        elif max(map(len, program.vocabulary)) > 1:
            word = word.split()
        else:
            word = [c for c in word if c != " " or " " in program.vocabulary]
        if shown.endswith(", everywhere"):
            shown = ", ".join([shown.removesuffix(", everywhere")] * len(word))
            shown = f"[{shown}]"
        yield word, shown


def reads_as(shown, output):
    """Does the comment show this output? It rounds, and leaves out quotes."""

    def matches(text, value):
        if isinstance(value, bool):
            return text == ("T" if value else "F")
        if isinstance(value, str):
            return text == value
        return abs(float(text) - value) <= 0.0005

    items = shown.removeprefix("[").removesuffix("]").split(", ")
    return len(items) == len(output) and all(map(matches, items, output))


def unlike_comment(program, model):
    shown = list(examples(program))
    answers = models.outputs(model, [word for word, _ in shown])
    count = 0
    for (word, expected), answer in zip(shown, answers):
        if not reads_as(expected, answer):
            print(f"{word}: the comment says {expected}, it is {answer}")
            count += 1
    return count


program = models.Program(arguments.program)
meaning = meanings[program.name]
words = list(
    models.inputs(program, meanings.inputs.get(program.name), arguments.samples)
)
total = program.number_of_inputs()
exhaustive = total <= MOST_VERIFIED
amount = "--exhaustive" if exhaustive else f"--samples={arguments.samples}"



def refused(run, model, options):
    """Compiles; or says that the program was refused for a reason of size."""
    compilation = models.compile_model(program.path, model, *options, check=False)
    sys.stderr.write(compilation.stderr)
    if compilation.returncode == 1 and run in arguments.may_refuse:
        reason = re.search(r"error: .*\[(\w+)\]", compilation.stderr)[1]
        print(f"{program.name} {run}: refused, {reason}")
        return reason in REASONS
    compilation.check_returncode()
    return False


arguments.workdir.mkdir(parents=True, exist_ok=True)
bad = 0
for run, options in RUNS.items():
    model = arguments.workdir / f"{program.name}.{run}.h5"
    if refused(run, model, options):
        continue
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
        wrong += unlike_comment(program, model)
    print(f"{program.name} {run}: {result}, {wrong} of {len(words)} unlike the meaning")
    bad += not good or wrong > 0
sys.exit(bad > 0)
