//===- ir/Ranks.cpp - positions in a sorted order -------------------------===//

#include "ir/Ranks.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

namespace {
/// `x == x and ... and z < z`: what must agree, and what decides.
struct Level {
  llvm::SmallVector<const Node *, 2> equal;
  const Node *order = nullptr;
};
} // namespace

/// Orders by many keys are not written by people.
static constexpr size_t maxLevels = 8;

/// The operands of nested ops of one kind; empty if they are many.
static llvm::SmallVector<const Node *, 8> flatten(const Node *root,
                                                  OpKind kind) {
  llvm::SmallVector<const Node *, 8> work{root}, leaves;
  for (size_t i = 0; i < work.size(); ++i) {
    if (work.size() > 2 * maxLevels)
      return {};
    if (work[i]->kind() == kind)
      work.append(work[i]->operands().begin(), work[i]->operands().end());
    else
      leaves.push_back(work[i]);
  }
  return leaves;
}

static std::optional<Level> levelOf(const Node *selector) {
  Level level;
  for (const Node *conjunct : flatten(selector, OpKind::SelAnd)) {
    if (conjunct->kind() != OpKind::Select ||
        conjunct->operand(0) != conjunct->operand(1))
      return std::nullopt;
    const Node *sop = conjunct->operand(0);
    if (conjunct->compare() == CompareOp::Eq) {
      if (!llvm::is_contained(level.equal, sop))
        level.equal.push_back(sop);
      continue;
    }
    bool strict = conjunct->compare() == CompareOp::Lt ||
                  conjunct->compare() == CompareOp::Gt;
    if (!strict || level.order)
      return std::nullopt;
    level.order = sop;
  }
  if (!level.order)
    return std::nullopt;
  return level;
}

bool rasp::ir::isRank(const Node *sop) {
  if (sop->kind() != OpKind::Add && sop->kind() != OpKind::Width)
    return false;
  llvm::SmallVector<Level, 2> levels;
  for (const Node *width : flatten(sop, OpKind::Add)) {
    if (width->kind() != OpKind::Width)
      return false;
    for (const Node *part : flatten(width->operand(0), OpKind::SelOr)) {
      std::optional<Level> level = levelOf(part);
      if (!level || levels.size() == maxLevels)
        return false;
      levels.push_back(std::move(*level));
    }
  }
  if (levels.empty())
    return false;
  // Each level decides among positions that agree in all orders before it.
  llvm::sort(levels, [](const Level &a, const Level &b) {
    return a.equal.size() < b.equal.size();
  });
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].equal.size() != i ||
        llvm::any_of(
            llvm::ArrayRef(levels).take_front(i), [&](const Level &before) {
              return !llvm::is_contained(levels[i].equal, before.order);
            }))
      return false;
  }
  return levels.back().order->kind() == OpKind::Indices;
}
