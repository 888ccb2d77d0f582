"""Programs that count and compare."""

import collections
import fractions
import itertools
import statistics

import models

MEANINGS = models.Meanings()
means = MEANINGS.means


def everywhere(value, x):
    return [value] * len(x)


@means
def unique_tokens(x):
    return [x.count(token) == 1 for token in x]


@means
def first_only(x):
    return ["_" if token in x[:i] else token for i, token in enumerate(x)]


@means
def frequent_tokens(x):
    return [token if x.count(token) >= 3 else -1 for token in x]


@means
def majority_bit(x):
    return everywhere("1" if 2 * x.count("1") > len(x) else "0", x)


@means
def majority_vote(x):
    winners = [token for token in set(x) if 2 * x.count(token) > len(x)]
    return everywhere(winners[0] if winners else "?", x)


@means
def plurality(x):
    (first, most), *others = collections.Counter(x).most_common()
    return everywhere("tie" if others and others[0][1] == most else first, x)


@means
def rank(x):
    return [1 + sum(other < token for other in x) for token in x]


@means
def dense_rank(x):
    return [sorted(set(x)).index(token) for token in x]


def runs(x):
    return [(token, len(list(group))) for token, group in itertools.groupby(x)]


@means
def run_lengths(x):
    return [size for _, size in runs(x) for _ in range(size)]


@means
def longest_run(x):
    return everywhere(max(size for _, size in runs(x)), x)


@means
def run_starts(x):
    return [place == 0 for _, size in runs(x) for place in range(size)]


@means
def run_length_encoding(x):
    encoded = [f"{token}{size}" for token, size in runs(x)]
    return encoded + ["."] * (len(x) - len(encoded))


@means
def inversions(x):
    return everywhere(sum(a > b for a, b in itertools.combinations(x, 2)), x)


@MEANINGS.tried_on(lambda rng, p: rng.sample(range(n := rng.randint(2, p.longest)), n))
@means
def is_permutation(x):
    return everywhere(sorted(x) == list(range(len(x))), x)


@means
def anagram(x):
    half = len(x) // 2
    return everywhere(len(x) % 2 == 0 and sorted(x[:half]) == sorted(x[half:]), x)


@means
def vowels_so_far(x):
    return list(itertools.accumulate(int(token in "aeiou") for token in x))


@means
def distance_to_x(x):
    places = [j for j, token in enumerate(x) if token == "x"]
    return [min((abs(i - j) for j in places), default=-1) for i in range(len(x))]


@means
def last_seen(x):
    return [
        max((j for j in range(i) if x[j] == x[i]), default=-1) for i in range(len(x))
    ]


@means
def first_and_last(x):
    last = {token: i for i, token in enumerate(x)}
    return [last[token] - x.index(token) for token in x]


@means
def argmax(x):
    return everywhere(x.index(max(x)), x)


@means
def minimum(x):
    return everywhere(min(x), x)


@means
def minimum_by_sorting(x):
    return everywhere(min(x), x)


@means
def maximum_so_far(x):
    return list(itertools.accumulate(x, max))


@means
def value_range(x):
    return everywhere(max(x) - min(x), x)


@means
def median(x):
    return everywhere(statistics.median(x), x)


@means
def lower_median(x):
    return everywhere(statistics.median_low(x), x)


@means
def third_largest(x):
    return everywhere(sorted(x, reverse=True)[2] if len(x) > 2 else -1, x)


@means
def mean_and_variance(x):
    mean = fractions.Fraction(sum(x), len(x))
    variance = sum((value - mean) ** 2 for value in x) / len(x)
    return everywhere(float(variance), x)


@means
def weighted_mean(x):
    weights = {"a": 1, "b": 2, "c": 4}
    places = sum(weights[token] * i for i, token in enumerate(x))
    return everywhere(places / sum(weights[token] for token in x), x)


@means
def moving_average_3(x):
    return [statistics.mean(x[max(0, i - 1) : i + 2]) for i in range(len(x))]


@means
def moving_average_5(x):
    return [statistics.mean(x[max(0, i - 4) : i + 1]) for i in range(len(x))]


@means
def distinct_tokens(x):
    return everywhere(len(set(x)), x)


@means
def bigram_counts(x):
    pairs = list(zip(x, x[1:] + [""]))
    return [pairs.count(pair) if i + 1 < len(x) else 0 for i, pair in enumerate(pairs)]


@means
def trigram_copying(x):
    result = []
    for i in range(len(x)):
        pair = x[i - 1 : i + 1]
        after = [x[j] for j in range(2, i + 1) if i and x[j - 2 : j] == pair]
        result.append(after[-1] if after else "?")
    return result


@means
def equal_3_back(x):
    return [i >= 3 and x[i] == x[i - 3] for i in range(len(x))]


@means
def same_as_ends(x):
    return [(token == x[0]) + (token == x[-1]) for token in x]
