//===- ir/ValueSets.cpp - value-set inference -----------------------------===//

#include "ir/ValueSets.h"
#include "ir/Description.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

using namespace rasp::ir;

//===----------------------------------------------------------------------===//
// Means
//===----------------------------------------------------------------------===//

/// Work beyond which a set counts as too large: additions of two numbers.
static constexpr double maxSumWork = 1 << 26;

/// Visits all sums of 2..maxCount significands, count by count. They are kept
/// as a bit set over multiples of their greatest divisor where those are few.
/// False if it would take too long.
static bool visitSums(llvm::ArrayRef<int64_t> values, unsigned maxCount,
                      llvm::function_ref<bool(__int128, unsigned)> visit) {
  int64_t low = *llvm::min_element(values);
  uint64_t unit = 0;
  for (int64_t v : values)
    unit =
        std::gcd(unit, static_cast<uint64_t>(v) - static_cast<uint64_t>(low));
  if (unit == 0)
    return visit(__int128(2) * low, 2);
  std::vector<uint64_t> steps;
  for (int64_t v : values)
    steps.push_back((static_cast<uint64_t>(v) - static_cast<uint64_t>(low)) /
                    unit);
  uint64_t width = *llvm::max_element(steps);
  double work = 0;
  auto sumOf = [&](unsigned __int128 step, unsigned count) {
    return __int128(low) * count + static_cast<__int128>(step * unit);
  };
  if (static_cast<double>(width) * maxCount * maxCount *
          static_cast<double>(values.size()) <=
      maxSumWork) {
    std::vector<bool> sums{true};
    for (unsigned count = 1; count <= maxCount; ++count) {
      std::vector<bool> next(width * count + 1);
      for (uint64_t i = 0; i < sums.size(); ++i)
        if (sums[i])
          for (uint64_t step : steps)
            next[i + step] = true;
      sums = std::move(next);
      for (uint64_t i = 0; i < sums.size() && count > 1; ++i)
        if (sums[i] && !visit(sumOf(i, count), count))
          return false;
    }
    return true;
  }
  std::vector<unsigned __int128> sums{0};
  for (unsigned count = 1; count <= maxCount; ++count) {
    work +=
        static_cast<double>(sums.size()) * static_cast<double>(steps.size());
    if (work > maxSumWork / 16)
      return false;
    std::vector<unsigned __int128> next;
    for (unsigned __int128 sum : sums)
      for (uint64_t step : steps)
        next.push_back(sum + step);
    llvm::sort(next);
    next.erase(llvm::unique(next), next.end());
    sums = std::move(next);
    for (unsigned __int128 sum : sums)
      if (count > 1 && !visit(sumOf(sum, count), count))
        return false;
  }
  return true;
}

