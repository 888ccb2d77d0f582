//===- test/unit/backend/SelectorFormulaTest.cpp --------------------------===//

#include "backend/SelectorFormula.h"
#include "gtest/gtest.h"

using namespace rasp;
using namespace rasp::backend;
using ir::CompareOp;
using ir::Node;

namespace {
class SelectorFormulaTest : public testing::Test {
protected:
  ir::Program program;
  ir::SelectorAnalysis analysis{false};
  const Node *tokens = program.leaf(ir::OpKind::TokensStr);
  const Node *indices = program.leaf(ir::OpKind::Indices);
  const Node *one = program.constant(ir::Value::integer(1));
  const Node *full = program.select(one, one, CompareOp::Eq);
  const Node *a = program.select(tokens, tokens, CompareOp::Eq);
  const Node *b = program.select(indices, indices, CompareOp::Lt);
  const Node *c = program.select(indices, one, CompareOp::Ge);

  std::string nameOf(const Node *select) {
    return select == a ? "a" : select == b ? "b" : "c";
  }
  std::string show(const Formula &formula) {
    switch (formula.kind) {
    case Formula::True:
      return "true";
    case Formula::False:
      return "false";
    case Formula::Compare:
      return (formula.op != formula.select->compare() ? "!" : "") +
             nameOf(formula.select);
    case Formula::And:
    case Formula::Or: {
      EXPECT_GE(formula.parts.size(), 2u);
      std::string text = formula.kind == Formula::And ? "(&" : "(|";
      for (const Formula &part : formula.parts)
        text += " " + show(part);
      return text + ")";
    }
    }
    return "";
  }
  std::string of(const Node *selector) {
    return show(*makeFormula(selector, analysis));
  }
};
} // namespace

TEST_F(SelectorFormulaTest, Comparisons) {
  EXPECT_EQ(of(a), "a");
  EXPECT_EQ(of(program.selectorNot(a)), "!a");
  EXPECT_EQ(of(program.selectorNot(program.selectorNot(a))), "a");
}

TEST_F(SelectorFormulaTest, NestedPartsAreFlat) {
  EXPECT_EQ(of(program.selectorAnd(program.selectorAnd(a, b), c)), "(& a b c)");
  EXPECT_EQ(of(program.selectorOr(a, program.selectorOr(b, c))), "(| a b c)");
  EXPECT_EQ(of(program.selectorOr(program.selectorAnd(a, b), c)),
            "(| (& a b) c)");
}

TEST_F(SelectorFormulaTest, NegationsMoveInwards) {
  const Node *mixed = program.selectorOr(program.selectorAnd(a, b), c);
  EXPECT_EQ(of(program.selectorNot(mixed)), "(& (| !a !b) !c)");
  const Node *nested =
      program.selectorAnd(program.selectorNot(program.selectorOr(a, b)), c);
  EXPECT_EQ(of(nested), "(& !a !b c)");
}

TEST_F(SelectorFormulaTest, ConstantPartsGo) {
  EXPECT_EQ(of(full), "true");
  EXPECT_EQ(of(program.selectorNot(full)), "false");
  EXPECT_EQ(of(program.selectorAnd(full, a)), "a");
  EXPECT_EQ(of(program.selectorOr(full, a)), "true");
  const Node *none = program.selectorNot(full);
  EXPECT_EQ(of(program.selectorAnd(a, none)), "false");
  EXPECT_EQ(of(program.selectorOr(none, program.selectorNot(b))), "!b");
}

TEST_F(SelectorFormulaTest, WhatIsRepeatedCountsOnce) {
  EXPECT_EQ(of(program.selectorAnd(a, a)), "a");
  EXPECT_EQ(of(program.selectorOr(program.selectorOr(a, b), a)), "(| a b)");
  const Node *both = program.selectorAnd(a, b);
  EXPECT_EQ(of(program.selectorAnd(both, program.selectorAnd(b, c))),
            "(& a b c)");
}

TEST_F(SelectorFormulaTest, FormulasThatAreTooLongAreNone) {
  const Node *selector = a;
  for (unsigned i = 0; i < 40; ++i)
    selector = program.selectorAnd(
        program.selectorOr(selector, b),
        program.selectorOr(c, program.selectorNot(selector)));
  EXPECT_FALSE(makeFormula(selector, analysis));
}

TEST_F(SelectorFormulaTest, ComparisonsAreCollectedFromLeftToRight) {
  Formula formula = *makeFormula(
      program.selectorNot(program.selectorOr(program.selectorAnd(a, b), c)),
      analysis);
  std::vector<const Formula *> found;
  collectComparisons(formula, found);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0]->select, a);
  EXPECT_EQ(found[1]->select, b);
  EXPECT_EQ(found[2]->select, c);
  EXPECT_EQ(found[2]->key, indices);
  EXPECT_EQ(found[2]->query, one);
}

TEST_F(SelectorFormulaTest, ComparisonsOfTheSameOperandsJoin) {
  using enum CompareOp;
  auto holds = [](const Formula &formula, int order) {
    if (formula.kind != Formula::Compare)
      return formula.kind == Formula::True;
    switch (formula.op) {
    case Eq:
      return order == 0;
    case Ne:
      return order != 0;
    case Lt:
      return order < 0;
    case Gt:
      return order > 0;
    case Le:
      return order <= 0;
    case Ge:
      return order >= 0;
    }
    return false;
  };
  for (CompareOp left : {Eq, Ne, Lt, Gt, Le, Ge})
    for (CompareOp right : {Eq, Ne, Lt, Gt, Le, Ge})
      for (int order : {-1, 0, 1}) {
        Formula x =
            *makeFormula(program.select(tokens, tokens, left), analysis);
        Formula y =
            *makeFormula(program.select(tokens, tokens, right), analysis);
        EXPECT_EQ(holds(joinComparisons(Formula::And, x, y), order),
                  holds(x, order) && holds(y, order));
        EXPECT_EQ(holds(joinComparisons(Formula::Or, x, y), order),
                  holds(x, order) || holds(y, order));
        EXPECT_EQ(holds(negate(x), order), !holds(x, order));
      }
}
