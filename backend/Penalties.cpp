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

/// Holds a hidden unit down at BOS, so that no correction with a rounded
/// constant is needed there.
static View offAtBos(const Circuit &circuit, View input) {
  double value = atBos(circuit, input);
  if (value > -1)
    input +=
        View::of(Circuit::bos, -std::exp2(std::ceil(std::log2(value + 2))));
  return input;
}

/// Whether `view` is exactly 0 wherever it should be.
static bool isExactZero(const Circuit &circuit, const View &view) {
  return view.constant == 0 && llvm::all_of(view.terms, [&](const Term &term) {
           const Direction &dir = circuit[term.dir];
           return term.weight > 0 && dir.low >= 0 &&
                  ((dir.exactZero && dir.atBos == 0) || dir.error == 0);
         });
}

View Lowering::exactIndicator(const Node *sop, const std::vector<bool> &isIn,
                              llvm::StringRef label) {
  auto [memo, isNew] = exactIndicators.try_emplace({sop, isIn});
  if (!isNew)
    return memo->second;
  View &result = memo->second;
  const ir::NodeValues &values = sets.of(sop);
  std::vector<double> numbers(isIn.begin(), isIn.end());
  if (llvm::all_equal(numbers))
    return result = View::ofConstant(numbers.empty() ? 0 : numbers[0]);

  // Sources without errors give exact views.
  bool inexact = llvm::any_of(values.table.sources, [&](Source source) {
    Access access = stateOf(source).access;
    return access == Access::Mean || access == Access::Width ||
           access == Access::Derived;
  });
  if (!inexact && values.hasTable) {
    View view = functionOf(sop, numbers, label);
    if (failed || read(view).error == 0 || isExactZero(circuit, view))
      return result = view;
  }

  // An up-set or down-set of numbers along a coordinate that is in the stream:
  // the scalar of the head, if the s-op is monotone in it, or its own.
  bool numeric = llvm::all_of(
      values.values, [](const ir::Value &value) { return value.isNumeric(); });
  if (numeric) {
    View coordinate;
    std::vector<std::pair<double, bool>> points;
    const ir::JointTable &table = values.table;
    if (table.sources.size() == 1 && isRaw(table.sources[0])) {
      SourceState &state = stateOf(table.sources[0]);
      coordinate = rawView(state);
      std::vector<double> axis = rawCoordinates(state);
      for (size_t v = 0; v < axis.size(); ++v)
        if (table.entries[v] != ir::JointTable::impossible)
          points.emplace_back(axis[v],
                              isIn[static_cast<size_t>(table.entries[v])]);
    } else {
      coordinate = scalarOf(sop);
      for (size_t v = 0; v < isIn.size(); ++v)
        points.emplace_back(values.values[v].toDouble(), isIn[v]);
    }
    if (failed)
      return View();
    llvm::sort(points);
    size_t changes = 0, at = 0;
    for (size_t i = 0; i + 1 < points.size(); ++i)
      if (points[i].second != points[i + 1].second) {
        ++changes;
        at = i;
      }
    if (changes == 1) {
      double off = points[at].first, on = points[at + 1].first;
      if (points[at].second)
        std::swap(off, on);
      // 1 at the nearest point of the set, -1 at the nearest outside.
      double slope = 2 / (on - off), middle = (on + off) / 2;
      double error =
          std::fabs(slope) * (read(coordinate).error +
                              8 * options.unitRoundoff *
                                  std::max({std::fabs(on), std::fabs(off),
                                            std::fabs(points.front().first),
                                            std::fabs(points.back().first)}));
      if (error < 0.5) {
        // A little steeper, so that it is 1 at least despite the error.
        slope *= 2;
        // Between 1/(c+1) and 1/(c+2) both are integers but for rounding.
        double integer = std::nearbyint(slope);
        if (std::fabs(slope - integer) < 1e-9 * std::fabs(slope))
          slope = integer;
        double offset = -slope * middle;
        integer = std::nearbyint(offset);
        if (std::fabs(offset - integer) < 1e-9 * std::fabs(offset))
          offset = integer;
        View input = coordinate * slope;
        input.constant += offset;
        DirId dir = newMlpDirection(Naming{sop, label.str()});
        addNeuron(offAtBos(circuit, input), dir, 1);
        double end =
            points[at].second ? points.front().first : points.back().first;
        finishMlpDirection(dir, 0, slope * (end - middle), 2 * error);
        circuit[dir].exactZero = true;
        return result = View::of(dir);
      }
    }
  }

  View view = functionOf(sop, numbers, label);
  if (failed || isExactZero(circuit, view))
    return result = view;
  Reading reading = read(view);
  if (reading.error == 0)
    return result = view;
  if (reading.error > 0.2) {
    diags.emit(rangeOf(sop), ir::diag::TooNoisy, spaceName(sop), reading.error);
    failed = true;
    return View();
  }
  // One more unit: 4v - 2 is at least 1 on the set and negative off it.
  View input = view * 4;
  input.constant -= 2;
  DirId dir = newMlpDirection(Naming{sop, label.str()});
  addNeuron(offAtBos(circuit, input), dir, 1);
  finishMlpDirection(dir, 0, 2, 4 * reading.error);
  circuit[dir].exactZero = true;
  return result = View::of(dir);
}

