"""Programs that look things up."""

import calendar
import datetime
import itertools
import math

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


def prime(n):
    return n > 1 and all(n % d for d in range(2, n))


@means
def is_prime(x):
    return [prime(n) for n in x]


@means
def next_prime(x):
    return [next(p for p in itertools.count(n + 1) if prime(p)) for n in x]


@means
def fibonacci(x):
    def f(n):
        a, b = 0, 1
        for _ in range(n):
            a, b = b, a + b
        return a

    return [f(n) for n in x]


@means
def factorial(x):
    return [math.factorial(n) for n in x]


@means
def large_factorial(x):
    return [math.factorial(n) for n in x]


@means
def integer_square_root(x):
    return [math.isqrt(n) for n in x]


@means
def square_root(x):
    return [math.sqrt(n) for n in x]


def collatz(n):
    return n // 2 if n % 2 == 0 else 3 * n + 1


@means
def collatz_step(x):
    return [collatz(n) for n in x]


@means
def collatz_length(x):
    def length(n):
        steps = 0
        while n != 1:
            n, steps = collatz(n), steps + 1
        return steps

    return [length(n) for n in x]


@means
def sine(x):
    return [math.sin(math.radians(5 * n)) for n in x]


@means
def sine_times_cosine(x):
    table = [0.0, 0.5, 0.8660254037844386, 1.0, 0.8660254037844386, 0.5]
    sin = lambda n: table[n % 6] * (1 if n % 12 < 6 else -1)
    return [sin(n) * sin(n + 3) for n in x]


@means
def mean_cosine(x):
    return everywhere(sum(math.cos(math.pi * n / 4) for n in x) / len(x), x)


@means
def divisor_count(x):
    return [sum(n % d == 0 for d in range(1, n + 1)) for n in x]


@means
def fizz_buzz(x):
    return [
        "fizzbuzz" if n % 15 == 0 else "fizz" if n % 3 == 0 else "buzz" if n % 5 == 0 else "-"
        for n in x
    ]


@means
def roman_digits(x):
    numerals = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    tens = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    return [tens[n // 10] + numerals[n % 10] for n in x]


@means
def leap_year(x):
    return [calendar.isleap(year) for year in x]


@means
def days_in_month(x):
    if len(x) < 2 or not 1 <= x[1] <= 12 or x[0] < 1900:
        return everywhere(0, x)
    return everywhere(calendar.monthrange(x[0], x[1])[1], x)


@means
def weekday(x):
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return [names[datetime.date(2023, 1, 1 + n).weekday()] for n in x]


@means
def valid_date(x):
    if len(x) != 2:
        return everywhere(False, x)
    try:
        datetime.date(2023, x[1], x[0])
    except ValueError:
        return everywhere(False, x)
    return everywhere(True, x)


@means
def part_of_speech(x):
    words = {"the": "det", "a": "det", "dog": "noun", "cat": "noun", "sees": "verb"}
    words |= {"hears": "verb", "old": "adj", "loud": "adj"}
    return [words[word] for word in x]


@means
def article_agreement(x):
    vowel = lambda word: word[0] in "aeiou"
    return [
        word in ("a", "an") and bool(after) and (word == "an") != vowel(after)
        for word, after in zip(x, x[1:] + [""])
    ]


@means
def codon(x):
    table = {"au": "ile", "ug": "cys", "gg": "gly", "cc": "pro", "aa": "lys"}
    return [
        table.get("".join(x[i : i + 2]), "?") if i % 2 == 0 and i + 1 < len(x) else "."
        for i in range(len(x))
    ]


@means
def complement_strand(x):
    return [{"a": "t", "t": "a", "c": "g", "g": "c"}[base] for base in reversed(x)]


@means
def morse_letters(x):
    codes = {".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "--": "m", "-": "t"}
    result, code = [], ""
    for i, token in enumerate(x):
        if token == " ":
            code = ""
            result.append(" ")
            continue
        code += token
        ends = i + 1 == len(x) or x[i + 1] == " "
        result.append(codes.get(code, "?") if ends else "_")
    return result


@means
def temperature(x):
    return [celsius * 9 / 5 + 32 for celsius in x]


@means
def sigmoid_table(x):
    return [1 / (1 + math.exp(-n / 4)) for n in x]
