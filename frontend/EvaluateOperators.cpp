//===- frontend/EvaluateOperators.cpp - operators -------------------------===//

#include "frontend/Evaluator.h"
#include "ir/Elementwise.h"

using namespace rasp;
using namespace rasp::frontend;
using ir::OpKind;

/// Strings made while the program is read are kept; they must not explode.
static constexpr size_t maxStringLength = 1000000;

Object Evaluator::onAtoms(OpKind op, llvm::ArrayRef<ir::Value> operands,
                          llvm::SMRange range) {
  if (op == OpKind::Add && operands[0].isString() && operands[1].isString() &&
      operands[0].asString().size() + operands[1].asString().size() >
          maxStringLength)
    return fail(range, ir::diag::TooLong, "string", maxStringLength);
  if (op == OpKind::Mul && operands[0].isString() != operands[1].isString()) {
    bool first = operands[0].isString();
    const ir::Value &text = operands[!first], &count = operands[first];
    if ((count.isInt() || count.isBool()) &&
        count.toInt() > int64_t(maxStringLength) && !text.asString().empty())
      return fail(range, ir::diag::TooLong, "string", maxStringLength);
    if ((count.isInt() || count.isBool()) && count.toInt() > 0 &&
        text.asString().size() > maxStringLength / count.toInt())
      return fail(range, ir::diag::TooLong, "string", maxStringLength);
  }
  ir::EvalResult result = ir::evaluate(op, operands);
  if (result)
    return result.value;
  if (isFirstReport(place(range), ir::diag::OperationFails.name)) {
    diags
        .emit(place(range), ir::diag::OperationFails,
              ir::explain(result.failure, op, operands))
        .category = ir::categoryName(result.failure);
    noteCalls();
  }
  return {};
}

Object Evaluator::evaluate(const ast::Unary *unary) {
  Object operand = evaluate(unary->operand);
  if (operand.isError())
    return {};
  if (unary->op == OpKind::Indicator && !operand.isSop())
    return failOn(unary->operand, operand, ir::diag::SopExpected);
  if (operand.isSop())
    return program.elementwise(unary->op, operand.node(), place(unary->range));
  if (unary->op == OpKind::Not) {
    if (operand.isSelector())
      return program.selectorNot(operand.node(), place(unary->range));
    return ir::Value::boolean(!isTruthy(operand));
  }
  if (operand.isAtom())
    return onAtoms(unary->op, operand.atom(), unary->range);
  return failOn(unary->operand, operand,
                operand.isSelector() ? ir::diag::SelectorAsValue
                                     : ir::diag::NotAValue);
}

/// Left operands first, in a loop: chains of operators can be very long.
Object Evaluator::evaluate(const ast::Binary *binary) {
  llvm::SmallVector<const ast::Binary *, 4> chain;
  const ast::Expression *first = binary;
  while (auto *inner = llvm::dyn_cast<ast::Binary>(first)) {
    chain.push_back(inner);
    first = inner->left;
  }
  Object result = evaluate(first);
  for (const ast::Binary *link : llvm::reverse(chain)) {
    if (!spend(1, link->range))
      return {};
    Object right = evaluate(link->right);
    result = result.isError() || right.isError() ? Object()
                                                 : apply(link, result, right);
  }
  return result;
}

Object Evaluator::apply(const ast::Binary *binary, const Object &left,
                        const Object &right) {
  if (binary->op == OpKind::In)
    return membership(binary, left, right);
  if (binary->op == OpKind::And || binary->op == OpKind::Or)
    return logical(binary, left, right);

  if (left.isAtom() && right.isAtom())
    return onAtoms(binary->op, {left.atom(), right.atom()}, binary->range);
  if (left.isSelector())
    return failOn(binary->left, left, ir::diag::SelectorAsValue);
  if (right.isSelector())
    return failOn(binary->right, right, ir::diag::SelectorAsValue);

  if (left.isSop() || right.isSop()) {
    const Object &other = left.isSop() ? right : left;
    if (binary->op == OpKind::Eq && !other.isSop() && !other.isAtom()) {
      report(binary->range, ir::diag::NeverEqual, other.describe());
      return program.constant(ir::Value::boolean(false), place(binary->range));
    }
    const ir::Node *operands[] = {toSop(binary->left, left),
                                  toSop(binary->right, right)};
    if (!operands[0] || !operands[1])
      return {};
    return program.elementwise(binary->op, operands, place(binary->range));
  }
  return onLists(binary, left, right);
}

