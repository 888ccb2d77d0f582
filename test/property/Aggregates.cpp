//===- test/property/Aggregates.cpp - means, moves and selectors ----------===//

#include "test/property/Generator.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp::property;

double rasp::property::countMeans(const Term &term, unsigned n) {
  double total = 1, multisets = 1;
  for (unsigned c = 1; c <= n; ++c) {
    multisets *= (term.size + c - 1) / c;
    double sums =
        term.type() == Type::Int ? (term.high - term.low) * c + 1 : multisets;
    total += std::min(multisets, sums);
  }
  return total;
}

Term Generator::mean(unsigned depth) {
  Term values = number(depth);
  for (unsigned attempt = 0;
       attempt < 4 &&
       countMeans(values, options.maxSeqLen) > options.maxCombinations / 8;
       ++attempt)
    values = attempt < 3
                 ? number(attempt < 2 ? 1 : 0)
                 : map(Type::Int, "indicator($0)", {sop(Type::Bool, 0)}, 0, 1);
  double size = countMeans(values, options.maxSeqLen);
  if (values.type() == Type::Bool)
    values = map(Type::Int, "indicator($0)", {values}, 0, 1);
  if (random.percent(12))
    return source(Type::Float, "average($0)", {values}, values.low, values.high,
                  size);
  Terms operands = {selector(depth), values};
  if (random.percent(50))
    return source(Type::Float, "aggregate($0, $1)", operands,
                  std::min(0.0, values.low), std::max(0.0, values.high), size);
  Term fallback = atom(Type::Float);
  return source(Type::Float,
                "aggregate($0, $1, " + fallback.expr->pattern + ")", operands,
                std::min(fallback.low, values.low),
                std::max(fallback.high, values.high), size);
}

/// Values of one type from other places, at most one for each (mostly).
Term Generator::moved(Type type, unsigned depth) {
  Term values = sop(type, depth);
  Term fallback = atom(type);
  const std::string &filler = fallback.expr->pattern;
  double low = std::min({0.0, fallback.low, values.low}),
         high = std::max({0.0, fallback.high, values.high});
  double size = values.size + 1;
  auto build = [&](std::string pattern, Terms operands) {
    return withStrings(
        source(type, std::move(pattern), operands, low, high, size),
        {values, fallback});
  };
  switch (random.below(10)) {
  case 0:
    return build("sort($0, $1)", {values, anything(depth)});
  case 1:
    // Without a default, a miss gives the int 0.
    if (type != Type::String || random.percent(20))
      return build("load_from_location($0, $1)",
                   {values, sop(Type::Int, depth)});
    return build("aggregate(select(indices, $1, ==), $0, " + filler + ")",
                 {values, sop(Type::Int, depth)});
  case 2:
  case 3:
    return build("shift($0, " + std::to_string(random.between(-2, 2)) + ", " +
                     filler + ")",
                 {values});
  case 4:
    if (values.expr->statement >= 0)
      return build("$0[" + std::to_string(random.between(-2, 2)) + "]",
                   {values});
    [[fallthrough]];
  default:
    if (random.percent(type == Type::String ? 5 : 30))
      return build("aggregate($1, $0)", {values, uniqueSelector(depth)});
    return build(
        "aggregate($1, $0, " + filler + ")",
        {values, random.percent(95) ? uniqueSelector(depth) : selector(depth)});
  }
}

// --- Selectors. --------------------------------------------------------------

Term Generator::elementarySelector(unsigned depth) {
  std::string op = random.of({"==", "==", "!=", "<", "<=", ">", ">="});
  unsigned kind = random.below(20);
  Terms sides;
  if (kind < 4)
    sides = {leafOf(Type::Int, "indices", 0, 4, indexSource, 5),
             random.percent(50)
                 ? leafOf(Type::Int, "indices", 0, 4, indexSource, 5)
                 : number(depth)};
  else if (kind < 13)
    sides = {number(depth),
             random.percent(35) ? atom(Type::Float) : number(depth)};
  else if (kind < 17)
    sides = {sop(Type::String, depth), random.percent(35)
                                           ? atom(Type::String)
                                           : sop(Type::String, depth)};
  else if (kind < 19)
    sides = {sop(Type::Bool, depth),
             random.percent(70) ? atom(Type::Bool) : sop(Type::Bool, depth)};
  else {
    sides = {anything(depth), anything(depth)};
    op = random.of({"==", "!="});
  }
  if (random.percent(25))
    std::swap(sides[0], sides[1]);
  return map(Type::Selector, "select($0, $1, " + op + ")", sides, 0, 0);
}

Term Generator::selector(unsigned depth) {
  if (random.percent(12))
    return leaf(Type::Selector);
  unsigned choice = depth == 0 ? random.below(8) : random.below(20);
  unsigned below = depth == 0 ? 0 : depth - 1;
  Term result;
  if (choice < 8) {
    result = elementarySelector(below);
  } else if (choice < 10) {
    result = uniqueSelector(below);
  } else if (choice < 12) {
    result = map(Type::Selector, "(not $0)", {selector(below)}, 0, 0);
  } else {
    Terms parts = {selector(below), selector(below)};
    result = map(Type::Selector,
                 random.of({"($0 and $1)", "($0 and $1)", "($0 or $1)"}), parts,
                 0, 0);
  }
  // Selectors are no sources; what they compare has been counted before.
  result.sources.clear();
  result.size = 1;
  return result;
}

/// At most one key for each query.
Term Generator::uniqueSelector(unsigned depth) {
  unsigned below = depth == 0 ? 0 : depth - 1;
  auto makeSelector = [&](std::string pattern, const Terms &operands) {
    Term term = map(Type::Selector, std::move(pattern), operands, 0, 0);
    term.sources.clear();
    term.size = 1;
    return term;
  };
  switch (random.below(10)) {
  case 0:
    return makeSelector("select((indices + $0), indices, ==)",
                        {atom(Type::Int)});
  case 1:
    return makeSelector("select(indices, $0, ==)", {number(below)});
  case 2:
  case 3: {
    Term value = anything(below);
    Term sought = atom(value.type());
    return makeSelector(
        random.of({"select_from_first($0, $1)", "select_from_last($0, $1)"}),
        {value, sought});
  }
  case 4:
    return makeSelector("select_next_identical($0)", {anything(below)});
  case 5:
    return makeSelector("(select(indices, $0, ==) and $1)",
                        {sop(Type::Int, below), selector(below)});
  default:
    return makeSelector("select(indices, $0, ==)", {sop(Type::Int, below)});
  }
}
