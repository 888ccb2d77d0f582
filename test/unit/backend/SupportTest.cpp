//===- test/unit/backend/SupportTest.cpp - writers and readers ------------===//

#include "Compiled.h"
#include "runtime/ComponentSupport.h"
#include "runtime/ResidualMap.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace rasp;

namespace {
using Names = std::set<std::string>;

struct Users {
  Names writers, readers;
  bool operator==(const Users &) const = default;
};

void PrintTo(const Users &users, std::ostream *os) {
  *os << "written by";
  for (const std::string &name : users.writers)
    *os << " " << name;
  *os << ", read by";
  for (const std::string &name : users.readers)
    *os << " " << name;
}
} // namespace

/// Who writes and reads some of the directions from `begin` to `end`, by the
/// weights.
static Users usersOf(const rt::Model &model, unsigned begin, unsigned end) {
  auto namesIn = [&](const rt::SupportMatrix &matrix) {
    Names names;
    for (auto [component, directions] :
         llvm::zip_equal(matrix.components, matrix.directions))
      for (unsigned d = begin; d < end; ++d)
        if (directions[d])
          names.insert(component);
    return names;
  };
  return {namesIn(rt::writesOf(model)), namesIn(rt::readsOf(model))};
}

/// The number of subspaces whose writers and readers in the file are not those
/// that the weights have.
static unsigned countDifferences(const rt::Model &model) {
  llvm::Expected<rt::ResidualMap> map = rt::ResidualMap::make(model);
  EXPECT_TRUE(bool(map));
  unsigned differences = 0;
  for (const rt::Subspace &space : map->subspaces()) {
    Users told{{space.writers.begin(), space.writers.end()},
               {space.readers.begin(), space.readers.end()}};
    Users own = usersOf(model, space.begin, space.end);
    if (told == own)
      continue;
    ++differences;
    // For people who look for the reason.
    testing::Test::RecordProperty(space.variable,
                                  testing::PrintToString(told) + "; " +
                                      testing::PrintToString(own));
  }
  return differences;
}

static rt::Model compile(llvm::StringRef program) {
  std::unique_ptr<Compilation> compilation = compileText(program);
  return compilation ? compilation->makeModel() : rt::Model();
}

static const char *programs[] = {
    "#@ vocab: a,b,c\n#@ max-seq-len: 6\n"
    "flip = select(indices, length - 1 - indices, ==);\n"
    "reverse = aggregate(flip, tokens);\n",
    "#@ vocab: a,b,c\n#@ max-seq-len: 6\n"
    "same = select(tokens, tokens, ==);\n"
    "first = selector_width(same and select(indices, indices, <)) == 0;\n"
    "hist2 = selector_width(select(first, True, ==) and\n"
    "  select(selector_width(same), selector_width(same), ==));\n",
    "#@ vocab: a,b,c\n#@ max-seq-len: 6\n"
    "share = aggregate(select(indices, indices, <=), indicator(tokens == "
    "\"a\"));"
    "\n",
    "#@ vocab: 1,2,3\n#@ tokens: int\n#@ max-seq-len: 5\n"
    "smaller = select(tokens_int, tokens_int, <) or\n"
    "  (select(tokens_int, tokens_int, ==) and select(indices, indices, <));\n"
    "sorted = aggregate(select(selector_width(smaller), indices, ==),\n"
    "  tokens_int);\n"};

TEST(Support, TheWeightsHaveTheWritersAndReadersOfTheFile) {
  for (const char *program : programs) {
    SCOPED_TRACE(program);
    EXPECT_EQ(countDifferences(compile(program)), 0u);
  }
}

TEST(Support, AWeightThatTheFileDoesNotKnowIsFound) {
  rt::Model model = compile(programs[0]);
  // The unembedding looks at the position of the token.
  llvm::Expected<rt::ResidualMap> map = rt::ResidualMap::make(model);
  ASSERT_TRUE(bool(map));
  unsigned indices = map->coordinatesOf("indices")->front();
  model.wU.coeffRef(indices, 0) = 1;
  EXPECT_EQ(countDifferences(model), 1u);
  EXPECT_TRUE(usersOf(model, indices, indices + 1).readers.contains("unembed"));
  // And the first layer writes there.
  model.layers[0].wOut.coeffRef(0, indices) = 1;
  EXPECT_TRUE(usersOf(model, indices, indices + 1)
                  .writers.contains("blocks.0.hook_mlp_out"));
}

TEST(Support, WhatMeetsOnlyZerosIsNotRead) {
  rt::Model model = compile(programs[0]);
  rt::Head &head = model.layers[1].heads[0];
  head.wK.setZero();
  head.bK.setZero();
  for (unsigned d = 0; d < model.config.dModel; ++d)
    EXPECT_FALSE(
        usersOf(model, d, d + 1).readers.contains("blocks.1.hook_q_input[0]"));
}