std::optional<std::vector<double>>
rasp::ir::means(llvm::ArrayRef<Value> values, unsigned maxCount, size_t limit) {
  if (values.empty() || maxCount < 2)
    return std::vector<double>();
  // The language averages the doubles themselves, not the decimals that they
  // stand for: 0.1 + 0.7 is less than 0.8.
  std::vector<int64_t> significands(values.size());
  std::optional<int> exponent = toFixedPoint(values, significands);
  if (!exponent)
    return std::nullopt;
  llvm::sort(significands);
  significands.erase(llvm::unique(significands), significands.end());
  std::vector<double> result;
  auto compact = [&] {
    llvm::sort(result);
    result.erase(llvm::unique(result), result.end());
    return result.size() <= limit;
  };
  bool complete =
      visitSums(significands, maxCount, [&](__int128 sum, unsigned count) {
        result.push_back(scaledMean(sum, count, *exponent));
        return result.size() <= 4 * limit || compact();
      });
  if (!complete || !compact())
    return std::nullopt;
  return result;
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

static void sortUnique(std::vector<Value> &values) {
  llvm::sort(values);
  values.erase(llvm::unique(values), values.end());
}

static void setBounds(NodeValues &result) {
  result.integral = llvm::all_of(result.values, [](const Value &value) {
    return value.isInt() || value.isBool();
  });
  result.numeric = llvm::all_of(
      result.values, [](const Value &value) { return value.isNumeric(); });
  bool first = true;
  for (const Value &value : result.values) {
    if (!value.isNumeric())
      continue;
    double d = value.toDouble();
    result.low = first ? d : std::min(result.low, d);
    result.high = first ? d : std::max(result.high, d);
    first = false;
  }
}

ValueSets::ValueSets(const Node *root, const Domain &domain, Diagnostics &diags,
                     KeptNodes kept, Limits limits,
                     const Observation *observation)
    : theDomain(domain), diags(diags), kept(std::move(kept)), limits(limits),
      observation(observation), selectorAnalysis(domain.causal) {
  std::vector<const Node *> nodes = reachable(root);
  for (const Node *node : nodes)
    for (const Node *operand : node->operands())
      if (users[operand].empty() || users[operand].back() != node)
        users[operand].push_back(node);
  for (const Node *node : nodes)
    if (node->isSop() && !results.contains(node))
      analyse(node);
  observation = nullptr;
  observed.clear();
  users.clear();
}

void ValueSets::analyse(const Node *node) {
  auto result = std::make_unique<NodeValues>();
  if (isLeaf(node->kind()))
    analyseLeaf(node, *result);
  else if (isElementwise(node->kind()))
    analyseElementwise(node, *result);
  else if (node->kind() == OpKind::Width)
    analyseWidth(node, *result);
  else
    analyseAggregate(node, *result);
  result->uniform = isUniform(node);
  bool isObserved =
      observation && observation->contains(node) && !isLeaf(node->kind());
  if (isObserved)
    restrict(node, *result, *observation);
  if (result->known)
    setBounds(*result);
  if (result->means && !isObserved)
    abridge(node, *result);
  results[node] = std::move(result);
}

std::optional<llvm::ArrayRef<Value>> ValueSets::valuesBeside(const Node *sop) {
  if (!results.contains(sop)) {
    std::vector<const Node *> nodes = reachable(sop);
    if (llvm::any_of(nodes, [&](const Node *node) {
          return llvm::is_contained(beingAbridged, node);
        }))
      return std::nullopt;
    for (const Node *node : nodes)
      if (node->isSop() && !results.contains(node))
        analyse(node);
  }
  const NodeValues &values = of(sop);
  if (!values.known)
    return std::nullopt;
  return llvm::ArrayRef(values.values);
}

/// The numbers within `slack` of the cut, and the nearest ones beyond.
static llvm::ArrayRef<double> around(const Cut &cut,
                                     llvm::ArrayRef<double> ascending) {
  const double *begin = llvm::lower_bound(ascending, cut.at - cut.slack);
  const double *end = llvm::upper_bound(ascending, cut.at + cut.slack);
  begin -= begin != ascending.begin();
  end += end != ascending.end();
  return {begin, end};
}

void ValueSets::abridge(const Node *node, NodeValues &result) {
  // A short list is as good, and may be added to others.
  constexpr size_t fewValues = 32;
  if (result.known && result.values.size() <= fewValues)
    return;
  beingAbridged.push_back(node);
  StepReaders found =
      findStepReaders(node, result.low, result.high, users,
                      [&](const Node *sop) { return valuesBeside(sop); });
  beingAbridged.pop_back();
  if (found.readers.empty() || (result.known && !found.complete))
    return;
  std::vector<double> listed, numbers = result.defaults;
  for (const Value &value : result.values)
    listed.push_back(value.toDouble());
  numbers.push_back(result.low);
  numbers.push_back(result.high);
  for (const Cut &cut : found.cuts) {
    if (result.known) {
      llvm::append_range(numbers, around(cut, listed));
    } else if (cut.slack < result.means->smallestGap() / 4) {
      llvm::append_range(numbers, result.means->around(cut.at, cut.slack));
    } else {
      return;
    }
  }
  llvm::sort(numbers);
  numbers.erase(llvm::unique(numbers), numbers.end());
  // What is read of a list should be much less than the list.
  constexpr size_t leastGain = 4;
  if (result.known && numbers.size() * leastGain > listed.size())
    return;
  result.values.clear();
  for (double number : numbers)
    result.values.push_back(Value::real(number));
  sortUnique(result.values);
  result.known = result.integral = false;
  makeSource(node, result);
  images.insert(found.images.begin(), found.images.end());
  stepReaders.insert(found.readers.begin(), found.readers.end());
}

bool ValueSets::decides(const Node *node, unsigned side) const {
  const NodeValues &operand = of(node->operand(side));
  return operand.known ||
         (operand.isAbridged() &&
          (images.contains(node) || stepReaders.contains({node, side})));
}

bool ValueSets::isUniform(const Node *node) {
  if (node->kind() == OpKind::Const)
    return true;
  if (isElementwise(node->kind()))
    return llvm::all_of(node->operands(), [&](const Node *operand) {
      return of(operand).uniform;
    });
  bool averagesOne = node->kind() == OpKind::Aggregate &&
                     of(node->operand(1)).uniform &&
                     selectorAnalysis.facts(node->operand(0)).neverEmpty;
  return averagesOne || selectorAnalysis.isUniform(node);
}

llvm::ArrayRef<uint32_t>
ValueSets::observedIndices(Source source, const Observation &observation) {
  if (!source)
    return observation.tokens();
  auto [it, isNew] = observed.try_emplace(source);
  if (isNew) {
    llvm::ArrayRef<Value> values = of(source).values;
    for (const Value &value : observation.of(source))
      it->second.push_back(static_cast<uint32_t>(
          llvm::lower_bound(values, value) - values.begin()));
  }
  return it->second;
}

void ValueSets::restrict(const Node *node, NodeValues &result,
                         const Observation &observation) {
  if (!isElementwise(node->kind())) {
    llvm::ArrayRef<Value> values = observation.of(node);
    result.values.assign(values.begin(), values.end());
    sortUnique(result.values);
    // Functions of a width are made of differences between neighbours.
    if (node->kind() == OpKind::Width)
      for (int64_t w = result.values.front().asInt(),
                   last = result.values.back().asInt();
           ++w < last;)
        result.values.push_back(Value::integer(w));
    sortUnique(result.values);
    result.known = true;
    makeSource(node, result);
    return;
  }
  if (!result.known || !result.hasTable)
    return;
  JointTable &table = result.table;
  std::vector<llvm::ArrayRef<uint32_t>> columns;
  for (Source source : table.sources)
    columns.push_back(observedIndices(source, observation));
  std::vector<bool> occurs(table.entries.size());
  for (size_t i = 0; i < observation.occasions(); ++i) {
    size_t entry = 0;
    for (auto [column, size] : llvm::zip(columns, table.sizes))
      entry = entry * size + column[i];
    occurs[entry] = true;
  }
  std::vector<int32_t> rank(result.values.size(), JointTable::impossible);
  for (size_t entry = 0; entry < occurs.size(); ++entry) {
    if (!occurs[entry])
      table.entries[entry] = JointTable::impossible;
    else if (table.entries[entry] != JointTable::impossible)
      rank[static_cast<size_t>(table.entries[entry])] = 0;
  }
  std::vector<Value> values;
  for (size_t i = 0; i < rank.size(); ++i)
    if (rank[i] == 0) {
      rank[i] = static_cast<int32_t>(values.size());
      values.push_back(result.values[i]);
    }
  result.values = std::move(values);
  for (int32_t &entry : table.entries)
    if (entry != JointTable::impossible)
      entry = rank[static_cast<size_t>(entry)];
}

const NodeValues &ValueSets::of(const Node *sop) const {
  auto it = results.find(sop);
  assert(it != results.end() && "node outside the analysed program");
  return *it->second;
}

llvm::ArrayRef<Value> ValueSets::valuesOf(Source source) const {
  return source ? llvm::ArrayRef<Value>(of(source).values)
                : llvm::ArrayRef<Value>(theDomain.vocabulary);
}

void ValueSets::makeSource(const Node *node, NodeValues &result) {
  result.table.sources = {node};
  result.table.sizes = {static_cast<uint32_t>(result.values.size())};
  result.table.entries.resize(result.values.size());
  std::iota(result.table.entries.begin(), result.table.entries.end(), 0);
}

void ValueSets::analyseLeaf(const Node *node, NodeValues &result) {
  switch (node->kind()) {
  case OpKind::Const:
    result.values = {node->value()};
    result.table.entries = {0};
    return;
  case OpKind::Indices:
    for (unsigned i = 0; i < theDomain.maxSeqLen; ++i)
      result.values.push_back(Value::integer(i));
    makeSource(node, result);
    return;
  default: {
    std::vector<Value> byToken;
    for (const Value &item : theDomain.vocabulary) {
      EvalResult value = tokenLeaf(node->kind(), item);
      if (!value) {
        llvm::SMRange range =
            node->ranges().empty() ? llvm::SMRange() : node->ranges().front();
        diags.emit(range, diag::LeafFails, std::string(mnemonic(node->kind())),
                   item.str());
        value = EvalResult(Value::integer(0));
      }
      byToken.push_back(value.value);
    }
    result.values = byToken;
    sortUnique(result.values);
    result.table.sources = {nullptr};
    result.table.sizes = {static_cast<uint32_t>(byToken.size())};
    for (const Value &value : byToken)
      result.table.entries.push_back(static_cast<int32_t>(
          llvm::lower_bound(result.values, value) - result.values.begin()));
    return;
  }
  }
}

bool ValueSets::compatible(llvm::ArrayRef<Source> sources,
                           llvm::ArrayRef<uint32_t> choice) const {
  // Positions lie before the end of the input.
  std::optional<int64_t> position, length;
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!sources[i])
      continue;
    if (sources[i]->kind() == OpKind::Indices)
      position = of(sources[i]).values[choice[i]].asInt();
    else if (selectorAnalysis.isLength(sources[i]))
      length = of(sources[i]).values[choice[i]].asInt();
  }
  return !position || !length || *position < *length;
}

