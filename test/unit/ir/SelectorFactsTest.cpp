//===- test/unit/ir/SelectorFactsTest.cpp ---------------------------------===//

#include "ir/SelectorFacts.h"
#include "RandomProgram.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

namespace {
class SelectorFactsTest : public testing::Test {
protected:
  Program program;
  SelectorAnalysis plain{false}, causal{true};

  const Node *tokens = program.leaf(OpKind::TokensInt);
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *one = number(1);
  const Node *full = select(one, one, CompareOp::Eq);
  const Node *length = program.width(full);
  const Node *mirror = sub(sub(length, one), indices);
  const Node *same = select(tokens, tokens, CompareOp::Eq);
  const Node *before = select(indices, indices, CompareOp::Lt);
  const Node *rank = add(program.width(select(tokens, tokens, CompareOp::Lt)),
                         program.width(program.selectorAnd(same, before)));

  const Node *number(int64_t value) {
    return program.constant(Value::integer(value));
  }
  const Node *add(const Node *a, const Node *b) {
    return program.elementwise(OpKind::Add, {a, b});
  }
  const Node *sub(const Node *a, const Node *b) {
    return program.elementwise(OpKind::Sub, {a, b});
  }
  const Node *mul(const Node *a, const Node *b) {
    return program.elementwise(OpKind::Mul, {a, b});
  }
  const Node *select(const Node *key, const Node *query, CompareOp op) {
    return program.select(key, query, op);
  }
};
} // namespace

TEST_F(SelectorFactsTest, AlwaysTrueAndAlwaysFalse) {
  EXPECT_TRUE(plain.facts(full).alwaysTrue);
  EXPECT_TRUE(plain.facts(full).selectsSelf);
  EXPECT_TRUE(plain.facts(full).neverEmpty);
  EXPECT_TRUE(plain.facts(program.selectorNot(full)).alwaysFalse);
  EXPECT_TRUE(plain.facts(select(one, one, CompareOp::Lt)).alwaysFalse);
  EXPECT_TRUE(plain.facts(select(length, length, CompareOp::Le)).alwaysTrue);
  EXPECT_FALSE(plain.facts(same).alwaysTrue);
  // A comparison that fails is neither.
  const Node *word = program.constant(Value::string("a"));
  const SelectorFacts &failing = plain.facts(select(one, word, CompareOp::Lt));
  EXPECT_FALSE(failing.alwaysTrue || failing.alwaysFalse);
}

TEST_F(SelectorFactsTest, TheMaskItselfIsAlwaysTrue) {
  const Node *upTo = select(indices, indices, CompareOp::Le);
  const Node *after = select(indices, indices, CompareOp::Gt);
  EXPECT_FALSE(plain.facts(upTo).alwaysTrue);
  EXPECT_TRUE(causal.facts(upTo).alwaysTrue);
  EXPECT_FALSE(plain.facts(after).alwaysFalse);
  EXPECT_TRUE(causal.facts(after).alwaysFalse);
}

TEST_F(SelectorFactsTest, Self) {
  EXPECT_TRUE(plain.facts(same).selectsSelf);
  EXPECT_TRUE(plain.facts(same).neverEmpty);
  EXPECT_TRUE(plain.facts(before).neverSelf);
  EXPECT_FALSE(plain.facts(before).neverEmpty);
  EXPECT_TRUE(plain.facts(program.selectorNot(before)).selectsSelf);
  EXPECT_TRUE(plain.facts(program.selectorNot(same)).neverSelf);
  EXPECT_TRUE(plain.facts(program.selectorAnd(same, before)).neverSelf);
  EXPECT_TRUE(plain.facts(program.selectorOr(same, before)).selectsSelf);
  EXPECT_FALSE(plain.facts(program.selectorAnd(same, before)).selectsSelf);
}

TEST_F(SelectorFactsTest, AtMostOneKey) {
  EXPECT_TRUE(plain.facts(select(indices, tokens, CompareOp::Eq)).atMostOneKey);
  EXPECT_TRUE(plain.facts(select(add(indices, one), indices, CompareOp::Eq))
                  .atMostOneKey);
  EXPECT_TRUE(plain.facts(select(rank, indices, CompareOp::Eq)).atMostOneKey);
  EXPECT_FALSE(
      plain.facts(select(tokens, indices, CompareOp::Eq)).atMostOneKey);
  EXPECT_FALSE(
      plain.facts(select(indices, tokens, CompareOp::Le)).atMostOneKey);
  const Node *zero = mul(indices, number(0));
  EXPECT_FALSE(plain.facts(select(zero, one, CompareOp::Eq)).atMostOneKey);
}

