//===- test/unit/runtime/Forward.cpp - the forward pass -------------------===//

#include "Models.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace rasp;
using namespace rasp::rt;

template <typename T>
static std::vector<Atom> run(const Model &model, std::vector<Atom> input) {
  Tokenizer tokenizer(model);
  Transformer<T> transformer(model);
  typename Transformer<T>::Workspace workspace;
  llvm::Expected<std::vector<uint32_t>> ids = tokenizer.encode(input);
  if (!ids) {
    ADD_FAILURE() << llvm::toString(ids.takeError());
    return {};
  }
  Logits<T> logits = transformer.forward(*ids, workspace);
  std::vector<Atom> output;
  for (unsigned t = 1; t < ids->size(); ++t)
    output.push_back(tokenizer.decode(logits, t));
  return output;
}

static std::vector<Atom> characters(llvm::StringRef text) {
  std::vector<Atom> atoms;
  for (char c : text)
    atoms.push_back(std::string(1, c));
  return atoms;
}

TEST(Forward, Reverse) {
  Model model = test::makeReverse(11, DType::Float32);
  EXPECT_EQ(run<float>(model, characters("abaabbbaaba")),
            characters("abaabbbaaba"));
  EXPECT_EQ(run<float>(model, characters("aaaaabbbbbb")),
            characters("bbbbbbaaaaa"));
  EXPECT_EQ(run<double>(model, characters("aaaaabbbbbb")),
            characters("bbbbbbaaaaa"));
}

TEST(Forward, MeanOfSelected) {
  Model model = test::makeShare(6, /*causal=*/false, DType::Float64);
  EXPECT_EQ(run<double>(model, characters("xyy")),
            std::vector<Atom>(3, Atom(1.0 / 3)));
}

TEST(Forward, CausalMask) {
  Model model = test::makeShare(6, /*causal=*/true, DType::Float64);
  EXPECT_EQ(run<double>(model, characters("xyyx")),
            (std::vector<Atom>{1.0, 1.0 / 2, 1.0 / 3, 2.0 / 4}));
}

TEST(Forward, OnlyAnMlp) {
  EXPECT_EQ(run<float>(test::makeNot(), {int64_t(1), int64_t(0)}),
            (std::vector<Atom>{false, true}));
}

TEST(Forward, NoLayers) {
  Model model = test::makeIdentity({true, 1.5, std::string("1")});
  std::vector<Atom> input = {1.5, std::string("1"), true};
  EXPECT_EQ(run<float>(model, input), input);
}

/// The same pass written down naively, with dense matrices.
static Eigen::MatrixXd naive(const Model &model, llvm::ArrayRef<uint32_t> ids) {
  Eigen::MatrixXd x(ids.size(), model.config.dModel);
  for (auto [t, id] : llvm::enumerate(ids))
    x.row(t) =
        Eigen::MatrixXd(model.wE).row(id) + Eigen::MatrixXd(model.wPos).row(t);
  for (const Layer &layer : model.layers) {
    Eigen::MatrixXd sum = layer.bO.transpose().replicate(ids.size(), 1);
    for (const Head &head : layer.heads) {
      Eigen::MatrixXd q = (x * head.wQ).rowwise() + head.bQ.transpose();
      Eigen::MatrixXd k = (x * head.wK).rowwise() + head.bK.transpose();
      Eigen::MatrixXd v = (x * head.wV).rowwise() + head.bV.transpose();
      Eigen::MatrixXd a = q * k.transpose() / std::sqrt(model.config.dHead);
      for (int i = 0; i < a.rows(); ++i) {
        int seen = model.config.causal ? i + 1 : a.cols();
        a.row(i).tail(a.cols() - seen).setConstant(-INFINITY);
        a.row(i) = (a.row(i).array() - a.row(i).maxCoeff()).exp();
        a.row(i) /= a.row(i).sum();
      }
      sum += a * v * head.wO;
    }
    x += sum;
    Eigen::MatrixXd hidden =
        ((x * layer.wIn).rowwise() + layer.bIn.transpose()).cwiseMax(0);
    x += (hidden * layer.wOut).rowwise() + layer.bOut.transpose();
  }
  return (x * model.wU).rowwise() + model.bU.transpose();
}

static std::vector<uint32_t> randomIds(std::mt19937 &engine, unsigned length) {
  std::vector<uint32_t> ids = {3};
  while (ids.size() < length)
    ids.push_back(engine() % 3);
  return ids;
}

static void expectAgreement(const Model &model, std::mt19937 &engine) {
  Transformer<double> exact(model);
  Transformer<float> rounded(model);
  Transformer<double>::Workspace workspace;
  Transformer<float>::Workspace roundedWorkspace;
  for (unsigned length : {1, 2, 7, 8, 9, 33, 141}) {
    std::vector<uint32_t> ids = randomIds(engine, length);
    Eigen::MatrixXd expected = naive(model, ids);
    double scale = 1 + expected.cwiseAbs().maxCoeff();
    Logits<double> logits = exact.forward(ids, workspace);
    Logits<float> roundedLogits = rounded.forward(ids, roundedWorkspace);
    for (unsigned t = 0; t < length; ++t)
      for (unsigned o = 0; o < 3; ++o) {
        EXPECT_NEAR(logits(t, o), expected(t, o), 1e-12 * scale);
        EXPECT_NEAR(roundedLogits(t, o), expected(t, o), 1e-4 * scale);
      }
  }
}