/// The interval of an affine op on operands whose sets are not all known.
static bool affineBounds(const Node *node,
                         llvm::ArrayRef<const NodeValues *> operands,
                         NodeValues &result) {
  auto isConstant = [](const NodeValues *v) {
    return v->known && v->low == v->high;
  };
  const NodeValues &a = *operands[0];
  switch (node->kind()) {
  case OpKind::Neg:
    result.low = -a.high, result.high = -a.low;
    return true;
  case OpKind::Pos:
    result.low = a.low, result.high = a.high;
    return true;
  case OpKind::Add:
    result.low = a.low + operands[1]->low;
    result.high = a.high + operands[1]->high;
    return true;
  case OpKind::Sub:
    result.low = a.low - operands[1]->high;
    result.high = a.high - operands[1]->low;
    return true;
  case OpKind::Mul:
  case OpKind::Div: {
    const NodeValues &b = *operands[1];
    double factor, low, high;
    if (isConstant(&b)) {
      if (node->kind() == OpKind::Div && b.low == 0)
        return false;
      factor = node->kind() == OpKind::Div ? 1 / b.low : b.low;
      low = a.low, high = a.high;
    } else if (node->kind() == OpKind::Mul && isConstant(&a)) {
      factor = a.low, low = b.low, high = b.high;
    } else {
      return false;
    }
    result.low = std::min(low * factor, high * factor);
    result.high = std::max(low * factor, high * factor);
    return true;
  }
  default:
    return false;
  }
}

