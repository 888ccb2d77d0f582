//===- test/unit/backend/LayoutTest.cpp -----------------------------------===//

#include "backend/Layout.h"
#include "Compiled.h"

using namespace rasp;
using namespace rasp::backend;

static const char *reverse = "#@ vocab: a,b,c\n"
                             "#@ max-seq-len: 4\n"
                             "flip = select(indices, length - 1 - indices, ==);"
                             "\nreverse = aggregate(flip, tokens);\n";

TEST(Layout, BosFirstThenByTimeAndVariable) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  const Layout &layout = c->layout;
  EXPECT_EQ(layout.coordinate(Circuit::bos), 0u);
  ASSERT_EQ(layout.order.size(), c->circuit.directions.size());
  for (unsigned at = 0; at < layout.order.size(); ++at) {
    EXPECT_EQ(layout.coordinate(layout.order[at]), at);
    EXPECT_TRUE(at <= 1 || c->circuit[layout.order[at - 1]].time <=
                               c->circuit[layout.order[at]].time);
  }
  // Subspaces cover everything, in order, without gaps, each once.
  unsigned end = 0;
  std::set<std::pair<std::string, unsigned>> seen;
  for (const Subspace &space : layout.subspaces) {
    EXPECT_EQ(space.begin, end);
    EXPECT_GT(space.end, space.begin);
    end = space.end;
    EXPECT_TRUE(seen.insert({space.name, space.time}).second) << space.name;
  }
  EXPECT_EQ(end, layout.order.size());
}

TEST(Layout, HeadWidthIsASquareThatHoldsEveryHead) {
  for (const char *vocabulary : {"a", "a,b,c", "a..e", "a..z"}) {
    std::unique_ptr<Compilation> c = compileText(
        std::string("#@ vocab: ") + vocabulary +
        "\n#@ max-seq-len: 4\n"
        "x = aggregate(select(indices, indices - 1, ==), tokens, \"-\");\n");
    ASSERT_TRUE(c);
    unsigned root = 0;
    while (root * root < c->layout.dHead)
      ++root;
    EXPECT_EQ(root * root, c->layout.dHead);
    for (const Head &head : c->circuit.heads) {
      EXPECT_GE(c->layout.dHead, head.scores.size());
      EXPECT_GE(c->layout.dHead, head.outputs.size());
    }
  }
}

TEST(Layout, APrintedLayoutNamesEveryCoordinate) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os, c->circuit, c->layout);
  for (const Subspace &space : c->layout.subspaces)
    EXPECT_NE(text.find(" " + space.name + " "), std::string::npos) << text;
}
