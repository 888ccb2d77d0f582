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


def outputs(model, words):
    """What the model answers, word by word."""
    run = subprocess.run(
        ["rasp-run", "--json", "--inputs=-", model],
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


def same(expected, actual):
    if isinstance(expected, (str, bool)) or isinstance(actual, (str, bool)):
        return type(expected) is type(actual) and expected == actual
    return abs(expected - actual) <= 1e-6 * max(1, abs(expected))


def wrong(name, meaning, words, answers):
    """The number of words that are answered wrongly; shows the first three."""
    count = 0
    for word, answer in zip(words, answers, strict=True):
        expected = meaning(word)
        if len(expected) == len(answer) and all(map(same, expected, answer)):
            continue
        count += 1
        if count <= 3:
            print(f"{name}: {word}\n  is      {answer}\n  must be {expected}")
    return count
