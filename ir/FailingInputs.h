//===- ir/FailingInputs.h - inputs on which ops fail ------------*- C++ -*-===//
//
// That an op fails for some values of its operands says little to who has to
// find the input that gives it those. So inputs are tried: all of them, from
// the shortest on, as far as that is little work, and then some long ones.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_FAILINGINPUTS_H
#define RASP_IR_FAILINGINPUTS_H

#include "ir/Observation.h"
#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"

namespace rasp::ir {

class FailingInputs {
public:
  /// Runs the interpreter until an input is found for each of `ops`, or some
  /// `maxWork` values have been computed. An input counts if `program` fails on
  /// it, too.
  FailingInputs(llvm::ArrayRef<const Node *> ops, const Node *program,
                const Domain &domain, size_t maxWork = 1 << 16);

  struct Found {
    std::vector<Value> input;
    std::string reason;
  };
  /// An input on which `op` itself fails, among the shortest, and why; null if
  /// none was found.
  const Found *of(const Node *op) const {
    auto it = found.find(op);
    return it == found.end() ? nullptr : &it->second;
  }
  /// Whether all inputs were tried, so that no op fails but those for which one
  /// was found.
  bool triedAll() const { return complete; }

private:
  llvm::DenseMap<const Node *, Found> found;
  bool complete = false;
};

} // namespace rasp::ir

#endif
