"""Programs that move tokens about."""

import itertools

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


def permutation(rng, program):
    size = rng.randint(1, program.longest)
    return rng.sample(range(size), size)


@means
def reverse_100(x):
    return x[::-1]


@means
def rotate_by_3(x):
    return [x[(i - 3) % len(x)] for i in range(len(x))]


@means
def rotate_by_first(x):
    return [x[(i + x[0]) % len(x)] for i in range(len(x))]


@means
def swap_neighbours(x):
    y = list(x)
    for i in range(0, len(x) - 1, 2):
        y[i], y[i + 1] = x[i + 1], x[i]
    return y


@means
def swap_ends(x):
    return x if len(x) < 2 else [x[-1], *x[1:-1], x[0]]


@means
def interleave(x):
    half = (len(x) + 1) // 2
    pairs = itertools.zip_longest(x[:half], x[half:])
    return [token for pair in pairs for token in pair if token is not None]


@means
def deinterleave(x):
    return x[::2] + x[1::2]


@means
def reverse_halves(x):
    half = len(x) // 2
    return x[half:] + x[:half]


@means
def double_tokens(x):
    return [token for token in x for _ in range(2)][: len(x)]


@means
def every_third(x):
    kept = x[::3]
    return kept + ["_"] * (len(x) - len(kept))


@means
def compact_left(x):
    kept = [token for token in x if token != "_"]
    return kept + ["_"] * (len(x) - len(kept))


@means
def compact_right(x):
    kept = [token for token in x if token != "_"]
    return ["_"] * (len(x) - len(kept)) + kept


@means
def remove_duplicates(x):
    kept = list(dict.fromkeys(x))
    return kept + ["."] * (len(x) - len(kept))


@means
def zeros_to_the_end(x):
    return sorted(x, key=lambda value: value == 0)


@means
def evens_before_odds(x):
    return sorted(x, key=lambda value: value % 2)


@means
def sort_descending(x):
    return sorted(x, reverse=True)


@means
def sort_100(x):
    return sorted(x)


WORTH = dict(a=0.5, b=-1.25, c=3.0, d=0.75, e=2.5, f=-0.1, g=1.4, h=1.5)


@means
def sort_by_float_key(x):
    return sorted(x, key=WORTH.get)


@means
def sort_by_distance(x):
    return sorted(x, key=lambda value: abs(value - x[0]))


@means
def sort_two_keys(x):
    return sorted(x, key=lambda token: (token.lower(), token.isupper()))


@means
def order(x):
    return sorted(range(len(x)), key=lambda i: (x[i], i))


@MEANINGS.tried_on(permutation)
@means
def inverse_permutation(x):
    return [x.index(i) if i in x and x.count(i) == 1 else -1 for i in range(len(x))]


@MEANINGS.tried_on(permutation)
@means
def pointer_jumping(x):
    jump = lambda y: [y[i] if 0 <= i < len(y) else -1 for i in y]
    return jump(jump(x))


@means
def transpose_4x4(x):
    board = x + ["."] * (16 - len(x))
    return [board[4 * (i % 4) + i // 4] for i in range(len(x))]


@means
def neighbours_joined(x):
    return [a + b for a, b in zip(x, x[1:] + ["$"])]


@means
def trigrams(x):
    padded = ["<"] + x + [">"]
    return ["".join(padded[i : i + 3]) for i in range(len(x))]


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@means
def caesar_key_in_front(x):
    key = LETTERS.index(x[0])
    return x[:1] + [LETTERS[(LETTERS.index(token) + key) % 26] for token in x[1:]]


@means
def vigenere(x):
    letters = "abcdef"
    numbers = [letters.index(token) for token in x]
    return x[:2] + [letters[(n + numbers[i % 2]) % 6] for i, n in enumerate(numbers[2:])]


@means
def autokey(x):
    sums = itertools.accumulate(map("abcd".index, x))
    return ["abcd"[total % 4] for total in sums]


@means
def fill_forward(x):
    result = []
    for token in x:
        result.append(result[-1] if token == "_" and result else token)
    return result


@means
def mirror(x):
    half = (len(x) + 1) // 2
    return x[:half] + x[: len(x) // 2][::-1]


@means
def next_different(x):
    return [next((t for t in x[i:] if t != x[i]), "$") for i in range(len(x))]


@means
def bubble_steps(x):
    x = list(x)
    for start in (0, 1, 0, 1):
        for i in range(start, len(x) - 1, 2):
            x[i], x[i + 1] = sorted(x[i : i + 2])
    return x
