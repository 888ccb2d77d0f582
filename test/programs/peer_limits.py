"""peer_limits.py WORKDIR: what Tracr refuses to compile.

One small program for each form, with its meaning, compiled with and without
optimization and with a causal mask, on all inputs.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
import models

CASES = []


def mean(values, default=0):
    values = list(values)
    return sum(values) / len(values) if values else default


def case(text, vocabulary="abc", longest=5, **more):
    """Registers a program with the function below it as its meaning: what the
    input gives at position i."""

    def register(at):
        CASES.append(
            models.Case(
                name=at.__name__,
                text=text,
                vocabulary=list(vocabulary),
                longest=longest,
                meaning=lambda x: [at(x, i) for i in range(len(x))],
                **more,
            )
        )

    return register


# --- Selectors that are no single comparison, inside of aggregate. -----------


@case("""s = select(tokens, tokens, ==) and select(indices, indices, <);
         r = aggregate(s, indices, -1);""")
def mean_over_and(x, i):
    return mean((j for j in range(i) if x[j] == x[i]), -1)


@case("""s = select(tokens, "a", ==) or select(indices, indices, ==);
         r = aggregate(s, indices);""")
def mean_over_or(x, i):
    return mean(j for j in range(len(x)) if x[j] == "a" or j == i)


@case("""s = not (select(tokens, tokens, ==) and select(indices, indices, <));
         r = aggregate(s, indices);""")
def mean_over_not(x, i):
    return mean(j for j in range(len(x)) if not (x[j] == x[i] and j < i))


@case("""first = select(tokens, "a", ==) and select(indices, 0, ==);
         r = aggregate(first or not select(tokens, tokens, <=), indices, 0.5);""")
def mean_over_nested(x, i):
    chosen = lambda j: x[j] == "a" and j == 0 or x[j] > x[i]
    return mean((j for j in range(len(x)) if chosen(j)), 0.5)


# --- The same inside of selector_width. --------------------------------------


@case("r = selector_width(select(tokens, tokens, ==) and select(indices, indices, <=));")
def width_of_and(x, i):
    return x[: i + 1].count(x[i])


@case("r = selector_width(select(tokens, tokens, ==) or select(indices, indices, <));")
def width_of_or(x, i):
    return sum(x[j] == x[i] or j < i for j in range(len(x)))


@case("r = selector_width(not (select(tokens, tokens, ==) or select(indices, 0, ==)));")
def width_of_not(x, i):
    return sum(x[j] != x[i] and j != 0 for j in range(len(x)))


# --- Aggregates: categories in, numbers out; defaults; any numbers. ----------


@case("r = aggregate(select(tokens, tokens, ==), indices);")
def mean_of_categories(x, i):
    return mean(j for j in range(len(x)) if x[j] == x[i])


@case("r = round(aggregate(select(tokens, tokens, ==), indices));")
def category_of_mean(x, i):
    return round(mean(j for j in range(len(x)) if x[j] == x[i]))


@case('r = shift(tokens, 2, "#");')
def default_of_categories(x, i):
    return x[i - 2] if i >= 2 else "#"


@case('r = aggregate(select(tokens, "a", ==), indices, 7.5);')
def default_of_numbers(x, i):
    return mean((j for j in range(len(x)) if x[j] == "a"), 7.5)


@case('r = aggregate(select(tokens, "a", ==), indices, -1);')
def negative_default(x, i):
    return mean((j for j in range(len(x)) if x[j] == "a"), -1)


@case("r = aggregate(select(indices, indices, <=), tokens_int);", [0, 1, 2])
def mean_of_0_1_2(x, i):
    return mean(x[: i + 1])


@case("r = aggregate(select(indices, indices, <=), tokens_int);", [1, -1], 7)
def mean_of_signs(x, i):
    return mean(x[: i + 1])


@case("r = aggregate(select(indices, indices, <=), tokens_int);", [-100, 3, 250])
def mean_of_any_ints(x, i):
    return mean(x[: i + 1])


# --- Numbers as keys, queries and operands. ----------------------------------

SHARE = 'share = aggregate(select(indices, indices, <=), indicator(tokens == "a"));'


def share(x, i):
    return x[: i + 1].count("a") / (i + 1)


@case(SHARE + "r = selector_width(select(share, share, <));")
def select_on_means(x, i):
    return sum(share(x, j) < share(x, i) - 1e-9 for j in range(len(x)))


@case(SHARE + "r = selector_width(select(share, 0.5, ==));")
def select_mean_equal(x, i):
    return sum(abs(share(x, j) - 0.5) < 1e-9 for j in range(len(x)))


@case(SHARE + "r = selector_width(select(share, tokens == \"a\", >=));")
def select_mean_and_truth(x, i):
    return sum(share(x, j) >= (x[i] == "a") for j in range(len(x)))


@case(SHARE + "r = share * (1 - share);")
def product_of_means(x, i):
    return share(x, i) * (1 - share(x, i))


@case(SHARE + 'other = average(indicator(tokens == "b")); r = share > other;')
def comparison_of_means(x, i):
    return share(x, i) > x.count("b") / len(x) + 1e-9


@case("r = 2 * tokens_int - 3 * indices;", [0, 5, 7])
def linear_map_of_categories(x, i):
    return 2 * x[i] - 3 * i


@case("r = aggregate(select(indices, indices, >=), tokens_float);", [0.5, -1.25, 3.0])
def numerical_tokens(x, i):
    return mean(x[i:])


@case("r = tokens_float * indices;", [0.5, -1.25, 3.0])
def numerical_tokens_and_indices(x, i):
    return x[i] * i


@case("r = average(indices / 2);")
def numerical_indices(x, i):
    return mean(j / 2 for j in range(len(x)))


# --- Constants, lengths, no tokens, nothing but tokens. -----------------------


@case("r = indices * 0 + 7;")
def constant(x, i):
    return 7


@case('r = aggregate(select(tokens, "a", ==), 5, -2);')
def constant_as_value(x, i):
    return 5 if "a" in x else -2


@case("one = indices * 0 + 1; r = selector_width(select(one, indices, ==));")
def constant_in_select(x, i):
    return len(x) if i == 1 else 0


@case("r = length;")
def built_in_length(x, i):
    return len(x)


@case("r = length - indices;")
def length_as_operand(x, i):
    return len(x) - i


@case("r = indices * indices - 4;")
def indices_only(x, i):
    return i * i - 4


@case("r = tokens;")
def identity(x, i):
    return x[i]


# --- Wide values, partial functions, reserved names. -------------------------


@case('r = shift(tokens, 1, "#");', "abcdefgh", 5)
def values_wider_than_keys(x, i):
    return x[i - 1] if i else "#"


@case("r = aggregate(select(indices, 0, ==), 100 * tokens_int + indices);", list(range(40)), 3)
def values_much_wider_than_keys(x, i):
    return 100 * x[0]


@case("r = 1 / selector_width(select(tokens, tokens, ==));")
def one_over_a_count(x, i):
    return 1 / x.count(x[i])


@case("r = 1 / (tokens_int if tokens_int > 0 else 4);", [0, 1, 2])
def one_over_no_zero(x, i):
    return 1 / (x[i] or 4)


@case(
    "r = aggregate(select(indices, length - 1 - indices, ==), tokens);",
    ["BOS", "PAD", "bos", "pad", "compiler_bos"],
    4,
)
def names_of_markers(x, i):
    return x[-1 - i]


@case("r = aggregate(select(indices, length - 1 - indices, ==), tokens_bool);", [1, 0])
def truth_values(x, i):
    return bool(x[-1 - i])


def main():
    workdir = pathlib.Path(sys.argv[1])
    bad = 0
    for each in CASES:
        bad += models.check_case(each, workdir, ["", "-O0", "--causal"]) > 0
    print(f"{len(CASES)} programs, {bad} wrong")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
