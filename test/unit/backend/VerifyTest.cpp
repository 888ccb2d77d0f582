//===- test/unit/backend/VerifyTest.cpp -----------------------------------===//

#include "backend/tools/Verify.h"
#include "Compiled.h"

using namespace rasp;

namespace {
class VerifyTest : public testing::Test {
protected:
  std::unique_ptr<Compilation> compilation;

  rt::Model compile(llvm::StringRef program) {
    compilation = compileText(program);
    return compilation ? compilation->makeModel() : rt::Model();
  }
  VerifyResult verify(const rt::Model &model, VerifyOptions options = {}) {
    options.jobs = options.jobs ? options.jobs : 1;
    return rasp::verify(model, compilation->output, options);
  }
};
} // namespace

static const char *reverse = "#@ vocab: a,b,c\n"
                             "#@ max-seq-len: 6\n"
                             "flip = select(indices, length - 1 - indices, ==);"
                             "\nreverse = aggregate(flip, tokens);\n";

/// Turns the model wrong: its last layer moves "c" as if it were "b".
static void confuse(rt::Model &model) {
  rt::Matrix &embed = model.wE;
  for (Eigen::Index at = 0; at < embed.cols(); ++at)
    embed.coeffRef(2, at) = embed.coeff(1, at);
}

TEST_F(VerifyTest, AGoodModelHasNoMismatch) {
  rt::Model model = compile(reverse);
  VerifyResult result = verify(model);
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.inputs, 3u + 9 + 27 + 81 + 243 + 729);
  EXPECT_EQ(result.mismatches, 0u);
  EXPECT_EQ(result.excluded, 0u);
  EXPECT_FALSE(result.counterexample);
}

TEST_F(VerifyTest, AnEditedModelIsCaughtWithASmallInput) {
  rt::Model model = compile(reverse);
  confuse(model);
  VerifyResult result = verify(model);
  // Wrong wherever there is a c.
  EXPECT_EQ(result.mismatches, result.inputs - (2 + 4 + 8 + 16 + 32 + 64));
  ASSERT_TRUE(result.counterexample);
  EXPECT_EQ(result.counterexample->input,
            std::vector<rt::Atom>{std::string("c")});
  EXPECT_EQ(result.counterexample->expected,
            std::vector<rt::Atom>{std::string("c")});
  EXPECT_NE(result.counterexample->got, result.counterexample->expected);
}

TEST_F(VerifyTest, SmallCounterexamplesAreFoundFromSamplesToo) {
  rt::Model model = compile(reverse);
  confuse(model);
  VerifyOptions options;
  options.mode = VerifyOptions::Sampled;
  options.samples = 500;
  VerifyResult result = verify(model, options);
  EXPECT_FALSE(result.exhaustive);
  EXPECT_EQ(result.inputs, 500u);
  ASSERT_TRUE(result.counterexample);
  EXPECT_EQ(result.counterexample->input,
            std::vector<rt::Atom>{std::string("c")});
}

TEST_F(VerifyTest, CounterexamplesThatNeedSeveralTokens) {
  rt::Model model = compile(reverse);
  // A wrong last position shows only in inputs that reach it.
  model.wPos.row(6) *= 0;
  VerifyResult result = verify(model);
  ASSERT_TRUE(result.counterexample);
  EXPECT_EQ(result.counterexample->input.size(), 6u);
  // As early in the vocabulary as can be: one token differs from the others.
  EXPECT_EQ(
      llvm::count(result.counterexample->input, rt::Atom(std::string("c"))), 0);
}

TEST_F(VerifyTest, EveryWeightOfTheUnembeddingMatters) {
  rt::Model model = compile(reverse);
  for (Eigen::Index row = 0; row < model.wU.outerSize(); ++row)
    for (rt::Matrix::InnerIterator it(model.wU, row); it; ++it) {
      rt::Model edited = compile(reverse);
      edited.wU.coeffRef(it.row(), it.col()) = -1;
      EXPECT_GT(verify(edited).mismatches, 0u);
    }
}

