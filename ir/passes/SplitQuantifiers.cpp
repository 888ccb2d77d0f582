//===- ir/passes/SplitQuantifiers.cpp - means that say any or all ---------===//
//
// Of the mean of a condition a program often asks no more than whether the
// condition holds at any of the selected keys, or at all of them:
//
//   aggregate(s, indicator(a or b)) > 0
//   aggregate(s, indicator(a and b)) == 1
//
// The sum of `a` and `b` tells that as well, and need not be computed from both
// before it is averaged:
//
//   aggregate(s, indicator(a) + indicator(b)) > 0
//   aggregate(s, indicator(a) + indicator(b)) == 2
//
//
// One part for each set of aggregates and widths that the conditions are
// functions of. All but such means and what they average have the same values
// on every input. What is kept stays.
//
//===----------------------------------------------------------------------===//

#include "ir/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <optional>

using namespace rasp::ir;

namespace {
/// Aggregates, widths and kept s-ops that an s-op is a function of, by id.
using Scalars = std::vector<unsigned>;
using Users = llvm::DenseMap<const Node *, llvm::SmallVector<const Node *>>;

class Splitter {
public:
  Splitter(Module &module, Remarks *remarks)
      : program(module.program), outputs(module.outputs), kept(module.kept),
        remarks(remarks) {}
  llvm::DenseMap<const Node *, const Node *> run();

private:
  /// How a mean is split.
  struct Split {
    const Node *mean;     ///< of the sum of the parts
    const Node *constant; ///< what its readers compare it with
  };
  std::optional<Split> split(const Node *mean);
  /// What stands for `node` once its operands have been replaced.
  const Node *replace(const Node *node);
  /// Whether the mean is only compared with `number`.
  bool isComparedWith(const Node *mean, double number) const;
  bool isComparison(const Node *reader, double number) const;
  /// Says why `mean`, for which `own` stands, is not split though it has parts
  /// that are functions of different scalars.
  void tellWhole(const Node *mean, const Node *own);
  /// The conditions of which any (or all) must hold for `condition`.
  std::vector<const Node *> partsOf(const Node *condition, OpKind connective);
  const Scalars &scalarsOf(const Node *sop);

  Program &program;
  llvm::ArrayRef<const Node *> outputs;
  const llvm::DenseSet<const Node *> &kept;
  Remarks *remarks;
  Users users;
  llvm::DenseMap<const Node *, const Node *> replacements;
  llvm::DenseMap<const Node *, Split> splits;
  llvm::DenseMap<const Node *, Scalars> scalars;
};
} // namespace

static bool isNumber(const Node *node, double number) {
  return node->kind() == OpKind::Const && node->value().isNumeric() &&
         node->value().toDouble() == number;
}

static bool isComparison(OpKind kind) {
  switch (kind) {
  case OpKind::Eq:
  case OpKind::Ne:
  case OpKind::Lt:
  case OpKind::Le:
  case OpKind::Gt:
  case OpKind::Ge:
    return true;
  default:
    return false;
  }
}

/// What an s-op is 1 where it is true and 0 elsewhere of; null if there is no
/// such condition.
static const Node *conditionOf(const Node *sop) {
  if (sop->kind() == OpKind::Indicator)
    return sop->operand(0);
  if (sop->kind() == OpKind::Where && isNumber(sop->operand(1), 1) &&
      isNumber(sop->operand(2), 0))
    return sop->operand(0);
  return nullptr;
}

bool Splitter::isComparedWith(const Node *mean, double number) const {
  if (llvm::is_contained(outputs, mean))
    return false;
  return llvm::all_of(users.lookup(mean), [&](const Node *reader) {
    return isComparison(reader, number);
  });
}

bool Splitter::isComparison(const Node *reader, double number) const {
  return ::isComparison(reader->kind()) && !kept.contains(reader) &&
         llvm::any_of(reader->operands(), [&](const Node *operand) {
           return isNumber(operand, number);
         });
}

void Splitter::tellWhole(const Node *mean, const Node *own) {
  const Node *condition = conditionOf(mean->operand(1));
  if (!condition ||
      (condition->kind() != OpKind::Or && condition->kind() != OpKind::And) ||
      scalarsOf(condition->operand(0)) == scalarsOf(condition->operand(1)))
    return;
  std::string reader;
  if (llvm::is_contained(outputs, mean))
    reader = "the output";
  for (const Node *user : users.lookup(mean))
    if (reader.empty() && !isComparison(user, 0) && !isComparison(user, 1))
      reader =
          "`" +
          (user->name().empty() ? mnemonic(user->kind()) : user->name()).str() +
          "`";
  if (!reader.empty())
    remarks->push_back(makeRemark(own, diag::QuantifierWhole, reader));
}

