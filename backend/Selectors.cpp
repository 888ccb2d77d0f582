//===- backend/Selectors.cpp - scores of selectors ------------------------===//
//
// Every conjunct of a selector contributes a score that is 1 where it holds and
// at most 0 elsewhere; m conjuncts score m where all hold and at most m - 1
// elsewhere. A conjunct is
//
// * tabular: a 0/1 table of key classes against query classes, whose rank is
//   the number of distinct non-zero rows or columns; over the joint values of
//   the operands where several are compared. Disjunctions.cpp says how those
//   are avoided;
// * an equality of values of any kind that are exact, by numbers that they
//   get (IdEquality.cpp);
// * an equality of integers as scalars: 1 - (k - q)^2, rank 3. Alone and never
//   empty, 2kq - k^2 is enough, since softmax ignores what depends on the query
//   alone. Keys and queries are shifted to be at least 1, so that the score of
//   the selected key is at least 1 and BOS, at 0, needs no term of its own;
// * an equality of numbers with errors, by codes that nearly have none
//   (StepCodes.cpp), or a penalty (Penalties.cpp);
// * an order or an equality of numbers, by codes that grow geometrically
//   (GeometricCodes.cpp).
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

void Lowering::Scores::addConjunct(std::vector<ScoreTerm> conjunct,
                                   double score, double size) {
  auto index = static_cast<unsigned>(conjunctScores.size());
  for (ScoreTerm &term : conjunct) {
    term.conjunct = index;
    terms.push_back(std::move(term));
  }
  conjunctScores.push_back(score);
  selected += score;
  magnitude += size;
}

void Lowering::Scores::mergeTerms() {
  std::vector<ScoreTerm> merged;
  std::vector<unsigned> owner(conjunctScores.size());
  std::iota(owner.begin(), owner.end(), 0);
  for (ScoreTerm &term : terms) {
    // Sums of exact numbers stay exact; a penalty among them would not.
    bool isPenalty = conjunctScores[term.conjunct] == 0;
    auto same = llvm::find_if(merged, [&](const ScoreTerm &other) {
      return (conjunctScores[other.conjunct] == 0) == isPenalty &&
             (other.key == term.key || other.query == term.query);
    });
    if (same == merged.end()) {
      merged.push_back(std::move(term));
      continue;
    }
    if (same->query == term.query)
      same->key += term.key;
    else
      same->query += term.query;
    unsigned kept = owner[same->conjunct], gone = owner[term.conjunct];
    if (gone < kept)
      std::swap(kept, gone);
    std::replace(owner.begin(), owner.end(), gone, kept);
  }
  terms = std::move(merged);
  // Conjuncts that share a term are one.
  std::vector<double> sums;
  std::vector<unsigned> renumbered(owner.size());
  for (unsigned i = 0; i < owner.size(); ++i) {
    if (owner[i] == i) {
      renumbered[i] = static_cast<unsigned>(sums.size());
      sums.push_back(0);
    }
    sums[renumbered[owner[i]]] += conjunctScores[i];
  }
  for (ScoreTerm &term : terms)
    term.conjunct = renumbered[owner[term.conjunct]];
  conjunctScores = std::move(sums);
}

std::optional<SelectorTable> Lowering::selectorTable(const Formula &formula) {
  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  for (const Formula *comparison : comparisons)
    for (const Node *node : {comparison->key, comparison->query})
      if (!requireValues(node, "a comparison in a selector"))
        return std::nullopt;
  std::optional<SelectorTable> table = tabulate(formula, sets);
  if (!table) {
    refuse(comparisons[0]->select, ir::diag::SelectorTooLarge);
    llvm::SmallVector<const Node *> shown;
    for (const Formula *comparison : comparisons)
      for (const Node *node : {comparison->key, comparison->query})
        if (node->kind() != OpKind::Const && shown.size() < 8 &&
            !llvm::is_contained(shown, node)) {
          shown.push_back(node);
          diags.emit(rangeOf(node), ir::diag::ComparedValues, spaceName(node),
                     ir::counted(sets.of(node).values.size(), "value"));
        }
  }
  return table;
}

