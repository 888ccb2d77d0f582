//===- test/unit/runtime/Decompose.cpp - the residual stream in parts -----===//

#include "runtime/Decompose.h"
#include "Models.h"
#include <gtest/gtest.h>

using namespace rasp;
using namespace rasp::rt;
using Kind = DecompositionKind;

namespace {
constexpr unsigned layers = 3, heads = 2, directions = 7, hidden = 4;

/// A random model after a pass over two sequences.
class DecomposeTest : public testing::Test {
protected:
  Model model = test::makeRandom(5, layers, heads, directions, 3, hidden,
                                 /*causal=*/false, DType::Float64);
  HookedPass<double> pass{model};
  ActivationCache<double> cache{pass.hooks().points()};

  void SetUp() override { pass.run({{3, 0, 1, 2}, {3, 2, 2, 0}}, &cache); }

  Decomposition<double> take(Kind kind, DecompositionRange range = {}) {
    return decompose(kind, pass, cache, range);
  }

  /// The largest difference of the sum of all parts from an activation.
  double differenceFrom(HookPoint point, const Decomposition<double> &parts) {
    const Tensor<double> &stream = cache[point];
    double largest = 0;
    for (size_t i = 0; i < stream.data.size(); ++i) {
      double sum = 0;
      for (size_t p = 0; p < parts.labels.size(); ++p)
        sum += parts.parts.data[p * stream.data.size() + i];
      largest = std::max(largest, std::abs(sum - stream.data[i]));
    }
    return largest;
  }
};
} // namespace

/// Without biases of the attention and the MLP.
static void dropBiases(Model &model) {
  for (Layer &layer : model.layers) {
    layer.bO.setZero();
    layer.bOut.setZero();
  }
}

TEST_F(DecomposeTest, EveryFullDecompositionAddsUpToTheStream) {
  for (Kind kind :
       {Kind::DecomposeResid, Kind::FullResid, Kind::FullResidNeurons}) {
    SCOPED_TRACE(nameOf(kind).str());
    EXPECT_LT(differenceFrom({HookKind::ResidPost, layers - 1}, take(kind)),
              1e-12);
    for (unsigned l = 0; l < layers; ++l) {
      int layer = static_cast<int>(l);
      EXPECT_LT(differenceFrom({HookKind::ResidPre, layer}, take(kind, {l})),
                1e-12);
      EXPECT_LT(
          differenceFrom({HookKind::ResidMid, layer}, take(kind, {l, true})),
          1e-12);
      // What is behind is not the same: something is compared.
      EXPECT_GT(differenceFrom({HookKind::ResidPost, layer}, take(kind, {l})),
                1e-3);
    }
  }
}

TEST_F(DecomposeTest, HeadsAndHiddenUnitsAddUpToWhatTheirLayersWrite) {
  dropBiases(model);
  SetUp();
  Tensor<double> sum = cache[{HookKind::Embed}];
  auto addAll = [&](const Decomposition<double> &parts) {
    for (size_t i = 0; i < parts.parts.data.size(); ++i)
      sum.data[i % sum.data.size()] += parts.parts.data[i];
  };
  addAll(take(Kind::HeadResults));
  addAll(take(Kind::NeuronResults));
  const Tensor<double> &positions = cache[{HookKind::PosEmbed}];
  const Tensor<double> &stream = cache[{HookKind::ResidPost, layers - 1}];
  for (size_t i = 0; i < sum.data.size(); ++i)
    EXPECT_NEAR(sum.data[i] + positions.data[i], stream.data[i], 1e-12);
}

TEST_F(DecomposeTest, TheAccumulatedStreamIsTheStream) {
  Decomposition<double> stream = take(Kind::AccumulatedResid);
  EXPECT_EQ(stream.labels,
            (std::vector<std::string>{"0_pre", "0_mid", "1_pre", "1_mid",
                                      "2_pre", "2_mid", "final_post"}));
  size_t size = cache[{HookKind::Embed}].data.size();
  std::vector<double> last(stream.parts.data.end() - size,
                           stream.parts.data.end());
  EXPECT_EQ(last, (cache[{HookKind::ResidPost, layers - 1}].data));
  EXPECT_EQ(take(Kind::AccumulatedResid, {1}).labels,
            (std::vector<std::string>{"0_pre", "0_mid", "1_pre"}));
  EXPECT_EQ(take(Kind::AccumulatedResid, {1, true}).labels.back(), "1_mid");
}

TEST_F(DecomposeTest, LabelsAndShapesAreThoseOfTransformerLens) {
  auto labels = [&](Kind kind) { return labelsFor(kind, pass.hooks()); };
  EXPECT_EQ(labels(Kind::DecomposeResid),
            (std::vector<std::string>{"embed", "pos_embed", "0_attn_out",
                                      "0_mlp_out", "1_attn_out", "1_mlp_out",
                                      "2_attn_out", "2_mlp_out"}));
  EXPECT_EQ(labels(Kind::HeadResults),
            (std::vector<std::string>{"L0H0", "L0H1", "L1H0", "L1H1", "L2H0",
                                      "L2H1"}));
  EXPECT_EQ(labels(Kind::FullResid),
            (std::vector<std::string>{
                "L0H0", "L0H1", "L1H0", "L1H1", "L2H0", "L2H1", "0_mlp_out",
                "1_mlp_out", "2_mlp_out", "embed", "pos_embed", "bias"}));
  std::vector<std::string> units = labels(Kind::NeuronResults);
  EXPECT_EQ(units.size(), layers * hidden);
  EXPECT_EQ(units.front(), "L0N0");
  EXPECT_EQ(units.back(), "L2N3");
  EXPECT_EQ(
      take(Kind::NeuronResults).parts.shape,
      (llvm::SmallVector<unsigned, 4>{layers * hidden, 2, 4, directions}));
}

TEST_F(DecomposeTest, ACacheNeedsOnlyThePointsThatAreListed) {
  for (Kind kind :
       {Kind::DecomposeResid, Kind::AccumulatedResid, Kind::HeadResults,
        Kind::NeuronResults, Kind::FullResid, Kind::FullResidNeurons}) {
    ActivationCache<double> small(pointsFor(kind, pass.hooks()));
    pass.run({{3, 0, 1, 2}, {3, 2, 2, 0}}, &small);
    EXPECT_EQ(decompose(kind, pass, small).parts.data, take(kind).parts.data);
  }
}
TEST(Decompose, WithoutTheSwitchForResultsHeadsAreMadeFromTheirMeans) {
  Model model = test::makeRandom(5, layers, heads, directions, 3, hidden,
                                 /*causal=*/false, DType::Float64);
  auto take = [&] {
    HookedPass<double> pass(model);
    ActivationCache<double> cache(pointsFor(Kind::HeadResults, pass.hooks()));
    pass.run({{3, 0, 1, 2}}, &cache);
    return decompose(Kind::HeadResults, pass, cache).parts.data;
  };
  std::vector<double> results = take();
  model.config.hooks.useAttnResult = false;
  EXPECT_EQ(take(), results);
}
