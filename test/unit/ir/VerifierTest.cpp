//===- test/unit/ir/VerifierTest.cpp --------------------------------------===//
//
// What no text can say, since the parser would refuse it before: modules that a
// wrong pass might leave.
//
//===----------------------------------------------------------------------===//

#include "ir/Verifier.h"
#include "ir/Passes.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

namespace {
class VerifierTest : public testing::Test {
protected:
  llvm::SourceMgr sources;
  Diagnostics diags{sources};
  Program program;
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *negated = program.elementwise(OpKind::Neg, indices);
  const Node *same = program.select(indices, indices, CompareOp::Eq);
  const Node *width = program.width(same);
  Module module{program, {negated, width}};

  /// The only error that verification finds.
  std::string complaint() {
    EXPECT_FALSE(verify(module, diags));
    EXPECT_EQ(diags.all().size(), 1u);
    EXPECT_EQ(diags.all().front().name, "BrokenIR"); // [BrokenIR]
    return diags.all().front().message;
  }
};
} // namespace

TEST_F(VerifierTest, WellFormed) { EXPECT_TRUE(verify(module, diags)); }

TEST_F(VerifierTest, UseBeforeDefinition) {
  std::swap(module.ops[0], module.ops[1]);
  EXPECT_EQ(complaint(), "this `neg` reads operand 0 before it is there");
}

TEST_F(VerifierTest, TwoLinesOfOneOp) {
  module.ops.push_back(width);
  EXPECT_EQ(complaint(), "this `width` stands there twice");
}

TEST_F(VerifierTest, OutputThatIsNotThere) {
  module.ops.pop_back();
  EXPECT_EQ(complaint(), "this `width` is an output, but does not stand there");
}

TEST_F(VerifierTest, OutputThatIsASelector) {
  module.outputs = {same};
  EXPECT_EQ(complaint(), "this `select` is an output, but no s-op");
}

TEST_F(VerifierTest, FactsOfSelectors) {
  module.kept.insert(same);
  EXPECT_EQ(complaint(),
            "this `select` is a selector, but has directions of its own");
}

TEST_F(VerifierTest, ManagerFindsLies) {
  PassOptions options;
  options.verifyEach = true;
  PassManager passes(options, "test");
  PassContext context{diags};
  auto lie = [&](Module &module, PassContext &) {
    module.outputs.pop_back();
    return false;
  };
  EXPECT_FALSE(runPass("lie", lie, module, context, passes));
  ASSERT_EQ(diags.all().size(), 1u);
  EXPECT_EQ(diags.all().front().name, "PassFailed"); // [PassFailed]
  EXPECT_EQ(diags.all().front().message,
            "pass `lie` says that it changed nothing, but did");
}

TEST_F(VerifierTest, ManagerFindsWhatPassesBreak) {
  PassOptions options;
  options.verifyEach = true;
  PassManager passes(options, "test");
  PassContext context{diags};
  auto breakIt = [&](Module &module, PassContext &) {
    module.ops.pop_back();
    return true;
  };
  EXPECT_FALSE(runPass("break", breakIt, module, context, passes));
  EXPECT_EQ(diags.all().back().message,
            "pass `break` leaves what is not well-formed");
}
