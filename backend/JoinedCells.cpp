//===- backend/JoinedCells.cpp - several sources as one class -------------===//
//
// A table may depend on some of its sources only through what a sum of them
// decides: `"F" if broken else ("T" if opened - closed == 0 else "P")`. Then
// the joint values of these sources fall into few classes. Each class gets a
// 0/1 view, and the sources are not decoded one by one.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Source;

/// The table with the dimensions of `group` as one, which becomes the last.
static FunctionTable joinDimensions(const FunctionTable &table,
                                    llvm::ArrayRef<size_t> group) {
  FunctionTable joined;
  uint32_t size = 1;
  for (size_t d = 0; d < table.sources.size(); ++d) {
    if (llvm::is_contained(group, d)) {
      size *= table.sizes[d];
      continue;
    }
    joined.sources.push_back(table.sources[d]);
    joined.sizes.push_back(table.sizes[d]);
  }
  joined.sources.push_back(table.sources[group.front()]);
  joined.sizes.push_back(size);
  joined.entries.resize(table.entries.size());
  Odometer at(table.sizes);
  for (double entry : table.entries) {
    size_t outer = 0, inner = 0;
    for (size_t d = 0; d < table.sources.size(); ++d) {
      size_t &index = llvm::is_contained(group, d) ? inner : outer;
      index = index * table.sizes[d] + at.at[d];
    }
    joined.entries[outer * size + inner] = entry;
    at.next();
  }
  return joined;
}

/// For each value of the last dimension, whether some entry of it is known.
static std::vector<bool> occurring(const FunctionTable &table) {
  std::vector<bool> occurs(table.sizes.back(), false);
  for (size_t e = 0; e < table.entries.size(); ++e)
    if (!std::isnan(table.entries[e]))
      occurs[e % table.sizes.back()] = true;
  return occurs;
}

bool Lowering::joinSources(Gates &gates, llvm::ArrayRef<size_t> group,
                           llvm::ArrayRef<LinearForm> forms,
                           const Naming &naming) {
  // Merging compares joint values with classes.
  constexpr size_t mostJointValues = 1 << 14;
  const FunctionTable &table = gates.table;
  FunctionTable over;
  size_t apart = 0, jointValues = 1;
  unsigned time = 0;
  for (size_t d : group) {
    FunctionTable merged = table;
    apart += mergeValues(merged, d).representative.size();
    jointValues *= table.sizes[d];
    over.sources.push_back(table.sources[d]);
    over.sizes.push_back(table.sizes[d]);
    if (isRaw(table.sources[d]))
      time = std::max(
          time, nextMlp(timeOf(circuit, rawView(stateOf(table.sources[d])))));
  }
  if (failed || jointValues > mostJointValues)
    return false;
  FunctionTable joined = joinDimensions(table, group);
  std::vector<bool> occurs = occurring(joined);
  size_t last = joined.sources.size() - 1;
  ValueClasses classes = mergeValues(joined, last, apart / 2);
  if (classes.representative.empty())
    return false;

  std::vector<View> indicators;
  for (uint32_t c = 0; c < classes.representative.size(); ++c) {
    over.entries.clear();
    for (size_t v = 0; v < jointValues; ++v)
      over.entries.push_back(occurs[v] ? classes.classOf[v] == c : anyNumber);
    Naming ofClass{naming.node, "class " + std::to_string(c)};
    ofClass.isGate = true;
    indicators.push_back(realize(over, forms, ofClass));
    if (failed || timeOf(circuit, indicators.back()) > time)
      return false;
  }
  if (options.remarks) {
    View all;
    for (const View &view : indicators)
      all += view;
    remark(all, naming.reader ? naming.reader : naming.node,
           ir::diag::SourcesJoined, listNames(over.sources), indicators.size(),
           jointValues, apart);
  }
  std::vector<std::vector<View>> views;
  for (size_t d = 0; d < table.sources.size(); ++d)
    if (!llvm::is_contained(group, d))
      views.push_back(std::move(gates.indicators[d]));
  views.push_back(std::move(indicators));
  gates.table = std::move(joined);
  gates.indicators = std::move(views);
  return true;
}

Lowering::Gates Lowering::joinedGates(const FunctionTable &table,
                                      llvm::ArrayRef<LinearForm> forms,
                                      const Naming &naming) {
  Gates gates(table);
  for (const LinearForm &form : forms) {
    llvm::SmallVector<size_t, 3> group;
    bool hasScalar = false;
    for (size_t d = 0; d < gates.table.sources.size(); ++d) {
      Source source = gates.table.sources[d];
      if (!gates.indicators[d].empty() ||
          llvm::none_of(form.coefficients,
                        [&](auto &term) { return term.first == source; }))
        continue;
      group.push_back(d);
      hasScalar |= isRaw(source);
    }
    if (!hasScalar || group.size() < 2 ||
        group.size() != form.coefficients.size() ||
        group.size() == gates.table.sources.size())
      continue;
    joinSources(gates, group, forms, naming);
    if (failed)
      break;
  }
  return gates;
}
