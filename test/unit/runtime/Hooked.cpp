//===- test/unit/runtime/Hooked.cpp - hooks and the pass that has them ----===//

#include "Models.h"
#include "runtime/ActivationCache.h"
#include "runtime/Transformer.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace rasp;
using namespace rasp::rt;

namespace {
/// Calls a function at some hook points.
template <typename T> class Editor : public HookVisitor<T> {
public:
  Editor(std::vector<HookPoint> points, std::function<void(Tensor<T> &)> edit)
      : points(std::move(points)), edit(std::move(edit)) {}
  bool wants(const HookPoint &point) const override {
    return llvm::is_contained(points, point);
  }
  bool visit(const HookPoint &, Tensor<T> &activation) override {
    ++visits;
    edit(activation);
    return true;
  }
  unsigned visits = 0;

private:
  std::vector<HookPoint> points;
  std::function<void(Tensor<T> &)> edit;
};
} // namespace

static std::vector<std::vector<uint32_t>>
randomBatch(unsigned size, unsigned length, unsigned seed, unsigned bos = 3) {
  std::mt19937 engine(seed);
  std::vector<std::vector<uint32_t>> batch(size, {bos});
  for (std::vector<uint32_t> &ids : batch)
    while (ids.size() < length)
      ids.push_back(engine() % bos);
  return batch;
}

static HookPoint at(const HookTable &table, llvm::StringRef name) {
  llvm::Expected<HookPoint> point = table.find(name);
  if (!point) {
    ADD_FAILURE() << llvm::toString(point.takeError());
    return {HookKind::Embed};
  }
  return *point;
}

static std::string refusalOf(const HookTable &table, llvm::StringRef name) {
  llvm::Expected<HookPoint> point = table.find(name);
  return point ? "found" : llvm::toString(point.takeError());
}

/// The logits of both passes, bit by bit, watched and not.
template <typename T>
static void expectSameLogits(const Model &model, unsigned seed) {
  Transformer<T> transformer(model);
  typename Transformer<T>::Workspace workspace;
  HookedPass<T> pass(model);
  ActivationCache<T> cache(pass.hooks().points());
  for (unsigned length : {1, 2, 7, 8, 9, 33, 40, 100}) {
    if (length > model.config.nCtx)
      break;
    auto batch = randomBatch(3, length, seed, model.input.bosId);
    Tensor<T> alone = pass.run(batch), watched = pass.run(batch, &cache);
    EXPECT_EQ(alone.data, watched.data);
    for (unsigned s = 0; s < batch.size(); ++s) {
      Logits<T> logits = transformer.forward(batch[s], workspace);
      for (unsigned t = 0; t < length; ++t)
        for (unsigned o = 0; o < transformer.numOutputs(); ++o)
          EXPECT_EQ(*alone.at(s, t, o), logits(t, o));
    }
  }
}

TEST(HookedPass, SameBitsAsTheFastPass) {
  for (unsigned seed = 0; seed < 6; ++seed)
    for (DType dtype : {DType::Float32, DType::Float64}) {
      Model model =
          test::makeRandom(seed, 3, 1 + seed % 3, 12, 5, 9, seed % 2, dtype);
      expectSameLogits<float>(model, seed);
      expectSameLogits<double>(model, seed);
    }
  expectSameLogits<float>(test::makeReverse(40, DType::Float32), 1);
}

