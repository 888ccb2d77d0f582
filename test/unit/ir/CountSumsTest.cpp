//===- test/unit/ir/CountSumsTest.cpp -----------------------------------===//

#include "ir/Interpreter.h"
#include "ir/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <random>

using namespace rasp::ir;

namespace {
class CountSumsTest : public testing::Test {
protected:
  Program program;
  Domain domain;
  const Node *tokens = program.leaf(OpKind::TokensInt);
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *full = program.select(number(1), number(1), CompareOp::Eq);
  const Node *upTo = program.select(indices, indices, CompareOp::Le);
  const Node *others = program.select(tokens, tokens, CompareOp::Ne);

  const Node *number(int64_t value) {
    return program.constant(Value::integer(value));
  }
  const Node *op(OpKind kind, llvm::ArrayRef<const Node *> operands) {
    return program.elementwise(kind, operands);
  }
  const Node *mean(const Node *selector, const Node *values) {
    return program.aggregate(selector, values, Value::integer(7));
  }
  const Node *rounded(const Node *a, const Node *b) {
    return op(OpKind::Round, {op(OpKind::Mul, {a, b})});
  }

  void over(llvm::ArrayRef<int64_t> vocabulary, unsigned maxSeqLen,
            bool causal = false) {
    domain.vocabulary.clear();
    for (int64_t item : vocabulary)
      domain.vocabulary.push_back(Value::integer(item));
    domain.maxSeqLen = maxSeqLen;
    domain.causal = causal;
  }
  const Node *counted(const Node *root,
                      const llvm::DenseSet<const Node *> &kept = {}) {
    llvm::SourceMgr sources;
    Diagnostics diags(sources);
    Module module(program, root);
    module.header.vocabulary = domain.vocabulary;
    module.header.maxSeqLen = domain.maxSeqLen;
    module.header.causal = domain.causal;
    module.kept = kept;
    PassContext context{diags};
    bool changed = countSums(module, context);
    EXPECT_EQ(changed, module.outputs.front() != root);
    return module.outputs.front();
  }

  /// That `root` is counted, by so many widths, and stays the same.
  void expectCounted(const Node *root, size_t widths) {
    const Node *sum = counted(root);
    ASSERT_NE(sum, root);
    std::vector<const Node *> nodes = reachable(sum);
    EXPECT_EQ(
        llvm::count_if(
            nodes, [](const Node *n) { return n->kind() == OpKind::Width; }),
        static_cast<long>(widths));
    EXPECT_TRUE(llvm::none_of(
        nodes, [](const Node *n) { return n->kind() == OpKind::Aggregate; }));
    Interpreter::Options semantics;
    semantics.causal = domain.causal;
    const Node *roots[] = {root, sum};
    Interpreter interpreter(roots, semantics);
    Interpreter::State state(interpreter);
    std::mt19937 random(1);
    for (unsigned round = 0; round < 200; ++round) {
      std::vector<Value> input(1 + random() % domain.maxSeqLen);
      for (Value &item : input)
        item = domain.vocabulary[random() % domain.vocabulary.size()];
      llvm::ArrayRef<RootResult> results = interpreter.run(input, state);
      ASSERT_TRUE(results[0] && results[1]);
      EXPECT_EQ(results[0].values, results[1].values);
    }
  }
};
} // namespace

TEST_F(CountSumsTest, PartsAddUpToEveryValue) {
  over({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 50);
  expectCounted(rounded(mean(full, tokens), program.width(full)), 4);
  expectCounted(rounded(program.width(others), mean(others, tokens)), 4);
  over({0, 3}, 50);
  expectCounted(rounded(mean(full, tokens), program.width(full)), 1);
}

TEST_F(CountSumsTest, SummandsOfAnySign) {
  over({-2, -1, 0, 1, 40}, 50);
  expectCounted(rounded(mean(others, tokens), program.width(others)), 4);
  // What all have in common is counted with the keys.
  over({105, 107, 111}, 60);
  expectCounted(rounded(mean(others, tokens), program.width(others)), 3);
  over({-5, -4}, 60);
  expectCounted(rounded(mean(full, tokens), program.width(full)), 2);
}

TEST_F(CountSumsTest, NumbersOfKeysThatAreNoWidths) {
  const Node *place = op(OpKind::Add, {indices, number(1)});
  over({0, 1, 2, 3}, 40);
  expectCounted(rounded(mean(upTo, tokens), place), 2);
  over({0, 1, 2, 3}, 40, /*causal=*/true);
  expectCounted(rounded(mean(full, tokens), place), 2);
  const Node *root = rounded(mean(upTo, tokens), indices);
  EXPECT_EQ(counted(root), root);
}

TEST_F(CountSumsTest, WhatIsNoSumStays) {
  over({0, 1, 2, 3}, 40);
  const Node *length = program.width(full);
  for (const Node *root :
       {rounded(mean(others, tokens), length),
        op(OpKind::Mul, {mean(full, tokens), length}),
        rounded(mean(full, op(OpKind::Div, {tokens, number(2)})), length),
        rounded(program.aggregate(full, tokens, Value::string("none")),
                length)})
    EXPECT_EQ(counted(root), root);
}

TEST_F(CountSumsTest, ShortSumsAndKeptOperandsStay) {
  const Node *average = mean(full, tokens), *length = program.width(full);
  const Node *root = rounded(average, length);
  over({0, 1, 2, 3}, 5);
  EXPECT_EQ(counted(root), root);
  over({0, 1, 2, 3}, 40);
  EXPECT_NE(counted(root), root);
  EXPECT_EQ(counted(root, {average}), root);
  EXPECT_EQ(counted(root, {root->operand(0)}), root);
}

TEST_F(CountSumsTest, ReadersAreRebuilt) {
  over({0, 1, 2, 3}, 40);
  const Node *sum = rounded(mean(full, tokens), program.width(full));
  const Node *reader = op(OpKind::Add, {sum, indices});
  program.setName(sum, "sum");
  program.setName(reader, "reader");
  const Node *own = counted(reader);
  EXPECT_EQ(own->name(), "reader");
  EXPECT_EQ(own->operand(0)->name(), "sum");
  EXPECT_NE(own->operand(0), sum);
  EXPECT_EQ(own->operand(1), indices);
}
