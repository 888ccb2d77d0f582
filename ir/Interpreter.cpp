//===- ir/Interpreter.cpp - plans and runs RASP IR ------------------------===//

#include "ir/Interpreter.h"
#include "ir/InterpreterRun.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

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
  if (failure == Failure::PythonType && node->kind() == OpKind::Select)
    return ("`select` cannot order " + operands[0].str() + " and " +
            operands[1].str() + " by `" + spelling(node->compare()) + "`")
        .str();
  return explain(failure, node->kind(), operands);
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

std::pair<unsigned, uint64_t> rasp::ir::tableKey(Value value) {
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

void Interpreter::Run::fail(unsigned step, Failure failure, unsigned position,
                            ArrayRef<Value> operands) {
  state.failures.push_back({failure,
                            plan.steps[step].node,
                            position,
                            {operands.begin(), operands.end()}});
  state.failedAs[step] = state.failures.size();
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

void Interpreter::Run::execute(unsigned index) {
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
    return;
  case OpKind::Const:
    std::fill_n(sequence(index).begin(), n, step.node->value());
    state.kinds[index] = bit(step.node->value().kind());
    return;
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
    if (!elementwiseFast(index))
      elementwise(index);
    return;
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
    return;
  case OpKind::SelOr:
    for (auto [out, a, b] : llvm::zip_equal(
             matrix(index), matrix(step.operands[0]), matrix(step.operands[1])))
      out = a | b;
    return;
  case OpKind::SelNot: {
    MutableArrayRef<uint64_t> out = matrix(index);
    ArrayRef<uint64_t> in = matrix(step.operands[0]);
    for (unsigned q = 0, i = 0; q < n; ++q)
      for (unsigned word = 0; word < wordsPerRow; ++word, ++i)
        out[i] = ~in[i] & visible(q, word);
    return;
  }
  case OpKind::Aggregate:
    return aggregate(index);
  case OpKind::Width:
    return width(index);
  }
  llvm_unreachable("all ops are listed");
}

void Interpreter::Run::checkKinds(unsigned step) {
  ArrayRef<Value> values = sequence(step);
  KindSet kinds = kindsOf(values);
  state.kinds[step] = kinds;
  if (!(kinds & strings) || kinds == strings)
    return;
  bool isString = values.front().isString();
  const Value *other = llvm::find_if(
      values, [&](const Value &value) { return value.isString() != isString; });
  return fail(step, Failure::MixedTypes, other - values.begin(),
              {values.front(), *other});
}
