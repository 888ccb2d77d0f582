//===- ir/Interpreter.h - runs RASP IR on an input --------------*- C++ -*-===//
//
// The reference semantics of the IR, and the oracle that compiled models are
// verified against; so it is both exact and fast. An `Interpreter` plans once
// for its roots; each run evaluates every reachable node once, without
// recursion and, once the buffers have grown, without allocation. What depends
// on the input's length alone is kept from one run to the next.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_INTERPRETER_H
#define RASP_IR_INTERPRETER_H

#include "ir/Elementwise.h"
#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"
#include <array>

namespace rasp::ir {

/// Why, and where, an input has no result.
struct EvalFailure {
  Failure failure = Failure::None;
  const Node *node = nullptr; ///< the op that failed
  unsigned position = 0;      ///< of the sequence; in a selector, the query
  /// What the op was applied to, as `explain` expects it; empty where
  /// no single position is to blame.
  llvm::SmallVector<Value, 3> operands;

  /// A sentence that explains the failure.
  std::string message() const;
};

/// A square matrix of bits: row q says which keys query q selects.
class SelectorMatrix {
public:
  SelectorMatrix() = default;
  SelectorMatrix(const uint64_t *words, unsigned size)
      : words(words), theSize(size), wordsPerRow((size + 63) / 64) {}

  unsigned size() const { return theSize; }
  bool get(unsigned query, unsigned key) const {
    return row(query)[key / 64] >> (key % 64) & 1;
  }
  llvm::ArrayRef<uint64_t> row(unsigned query) const {
    return {words + size_t(query) * wordsPerRow, wordsPerRow};
  }

private:
  const uint64_t *words = nullptr;
  unsigned theSize = 0;
  unsigned wordsPerRow = 0;
};

/// What a root is on an input: a failure, or else a sequence or a matrix.
struct RootResult {
  const EvalFailure *failure = nullptr;
  llvm::ArrayRef<Value> values;    ///< of an s-op
  ValueKind kind = ValueKind::Int; ///< of the sequence as a whole
  SelectorMatrix matrix;           ///< of a selector

  explicit operator bool() const { return !failure; }
};

/// The kind of a sequence: all strings or all bools; ints, possibly with bools
/// among them; floats, possibly with ints and bools. None for strings beside
/// numbers. Ints for an empty sequence.
std::optional<ValueKind> sequenceKind(llvm::ArrayRef<Value> values);

/// Evaluates a fixed set of roots. Immutable, so threads may share one, each
/// with its own `State`. Must not outlive the program.
class Interpreter {
public:
  struct Options {
    /// Every selector sees only the keys at or before the query.
    bool causal = false;
  };

  explicit Interpreter(llvm::ArrayRef<const Node *> roots, Options options);
  explicit Interpreter(llvm::ArrayRef<const Node *> roots)
      : Interpreter(roots, Options()) {}
  ~Interpreter();

  class State;

  /// One result per root, valid until the next run with `state`.
  llvm::ArrayRef<RootResult> run(llvm::ArrayRef<Value> input,
                                 State &state) const;

private:
  /// A node and where its operands and its result lie.
  struct Step {
    const Node *node;
    OpKind kind;
    unsigned slot;                    ///< among sequences or matrices
    std::array<unsigned, 3> operands; ///< as step numbers
    unsigned table;                   ///< of In and of Lookup in a Dict
  };
  /// Finds entries of a list or dict by Python's `==`.
  using TableIndex = llvm::DenseMap<std::pair<unsigned, uint64_t>, unsigned>;
  struct Run;

  void assignSlots();

  Options options;
  /// First the steps that depend on the length alone, then the others.
  std::vector<Step> steps;
  unsigned lengthSteps = 0;
  std::vector<unsigned> roots; ///< as step numbers
  std::vector<TableIndex> tables;
  unsigned sequenceSlots = 0, matrixSlots = 0;
};

/// The buffers of one thread.
class Interpreter::State {
public:
  explicit State(const Interpreter &interpreter) : owner(&interpreter) {}

private:
  friend class Interpreter;
  friend struct Interpreter::Run;

  /// What a token leaf made of a token; most inputs repeat few tokens.
  struct CachedToken {
    Value item, result;
    bool isFilled = false;
  };
  using TokenCache = std::array<CachedToken, 64>;

  const Interpreter *owner;
  /// The length that the buffers and the length steps are made for.
  unsigned length = ~0u;
  size_t lengthFailures = 0; ///< the failures of length steps, at the front
  std::vector<Value> values;
  std::vector<uint64_t> words;
  std::vector<uint8_t> kinds;     ///< by step, the kinds of value in it
  std::vector<uint32_t> failedAs; ///< by step, index into failures + 1, or 0
  llvm::SmallVector<EvalFailure, 1> failures;
  std::vector<RootResult> results;
  std::array<TokenCache, 3> tokenCaches;
  /// Operands of a select or an aggregate in a form quick to compare or add.
  std::vector<int64_t> keyInts, queryInts;
  std::vector<double> keyReals, queryReals;
  std::vector<Value> selected;
};

} // namespace rasp::ir

#endif
