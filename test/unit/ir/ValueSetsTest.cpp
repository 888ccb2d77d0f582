//===- test/unit/ir/ValueSetsTest.cpp -------------------------------------===//

#include "ir/ValueSets.h"
#include "RandomProgram.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace rasp::ir;

static std::vector<Value> ints(std::initializer_list<int64_t> numbers) {
  std::vector<Value> values;
  for (int64_t number : numbers)
    values.push_back(Value::integer(number));
  return values;
}

static std::vector<Value> reals(std::initializer_list<double> numbers) {
  std::vector<Value> values;
  for (double number : numbers)
    values.push_back(Value::real(number));
  return values;
}

static std::vector<Value> strings(std::initializer_list<const char *> texts) {
  std::vector<Value> values;
  for (const char *text : texts)
    values.push_back(Value::string(text));
  return values;
}

//===----------------------------------------------------------------------===//
// Means
//===----------------------------------------------------------------------===//

/// The means of 2..maxCount of the numbers, by trying all choices.
static std::vector<double> allMeans(llvm::ArrayRef<Value> numbers,
                                    unsigned maxCount) {
  std::vector<double> found;
  std::vector<Value> chosen;
  auto choose = [&](size_t from, auto &self) -> void {
    if (chosen.size() >= 2)
      found.push_back(mean(chosen));
    if (chosen.size() == maxCount)
      return;
    for (size_t i = from; i < numbers.size(); ++i) {
      chosen.push_back(numbers[i]);
      self(i, self);
      chosen.pop_back();
    }
  };
  choose(0, choose);
  llvm::sort(found);
  found.erase(llvm::unique(found), found.end());
  return found;
}

static void expectAllMeans(llvm::ArrayRef<Value> numbers, unsigned maxCount) {
  std::optional<std::vector<double>> inferred = means(numbers, maxCount, 10000);
  ASSERT_TRUE(inferred);
  EXPECT_EQ(*inferred, allMeans(numbers, maxCount));
}

TEST(Means, OfInts) {
  EXPECT_EQ(*means(ints({0, 1}), 3, 100),
            (std::vector<double>{0, 1.0 / 3, 0.5, 2.0 / 3, 1}));
  expectAllMeans(ints({0, 1}), 12);
  expectAllMeans(ints({-7, 2, 3}), 6);
  expectAllMeans(ints({5, 1000003}), 5);
  expectAllMeans(ints({0, 3, 6, 9, 30}), 4);
}

TEST(Means, OfOneNumber) {
  EXPECT_EQ(*means(ints({4}), 9, 100), std::vector<double>{4});
  EXPECT_EQ(*means(reals({0.1}), 9, 100), std::vector<double>{0.1});
}

TEST(Means, OfNothingOrOfSingleValues) {
  EXPECT_TRUE(means({}, 5, 100)->empty());
  EXPECT_TRUE(means(ints({1, 2}), 1, 100)->empty());
}

TEST(Means, EqualNumbersOfSeveralKindsAreOne) {
  std::vector<Value> mixed = {Value::boolean(true), Value::integer(1),
                              Value::real(1.0), Value::integer(0)};
  EXPECT_EQ(*means(mixed, 2, 100), (std::vector<double>{0, 0.5, 1}));
}

TEST(Means, OfDyadicFractions) {
  expectAllMeans(reals({0.25, 0.5, 1.75}), 5);
  expectAllMeans(reals({-0.125, 0x1p-6, 3.0}), 4);
}

TEST(Means, OfDecimalsAndThirds) {
  // The sum is that of the doubles: 0.1 + 0.7 is less than 0.8.
  std::vector<Value> tenths;
  for (int i = 0; i < 10; ++i)
    tenths.push_back(Value::real(i / 10.0));
  expectAllMeans(tenths, 4);
  expectAllMeans(reals({0, 1.0 / 3, 2.0 / 3}), 5);
}