std::vector<const Node *> Splitter::partsOf(const Node *condition,
                                            OpKind connective) {
  std::vector<const Node *> parts;
  struct Item {
    const Node *node;
    bool negated;
  };
  llvm::SmallVector<Item> work{{condition, false}};
  while (!work.empty()) {
    auto [node, negated] = work.pop_back_val();
    OpKind opposite = connective == OpKind::Or ? OpKind::And : OpKind::Or;
    bool isKept = kept.contains(node);
    if (!isKept && node->kind() == (negated ? opposite : connective)) {
      work.push_back({node->operand(1), negated});
      work.push_back({node->operand(0), negated});
    } else if (!isKept && node->kind() == OpKind::Not) {
      work.push_back({node->operand(0), !negated});
    } else {
      llvm::SMRange range =
          node->ranges().empty() ? llvm::SMRange() : node->ranges().front();
      const Node *part = replacements.at(node);
      parts.push_back(negated ? program.elementwise(OpKind::Not, part, range)
                              : part);
    }
  }
  return parts;
}

const Scalars &Splitter::scalarsOf(const Node *sop) {
  for (const Node *node : reachable(sop)) {
    if (!node->isSop() || scalars.contains(node))
      continue;
    Scalars own;
    if (kept.contains(node) || !isElementwise(node->kind())) {
      if (!isLeaf(node->kind()))
        own = {node->id()};
    } else {
      for (const Node *operand : node->operands())
        llvm::append_range(own, scalars.at(operand));
      llvm::sort(own);
      own.erase(llvm::unique(own), own.end());
    }
    scalars[node] = std::move(own);
  }
  return scalars.at(sop);
}

std::optional<Splitter::Split> Splitter::split(const Node *mean) {
  const Node *averaged = mean->operand(1);
  const Node *condition = conditionOf(averaged);
  if (!condition || !mean->value().isNumeric() || kept.contains(mean) ||
      kept.contains(averaged))
    return std::nullopt;
  bool any = isComparedWith(mean, 0);
  bool all = !any && !mean->value().isFloat() && isComparedWith(mean, 1);
  if (!any && !all)
    return std::nullopt;
  OpKind connective = any ? OpKind::Or : OpKind::And;

  std::map<Scalars, const Node *> groups;
  for (const Node *part : partsOf(condition, connective)) {
    const Node *&group = groups[scalarsOf(part)];
    group = group ? program.elementwise(connective, {group, part}) : part;
  }
  if (groups.size() < 2)
    return std::nullopt;
  const Node *sum = nullptr;
  for (auto &[sources, group] : groups) {
    llvm::SMRange range =
        group->ranges().empty() ? llvm::SMRange() : group->ranges().front();
    const Node *term = program.elementwise(OpKind::Indicator, group, range);
    sum = sum ? program.elementwise(OpKind::Add, {sum, term}) : term;
  }
  // All hold where the mean is the number of parts, which the default is as far
  // from as it was from 1.
  auto above = static_cast<int64_t>(any ? 0 : groups.size() - 1);
  Value missing = mean->value();
  if (above != 0)
    missing = Value::integer(missing.toInt() + above);
  const Node *selector = replacements.at(mean->operand(0));
  const Node *own = program.aggregate(selector, sum, missing);
  for (llvm::SMRange range : mean->ranges())
    program.aggregate(selector, sum, missing, range);
  if (remarks)
    remarks->push_back(makeRemark(own, diag::QuantifierSplit,
                                  any ? "anywhere" : "everywhere",
                                  groups.size()));
  return Split{own, program.constant(Value::integer(any ? 0 : 1 + above))};
}

const Node *Splitter::replace(const Node *node) {
  bool reads = llvm::any_of(node->operands(), [&](const Node *operand) {
    return splits.contains(operand);
  });
  llvm::SmallVector<const Node *, 3> operands;
  const Node *constant = nullptr;
  if (reads)
    for (const Node *operand : node->operands())
      if (auto found = splits.find(operand); found != splits.end())
        constant = found->second.constant;
  for (const Node *operand : node->operands())
    operands.push_back(reads && operand->kind() == OpKind::Const
                           ? constant
                           : replacements.at(operand));
  return program.withOperands(node, operands);
}

llvm::DenseMap<const Node *, const Node *> Splitter::run() {
  std::vector<const Node *> nodes = reachable(outputs);
  for (const Node *node : nodes)
    for (const Node *operand : node->operands())
      users[operand].push_back(node);
  for (const Node *node : nodes) {
    if (node->kind() == OpKind::Aggregate)
      if (std::optional<Split> own = split(node)) {
        splits.try_emplace(node, *own);
        replacements[node] = own->mean;
        continue;
      }
    replacements[node] = replace(node);
    if (remarks && node->kind() == OpKind::Aggregate)
      tellWhole(node, replacements[node]);
  }
  return std::move(replacements);
}

bool rasp::ir::splitQuantifiers(Module &module, PassContext &context) {
  return module.replace(Splitter(module, context.remarks).run());
}