TEST(Forward, AgreesWithDenseFormulas) {
  std::mt19937 engine(1);
  for (unsigned seed = 0; seed < 20; ++seed)
    expectAgreement(test::makeRandom(seed, 3, 1 + seed % 3, 12, 5, 9, seed % 2,
                                     DType::Float64),
                    engine);
}

/// Tokens and positions are one-hot, so that few keys, values and hidden units
/// are not zero.
static Model makeOneHot(unsigned seed) {
  constexpr unsigned positions = 141, tokens = 5;
  Model model = test::makeRandom(seed, 2, 2, positions + tokens, 16, 30,
                                 seed % 2, DType::Float64);
  model.wPos = Matrix(positions, positions + tokens);
  for (unsigned t = 0; t < positions; ++t)
    model.wPos.insert(t, t) = 1;
  model.wE = Matrix(tokens, positions + tokens);
  for (unsigned token = 0; token < tokens; ++token)
    model.wE.insert(token, positions + token) = 1;
  for (Layer &layer : model.layers) {
    layer.bO.setZero();
    for (Head &head : layer.heads) {
      // A gap that leaves nothing of most weights.
      head.wQ *= 1000;
      for (Vector *bias : {&head.bQ, &head.bK, &head.bV})
        bias->setZero();
    }
  }
  return model;
}

/// Positions of equal tokens have equal queries, in the first layer and, unless
/// the mask tells them apart, in all.
static Model makeTokensOnly(unsigned seed) {
  Model model =
      test::makeRandom(seed, 3, 2, 12, 5, 9, seed % 2, DType::Float64);
  model.wPos.setZero();
  return model;
}

TEST(Forward, EqualQueriesAreAnsweredOnce) {
  std::mt19937 engine(5);
  for (unsigned seed = 0; seed < 6; ++seed)
    expectAgreement(makeTokensOnly(seed), engine);
}

TEST(Forward, ZerosAreLeftOut) {
  std::mt19937 engine(3);
  for (unsigned seed = 0; seed < 6; ++seed)
    expectAgreement(makeOneHot(seed), engine);
}

template <typename T> static void expectBatchEqualsSingle(const Model &model) {
  std::mt19937 engine(2);
  Transformer<T> transformer(model);
  typename Transformer<T>::Workspace single, batched;
  constexpr unsigned size = Transformer<T>::batchSize;
  for (unsigned length : {1, 2, 6, 40, 70}) {
    std::vector<std::vector<uint32_t>> sequences;
    std::vector<uint32_t> ids(length * size);
    for (unsigned s = 0; s < size; ++s) {
      sequences.push_back(randomIds(engine, length));
      for (unsigned t = 0; t < length; ++t)
        ids[t * size + s] = sequences[s][t];
    }
    Logits<T> batch = transformer.forwardBatch(ids, length, batched);
    for (unsigned s = 0; s < size; ++s) {
      Logits<T> alone = transformer.forward(sequences[s], single);
      for (unsigned t = 0; t < length; ++t)
        for (unsigned o = 0; o < 3; ++o)
          EXPECT_EQ(alone(t, o), batch(t, o, s));
    }
  }
}

TEST(Forward, BatchIsBitIdentical) {
  for (bool causal : {false, true})
    for (const Model &model :
         {test::makeRandom(7, 2, 2, 14, 4, 10, causal, DType::Float64),
          makeOneHot(causal), makeTokensOnly(causal)}) {
      expectBatchEqualsSingle<float>(model);
      expectBatchEqualsSingle<double>(model);
    }
}

TEST(Forward, EachOfMany) {
  std::mt19937 engine(4);
  Transformer<float> transformer(makeOneHot(1));
  Transformer<float>::Workspace single, many;
  for (unsigned length : {5, 70})
    for (unsigned count : {0, 1, 15, 16, 35}) {
      std::vector<std::vector<uint32_t>> sequences;
      for (unsigned i = 0; i < count; ++i)
        sequences.push_back(randomIds(engine, length));
      std::vector<unsigned> calls(count);
      transformer.forwardEach(
          sequences, many,
          [&](size_t i, const Logits<float> &logits, unsigned sequence) {
            ++calls[i];
            Logits<float> alone = transformer.forward(sequences[i], single);
            for (unsigned t = 0; t < length; ++t)
              for (unsigned o = 0; o < 3; ++o)
                EXPECT_EQ(logits(t, o, sequence), alone(t, o));
          });
      EXPECT_EQ(calls, std::vector<unsigned>(count, 1));
    }
}

TEST(Forward, HardAttentionIsExact) {
  // A gap of 104 and more leaves nothing of the smaller weight, in float32.
  Model model = test::makeReverse(9, DType::Float32);
  Transformer<float> transformer(model);
  Transformer<float>::Workspace workspace;
  std::vector<uint32_t> ids = {2, 0, 1, 1, 0, 0, 0, 1, 0, 1};
  Logits<float> logits = transformer.forward(ids, workspace);
  for (unsigned t = 1; t < ids.size(); ++t)
    for (unsigned o = 0; o < 2; ++o)
      EXPECT_EQ(logits(t, o), ids[10 - t] == o ? 1.0f : 0.0f);
}
