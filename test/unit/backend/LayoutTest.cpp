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

static std::unique_ptr<Compilation> compileShift(llvm::StringRef vocabulary) {
  return compileText(
      "#@ vocab: " + vocabulary.str() +
      "\n#@ max-seq-len: 4\n"
      "x = aggregate(select(indices, indices - 1, ==), tokens, \"-\");\n");
}

TEST(Layout, HeadWidthIsThatOfTheWidestHead) {
  for (const char *vocabulary : {"a", "a,b,c", "a..e", "a..z"}) {
    std::unique_ptr<Compilation> c = compileShift(vocabulary);
    ASSERT_TRUE(c);
    size_t widest = 0;
    for (const Head &head : c->circuit.heads)
      widest = std::max({widest, head.scores.size(), head.outputs.size()});
    EXPECT_EQ(c->layout.dHead, widest);
    EXPECT_GE(c->layout.root * c->layout.root, widest);
    EXPECT_LT((c->layout.root - 1) * (c->layout.root - 1), widest);
  }
}

TEST(Layout, HeadWidthIsASquareWhereScoresMayBeLarge) {
  std::unique_ptr<Compilation> c = compileShift("a..z");
  ASSERT_TRUE(c);
  ASSERT_NE(c->layout.dHead, c->layout.root * c->layout.root);
  Head &head = c->circuit.heads.front();
  auto widthIsSquare = [&] {
    Layout layout = layOut(c->circuit);
    return layout.dHead == layout.root * layout.root;
  };
  head.proportional = true;
  EXPECT_TRUE(widthIsSquare());
  head.proportional = false;
  EXPECT_FALSE(widthIsSquare());
  head.selected = 1000;
  EXPECT_TRUE(widthIsSquare());
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
