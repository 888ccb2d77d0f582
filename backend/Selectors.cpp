//===- backend/Selectors.cpp - scores of selectors ------------------------===//
//
// Every conjunct of a selector contributes a score that is 1 where it holds and
// at most 0 elsewhere; m conjuncts score m where all hold and at most m - 1
// elsewhere. A conjunct is
//
// * tabular: a 0/1 table of key classes against query classes, whose rank is
//   the number of distinct non-zero rows or columns. Whatever is not a plain
//   comparison (disjunctions) is a table over the joint values of its operands;
// * an equality of integers as scalars: 1 - (k - q)^2, rank 3. Alone and never
//   empty, 2kq - k^2 is enough, since softmax ignores what depends on the query
//   alone. Keys and queries are shifted to be at least 1, so that the score of
//   the selected key is at least 1 and BOS, at 0, needs no term of its own.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

namespace {
/// The s-ops on one side (keys or queries) of a formula, and the tuples of
/// values that they take together.
struct Side {
  std::vector<const Node *> nodes;
  /// One value position per node.
  std::vector<std::vector<int32_t>> tuples;
  /// With several nodes: the tuple of each entry of their joint sources.
  llvm::SmallVector<Source, 3> sources;
  llvm::SmallVector<uint32_t, 3> sizes;
  std::vector<int32_t> tupleOfEntry;
};
} // namespace

static void addNode(Side &side, const Node *node) {
  if (node->kind() != OpKind::Const && !llvm::is_contained(side.nodes, node))
    side.nodes.push_back(node);
}

/// Fills in the tuples; false if there are too many.
static bool enumerate(Side &side, const ir::ValueSets &sets) {
  if (side.nodes.empty()) {
    side.tuples.push_back({});
    return true;
  }
  if (side.nodes.size() == 1) {
    size_t count = sets.of(side.nodes[0]).values.size();
    for (size_t v = 0; v < count; ++v)
      side.tuples.push_back({static_cast<int32_t>(v)});
    return true;
  }
  double total = 1;
  for (const Node *node : side.nodes)
    if (!sets.of(node).hasTable)
      return false;
  for (const Node *node : side.nodes)
    for (Source source : sets.of(node).table.sources)
      if (!llvm::is_contained(side.sources, source))
        side.sources.push_back(source);
  llvm::sort(side.sources, [](Source a, Source b) {
    return (a ? a->id() + 1 : 0) < (b ? b->id() + 1 : 0);
  });
  for (Source source : side.sources) {
    side.sizes.push_back(static_cast<uint32_t>(sets.valuesOf(source).size()));
    total *= side.sizes.back();
  }
  if (total > 1 << 17)
    return false;
  std::map<std::vector<int32_t>, int32_t> ids;
  llvm::SmallVector<uint32_t, 3> at(side.sources.size(), 0);
  for (size_t entry = 0; entry < static_cast<size_t>(total); ++entry) {
    std::vector<int32_t> tuple;
    bool possible = true;
    for (const Node *node : side.nodes) {
      const ir::JointTable &table = sets.of(node).table;
      size_t index = 0;
      for (size_t k = 0; k < table.sources.size(); ++k)
        index = index * table.sizes[k] +
                at[llvm::find(side.sources, table.sources[k]) -
                   side.sources.begin()];
      tuple.push_back(table.entries[index]);
      possible &= tuple.back() != ir::JointTable::impossible;
    }
    int32_t id = -1;
    if (possible) {
      auto [it, isNew] =
          ids.try_emplace(tuple, static_cast<int32_t>(side.tuples.size()));
      if (isNew)
        side.tuples.push_back(tuple);
      id = it->second;
    }
    side.tupleOfEntry.push_back(id);
    for (size_t k = at.size(); k-- > 0;) {
      if (++at[k] < side.sizes[k])
        break;
      at[k] = 0;
    }
  }
  return true;
}

static const ir::Value &valueOn(const Side &side, const Node *node,
                                llvm::ArrayRef<int32_t> tuple,
                                const ir::ValueSets &sets) {
  if (node->kind() == OpKind::Const)
    return node->value();
  size_t i =
      static_cast<size_t>(llvm::find(side.nodes, node) - side.nodes.begin());
  return sets.of(node).values[static_cast<size_t>(tuple[i])];
}

