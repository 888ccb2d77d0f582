"""peer_cases.py WORKDIR: the 44 published test cases of Tracr, in RASP.

Each has a vocabulary, a longest length, an input and what comes out. "-" is
not checked; numbers must agree to 1e-6, where the original allows 0.5 %.
"""

import fractions
import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
import models


def frac_prevs(token):
    return f"""
        so_far = select(indices, indices, <=);
        frac_prevs = aggregate(so_far, indicator(tokens == "{token}"));"""


def shift_by(k):
    return f'shift_by = shift(tokens, {k}, "-");'


def detect_pattern(pattern):
    return f"""
        pattern = "{pattern}";
        detect_pattern = True;
        for i in range({len(pattern)}) {{
          back = {len(pattern)} - 1 - i;
          detect_pattern = detect_pattern and shift(tokens, back, "-") == pattern[i];
        }}"""


REVERSE = "reverse = aggregate(select(indices, length - 1 - indices, ==), tokens);"
LENGTH = "how_long = length;"
PAIR_BALANCE = """
    step = indicator(tokens == "(") - indicator(tokens == ")");
    pair_balance = aggregate(select(indices, indices, <=), step);"""


def shuffle_dyck(pairs):
    return f"""
        shuffle_dyck = True;
        for pair in {json.dumps(pairs)} {{
          step = indicator(tokens == pair[0]) - indicator(tokens == pair[1]);
          balance = aggregate(select(indices, indices, <=), step);
          ever_negative = contains(balance < 0, True);
          shuffle_dyck = shuffle_dyck and average(step) == 0 and not ever_negative;
        }}"""


HIST = "hist = selector_width(select(tokens, tokens, ==));"
SORT_UNIQUE = """
    place = selector_width(select(tokens_int, tokens_int, <));
    sort_unique = aggregate(select(place, indices, ==), tokens_int);"""
# Letters by the key 1 - i.
SORT_UNIQUE_BACKWARDS = """
    place = selector_width(select(1 - indices, 1 - indices, <));
    sort_unique = aggregate(select(place, indices, ==), tokens);"""
SORT = "sorted = sort(tokens_int, tokens_int);"
SORT_BACKWARDS = "sorted = sort(tokens, 1 - indices);"
SORT_FREQ = """
    hist = selector_width(select(tokens_int, tokens_int, ==));
    sort_freq = sort(tokens_int, -hist);"""
COUNT_LESS_FREQ = """
    hist = selector_width(select(tokens, tokens, ==));
    count_less_freq = count(hist <= 2, True);"""
COUNT_A = 'count_a = count(tokens, "a");'
NARY_1 = "nary = tokens_int + tokens_int - indices;"
NARY_2 = "nary = indices * indices / tokens_int;"
WIDTH = "width = selector_width(full_s);"

PLAIN, BOTH, CAUSAL = [""], ["", "--causal"], ["--causal"]
LETTERS, BRACKETS = "a b c d", "( ) a b c"
DYCK_2, DYCK_3 = "( ) { }", "( ) [ ] { }"
T, F = "true", "false"
WORD = "a ( ) b ( c ) )"
# Name, vocabulary, longest length, input, output.
CASES = f"""
frac_prevs_1    | e h l o     | 5  | h e l l o    | 0 0 1/3 2/4 2/5
frac_prevs_2    | {BRACKETS}  | 10 | {WORD}       | 0 1/2 1/3 1/4 2/5 2/6 2/7 2/8
frac_prevs_3    | {BRACKETS}  | 10 | {WORD}       | 0 0 1/3 1/4 1/5 1/6 2/7 3/8
shift_by_one    | {LETTERS}   | 5  | a b c d      | - a b c
shift_by_two    | {LETTERS}   | 5  | a b c d      | - - a b
detect_pattern_a     | {LETTERS} | 5 | b a c d     | {F} {T} {F} {F}
detect_pattern_ab    | a b       | 5 | a a b a     | - {F} {T} {F}
detect_pattern_ab_2  | a b       | 5 | a b a a     | - {T} {F} {F}
detect_pattern_ab_3  | a b       | 5 | a a a a     | - {F} {F} {F}
detect_pattern_abc   | a b c     | 6 | a b c a b c | - - {T} {F} {F} {T}
reverse_1       | {LETTERS}   | 5  | a b c d      | d c b a
reverse_2       | {LETTERS}   | 5  | a b c        | c b a
reverse_3       | {LETTERS}   | 5  | a d          | d a
reverse_4       | {LETTERS}   | 5  | c            | c
length_categorical_1 | {LETTERS} | 3 | a b c      | 3 3 3
length_categorical_2 | {LETTERS} | 3 | a d        | 2 2
length_categorical_3 | {LETTERS} | 3 | c          | 1
length_numerical_1   | {LETTERS} | 3 | a b c      | 3 3 3
length_numerical_2   | {LETTERS} | 3 | a d        | 2 2
length_numerical_3   | {LETTERS} | 3 | c          | 1
pair_balance_1  | {BRACKETS}  | 10 | {WORD}       | 0 1/2 0 0 1/5 1/6 0 -1/8
shuffle_dyck2_1 | {DYCK_2}    | 5  | ( {{ ) }}    | {T} {T} {T} {T}
shuffle_dyck2_2 | {DYCK_2}    | 5  | ( ) {{ ) }}  | {F} {F} {F} {F} {F}
shuffle_dyck2_3 | {DYCK_2}    | 5  | {{ }} (      | {F} {F} {F}
shuffle_dyck3_1 | {DYCK_3}    | 6  | ( {{ ) [ }} ] | {T} {T} {T} {T} {T} {T}
shuffle_dyck3_2 | {DYCK_3}    | 6  | ( ) {{ ) }}  | {F} {F} {F} {F} {F}
shuffle_dyck3_3 | {DYCK_3}    | 6  | {{ }} [ ( ]  | {F} {F} {F} {F} {F}
hist            | {LETTERS}   | 5  | a b a c      | 2 1 2 1
sort_unique_1   | 1 2 3 4     | 5  | 2 4 3 1      | 1 2 3 4
sort_unique_2   | {LETTERS}   | 5  | a b c d      | d c b a
sort_1          | 1 2 3 4     | 5  | 2 4 3 1      | 1 2 3 4
sort_2          | {LETTERS}   | 5  | a b c d      | d c b a
sort_3          | 1 2 3 4     | 5  | 2 4 1 2      | 1 2 2 4
sort_freq       | 1 2 3 4     | 5  | 2 4 2 1      | 2 2 4 1
make_count_less_freq_categorical_1 | {LETTERS} | 6 | a a a b b c | 3 3 3 3 3 3
make_count_less_freq_categorical_2 | {LETTERS} | 6 | a a c b b c | 6 6 6 6 6 6
make_count_less_freq_numerical_1   | {LETTERS} | 6 | a a a b b c | 3 3 3 3 3 3
make_count_less_freq_numerical_2   | {LETTERS} | 6 | a a c b b c | 6 6 6 6 6 6
make_count_1    | a b c       | 8  | a a a b b c  | 3 3 3 3 3 3
make_count_2    | a b c       | 8  | c a b c      | 1 1 1 1
make_count_3    | a b c       | 8  | b b c        | 0 0 0
make_nary_sequencemap_1 | 1 2 3 | 5 | 1 2 3       | 2 3 4
make_nary_sequencemap_2 | 1 2 3 | 3 | 1 2 3       | 0 1/2 4/3
selector_width  | {LETTERS}   | 5  | a b c d      | 1 2 3 4
"""