View Lowering::sideIndicator(const SelectorSide &side,
                             const std::vector<bool> &isTrue,
                             llvm::StringRef label) {
  if (side.nodes.empty())
    return View::ofConstant(isTrue[0]);
  std::vector<double> numbers(isTrue.begin(), isTrue.end());
  if (side.nodes.size() == 1)
    return functionOf(side.nodes[0], numbers, label);
  FunctionTable table;
  table.sources.assign(side.sources.begin(), side.sources.end());
  table.sizes.assign(side.sizes.begin(), side.sizes.end());
  for (int32_t tuple : side.tupleOfEntry)
    table.entries.push_back(tuple < 0 ? anyNumber
                                      : numbers[static_cast<size_t>(tuple)]);
  Naming naming{side.nodes[0], label.str()};
  naming.reader = scored;
  return realize(std::move(table), {}, naming);
}

bool Lowering::addTabular(const Formula &formula, Scores &scores) {
  std::optional<SelectorTable> table = selectorTable(formula);
  if (!table)
    return false;
  // Many classes of one source: its one-hot directions serve all of them.
  auto prepare = [&](const SelectorSide &side, size_t classes) {
    if (side.nodes.size() != 1 || classes <= 2)
      return;
    const ir::NodeValues &values = sets.of(side.nodes[0]);
    if (values.table.sources.size() == 1 &&
        classes + 1 >= values.table.sizes[0])
      makeOneHot(values.table.sources[0], "a selector", classes);
  };
  prepare(table->keys, table->keyClasses.rows.size());
  prepare(table->queries, table->queryClasses.rows.size());
  if (failed)
    return false;

  size_t keyRank = table->keyClasses.rank();
  size_t queryRank = table->queryClasses.rank();
  bool byKeyClass = keyRank <= queryRank;
  const TupleClasses &classes =
      byKeyClass ? table->keyClasses : table->queryClasses;
  const SelectorSide &near = byKeyClass ? table->keys : table->queries;
  const SelectorSide &far = byKeyClass ? table->queries : table->keys;
  // Of a pair's products, one has the class that the near side is in: there
  // the far view's error counts. The others should be 0: there the near view's
  // error counts wherever the far view is 1.
  std::vector<double> nearErrors(classes.rows.empty() ? 0
                                                      : classes.rows[0].size());
  double farErrors = 0, products = 0;
  for (size_t c = 0; c < classes.rows.size(); ++c) {
    const std::vector<bool> &row = classes.rows[c];
    if (!llvm::is_contained(row, true))
      continue;
    std::vector<bool> members = classes.members(c);
    View nearView = sideIndicator(near, members, near.label(members, sets));
    View farView = sideIndicator(far, row, far.label(row, sets));
    if (failed)
      return false;
    double nearError = read(nearView).error, farError = read(farView).error;
    for (size_t t = 0; t < row.size(); ++t)
      if (row[t])
        nearErrors[t] += nearError;
    farErrors = std::max(farErrors, farError);
    products += nearError * farError;
    if (!byKeyClass)
      std::swap(nearView, farView);
    scores.terms.push_back({zeroAtBos(nearView), zeroAtBos(farView)});
  }
  double worstNear = nearErrors.empty() ? 0 : *llvm::max_element(nearErrors);
  scores.error += worstNear + farErrors + products;
  if (options.remarks) {
    remark(scores, ir::diag::SelectorByTable,
           ir::counted(table->keys.tuples.size(), "key value"),
           ir::counted(table->queries.tuples.size(), "query value"),
           table->keyClasses.rows.size(), table->queryClasses.rows.size(),
           std::min(keyRank, queryRank));
    for (auto [side, sideClasses] :
         {std::pair(&table->keys, &table->keyClasses),
          std::pair(&table->queries, &table->queryClasses)})
      if (side->nodes.size() > 1)
        remark(scores, ir::diag::SelectorOfProduct, listNames(side->nodes),
               sideClasses->rows.size(), side->tupleOfEntry.size());
  }
  scores.note(std::string(byKeyClass ? "key" : "query") + " classes " +
              std::to_string(std::min(keyRank, queryRank)));
  return true;
}