static bool holds(const Formula &formula, const Side &keys,
                  llvm::ArrayRef<int32_t> keyTuple, const Side &queries,
                  llvm::ArrayRef<int32_t> queryTuple,
                  const ir::ValueSets &sets) {
  switch (formula.kind) {
  case Formula::True:
    return true;
  case Formula::False:
    return false;
  case Formula::Compare: {
    ir::EvalResult outcome = ir::compare(
        formula.select->compare(), valueOn(keys, formula.key(), keyTuple, sets),
        valueOn(queries, formula.query(), queryTuple, sets));
    // Kinds that do not compare make the interpreter fail: no input with a
    // result has this pair.
    return outcome && outcome.value.isTruthy() != formula.negated;
  }
  case Formula::And:
    return llvm::all_of(formula.parts, [&](const Formula &part) {
      return holds(part, keys, keyTuple, queries, queryTuple, sets);
    });
  case Formula::Or:
    return llvm::any_of(formula.parts, [&](const Formula &part) {
      return holds(part, keys, keyTuple, queries, queryTuple, sets);
    });
  }
  llvm_unreachable("every formula kind returns");
}

/// Numbers equal rows; row 0 of the result is that of all-zero rows, or absent.
static std::vector<uint32_t>
classify(const std::vector<std::vector<bool>> &rows,
         std::vector<std::vector<bool>> &distinct) {
  std::map<std::vector<bool>, uint32_t> ids;
  std::vector<uint32_t> classOf;
  for (const std::vector<bool> &row : rows) {
    auto [it, isNew] =
        ids.try_emplace(row, static_cast<uint32_t>(distinct.size()));
    if (isNew)
      distinct.push_back(row);
    classOf.push_back(it->second);
  }
  return classOf;
}

bool Lowering::addTabular(const Formula &formula, Scores &scores) {
  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  Side keys, queries;
  for (const Formula *comparison : comparisons) {
    addNode(keys, comparison->key());
    addNode(queries, comparison->query());
  }
  for (const Side *side : {&keys, &queries})
    for (const Node *node : side->nodes)
      if (!requireValues(node, "a comparison in a selector"))
        return false;
  bool fits = enumerate(keys, sets) && enumerate(queries, sets);
  if (!fits || static_cast<double>(keys.tuples.size()) *
                       static_cast<double>(queries.tuples.size()) >
                   1 << 24) {
    diags.emit(rangeOf(comparisons[0]->select), ir::diag::SelectorTooLarge,
               keys.tuples.size(), queries.tuples.size());
    return false;
  }

  std::vector<std::vector<bool>> byKey(
      keys.tuples.size(), std::vector<bool>(queries.tuples.size()));
  std::vector<std::vector<bool>> byQuery(queries.tuples.size(),
                                         std::vector<bool>(keys.tuples.size()));
  for (size_t k = 0; k < keys.tuples.size(); ++k)
    for (size_t q = 0; q < queries.tuples.size(); ++q)
      byQuery[q][k] = byKey[k][q] = holds(formula, keys, keys.tuples[k],
                                          queries, queries.tuples[q], sets);
  std::vector<std::vector<bool>> keyRows, queryRows;
  std::vector<uint32_t> keyClass = classify(byKey, keyRows);
  std::vector<uint32_t> queryClass = classify(byQuery, queryRows);

  // The 0/1 function of a side that is true on some of its tuples.
  auto indicator = [&](const Side &side, const std::vector<bool> &isTrue,
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
    return realize(std::move(table), {}, Naming{side.nodes[0], label.str()});
  };
  // Many classes of one source: its one-hot directions serve all of them.
  auto prepare = [&](const Side &side, size_t classes) {
    if (side.nodes.size() != 1 || classes <= 2)
      return;
    const ir::NodeValues &values = sets.of(side.nodes[0]);
    if (values.table.sources.size() == 1 &&
        classes + 1 >= values.table.sizes[0])
      makeOneHot(values.table.sources[0]);
  };
  prepare(keys, keyRows.size());
  prepare(queries, queryRows.size());
  if (failed)
    return false;

  auto isZero = [](const std::vector<bool> &row) {
    return llvm::none_of(row, [](bool b) { return b; });
  };
  size_t keyRank =
      keyRows.size() - static_cast<size_t>(llvm::count_if(keyRows, isZero));
  size_t queryRank =
      queryRows.size() - static_cast<size_t>(llvm::count_if(queryRows, isZero));
  bool byKeyClass = keyRank <= queryRank;
  const auto &rows = byKeyClass ? keyRows : queryRows;
  const auto &classOf = byKeyClass ? keyClass : queryClass;
  const Side &near = byKeyClass ? keys : queries;
  const Side &far = byKeyClass ? queries : keys;
  double error = 0;
  for (size_t c = 0; c < rows.size(); ++c) {
    if (isZero(rows[c]))
      continue;
    std::vector<bool> members;
    std::string label;
    for (size_t t = 0; t < classOf.size(); ++t) {
      members.push_back(classOf[t] == c);
      if (members.back() && label.size() < 24 && near.nodes.size() == 1)
        label += (label.empty() ? "" : ",") +
                 sets.of(near.nodes[0])
                     .values[static_cast<size_t>(near.tuples[t][0])]
                     .display();
    }
    std::string farLabel;
    for (size_t t = 0; t < rows[c].size(); ++t)
      if (rows[c][t] && farLabel.size() < 24 && far.nodes.size() == 1)
        farLabel += (farLabel.empty() ? "" : ",") +
                    sets.of(far.nodes[0])
                        .values[static_cast<size_t>(far.tuples[t][0])]
                        .display();
    View nearView = indicator(near, members, label);
    View farView = indicator(far, rows[c], farLabel);
    if (failed)
      return false;
    ScoreTerm term{byKeyClass ? nearView : farView,
                   byKeyClass ? farView : nearView};
    // Only the class that a position is in has a non-zero near view.
    error = std::max(error, read(nearView).error + read(farView).error);
    scores.terms.push_back({zeroAtBos(term.key), zeroAtBos(term.query)});
  }
  if (error > 0)
    error *= 1 + static_cast<double>(rows.size()) * 0.5;
  scores.selected += 1;
  scores.error += error;
  scores.note(std::string(byKeyClass ? "key" : "query") + " classes " +
              std::to_string(std::min(keyRank, queryRank)));
  return true;
}

