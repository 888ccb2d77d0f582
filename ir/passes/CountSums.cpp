//===- ir/passes/CountSums.cpp - means times widths are sums --------------===//
//
// A program that wants the sum of what a selector selects multiplies the mean
// by the number of keys, and rounds what the floats have lost:
//
//   round(aggregate(s, x) * selector_width(s))
//
// Pairs of a mean and a width are many; of ints, the sum is much less. Written
// as
//
//   5 * width(s and b5) + 2 * width(s and b2) + ...
//
// with selectors b of the keys whose x has the part 5, the part 2 ... (which
// add up to every value of x that occurs), it needs no division and takes the
// values that sums of ints can take.
//
// Products of which an operand or the result is kept stay.
//
//===----------------------------------------------------------------------===//

#include "ir/Interpreter.h"
#include "ir/Passes.h"
#include "ir/ValueSets.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <numeric>

using namespace rasp::ir;

namespace {
/// `weight * width(selector and x in members)`.
struct Part {
  int64_t weight;
  std::vector<Value> members;
};

class SumCounter {
public:
  SumCounter(Program &program, const Domain &domain,
             const llvm::DenseSet<const Node *> &kept, Remarks *remarks)
      : program(program), domain(domain), kept(kept), remarks(remarks),
        selectors(domain.causal) {}

  /// The counts that `rounded` is a sum of; null if it is none.
  const Node *sumFor(const Node *rounded);

private:
  bool isWidthOf(const Node *sop, const Node *selector);
  std::vector<Value> valuesOf(const Node *sop) const;
  /// Null if the mean is not of ints, or cheap enough.
  const Node *makeSum(const Node *mean, const Node *rounded);

  Program &program;
  const Domain &domain;
  const llvm::DenseSet<const Node *> &kept;
  Remarks *remarks;
  SelectorAnalysis selectors;
};
} // namespace

static bool dependsOnTokens(const Node *root) {
  return llvm::any_of(reachable(root), [](const Node *node) {
    return isLeaf(node->kind()) && node->kind() != OpKind::Indices &&
           node->kind() != OpKind::Const;
  });
}

bool SumCounter::isWidthOf(const Node *sop, const Node *selector) {
  if (sop->kind() == OpKind::Width && sop->operand(0) == selector)
    return true;
  if (selectors.isLength(sop) && selectors.facts(selector).alwaysTrue)
    return !domain.causal;
  // Where the tokens do not matter, one input of each length shows all.
  constexpr double mostSteps = 1 << 24;
  double longest = domain.maxSeqLen;
  if (dependsOnTokens(sop) || dependsOnTokens(selector) ||
      longest * longest * longest / 3 > mostSteps)
    return false;
  Interpreter::Options semantics;
  semantics.causal = domain.causal;
  const Node *roots[] = {sop, program.width(selector)};
  Interpreter interpreter(roots, semantics);
  Interpreter::State state(interpreter);
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    std::vector<Value> input(length, domain.vocabulary.front());
    llvm::ArrayRef<RootResult> results = interpreter.run(input, state);
    if (!results[0] || !results[1] ||
        !llvm::equal(results[0].values, results[1].values, pythonEqual))
      return false;
  }
  return true;
}

/// Empty if they are not known.
std::vector<Value> SumCounter::valuesOf(const Node *sop) const {
  llvm::SourceMgr sources;
  Diagnostics unseen(sources);
  ValueSets sets(sop, domain, unseen);
  return unseen.hasErrors() ? std::vector<Value>() : sets.of(sop).values;
}

/// Parts that each of `amounts`, none negative, is a sum of, and that together
/// are no more than the largest of them.
static void addParts(llvm::ArrayRef<std::pair<int64_t, Value>> amounts,
                     int64_t sign, std::vector<Part> &parts) {
  int64_t unit = 0, largest = 0;
  for (const auto &[amount, value] : amounts) {
    unit = std::gcd(unit, amount);
    largest = std::max(largest, amount);
  }
  llvm::SmallVector<int64_t> rests =
      llvm::to_vector(llvm::make_first_range(amounts));
  while (largest > 0) {
    int64_t half = (largest / unit + 1) / 2 * unit;
    Part part{sign * half, {}};
    for (auto [i, entry] : llvm::enumerate(amounts))
      if (rests[i] >= half) {
        rests[i] -= half;
        part.members.push_back(entry.second);
      }
    largest -= half;
    auto same = llvm::find_if(parts, [&](const Part &other) {
      return other.members == part.members;
    });
    if (same == parts.end())
      parts.push_back(std::move(part));
    else
      same->weight += part.weight;
  }
}

