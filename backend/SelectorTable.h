//===- backend/SelectorTable.h - a selector on all values -------*- C++ -*-===//
//
// A formula as a 0/1 matrix: joint values of the s-ops that stand on the key
// side against those of the query side.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_SELECTORTABLE_H
#define RASP_BACKEND_SELECTORTABLE_H

#include "backend/SelectorFormula.h"
#include "ir/ValueSets.h"

namespace rasp::backend {

/// The s-ops on one side (keys or queries) of a formula, and the tuples of
/// values that they take together.
struct SelectorSide {
  std::vector<const ir::Node *> nodes; ///< constants are not among them
  /// One value position per node.
  std::vector<std::vector<int32_t>> tuples;
  /// With several nodes: the tuple of each entry of their joint sources, or -1.
  llvm::SmallVector<ir::Source, 3> sources;
  llvm::SmallVector<uint32_t, 3> sizes;
  std::vector<int32_t> tupleOfEntry;

  /// The values of the first node in the tuples that are `members`, for people.
  std::string label(const std::vector<bool> &members,
                    const ir::ValueSets &sets) const;
};

/// Tuples with equal rows (or columns) are one class.
struct TupleClasses {
  std::vector<uint32_t> classOf;       ///< by tuple
  std::vector<std::vector<bool>> rows; ///< by class
  /// How many classes select something.
  size_t rank() const;
  std::vector<bool> members(size_t index) const;
};

struct SelectorTable {
  SelectorSide keys, queries;
  TupleClasses keyClasses, queryClasses;
};

/// Whether no pair of tuples satisfies the formula; false also where that would
/// take more than `maxPairs` pairs to find out.
bool neverHolds(const Formula &formula, const ir::ValueSets &sets,
                double maxPairs);

/// None if there are too many tuples. The values of all s-ops are known.
std::optional<SelectorTable> tabulate(const Formula &formula,
                                      const ir::ValueSets &sets);

} // namespace rasp::backend

#endif
