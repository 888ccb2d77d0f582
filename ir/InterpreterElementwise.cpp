//===- ir/InterpreterElementwise.cpp - leaves and elementwise ops ---------===//

#include "ir/InterpreterRun.h"
#include "llvm/ADT/STLExtras.h"
#include <bit>
#include <functional>

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

void Interpreter::Run::tokens(unsigned step) {
  MutableArrayRef<Value> out = sequence(step);
  OpKind kind = plan.steps[step].kind;
  if (kind == OpKind::TokensAsis ||
      (kind == OpKind::TokensStr && kindsOf(input) == strings)) {
    llvm::copy(input, out.begin());
    return checkKinds(step);
  }
  if (kind == OpKind::TokensBool) {
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::boolean(input[i].isTruthy());
    state.kinds[step] = bools;
    return;
  }
  unsigned cacheNumber = kind == OpKind::TokensInt     ? 0
                         : kind == OpKind::TokensFloat ? 1
                                                       : 2;
  State::TokenCache &cache = state.tokenCaches[cacheNumber];
  for (unsigned i = 0; i < n; ++i) {
    uint64_t hash = input[i].payload() * 0x9e3779b97f4a7c15u;
    State::CachedToken &cached = cache[hash >> 58];
    if (!cached.isFilled || cached.item != input[i]) {
      EvalResult result = tokenLeaf(kind, input[i]);
      if (!result)
        return fail(step, result.failure, i, input[i]);
      cached = {input[i], result.value, true};
    }
    out[i] = cached.result;
  }
  checkKinds(step);
}

void Interpreter::Run::elementwise(unsigned index) {
  const Step &step = plan.steps[index];
  MutableArrayRef<Value> out = sequence(index);
  unsigned count = step.node->operands().size();
  std::array<ArrayRef<Value>, 3> in;
  for (unsigned i = 0; i < count; ++i)
    in[i] = sequence(step.operands[i]);
  std::array<Value, 3> operands;
  for (unsigned q = 0; q < n; ++q) {
    for (unsigned i = 0; i < count; ++i)
      operands[i] = in[i][q];
    EvalResult result = evaluate(step.node, {operands.data(), count});
    if (!result)
      return fail(index, result.failure, q, {operands.data(), count});
    out[q] = result.value;
  }
  checkKinds(index);
}

bool Interpreter::Run::elementwiseFast(unsigned index) {
  const Step &step = plan.steps[index];
  Value *out = sequence(index).data();
  auto operand = [&](unsigned i) -> const Value * {
    return sequence(step.operands[i]).data();
  };
  auto kinds = [&](unsigned i) -> KindSet {
    return state.kinds[step.operands[i]];
  };
  unsigned count = step.node->operands().size();
  const Value *a = operand(0);
  const Value *b = count > 1 ? operand(1) : nullptr;

  auto makeBools = [&](auto test) {
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::boolean(test(i));
    state.kinds[index] = bools;
    return true;
  };
  auto makeInts = [&](auto overflows) {
    if (!areIntegral(kinds(0)) || !areIntegral(kinds(1)))
      return false;
    for (unsigned i = 0; i < n; ++i) {
      int64_t result;
      if (overflows(a[i].toInt(), b[i].toInt(), &result))
        return false;
      out[i] = Value::integer(result);
    }
    state.kinds[index] = ints;
    return true;
  };
  auto compareInts = [&](auto test) {
    if (!areIntegral(kinds(0)) || !areIntegral(kinds(1)))
      return false;
    return makeBools(
        [&](unsigned i) { return test(a[i].toInt(), b[i].toInt()); });
  };

  switch (step.kind) {
  case OpKind::Not:
    return makeBools([&](unsigned i) { return !a[i].isTruthy(); });
  case OpKind::And:
    return makeBools(
        [&](unsigned i) { return a[i].isTruthy() && b[i].isTruthy(); });
  case OpKind::Or:
    return makeBools(
        [&](unsigned i) { return a[i].isTruthy() || b[i].isTruthy(); });
  case OpKind::Indicator:
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::integer(a[i].isTruthy());
    state.kinds[index] = ints;
    return true;
  case OpKind::Where: {
    const Value *c = operand(2);
    for (unsigned i = 0; i < n; ++i)
      out[i] = a[i].isTruthy() ? b[i] : c[i];
    KindSet either = kinds(1) | kinds(2);
    if (kinds(1) != kinds(2) || !std::has_single_bit(either)) {
      checkKinds(index);
      return true;
    }
    state.kinds[index] = either;
    return true;
  }
  case OpKind::Eq:
    return comparePayloads(kinds(0), kinds(1)) && makeBools([&](unsigned i) {
             return a[i].payload() == b[i].payload();
           });
  case OpKind::Ne:
    return comparePayloads(kinds(0), kinds(1)) && makeBools([&](unsigned i) {
             return a[i].payload() != b[i].payload();
           });
  case OpKind::Lt:
    return compareInts(std::less<int64_t>());
  case OpKind::Le:
    return compareInts(std::less_equal<int64_t>());
  case OpKind::Gt:
    return compareInts(std::greater<int64_t>());
  case OpKind::Ge:
    return compareInts(std::greater_equal<int64_t>());
  case OpKind::Add:
    return makeInts([](int64_t x, int64_t y, int64_t *r) {
      return __builtin_add_overflow(x, y, r);
    });
  case OpKind::Sub:
    return makeInts([](int64_t x, int64_t y, int64_t *r) {
      return __builtin_sub_overflow(x, y, r);
    });
  case OpKind::Mul:
    return makeInts([](int64_t x, int64_t y, int64_t *r) {
      return __builtin_mul_overflow(x, y, r);
    });
  default:
    return false;
  }
}

/// `in`, and `lookup` in a dict.
void Interpreter::Run::lookupTable(unsigned index) {
  const Step &step = plan.steps[index];
  const TableIndex &table = plan.tables[step.table];
  MutableArrayRef<Value> out = sequence(index);
  ArrayRef<Value> in = sequence(step.operands[0]);
  if (step.kind == OpKind::In) {
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::boolean(table.contains(tableKey(in[i])));
    state.kinds[index] = bools;
    return;
  }
  for (unsigned i = 0; i < n; ++i) {
    auto found = table.find(tableKey(in[i]));
    if (found == table.end())
      return fail(index, Failure::RaspValue, i, in[i]);
    out[i] = step.node->table().values[found->second];
  }
  checkKinds(index);
}