/// Whether all values are integers as numbers.
static bool isIntegral(const ir::NodeValues &values) {
  return values.integral ||
         (values.known && !values.values.empty() &&
          llvm::all_of(values.values, [](const ir::Value &value) {
            return value.isNumeric() &&
                   value.toDouble() == std::floor(value.toDouble());
          }));
}

unsigned Lowering::timeOfTerms(llvm::ArrayRef<ScoreTerm> terms) const {
  unsigned time = 0;
  for (const ScoreTerm &term : terms)
    time = std::max(
        {time, timeOf(circuit, term.key), timeOf(circuit, term.query)});
  return time;
}

unsigned Lowering::earliestTable(const Formula &formula) {
  unsigned time = 0;
  for (const Node *node : {formula.key, formula.query})
    if (sets.of(node).hasTable)
      for (ir::Source source : sets.of(node).table.sources)
        if (const SourceState &state = stateOf(source); state.raw)
          time = std::max(time, timeOf(circuit, *state.raw));
  return time;
}

std::optional<unsigned> Lowering::timeOfTable(const Formula &formula) {
  // What takes longer to be made is no alternative.
  constexpr double manyPairs = 1 << 20;
  double pairs = 1;
  for (const Node *node : {formula.key, formula.query}) {
    if (!sets.of(node).known || !sets.of(node).hasTable)
      return std::nullopt;
    pairs *= static_cast<double>(sets.of(node).values.size());
  }
  Scores table;
  if (pairs > manyPairs || !addTabular(formula, table))
    return std::nullopt;
  return timeOfTerms(table.terms);
}