# By the beginning of the case's name, the first that fits; and how to compile.
PROGRAMS = {
    "frac_prevs_1": (frac_prevs("l"), BOTH),
    "frac_prevs_2": (frac_prevs("("), BOTH),
    "frac_prevs_3": (frac_prevs(")"), BOTH),
    "shift_by_one": (shift_by(1), BOTH),
    "shift_by_two": (shift_by(2), BOTH),
    "detect_pattern_abc": (detect_pattern("abc"), BOTH),
    "detect_pattern_ab": (detect_pattern("ab"), BOTH),
    "detect_pattern_a": (detect_pattern("a"), BOTH),
    "reverse": (REVERSE, PLAIN),
    "length": (LENGTH, PLAIN),
    "pair_balance": (PAIR_BALANCE, PLAIN),
    "shuffle_dyck2": (shuffle_dyck(["()", "{}"]), PLAIN),
    "shuffle_dyck3": (shuffle_dyck(["()", "[]", "{}"]), PLAIN),
    "hist": (HIST, PLAIN),
    "sort_unique_1": (SORT_UNIQUE, PLAIN),
    "sort_unique_2": (SORT_UNIQUE_BACKWARDS, PLAIN),
    "sort_1": (SORT, PLAIN),
    "sort_2": (SORT_BACKWARDS, PLAIN),
    "sort_3": (SORT, PLAIN),
    "sort_freq": (SORT_FREQ, PLAIN),
    "make_count_less_freq": (COUNT_LESS_FREQ, PLAIN),
    "make_count": (COUNT_A, PLAIN),
    "make_nary_sequencemap_1": (NARY_1, PLAIN),
    "make_nary_sequencemap_2": (NARY_2, PLAIN),
    "selector_width": (WIDTH, CAUSAL),
}


def value(text):
    """A word of the table: a number, a truth value or a token."""
    if text in (T, F):
        return text == T
    try:
        number = fractions.Fraction(text)
    except ValueError:
        return text
    return int(number) if number.denominator == 1 else float(number)


def check(row, workdir):
    name, tokens, longest, word, expected = (part.strip() for part in row.split("|"))
    text, runs = next(PROGRAMS[key] for key in PROGRAMS if name.startswith(key))
    tokens, word, expected = (
        [value(item) for item in part.split()] for part in (tokens, word, expected)
    )
    path = workdir / f"{name}.rasp"
    path.write_text(text)
    bad = 0
    for run in runs:
        model = workdir / f"{name}{run}.h5"
        kind = "int" if isinstance(tokens[0], int) else "str"
        models.compile_model(
            path,
            model,
            f"--vocab={json.dumps(tokens)}",
            f"--tokens={kind}",
            f"--max-seq-len={longest}",
            *run.split(),
        )
        (answer,) = models.outputs(model, [word])
        result = models.verify(model)
        good = result["exit"] == 0 and result["mismatches"] == 0
        for should, does in zip(expected, answer, strict=True):
            good = good and (should == "-" or models.same(should, does))
        bad += not good
        if not good:
            print(f"{name} {run}: {word} must give {expected}, gives {answer}; {result}")
    return bad > 0


workdir = pathlib.Path(sys.argv[1])
rows = CASES.strip().splitlines()
bad = sum(check(row, workdir) for row in rows)
print(f"{len(rows)} cases, {bad} wrong")
sys.exit(bad > 0)
