//===- backend/LinearForms.cpp - weighted sums of sources ---------------===//
//
// Which linear form of its sources decides what an s-op is: `(a + b) % 2`
// depends on a + b, `a < b` on a - b. Such forms are candidates for packing.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

std::optional<LinearForm> Lowering::linearForm(const Node *sop,
                                               llvm::ArrayRef<Source> sources,
                                               FormMemo &memo) {
  auto found = memo.find(sop);
  if (found != memo.end())
    return found->second;
  std::optional<LinearForm> form = computeForm(sop, sources, memo);
  memo[sop] = form;
  return form;
}

std::optional<LinearForm> Lowering::computeForm(const Node *sop,
                                                llvm::ArrayRef<Source> sources,
                                                FormMemo &memo) {
  const ir::NodeValues &values = sets.of(sop);
  if (llvm::is_contained(sources, sop))
    return LinearForm{{{sop, 1}}, 0};
  if (values.known && values.values.size() == 1 && values.values[0].isNumeric())
    return LinearForm{{}, values.values[0].toDouble()};
  auto combine = [&](double a, double b) -> std::optional<LinearForm> {
    auto left = linearForm(sop->operand(0), sources, memo);
    auto right = linearForm(sop->operand(1), sources, memo);
    if (!left || !right)
      return std::nullopt;
    LinearForm sum;
    sum.constant = a * left->constant + b * right->constant;
    for (auto [source, c] : left->coefficients)
      sum.coefficients.emplace_back(source, a * c);
    for (auto [source, c] : right->coefficients) {
      auto it = llvm::find_if(sum.coefficients, [&, s = source](auto &entry) {
        return entry.first == s;
      });
      if (it == sum.coefficients.end())
        sum.coefficients.emplace_back(source, b * c);
      else
        it->second += b * c;
    }
    llvm::erase_if(sum.coefficients,
                   [](auto &entry) { return entry.second == 0; });
    return sum;
  };
  auto scale = [&](const Node *operand,
                   double factor) -> std::optional<LinearForm> {
    auto form = linearForm(operand, sources, memo);
    if (!form)
      return std::nullopt;
    form->constant *= factor;
    for (auto &entry : form->coefficients)
      entry.second *= factor;
    return form;
  };
  auto constantOf = [&](const Node *operand) -> std::optional<double> {
    const ir::NodeValues &own = sets.of(operand);
    if (own.known && own.values.size() == 1 && own.values[0].isNumeric())
      return own.values[0].toDouble();
    return std::nullopt;
  };
  switch (sop->kind()) {
  case OpKind::TokensInt:
  case OpKind::TokensFloat:
    // The token stands for its number where the input consists of numbers.
    if (llvm::is_contained(sources, nullptr) &&
        llvm::all_of(sets.domain().vocabulary,
                     [](const ir::Value &v) { return v.isInt(); }))
      return LinearForm{{{nullptr, 1}}, 0};
    return std::nullopt;
  case OpKind::Pos:
    return linearForm(sop->operand(0), sources, memo);
  case OpKind::Neg:
    return scale(sop->operand(0), -1);
  case OpKind::Add:
    return combine(1, 1);
  case OpKind::Sub:
    return combine(1, -1);
  case OpKind::Mul:
    if (auto factor = constantOf(sop->operand(0)))
      return scale(sop->operand(1), *factor);
    if (auto factor = constantOf(sop->operand(1)))
      return scale(sop->operand(0), *factor);
    return std::nullopt;
  case OpKind::Div:
    if (auto divisor = constantOf(sop->operand(1)))
      if (*divisor != 0)
        return scale(sop->operand(0), 1 / *divisor);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::vector<LinearForm> Lowering::collectForms(const Node *sop,
                                               llvm::ArrayRef<Source> sources) {
  std::vector<LinearForm> forms;
  FormMemo memo;
  llvm::SmallVector<const Node *> work{sop};
  llvm::DenseMap<const Node *, bool> seen;
  auto add = [&](const std::optional<LinearForm> &form) {
    if (form && form->coefficients.size() > 1 && forms.size() < 8)
      forms.push_back(*form);
  };
  while (!work.empty() && seen.size() < 64) {
    const Node *node = work.pop_back_val();
    if (seen[node] || !ir::isElementwise(node->kind()) ||
        llvm::is_contained(sources, node))
      continue;
    seen[node] = true;
    if (auto form = linearForm(node, sources, memo)) {
      add(form);
      continue;
    }
    switch (node->kind()) {
    case OpKind::Eq:
    case OpKind::Ne:
    case OpKind::Lt:
    case OpKind::Le:
    case OpKind::Gt:
    case OpKind::Ge: {
      auto left = linearForm(node->operand(0), sources, memo);
      auto right = linearForm(node->operand(1), sources, memo);
      if (!left || !right)
        break;
      // The sign of the difference decides.
      LinearForm difference = *left;
      difference.constant -= right->constant;
      for (auto [source, c] : right->coefficients) {
        auto it = llvm::find_if(
            difference.coefficients,
            [&, s = source](auto &entry) { return entry.first == s; });
        if (it == difference.coefficients.end())
          difference.coefficients.emplace_back(source, -c);
        else
          it->second -= c;
      }
      add(difference);
      break;
    }
    default:
      break;
    }
    for (const Node *operand : node->operands())
      work.push_back(operand);
  }
  return forms;
}