bool Lowering::addPenalties(const Formula &formula, Scores &scores) {
  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  auto isConstant = [](const Node *node) {
    return node->kind() == OpKind::Const;
  };
  const Node *key = comparisons[0]->key(), *query = comparisons[0]->query();
  for (const Formula *comparison : comparisons) {
    if (isConstant(key))
      key = comparison->key();
    if (isConstant(query))
      query = comparison->query();
  }
  for (const Formula *comparison : comparisons)
    if ((comparison->key() != key && !isConstant(comparison->key())) ||
        (comparison->query() != query && !isConstant(comparison->query()))) {
      diags.emit(rangeOf(comparison->select), ir::diag::SelectorTooNoisy,
                 "selector", 1e-6);
      failed = true;
      return false;
    }

  auto valuesOf = [&](const Node *node) -> llvm::ArrayRef<ir::Value> {
    return sets.of(node).values;
  };
  llvm::ArrayRef<ir::Value> keys = valuesOf(key), queries = valuesOf(query);
  auto penalise = [&](const std::vector<bool> &keySet,
                      const std::vector<bool> &querySet,
                      llvm::StringRef keyLabel, llvm::StringRef queryLabel) {
    auto any = [](const std::vector<bool> &set) {
      return llvm::is_contained(set, true);
    };
    if (!any(keySet) || !any(querySet))
      return;
    View a = exactIndicator(key, keySet, keyLabel);
    View b = exactIndicator(query, querySet, queryLabel);
    if (failed)
      return;
    scores.terms.push_back({zeroAtBos(a), zeroAtBos(b * -1)});
    // A pair of which one view is 0 scores exactly 0, whatever the other is:
    // errors matter only below -1, where there is room.
    scores.error =
        std::max(scores.error, std::min(0.2, read(a).error + read(b).error));
  };

  bool numeric = !isConstant(key) && !isConstant(query) &&
                 llvm::all_of(keys, [](auto &v) { return v.isNumeric(); }) &&
                 llvm::all_of(queries, [](auto &v) { return v.isNumeric(); });
  ir::CompareOp op = comparisons[0]->select->compare();
  bool negated = comparisons[0]->negated;
  bool equality = (op == ir::CompareOp::Eq && !negated) ||
                  (op == ir::CompareOp::Ne && negated);
  bool order = op != ir::CompareOp::Eq && op != ir::CompareOp::Ne;
  if (numeric && comparisons.size() == 1 && (equality || order)) {
    std::vector<double> cuts;
    for (const ir::Value &value : keys)
      cuts.push_back(value.toDouble());
    for (const ir::Value &value : queries)
      cuts.push_back(value.toDouble());
    llvm::sort(cuts);
    cuts.erase(llvm::unique(cuts), cuts.end());
    // Rectangles over the relation "key above query": strictly, or not.
    auto penaliseAbove = [&](bool above, bool strictly) {
      std::vector<bool> lastKeys, lastQueries;
      for (double cut : cuts) {
        std::vector<bool> keySet, querySet;
        for (const ir::Value &value : keys) {
          double k = value.toDouble();
          keySet.push_back(above ? (strictly ? k > cut : k >= cut)
                                 : (strictly ? k < cut : k <= cut));
        }
        for (const ir::Value &value : queries) {
          double q = value.toDouble();
          querySet.push_back(above ? q <= cut : q >= cut);
        }
        if (keySet == lastKeys && querySet == lastQueries)
          continue;
        lastKeys = keySet;
        lastQueries = querySet;
        std::string shown = ir::Value::real(cut).display();
        llvm::StringRef text = shown;
        text.consume_back(".0");
        penalise(keySet, querySet,
                 std::string(above ? (strictly ? ">" : ">=")
                                   : (strictly ? "<" : "<=")) +
                     text.str(),
                 std::string(above ? "<=" : ">=") + text.str());
      }
    };
    using ir::CompareOp;
    // What is penalised is the opposite of the comparison.
    if (equality) {
      penaliseAbove(true, true);
      penaliseAbove(false, true);
    } else if ((op == CompareOp::Lt && !negated) ||
               (op == CompareOp::Ge && negated)) {
      penaliseAbove(true, false);
    } else if ((op == CompareOp::Le && !negated) ||
               (op == CompareOp::Gt && negated)) {
      penaliseAbove(true, true);
    } else if ((op == CompareOp::Gt && !negated) ||
               (op == CompareOp::Le && negated)) {
      penaliseAbove(false, false);
    } else {
      penaliseAbove(false, true);
    }
    scores.note("penalties");
    return !failed;
  }

  // Key classes by their rows.
  auto holds = [&](const ir::Value &k, const ir::Value &q, const Formula &part,
                   auto &self) -> bool {
    if (part.kind == Formula::Compare) {
      ir::EvalResult outcome =
          ir::compare(part.select->compare(),
                      isConstant(part.key()) ? part.key()->value() : k,
                      isConstant(part.query()) ? part.query()->value() : q);
      return outcome && outcome.value.isTruthy() != part.negated;
    }
    auto test = [&](const Formula &inner) { return self(k, q, inner, self); };
    return part.kind == Formula::And ? llvm::all_of(part.parts, test)
                                     : llvm::any_of(part.parts, test);
  };
  std::map<std::vector<bool>, std::vector<bool>> byRow;
  for (size_t k = 0; k < keys.size(); ++k) {
    std::vector<bool> bad;
    for (const ir::Value &q : queries)
      bad.push_back(!holds(keys[k], q, formula, holds));
    std::vector<bool> &members = byRow[bad];
    members.resize(keys.size());
    members[k] = true;
  }
  unsigned number = 0;
  for (auto &[bad, members] : byRow) {
    std::string label = "class" + std::to_string(number++);
    penalise(members, bad, label, "not " + label);
  }
  scores.note("penalties by key class");
  return !failed;
}
