"""peer_wrong.py GROUP WORKDIR: what Tracr compiles to wrong models.

Its default settings go wrong from the lengths 7 to 12 on (counting, sorting),
60 (means), 80 (formulas) or 320 (shifts), and with functions of means, negative
numbers and defaults at any length. The same programs must be right here, at
those lengths and beyond them.
"""

import collections
import itertools
import json
import pathlib
import random
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
import models

GROUPS = collections.defaultdict(list)


def add(group, name, text, meaning, vocabulary="ab", longest=12, **more):
    GROUPS[group].append(
        models.Case(name, text, list(vocabulary), longest, meaning, **more)
    )


def everywhere(value, x):
    return [value] * len(x)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


# --- Counts: lengths 10, 12, 20, 40, 80. --------------------------------------

REVERSE = "r = aggregate(select(indices, length - 1 - indices, ==), tokens);"
HIST = "hist = selector_width(select(tokens, tokens, ==));"
DYCK = """
    balanced = True;
    for pair in [%s] {
      step = indicator(tokens == pair[0]) - indicator(tokens == pair[1]);
      balance = aggregate(select(indices, indices, <=), step);
      ever_negative = contains(balance < 0, True);
      balanced = balanced and average(step) == 0 and not ever_negative;
    }"""


def dyck(x, pairs):
    for pair in pairs:
        own = "".join(token for token in x if token in pair)
        while pair in own:
            own = own.replace(pair, "")
        if own:
            return everywhere(False, x)
    return everywhere(True, x)


def balanced_words(pairs, longest, number):
    """Each kind of bracket balanced, shuffled into each other."""
    rng = random.Random(longest)
    for _ in range(number):
        word, closers = [], []
        while len(word) + len(closers) < longest - 1:
            if closers and rng.random() < 0.5:
                word.append(closers.pop(rng.randrange(len(closers))))
            else:
                opener, closer = rng.choice(pairs)
                word.append(opener)
                closers.append(closer)
        yield word + closers


def by_count(x):
    counts = collections.Counter(x)
    return sorted(x, key=lambda token: -counts[token])


def stable_counts(x):
    return everywhere(sum(x.count(token) <= 2 for token in x), x)


for n in (7, 10, 12, 20, 40, 80):
    add("counts", f"length_{n}", "r = length;", lambda x: everywhere(len(x), x), longest=n)
    add("counts", f"hist_{n}", HIST, lambda x: [x.count(t) for t in x], longest=n)
    add("counts", f"count_{n}", 'r = count(tokens, "a");',
        lambda x: everywhere(x.count("a"), x), longest=n)
    add("counts", f"count_less_freq_{n}", HIST + "r = count(hist <= 2, True);",
        stable_counts, longest=n)
    add("counts", f"reverse_{n}", REVERSE, lambda x: x[::-1], longest=n)
    add("counts", f"sort_freq_{n}", HIST + "r = sort(tokens, -hist);", by_count, longest=n)
for n in (12, 20, 40):
    add("counts", f"sort_{n}", "r = sort(tokens_int, tokens_int);", sorted,
        [1, 2, 3, 4], n)
    add("counts", f"sort_unique_{n}",
        """place = selector_width(select(tokens_int, tokens_int, <));
           r = aggregate(select(place, indices, ==), tokens_int, -1);""",
        # Where two numbers are equal no place is theirs but the first.
        lambda x: [
            mean(t for t in x if sum(u < t for u in x) == i)
            if any(sum(u < t for u in x) == i for t in x)
            else -1
            for i in range(len(x))
        ],
        list(range(8)) if n < 40 else list(range(40)), n,
        words=[random.Random(k).sample(range(8), 8) for k in range(20)])
for pairs in (["()"], ["()", "{}"], ["()", "{}", "[]"]):
    for n in (10, 12, 20):
        text = DYCK % ", ".join(json.dumps(pair) for pair in pairs)
        add("counts", f"shuffle_dyck{len(pairs)}_{n}", text,
            lambda x, pairs=pairs: dyck(x, pairs), "".join(pairs), n,
            words=list(balanced_words(pairs, n, 100)))
add("counts", "sort_8_values_80", "r = sort(tokens_int, tokens_int);", sorted,
    list(range(8)), 80, samples=100)

for n in (10, 12, 20, 40):
    secret = "".join("abba"[i * i % 4] for i in range(n))
    text = f"""
        secret = "{secret}";
        password = length == {n};
        for i in range({n}) {{
          password = password and tokens[i] == secret[i];
        }}"""
    if n > 12:
        # As the original has it: a list by position, and a count.
        text = f"""
            secret = {json.dumps(list(secret))};
            right = count(tokens == secret[indices], True);
            password = right == {n} and length == {n};"""
    other = {"a": "b", "b": "a"}
    near = [list(secret[:i] + other[secret[i]] + secret[i + 1 :]) for i in range(n)]
    add("counts", f"password_{n}", text,
        lambda x, secret=secret: everywhere("".join(x) == secret, x), "ab", n,
        words=[list(secret), list(secret[:-1])] + near)

