//===- backend/FormulaRelations.cpp - what follows from what --------------===//

#include "backend/FormulaRelations.h"
#include "backend/SelectorTable.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Source;

bool rasp::backend::sameOperands(const Formula &a, const Formula &b) {
  return a.kind == Formula::Compare && b.kind == Formula::Compare &&
         a.key == b.key && a.query == b.query;
}

using SourceSet = llvm::SmallSetVector<Source, 4>;

static SourceSet sourcesOf(const NodeSet &nodes, const ir::ValueSets &sets) {
  SourceSet sources;
  for (const ir::Node *node : nodes)
    sources.insert(sets.of(node).table.sources.begin(),
                   sets.of(node).table.sources.end());
  return sources;
}

/// Whether the values of some s-ops can restrict each other.
static bool related(const NodeSet &a, const NodeSet &b,
                    const ir::ValueSets &sets) {
  SourceSet ofB = sourcesOf(b, sets);
  return llvm::any_of(sourcesOf(a, sets),
                      [&](Source source) { return ofB.contains(source); });
}

bool FormulaRelations::exclude(const Formula &a, const Formula &b) {
  if (a.kind == Formula::False || b.kind == Formula::False)
    return true;
  if (a.kind == Formula::True || b.kind == Formula::True)
    return false;
  if (sameOperands(a, b))
    return joinComparisons(Formula::And, a, b).kind == Formula::False;
  for (const auto &[whole, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    auto excludesOther = [&, other = other](const Formula &part) {
      return exclude(part, *other);
    };
    if (whole->kind == Formula::Or)
      return llvm::all_of(whole->parts, excludesOther);
    if (whole->kind == Formula::And &&
        llvm::any_of(whole->parts, excludesOther))
      return true;
  }
  // What depends on nothing in common can hold together.
  FormulaOperands ofA = operandsOf(a), ofB = operandsOf(b);
  if (!related(ofA.keys, ofB.keys, sets) &&
      !related(ofA.queries, ofB.queries, sets))
    return false;
  Formula both;
  both.kind = Formula::And;
  both.parts = {a, b};
  return neverHolds(both);
}

bool FormulaRelations::implies(const Formula &a, const Formula &b) {
  return exclude(a, negate(b));
}

bool FormulaRelations::alwaysTrue(const Formula &comparison) {
  return sets.selectors()
             .factsOf(comparison.key, comparison.query, comparison.op)
             .alwaysTrue ||
         neverHolds(negate(comparison));
}

bool FormulaRelations::alwaysFalse(const Formula &comparison) {
  return sets.selectors()
             .factsOf(comparison.key, comparison.query, comparison.op)
             .alwaysFalse ||
         neverHolds(comparison);
}

bool FormulaRelations::neverHolds(const Formula &formula) {
  if (tries == 0)
    return false;
  --tries;
  constexpr double maxPairs = 1 << 14;
  return backend::neverHolds(formula, sets, maxPairs);
}
