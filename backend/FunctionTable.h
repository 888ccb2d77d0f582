//===- backend/FunctionTable.h - a number per combination -------*- C++ -*-===//

#ifndef RASP_BACKEND_FUNCTIONTABLE_H
#define RASP_BACKEND_FUNCTIONTABLE_H

#include "ir/ValueSets.h"
#include "llvm/ADT/SmallVector.h"
#include <limits>
#include <vector>

namespace rasp::backend {

/// Stands for any number in a table: the combination cannot occur.
inline constexpr double anyNumber = std::numeric_limits<double>::quiet_NaN();

/// A function of joint values of sources, the last source varying fastest.
struct FunctionTable {
  llvm::SmallVector<ir::Source, 3> sources;
  llvm::SmallVector<uint32_t, 3> sizes;
  std::vector<double> entries;

  /// How far apart entries are that differ by one in dimension `dim`.
  size_t stride(size_t dim) const;
  /// Least and greatest known entry; zeros if none is known.
  std::pair<double, double> range() const;
  /// How many entries are not the commonest one.
  size_t exceptions() const;
};

/// The values of a source sorted into classes that a table does not tell
/// apart.
struct ValueClasses {
  std::vector<uint32_t> classOf;
  std::vector<uint32_t> representative;
};

/// Merges the values of dimension `dim` whose slices agree wherever both are
/// known; the table keeps one slice per class. With more than `mostClasses`
/// there is no result, and the table stays.
ValueClasses
mergeValues(FunctionTable &table, size_t dim,
            size_t mostClasses = std::numeric_limits<size_t>::max());

/// Values that are equal as numbers (an int and a float, a bool and an int) are
/// one number in a model: where only one of them has an entry, the others get
/// the same. `numbers` are those of dimension `dim`, ascending but for NaN.
void shareEqualNumbers(FunctionTable &table, size_t dim,
                       llvm::ArrayRef<double> numbers);

/// Walks all entries of a table in order.
struct Odometer {
  llvm::ArrayRef<uint32_t> sizes;
  llvm::SmallVector<uint32_t, 3> at;
  explicit Odometer(llvm::ArrayRef<uint32_t> sizes)
      : sizes(sizes), at(sizes.size(), 0) {}
  void next();
};

} // namespace rasp::backend

#endif
