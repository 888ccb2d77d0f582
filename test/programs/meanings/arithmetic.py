"""Programs that calculate."""

import functools
import itertools
import math
import operator
import re

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


def written(symbol):
    """Two numbers of equally many digits around a symbol."""

    def word(rng, program):
        digits = [token for token in program.vocabulary if token.isdigit()]
        size = rng.randint(1, (program.longest - 1) // 2)
        first = rng.choices(digits, k=size)
        second = rng.choices(digits, k=size)
        if rng.random() < 0.3:
            second[: size // 2] = first[: size // 2]
        if rng.random() < 0.1:
            second = first
        return first + [symbol] + second

    return word


def halves(x, symbol):
    """The two digit strings around the symbol, if they are equally long."""
    match = re.fullmatch(rf"(\d*){re.escape(symbol)}(\d*)", "".join(x))
    if match and len(match[1]) == len(match[2]):
        return match.groups()


@means
def digit_sum(x):
    return everywhere(sum(x), x)


@means
def digit_sum_by_counts(x):
    return everywhere(sum(map(int, x)), x)


@means
def digital_root(x):
    value = int("".join(x))
    while value > 9:
        value = sum(map(int, str(value)))
    return everywhere(value, x)


@MEANINGS.tried_on(written("+"))
@means
def decimal_addition(x):
    if not (numbers := halves(x, "+")):
        return everywhere("?", x)
    size = len(numbers[0])
    total = str(sum(int(number or "0") for number in numbers)).zfill(size + 1)
    if not size:
        return ["0"]
    return list(total[1:]) + [total[0]] + ["_"] * size


@MEANINGS.tried_on(written("-"))
@means
def decimal_subtraction(x):
    if not (numbers := halves(x, "-")):
        return everywhere("?", x)
    size = len(numbers[0])
    first, second = (int(number or "0") for number in numbers)
    if first < second:
        return everywhere("<", x)
    digits = str(first - second).zfill(size)
    return (list(digits) if size else []) + ["="] + ["_"] * size


@MEANINGS.tried_on(written(":"))
@means
def decimal_comparison(x):
    if not (numbers := halves(x, ":")):
        return everywhere("?", x)
    first, second = (int(number or "0") for number in numbers)
    return everywhere("<" if first < second else ">" if first > second else "=", x)


@means
def binary_increment(x):
    return list(f"{(int(''.join(x), 2) + 1) % 2 ** len(x):0{len(x)}b}")


@means
def twos_complement(x):
    return list(f"{-int(''.join(x), 2) % 2 ** len(x):0{len(x)}b}")


@means
def binary_to_integer(x):
    return everywhere(int("".join(x), 2), x)


@means
def binary_by_horner(x):
    return everywhere(int("".join(map(str, x)), 2), x)


@means
def decimal_to_integer(x):
    return everywhere(int("".join(x)), x)


@means
def gray_code(x):
    value = int("".join(x), 2)
    return list(f"{value ^ value >> 1:0{len(x)}b}")


@means
def gray_decode(x):
    return [str(ones % 2) for ones in itertools.accumulate(map(int, x))]


@means
def parity_of_ones(x):
    return everywhere(functools.reduce(operator.xor, map(int, x)), x)


@means
def parity_so_far(x):
    return list(itertools.accumulate(map(int, x), operator.xor))


@means
def parity_by_depth(x):
    return list(itertools.accumulate(x, operator.xor))


@means
def position_parity(x):
    return ["even" if i % 2 == 0 else "odd" for i in range(len(x))]


@means
def parity_of_positions(x):
    return [sum(range(i + 1)) % 2 for i in range(len(x))]


@means
def xor_of_halves(x):
    half, odd = divmod(len(x), 2)
    if odd:
        return everywhere("?", x)
    return [str(int(a != b)) for a, b in zip(x[:half], x[half:])] + ["_"] * half


@means
def divisible_by_3(x):
    return [int("".join(x[: i + 1]), 2) % 3 == 0 for i in range(len(x))]


@means
def prefix_sums(x):
    return list(itertools.accumulate(x))


@means
def prefix_sums_by_counts(x):
    return list(itertools.accumulate(x))


@means
def differences(x):
    return [b - a for a, b in zip([0] + x, x)]


@means
def sum_mod_7(x):
    return everywhere(sum(x) % 7, x)


@means
def modular_addition_113(x):
    return everywhere((x[0] + x[1]) % 113 if len(x) > 1 else -1, x)


@means
def multiplication_mod_101(x):
    return everywhere(x[0] * x[1] % 101 if len(x) > 1 else -1, x)


@means
def power_mod_11(x):
    return [pow(a, b, 11) if b >= 0 else 0 for a, b in zip(x, x[1:] + [-1])]


@means
def inverse_mod_13(x):
    return [pow(a, -1, 13) if a else 0 for a in x]


@MEANINGS.tried_on(
    lambda rng, p: list(
        rng.choice("0123456789")
        + "".join(
            rng.choice("+-") + rng.choice("0123456789")
            for _ in range(rng.randint(0, (p.longest - 1) // 2))
        )
    )
)
@means
def sum_of_terms(x):
    if not re.fullmatch(r"\d([+-]\d)*", "".join(x)):
        return everywhere(999, x)
    return everywhere(eval("".join(x)), x)


@means
def luhn_check(x):
    total = 0
    for i, digit in enumerate(reversed(x)):
        total += sum(divmod(2 * digit, 10)) if i % 2 else digit
    return everywhere(total % 10 == 0, x)


@means
def isbn_check_digit(x):
    if len(x) != 9:
        return everywhere("?", x)
    remainder = sum((i + 1) * digit for i, digit in enumerate(x)) % 11
    return everywhere("0123456789X"[remainder], x)


@means
def carry_of_doubling(x):
    doubled = str(2 * int("".join(map(str, x)))).zfill(len(x) + 1)
    return list(doubled[1:])


@means
def greatest_common_divisor(x):
    return [math.gcd(a, b) for a, b in zip(x, x[1:] + [0])]


@means
def hamming_distance(x):
    half = len(x) // 2
    if len(x) % 2:
        return everywhere(-1, x)
    return everywhere(sum(map(operator.ne, x[:half], x[half:])), x)


@means
def dot_product(x):
    half = len(x) // 2
    return everywhere(sum(map(operator.mul, x[:half], x[half : 2 * half])), x)


@means
def polynomial_at_2(x):
    return everywhere(sum(c * 2**i for i, c in enumerate(x)), x)