bool Lowering::addEquality(const Formula &comparison,
                           const ir::SelectorFacts &facts, bool alone,
                           Ties ties, Scores &scores) {
  const Node *key = comparison.key, *query = comparison.query;
  const ir::NodeValues &keyValues = sets.of(key);
  const ir::NodeValues &queryValues = sets.of(query);
  bool shifted = alone && facts.neverEmpty;
  auto refuseSquares = [&](const auto &reason) {
    if (options.remarks)
      remark(scores, ir::diag::EqualityNotBySquares, reason().str());
    return false;
  };
  // The query is read as it is where its square is not needed.
  for (const Node *side : {key, query})
    if (!isIntegral(sets.of(side)))
      return refuseSquares([&] {
        return llvm::formatv("`{0}` is not always an int", spaceName(side));
      });
  if (!keyValues.known || (!queryValues.known && !shifted))
    return refuseSquares([&] {
      return llvm::formatv("`{0}` takes too many values for squares of them",
                           spaceName(keyValues.known ? query : key));
    });
  size_t common = llvm::count_if(keyValues.values, [&](const ir::Value &k) {
    return k.toDouble() >= queryValues.low && k.toDouble() <= queryValues.high;
  });
  if (common <= 3)
    return refuseSquares([&] {
      return llvm::formatv(
          "{0} in common, of which a table has no greater rank",
          ir::counted(common, "value"));
    });
  auto squares = [&](const ir::NodeValues &values, double shift) {
    std::vector<double> result;
    for (const ir::Value &value : values.values)
      result.push_back((value.toDouble() + shift) * (value.toDouble() + shift));
    return result;
  };
  double keyReach =
      std::max(std::fabs(keyValues.low), std::fabs(keyValues.high));
  double queryReach =
      std::max(std::fabs(queryValues.low), std::fabs(queryValues.high));
  View k = scalarOf(key), q = scalarOf(query);
  if (failed)
    return false;
  std::vector<ScoreTerm> terms;
  double error;
  Reading readK = read(k), readQ = read(q);
  double shift = shifted ? 1 - keyValues.low : 0;
  keyReach += std::fabs(shift);
  queryReach += std::fabs(shift);
  double largest = 2 * keyReach * queryReach + keyReach * keyReach +
                   queryReach * queryReach + 1;
  // Squares must be exact as doubles before they can be so as weights.
  if (largest > 0x1p50)
    return refuseSquares([&] {
      return llvm::formatv("squares would be as large as {0:e1}", largest);
    });
  // Scores are multiplied by the root of d_head, up to `widestRoot`; integers
  // that the significand holds even so are exact. Otherwise products, sums and
  // the division by the root are rounded.
  bool exactProducts = readK.error == 0 && readQ.error == 0 &&
                       largest * widestRoot <= 0.5 / options.unitRoundoff;
  double rounding = 0;
  if (!exactProducts)
    rounding = options.unitRoundoff *
               (shifted ? 5 * keyReach * queryReach : 3 * largest);
  if (shifted) {
    View square = functionOf(key, squares(keyValues, shift), "^2");
    if (failed)
      return false;
    View shiftedK = k + View::ofConstant(shift);
    View shiftedQ = q + View::ofConstant(shift);
    terms.push_back({zeroAtBos(shiftedK), zeroAtBos(shiftedQ * 2)});
    terms.push_back({zeroAtBos(square), View::ofConstant(-1)});
    // An error of q moves all scores of a query nearly alike: keys at
    // distance d differ by d^2 and the error by 2d times its own.
    error = readQ.error + 2 * queryReach * readK.error + read(square).error +
            rounding;
  } else {
    View keySquare = functionOf(key, squares(keyValues, 0), "^2");
    View querySquare = functionOf(query, squares(queryValues, 0), "^2");
    if (failed)
      return false;
    View one = View::ofConstant(1);
    terms.push_back({zeroAtBos(k), zeroAtBos(q * 2)});
    terms.push_back({zeroAtBos(keySquare), zeroAtBos(one * -1)});
    terms.push_back({zeroAtBos(one), zeroAtBos(one - querySquare)});
    error = read(keySquare).error + read(querySquare).error +
            2 * keyReach * readQ.error + 2 * queryReach * readK.error +
            rounding;
  }
  // Keys that tie must tie exactly: where several can be selected, scalars
  // with errors are no use.
  bool accurate =
      ties == Ties::None ? error < (shifted ? 0.4 : 0.2) : error == 0;
  if (!accurate)
    return refuseSquares([&] {
      return llvm::formatv("scores may be wrong by {0:e1}, and {1}", error,
                           ties != Ties::None
                               ? "keys selected together must score the same"
                           : shifted ? "0.4 is what a single key tolerates"
                                     : "0.2 is what a single key tolerates");
    });
  // A table of classes would be there before squares of what is decoded first.
  unsigned time = timeOfTerms(terms);
  if (nextAttention(time) > nextAttention(earliestTable(comparison)) &&
      !options.lateEqualities)
    if (std::optional<unsigned> ofTable = timeOfTable(comparison);
        failed || (ofTable && nextAttention(time) > nextAttention(*ofTable)))
      return refuseSquares([&] {
        return llvm::formatv(
            "numbers would have to be decoded first, which puts the head into "
            "layer {0}; with a table it is in layer {1}",
            nextAttention(time) / 2, nextAttention(ofTable.value_or(time)) / 2);
      });
  remark(scores, ir::diag::EqualityBySquares,
         shifted ? "2kq - k^2, which is enough as some key always is selected"
                 : "1 - (k - q)^2",
         terms.size(), common);
  scores.addConjunct(std::move(terms), 1, largest);
  scores.error += error;
  scores.tieError += error;
  scores.proportional = shifted;
  scores.note(shifted ? "2kq - k^2, never empty" : "1 - (k - q)^2");
  return true;
}

/// Whether the same s-ops are compared.
static bool shareTable(const Formula &a, const Formula &b) {
  FormulaOperands ofA = operandsOf(a), ofB = operandsOf(b);
  auto equal = [](const NodeSet &left, const NodeSet &right) {
    return left.size() == right.size() &&
           llvm::all_of(left, [&](const Node *n) { return right.contains(n); });
  };
  return equal(ofA.keys, ofB.keys) && equal(ofA.queries, ofB.queries);
}