TEST(HookedPass, NamesAndShapesOfTransformerLens) {
  Model model =
      test::makeRandom(3, 2, 2, 11, 4, 7, /*causal=*/true, DType::Float64);
  HookedPass<double> pass(model);
  std::vector<std::string> names, expected = {"hook_embed", "hook_pos_embed"};
  for (const HookPoint &point : pass.hooks().points())
    names.push_back(point.name());
  for (llvm::StringRef block : {"blocks.0.", "blocks.1."})
    for (llvm::StringRef name :
         {"hook_resid_pre", "hook_q_input", "hook_k_input", "hook_v_input",
          "attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_attn_scores",
          "attn.hook_pattern", "attn.hook_z", "attn.hook_result",
          "hook_attn_out", "hook_resid_mid", "hook_mlp_in", "mlp.hook_pre",
          "mlp.hook_post", "hook_mlp_out", "hook_resid_post"})
      expected.push_back((block + name).str());
  expected.insert(expected.end(), {"unembed.hook_in", "unembed.hook_out"});
  EXPECT_EQ(names, expected);

  constexpr unsigned B = 2, T = 9, H = 2, D = 11, K = 4, M = 7, O = 3;
  ActivationCache<double> cache(pass.hooks().points());
  Tensor<double> logits = pass.run(randomBatch(B, T, 1), &cache);
  auto shapeOf = [&](const char *name) {
    auto shape = cache[at(pass.hooks(), name)].shape;
    return std::vector<unsigned>(shape.begin(), shape.end());
  };
  using Shape = std::vector<unsigned>;
  EXPECT_EQ(shapeOf("hook_embed"), (Shape{B, T, D}));
  EXPECT_EQ(shapeOf("blocks.1.hook_q_input"), (Shape{B, T, H, D}));
  EXPECT_EQ(shapeOf("blocks.1.attn.hook_k"), (Shape{B, T, H, K}));
  EXPECT_EQ(shapeOf("blocks.0.attn.hook_attn_scores"), (Shape{B, H, T, T}));
  EXPECT_EQ(shapeOf("blocks.0.attn.hook_pattern"), (Shape{B, H, T, T}));
  EXPECT_EQ(shapeOf("blocks.0.attn.hook_result"), (Shape{B, T, H, D}));
  EXPECT_EQ(shapeOf("blocks.1.mlp.hook_pre"), (Shape{B, T, M}));
  EXPECT_EQ(shapeOf("unembed.hook_out"), (Shape{B, T, O}));
  EXPECT_EQ(cache[at(pass.hooks(), "unembed.hook_out")].data, logits.data);

  // What belongs together fits together.
  auto get = [&](const char *name) -> const Tensor<double> & {
    return cache[at(pass.hooks(), name)];
  };
  for (unsigned t = 0; t < T; ++t) {
    EXPECT_EQ(*get("blocks.0.attn.hook_attn_scores").at(0, 0, 0, t),
              t ? -INFINITY
                : *get("blocks.0.attn.hook_attn_scores").at(0, 0, 0, 0));
    double total = 0;
    for (unsigned key = 0; key < T; ++key)
      total += *get("blocks.0.attn.hook_pattern").at(1, 1, t, key);
    EXPECT_NEAR(total, 1, 1e-12);
    for (unsigned d = 0; d < D; ++d) {
      EXPECT_EQ(*get("blocks.0.hook_resid_pre").at(1, t, d),
                *get("hook_embed").at(1, t, d) +
                    *get("hook_pos_embed").at(1, t, d));
      EXPECT_EQ(*get("blocks.1.hook_resid_mid").at(1, t, d),
                *get("blocks.1.hook_resid_pre").at(1, t, d) +
                    *get("blocks.1.hook_attn_out").at(1, t, d));
      EXPECT_NEAR(*get("blocks.0.hook_attn_out").at(1, t, d),
                  *get("blocks.0.attn.hook_result").at(1, t, 0, d) +
                      *get("blocks.0.attn.hook_result").at(1, t, 1, d) +
                      model.layers[0].bO[d],
                  1e-12);
    }
    for (unsigned m = 0; m < M; ++m)
      EXPECT_EQ(*get("blocks.0.mlp.hook_post").at(0, t, m),
                std::max(0.0, *get("blocks.0.mlp.hook_pre").at(0, t, m)));
  }
}

TEST(HookedPass, SwitchesAddPoints) {
  Model model = test::makeRandom(3, 1, 1, 6, 2, 3, false, DType::Float32);
  model.config.hooks.useAttnIn = model.config.hooks.useHookTokens = true;
  model.config.hooks.useAttnResult = false;
  HookedPass<float> pass(model);
  EXPECT_EQ(pass.hooks().points().front().name(), "hook_tokens");
  EXPECT_EQ(refusalOf(pass.hooks(), "attn_in0"), "found");
  EXPECT_EQ(refusalOf(pass.hooks(), "blocks.0.attn.hook_result"),
            "`blocks.0.attn.hook_result` never fires in this model: its "
            "tl_config does not set `use_attn_result`");
  ActivationCache<float> cache(pass.hooks().points());
  auto batch = randomBatch(1, 4, 5);
  pass.run(batch, &cache);
  for (unsigned t = 0; t < 4; ++t)
    EXPECT_EQ(*cache[{HookKind::Tokens}].at(0, t), batch[0][t]);
  EXPECT_EQ(cache[at(pass.hooks(), "attn_in0")].data,
            cache[at(pass.hooks(), "resid_pre0")].data);
}

