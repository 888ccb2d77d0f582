//===- backend/Counts.cpp - widths as sums --------------------------------===//
//
// Where only the number of selected keys is read, alternatives need no table of
// their combinations:
//
//   width(A or B) = width(A) + width(B) - width(A and B)
//   width(not A)  = width(all) - width(A)
//
// Conjunctions cost no product, since their scores add up; each term is a head
// whose count hidden units make a number, and the width is a view of those
// numbers. `all` is the number of keys that the mask leaves to the query.
//
//===----------------------------------------------------------------------===//

#include "backend/FormulaSimplify.h"
#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Node;

/// Terms beyond which a table of combinations is the smaller evil.
static constexpr size_t maxCounts = 7;

/// The formula as an `or` of conjunctions; none if those are many.
static std::optional<std::vector<Formula>>
alternativesOf(const Formula &formula) {
  constexpr size_t maxAlternatives = 3;
  std::vector<Formula> result;
  if (formula.kind == Formula::Or) {
    for (const Formula &part : formula.parts) {
      auto inner = alternativesOf(part);
      if (!inner || result.size() + inner->size() > maxAlternatives)
        return std::nullopt;
      llvm::append_range(result, *inner);
    }
    return result;
  }
  if (formula.kind != Formula::And)
    return std::vector{formula};
  result.push_back(join(Formula::And, {}));
  for (const Formula &part : formula.parts) {
    auto inner = alternativesOf(part);
    if (!inner || result.size() * inner->size() > maxAlternatives)
      return std::nullopt;
    std::vector<Formula> next;
    for (const Formula &before : result)
      for (const Formula &alternative : *inner)
        next.push_back(join(Formula::And, {before, alternative}));
    result = std::move(next);
  }
  return result;
}

std::vector<Lowering::Count> Lowering::countsOf(const Node *width) {
  std::optional<Formula> made =
      makeFormula(width->operand(0), sets.selectors());
  if (!made)
    return {};
  FormulaRelations relations(sets);
  FormulaSimplifier simplifier(relations);
  Formula formula = simplifier.simplify(std::move(*made));
  auto needsProduct = [&](const Formula &f) {
    if (f.kind != Formula::And)
      return disjunctionSize(f) > 0;
    return llvm::any_of(f.parts, [&](const Formula &part) {
      return disjunctionSize(part) > 0;
    });
  };
  Scores unused;
  if (!needsProduct(distributed(formula, unused)))
    return {};

  auto inclusionExclusion = [&](const Formula &whole, double sign,
                                std::vector<Count> &counts) {
    auto alternatives = alternativesOf(whole);
    if (!alternatives)
      return false;
    for (unsigned members = 1; members < 1u << alternatives->size();
         ++members) {
      std::vector<Formula> chosen;
      for (unsigned i = 0; i < alternatives->size(); ++i)
        if (members >> i & 1)
          chosen.push_back((*alternatives)[i]);
      double own = chosen.size() % 2 ? sign : -sign;
      Formula both = simplifier.simplify(join(Formula::And, std::move(chosen)));
      if (both.kind == Formula::False)
        continue;
      if (needsProduct(both))
        return false;
      auto same = llvm::find_if(
          counts, [&](const Count &count) { return count.formula == both; });
      if (same == counts.end())
        counts.push_back({both, own});
      else
        same->sign += own;
    }
    llvm::erase_if(counts, [](const Count &count) { return count.sign == 0; });
    return counts.size() <= maxCounts;
  };
  std::vector<Count> counts, complement{{Formula(), 1}};
  bool direct = inclusionExclusion(formula, 1, counts);
  bool opposite =
      inclusionExclusion(simplifier.simplify(negate(formula)), -1, complement);
  if (direct && (!opposite || counts.size() <= complement.size()))
    return counts;
  return opposite ? complement : std::vector<Count>();
}

View Lowering::viewOfCount(const Formula &formula, const Node *width) {
  auto found = llvm::find_if(
      counted, [&](const auto &entry) { return entry.first == formula; });
  if (found != counted.end())
    return found->second;
  auto patternWith = [&](Ties ties) {
    Scores scores;
    scores.remark("inclusion-exclusion");
    return makePattern(formula, std::move(scores), width->operand(0),
                       ir::SelectorFacts(), BosMode::Counted, ties);
  };
  Pattern pattern = patternWith(Ties::None);
  if (!failed && (pattern.weightError > 0 || pattern.tooNoisy > 0))
    pattern = patternWith(Ties::Exact);
  makeWhole(pattern.steps);
  checkNoise(pattern);
  if (failed)
    return View();
  Naming naming{width, " of part " + std::to_string(counted.size())};
  double high = sets.domain().maxSeqLen;
  auto part = static_cast<unsigned>(counted.size()) + 1;
  View share = View::of(moveShareOfBos(pattern, naming, 0, high, part));
  std::vector<double> numbers;
  for (unsigned w = 0; w <= sets.domain().maxSeqLen; ++w)
    numbers.push_back(w);
  Reading reading = read(share);
  Profile profile = makeWidthProfile(numbers, 0, reading.error / reading.high,
                                     options.unitRoundoff);
  naming.label = "part " + std::to_string(counted.size());
  naming.joint = jointOfPart(width, part);
  View view = emitProfile(share, profile, naming, 0, high, "a count");
  counted.emplace_back(formula, view);
  return view;
}