# --- Means and numbers. -------------------------------------------------------

ALL = 'm = average(indicator(tokens == "a"));'
SO_FAR = 'm = aggregate(select(indices, indices, <=), indicator(tokens == "a"));'
a_s = lambda x: x.count("a") / len(x)
prefixes = lambda x: [x[: i + 1] for i in range(len(x))]

for n in (5, 10):
    add("means", f"majority_{n}", ALL + "r = m > 0.5;",
        lambda x: everywhere(2 * x.count("a") > len(x), x), longest=n)
    add("means", f"prefix_majority_{n}", SO_FAR + "r = m > 0.5;",
        lambda x: [2 * p.count("a") > len(p) for p in prefixes(x)], longest=n)
    add("means", f"two_thirds_{n}", ALL + "r = m >= 2 / 3;",
        lambda x: everywhere(3 * x.count("a") >= 2 * len(x), x), longest=n)
    add("means", f"two_fifths_{n}", ALL + "r = m == 0.4;",
        lambda x: everywhere(5 * x.count("a") == 2 * len(x), x), longest=n)
    add("means", f"all_{n}", ALL + "r = m == 1;",
        lambda x: everywhere(set(x) == {"a"}, x), longest=n)
    add("means", f"any_{n}", ALL + "r = m > 0;", lambda x: everywhere("a" in x, x), longest=n)
    add("means", f"complement_{n}", ALL + "r = 1 - m;",
        lambda x: everywhere(1 - a_s(x), x), longest=n)
    add("means", f"rounded_{n}", ALL + "r = round(10 * m);",
        lambda x: everywhere(round(10 * a_s(x)), x), longest=n)
    add("means", f"fields_{n}",
        'field = 0.9 if tokens == "a" else -0.9; r = average(field) > 0.3;',
        lambda x: everywhere(0.9 * (2 * a_s(x) - 1) > 0.3 + 1e-9, x), longest=n)
add("means", "minus_one", "r = tokens_int - 1;", lambda x: [t - 1 for t in x], [0, 1, 2], 4)
add("means", "negated", "r = -tokens_int;", lambda x: [-t for t in x], [0, 1, 2], 4)
add("means", "negated_mean", "r = -average(tokens_int);",
    lambda x: everywhere(-mean(x), x), [0, 1, 2], 4)
add("means", "mean_of_halves", "r = average(tokens_float);",
    lambda x: everywhere(mean(x), x), [-0.5, 0.5, 1.5], 5)
add("means", "mean_of_ints", "r = aggregate(select(indices, indices, <=), tokens_int);",
    lambda x: [mean(p) for p in prefixes(x)], [1, 2, 3, 4], 4)
add("means", "mean_of_truths", 'r = average(indicator(tokens == "a" or indices == 0));',
    lambda x: everywhere(mean(t == "a" or i == 0 for i, t in enumerate(x)), x), "abc", 5)
add("means", "empty_and_default",
    """before = shift(tokens, 1, "none");
       r = aggregate(select(indices, indices + 1, ==), before, "none");""",
    lambda x: x[:-1] + ["none"], "abc", 5)
add("means", "default_of_default",
    """twice = aggregate(select(tokens, "a", ==) and select(indices, 0, ==), tokens, "?");
       r = aggregate(select(twice, "?", ==) and select(indices, indices, ==), tokens, twice_);"""
    .replace("twice_", '"-"'),
    lambda x: ["-"] * len(x) if x[0] == "a" else x, "abc", 5)
add("means", "unequal_to_shifted",
    'r = selector_width(select(shift(tokens, 1, ""), tokens, !=));',
    lambda x: [sum(b != t for b in [""] + x[:-1]) for t in x], "abc", 5)
DIGITS = ["2", "10", "15", "x"]
add("means", "reverse_digit_strings", REVERSE, lambda x: x[::-1], DIGITS, 5)
add("means", "shift_digit_strings", 'r = shift(tokens, 1, "_");',
    lambda x: ["_"] + x[:-1], DIGITS, 5)
add("means", "order_of_digit_strings", "r = sort(tokens, tokens);", sorted, DIGITS, 5)
add("means", "order_of_numbers", "r = sort(tokens_int, tokens_int);", sorted,
    [2, 10, 15, -3], 5)
add("means", "million_lengths", "r = length * 1000000;",
    lambda x: everywhere(len(x) * 1000000, x), longest=12, dtype="float64")

# --- Long inputs, many values. ------------------------------------------------

