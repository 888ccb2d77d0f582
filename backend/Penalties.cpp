//===- backend/Penalties.cpp - exact scores of inexact values -------------===//
//
// Logits are 256 times the scores, so selected keys whose scores differ by
// rounding get visibly different weights. Where the compared values come out
// of an MLP or a mean, a conjunct is therefore written as a penalty:
//
//   score = - sum over r of A_r(key) * B_r(query)
//
// where every pair that is not selected lies in a rectangle A_r x B_r, no
// selected pair does, and the views A_r and B_r are exactly 0 off their sets:
// no hidden unit is active there. Selected keys score exactly 0, others at most
// -1; rectangles may overlap.
//
// For an order the sets are up-sets and down-sets, one hidden unit each:
// k >= q holds iff some c has k >= c and c >= q. For equality both k > q and
// k < q are penalised. Other tables take one rectangle per class of keys.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

/// Whether `view` is exactly 0 wherever it should be.
static bool isExactZero(const Circuit &circuit, const View &view) {
  return view.constant == 0 && llvm::all_of(view.terms, [&](const Term &term) {
           const Direction &dir = circuit[term.dir];
           return term.weight > 0 && dir.low >= 0 &&
                  ((dir.exactZero && dir.atBos == 0) || dir.error == 0);
         });
}

std::optional<Lowering::ExactSet>
Lowering::exactThreshold(const Node *sop, const std::vector<bool> &isIn) {
  StepCode &code = stepCodeOf(sop);
  if (failed || !code.values)
    return std::nullopt;
  const auto &points = code.values->points;
  size_t changes = 0, at = 0;
  for (size_t i = 1; i < points.size(); ++i)
    if (isIn[points[i - 1].second] != isIn[points[i].second]) {
      ++changes;
      at = i;
    }
  if (changes != 1 || points[at - 1].first == points[at].first)
    return std::nullopt;
  const StepDirection *step = stepAt(sop, at, isIn[points[at].second]);
  if (!step)
    return std::nullopt;
  // Also if it becomes a whole step.
  constexpr double atLeast = 0.99;
  return ExactSet{View::of(step->dir), atLeast};
}

Lowering::ExactSet Lowering::exactIndicator(const SelectorSide &side,
                                            const std::vector<bool> &isIn,
                                            llvm::StringRef label) {
  auto [memo, isNew] = exactSets.try_emplace({side.nodes, isIn});
  ExactSet &result = memo->second;
  if (!isNew)
    return result;
  if (!llvm::is_contained(isIn, false)) {
    result.view = View::ofConstant(1);
    return result;
  }
  bool single = side.nodes.size() == 1;
  if (single && isInexact(side.nodes[0]))
    if (auto threshold = exactThreshold(side.nodes[0], isIn))
      return result = *threshold;
  if (failed)
    return result;

  View view = sideIndicator(side, isIn, label);
  if (failed)
    return result;
  double error = read(view).error;
  if (error > 0.1) {
    refuseNoise(side.nodes[0], error, 0.1, view);
    return result;
  }
  if (error == 0 || isExactZero(circuit, view)) {
    result = {view, 1 - error};
    return result;
  }
  // One more unit: 4v - 2 is at least 1.6 on the set and negative off it.
  View input = view * 4;
  input.constant -= 2;
  double rounded = 4 * error + static_cast<double>(input.terms.size() + 2) *
                                   options.unitRoundoff * 6;
  DirId dir = newMlpDirection(Naming{side.nodes[0], label.str(), jointOf(side)},
                              "clean 0/1 code");
  addNeuron(input, dir, 1);
  finishMlpDirection(dir, 0, 2, rounded, 0);
  circuit[dir].exactZero = true;
  circuit[dir].inputError = error;
  circuit[dir].inputTolerance = 0.1;
  result = {View::of(dir), 2 - rounded};
  return result;
}

void Lowering::penalise(const SelectorTable &table,
                        const std::vector<bool> &keySet,
                        const std::vector<bool> &querySet,
                        llvm::StringRef keyLabel, llvm::StringRef queryLabel,
                        Scores &scores) {
  if (!llvm::is_contained(keySet, true) ||
      !llvm::is_contained(querySet, true) || failed)
    return;
  auto indicator = [&](const SelectorSide &side, const std::vector<bool> &set,
                       llvm::StringRef label) {
    return side.nodes.empty() ? ExactSet{View::ofConstant(1)}
                              : exactIndicator(side, set, label);
  };
  ExactSet a = indicator(table.keys, keySet, keyLabel);
  ExactSet b = indicator(table.queries, querySet, queryLabel);
  if (failed)
    return;
  scores.terms.push_back({zeroAtBos(a.view), zeroAtBos(b.view * -1)});
  // Selected pairs score exactly 0; errors matter for the others alone.
  scores.error = std::max(scores.error, 1 - a.atLeast * b.atLeast);
}

