//===- ir/InterpreterSelectors.cpp - selectors, means, widths -------------===//

#include "ir/InterpreterRun.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include <bit>
#include <functional>

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

//===----------------------------------------------------------------------===//
// Selectors
//===----------------------------------------------------------------------===//

template <typename T, typename Test>
static void compareRows(unsigned n, bool causal, const T *keys,
                        const T *queries, uint64_t *out, Test test) {
  unsigned wordsPerRow = (n + 63) / 64;
  for (unsigned q = 0; q < n; ++q, out += wordsPerRow) {
    T query = queries[q];
    if (!causal && q > 0 && query == queries[q - 1]) {
      std::copy(out - wordsPerRow, out, out);
      continue;
    }
    unsigned limit = causal ? q + 1 : n;
    for (unsigned word = 0; word < wordsPerRow; ++word) {
      uint64_t bits = 0;
      for (unsigned k = 64 * word; k < std::min(limit, 64 * word + 64); ++k)
        bits |= uint64_t(test(keys[k], query)) << (k % 64);
      out[word] = bits;
    }
  }
}

template <typename T>
void Interpreter::Run::selectRows(unsigned step, const T *keys,
                                  const T *queries) {
  uint64_t *out = matrix(step).data();
  bool causal = plan.options.causal;
  switch (plan.steps[step].node->compare()) {
  case CompareOp::Eq:
    return compareRows(n, causal, keys, queries, out, std::equal_to<T>());
  case CompareOp::Ne:
    return compareRows(n, causal, keys, queries, out, std::not_equal_to<T>());
  case CompareOp::Lt:
    return compareRows(n, causal, keys, queries, out, std::less<T>());
  case CompareOp::Gt:
    return compareRows(n, causal, keys, queries, out, std::greater<T>());
  case CompareOp::Le:
    return compareRows(n, causal, keys, queries, out, std::less_equal<T>());
  case CompareOp::Ge:
    return compareRows(n, causal, keys, queries, out, std::greater_equal<T>());
  }
}

/// Payloads as ints, which for bools and ints are their numbers.
static void copyPayloads(ArrayRef<Value> values, int64_t *out) {
  for (const Value &value : values)
    *out++ = static_cast<int64_t>(value.payload());
}

/// Ints in the order of the strings; false if a string is too long for that.
static bool packStrings(ArrayRef<Value> values, int64_t *out) {
  for (const Value &value : values) {
    llvm::StringRef text = value.asString();
    if (text.size() > 7)
      return false;
    uint64_t packed = 0;
    for (unsigned char c : text)
      packed = packed << 8 | c;
    // Seven bytes, padded by zeros, then the size, the sign bit flipped.
    packed = packed << (8 * (7 - text.size())) << 8 | text.size();
    *out++ = static_cast<int64_t>(packed ^ uint64_t(1) << 63);
  }
  return true;
}

/// Doubles; false if an int is not exactly one.
static bool convertToReals(ArrayRef<Value> values, double *out) {
  constexpr int64_t exact = int64_t(1) << 53;
  for (const Value &value : values) {
    if (!value.isFloat() && (value.toInt() > exact || value.toInt() < -exact))
      return false;
    *out++ = value.toDouble();
  }
  return true;
}

void Interpreter::Run::selectSlowly(unsigned index) {
  const Step &step = plan.steps[index];
  ArrayRef<Value> keys = sequence(step.operands[0]);
  ArrayRef<Value> queries = sequence(step.operands[1]);
  MutableArrayRef<uint64_t> out = matrix(index);
  CompareOp op = step.node->compare();
  std::fill(out.begin(), out.end(), 0);
  for (unsigned q = 0; q < n; ++q) {
    unsigned limit = plan.options.causal ? q + 1 : n;
    for (unsigned k = 0; k < limit; ++k)
      if (compare(op, keys[k], queries[q]).value.asBool())
        out[q * wordsPerRow + k / 64] |= uint64_t(1) << (k % 64);
  }
}

