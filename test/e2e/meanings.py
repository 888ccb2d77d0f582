"""What the examples mean, once more, in Python.

    meanings.py EXAMPLES WORKDIR

rasp-verify compares a model with the program that it was compiled from. If the
program itself were wrong, or the interpreter and the compiler misread it in
the same way, it would see nothing. So every example has a definition here that
shares no code with the rest; each program is compiled, run on many inputs
through `rasp-run --json`, and compared.
"""

import collections
import itertools
import pathlib
import re
import string
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


@means
def length(x):
    return everywhere(len(x), x)


@means
def reverse(x):
    return list(reversed(x))


@means
def frac_prevs(x):
    return [x[: i + 1].count("x") / (i + 1) for i in range(len(x))]


@means
def hist(x):
    counts = collections.Counter(x)
    return [counts[token] for token in x]


@means
def hist2(x):
    counts = collections.Counter(x)
    tokens_with = collections.Counter(counts.values())
    return [tokens_with[counts[token]] for token in x]


@means
def sort(x):
    return sorted(x)


@means
def sort_by_frequency(x):
    counts = collections.Counter(x)
    return sorted(x, key=lambda token: -counts[token])


@means
def most_frequent(x):
    # most_common keeps the order of first occurrence among equal counts.
    return everywhere(collections.Counter(x).most_common(1)[0][0], x)


@means
def pair_balance(x):
    heights = itertools.accumulate({"(": 1, ")": -1}.get(token, 0) for token in x)
    return [height / (i + 1) for i, height in enumerate(heights)]


def shuffle_dyck(x, pairs):
    for pair in pairs:
        own = "".join(token for token in x if token in pair)
        while pair in own:
            own = own.replace(pair, "")
        if own:
            return everywhere(False, x)
    return everywhere(True, x)


@means
def shuffle_dyck2(x):
    return shuffle_dyck(x, ["()", "{}"])


@means
def shuffle_dyck3(x):
    return shuffle_dyck(x, ["()", "{}", "[]"])


def dyck_ptf(x):
    closes = {")": "(", "}": "{"}
    stack, broken, result = [], False, []
    for token in x:
        if token not in closes:
            stack.append(token)
        elif not stack or stack.pop() != closes[token]:
            broken = True
        result.append("F" if broken else "P" if stack else "T")
    return result


@means
def dyck1_ptf(x):
    return dyck_ptf(x)


@means
def dyck2_ptf(x):
    return dyck_ptf(x)


@means
def shift(x):
    return ["_"] + x[:-1]


@means
def detect_pattern(x):
    text = "".join(x)
    return [text[: i + 1].endswith("abc") for i in range(len(x))]


@means
def count(x):
    return everywhere(x.count("a"), x)


@means
def induction(x):
    return [
        x[max(j for j in range(i) if x[j] == x[i]) + 1] if x[i] in x[:i] else "?"
        for i in range(len(x))
    ]


@means
def binary_addition(x):
    match = re.fullmatch("([01]*)[+]([01]*)", "".join(x))
    if not match or len(match[1]) != len(match[2]):
        return everywhere("?", x)
    size = len(match[1])
    total = int("0" + match[1], 2) + int("0" + match[2], 2)
    carry, digits = divmod(total, 2**size)
    bits = f"{digits:0{size}b}"[:size]
    return list(bits) + [str(carry)] + ["_"] * size


@means
def caesar(x):
    letters = string.ascii_lowercase
    table = str.maketrans(letters, letters[3:] + letters[:3])
    return list("".join(x).translate(table))


@means
def password(x):
    return everywhere("".join(x) == "1101", x)


CLAUSES = """(1,2,-3) (-1,-4,5) (1,-2,4) (-1,3,-5) (2,-3,4) (-2,-4,5) (-1,-3,-5)
             (1,4,-5) (1,-2,-4) (-1,2,-5) (3,-4,5) (-2,3,-4) (-1,-3,4) (2,4,-5)
             (1,2,3) (-4,-5,1) (2,3,-1)"""


@means
def three_sat(x):
    pairs = ["".join(x[i : i + 2]) for i in range(0, len(x), 2)]
    if len(x) != 10 or any(pair not in ("01", "10") for pair in pairs):
        return everywhere(False, x)
    formula = re.sub(
        r"(-?)(\d)",
        lambda literal: f"{'not ' if literal[1] else ''}v[{int(literal[2]) - 1}]",
        CLAUSES,
    )
    formula = formula.replace(",", " or ").replace(")", ") and ") + "True"
    values = [pair == "01" for pair in pairs]
    return everywhere(eval(" ".join(formula.split()), {"v": values}), x)


def valid_words(rng, program):
    """Inputs that chance would seldom hit, for programs that accept few."""
    name, longest = program.name, program.longest
    if name == "binary_addition":
        size = rng.randint(1, (longest - 1) // 2)
        number = lambda: [rng.choice("01") for _ in range(size)]
        return number() + ["+"] + number()
    if name == "detect_pattern":
        return rng.choices("abc", k=rng.randint(0, longest - 3)) + list("abc")
    pairs = {"(": ")", "{": "}", "[": "]"}
    openers = [token for token in program.vocabulary if token in pairs]
    word, stack = [], []
    while len(word) + len(stack) < longest - 1:
        if stack and rng.random() < 0.5:
            # Shuffled languages may close any open bracket.
            at = -1 if "ptf" in name else rng.randrange(len(stack))
            word.append(stack.pop(at))
        else:
            opener = rng.choice(openers)
            word.append(opener)
            stack.append(pairs[opener])
    return word + stack[::-1]


def check(path, workdir):
    program = models.Program(path)
    few_accepted = "dyck" in program.name or program.name in (
        "binary_addition",
        "detect_pattern",
    )
    words = list(models.inputs(program, valid_words if few_accepted else None))
    model = workdir / (program.name + ".h5")
    models.compile_model(path, model)
    answers = models.outputs(model, words)
    wrong = models.wrong(program.name, MEANINGS[program.name], words, answers)
    print(f"{program.name}: {len(words)} inputs, {wrong} wrong")
    return wrong


def main():
    examples, workdir = map(pathlib.Path, sys.argv[1:])
    workdir.mkdir(parents=True, exist_ok=True)
    programs = sorted(examples.glob("*.rasp"))
    names = {program.stem for program in programs}
    assert names == set(MEANINGS), names ^ set(MEANINGS)
    sys.exit(sum(check(program, workdir) for program in programs) > 0)


if __name__ == "__main__":
    main()
