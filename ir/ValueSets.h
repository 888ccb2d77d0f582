//===- ir/ValueSets.h - which values an s-op can take -----------*- C++ -*-===//
//
// Given the input's vocabulary and greatest length, every s-op takes finitely
// many values. The analysis gives a superset of them that is tight where it
// pays: an elementwise op is a function of its *sources* - the input token,
// the position, aggregates and widths - and is tabulated over their joint
// values, so operands that share a source are never combined in ways that
// cannot occur together.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_VALUESETS_H
#define RASP_IR_VALUESETS_H

#include "ir/Diagnostics.h"
#include "ir/Elementwise.h"
#include "ir/MeanSet.h"
#include "ir/Observation.h"
#include "ir/Program.h"
#include "ir/SelectorFacts.h"
#include "ir/ShownValues.h"
#include "ir/StepReaders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <memory>

namespace rasp::ir {

/// A source is a node, or null for the input token itself, of which all
/// `tokens_*` leaves are functions.
using Source = const Node *;

/// An elementwise s-op as a function of its sources. Entry
/// `(i0 * size1 + i1) * size2 + i2 ...` belongs to value number i0 of source 0
/// and so on; it is a position in the s-op's value set, or `impossible` where
/// the combination cannot occur or the op fails on it.
struct JointTable {
  static constexpr int32_t impossible = -1;
  llvm::SmallVector<Source, 3> sources;
  llvm::SmallVector<uint32_t, 3> sizes;
  std::vector<int32_t> entries;
};

struct NodeValues {
  /// Ascending, distinct in kind or payload. Of `tokens`, by token id. Of an
  /// abridged set, the least and the greatest of each run of values that no
  /// step reader tells apart.
  std::vector<Value> values;
  /// The op over its sources. A source is its own only source.
  JointTable table;
  /// False for sums of so many sources that there is no table; readers see
  /// such an s-op as a source.
  bool hasTable = true;
  /// False when the set is larger than the limit: `values` is empty or
  /// abridged then, and only affine readers, which need no set, and step
  /// readers can use the s-op.
  bool known = true;
  /// Whether no value is a string; certain also where the set is not known.
  bool numeric = false;
  /// Bounds of a numeric s-op, also where the set is not known.
  double low = 0, high = 0;
  /// Whether all values are ints or bools.
  bool integral = false;
  /// Whether the s-op is the same at every position of an input.
  bool uniform = false;
  /// Whether some combination of operands failed.
  bool partial = false;
  /// When partial: why, and operands that show it.
  Failure failure = Failure::None;
  llvm::SmallVector<Value, 3> failingOperands;
  /// Of a mean whose set is not known: a set that holds it, unless it is one of
  /// the defaults.
  std::optional<MeanSet> means;
  std::vector<double> defaults;

  bool isAbridged() const { return !known && !values.empty(); }
};

/// Limits beyond which a set counts as not known.
struct ValueSetLimits {
  size_t values = 1 << 16;       ///< values of one s-op
  size_t combinations = 1 << 17; ///< joint values of an op's sources
};

/// S-ops that their readers see as sources, whatever they are functions of.
using KeptNodes = llvm::DenseSet<const Node *>;

class ValueSets {
public:
  using Limits = ValueSetLimits;

  /// Analyses everything that `root` depends on. Reports leaves that fail for
  /// a token of the vocabulary. With `observation` the sets of the s-ops in
  /// it hold what occurs on some input that has a result, and nothing else.
  ValueSets(const Node *root, const Domain &domain, Diagnostics &diags,
            KeptNodes kept = {}, Limits limits = Limits(),
            const Observation *observation = nullptr);

  const NodeValues &of(const Node *sop) const;
  /// The values of a source, null standing for the input token.
  llvm::ArrayRef<Value> valuesOf(Source source) const;
  const Domain &domain() const { return theDomain; }
  bool isKept(const Node *sop) const { return kept.contains(sop); }
  SelectorAnalysis &selectors() { return selectorAnalysis; }

  /// Reports that the set of `sop` is needed and too large, with the chain of
  /// operations that made it grow.
  void reportTooLarge(const Node *sop, llvm::StringRef reader,
                      Diagnostics &diags) const;

private:
  std::string describeOperands(const Node *node) const;
  void analyse(const Node *node);
  void analyseLeaf(const Node *node, NodeValues &result);
  void analyseElementwise(const Node *node, NodeValues &result);
  void analyseAggregate(const Node *node, NodeValues &result);
  void analyseWidth(const Node *node, NodeValues &result);
  void makeSource(const Node *node, NodeValues &result);
  /// Gives a mean whose set is not known the values that its step readers can
  /// tell apart, if it has such readers.
  void abridge(const Node *node, NodeValues &result);
  /// The set of an s-op that `abridge` meets beside a mean; none if it depends
  /// on a mean that is being abridged.
  std::optional<llvm::ArrayRef<Value>> valuesBeside(const Node *node);
  /// Whether the values of operand number `side` say what the op does.
  bool decides(const Node *node, unsigned side) const;
  bool isUniform(const Node *node);
  /// Drops values and combinations that were not observed.
  void restrict(const Node *node, NodeValues &result,
                const Observation &observation);
  /// Which value a source had on each occasion.
  llvm::ArrayRef<uint32_t> observedIndices(Source source,
                                           const Observation &observation);
  /// Whether value number `i` of each source can occur together.
  bool compatible(llvm::ArrayRef<Source> sources,
                  llvm::ArrayRef<uint32_t> choice) const;

  Domain theDomain;
  Diagnostics &diags;
  KeptNodes kept;
  Limits limits;
  const Observation *observation;
  mutable SelectorAnalysis selectorAnalysis;
  llvm::DenseMap<const Node *, std::unique_ptr<NodeValues>> results;
  llvm::DenseMap<Source, std::vector<uint32_t>> observed;
  UserMap users;
  llvm::SmallVector<const Node *, 2> beingAbridged;
  /// Of all abridged means.
  llvm::DenseSet<const Node *> images;
  llvm::DenseSet<std::pair<const Node *, unsigned>> stepReaders;
};

/// All means of 2..maxCount numbers (repetition allowed) drawn from `values`,
/// as the language defines them: the exact sum over the count, rounded once.
/// None when there are more than `limit`.
std::optional<std::vector<double>> means(llvm::ArrayRef<Value> values,
                                         unsigned maxCount, size_t limit);

} // namespace rasp::ir

#endif