void Interpreter::Run::select(unsigned index) {
  const Step &step = plan.steps[index];
  ArrayRef<Value> keys = sequence(step.operands[0]);
  ArrayRef<Value> queries = sequence(step.operands[1]);
  KindSet keyKinds = state.kinds[step.operands[0]];
  KindSet queryKinds = state.kinds[step.operands[1]];
  CompareOp op = step.node->compare();
  bool isEquality = op == CompareOp::Eq || op == CompareOp::Ne;
  bool haveStrings = keyKinds & strings;
  if (n > 0 && haveStrings != bool(queryKinds & strings) && !isEquality)
    return fail(index, Failure::PythonType, 0, {keys[0], queries[0]});

  int64_t *keyInts = state.keyInts.data(), *queryInts = state.queryInts.data();
  double *keyReals = state.keyReals.data();
  double *queryReals = state.queryReals.data();
  if ((areIntegral(keyKinds) && areIntegral(queryKinds)) ||
      (isEquality && comparePayloads(keyKinds, queryKinds))) {
    copyPayloads(keys, keyInts);
    copyPayloads(queries, queryInts);
    selectRows(index, keyInts, queryInts);
  } else if (haveStrings && (queryKinds & strings) &&
             packStrings(keys, keyInts) && packStrings(queries, queryInts)) {
    selectRows(index, keyInts, queryInts);
  } else if (!haveStrings && !(queryKinds & strings) &&
             convertToReals(keys, keyReals) &&
             convertToReals(queries, queryReals)) {
    selectRows(index, keyReals, queryReals);
  } else {
    selectSlowly(index);
  }
}

//===----------------------------------------------------------------------===//
// From selectors to s-ops
//===----------------------------------------------------------------------===//

void Interpreter::Run::width(unsigned index) {
  const uint64_t *row = matrix(plan.steps[index].operands[0]).data();
  for (Value &value : sequence(index)) {
    int64_t count = 0;
    for (unsigned word = 0; word < wordsPerRow; ++word)
      count += std::popcount(*row++);
    value = Value::integer(count);
  }
  state.kinds[index] = ints;
}

template <typename Callback>
static void forEachBit(ArrayRef<uint64_t> row, Callback callback) {
  for (unsigned word = 0; word < row.size(); ++word)
    for (uint64_t bits = row[word]; bits != 0; bits &= bits - 1)
      callback(64 * word + std::countr_zero(bits));
}

void Interpreter::Run::aggregate(unsigned index) {
  const Step &step = plan.steps[index];
  SelectorMatrix selector(matrix(step.operands[0]).data(), n);
  ArrayRef<Value> values = sequence(step.operands[1]);
  KindSet kinds = state.kinds[step.operands[1]];
  MutableArrayRef<Value> out = sequence(index);
  bool haveMeans = kinds != strings && kinds != bools;
  // Made for the first mean only.
  bool isScaled = false;
  std::optional<int> exponent;

  for (unsigned q = 0; q < n; ++q) {
    ArrayRef<uint64_t> row = selector.row(q);
    if (q > 0 && row == selector.row(q - 1)) {
      out[q] = out[q - 1];
      continue;
    }
    unsigned count = 0;
    for (uint64_t bits : row)
      count += std::popcount(bits);
    if (count == 0) {
      out[q] = step.node->value();
    } else if (count == 1) {
      forEachBit(row, [&](unsigned k) { out[q] = values[k]; });
    } else if (!haveMeans) {
      return fail(index, Failure::AverageOfNonNumbers, q);
    } else {
      if (!isScaled) {
        exponent = toFixedPoint(values, state.keyInts);
        isScaled = true;
      }
      if (exponent) {
        __int128 sum = 0;
        forEachBit(row, [&](unsigned k) { sum += state.keyInts[k]; });
        out[q] = Value::real(scaledMean(sum, count, *exponent));
      } else {
        state.selected.clear();
        forEachBit(row,
                   [&](unsigned k) { state.selected.push_back(values[k]); });
        out[q] = Value::real(mean(state.selected));
      }
    }
  }
  checkKinds(index);
}
