//===- backend/SelectorTable.cpp - a selector on all values ---------------===//

#include "backend/SelectorTable.h"
#include "ir/Elementwise.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

static constexpr double maxTableEntries = 1 << 17, maxPairs = 1 << 24;

/// Fills in the tuples; false if there are too many.
static bool enumerate(SelectorSide &side, const ir::ValueSets &sets,
                      double maxEntries) {
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
  if (total > maxEntries)
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

static const ir::Value &valueOn(const SelectorSide &side, const Node *node,
                                llvm::ArrayRef<int32_t> tuple,
                                const ir::ValueSets &sets) {
  if (node->kind() == OpKind::Const)
    return node->value();
  size_t i =
      static_cast<size_t>(llvm::find(side.nodes, node) - side.nodes.begin());
  return sets.of(node).values[static_cast<size_t>(tuple[i])];
}

static bool holds(const Formula &formula, const SelectorSide &keys,
                  llvm::ArrayRef<int32_t> keyTuple, const SelectorSide &queries,
                  llvm::ArrayRef<int32_t> queryTuple,
                  const ir::ValueSets &sets) {
  switch (formula.kind) {
  case Formula::True:
    return true;
  case Formula::False:
    return false;
  case Formula::Compare: {
    ir::EvalResult outcome =
        ir::compare(formula.op, valueOn(keys, formula.key, keyTuple, sets),
                    valueOn(queries, formula.query, queryTuple, sets));
    // Kinds that do not compare make the interpreter fail: no input with a
    // result has this pair.
    return outcome && outcome.value.isTruthy();
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

static TupleClasses classify(const std::vector<std::vector<bool>> &rows) {
  TupleClasses classes;
  std::map<std::vector<bool>, uint32_t> ids;
  for (const std::vector<bool> &row : rows) {
    auto [it, isNew] =
        ids.try_emplace(row, static_cast<uint32_t>(classes.rows.size()));
    if (isNew)
      classes.rows.push_back(row);
    classes.classOf.push_back(it->second);
  }
  return classes;
}

size_t TupleClasses::rank() const {
  return static_cast<size_t>(
      llvm::count_if(rows, [](const std::vector<bool> &row) {
        return llvm::is_contained(row, true);
      }));
}

std::vector<bool> TupleClasses::members(size_t index) const {
  std::vector<bool> result;
  for (uint32_t own : classOf)
    result.push_back(own == index);
  return result;
}

std::string SelectorSide::label(const std::vector<bool> &members,
                                const ir::ValueSets &sets) const {
  constexpr size_t longest = 24;
  std::string text;
  for (size_t t = 0; t < members.size() && !nodes.empty(); ++t)
    if (members[t] && text.size() < longest)
      text +=
          (text.empty() ? "" : ",") +
          sets.of(nodes[0]).values[static_cast<size_t>(tuples[t][0])].display();
  return text;
}

/// The sides of a table and their tuples; false if there are too many.
static bool makeSides(const Formula &formula, const ir::ValueSets &sets,
                      double maxEntries, double maxPairs,
                      SelectorTable &table) {
  FormulaOperands operands = operandsOf(formula);
  table.keys.nodes.assign(operands.keys.begin(), operands.keys.end());
  table.queries.nodes.assign(operands.queries.begin(), operands.queries.end());
  return enumerate(table.keys, sets, maxEntries) &&
         enumerate(table.queries, sets, maxEntries) &&
         static_cast<double>(table.keys.tuples.size()) *
                 static_cast<double>(table.queries.tuples.size()) <=
             maxPairs;
}

bool rasp::backend::neverHolds(const Formula &formula,
                               const ir::ValueSets &sets, double maxPairs) {
  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  for (const Formula *comparison : comparisons)
    if (!sets.of(comparison->key).known || !sets.of(comparison->query).known)
      return false;
  SelectorTable table;
  if (!makeSides(formula, sets, maxPairs, maxPairs, table))
    return false;
  for (const std::vector<int32_t> &key : table.keys.tuples)
    for (const std::vector<int32_t> &query : table.queries.tuples)
      if (holds(formula, table.keys, key, table.queries, query, sets))
        return false;
  return true;
}

std::optional<SelectorTable>
rasp::backend::tabulate(const Formula &formula, const ir::ValueSets &sets) {
  SelectorTable table;
  if (!makeSides(formula, sets, maxTableEntries, maxPairs, table))
    return std::nullopt;
  SelectorSide &keys = table.keys, &queries = table.queries;
  std::vector<std::vector<bool>> byKey(
      keys.tuples.size(), std::vector<bool>(queries.tuples.size()));
  std::vector<std::vector<bool>> byQuery(queries.tuples.size(),
                                         std::vector<bool>(keys.tuples.size()));
  for (size_t k = 0; k < keys.tuples.size(); ++k)
    for (size_t q = 0; q < queries.tuples.size(); ++q)
      byQuery[q][k] = byKey[k][q] = holds(formula, keys, keys.tuples[k],
                                          queries, queries.tuples[q], sets);
  table.keyClasses = classify(byKey);
  table.queryClasses = classify(byQuery);
  return table;
}
