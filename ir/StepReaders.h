//===- ir/StepReaders.h - readers that see few steps of an s-op -*- C++ -*-===//
//
// Of an s-op with many values, a program often wants to know little: what it
// is rounded to, whether it is more than a half. Such readers are step
// functions of the s-op, or of sums and products of it with s-ops that have
// few values. They change at *cuts*; between two cuts the s-op may be anything.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_STEPREADERS_H
#define RASP_IR_STEPREADERS_H

#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>
#include <vector>

namespace rasp::ir {

/// Where a step function of an s-op may change, up to the rounding of doubles.
struct Cut {
  double at, slack;
};

struct StepReaders {
  std::vector<Cut> cuts;
  /// Affine in the s-op for each value of what else they depend on.
  llvm::DenseSet<const Node *> images;
  /// The ops that change at the cuts alone, and which of their operands is the
  /// s-op or an image of it.
  llvm::DenseSet<std::pair<const Node *, unsigned>> readers;
  /// Whether nothing else reads the s-op or an image of it.
  bool complete = true;
};

using UserMap = llvm::DenseMap<const Node *, std::vector<const Node *>>;

/// The readers of `sop`, which lies in low..high. `valuesOf` gives the values
/// of any other s-op, none where they are not known or depend on `sop`.
StepReaders findStepReaders(
    const Node *sop, double low, double high, const UserMap &users,
    llvm::function_ref<std::optional<llvm::ArrayRef<Value>>(const Node *)>
        valuesOf);

} // namespace rasp::ir

#endif
