//===- ir/Interpreter.cpp - runs RASP IR on an input ----------------------===//

#include "ir/Interpreter.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include <bit>
#include <cmath>

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

//===----------------------------------------------------------------------===//
// Kinds of sequences
//===----------------------------------------------------------------------===//

/// A set of value kinds, one bit each.
using KindSet = uint8_t;

static constexpr KindSet bit(ValueKind kind) {
  return KindSet(1u << static_cast<unsigned>(kind));
}
static constexpr KindSet bools = bit(ValueKind::Bool);
static constexpr KindSet ints = bit(ValueKind::Int);
static constexpr KindSet floats = bit(ValueKind::Float);
static constexpr KindSet strings = bit(ValueKind::String);

/// Whether all values are bools or ints, whose payload is their number.
static bool areIntegral(KindSet kinds) { return !(kinds & (floats | strings)); }

static KindSet kindsOf(ArrayRef<Value> values) {
  KindSet kinds = 0;
  for (const Value &value : values)
    kinds |= bit(value.kind());
  return kinds;
}

static std::optional<ValueKind> sequenceKind(KindSet kinds) {
  if (kinds & strings)
    return kinds == strings ? std::optional(ValueKind::String) : std::nullopt;
  if (kinds & floats)
    return ValueKind::Float;
  return kinds == bools ? ValueKind::Bool : ValueKind::Int;
}

std::optional<ValueKind> rasp::ir::sequenceKind(ArrayRef<Value> values) {
  return ::sequenceKind(kindsOf(values));
}

