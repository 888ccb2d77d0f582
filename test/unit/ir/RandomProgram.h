//===- test/unit/ir/RandomProgram.h - small random programs -----*- C++ -*-===//
//
// Grows a random graph of ops over a vocabulary of small ints, typed well
// enough that most of its ops have a value on most inputs. For tests that
// compare what an analysis claims with all inputs there are.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_UNIT_IR_RANDOMPROGRAM_H
#define RASP_TEST_UNIT_IR_RANDOMPROGRAM_H

#include "ir/Interpreter.h"
#include "ir/Program.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <random>

namespace rasp::ir {

class RandomProgram {
public:
  explicit RandomProgram(unsigned seed) : random(seed) {
    const Node *one = program.constant(Value::integer(1));
    selectors.push_back(program.select(one, one, CompareOp::Eq));
    numbers = {program.leaf(OpKind::TokensInt), program.leaf(OpKind::Indices),
               program.width(selectors[0]), one,
               program.constant(Value::integer(2))};
    strings = {program.leaf(OpKind::TokensStr)};
    truths = {program.elementwise(OpKind::Eq, {numbers[0], numbers[1]})};
  }

  void grow(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i)
      step();
  }

  Program program;
  std::vector<const Node *> numbers, strings, truths, selectors;

private:
  unsigned below(unsigned bound) { return random() % bound; }
  const Node *any(const std::vector<const Node *> &nodes) {
    return nodes[below(nodes.size())];
  }
  CompareOp anyCompare() { return static_cast<CompareOp>(below(6)); }

  void step() {
    switch (below(12)) {
    case 0: {
      const OpKind kinds[] = {OpKind::Add, OpKind::Sub, OpKind::Mul,
                              OpKind::Mod, OpKind::Div};
      numbers.push_back(
          program.elementwise(kinds[below(5)], {any(numbers), any(numbers)}));
      return;
    }
    case 1: {
      const OpKind kinds[] = {OpKind::Eq, OpKind::Ne, OpKind::Lt,
                              OpKind::Le, OpKind::Gt, OpKind::Ge};
      truths.push_back(
          program.elementwise(kinds[below(6)], {any(numbers), any(numbers)}));
      return;
    }
    case 2:
      truths.push_back(program.elementwise(below(2) ? OpKind::And : OpKind::Or,
                                           {any(truths), any(truths)}));
      return;
    case 3:
      numbers.push_back(program.elementwise(OpKind::Indicator, {any(truths)}));
      return;
    case 4:
      numbers.push_back(program.elementwise(
          OpKind::Where, {any(truths), any(numbers), any(numbers)}));
      return;
    case 5:
      strings.push_back(program.elementwise(
          OpKind::Where, {any(truths), any(strings), any(strings)}));
      return;
    case 6:
    case 7:
      selectors.push_back(
          below(3) ? program.select(any(numbers), any(numbers), anyCompare())
                   : program.select(any(strings), any(strings), anyCompare()));
      return;
    case 8:
      selectors.push_back(
          below(2) ? program.selectorAnd(any(selectors), any(selectors))
                   : program.selectorOr(any(selectors), any(selectors)));
      return;
    case 9:
      selectors.push_back(program.selectorNot(any(selectors)));
      return;
    case 10:
      numbers.push_back(program.width(any(selectors)));
      return;
    default:
      if (below(3))
        numbers.push_back(program.aggregate(any(selectors), any(numbers),
                                            Value::integer(below(3))));
      else
        strings.push_back(program.aggregate(any(selectors), any(strings),
                                            Value::string("?")));
    }
  }

  std::mt19937 random;
};

/// Calls `visit` for every non-empty input over `vocabulary` up to `maxLength`,
/// by token ids.
inline void forEachInput(
    llvm::ArrayRef<Value> vocabulary, unsigned maxLength,
    llvm::function_ref<void(llvm::ArrayRef<Value>, llvm::ArrayRef<size_t>)>
        visit) {
  for (unsigned length = 1; length <= maxLength; ++length) {
    std::vector<size_t> ids(length, 0);
    std::vector<Value> input(length, vocabulary[0]);
    for (;;) {
      visit(input, ids);
      unsigned i = length;
      while (i-- > 0) {
        ids[i] = (ids[i] + 1) % vocabulary.size();
        input[i] = vocabulary[ids[i]];
        if (ids[i] != 0)
          break;
      }
      if (i == ~0u)
        break;
    }
  }
}

} // namespace rasp::ir

#endif