TEST_F(SelectorFactsTest, NeverEmpty) {
  auto neverEmpty = [&](const Node *key, const Node *query) {
    return plain.facts(select(key, query, CompareOp::Eq)).neverEmpty;
  };
  EXPECT_TRUE(neverEmpty(indices, mirror));
  EXPECT_FALSE(causal.facts(select(indices, mirror, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(neverEmpty(indices, sub(length, one)));
  EXPECT_TRUE(neverEmpty(indices, number(0)));
  EXPECT_FALSE(neverEmpty(indices, one));
  EXPECT_FALSE(neverEmpty(indices, length));
  EXPECT_FALSE(neverEmpty(indices, add(indices, one)));
  EXPECT_FALSE(neverEmpty(indices, mul(indices, number(2))));
  EXPECT_TRUE(neverEmpty(rank, indices));
  EXPECT_TRUE(neverEmpty(indices, rank));
  EXPECT_FALSE(neverEmpty(indices, tokens));
}

TEST_F(SelectorFactsTest, Uniform) {
  EXPECT_TRUE(plain.isUniform(one));
  EXPECT_TRUE(plain.isUniform(length));
  EXPECT_FALSE(causal.isUniform(length));
  EXPECT_FALSE(plain.isUniform(tokens));
  EXPECT_TRUE(plain.isUniform(program.aggregate(
      select(indices, one, CompareOp::Eq), tokens, Value::integer(0))));
  EXPECT_FALSE(
      plain.isUniform(program.aggregate(before, tokens, Value::integer(0))));
}

TEST_F(SelectorFactsTest, Ranks) {
  EXPECT_TRUE(plain.isInjective(rank));
  EXPECT_FALSE(causal.isInjective(rank));
  // Descending, as one selector, with the ties the other way round.
  const Node *greater = select(tokens, tokens, CompareOp::Gt);
  const Node *after = select(indices, indices, CompareOp::Gt);
  const Node *ties = program.selectorAnd(after, same);
  EXPECT_TRUE(
      plain.isInjective(program.width(program.selectorOr(ties, greater))));
  EXPECT_TRUE(plain.isInjective(program.width(before)));
  // Without a tie break, with another's, or with one that is not strict.
  EXPECT_FALSE(plain.isInjective(program.width(greater)));
  const Node *others = program.leaf(OpKind::TokensStr);
  const Node *foreign =
      program.selectorAnd(select(others, others, CompareOp::Eq), before);
  EXPECT_FALSE(
      plain.isInjective(add(program.width(greater), program.width(foreign))));
  const Node *loose =
      program.selectorAnd(same, select(indices, indices, CompareOp::Le));
  EXPECT_FALSE(
      plain.isInjective(add(program.width(greater), program.width(loose))));
}

TEST_F(SelectorFactsTest, PositionForms) {
  std::optional<PositionForm> form = plain.positionForm(mirror);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->slopeIndices, -1);
  EXPECT_EQ(form->slopeLength, 1);
  EXPECT_EQ(form->offset, -1);
  form = plain.positionForm(
      program.elementwise(OpKind::Neg, {mul(number(3), indices)}));
  ASSERT_TRUE(form);
  EXPECT_EQ(form->slopeIndices, -3);
  EXPECT_FALSE(plain.positionForm(tokens));
  EXPECT_FALSE(plain.positionForm(mul(indices, indices)));
  EXPECT_FALSE(causal.positionForm(length));
}

TEST_F(SelectorFactsTest, FloatsAreNoPositionForms) {
  // Their arithmetic rounds: 4 + 0.1 - 0.1 is less than 4, and adding 1e17
  // makes several positions equal.
  const Node *tenth = program.constant(Value::real(0.1));
  EXPECT_FALSE(plain.positionForm(sub(add(indices, tenth), tenth)));
  const Node *far = add(indices, program.constant(Value::real(1e17)));
  EXPECT_FALSE(plain.isInjective(far));
  // Nor are ints beyond what sums may safely reach.
  EXPECT_FALSE(plain.positionForm(mul(indices, number(int64_t(1) << 40))));
}

TEST_F(SelectorFactsTest, SharedFormsAreVisitedOnce) {
  const Node *form = indices;
  for (unsigned i = 0; i < 40; ++i)
    form = sub(add(form, form), form);
  ASSERT_TRUE(plain.positionForm(form));
  EXPECT_EQ(plain.positionForm(form)->slopeIndices, 1);
}

//===----------------------------------------------------------------------===//
// Against all inputs
//===----------------------------------------------------------------------===//

/// Checks on all inputs up to `maxLength` what is claimed of the nodes.
static void expectSound(llvm::ArrayRef<const Node *> nodes, bool causal,
                        unsigned maxLength) {
  SelectorAnalysis analysis(causal);
  Interpreter interpreter(nodes, {causal});
  Interpreter::State state(interpreter);
  std::vector<Value> vocabulary = {Value::integer(0), Value::integer(1),
                                   Value::integer(2)};
  forEachInput(vocabulary, maxLength,
               [&](llvm::ArrayRef<Value> input, llvm::ArrayRef<size_t>) {
                 llvm::ArrayRef<RootResult> results =
                     interpreter.run(input, state);
                 unsigned size = static_cast<unsigned>(input.size());
                 for (size_t n = 0; n < nodes.size(); ++n) {
                   const RootResult &result = results[n];
                   if (!result)
                     continue;
                   SCOPED_TRACE("node " + std::to_string(nodes[n]->id()));
                   if (nodes[n]->isSop()) {
                     bool uniform = analysis.isUniform(nodes[n]);
                     bool injective = analysis.isInjective(nodes[n]);
                     bool isLength = analysis.isLength(nodes[n]);
                     for (unsigned a = 0; a < size; ++a) {
                       EXPECT_TRUE(!isLength ||
                                   result.values[a] == Value::integer(size));
                       for (unsigned b = 0; b < a; ++b) {
                         bool equal =
                             pythonEqual(result.values[a], result.values[b]);
                         EXPECT_TRUE(equal || !uniform);
                         EXPECT_TRUE(!equal || !injective);
                       }
                     }
                     continue;
                   }
                   const SelectorFacts &facts = analysis.facts(nodes[n]);
                   for (unsigned q = 0; q < size; ++q) {
                     unsigned keys = 0, visible = causal ? q + 1 : size;
                     for (unsigned k = 0; k < size; ++k)
                       keys += result.matrix.get(q, k);
                     bool self = result.matrix.get(q, q);
                     EXPECT_TRUE(!facts.alwaysTrue || keys == visible);
                     EXPECT_TRUE(!facts.alwaysFalse || keys == 0);
                     EXPECT_TRUE(!facts.selectsSelf || self);
                     EXPECT_TRUE(!facts.neverSelf || !self);
                     EXPECT_TRUE(!facts.atMostOneKey || keys <= 1);
                     EXPECT_TRUE(!facts.neverEmpty || keys > 0);
                   }
                 }
               });
}

TEST_F(SelectorFactsTest, ComparisonsOfPositionsAreSound) {
  const Node *two = number(2);
  const Node *sops[] = {tokens,
                        indices,
                        length,
                        one,
                        number(0),
                        mirror,
                        rank,
                        add(indices, one),
                        sub(indices, two),
                        mul(indices, two),
                        sub(length, indices),
                        sub(length, mul(indices, two)),
                        program.elementwise(OpKind::Neg, {indices}),
                        program.width(same),
                        program.width(before)};
  std::vector<const Node *> nodes(std::begin(sops), std::end(sops));
  for (const Node *key : sops)
    for (const Node *query : sops)
      for (unsigned op = 0; op < 6; ++op)
        nodes.push_back(select(key, query, static_cast<CompareOp>(op)));
  for (bool isCausal : {false, true})
    expectSound(nodes, isCausal, 4);
}

TEST(SelectorFactsOfRandomPrograms, AreSound) {
  for (unsigned seed = 0; seed < 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomProgram random(seed);
    random.grow(30);
    std::vector<const Node *> nodes;
    for (const Node &node : random.program.nodes())
      nodes.push_back(&node);
    for (bool causal : {false, true})
      expectSound(nodes, causal, 3);
  }
}