TEST(HookedPass, PaddingHasActivationsToo) {
  // No layers, heads and hidden units in memory are one each in the file.
  Model model = test::makeIdentity({true, false, std::string("1")});
  HookedPass<float> pass(model);
  ActivationCache<float> cache(pass.hooks().points());
  pass.run({{3, 0, 1}}, &cache);
  EXPECT_EQ(cache[at(pass.hooks(), "pattern0")].data,
            std::vector<float>(9, 1.0f / 3));
  EXPECT_EQ(cache[at(pass.hooks(), "pre0")].data, std::vector<float>(3, 0));
  EXPECT_EQ(cache[at(pass.hooks(), "resid_pre0")].data,
            cache[at(pass.hooks(), "resid_post0")].data);
}

TEST(HookedPass, ReplacedActivationsAreWhatIsReadNext) {
  Model model =
      test::makeRandom(5, 2, 2, 11, 4, 7, /*causal=*/false, DType::Float64);
  HookedPass<double> pass(model);
  auto batch = randomBatch(2, 6, 1), other = randomBatch(2, 6, 2);
  ASSERT_NE(batch, other);
  Tensor<double> logits = pass.run(batch), otherLogits = pass.run(other);
  ActivationCache<double> cache(pass.hooks().points());
  pass.run(other, &cache);

  // The whole stream from another input gives that input's logits.
  for (const char *name :
       {"resid_pre0", "resid_mid0", "resid_post0", "resid_mid1"}) {
    HookPoint point = at(pass.hooks(), name);
    Editor<double> editor({point},
                          [&](Tensor<double> &x) { x = cache[point]; });
    EXPECT_EQ(pass.run(batch, &editor).data, otherLogits.data) << name;
    EXPECT_EQ(editor.visits, 1u);
  }
  // Copies for readers: all of them, and the stream is still another one.
  for (const char *name : {"q_input0", "k_input0", "v_input0", "mlp_in1"}) {
    HookPoint point = at(pass.hooks(), name);
    Editor<double> editor({point},
                          [&](Tensor<double> &x) { x = cache[point]; });
    Tensor<double> patched = pass.run(batch, &editor);
    EXPECT_NE(patched.data, logits.data) << name;
    EXPECT_NE(patched.data, otherLogits.data) << name;
  }
  // What a head writes, or what it brings back: the same in other words.
  auto zero = [](Tensor<double> &x) {
    for (unsigned b = 0; b < x.shape[0]; ++b)
      for (unsigned t = 0; t < x.shape[1]; ++t)
        std::fill_n(x.at(b, t, 1), x.shape[3], 0);
  };
  Editor<double> result({at(pass.hooks(), "result0")}, zero);
  Editor<double> z({at(pass.hooks(), "z0")}, zero);
  Tensor<double> a = pass.run(batch, &result), b = pass.run(batch, &z);
  EXPECT_NE(a.data, logits.data);
  for (size_t i = 0; i < a.data.size(); ++i)
    EXPECT_NEAR(a.data[i], b.data[i], 1e-10 * (1 + std::fabs(b.data[i])));
  // A row of scores that hides everything.
  Editor<double> scores(
      {at(pass.hooks(), "attn_scores0")},
      [&](Tensor<double> &x) { std::fill_n(x.at(0, 0, 2), 6, -INFINITY); });
  ActivationCache<double> pattern(at(pass.hooks(), "pattern0"));
  HookVisitors<double> both;
  both.add(scores);
  both.add(pattern);
  pass.run(batch, &both);
  for (unsigned key = 0; key < 6; ++key)
    EXPECT_EQ(*pattern[at(pass.hooks(), "pattern0")].at(0, 0, 2, key), 0);
}

