//===- test/unit/ir/ProgramTest.cpp ---------------------------------------===//

#include "ir/Program.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

TEST(Program, EqualNodesAreOne) {
  Program program;
  const Node *tokens = program.leaf(OpKind::TokensStr);
  const Node *one = program.constant(Value::integer(1));
  EXPECT_EQ(one, program.constant(Value::integer(1)));
  EXPECT_NE(one, program.constant(Value::real(1)));
  EXPECT_NE(one, program.constant(Value::boolean(true)));

  const Node *sel = program.select(tokens, one, CompareOp::Eq);
  EXPECT_EQ(sel, program.select(tokens, one, CompareOp::Eq));
  EXPECT_NE(sel, program.select(one, tokens, CompareOp::Eq));
  EXPECT_NE(sel, program.select(tokens, one, CompareOp::Ne));

  Value zero = Value::integer(0);
  EXPECT_EQ(program.aggregate(sel, tokens, zero),
            program.aggregate(sel, tokens, zero));
  EXPECT_NE(program.aggregate(sel, tokens, zero),
            program.aggregate(sel, tokens, Value::boolean(false)));

  Table list{Table::List, {}, {zero}};
  Table dict{Table::Dict, {zero}, {zero}};
  EXPECT_EQ(program.lookup(one, list), program.lookup(one, list));
  EXPECT_NE(program.lookup(one, list), program.lookup(one, dict));
  EXPECT_NE(program.lookup(one, list), program.in(one, list));
}

TEST(Program, NodesCollectNamesAndRanges) {
  const char text[] = "abc";
  auto at = [&](int begin, int end) {
    return llvm::SMRange(llvm::SMLoc::getFromPointer(text + begin),
                         llvm::SMLoc::getFromPointer(text + end));
  };
  Program program;
  const Node *node = program.leaf(OpKind::Indices, at(0, 1));
  program.leaf(OpKind::Indices, at(1, 2));
  program.leaf(OpKind::Indices, at(0, 1));
  program.leaf(OpKind::Indices);
  ASSERT_EQ(node->ranges().size(), 2u);
  EXPECT_EQ(node->ranges()[1].Start.getPointer(), text + 1);
  program.setName(node, "first");
  program.setName(node, "second");
  EXPECT_EQ(node->name(), "first");
}

TEST(Program, ReachableIsTopological) {
  Program program;
  const Node *tokens = program.leaf(OpKind::TokensStr);
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *sel = program.select(indices, indices, CompareOp::Lt);
  const Node *width = program.width(sel);
  const Node *moved = program.aggregate(sel, tokens, Value::string("a"));
  EXPECT_EQ(reachable(width), (std::vector{indices, sel, width}));
  EXPECT_EQ(reachable({moved, width}),
            (std::vector{tokens, indices, sel, width, moved}));
}
