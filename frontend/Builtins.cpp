//===- frontend/Builtins.cpp - select, aggregate, range, zip, len ---------===//

#include "frontend/Evaluator.h"

using namespace rasp;
using namespace rasp::frontend;

Object Evaluator::evaluate(const ast::Select *select) {
  Object key = evaluate(select->key), query = evaluate(select->query);
  const ir::Node *keyNode = toSop(select->key, key);
  const ir::Node *queryNode = toSop(select->query, query);
  if (!keyNode || !queryNode)
    return {};
  return program.select(keyNode, queryNode, select->compare,
                        place(select->range));
}

Object Evaluator::evaluate(const ast::Aggregate *aggregate) {
  Object selector = evaluate(aggregate->selector);
  Object values = evaluate(aggregate->values);
  Object defaultValue = ir::Value::integer(0);
  if (aggregate->defaultValue)
    defaultValue = evaluate(aggregate->defaultValue);

  const ir::Node *selectorNode = toSelector(aggregate->selector, selector);
  const ir::Node *valuesNode = toSop(aggregate->values, values);
  if (!defaultValue.isAtom())
    return failOn(aggregate->defaultValue, defaultValue,
                  ir::diag::AtomExpected);
  if (!selectorNode || !valuesNode)
    return {};
  return program.aggregate(selectorNode, valuesNode, defaultValue.atom(),
                           place(aggregate->range));
}

Object Evaluator::contains(const ir::Node *sop, const ir::Value &value,
                           llvm::SMRange range) {
  llvm::SMRange where = place(range);
  const ir::Node *equal = program.select(sop, program.constant(value, where),
                                         ir::CompareOp::Eq, where);
  const ir::Node *operands[] = {program.width(equal, where),
                                program.constant(ir::Value::integer(0), where)};
  return program.elementwise(ir::OpKind::Gt, operands, where);
}

Object Evaluator::evaluate(const ast::Range *range) {
  llvm::SmallVector<int64_t, 3> bounds;
  bool good = true;
  for (const ast::Expression *argument : range->arguments) {
    Object bound = evaluate(argument);
    if (bound.isAtom() && (bound.atom().isInt() || bound.atom().isBool())) {
      bounds.push_back(bound.atom().toInt());
      continue;
    }
    failOn(argument, bound, ir::diag::IntExpected);
    good = false;
  }
  if (!good)
    return {};

  int64_t begin = bounds.size() > 1 ? bounds[0] : 0;
  int64_t end = bounds.size() > 1 ? bounds[1] : bounds[0];
  int64_t step = bounds.size() > 2 ? bounds[2] : 1;
  if (step == 0)
    return fail(range->arguments[2]->range, ir::diag::ZeroStep);
  bool empty = step > 0 ? begin >= end : begin <= end;
  // Unsigned, since the distance of two ints need not fit an int.
  uint64_t distance = step > 0 ? uint64_t(end) - uint64_t(begin)
                               : uint64_t(begin) - uint64_t(end);
  uint64_t stride = step > 0 ? uint64_t(step) : -uint64_t(step);
  uint64_t count = empty ? 0 : (distance - 1) / stride + 1;
  if (count > maxElements)
    return fail(range->range, ir::diag::TooLong, "list", maxElements);
  std::vector<Object> items;
  items.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    items.push_back(
        ir::Value::integer(int64_t(uint64_t(begin) + i * uint64_t(step))));
  return makeList(std::move(items), range->range);
}

Object Evaluator::evaluate(const ast::Zip *zip) {
  std::vector<Object> lists;
  bool good = true;
  for (const ast::Expression *argument : zip->lists) {
    lists.push_back(evaluate(argument));
    good &= lists.back().isList();
    if (!lists.back().isList())
      failOn(argument, lists.back(), ir::diag::ListExpected);
  }
  if (!good)
    return {};
  size_t length = lists.front().list().items.size();
  for (auto [list, argument] : llvm::zip_equal(lists, zip->lists))
    if (list.list().items.size() != length)
      return fail(argument->range, ir::diag::ZipLengths,
                  list.list().items.size(), length);

  std::vector<Object> rows;
  for (size_t i = 0; i < length; ++i) {
    std::vector<Object> row;
    for (const Object &list : lists)
      row.push_back(list.list().items[i]);
    rows.push_back(makeList(std::move(row), zip->range));
  }
  return makeList(std::move(rows), zip->range);
}

Object Evaluator::evaluate(const ast::Len *len) {
  Object list = evaluate(len->list);
  if (!list.isList())
    return failOn(len->list, list, ir::diag::ListExpected);
  return ir::Value::integer(list.list().items.size());
}
