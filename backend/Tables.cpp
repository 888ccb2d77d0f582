//===- backend/Tables.cpp - functions of several sources ------------------===//
//
// A table over joint values of sources becomes, in this order of preference:
// a constant or a function of one source where the others do not matter, a sum
// of functions of one source each, and otherwise one hidden layer that is
// either
//
// * a packing: a linear form of the sources whose value decides the outcome,
//   read through a profile; or
// * cells: relu(e1 + ... + em - (m-1)) for a combination of classes, e_i the
//   0/1 view of a class of source i; combinations with the same outcome are
//   grouped into boxes. One source may stay a raw scalar: then each cell has a
//   profile of it, held down by -B(m - e1 - ... - em) while the cell is not
//   the right one.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Source;

View Lowering::realize(FunctionTable table, llvm::ArrayRef<LinearForm> forms,
                       const Naming &naming) {
  std::vector<const Node *> key(table.sources.begin(), table.sources.end());
  std::vector<double> keyEntries = table.entries;
  for (double &entry : keyEntries)
    if (std::isnan(entry))
      entry = noEntry;
  auto found = realized.find({key, keyEntries});
  if (found != realized.end())
    return found->second;

  for (size_t dim = 0; dim < table.sources.size(); ++dim)
    shareEqualNumbers(table, dim, stateOf(table.sources[dim]).numbers);

  // Sources that do not matter go.
  llvm::SmallVector<Source, 3> gone;
  for (size_t dim = 0; dim < table.sources.size();) {
    FunctionTable merged = table;
    mergeValues(merged, dim);
    if (merged.sizes[dim] > 1) {
      ++dim;
      continue;
    }
    gone.push_back(table.sources[dim]);
    table.entries = std::move(merged.entries);
    table.sizes.erase(table.sizes.begin() + dim);
    table.sources.erase(table.sources.begin() + dim);
  }

  Naming ofTable = naming;
  ofTable.joint = jointOf(table);
  const Node *remarked = naming.reader ? naming.reader : naming.node;
  View view;
  if (table.sources.empty()) {
    double constant = table.entries.empty() ? 0 : table.entries[0];
    view = View::ofConstant(std::isnan(constant) ? 0 : constant);
  } else if (table.sources.size() == 1) {
    view = functionOfSource(table.sources[0], table.entries, naming);
  } else {
    // A sum of functions of one source each, found along the axes through an
    // entry from which all of them are known.
    size_t dims = table.sources.size();
    llvm::SmallVector<size_t, 3> strides;
    for (size_t d = 0; d < dims; ++d)
      strides.push_back(table.stride(d));
    Odometer origin(table.sizes);
    std::vector<std::vector<double>> parts;
    size_t tries = 0;
    for (size_t e = 0; e < table.entries.size() && tries < 16;
         ++e, origin.next()) {
      if (std::isnan(table.entries[e]))
        continue;
      ++tries;
      parts.assign(dims, {});
      bool complete = true;
      for (size_t d = 0; d < dims && complete; ++d)
        for (uint32_t v = 0; v < table.sizes[d]; ++v) {
          size_t at = e - origin.at[d] * strides[d] + v * strides[d];
          parts[d].push_back(table.entries[at] - table.entries[e]);
          complete &= !std::isnan(parts[d].back());
        }
      if (!complete) {
        parts.clear();
        continue;
      }
      Odometer all(table.sizes);
      double scale = 0;
      for (double entry : table.entries)
        if (!std::isnan(entry))
          scale = std::max(scale, std::fabs(entry));
      for (size_t i = 0; i < table.entries.size() && !parts.empty();
           ++i, all.next()) {
        double sum = table.entries[e];
        for (size_t d = 0; d < dims; ++d)
          sum += parts[d][all.at[d]];
        if (!std::isnan(table.entries[i]) &&
            std::fabs(sum - table.entries[i]) > 1e-14 * scale)
          parts.clear();
      }
      if (!parts.empty())
        view.constant = table.entries[e];
      break;
    }
    if (!parts.empty()) {
      for (size_t d = 0; d < dims && !failed; ++d)
        view += functionOfSource(table.sources[d], parts[d], naming);
      if (options.remarks)
        remark(view, remarked, ir::diag::TableIsSum,
               countCombinations(*ofTable.joint), listNames(table.sources));
    } else {
      view = emitTable(table, forms, ofTable);
    }
  }
  if (options.remarks && !gone.empty() && !table.sources.empty())
    remark(view, remarked, ir::diag::DoesNotMatter, listNames(gone));
  if (!failed)
    realized[{std::move(key), std::move(keyEntries)}] = view;
  return view;
}

View Lowering::emitTable(const FunctionTable &table,
                         llvm::ArrayRef<LinearForm> forms,
                         const Naming &naming) {
  std::optional<Packing> packing = findPacking(table, forms, naming);
  if (failed)
    return View();
  Naming ofCells = naming;
  if (options.remarks)
    ofCells.notPacked = "no sum of them is known to decide the outcome";
  if (packing) {
    // What cells would cost: the count of outcomes that differ from the
    // commonest, after merging; a second raw scalar has to be decoded first.
    FunctionTable merged = table;
    unsigned time = 0;
    bool sawRaw = false;
    for (size_t d = 0; d < table.sources.size(); ++d) {
      SourceState &state = stateOf(table.sources[d]);
      unsigned own = 0;
      if (isRaw(table.sources[d])) {
        own = timeOf(circuit, rawView(state));
        if (sawRaw)
          own = nextMlp(own);
        sawRaw = true;
      } else if (state.access == Access::Moved) {
        own = nextAttention(
            patternOf(state.node->operand(0), BosMode::Default).time);
      } else if (state.access == Access::Derived) {
        own = packing->time;
      }
      time = std::max(time, own);
      mergeValues(merged, d);
    }
    if (failed)
      return View();
    unsigned cellTime = nextMlp(time);
    if (packing->time < cellTime ||
        (packing->time == cellTime &&
         packing->profile.units.size() <= merged.exceptions())) {
      auto [low, high] = table.range();
      View view = emitProfile(packing->coordinate, packing->profile, naming,
                              low, high, "a packing");
      if (options.remarks)
        remark(view, naming.reader ? naming.reader : naming.node,
               ir::diag::TableByPacking, listNames(table.sources),
               countCombinations(*naming.joint),
               "`" + toString(circuit, packing->coordinate) + "`",
               ir::counted(packing->profile.units.size(), "hidden unit"),
               merged.exceptions());
      return view;
    }
    if (options.remarks)
      ofCells.notPacked =
          packing->time > cellTime
              ? "a sum that decides the outcome is there a layer later"
              : "steps of a sum would take " +
                    ir::counted(packing->profile.units.size(), "hidden unit");
  }
  return emitCells(table, forms, ofCells);
}
