//===- ir/Observation.h - a program on all of its inputs --------*- C++ -*-===//
//
// Where the inputs are few, the program can be run on all of them. What its
// s-ops were then is exact: no set of values can be smaller, and no relation
// between s-ops is missed. Inputs on which the program fails do not count.
//
// Where they are many, this still works for the s-ops that do not depend on the
// tokens: one input of each length shows all of their values.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_OBSERVATION_H
#define RASP_IR_OBSERVATION_H

#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>
#include <vector>

namespace rasp::ir {

/// What the compile options say about the input.
struct Domain {
  std::vector<Value> vocabulary;
  unsigned maxSeqLen = 1;
  bool causal = false;
};

/// The values of all s-ops on every occasion: a position of an input.
class Observation {
public:
  /// Runs `root` on all inputs, or what of it does not depend on the tokens on
  /// all lengths; none if the values would be more than `maxValues` even so, or
  /// if there are none.
  static std::optional<Observation> make(const Node *root, const Domain &domain,
                                         size_t maxValues = 1 << 22);

  bool contains(const Node *sop) const { return columns.contains(sop); }
  /// The values of an s-op, by occasion.
  llvm::ArrayRef<Value> of(const Node *sop) const {
    return columns.find(sop)->second;
  }
  /// The token that stands at the position, as its place in the vocabulary.
  llvm::ArrayRef<uint32_t> tokens() const { return tokenIds; }
  size_t occasions() const { return tokenIds.size(); }

private:
  /// Runs `sops` on all inputs over `vocabulary`; an input counts if all of
  /// them have values on it.
  void run(llvm::ArrayRef<const Node *> sops, const Domain &domain,
           llvm::ArrayRef<Value> vocabulary);

  std::vector<uint32_t> tokenIds;
  llvm::DenseMap<const Node *, std::vector<Value>> columns;
};

} // namespace rasp::ir

#endif