/// Whether an affine op on integers has integers as results. Floats with
/// integral values do not count: readers may tell 2.0 from 2.
static bool isIntegralAffine(const Node *node,
                             llvm::ArrayRef<const NodeValues *> operands) {
  return node->kind() != OpKind::Div &&
         llvm::all_of(operands,
                      [](const NodeValues *v) { return v->integral; });
}

void ValueSets::analyseElementwise(const Node *node, NodeValues &result) {
  llvm::SmallVector<const NodeValues *, 3> operands;
  bool decided = true;
  for (auto [side, operand] : llvm::enumerate(node->operands())) {
    operands.push_back(&of(operand));
    decided &= decides(node, static_cast<unsigned>(side));
  }
  auto giveUp = [&] {
    result.values.clear();
    result.table = JointTable();
    result.hasTable = false;
    result.known = false;
    result.numeric = llvm::all_of(
        operands, [](const NodeValues *operand) { return operand->numeric; });
    if (result.numeric && affineBounds(node, operands, result)) {
      // Sums of integers fill an interval, or are taken to.
      result.integral = isIntegralAffine(node, operands);
      double count = result.high - result.low + 1;
      if (result.integral && count <= static_cast<double>(limits.values)) {
        result.known = true;
        for (double d = result.low; d <= result.high; ++d)
          result.values.push_back(Value::integer(static_cast<int64_t>(d)));
      }
    } else {
      result.low = -std::numeric_limits<double>::infinity();
      result.high = std::numeric_limits<double>::infinity();
    }
  };
  if (!decided)
    return giveUp();

  // The joint sources; an operand whose sources are too many is its own
  // source, which forgets what it has in common with the others.
  llvm::SmallVector<bool, 3> cut;
  for (const NodeValues *operand : operands)
    cut.push_back(!operand->hasTable);
  for (size_t i = 0; i < operands.size(); ++i)
    cut[i] |= operands[i]->known && kept.contains(node->operand(i));
  JointTable &table = result.table;
  auto join = [&] {
    table.sources.clear();
    table.sizes.clear();
    for (size_t i = 0; i < operands.size(); ++i) {
      llvm::SmallVector<Source, 3> own;
      if (cut[i])
        own = {node->operand(i)};
      else
        own = operands[i]->table.sources;
      for (Source source : own)
        if (!llvm::is_contained(table.sources, source))
          table.sources.push_back(source);
    }
    llvm::sort(table.sources, [](Source a, Source b) {
      return (a ? a->id() + 1 : 0) < (b ? b->id() + 1 : 0);
    });
    double product = 1;
    for (Source source : table.sources) {
      table.sizes.push_back(static_cast<uint32_t>(valuesOf(source).size()));
      product *= table.sizes.back();
    }
    return product;
  };
  while (join() > static_cast<double>(limits.combinations)) {
    // Cut the operand that saves most.
    double best = 1;
    std::optional<size_t> choice;
    for (size_t i = 0; i < operands.size(); ++i) {
      const Node *operand = node->operand(i);
      bool isSource = llvm::is_contained(operands[i]->table.sources, operand);
      if (cut[i] || isSource || !operands[i]->known ||
          operand->kind() == OpKind::Const)
        continue;
      double own = 1;
      for (uint32_t size : operands[i]->table.sizes)
        own *= size;
      double saving = own / static_cast<double>(operands[i]->values.size());
      if (saving > best) {
        best = saving;
        choice = i;
      }
    }
    if (!choice)
      return giveUp();
    cut[*choice] = true;
  }

  // Strides of each operand's table within the joint one.
  size_t numSources = table.sources.size();
  size_t total = 1;
  for (uint32_t size : table.sizes)
    total *= size;
  llvm::SmallVector<llvm::SmallVector<size_t, 3>, 3> strides(operands.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    strides[i].assign(numSources, 0);
    size_t stride = 1;
    if (cut[i]) {
      auto at = llvm::find(table.sources, node->operand(i));
      strides[i][at - table.sources.begin()] = 1;
      continue;
    }
    const JointTable &own = operands[i]->table;
    for (size_t k = own.sources.size(); k-- > 0;) {
      auto at = llvm::find(table.sources, own.sources[k]);
      strides[i][at - table.sources.begin()] = stride;
      stride *= own.sizes[k];
    }
  }

  // Results are numbered as they appear and renumbered when the set is sorted.
  llvm::DenseMap<std::pair<uint64_t, unsigned>, int32_t> numbers;
  auto numberOf = [&](const Value &value) {
    uint64_t payload = 0;
    if (value.isString())
      payload = reinterpret_cast<uintptr_t>(value.asString().data());
    else if (value.isFloat())
      payload = llvm::bit_cast<uint64_t>(value.asFloat());
    else
      payload = static_cast<uint64_t>(value.toInt());
    // The two reserved keys of the map never collide with small kinds.
    auto [it, isNew] =
        numbers.try_emplace({payload, static_cast<unsigned>(value.kind())},
                            static_cast<int32_t>(result.values.size()));
    if (isNew)
      result.values.push_back(value);
    return it->second;
  };

  table.entries.resize(total);
  llvm::SmallVector<uint32_t, 3> choice(numSources, 0);
  llvm::SmallVector<size_t, 3> offsets(operands.size(), 0);
  llvm::SmallVector<Value, 3> arguments(operands.size());
  bool related = numSources > 1;
  for (size_t entry = 0; entry < total; ++entry) {
    int32_t &out = table.entries[entry];
    out = JointTable::impossible;
    bool possible = !related || compatible(table.sources, choice);
    for (size_t i = 0; i < operands.size() && possible; ++i) {
      int32_t at = cut[i] ? static_cast<int32_t>(offsets[i])
                          : operands[i]->table.entries[offsets[i]];
      possible = at != JointTable::impossible;
      if (possible)
        arguments[i] = operands[i]->values[static_cast<size_t>(at)];
    }
    if (possible) {
      EvalResult value = evaluate(node, arguments);
      if (value) {
        out = numberOf(value.value);
      } else if (!result.partial) {
        result.partial = true;
        result.failure = value.failure;
        result.failingOperands.assign(arguments.begin(), arguments.end());
      }
    }
    for (size_t k = numSources; k-- > 0;) {
      ++choice[k];
      for (size_t i = 0; i < operands.size(); ++i)
        offsets[i] += strides[i][k];
      if (choice[k] < table.sizes[k])
        break;
      for (size_t i = 0; i < operands.size(); ++i)
        offsets[i] -= strides[i][k] * table.sizes[k];
      choice[k] = 0;
    }
    if (result.values.size() > limits.values)
      return giveUp();
  }

  std::vector<int32_t> order(result.values.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int32_t a, int32_t b) {
    return result.values[static_cast<size_t>(a)] <
           result.values[static_cast<size_t>(b)];
  });
  std::vector<int32_t> rank(order.size());
  std::vector<Value> sorted;
  for (size_t i = 0; i < order.size(); ++i) {
    rank[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
    sorted.push_back(result.values[static_cast<size_t>(order[i])]);
  }
  result.values = std::move(sorted);
  for (int32_t &entry : table.entries)
    if (entry != JointTable::impossible)
      entry = rank[static_cast<size_t>(entry)];
  if (images.contains(node)) {
    setBounds(result);
    result.integral = false;
    result.known = false;
  }
}