TEST_F(VerifyTest, JobsDoNotMatter) {
  rt::Model model = compile(reverse);
  confuse(model);
  for (auto mode : {VerifyOptions::Exhaustive, VerifyOptions::Sampled}) {
    VerifyOptions options;
    options.mode = mode;
    options.samples = 9000;
    options.seed = 5;
    VerifyResult first = verify(model, options);
    options.jobs = 3;
    VerifyResult second = verify(model, options);
    EXPECT_EQ(first.inputs, second.inputs);
    EXPECT_EQ(first.mismatches, second.mismatches);
    EXPECT_EQ(first.counterexample->input, second.counterexample->input);
    EXPECT_EQ(first.counterexample->got, second.counterexample->got);
  }
}

TEST_F(VerifyTest, SeedsChooseTheSamples) {
  rt::Model model = compile(reverse);
  confuse(model);
  VerifyOptions options;
  options.mode = VerifyOptions::Sampled;
  options.samples = 1000;
  uint64_t first = verify(model, options).mismatches;
  EXPECT_EQ(verify(model, options).mismatches, first);
  bool differs = false;
  for (uint64_t seed = 1; seed < 6; ++seed) {
    options.seed = seed;
    differs |= verify(model, options).mismatches != first;
  }
  EXPECT_TRUE(differs);
}

TEST_F(VerifyTest, ShorterInputsOnRequest) {
  rt::Model model = compile(reverse);
  VerifyOptions options;
  options.maxLen = 2;
  EXPECT_EQ(verify(model, options).inputs, 12u);
  options.maxLen = 100;
  EXPECT_EQ(verify(model, options).inputs, 1092u);
}

TEST_F(VerifyTest, ManyInputsAreSampled) {
  rt::Model model = compile("#@ vocab: a..z\n#@ max-seq-len: 9\n"
                            "x = tokens;\n");
  VerifyOptions options;
  options.samples = 300;
  VerifyResult result = verify(model, options);
  EXPECT_FALSE(result.exhaustive);
  EXPECT_EQ(result.inputs, 300u);
  EXPECT_EQ(result.mismatches, 0u);
}

TEST_F(VerifyTest, InputsOnWhichTheProgramFailsAreExcluded) {
  // The mean of several strings; and 1/0 for the first position.
  rt::Model model = compile("#@ vocab: a,b\n#@ max-seq-len: 3\n"
                            "s = select(tokens, \"a\", ==);\n"
                            "x = aggregate(s, tokens, \"-\");\n");
  VerifyResult result = verify(model);
  EXPECT_EQ(result.inputs + result.excluded, 14u);
  // Those with more than one a.
  EXPECT_EQ(result.excluded, 1u + 4);
  EXPECT_EQ(result.mismatches, 0u);
}

TEST_F(VerifyTest, ErrorsOfNumbersAreMeasured) {
  rt::Model model = compile("#@ vocab: a,b\n#@ max-seq-len: 5\n"
                            "x = aggregate(select(indices, indices, <=), "
                            "indicator(tokens == \"a\"));\n");
  VerifyResult result = verify(model);
  EXPECT_EQ(result.mismatches, 0u);
  EXPECT_GT(result.maxError, 0);
  EXPECT_LT(result.maxError, 1e-6);
  // A constant offset that is larger than half a gap is a mismatch.
  model.bU[0] += 0.3;
  result = verify(model);
  EXPECT_GT(result.mismatches, 0u);
  EXPECT_GT(result.maxError, 0.2);
}

TEST_F(VerifyTest, ProgressIsReported) {
  rt::Model model = compile(reverse);
  double last = 0;
  VerifyOptions options;
  auto report = [&](double share) { last = std::max(last, share); };
  options.progress = report;
  verify(model, options);
  EXPECT_EQ(last, 1);
}
