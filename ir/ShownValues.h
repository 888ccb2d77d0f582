//===- ir/ShownValues.h - value sets as dumps show them ---------*- C++ -*-===//
//
//   {"a", "b"}   {-3..2}   {0, 0.5, 1..4}   {0, 2, 4, ... 40 values}
//
// Runs of three and more ints are abbreviated, and long sets are cut after
// some items, with the number of all values. So a dump has less than the
// analysis knows (ir/ValueSets.h); what it has is kept when it is read again.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_SHOWNVALUES_H
#define RASP_IR_SHOWNVALUES_H

#include "ir/Value.h"
#include "llvm/ADT/ArrayRef.h"

namespace rasp::ir {

struct ShownValues {
  /// Ints from `first` to `last`, or one value, which is both.
  struct Item {
    Value first, last;
    bool operator==(const Item &) const = default;
  };
  /// False where the values are too many for any list.
  bool known = true;
  std::vector<Item> items;
  /// The number of all values, where `items` are the first of them only.
  std::optional<uint64_t> count;

  static ShownValues tooMany() { return {false, {}, std::nullopt}; }
  static ShownValues of(llvm::ArrayRef<Value> values, size_t maxItems = 16);
  bool operator==(const ShownValues &) const = default;
};

/// `{0..3}`, or `too many values`.
llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const ShownValues &shown);
std::string printValueSet(llvm::ArrayRef<Value> values, size_t maxItems = 16);

} // namespace rasp::ir

#endif