/// Whether all values are integers as numbers.
static bool isIntegral(const ir::NodeValues &values) {
  return values.integral ||
         (!values.values.empty() &&
          llvm::all_of(values.values, [](const ir::Value &value) {
            return value.isNumeric() &&
                   value.toDouble() == std::floor(value.toDouble());
          }));
}

bool Lowering::addEquality(const Node *key, const Node *query,
                           const ir::SelectorFacts &facts, bool alone,
                           bool ties, Scores &scores) {
  const ir::NodeValues &keyValues = sets.of(key);
  const ir::NodeValues &queryValues = sets.of(query);
  bool shifted = alone && facts.neverEmpty;
  // The query is read as it is where its square is not needed.
  if (!keyValues.known || !isIntegral(keyValues) || !isIntegral(queryValues) ||
      (!queryValues.known && !shifted))
    return false;
  size_t common = llvm::count_if(keyValues.values, [&](const ir::Value &k) {
    return k.toDouble() >= queryValues.low && k.toDouble() <= queryValues.high;
  });
  if (common <= 3)
    return false;
  // When one-hot codes of a side would be there.
  auto codesAt = [&](const Node *node) {
    llvm::ArrayRef<Source> sources = sets.of(node).table.sources;
    unsigned time = 0;
    bool needsMlp = sources.size() > 1;
    for (Source source : sources) {
      SourceState &state = stateOf(source);
      if (isRaw(source)) {
        time = std::max(time, timeOf(circuit, rawView(state)));
        needsMlp = true;
      } else if (state.access == Access::Moved ||
                 state.access == Access::Mean) {
        time = std::max(
            time, nextAttention(
                      patternOf(source->operand(0), BosMode::Default).time));
      } else if (state.access == Access::Derived) {
        needsMlp = true;
      }
    }
    return needsMlp ? nextMlp(time) : time;
  };
  bool hasCodes = keyValues.hasTable && queryValues.hasTable;
  unsigned codeTime =
      hasCodes ? std::max(codesAt(key), codesAt(query)) : ~0u >> 1;
  if (failed)
    return false;

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
  // Of the product 2kq, of the sum, and of the division by the root of d_head;
  // nothing of it differs from key to key by more than this.
  double rounding = (shifted ? 4 : 8) * options.unitRoundoff * (keyReach + 1) *
                    (queryReach + 1);
  if (readK.error == 0 && readQ.error == 0)
    rounding = 0;
  if (shifted) {
    double shift = 1 - keyValues.low;
    View square = functionOf(key, squares(keyValues, shift), "^2");
    if (failed)
      return false;
    View shiftedK = k + View::ofConstant(shift);
    View shiftedQ = q + View::ofConstant(shift);
    terms.push_back({zeroAtBos(shiftedK), zeroAtBos(shiftedQ * 2)});
    terms.push_back({zeroAtBos(square), View::ofConstant(-1)});
    // An error of q moves all scores of a query nearly alike: keys at
    // distance d differ by d^2 and the error by 2d times its own.
    error = readQ.error + 2 * (queryReach + shift) * readK.error +
            read(square).error + rounding;
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
  unsigned time = 0;
  for (const ScoreTerm &term : terms)
    time = std::max(
        {time, timeOf(circuit, term.key), timeOf(circuit, term.query)});
  // Keys that tie must tie exactly: where several can be selected, scalars
  // with errors are no use.
  bool accurate = ties ? error == 0 : error < (shifted ? 0.4 : 0.2);
  if (!accurate || nextAttention(time) > nextAttention(codeTime))
    return false;
  for (ScoreTerm &term : terms)
    scores.terms.push_back(std::move(term));
  scores.error += error;
  scores.tieError += error;
  scores.proportional = shifted;
  scores.selected += 1;
  scores.note(shifted ? "2kq - k^2, never empty" : "1 - (k - q)^2");
  return true;
}

bool Lowering::buildScores(const Formula &formula,
                           const ir::SelectorFacts &facts, BosMode mode,
                           bool ties, Scores &scores) {
  std::vector<const Formula *> conjuncts;
  switch (formula.kind) {
  case Formula::True:
    scores.construction = "all keys";
    return true;
  case Formula::False:
    // No key: BOS alone, one unit above the rest.
    scores.construction = "no key";
    scores.selected = 1;
    return true;
  case Formula::And:
    for (const Formula &part : formula.parts)
      conjuncts.push_back(&part);
    break;
  default:
    conjuncts.push_back(&formula);
  }
  // Comparisons of the same s-ops share one table.
  std::vector<Formula> grouped;
  for (const Formula *part : conjuncts) {
    auto same = llvm::find_if(grouped, [&](const Formula &group) {
      const Formula &first =
          group.kind == Formula::And ? group.parts.front() : group;
      return part->kind == Formula::Compare && first.kind == Formula::Compare &&
             first.key() == part->key() && first.query() == part->query();
    });
    if (same == grouped.end()) {
      grouped.push_back(*part);
      continue;
    }
    if (same->kind != Formula::And) {
      Formula pair;
      pair.kind = Formula::And;
      pair.parts.push_back(*same);
      *same = std::move(pair);
    }
    same->parts.push_back(*part);
  }
  bool alone = grouped.size() == 1 && mode == BosMode::Default;
  for (const Formula &group : grouped) {
    bool equality = group.kind == Formula::Compare &&
                    group.select->compare() == ir::CompareOp::Eq &&
                    !group.negated && group.key()->kind() != OpKind::Const &&
                    group.query()->kind() != OpKind::Const;
    if (equality &&
        addEquality(group.key(), group.query(), facts, alone, ties, scores))
      continue;
    if (failed)
      return false;
    Scores tabular;
    if (!addTabular(group, tabular))
      return false;
    // Keys that are selected together must score exactly the same; others must
    // stay apart.
    if (ties ? tabular.error > 0 : scores.error + tabular.error > 0.05) {
      if (!addPenalties(group, scores))
        return false;
      continue;
    }
    for (ScoreTerm &term : tabular.terms)
      scores.terms.push_back(std::move(term));
    scores.selected += tabular.selected;
    scores.error += tabular.error;
    scores.tieError += tabular.error;
    scores.note(tabular.construction);
  }

  // Terms with the same key or the same query view are one rank.
  std::vector<ScoreTerm> merged;
  for (ScoreTerm &term : scores.terms) {
    auto same = llvm::find_if(merged, [&](const ScoreTerm &other) {
      return other.key == term.key || other.query == term.query;
    });
    if (same == merged.end())
      merged.push_back(std::move(term));
    else if (same->query == term.query)
      same->key += term.key;
    else
      same->query += term.query;
  }
  scores.terms = std::move(merged);
  return true;
}
