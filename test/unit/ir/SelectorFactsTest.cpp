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
  // Under the mask the query is the last that it sees: its mirror is 0.
  EXPECT_TRUE(causal.facts(select(indices, mirror, CompareOp::Eq)).neverEmpty);
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

/// Conditions that say which position is the first, the last or the n-th of
/// those that agree in something, in the ways in which people write them.
class UniqueKeysTest : public SelectorFactsTest {
protected:
  const Node *yes = program.constant(Value::boolean(true));
  const Node *zero = number(0), *two = number(2);
  const Node *after = select(indices, indices, CompareOp::Gt);
  const Node *upTo = select(indices, indices, CompareOp::Le);
  const Node *elsewhere = select(indices, indices, CompareOp::Ne);
  const Node *ones = select(tokens, one, CompareOp::Eq);
  const Node *isOne = compare(OpKind::Eq, tokens, one);

  const Node *both(const Node *a, const Node *b) {
    return program.selectorAnd(a, b);
  }
  const Node *compare(OpKind op, const Node *a, const Node *b) {
    return program.elementwise(op, {a, b});
  }
  const Node *none(const Node *selector) {
    return program.elementwise(
        OpKind::Not,
        {compare(OpKind::Gt,
                 program.aggregate(selector, one, Value::integer(0)), zero)});
  }
  const Node *where(const Node *condition) {
    return select(condition, yes, CompareOp::Eq);
  }
  const Node *count(const Node *selector) { return program.width(selector); }

  /// Selectors with at most one key: on all inputs, or without a mask only.
  std::vector<const Node *> unique() {
    const Node *firstOne =
        compare(OpKind::And, isOne, none(both(ones, before)));
    const Node *earlier = both(same, before);
    return {
        where(firstOne),
        select(firstOne, one, CompareOp::Eq),
        both(same, where(none(earlier))),
        both(same, select(count(earlier), zero, CompareOp::Eq)),
        both(same, select(count(earlier), one, CompareOp::Lt)),
        both(same, select(count(both(same, upTo)), one, CompareOp::Eq)),
        both(same, select(count(earlier), tokens, CompareOp::Eq)),
        both(ones, select(count(both(ones, before)), indices, CompareOp::Eq)),
        both(ones, where(none(both(ones, elsewhere)))),
        both(ones, where(none(earlier))),
        both(both(full, same), where(none(both(before, both(full, same))))),
        program.selectorNot(
            program.selectorOr(program.selectorNot(same),
                               select(count(earlier), zero, CompareOp::Ne))),
        where(program.elementwise(OpKind::Indicator, {firstOne})),
    };
  }
  std::vector<const Node *> uniqueWithoutMask() {
    const Node *later = both(same, after);
    return {
        both(same, where(none(later))),
        both(same, select(count(later), two, CompareOp::Eq)),
        where(compare(OpKind::And, isOne, none(both(ones, after)))),
        both(same,
             select(count(both(same, select(indices, indices, CompareOp::Ge))),
                    one, CompareOp::Eq))};
  }
  std::vector<const Node *> uniqueUnderMask() {
    return {
        both(same, select(count(same), tokens, CompareOp::Eq)),
        both(same, select(count(both(same, elsewhere)), one, CompareOp::Eq))};
  }
  /// What looks alike but may select several keys.
  std::vector<const Node *> several() {
    const Node *earlier = both(same, before);
    const Node *orders = select(tokens, tokens, CompareOp::Lt);
    return {where(none(earlier)),
            where(isOne),
            both(ones, where(none(both(orders, before)))),
            both(ones,
                 where(none(both(select(tokens, two, CompareOp::Eq), before)))),
            both(same, select(count(earlier), zero, CompareOp::Ge)),
            both(same, where(none(both(
                           earlier, select(tokens, indices, CompareOp::Eq))))),
            program.selectorOr(same, where(none(earlier))),
            both(select(tokens, indices, CompareOp::Ne), where(none(earlier)))};
  }
};

TEST_F(UniqueKeysTest, AtMostOneKey) {
  for (auto [i, selector] : llvm::enumerate(unique())) {
    EXPECT_TRUE(plain.facts(selector).atMostOneKey) << i;
    EXPECT_TRUE(causal.facts(selector).atMostOneKey) << i;
  }
  for (auto [i, selector] : llvm::enumerate(uniqueWithoutMask()))
    EXPECT_TRUE(plain.facts(selector).atMostOneKey) << i;
  for (auto [i, selector] : llvm::enumerate(uniqueUnderMask())) {
    EXPECT_FALSE(plain.facts(selector).atMostOneKey) << i;
    EXPECT_TRUE(causal.facts(selector).atMostOneKey) << i;
  }
  for (auto [i, selector] : llvm::enumerate(several())) {
    EXPECT_FALSE(plain.facts(selector).atMostOneKey) << i;
    EXPECT_FALSE(causal.facts(selector).atMostOneKey) << i;
  }
}

TEST_F(UniqueKeysTest, IsSound) {
  std::vector<const Node *> nodes;
  for (auto &list :
       {unique(), uniqueWithoutMask(), uniqueUnderMask(), several()})
    llvm::append_range(nodes, list);
  for (bool isCausal : {false, true})
    expectSound(nodes, isCausal, 5);
}

TEST_F(SelectorFactsTest, RanksByManyKeys) {
  const Node *parity = program.elementwise(OpKind::Mod, {tokens, number(2)});
  const Node *sameParity = select(parity, parity, CompareOp::Eq);
  const Node *levels[] = {
      program.width(select(parity, parity, CompareOp::Lt)),
      program.width(program.selectorAnd(sameParity,
                                        select(tokens, tokens, CompareOp::Gt))),
      program.width(
          program.selectorAnd(before, program.selectorAnd(same, sameParity)))};
  const Node *lexical = add(levels[2], add(levels[0], levels[1]));
  EXPECT_TRUE(plain.isInjective(lexical));
  EXPECT_FALSE(causal.isInjective(lexical));
  EXPECT_FALSE(plain.isInjective(add(levels[0], levels[1])));
  EXPECT_FALSE(plain.isInjective(add(levels[0], levels[2])));
  EXPECT_FALSE(plain.isInjective(add(lexical, levels[1])));
  EXPECT_TRUE(plain.facts(select(lexical, indices, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(plain.facts(select(lexical, mirror, CompareOp::Eq)).neverEmpty);
  for (bool isCausal : {false, true})
    expectSound({lexical, select(lexical, rank, CompareOp::Eq)}, isCausal, 4);
}

TEST_F(SelectorFactsTest, CountsArePositions) {
  const Node *count = program.width(same);
  const Node *last = sub(count, one);
  const Node *backwards = sub(length, count);
  EXPECT_TRUE(plain.facts(select(indices, last, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(causal.facts(select(indices, last, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(
      plain.facts(select(indices, backwards, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(causal.facts(select(indices, sub(length, one), CompareOp::Eq))
                  .neverEmpty);
  const Node *earlier = program.width(program.selectorAnd(same, before));
  EXPECT_TRUE(plain.facts(select(indices, earlier, CompareOp::Eq)).neverEmpty);
  EXPECT_TRUE(causal.facts(select(indices, earlier, CompareOp::Eq)).neverEmpty);
  EXPECT_FALSE(plain.facts(select(indices, count, CompareOp::Eq)).neverEmpty);
  EXPECT_FALSE(
      causal.facts(select(indices, sub(last, one), CompareOp::Eq)).neverEmpty);
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
                        program.width(before),
                        sub(program.width(same), one),
                        sub(length, program.width(same)),
                        program.width(program.selectorAnd(same, before))};
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