few = {"samples": 40}
for n, tries in ((160, 20), (256, 8), (1024, 1)):
    # The first sample is as long as can be.
    size = {"longest": n, "samples": tries, "causal": n < 1024}
    add("long", f"length_{n}", "r = length;", lambda x: everywhere(len(x), x), **size)
    add("long", f"hist_{n}", HIST, lambda x: [x.count(t) for t in x], "abcdefgh", **size)
    add("long", f"reverse_{n}", REVERSE, lambda x: x[::-1], "abcdefgh", **size)
    size["longest"] = min(n, 512)
    add("long", f"sort_letters_{n}", "r = sort(tokens, tokens);", sorted, "abcdefgh", **size)
add("long", "hist_400_values", "r = selector_width(select(tokens_int, tokens_int, ==));",
    lambda x: [x.count(t) for t in x], list(range(400)), 60, **few)
add("long", "hist_1000_values", "r = selector_width(select(tokens_int, tokens_int, ==));",
    lambda x: [x.count(t) for t in x], list(range(1000)), 20, **few)
for n in (60, 100, 200):
    add("long", f"frac_prevs_{n}", SO_FAR, lambda x: [a_s(p) for p in prefixes(x)],
        longest=n, tolerance=5e-6, **few)
    add("long", f"pair_balance_{n}",
        """step = indicator(tokens == "(") - indicator(tokens == ")");
           r = aggregate(select(indices, indices, <=), step);""",
        lambda x: [(p.count("(") - p.count(")")) / len(p) for p in prefixes(x)],
        "()a", n, tolerance=5e-6, **few)
add("long", "shift_400", 'r = shift(tokens, 1, "_");', lambda x: ["_"] + x[:-1],
    "abcd", 400, **few)
add("long", "detect_pattern_400",
    'r = shift(tokens, 2, "_") == "a" and shift(tokens, 1, "_") == "b" and tokens == "c";',
    lambda x: ["".join(p).endswith("abc") for p in prefixes(x)], "abc", 400, **few)


def formula(variables):
    """A random 3-SAT formula that all of `assignment` satisfies."""
    rng = random.Random(variables)
    assignment = [rng.random() < 0.5 for _ in range(variables)]
    clauses = []
    while len(clauses) < 4 * variables:
        chosen = rng.sample(range(variables), 3)
        clause = [(v + 1) * rng.choice([1, -1]) for v in chosen]
        if any((literal > 0) == assignment[abs(literal) - 1] for literal in clause):
            clauses.append(clause)
    return clauses, assignment


def sat_case(variables):
    clauses, assignment = formula(variables)
    batches = [clauses[i : i + 2 * variables] for i in (0, 2 * variables)]
    text = f"""
        batches = {json.dumps(batches)};
        def place(literal) {{
          return 2 * literal - 1 if literal > 0 else -2 * literal - 2;
        }}
        is_one = indicator(tokens == "1");
        def fetch(places) {{
          return aggregate(select(indices, places[indices], ==), is_one, 0);
        }}
        def satisfied(batch) {{
          return fetch([place(clause[0]) for clause in batch])
               + fetch([place(clause[1]) for clause in batch])
               + fetch([place(clause[2]) for clause in batch]) > 0;
        }}
        partner = indices + 1 if indices % 2 == 0 else indices - 1;
        valid = is_one + aggregate(select(indices, partner, ==), is_one, 0) == 1;
        good = satisfied(batches[0]) and satisfied(batches[1]) and valid;
        r = count(good, True) == {2 * variables};"""

    def coded(values):
        return [bit for value in values for bit in ("01" if value else "10")]

    def meaning(x):
        pairs = ["".join(x[i : i + 2]) for i in range(0, len(x), 2)]
        if len(pairs) != variables or not set(pairs) <= {"01", "10"}:
            return everywhere(False, x)
        values = [pair == "01" for pair in pairs]
        holds = lambda literal: (literal > 0) == values[abs(literal) - 1]
        return everywhere(all(any(map(holds, clause)) for clause in clauses), x)

    flips = [
        coded([value != (i == flip) for i, value in enumerate(assignment)])
        for flip in range(variables)
    ]
    words = [coded(assignment), coded(assignment)[:-2], coded(assignment)[:-1]] + flips
    add("long", f"three_sat_{variables}", text, meaning, "01", 2 * variables,
        words=words, **few)


sat_case(20)
sat_case(40)


def main():
    group, workdir = sys.argv[1], pathlib.Path(sys.argv[2])
    bad = 0
    for each in GROUPS[group]:
        runs = ["", "--causal"] if each.causal else [""]
        bad += models.check_case(each, workdir, runs, most_verified=10_000) > 0
    print(f"{len(GROUPS[group])} programs, {bad} wrong")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