const Node *SumCounter::makeSum(const Node *mean, const Node *rounded) {
  llvm::SMRange range =
      rounded->ranges().empty() ? llvm::SMRange() : rounded->ranges().front();
  const Node *selector = mean->operand(0), *summed = mean->operand(1);
  std::vector<Value> values = valuesOf(summed);
  constexpr int64_t largestSummand = int64_t(1) << 24;
  if (values.empty() || llvm::any_of(values, [](const Value &value) {
        return !value.isInt() || std::abs(value.asInt()) > largestSummand;
      }))
    return nullptr;
  // What all have in common counts with every key.
  int64_t low = values.front().asInt(), high = values.back().asInt();
  int64_t common = low > 0 ? low : high < 0 ? high : 0;
  std::vector<std::pair<int64_t, Value>> above, below;
  for (const Value &value : values) {
    int64_t amount = value.asInt() - common;
    (amount < 0 ? below : above).emplace_back(std::abs(amount), value);
  }
  std::vector<Part> parts;
  addParts(above, 1, parts);
  addParts(below, -1, parts);
  // A head for each part, or a hidden unit for most pairs of sum and width.
  constexpr double unitsPerHead = 16;
  double span = static_cast<double>(high) - static_cast<double>(low);
  double pairs = span * (domain.maxSeqLen + 1) / 2;
  auto tell = [&](const Node *node, auto &kind) {
    if (remarks)
      remarks->push_back(
          makeRemark(node, kind, counted(parts.size() + (common != 0), "width"),
                     static_cast<uint64_t>(pairs)));
  };
  if (pairs <= unitsPerHead * static_cast<double>(parts.size())) {
    tell(rounded, diag::SumNotCounted);
    return nullptr;
  }

  const Node *sum = nullptr;
  auto add = [&](int64_t weight, const Node *counted) {
    const Node *term = program.width(counted, range);
    if (weight != 1)
      term = program.elementwise(
          OpKind::Mul, {program.constant(Value::integer(weight)), term}, range);
    sum = sum ? program.elementwise(OpKind::Add, {sum, term}, range) : term;
  };
  if (common != 0)
    add(common, selector);
  for (Part &part : parts) {
    bool isAll = part.members.size() == values.size();
    const Node *isMember =
        program.in(summed, {Table::List, {}, std::move(part.members)}, range);
    const Node *having = program.select(
        isMember, program.constant(Value::boolean(true)), CompareOp::Eq, range);
    add(part.weight,
        isAll ? selector : program.selectorAnd(selector, having, range));
  }
  tell(sum, diag::SumCounted);
  return sum;
}

const Node *SumCounter::sumFor(const Node *rounded) {
  if (rounded->kind() != OpKind::Round)
    return nullptr;
  const Node *product = rounded->operand(0);
  if (product->kind() != OpKind::Mul || kept.contains(product))
    return nullptr;
  for (unsigned side : {0, 1}) {
    const Node *mean = product->operand(side);
    if (mean->kind() != OpKind::Aggregate || kept.contains(mean) ||
        !mean->value().isNumeric() ||
        !isWidthOf(product->operand(1 - side), mean->operand(0)))
      continue;
    if (const Node *sum = makeSum(mean, rounded))
      return sum;
  }
  return nullptr;
}

bool rasp::ir::countSums(Module &module, PassContext &context) {
  if (!module.header.fixesInput()) {
    context.diags.emit({}, diag::InputNotFixed, "count-sums");
    return false;
  }
  Domain domain = module.header.domain();
  llvm::DenseMap<const Node *, const Node *> counted;
  SumCounter counter(module.program, domain, module.kept, context.remarks);
  for (const Node *node : reachable(module.outputs)) {
    llvm::SmallVector<const Node *, 3> operands;
    for (const Node *operand : node->operands())
      operands.push_back(counted.at(operand));
    const Node *own = module.program.withOperands(node, operands);
    const Node *sum = counter.sumFor(own);
    if (sum)
      module.program.setName(sum, own->name());
    counted[node] = sum ? sum : own;
  }
  return module.replace(counted);
}