/// The conjuncts of a formula; those that compare the same s-ops share a table.
static std::vector<Formula> conjunctsOf(const Formula &formula) {
  if (formula.kind != Formula::And)
    return {formula};
  std::vector<Formula> conjuncts;
  for (const Formula &part : formula.parts) {
    auto same = llvm::find_if(conjuncts, [&](const Formula &other) {
      return shareTable(part, other);
    });
    if (same == conjuncts.end())
      conjuncts.push_back(part);
    else
      *same = join(Formula::And, {std::move(*same), part});
  }
  return conjuncts;
}

bool Lowering::prefersPenalties(const Formula &formula) {
  if (formula.kind != Formula::Compare || formula.op == ir::CompareOp::Ne)
    return false;
  bool needsCells = false;
  for (const Node *node : {formula.key, formula.query}) {
    const ir::NodeValues &values = sets.of(node);
    if (!values.numeric || !values.hasTable || node->kind() == OpKind::Const)
      return false;
    llvm::ArrayRef<Source> sources = values.table.sources;
    auto raw = llvm::count_if(sources, [&](Source s) { return isRaw(s); });
    // Scalars alone are read as a packing.
    needsCells |= raw > 1 && static_cast<size_t>(raw) < sources.size();
  }
  return needsCells;
}

bool Lowering::buildScores(const Formula &formula, const Node *selector,
                           const ir::SelectorFacts &facts, BosMode mode,
                           Ties ties, Scores &scores) {
  if (formula.kind == Formula::True) {
    scores.note("all keys");
    return true;
  }
  if (formula.kind == Formula::False) {
    // No key: BOS alone, one unit above the rest.
    scores.note("no key");
    scores.addConjunct({}, 1, 0);
    return true;
  }
  std::vector<Formula> grouped = conjunctsOf(formula);
  // What is not selected fails one conjunct at least, so the worst one counts.
  double penaltyError = 0;
  bool alone = grouped.size() == 1 && mode == BosMode::Default;
  bool single = facts.atMostOneKey && mode == BosMode::Default;
  for (const Formula &group : grouped) {
    bool equality = group.kind == Formula::Compare &&
                    group.op == ir::CompareOp::Eq &&
                    group.key->kind() != OpKind::Const &&
                    group.query->kind() != OpKind::Const;
    if (equality &&
        (addEquality(group, facts, alone, ties, scores) ||
         addIdEquality(group.key, group.query, facts, alone, scores)))
      continue;
    if (failed)
      return false;
    if (ties != Ties::Exact &&
        prefersGeometric(group, grouped, selector, single) &&
        addGeometric(group, geometricTolerance(single), scores))
      continue;
    if (failed)
      return false;
    bool penalties = prefersPenalties(group);
    if (equality && (ties == Ties::Near || (ties == Ties::None && penalties)) &&
        addStepEquality(group.key, group.query, scores))
      continue;
    if (failed)
      return false;
    if (penalties) {
      if (!addPenaltyConjunct(group, scores, penaltyError,
                              "a threshold is one hidden unit, and a class of "
                              "values would be several"))
        return false;
      continue;
    }
    Scores tabular;
    bool isTable = group.kind != Formula::Or;
    if (!(isTable ? addTabular(group, tabular)
                  : addDisjunction(group, tabular)))
      return false;
    // Keys that are selected together must score exactly the same; others must
    // stay apart.
    if (ties == Ties::None ? scores.error + tabular.error > 0.05
                           : tabular.error > 0) {
      std::string reason;
      if (options.remarks)
        reason = llvm::formatv(
            "scores of a table may be wrong by {0:e1}, and {1}", tabular.error,
            ties == Ties::None ? "5.0e-02 is tolerated"
                               : "keys selected together must score the same");
      if (!addPenaltyConjunct(group, scores, penaltyError, reason))
        return false;
      continue;
    }
    // One class of each side meets, and what has an error meets all.
    double size =
        tabular.error > 0 ? 1 + static_cast<double>(tabular.terms.size()) : 1;
    scores.addConjunct(std::move(tabular.terms), 1, size);
    llvm::append_range(scores.told, tabular.told);
    scores.error += tabular.error;
    scores.tieError += tabular.error;
    scores.note(tabular.construction);
  }

  scores.error += penaltyError;
  scores.mergeTerms();
  return true;
}