TEST(Means, TooManyAreNone) {
  EXPECT_FALSE(means(ints({0, 1}), 200, 100));
  EXPECT_FALSE(means(ints({0, 1, 1000000007}), 64, 1000));
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

namespace {
class ValueSetsTest : public testing::Test {
protected:
  llvm::SourceMgr sources;
  Diagnostics diags{sources};
  Program program;
  Domain domain{ints({0, 1, 2}), 4, false};

  const Node *tokens = program.leaf(OpKind::TokensInt);
  const Node *text = program.leaf(OpKind::TokensStr);
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *one = number(1);
  const Node *full = program.select(one, one, CompareOp::Eq);
  const Node *length = program.width(full);

  const Node *number(int64_t value) {
    return program.constant(Value::integer(value));
  }
  const Node *op(OpKind kind, std::initializer_list<const Node *> operands) {
    return program.elementwise(kind, operands);
  }

  ValueSets infer(const Node *root, ValueSetLimits limits = {},
                  KeptNodes kept = {}) {
    return ValueSets(root, domain, diags, std::move(kept), limits);
  }
  std::string show(const Node *root) {
    return printValueSet(infer(root).of(root).values);
  }
};
} // namespace

TEST_F(ValueSetsTest, Leaves) {
  EXPECT_EQ(show(tokens), "{0..2}");
  EXPECT_EQ(show(text), "{\"0\", \"1\", \"2\"}");
  EXPECT_EQ(show(indices), "{0..3}");
  EXPECT_EQ(show(length), "{1..4}");
  EXPECT_EQ(show(program.leaf(OpKind::TokensBool)), "{False, True}");
}

TEST_F(ValueSetsTest, TokensKeepTheOrderOfTheVocabulary) {
  domain.vocabulary = strings({"b", "a"});
  ValueSets sets = infer(text);
  EXPECT_EQ(printValueSet(sets.of(text).values), "{\"a\", \"b\"}");
  EXPECT_EQ(sets.of(text).table.entries, (std::vector<int32_t>{1, 0}));
}

TEST_F(ValueSetsTest, LeafThatFails) {
  domain.vocabulary = strings({"7", "x"});
  infer(tokens);
  ASSERT_EQ(diags.all().size(), 1u);
  EXPECT_EQ(diags.all()[0].name, "LeafFails");
  EXPECT_EQ(diags.all()[0].message,
            "`tokens_int` has no value for the token \"x\" of the vocabulary; "
            "leave that token out or read the input as another type");
}

TEST_F(ValueSetsTest, PositionsLieBeforeTheEnd) {
  const Node *fromEnd =
      op(OpKind::Sub, {op(OpKind::Sub, {length, one}), indices});
  EXPECT_EQ(show(fromEnd), "{0..3}");
  EXPECT_EQ(show(op(OpKind::Lt, {indices, length})), "{True}");
  domain.causal = true;
  // Under the mask the same width is the position plus one, and as a count of
  // what is visible it says nothing about the length.
  EXPECT_EQ(show(op(OpKind::Lt, {indices, length})), "{False, True}");
}

TEST_F(ValueSetsTest, OperandsShareTheirSources) {
  EXPECT_EQ(show(op(OpKind::Sub, {tokens, tokens})), "{0}");
  const Node *square = op(OpKind::Mul, {tokens, tokens});
  EXPECT_EQ(show(square), "{0, 1, 4}");
  const Node *sum = op(OpKind::Add, {square, indices});
  ValueSets sets = infer(sum);
  const JointTable &table = sets.of(sum).table;
  ASSERT_EQ(table.sources.size(), 2u);
  EXPECT_EQ(table.sources[0], nullptr);
  EXPECT_EQ(table.sources[1], indices);
  ASSERT_EQ(table.entries.size(), 12u);
  // Token 2 at position 3.
  EXPECT_EQ(sets.of(sum).values[static_cast<size_t>(table.entries[11])],
            Value::integer(7));
}

TEST_F(ValueSetsTest, WhatFailsIsLeftOutAndRemembered) {
  const Node *share = op(OpKind::Div, {one, indices});
  ValueSets sets = infer(share);
  const NodeValues &values = sets.of(share);
  EXPECT_EQ(values.values, reals({1.0 / 3, 0.5, 1.0}));
  EXPECT_TRUE(values.partial);
  EXPECT_EQ(values.failure, Failure::ZeroDivision);
  ASSERT_EQ(values.failingOperands.size(), 2u);
  EXPECT_EQ(values.failingOperands[1], Value::integer(0));
  EXPECT_EQ(values.table.entries[0], JointTable::impossible);
  EXPECT_FALSE(sets.of(indices).partial);
}

TEST_F(ValueSetsTest, LookupsThatFailAreLeftOut) {
  Table table;
  table.kind = Table::Dict;
  table.keys = ints({0, 2});
  table.values = strings({"zero", "two"});
  const Node *name = program.lookup(tokens, table);
  ValueSets sets = infer(name);
  EXPECT_EQ(sets.of(name).values, strings({"two", "zero"}));
  EXPECT_EQ(sets.of(name).failure, Failure::RaspValue);
}

TEST_F(ValueSetsTest, Widths) {
  const Node *same = program.select(tokens, tokens, CompareOp::Eq);
  EXPECT_EQ(show(program.width(same)), "{1..4}");
  const Node *before = program.select(indices, indices, CompareOp::Lt);
  EXPECT_EQ(show(program.width(before)), "{0..3}");
  EXPECT_EQ(show(program.width(program.select(indices, one, CompareOp::Eq))),
            "{0, 1}");
  EXPECT_EQ(show(program.width(program.select(tokens, one, CompareOp::Eq))),
            "{0..4}");
}

TEST_F(ValueSetsTest, AggregateOfAtMostOneKeyMovesValues) {
  const Node *second = program.select(indices, one, CompareOp::Eq);
  EXPECT_EQ(show(program.aggregate(second, tokens, Value::integer(9))),
            "{0..2, 9}");
  EXPECT_EQ(show(program.aggregate(second, text, Value::string("-"))),
            "{\"-\", \"0\", \"1\", \"2\"}");
  const Node *mirror =
      op(OpKind::Sub, {op(OpKind::Sub, {length, one}), indices});
  const Node *flip = program.select(indices, mirror, CompareOp::Eq);
  EXPECT_EQ(show(program.aggregate(flip, text, Value::string("-"))),
            "{\"0\", \"1\", \"2\"}");
}

TEST_F(ValueSetsTest, AggregateOfSeveralKeysHasMeans) {
  domain.maxSeqLen = 2;
  domain.vocabulary = ints({0, 1});
  // One value stays what it is, several become a float.
  EXPECT_EQ(show(program.aggregate(full, tokens, Value::integer(5))),
            "{0, 0.0, 0.5, 1, 1.0}");
  const Node *others = program.select(indices, indices, CompareOp::Ne);
  EXPECT_EQ(show(program.aggregate(others, tokens, Value::integer(5))),
            "{0, 1, 5}");
  // Several strings have no mean.
  EXPECT_EQ(show(program.aggregate(full, text, Value::string("-"))),
            "{\"0\", \"1\"}");
}

TEST_F(ValueSetsTest, SetsBeyondTheLimitLeaveBounds) {
  ValueSetLimits limits;
  limits.values = 8;
  const Node *far = op(OpKind::Mul, {indices, number(3)});
  const Node *sum = op(OpKind::Add, {far, tokens});
  const Node *twice =
      op(OpKind::Sub, {number(1), op(OpKind::Mul, {sum, number(2)})});
  ValueSets sets = infer(twice, limits);
  EXPECT_TRUE(sets.of(far).known);
  EXPECT_FALSE(sets.of(sum).known);
  EXPECT_TRUE(sets.of(sum).values.empty());
  EXPECT_EQ(sets.of(sum).low, 0);
  EXPECT_EQ(sets.of(sum).high, 11);
  EXPECT_EQ(sets.of(twice).low, -21);
  EXPECT_EQ(sets.of(twice).high, 1);

  const Node *product = op(OpKind::Mul, {sum, tokens});
  ValueSets others = infer(product, limits);
  EXPECT_EQ(others.of(product).high, INFINITY);
}

TEST_F(ValueSetsTest, SumsOfIntsFillAnInterval) {
  ValueSetLimits limits;
  limits.combinations = 8;
  const Node *sum = op(OpKind::Add, {indices, tokens});
  const Node *parity = op(OpKind::Mod, {sum, number(2)});
  ValueSets sets = infer(parity, limits);
  EXPECT_TRUE(sets.of(sum).known);
  EXPECT_FALSE(sets.of(sum).hasTable);
  EXPECT_EQ(printValueSet(sets.of(sum).values), "{0..5}");
  // Readers see the sum itself as their source.
  ASSERT_EQ(sets.of(parity).table.sources.size(), 1u);
  EXPECT_EQ(sets.of(parity).table.sources[0], sum);
  EXPECT_EQ(printValueSet(sets.of(parity).values), "{0, 1}");
}

TEST_F(ValueSetsTest, StringsWithoutASetAreNoNumbers) {
  ValueSetLimits limits;
  limits.values = 4;
  const Node *first = program.select(indices, number(0), CompareOp::Eq);
  const Node *head = program.aggregate(first, text, Value::string(""));
  const Node *pair = op(OpKind::Add, {head, text});
  ValueSets sets = infer(pair, limits);
  EXPECT_FALSE(sets.of(pair).known);
  EXPECT_FALSE(sets.of(pair).numeric);
}

TEST_F(ValueSetsTest, UnknownMeansKeepTheirBounds) {
  ValueSetLimits limits;
  limits.values = 3;
  const Node *some = program.select(indices, indices, CompareOp::Lt);
  const Node *average = program.aggregate(some, tokens, Value::integer(-4));
  ValueSets sets = infer(average, limits);
  EXPECT_FALSE(sets.of(average).known);
  EXPECT_EQ(sets.of(average).low, -4);
  EXPECT_EQ(sets.of(average).high, 2);
}

TEST_F(ValueSetsTest, LargeTablesForgetSharedSources) {
  ValueSetLimits limits;
  limits.combinations = 16;
  const Node *same = program.select(tokens, tokens, CompareOp::Eq);
  const Node *count = program.width(same);
  const Node *parity =
      op(OpKind::Mod, {op(OpKind::Add, {count, tokens}), number(2)});
  const Node *both = op(OpKind::Add, {parity, indices});
  ValueSets sets = infer(both, limits);
  const JointTable &table = sets.of(both).table;
  EXPECT_TRUE(sets.of(both).known);
  EXPECT_TRUE(llvm::is_contained(table.sources, parity));
  EXPECT_EQ(table.entries.size(), 8u);
  EXPECT_EQ(printValueSet(sets.of(both).values), "{0..4}");
}

TEST_F(ValueSetsTest, KeptOpsAreSourcesOfTheirReaders) {
  const Node *square = op(OpKind::Mul, {tokens, tokens});
  const Node *next = op(OpKind::Add, {square, one});
  ValueSets sets = infer(next, {}, {square});
  ASSERT_EQ(sets.of(next).table.sources.size(), 1u);
  EXPECT_EQ(sets.of(next).table.sources[0], square);
  EXPECT_EQ(printValueSet(sets.of(next).values), "{1, 2, 5}");
}

TEST_F(ValueSetsTest, TooLargeIsExplainedDownToItsCause) {
  ValueSetLimits limits;
  limits.values = 8;
  const Node *far = op(OpKind::Mul, {indices, number(3)});
  program.setName(far, "far");
  const Node *sum = op(OpKind::Add, {far, tokens});
  program.setName(sum, "sum");
  const Node *half = op(OpKind::Div, {sum, number(2)});
  ValueSets sets = infer(half, limits);
  sets.reportTooLarge(half, "a comparison", diags);
  ASSERT_EQ(diags.all().size(), 3u);
  EXPECT_EQ(diags.all()[0].message, "`div` can take more than 8 values, and a "
                                    "comparison needs to know them all");
  EXPECT_EQ(diags.all()[1].message,
            "`div` is `div` of `sum` with too many values");
  EXPECT_EQ(diags.all()[2].message,
            "`sum` is `add` of `far` with 4 values and `tokens_int` with 3 "
            "values, so up to 12 together");
}

TEST_F(ValueSetsTest, StepsOfMeansThatAreNotListed) {
  ValueSetLimits limits;
  limits.values = 8;
  const Node *some = program.select(indices, indices, CompareOp::Lt);
  const Node *average = program.aggregate(some, tokens, Value::integer(-4));
  const Node *rounded =
      op(OpKind::Round, {op(OpKind::Mul, {average, number(2)})});
  const Node *most = op(OpKind::Gt, {average, tokens});
  const Node *both = op(OpKind::Add, {rounded, most});
  ValueSets sets = infer(both, limits);
  EXPECT_FALSE(sets.of(average).known);
  EXPECT_TRUE(sets.of(average).isAbridged());
  EXPECT_EQ(sets.of(average).low, -4);
  EXPECT_TRUE(sets.of(rounded).known);
  EXPECT_EQ(printValueSet(sets.of(rounded).values), "{-8, 0..4}");
  EXPECT_EQ(printValueSet(sets.of(most).values), "{False, True}");
  // The same values as with a list.
  ValueSets listed = infer(both);
  EXPECT_TRUE(sets.of(both).known);
  EXPECT_EQ(sets.of(both).values, listed.of(both).values);
}

TEST_F(ValueSetsTest, OnlyStepsReadAbridgedMeans) {
  ValueSetLimits limits;
  limits.values = 8;
  const Node *some = program.select(indices, indices, CompareOp::Lt);
  const Node *average = program.aggregate(some, tokens, Value::integer(0));
  const Node *isLarge = op(OpKind::Gt, {average, one});
  const Node *rest = op(OpKind::Mod, {average, one});
  const Node *choice = op(OpKind::Where, {isLarge, average, rest});
  ValueSets sets = infer(choice, limits);
  EXPECT_TRUE(sets.of(isLarge).known);
  EXPECT_FALSE(sets.of(rest).known);
  EXPECT_FALSE(sets.of(choice).known);
  EXPECT_TRUE(sets.of(choice).values.empty());
  // Images are read affinely as before.
  const Node *image = op(OpKind::Sub, {one, average});
  const Node *sum = op(OpKind::Add, {image, op(OpKind::Round, {image})});
  ValueSets more = infer(sum, limits);
  EXPECT_TRUE(more.of(image).isAbridged());
  EXPECT_FALSE(more.of(image).integral);
  EXPECT_FALSE(more.of(sum).known);
  EXPECT_TRUE(more.of(sum).numeric);
}

TEST(PrintValueSet, RunsAndLongSets) {
  EXPECT_EQ(printValueSet({}), "{}");
  EXPECT_EQ(printValueSet(ints({1, 2})), "{1, 2}");
  EXPECT_EQ(printValueSet(ints({1, 2, 3, 7})), "{1..3, 7}");
  std::vector<Value> many;
  for (int i = 0; i < 40; ++i)
    many.push_back(Value::integer(2 * i));
  EXPECT_EQ(printValueSet(many, 3), "{0, 2, 4, ... 40 values}");
  EXPECT_EQ(printValueSet(strings({"a"})), "{\"a\"}");
}

TEST_F(ValueSetsTest, MeansOfWhatIsTheSameEverywhere) {
  const Node *share = program.aggregate(full, tokens, Value::integer(0));
  const Node *prefix = program.select(indices, indices, CompareOp::Le);
  const Node *again = program.aggregate(prefix, share, Value::integer(9));
  ValueSets sets = infer(again);
  EXPECT_TRUE(sets.of(share).uniform);
  EXPECT_TRUE(sets.of(again).uniform);
  EXPECT_FALSE(sets.of(tokens).uniform);
  EXPECT_EQ(sets.of(again).values.size(), sets.of(share).values.size());
}

TEST_F(ValueSetsTest, WhatIsObservedIsAllThatOccurs) {
  domain.maxSeqLen = 3;
  const Node *share = program.aggregate(full, indices, Value::integer(0));
  const Node *sum = op(OpKind::Add, {share, indices});
  const Node *inverse = op(OpKind::Div, {tokens, tokens});
  const Node *root = op(OpKind::Mul, {sum, inverse});
  auto show = [&](const Node *node) {
    std::optional<Observation> observation = Observation::make(root, domain);
    ValueSets sets(root, domain, diags, {}, {}, &*observation);
    return printValueSet(sets.of(node).values);
  };
  // The share of length 1 is an int, the others are floats.
  EXPECT_EQ(show(share), "{0, 0.5, 1.0}");
  EXPECT_EQ(show(sum), "{0, 0.5, 1.0, 1.5, 2.0, 3.0}");
  // Inputs that hold a 0 have no result.
  EXPECT_EQ(show(inverse), "{1.0}");
  // Too many inputs; the s-ops without tokens are observed even so.
  domain.vocabulary.clear();
  for (int64_t i = 1; i < 1000; ++i)
    domain.vocabulary.push_back(Value::integer(i));
  std::optional<Observation> observation = Observation::make(root, domain);
  ASSERT_TRUE(observation);
  EXPECT_TRUE(observation->contains(sum));
  EXPECT_FALSE(observation->contains(root));
  EXPECT_EQ(observation->occasions(), 6u);
  EXPECT_EQ(show(sum), "{0, 0.5, 1.0, 1.5, 2.0, 3.0}");
}

//===----------------------------------------------------------------------===//
// Against all inputs
//===----------------------------------------------------------------------===//

/// Whether every value that occurs at an s-op of a random program is in its
/// set, and where its sources say. What is observed are inputs on which no s-op
/// fails.
static void expectSound(unsigned seed, bool causal, bool observed) {
  SCOPED_TRACE("seed " + std::to_string(seed) + (causal ? ", causal" : ""));
  RandomProgram random(seed);
  random.grow(32);
  std::vector<const Node *> sops;
  for (const Node &node : random.program.nodes())
    if (node.isSop())
      sops.push_back(&node);
  // One root above everything.
  const Node *root = random.program.constant(Value::integer(0));
  for (const Node *sop : sops)
    root = random.program.elementwise(OpKind::Eq, {root, sop});

  llvm::SourceMgr sources;
  Diagnostics diags(sources);
  Domain domain{ints({0, 1, 2}), 3, causal};
  ValueSetLimits limits;
  limits.values = 1 << 12;
  limits.combinations = 1 << 12;
  std::optional<Observation> observation;
  if (observed)
    observation = Observation::make(root, domain);
  ValueSets sets(root, domain, diags, {}, limits,
                 observation ? &*observation : nullptr);

  Interpreter interpreter(sops, {causal});
  Interpreter::State state(interpreter);
  forEachInput(
      domain.vocabulary, domain.maxSeqLen,
      [&](llvm::ArrayRef<Value> input, llvm::ArrayRef<size_t> ids) {
        llvm::ArrayRef<RootResult> results = interpreter.run(input, state);
        if (observed && !llvm::all_of(results, [](const RootResult &result) {
              return bool(result);
            }))
          return;
        llvm::DenseMap<const Node *, const RootResult *> byNode;
        for (size_t i = 0; i < sops.size(); ++i)
          byNode[sops[i]] = &results[i];
        for (const Node *sop : sops) {
          const RootResult &result = *byNode[sop];
          const NodeValues &inferred = sets.of(sop);
          if (!result)
            continue;
          for (size_t at = 0; at < input.size(); ++at) {
            Value value = result.values[at];
            if (!inferred.known) {
              EXPECT_LE(inferred.low, value.toDouble());
              EXPECT_GE(inferred.high, value.toDouble());
              continue;
            }
            auto number = [&](llvm::ArrayRef<Value> values, Value wanted) {
              return static_cast<size_t>(llvm::find(values, wanted) -
                                         values.begin());
            };
            ASSERT_LT(number(inferred.values, value), inferred.values.size())
                << value.str() << " at node " << sop->id();
            size_t entry = 0;
            for (size_t k = 0; k < inferred.table.sources.size(); ++k) {
              const Node *source = inferred.table.sources[k];
              size_t own = source ? number(sets.of(source).values,
                                           byNode[source]->values[at])
                                  : ids[at];
              ASSERT_LT(own, inferred.table.sizes[k]);
              entry = entry * inferred.table.sizes[k] + own;
            }
            int32_t listed = inferred.table.entries[entry];
            ASSERT_NE(listed, JointTable::impossible);
            EXPECT_EQ(inferred.values[static_cast<size_t>(listed)], value);
          }
        }
      });
}

TEST(ValueSetsOfRandomPrograms, HoldEveryValue) {
  for (unsigned seed = 0; seed < 300 && !testing::Test::HasFailure(); ++seed)
    for (bool causal : {false, true})
      for (bool observed : {false, true})
        expectSound(seed, causal, observed);
}