TEST(HookedPass, StartsAndStopsAtLayers) {
  Model model =
      test::makeRandom(6, 3, 2, 11, 4, 7, /*causal=*/false, DType::Float32);
  HookedPass<float> pass(model);
  auto batch = randomBatch(2, 6, 1);
  ActivationCache<float> cache(pass.hooks().points());
  Tensor<float> logits = pass.run(batch, &cache);
  for (unsigned layer = 0; layer < 3; ++layer) {
    Tensor<float> residual = pass.runUntil(layer, batch);
    EXPECT_EQ(residual.data, (cache[{HookKind::ResidPre, int(layer)}].data));
    Tensor<float> rest = pass.runLayers(layer, 3, residual);
    EXPECT_EQ(rest.data, (cache[{HookKind::ResidPost, 2}].data));
    EXPECT_EQ(pass.unembed(rest).data, logits.data);
  }
}

TEST(Hooks, ShortNames) {
  Model model = test::makeRandom(1, 7, 1, 6, 2, 3, false, DType::Float32);
  HookTable table(model);
  auto full = [&](llvm::StringRef name) { return at(table, name).name(); };
  EXPECT_EQ(full("k6"), "blocks.6.attn.hook_k");
  EXPECT_EQ(full("pre5"), "blocks.5.mlp.hook_pre");
  EXPECT_EQ(full("attn_out0"), "blocks.0.hook_attn_out");
  EXPECT_EQ(full("resid_post-1"), "blocks.6.hook_resid_post");
  EXPECT_EQ(full("attn2"), "blocks.2.attn.hook_pattern");
  EXPECT_EQ(full("attn_logits2"), "blocks.2.attn.hook_attn_scores");
  EXPECT_EQ(full("query3attn"), "blocks.3.attn.hook_q");
  EXPECT_EQ(full("mlp_post3mlp"), "blocks.3.mlp.hook_post");
  EXPECT_EQ(full("q3a"), "blocks.3.attn.hook_q");
  EXPECT_EQ(full("embed"), "hook_embed");
  EXPECT_EQ(full("pos_embed"), "hook_pos_embed");
  EXPECT_EQ(full("unembed.hook_out"), "unembed.hook_out");
  for (const HookPoint &point : table.points())
    EXPECT_EQ(at(table, point.name()), point);

  EXPECT_EQ(refusalOf(table, "k7"),
            "no hook point `k7`: the layers are 0 to 6");
  EXPECT_EQ(refusalOf(table, "k-8"),
            "no hook point `k-8`: the layers are 0 to 6");
  EXPECT_EQ(refusalOf(table, "q3mlp"),
            "no hook point `q3mlp`, see runtime/TRACE.md");
  EXPECT_EQ(refusalOf(table, "embed0"),
            "no hook point `embed0`; did you mean `embed`?");
  EXPECT_EQ(refusalOf(table, "blocks.x.hook_q"),
            "no hook point `blocks.x.hook_q`; did you mean "
            "`blocks.0.attn.hook_q`?");
  EXPECT_EQ(refusalOf(table, "completely_else"),
            "no hook point `completely_else`, see runtime/TRACE.md");
}

TEST(Hooks, Patterns) {
  Model model = test::makeRandom(1, 2, 1, 6, 2, 3, false, DType::Float32);
  HookTable table(model);
  auto select = [&](llvm::StringRef list) {
    llvm::Expected<std::vector<HookPoint>> points = table.select(list);
    if (!points)
      return llvm::toString(points.takeError());
    std::string text;
    for (const HookPoint &point : *points)
      text += point.name() + " ";
    return text;
  };
  EXPECT_EQ(select("blocks.1.attn.hook_[vq], hook_*embed"),
            "hook_embed hook_pos_embed blocks.1.attn.hook_q "
            "blocks.1.attn.hook_v ");
  EXPECT_EQ(select("*.hook_nothing"), "no hook point fits `*.hook_nothing`");
  EXPECT_EQ(table.points().size(), llvm::cantFail(table.select("")).size());
}
