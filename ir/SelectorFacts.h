//===- ir/SelectorFacts.h - what holds of a selector always -----*- C++ -*-===//
//
// Facts about a selector that hold on every input, found by structure alone.
// Value sets are smaller and heads cheaper where they are known: a selector
// that selects at most one key moves values instead of averaging them, one
// that is never empty needs no default.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_SELECTORFACTS_H
#define RASP_IR_SELECTORFACTS_H

#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace rasp::ir {

struct SelectorFacts {
  bool alwaysTrue = false;   ///< every key, for every query
  bool alwaysFalse = false;  ///< no key, for any query
  bool selectsSelf = false;  ///< always the query's own position
  bool neverSelf = false;    ///< never the query's own position
  bool atMostOneKey = false; ///< no query has two keys
  bool neverEmpty = false;   ///< every query has a key
};

/// `slopeIndices * indices + slopeLength * length + offset`, with length the
/// number of tokens.
struct PositionForm {
  double slopeIndices = 0, slopeLength = 0, offset = 0;
};

/// Memoises facts for the nodes of one program under one attention mask.
class SelectorAnalysis {
public:
  /// With `causal`, a selector sees only keys at or before the query.
  explicit SelectorAnalysis(bool causal) : causal(causal) {}

  const SelectorFacts &facts(const Node *selector);
  /// The facts of `select(key, query, op)`, be it in the program or not.
  SelectorFacts factsOf(const Node *key, const Node *query, CompareOp op);

  /// Whether `sop` is the same at every position of an input.
  bool isUniform(const Node *sop);
  /// Whether `sop` differs at any two positions of an input.
  bool isInjective(const Node *sop);
  /// Whether `sop` is the number of tokens: the width of an always-true
  /// selector without a causal mask.
  bool isLength(const Node *sop);
  /// `sop` as an affine function of position and length, if it is one.
  std::optional<PositionForm> positionForm(const Node *sop);

private:
  SelectorFacts compute(const Node *selector);
  SelectorFacts computeSelect(const Node *key, const Node *query, CompareOp op);
  /// A permutation of 0..length-1.
  bool isRank(const Node *sop);
  /// Whether `sop` is the index of a visible position, on every input.
  bool isPosition(const Node *sop);

  /// `slope * v + offset`, with v the number of keys that the query sees.
  struct Bound {
    double slope = 0, offset = 0;
  };
  struct Range {
    Bound low, high;
  };
  std::optional<Range> rangeOf(const Node *sop, unsigned depth);

  std::optional<PositionForm> positionForm(const Node *sop, unsigned depth);
  std::optional<PositionForm> computeForm(const Node *sop, unsigned depth);

  bool causal;
  llvm::DenseMap<const Node *, SelectorFacts> memo;
  llvm::DenseMap<const Node *, std::optional<PositionForm>> forms;
};

} // namespace rasp::ir

#endif