std::string EvalFailure::message() const {
  return explain(failure, node->kind(), operands);
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

/// Values that are equal to Python get the same key.
static std::pair<unsigned, uint64_t> tableKey(Value value) {
  if (value.isBool())
    value = Value::integer(value.toInt());
  if (value.isFloat()) {
    double d = value.asFloat();
    if (d == std::trunc(d) && d >= -0x1p63 && d < 0x1p63)
      value = Value::integer(static_cast<int64_t>(d));
  }
  return {static_cast<unsigned>(value.kind()), value.payload()};
}

static bool readsTokens(OpKind kind) {
  switch (kind) {
  case OpKind::TokensStr:
  case OpKind::TokensInt:
  case OpKind::TokensFloat:
  case OpKind::TokensBool:
  case OpKind::TokensAsis:
    return true;
  default:
    return false;
  }
}

Interpreter::~Interpreter() = default;

Interpreter::Interpreter(ArrayRef<const Node *> rootNodes, Options options)
    : options(options) {
  std::vector<const Node *> nodes = reachable(rootNodes);
  llvm::DenseSet<const Node *> dependsOnTokens;
  for (const Node *node : nodes)
    if (readsTokens(node->kind()) ||
        llvm::any_of(node->operands(), [&](const Node *operand) {
          return dependsOnTokens.contains(operand);
        }))
      dependsOnTokens.insert(node);
  auto firstToken =
      std::stable_partition(nodes.begin(), nodes.end(), [&](const Node *node) {
        return !dependsOnTokens.contains(node);
      });
  lengthSteps = firstToken - nodes.begin();

  llvm::DenseMap<const Node *, unsigned> stepOf;
  for (const Node *node : nodes) {
    Step step{node, node->kind(), 0, {}, 0};
    for (auto [i, operand] : llvm::enumerate(node->operands()))
      step.operands[i] = stepOf.lookup(operand);
    if (step.kind == OpKind::In ||
        (step.kind == OpKind::Lookup && node->table().kind == Table::Dict)) {
      const Table &table = node->table();
      TableIndex &index = tables.emplace_back();
      step.table = tables.size() - 1;
      bool isDict = table.kind == Table::Dict;
      for (auto [i, key] : llvm::enumerate(isDict ? table.keys : table.values))
        index[tableKey(key)] = i;
    }
    stepOf[node] = steps.size();
    steps.push_back(step);
  }
  for (const Node *root : rootNodes)
    roots.push_back(stepOf.lookup(root));
  assignSlots();
}

/// Gives every step a slot that no other step needs at the same time. Roots
/// keep theirs, and so does what token steps read of the length steps.
void Interpreter::assignSlots() {
  constexpr unsigned never = ~0u;
  std::vector<unsigned> lastUse(steps.size());
  for (unsigned i = 0; i < steps.size(); ++i) {
    lastUse[i] = std::max(lastUse[i], i);
    for (unsigned n = 0; n < steps[i].node->operands().size(); ++n) {
      unsigned operand = steps[i].operands[n];
      bool isKept = operand < lengthSteps && i >= lengthSteps;
      lastUse[operand] = std::max(lastUse[operand], isKept ? never : i);
    }
  }
  for (unsigned root : roots)
    lastUse[root] = never;

  llvm::SmallVector<unsigned> freeSequences, freeMatrices;
  auto freeSlots = [&](unsigned i) -> llvm::SmallVector<unsigned> & {
    return steps[i].node->isSop() ? freeSequences : freeMatrices;
  };
  for (unsigned i = 0; i < steps.size(); ++i) {
    // The slots that length steps shared hold no results any more, but a slot
    // is written before it is read, so token steps may use them again; the
    // length steps are run anew, all of them, when the length changes.
    llvm::SmallVector<unsigned> &available = freeSlots(i);
    unsigned &count = steps[i].node->isSop() ? sequenceSlots : matrixSlots;
    steps[i].slot = available.empty() ? count++ : available.pop_back_val();
    for (unsigned n = 0; n < steps[i].node->operands().size(); ++n) {
      unsigned operand = steps[i].operands[n];
      if (lastUse[operand] != i)
        continue;
      freeSlots(operand).push_back(steps[operand].slot);
      lastUse[operand] = never; // also when it is an operand twice
    }
  }
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// One run: the state with the names that the kernels use.
struct Interpreter::Run {
  const Interpreter &plan;
  State &state;
  ArrayRef<Value> input;
  unsigned n;           ///< length
  unsigned wordsPerRow; ///< of selectors

  MutableArrayRef<Value> sequence(unsigned step) {
    return {state.values.data() + size_t(plan.steps[step].slot) * n, n};
  }
  MutableArrayRef<uint64_t> matrix(unsigned step) {
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

  bool fail(unsigned step, Failure failure, unsigned position,
            ArrayRef<Value> operands = {});
  void prepare();
  void execute(unsigned first, unsigned last);
  bool execute(unsigned step);
  bool checkKinds(unsigned step);

  bool tokens(unsigned step);
  bool elementwise(unsigned step);
  bool elementwiseFast(unsigned step);
  bool lookupTable(unsigned step);
  bool select(unsigned step);
  template <typename T>
  void selectRows(unsigned step, const T *keys, const T *queries);
  void selectSlowly(unsigned step);
  bool aggregate(unsigned step);
  void width(unsigned step);
};

/// Notes the failure of a step; always false.
bool Interpreter::Run::fail(unsigned step, Failure failure, unsigned position,
                            ArrayRef<Value> operands) {
  state.failures.push_back({failure,
                            plan.steps[step].node,
                            position,
                            {operands.begin(), operands.end()}});
  state.failedAs[step] = state.failures.size();
  return false;
}

void Interpreter::Run::prepare() {
  state.length = n;
  state.failures.clear();
  state.values.resize(size_t(plan.sequenceSlots) * n);
  state.words.resize(size_t(plan.matrixSlots) * n * wordsPerRow);
  state.kinds.resize(plan.steps.size());
  state.failedAs.assign(plan.steps.size(), 0);
  state.results.resize(plan.roots.size());
  state.keyInts.resize(n);
  state.queryInts.resize(n);
  state.keyReals.resize(n);
  state.queryReals.resize(n);
}

ArrayRef<RootResult> Interpreter::run(ArrayRef<Value> input,
                                      State &state) const {
  assert(state.owner == this && "the state is another interpreter's");
  unsigned n = input.size();
  Run run{*this, state, input, n, (n + 63) / 64};
  if (state.length != n) {
    run.prepare();
    run.execute(0, lengthSteps);
    state.lengthFailures = state.failures.size();
  } else if (state.failures.size() > state.lengthFailures) {
    std::fill(state.failedAs.begin() + lengthSteps, state.failedAs.end(), 0);
    state.failures.truncate(state.lengthFailures);
  }
  run.execute(lengthSteps, steps.size());

  for (auto [result, step] : llvm::zip_equal(state.results, roots)) {
    result = RootResult();
    if (unsigned failed = state.failedAs[step])
      result.failure = &state.failures[failed - 1];
    else if (steps[step].node->isSelector())
      result.matrix = SelectorMatrix(run.matrix(step).data(), n);
    else {
      result.values = run.sequence(step);
      result.kind = *::sequenceKind(state.kinds[step]);
    }
  }
  return state.results;
}

void Interpreter::Run::execute(unsigned first, unsigned last) {
  for (unsigned step = first; step < last; ++step) {
    if (!state.failures.empty()) {
      unsigned inherited = 0;
      for (unsigned i = 0; i < plan.steps[step].node->operands().size(); ++i)
        if (unsigned failed = state.failedAs[plan.steps[step].operands[i]];
            failed && (!inherited || failed < inherited))
          inherited = failed;
      state.failedAs[step] = inherited;
      if (inherited)
        continue;
    }
    execute(step);
  }
}

bool Interpreter::Run::execute(unsigned index) {
  const Step &step = plan.steps[index];
  switch (step.kind) {
  case OpKind::TokensStr:
  case OpKind::TokensInt:
  case OpKind::TokensFloat:
  case OpKind::TokensBool:
  case OpKind::TokensAsis:
    return tokens(index);
  case OpKind::Indices:
    for (auto [i, value] : llvm::enumerate(sequence(index)))
      value = Value::integer(i);
    state.kinds[index] = ints;
    return true;
  case OpKind::Const:
    std::fill_n(sequence(index).begin(), n, step.node->value());
    state.kinds[index] = bit(step.node->value().kind());
    return true;
  case OpKind::Neg:
  case OpKind::Pos:
  case OpKind::Not:
  case OpKind::Round:
  case OpKind::Indicator:
  case OpKind::Add:
  case OpKind::Sub:
  case OpKind::Mul:
  case OpKind::Div:
  case OpKind::Mod:
  case OpKind::Pow:
  case OpKind::Eq:
  case OpKind::Ne:
  case OpKind::Lt:
  case OpKind::Le:
  case OpKind::Gt:
  case OpKind::Ge:
  case OpKind::And:
  case OpKind::Or:
  case OpKind::Where:
    return elementwiseFast(index) || elementwise(index);
  case OpKind::Lookup:
    return step.node->table().kind == Table::Dict ? lookupTable(index)
                                                  : elementwise(index);
  case OpKind::In:
    return lookupTable(index);
  case OpKind::Select:
    return select(index);
  case OpKind::SelAnd:
    for (auto [out, a, b] : llvm::zip_equal(
             matrix(index), matrix(step.operands[0]), matrix(step.operands[1])))
      out = a & b;
    return true;
  case OpKind::SelOr:
    for (auto [out, a, b] : llvm::zip_equal(
             matrix(index), matrix(step.operands[0]), matrix(step.operands[1])))
      out = a | b;
    return true;
  case OpKind::SelNot: {
    MutableArrayRef<uint64_t> out = matrix(index);
    ArrayRef<uint64_t> in = matrix(step.operands[0]);
    for (unsigned q = 0, i = 0; q < n; ++q)
      for (unsigned word = 0; word < wordsPerRow; ++word, ++i)
        out[i] = ~in[i] & visible(q, word);
    return true;
  }
  case OpKind::Aggregate:
    return aggregate(index);
  case OpKind::Width:
    width(index);
    return true;
  }
  llvm_unreachable("all ops are listed");
}

/// Notes the kinds of the sequence that a step has made, and makes the check
/// that the language makes after every s-op.
bool Interpreter::Run::checkKinds(unsigned step) {
  ArrayRef<Value> values = sequence(step);
  KindSet kinds = kindsOf(values);
  state.kinds[step] = kinds;
  if (!(kinds & strings) || kinds == strings)
    return true;
  bool isString = values.front().isString();
  const Value *other = llvm::find_if(
      values, [&](const Value &value) { return value.isString() != isString; });
  return fail(step, Failure::MixedTypes, other - values.begin(),
              {values.front(), *other});
}

//===----------------------------------------------------------------------===//
// Leaves and elementwise ops
//===----------------------------------------------------------------------===//

bool Interpreter::Run::tokens(unsigned step) {
  MutableArrayRef<Value> out = sequence(step);
  OpKind kind = plan.steps[step].kind;
  if (kind == OpKind::TokensAsis ||
      (kind == OpKind::TokensStr && kindsOf(input) == strings)) {
    llvm::copy(input, out.begin());
    return checkKinds(step);
  }
  unsigned cacheNumber = kind == OpKind::TokensInt     ? 0
                         : kind == OpKind::TokensFloat ? 1
                                                       : 2;
  State::TokenCache &cache = state.tokenCaches[cacheNumber];
  if (kind == OpKind::TokensBool) {
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::boolean(input[i].isTruthy());
    state.kinds[step] = bools;
    return true;
  }
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
  return checkKinds(step);
}

bool Interpreter::Run::elementwise(unsigned index) {
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
  return checkKinds(index);
}

/// Whether `==` of values of these two kinds of sequence is equality of
/// payloads.
static bool comparePayloads(KindSet a, KindSet b) {
  return (areIntegral(a) && areIntegral(b)) ||
         (a == b && (a == floats || a == strings));
}

/// The frequent ops on the frequent kinds; false if this is another case, or
/// one that fails.
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
    if (kinds(1) != kinds(2) || !std::has_single_bit(either))
      return checkKinds(index) || true;
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
bool Interpreter::Run::lookupTable(unsigned index) {
  const Step &step = plan.steps[index];
  const TableIndex &table = plan.tables[step.table];
  MutableArrayRef<Value> out = sequence(index);
  ArrayRef<Value> in = sequence(step.operands[0]);
  if (step.kind == OpKind::In) {
    for (unsigned i = 0; i < n; ++i)
      out[i] = Value::boolean(table.contains(tableKey(in[i])));
    state.kinds[index] = bools;
    return true;
  }
  for (unsigned i = 0; i < n; ++i) {
    auto found = table.find(tableKey(in[i]));
    if (found == table.end())
      return fail(index, Failure::RaspValue, i, in[i]);
    out[i] = step.node->table().values[found->second];
  }
  return checkKinds(index);
}

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

bool Interpreter::Run::select(unsigned index) {
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
  return true;
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

bool Interpreter::Run::aggregate(unsigned index) {
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
  return checkKinds(index);
}
