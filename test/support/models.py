"""Compiled programs and what they must mean, for the tests written in Python.

A test registers a definition in plain Python for each program (`Meanings`),
compiles it (`compile_model`), runs it on many inputs (`outputs`, `wrong`) and
lets it be compared with the program that it carries (`verify`).
"""

import dataclasses
import itertools
import json
import pathlib
import random
import re
import subprocess

MOST_LISTED = 4000
SAMPLES = 3000


@dataclasses.dataclass
class Program:
    """A program's file and the input that its `#@` lines declare."""

    path: pathlib.Path

    def __post_init__(self):
        self.name = self.path.stem
        self.text = self.path.read_text()
        self.kind = self.pragma("tokens") or "str"
        self.longest = int(self.pragma("max-seq-len"))
        self.vocabulary = vocabulary(self.pragma("vocab"), self.kind)

    def pragma(self, key):
        match = re.search(rf"^#@ *{key}: *(.*)$", self.text, re.MULTILINE)
        return match and match[1].strip()

    def number_of_inputs(self):
        return sum(len(self.vocabulary) ** n for n in range(1, self.longest + 1))


def vocabulary(text, kind="str"):
    if text.startswith("["):
        return json.loads(text)
    if ".." in text:
        first, last = text.split("..")
        if kind == "int":
            return list(range(int(first), int(last) + 1))
        return [chr(c) for c in range(ord(first), ord(last) + 1)]
    return [int(item) if kind == "int" else item for item in text.split(",")]


class Meanings(dict):
    """By a program's name, a function from an input to the output."""

    def __init__(self):
        self.inputs = {}

    def means(self, function):
        """Registers the meaning of the program that has the function's name."""
        self[function.__name__.rstrip("_")] = function
        return function

    def tried_on(self, generator):
        """Registers inputs that chance would seldom hit. The generator gets a
        `random.Random` and the Program, and yields one input."""

        def register(function):
            self.inputs[function.__name__.rstrip("_")] = generator
            return function

        return register


def inputs(program, generator=None, samples=SAMPLES, most_listed=MOST_LISTED):
    """All inputs if there are few. Else samples: some of a few tokens only, so
    that tokens recur, and half by the generator if there is one."""
    if program.number_of_inputs() <= most_listed:
        for n in range(1, program.longest + 1):
            yield from map(list, itertools.product(program.vocabulary, repeat=n))
        return
    rng = random.Random(program.name)
    for i in range(samples):
        if generator and i % 2:
            yield generator(rng, program)
            continue
        tokens = program.vocabulary
        if i % 4 == 2:
            tokens = rng.sample(tokens, rng.randint(1, min(4, len(tokens))))
        size = program.longest if i % 8 == 0 else rng.randint(1, program.longest)
        yield rng.choices(tokens, k=size)


def compile_model(program, model, *options):
    subprocess.run(["raspc", program, "-o", model, *options], check=True)


def outputs(model, words, *options):
    """What the model answers, word by word."""
    run = subprocess.run(
        ["rasp-run", "--json", "--inputs=-", model, *options],
        input="".join(json.dumps(word) + "\n" for word in words),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["input"] for answer in answers] == words, f"{model}: not all answered"
    return [answer["output"] for answer in answers]


def verify(model, *options):
    """The result of rasp-verify, with its exit code as `exit`."""
    run = subprocess.run(
        ["rasp-verify", "--json", model, *options], stdout=subprocess.PIPE
    )
    return json.loads(run.stdout) | {"exit": run.returncode}


def is_certified(model):
    """Do the bounds of the model's certificate follow from its weights?"""
    run = subprocess.run(
        ["rasp-verify", "--check-certificate", model],
        stdout=subprocess.PIPE,
        text=True,
    )
    if run.returncode != 0:
        print(run.stdout)
    return run.returncode == 0


def found_equal(result, exhaustive, partial):
    """Was something compared, and all of it equal? Only programs that are
    `partial` may fail on some inputs."""
    return (
        result["exit"] == 0
        and result["mismatches"] == 0
        and result["inputs"] > 0
        and (result["excluded"] == 0 or partial)
        and result["exhaustive"] == exhaustive
    )


def same(expected, actual, tolerance=1e-6):
    if isinstance(expected, (str, bool)) or isinstance(actual, (str, bool)):
        return type(expected) is type(actual) and expected == actual
    return abs(expected - actual) <= tolerance * max(1, abs(expected))


def wrong(name, meaning, words, answers, tolerance=1e-6):
    """The number of words that are answered wrongly; shows the first three."""
    agree = lambda expected, actual: same(expected, actual, tolerance)
    count = 0
    for word, answer in zip(words, answers, strict=True):
        expected = meaning(word)
        if len(expected) == len(answer) and all(map(agree, expected, answer)):
            continue
        count += 1
        if count <= 3:
            print(f"{name}: {word}\n  is      {answer}\n  must be {expected}")
    return count


@dataclasses.dataclass
class Case:
    """A program of a few lines, its inputs and what it must answer."""

    name: str
    text: str
    vocabulary: list
    longest: int
    meaning: object
    # Inputs beside, or for long ones in place of, those that `inputs` makes.
    words: list = ()
    samples: int = 300
    tolerance: float = 1e-6
    dtype: str = "float32"
    causal: bool = True

    @property
    def kind(self):
        return {str: "str", int: "int", float: "float"}[type(self.vocabulary[0])]

    def options(self):
        return [
            f"--vocab={json.dumps(self.vocabulary)}",
            f"--max-seq-len={self.longest}",
            f"--tokens={self.kind}",
            f"--dtype={self.dtype}",
        ]

    def number_of_inputs(self):
        return sum(len(self.vocabulary) ** n for n in range(1, self.longest + 1))


def check_case(case, workdir, runs, most_verified=20_000):
    """Compiles with the options of each run; compares with the meaning, and with
    the program itself. A causal mask changes the meaning; there only the second
    is done."""
    path = workdir / f"{case.name}.rasp"
    path.write_text(case.text)
    exhaustive = case.number_of_inputs() <= most_verified
    amount = "--exhaustive" if exhaustive else f"--samples={case.samples}"
    words = list(case.words) + list(inputs(case, samples=case.samples))
    bad = 0
    for run in runs:
        model = workdir / f"{case.name}{run}.h5"
        try:
            compile_model(path, model, *case.options(), *run.split())
        except subprocess.CalledProcessError:
            print(f"{case.name} {run}: must be accepted")
            bad += 1
            continue
        result = verify(model, amount)
        good = found_equal(result, exhaustive, partial=run == "--causal")
        count = 0
        if run != "--causal":
            answers = outputs(model, words)
            count = wrong(case.name, case.meaning, words, answers, case.tolerance)
        bad += not good or count > 0
        print(f"{case.name} {run}: {result}, {count} of {len(words)} wrong")
    return bad
