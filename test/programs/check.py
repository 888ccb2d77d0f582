"""check.py PROGRAM WORKDIR [--samples=N]: are the program's models right?

Compiles the program as it is, without optimization, as small as can be and with
a causal mask.
rasp-verify must find no difference, on every input if there are not too many,
and the certificate must hold; the first two models must also answer what meanings/ says, and may not meet an
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
sys.path += [str(here.parent / "support"), str(here / "meanings")]
import models

MOST_VERIFIED = 140_000
RUNS = {"O1": [], "O0": ["-O0"], "Os": ["-Os"], "causal": ["--causal"]}


def all_meanings():
    meanings = models.Meanings()
    for topic in sorted((here / "meanings").glob("*.py")):
        more = importlib.import_module(topic.stem).MEANINGS
        assert not meanings.keys() & more.keys(), meanings.keys() & more.keys()
        meanings.update(more)
        meanings.inputs.update(more.inputs)
    programs = {path.stem for path in here.glob("*.rasp")}
    assert programs == set(meanings), programs ^ set(meanings)
    return meanings


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
        yield word, shown.removeprefix("[").removesuffix("]").split(", ")


def reads_as(text, value):
    """Does the comment show this value? It rounds, and leaves out quotes."""
    if isinstance(value, bool):
        return text == ("T" if value else "F")
    if isinstance(value, str):
        return text == value
    return abs(float(text) - value) <= 0.0005


def unlike_comment(program, model):
    promised = list(examples(program))
    answers = models.outputs(model, [word for word, _ in promised])
    count = 0
    for (word, shown), answer in zip(promised, answers):
        if len(shown) != len(answer) or not all(map(reads_as, shown, answer)):
            print(f"{word}: the comment says {shown}, it is {answer}")
            count += 1
    return count


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("workdir", type=pathlib.Path)
    arguments.add_argument("--samples", type=int, default=1000)
    arguments = arguments.parse_args()

    meanings = all_meanings()
    program = models.Program(arguments.program)
    name = program.name
    words = list(models.inputs(program, meanings.inputs.get(name), arguments.samples))
    exhaustive = program.number_of_inputs() <= MOST_VERIFIED
    amount = "--exhaustive" if exhaustive else f"--samples={arguments.samples}"

    arguments.workdir.mkdir(parents=True, exist_ok=True)
    bad = 0
    for run, options in RUNS.items():
        model = arguments.workdir / f"{name}.{run}.h5"
        models.compile_model(program.path, model, *options)
        result = models.verify(model, amount)
        good = models.found_equal(result, exhaustive, partial=run == "causal")
        wrong = 0
        if run != "causal":
            answers = models.outputs(model, words)
            wrong = models.wrong(name, meanings[name], words, answers)
            wrong += unlike_comment(program, model)
        certified = models.is_certified(model)
        print(f"{name} {run}: {result}, {wrong} of {len(words)} unlike the meaning,",
              f"certified: {certified}")
        bad += not good or wrong > 0 or not certified
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