void ValueSets::analyseWidth(const Node *node, NodeValues &result) {
  const SelectorFacts &facts = selectorAnalysis.facts(node->operand(0));
  int64_t low = facts.neverEmpty ? 1 : 0;
  int64_t high = theDomain.maxSeqLen;
  if (facts.neverSelf)
    --high;
  if (facts.atMostOneKey)
    high = std::min<int64_t>(high, 1);
  for (int64_t w = low; w <= high; ++w)
    result.values.push_back(Value::integer(w));
  makeSource(node, result);
}

void ValueSets::analyseAggregate(const Node *node, NodeValues &result) {
  const SelectorFacts &facts = selectorAnalysis.facts(node->operand(0));
  const NodeValues &inputs = of(node->operand(1));
  const Value &missing = node->value();
  bool numeric = llvm::any_of(inputs.values, [](const Value &value) {
    return value.isInt() || value.isFloat();
  });
  if (!inputs.known) {
    result.known = false;
    result.numeric = inputs.numeric && missing.isNumeric();
    result.low = inputs.low, result.high = inputs.high;
    if (!facts.neverEmpty && missing.isNumeric()) {
      result.low = std::min(result.low, missing.toDouble());
      result.high = std::max(result.high, missing.toDouble());
    }
    // Moved, or the mean of equal numbers.
    if (result.numeric && (facts.atMostOneKey || inputs.uniform)) {
      result.means = inputs.means;
      result.defaults = inputs.defaults;
      if (!facts.neverEmpty)
        result.defaults.push_back(missing.toDouble());
    }
    return;
  }
  result.values = inputs.values;
  if (!facts.neverEmpty)
    result.values.push_back(missing);
  // Several strings or bools cannot be averaged: inputs on which that happens
  // have no result, so nothing joins the set.
  if (numeric && !facts.atMostOneKey && inputs.uniform) {
    // The mean of equal numbers is that number, but a float.
    for (const Value &value : inputs.values)
      if (value.isNumeric() && theDomain.maxSeqLen > 1)
        result.values.push_back(Value::real(value.toDouble()));
  } else if (numeric && !facts.atMostOneKey) {
    std::vector<Value> numbers;
    for (const Value &value : inputs.values)
      if (value.isNumeric())
        numbers.push_back(value);
    unsigned maxCount =
        facts.neverSelf ? theDomain.maxSeqLen - 1 : theDomain.maxSeqLen;
    if (inputs.numeric && missing.isNumeric())
      result.means = MeanSet::of(numbers, maxCount);
    if (!facts.neverEmpty && missing.isNumeric())
      result.defaults = {missing.toDouble()};
    std::optional<std::vector<double>> averages =
        means(numbers, maxCount, limits.values);
    if (!averages) {
      setBounds(result);
      result.integral = false;
      result.known = false;
      result.values.clear();
      return;
    }
    for (double average : *averages)
      result.values.push_back(Value::real(average));
  }
  sortUnique(result.values);
  makeSource(node, result);
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// "`a` with 26 values and `b` with 676, so up to 17576 together".
std::string ValueSets::describeOperands(const Node *node) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  double together = 1;
  unsigned counted = 0;
  for (const Node *operand : node->operands()) {
    if (operand->isSelector() || operand->kind() == OpKind::Const)
      continue;
    const NodeValues &values = of(operand);
    os << (text.empty() ? "" : " and ") << describe(operand) << " with ";
    if (!values.known)
      os << "too many values";
    else
      os << values.values.size()
         << (values.values.size() == 1 ? " value" : " values");
    together *= values.known ? static_cast<double>(values.values.size()) : 0;
    counted += values.values.size() != 1;
  }
  if (node->kind() == OpKind::Aggregate)
    os << ", averaged over up to " << theDomain.maxSeqLen << " positions";
  else if (counted > 1 && together > 0)
    os << llvm::formatv(", so up to {0:f0} together", together);
  return text;
}

void ValueSets::reportTooLarge(const Node *sop, llvm::StringRef reader,
                               Diagnostics &diags) const {
  auto rangeOf = [](const Node *node) {
    return node->ranges().empty() ? llvm::SMRange() : node->ranges().front();
  };
  diags.emit(rangeOf(sop), diag::ValueSetTooLarge, describe(sop), limits.values,
             reader.str());
  // From the op that is asked for down to the one that first grew too large,
  // and on to what made that large.
  constexpr unsigned mostSteps = 16;
  constexpr size_t fewValues = 256;
  const Node *node = sop;
  for (unsigned steps = 0; node && steps < mostSteps; ++steps) {
    const Node *largest = nullptr;
    size_t most = fewValues;
    for (const Node *operand : node->operands()) {
      if (operand->isSelector())
        continue;
      const NodeValues &values = of(operand);
      size_t size = values.known ? values.values.size() : SIZE_MAX;
      if (size > most) {
        most = size;
        largest = operand;
      }
    }
    if (llvm::all_of(node->operands(), std::mem_fn(&Node::isSelector)))
      return;
    diags.emit(rangeOf(node), diag::ValueSetGrowth, describe(node),
               std::string(mnemonic(node->kind())), describeOperands(node));
    node = largest;
  }
}
