//===- backend/Disjunctions.cpp - scores of alternatives ------------------===//
//
// A disjunction is 1 where one of its parts holds. As one table it takes the
// joint values of all operands of a side, which hidden units have to find out
// first. What avoids or lessens that, in this order:
//
// * parts of which no two hold together, each a 0/1 table of its own: their
//   scores add up to 0 or 1. Parts that may hold together share a table;
// * A or (B and C) as (A or B) and (A or C), if the largest product of operands
//   is smaller then.
//
//===----------------------------------------------------------------------===//

#include "backend/FormulaSimplify.h"
#include "backend/Lowering.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Source;

double Lowering::productSize(const Formula &formula) const {
  double largest = 0;
  FormulaOperands operands = operandsOf(formula);
  for (const NodeSet *nodes : {&operands.keys, &operands.queries}) {
    llvm::SmallSetVector<Source, 4> sources;
    bool tabular = true;
    for (const Node *node : *nodes) {
      const ir::NodeValues &values = sets.of(node);
      tabular &= values.known && values.hasTable;
      sources.insert(values.table.sources.begin(), values.table.sources.end());
    }
    if (nodes->size() > 1 && !tabular)
      return std::numeric_limits<double>::infinity();
    if (sources.size() < 2)
      continue;
    double product = 1;
    for (Source source : sources)
      product *= static_cast<double>(sets.valuesOf(source).size());
    largest = std::max(largest, product);
  }
  return largest;
}

static bool contains(const NodeSet &large, const NodeSet &small) {
  return llvm::all_of(small,
                      [&](const Node *node) { return large.contains(node); });
}

/// Whether a table of both is no larger than that of one of them.
static bool shareTable(const Formula &a, const Formula &b) {
  FormulaOperands ofA = operandsOf(a), ofB = operandsOf(b);
  auto covers = [](const FormulaOperands &large, const FormulaOperands &small) {
    return contains(large.keys, small.keys) &&
           contains(large.queries, small.queries);
  };
  return covers(ofA, ofB) || covers(ofB, ofA);
}

std::vector<Formula> Lowering::disjointParts(const Formula &disjunction) {
  const std::vector<Formula> &parts = disjunction.parts;
  // Whether parts exclude each other is asked of each pair.
  constexpr size_t maxParts = 64;
  if (parts.size() > maxParts)
    return {disjunction};
  FormulaRelations relations(sets);
  llvm::IntEqClasses classes(static_cast<unsigned>(parts.size()));
  for (unsigned i = 0; i < parts.size(); ++i)
    for (unsigned j = i + 1; j < parts.size(); ++j)
      if (classes.findLeader(i) != classes.findLeader(j) &&
          (shareTable(parts[i], parts[j]) ||
           !relations.exclude(parts[i], parts[j])))
        classes.join(i, j);
  classes.compress();
  std::vector<std::vector<Formula>> groups(classes.getNumClasses());
  for (unsigned i = 0; i < parts.size(); ++i)
    groups[classes[i]].push_back(parts[i]);
  std::vector<Formula> result;
  for (std::vector<Formula> &group : groups)
    result.push_back(join(Formula::Or, std::move(group)));
  return result;
}

double Lowering::disjunctionSize(const Formula &formula) {
  double whole = productSize(formula), largest = 0;
  if (formula.kind != Formula::Or || whole == 0)
    return whole;
  for (const Formula &part : disjointParts(formula))
    largest = std::max(largest, productSize(part));
  return std::min(whole, largest);
}

Formula Lowering::distributed(Formula formula, Scores &scores) {
  double size = disjunctionSize(formula);
  if (formula.kind != Formula::Or || size == 0 || failed)
    return formula;
  for (size_t p = 0; p < formula.parts.size(); ++p) {
    const Formula &conjunction = formula.parts[p];
    constexpr size_t maxConjuncts = 8;
    if (conjunction.kind != Formula::And ||
        conjunction.parts.size() > maxConjuncts)
      continue;
    std::vector<Formula> conjuncts;
    double largest = 0;
    for (const Formula &conjunct : conjunction.parts) {
      std::vector<Formula> parts = formula.parts;
      parts[p] = conjunct;
      FormulaRelations relations(sets);
      Formula part = FormulaSimplifier(relations).simplify(
          join(Formula::Or, std::move(parts)));
      largest = std::max(largest, disjunctionSize(part));
      conjuncts.push_back(std::move(part));
    }
    if (largest >= size)
      continue;
    scores.remark("`or` distributed over `and`");
    for (Formula &conjunct : conjuncts)
      conjunct = distributed(std::move(conjunct), scores);
    return join(Formula::And, std::move(conjuncts));
  }
  return formula;
}

/// "12 joint values"; a product that is no table has none.
static std::string jointValues(double count) {
  return std::isfinite(count)
             ? ir::counted(static_cast<uint64_t>(count), "joint value")
             : "too many joint values";
}

bool Lowering::addDisjunction(const Formula &formula, Scores &scores) {
  double whole = productSize(formula);
  if (whole == 0 || disjunctionSize(formula) >= whole)
    return addTabular(formula, scores);
  std::string text;
  unsigned disjunct = 0;
  for (const Formula &part : disjointParts(formula)) {
    Scores own;
    if (!addTabular(part, own))
      return false;
    for (ScoreTerm &term : own.terms) {
      term.disjunct = disjunct;
      scores.terms.push_back(std::move(term));
    }
    scores.error += own.error;
    llvm::append_range(scores.told, own.told);
    text += (disjunct++ ? " + " : "disjoint or: ") + own.construction;
  }
  scores.note(text);
  if (options.remarks) {
    double largest = disjunctionSize(formula);
    remark(scores, ir::diag::AlternativesApart,
           ir::counted(disjunct, "group") + " of alternatives",
           largest > 0 ? "with " + jointValues(largest) + " at most"
                       : "without joint values",
           jointValues(whole));
  }
  return true;
}