/// At least one of the two is a list, a dict or a function.
Object Evaluator::onLists(const ast::Binary *binary, const Object &left,
                          const Object &right) {
  if (binary->op == OpKind::Eq)
    return ir::Value::boolean(equal(left, right));
  if (binary->op == OpKind::Add && left.isList() && right.isList()) {
    std::vector<Object> items = left.list().items;
    items.insert(items.end(), right.list().items.begin(),
                 right.list().items.end());
    return makeList(std::move(items), binary->range);
  }
  if (binary->op == OpKind::Mul && left.isList() != right.isList()) {
    const List &list = left.isList() ? left.list() : right.list();
    const Object &times = left.isList() ? right : left;
    if (times.isAtom() && (times.atom().isInt() || times.atom().isBool())) {
      int64_t count = std::max<int64_t>(times.atom().toInt(), 0);
      std::vector<Object> items;
      if (!list.items.empty() && count > int64_t(maxElements))
        return fail(binary->range, ir::diag::TooLong, "list", maxElements);
      if (list.items.size() * count > maxElements)
        return fail(binary->range, ir::diag::TooLong, "list", maxElements);
      for (int64_t i = 0; i < count && !list.items.empty(); ++i)
        items.insert(items.end(), list.items.begin(), list.items.end());
      return makeList(std::move(items), binary->range);
    }
  }
  return fail(binary->opRange, ir::diag::OperandKinds,
              ast::spelling(binary->op), left.describe(), right.describe(),
              left.isFunction() || right.isFunction()
                  ? "functions can be called and compared"
              : left.isDict() || right.isDict()
                  ? "dicts can be indexed and compared"
                  : "lists can be added to lists and multiplied by ints");
}

Object Evaluator::logical(const ast::Binary *binary, const Object &left,
                          const Object &right) {
  bool isAnd = binary->op == OpKind::And;
  if (left.isSelector() && right.isSelector())
    return isAnd ? program.selectorAnd(left.node(), right.node(),
                                       place(binary->range))
                 : program.selectorOr(left.node(), right.node(),
                                      place(binary->range));
  if (left.isSelector())
    return failOn(binary->right, right, ir::diag::ValueAsSelector);
  if (right.isSelector())
    return failOn(binary->left, left, ir::diag::ValueAsSelector);
  if (left.isSop() || right.isSop()) {
    const ir::Node *operands[] = {toSop(binary->left, left),
                                  toSop(binary->right, right)};
    if (!operands[0] || !operands[1])
      return {};
    return program.elementwise(binary->op, operands, place(binary->range));
  }
  return isTruthy(left) == isAnd ? right : left;
}

Object Evaluator::membership(const ast::Binary *binary, const Object &left,
                             const Object &right) {
  constexpr llvm::StringLiteral rule =
      "it asks whether an s-op or atom is in a list of atoms, or an atom in an "
      "s-op";
  if (left.isAtom() && right.isSop())
    return contains(right.node(), left.atom(), binary->range);
  if (!right.isList() || !(left.isSop() || left.isAtom()))
    return fail(binary->opRange, ir::diag::OperandKinds, "in", left.describe(),
                right.describe(), rule);

  ir::Table table;
  bool found = false;
  for (const Object &item : right.list().items) {
    if (item.isError())
      return {};
    if (item.isSop() || item.isSelector() || (left.isSop() && !item.isAtom()))
      return fail(binary->right->range, ir::diag::OperandKinds, "in",
                  left.describe(), "a list with " + item.describe(), rule);
    if (left.isSop())
      table.values.push_back(item.atom());
    else
      found |= equal(left, item);
  }
  if (left.isAtom())
    return ir::Value::boolean(found);
  return program.in(left.node(), std::move(table), place(binary->range));
}
