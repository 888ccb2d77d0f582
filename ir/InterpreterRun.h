//===- ir/InterpreterRun.h - one run of the interpreter ---------*- C++ -*-===//
//
// Shared by the files that implement the interpreter; nobody else includes it.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_INTERPRETERRUN_H
#define RASP_IR_INTERPRETERRUN_H

#include "ir/Interpreter.h"

namespace rasp::ir {

/// A set of value kinds, one bit each.
using KindSet = uint8_t;

constexpr KindSet bit(ValueKind kind) {
  return KindSet(1u << static_cast<unsigned>(kind));
}
inline constexpr KindSet bools = bit(ValueKind::Bool);
inline constexpr KindSet ints = bit(ValueKind::Int);
inline constexpr KindSet floats = bit(ValueKind::Float);
inline constexpr KindSet strings = bit(ValueKind::String);

/// Whether all values are bools or ints, whose payload is their number.
inline bool areIntegral(KindSet kinds) { return !(kinds & (floats | strings)); }

inline KindSet kindsOf(llvm::ArrayRef<Value> values) {
  KindSet kinds = 0;
  for (const Value &value : values)
    kinds |= bit(value.kind());
  return kinds;
}

/// Whether `==` of values of these two kinds of sequence is equality of
/// payloads.
inline bool comparePayloads(KindSet a, KindSet b) {
  return (areIntegral(a) && areIntegral(b)) ||
         (a == b && (a == floats || a == strings));
}

/// A dictionary key that is the same exactly for values that Python's `==`
/// takes for equal.
std::pair<unsigned, uint64_t> tableKey(Value value);

/// One run: the state with the names that the kernels use.
struct Interpreter::Run {
  const Interpreter &plan;
  State &state;
  llvm::ArrayRef<Value> input;
  unsigned n;           ///< length
  unsigned wordsPerRow; ///< of selectors

  llvm::MutableArrayRef<Value> sequence(unsigned step) {
    return {state.values.data() + size_t(plan.steps[step].slot) * n, n};
  }
  llvm::MutableArrayRef<uint64_t> matrix(unsigned step) {
    size_t size = size_t(n) * wordsPerRow;
    return {state.words.data() + plan.steps[step].slot * size, size};
  }
  /// The keys from 64 * `word` on that query `q` may see, as bits.
  uint64_t visible(unsigned q, unsigned word) const {
    unsigned limit = plan.options.causal ? q + 1 : n;
    unsigned first = 64 * word;
    if (limit <= first)
      return 0;
    return limit - first >= 64 ? ~uint64_t(0)
                               : (uint64_t(1) << (limit - first)) - 1;
  }

  /// Notes that a step failed.
  void fail(unsigned step, Failure failure, unsigned position,
            llvm::ArrayRef<Value> operands = {});
  void prepare();
  void execute(unsigned first, unsigned last);
  void execute(unsigned step);
  /// Notes the kinds of the sequence that a step has made, and makes the check
  /// that the language makes after every s-op.
  void checkKinds(unsigned step);

  void tokens(unsigned step);
  void elementwise(unsigned step);
  /// The frequent ops on the frequent kinds; false if this is another case, or
  /// one that fails.
  bool elementwiseFast(unsigned step);
  void lookupTable(unsigned step);
  void select(unsigned step);
  template <typename T>
  void selectRows(unsigned step, const T *keys, const T *queries);
  void selectSlowly(unsigned step);
  void aggregate(unsigned step);
  void width(unsigned step);
};

} // namespace rasp::ir

#endif
