"""Programs that recognize and mark."""

import itertools
import re

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


def balanced(rng, program):
    """A balanced word with an opener or a closer now and then changed."""
    word, open_ = [], 0
    for left in range(2 * rng.randint(1, program.longest // 2), 0, -1):
        up = open_ < left and (open_ == 0 or rng.random() < 0.5)
        word.append("(" if up else ")")
        open_ += 1 if up else -1
    if rng.random() < 0.3:
        word[rng.randrange(len(word))] = rng.choice("()")
    return word


def words_of(*words):
    """Blank-separated words."""

    def word(rng, program):
        text = " ".join(rng.choices(words, k=rng.randint(1, 4)))
        return list(text[: program.longest])

    return word


@means
def palindrome(x):
    return everywhere(x == x[::-1], x)


@means
def palindromes_here(x):
    def radius(i):
        for r in range(3, 0, -1):
            if i >= r and i + r < len(x) and x[i - r : i + r + 1] == x[i - r : i + r + 1][::-1]:
                return r
        return 0

    return [radius(i) for i in range(len(x))]


@means
def square_word(x):
    half = len(x) // 2
    return everywhere(x[:half] * 2 == x, x)


@MEANINGS.tried_on(lambda rng, p: list("a" * (n := rng.randint(1, p.longest // 2)) + "b" * n))
@means
def a_n_b_n(x):
    n = len(x) // 2
    return everywhere("".join(x) == "a" * n + "b" * n, x)


def abc_word(rng, program):
    n = rng.randint(1, program.longest // 3)
    word = list("a" * n + "b" * n + "c" * n)
    if rng.random() < 0.3:
        word[rng.randrange(len(word))] = rng.choice("abc")
    return word


@MEANINGS.tried_on(abc_word)
@means
def a_n_b_n_c_n(x):
    n = len(x) // 3
    return everywhere("".join(x) == "a" * n + "b" * n + "c" * n, x)


def heights(x):
    return list(itertools.accumulate(1 if token == "(" else -1 for token in x))


@MEANINGS.tried_on(balanced)
@means
def dyck_check(x):
    return everywhere(min(heights(x)) >= 0 and heights(x)[-1] == 0, x)


@means
def balance_height(x):
    return list(itertools.accumulate({"(": 1, ")": -1}.get(token, 0) for token in x))


@means
def nesting_depth(x):
    return [
        "".join(x[: i + 1]).count("(") - "".join(x[:i]).count(")") for i in range(len(x))
    ]


@MEANINGS.tried_on(balanced)
@means
def deepest_nesting(x):
    return everywhere(max(heights(x) + [0]), x)


@MEANINGS.tried_on(balanced)
@means
def matching_bracket(x):
    partner, stack = [-1] * len(x), []
    for i, token in enumerate(x):
        if token == "(":
            stack.append(i)
        elif stack:
            partner[i] = stack.pop()
            partner[partner[i]] = i
    return partner


@MEANINGS.tried_on(balanced)
@means
def unmatched_brackets(x):
    return [partner == -1 for partner in matching_bracket(x)]


@means
def is_sorted(x):
    return everywhere(x == sorted(x), x)


@means
def a_star_b_star(x):
    return [bool(re.fullmatch("a*b*", "".join(x[: i + 1]))) for i in range(len(x))]


@means
def even_as_odd_bs(x):
    return everywhere(x.count("a") % 2 == 0 and x.count("b") % 2 == 1, x)


@means
def no_three_in_a_row(x):
    return everywhere(not re.search(r"(.)\1\1", "".join(x)), x)


@means
def contains_aba(x):
    return everywhere("aba" in "".join(x), x)


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def word_starts(x):
    return [token != " " and (i == 0 or x[i - 1] == " ") for i, token in enumerate(x)]


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def capital_after_blank(x):
    starts = word_starts(x)
    return [token.upper() if start else token for token, start in zip(x, starts)]


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def word_lengths(x):
    words = re.split("( )", "".join(x))
    return [0 if word == " " else len(word) for word in words for _ in word]


@MEANINGS.tried_on(words_of("a", "ab", "bab"))
@means
def word_number(x):
    starts = word_starts(x)
    return [0 if token == " " else sum(starts[: i + 1]) for i, token in enumerate(x)]


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def reverse_words(x):
    return list("".join(part[::-1] for part in re.split("( +)", "".join(x))))


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def reverse_words_by_length(x):
    return reverse_words(x)


@MEANINGS.tried_on(words_of("to", "be", "or", "not"))
@means
def acronym(x):
    letters = [word[0] for word in "".join(x).split()]
    return letters + ["."] * (len(x) - len(letters))


def two_texts(rng, program):
    size = rng.randint(1, (program.longest - 1) // 2)
    first = rng.choices("abc", k=size)
    second = [rng.choice("abc") if rng.random() < 0.3 else token for token in first]
    return first + ["|"] + second


@MEANINGS.tried_on(two_texts)
@means
def edit_markers(x):
    before, bar, after = "".join(x).partition("|")
    if not bar or "|" in after or len(before) != len(after):
        return everywhere("?", x)
    marks = ["." if a == b else "*" for a, b in zip(before, after)]
    return marks + ["|"] + marks


@means
def quoted(x):
    return [
        token != "'" and x[:i].count("'") % 2 == 1 for i, token in enumerate(x)
    ]


@means
def find_abc(x):
    return everywhere("".join(x).find("abc"), x)


@means
def comment_stripper(x):
    text = "".join(x)
    code = text.split("#")[0]
    return list(code.ljust(len(x), "_"))