bool Lowering::addOrderPenalties(const Formula &comparison,
                                 const SelectorTable &table, Scores &scores) {
  const ir::NodeValues &keys = sets.of(comparison.key);
  const ir::NodeValues &queries = sets.of(comparison.query);
  if (comparison.key->kind() == OpKind::Const ||
      comparison.query->kind() == OpKind::Const || !keys.numeric ||
      !queries.numeric)
    return false;
  using ir::CompareOp;
  CompareOp op = comparison.op;
  if (op == CompareOp::Ne)
    return false;
  std::vector<double> cuts;
  for (const ir::NodeValues *values : {&keys, &queries})
    for (const ir::Value &value : values->values)
      cuts.push_back(value.toDouble());
  llvm::sort(cuts);
  cuts.erase(llvm::unique(cuts), cuts.end());
  // Penalises all pairs with the key above (or below) the query: a rectangle
  // for each cut, but none that lies in another, so that values are told apart
  // only where a value of the other side lies between them.
  struct Rectangle {
    double cut;
    std::vector<bool> keySet, querySet;
    bool isEmpty() const {
      return !llvm::is_contained(keySet, true) ||
             !llvm::is_contained(querySet, true);
    }
  };
  auto penaliseSide = [&](bool above, bool strictly) {
    std::vector<Rectangle> rectangles;
    for (double cut : cuts) {
      Rectangle next{cut, {}, {}};
      for (const ir::Value &value : keys.values) {
        double k = value.toDouble();
        next.keySet.push_back(above ? (strictly ? k > cut : k >= cut)
                                    : (strictly ? k < cut : k <= cut));
      }
      for (const ir::Value &value : queries.values) {
        double q = value.toDouble();
        next.querySet.push_back(above ? q <= cut : q >= cut);
      }
      if (next.isEmpty())
        continue;
      // From cut to cut one set shrinks and the other grows.
      const std::vector<bool> &growing = above ? next.querySet : next.keySet;
      const std::vector<bool> &shrinking = above ? next.keySet : next.querySet;
      if (!rectangles.empty()) {
        Rectangle &last = rectangles.back();
        if ((above ? last.querySet : last.keySet) == growing)
          continue;
        if ((above ? last.keySet : last.querySet) == shrinking) {
          last = std::move(next);
          continue;
        }
      }
      rectangles.push_back(std::move(next));
    }
    for (const Rectangle &rectangle : rectangles) {
      std::string text = ir::Value::real(rectangle.cut).display();
      if (llvm::StringRef(text).ends_with(".0"))
        text.resize(text.size() - 2);
      std::string keyLabel = above ? ">" : "<";
      penalise(table, rectangle.keySet, rectangle.querySet,
               keyLabel + (strictly ? "" : "=") + text,
               (above ? "<=" : ">=") + text, scores);
    }
  };
  // What is penalised is the opposite of the comparison.
  switch (op) {
  case CompareOp::Eq:
    penaliseSide(true, true);
    penaliseSide(false, true);
    break;
  case CompareOp::Lt:
    penaliseSide(true, false);
    break;
  case CompareOp::Le:
    penaliseSide(true, true);
    break;
  case CompareOp::Gt:
    penaliseSide(false, false);
    break;
  case CompareOp::Ge:
    penaliseSide(false, true);
    break;
  case CompareOp::Ne:
    break;
  }
  scores.note("penalties of an order");
  return true;
}

bool Lowering::addPenalties(const Formula &formula, Scores &scores) {
  std::optional<SelectorTable> table = selectorTable(formula);
  if (!table)
    return false;
  if (formula.kind == Formula::Compare &&
      addOrderPenalties(formula, *table, scores))
    return !failed;
  bool byKeyClass =
      table->keyClasses.rows.size() <= table->queryClasses.rows.size();
  const TupleClasses &classes =
      byKeyClass ? table->keyClasses : table->queryClasses;
  for (size_t c = 0; c < classes.rows.size() && !failed; ++c) {
    std::vector<bool> members = classes.members(c), bad = classes.rows[c];
    bad.flip();
    std::string name = "class" + std::to_string(c);
    if (byKeyClass)
      penalise(*table, members, bad, name, "not " + name, scores);
    else
      penalise(*table, bad, members, "not " + name, name, scores);
  }
  scores.note("penalties by class");
  return !failed;
}

bool Lowering::addPenaltyConjunct(const Formula &formula, Scores &scores,
                                  double &largestError,
                                  llvm::StringRef reason) {
  Scores penalties;
  if (!addPenalties(formula, penalties))
    return false;
  if (options.remarks)
    remark(scores, ir::diag::ByPenalties, penalties.terms.size(), reason.str());
  scores.addConjunct(std::move(penalties.terms), 0, 0);
  largestError = std::max(largestError, penalties.error);
  scores.note(penalties.construction);
  return true;
}
