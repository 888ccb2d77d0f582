//===- test/unit/runtime/Models.cpp - small models made by hand -----------===//

#include "Models.h"

#include <cmath>
#include <random>

using namespace rasp;
using namespace rasp::rt;

namespace {
struct Weight {
  int row, column;
  double value;
};
} // namespace

static Matrix matrix(int rows, int columns, std::vector<Weight> weights) {
  std::vector<Eigen::Triplet<double>> triplets;
  for (const Weight &w : weights)
    triplets.emplace_back(w.row, w.column, w.value);
  Matrix result(rows, columns);
  result.setFromTriplets(triplets.begin(), triplets.end());
  return result;
}

/// A model without layers; directions are `one`, `bos`, then the tokens, then
/// `extra` more.
static Model makeBase(std::vector<Atom> vocabulary, unsigned maxLength,
                      unsigned extra) {
  Model model;
  int tokens = vocabulary.size();
  model.config.dModel = 2 + tokens + extra;
  model.config.dHead = 1;
  model.config.nCtx = maxLength + 1;
  model.config.modelName = "by-hand";
  std::vector<Weight> embedding = {{tokens, 0, 1}, {tokens, 1, 1}};
  for (int t = 0; t < tokens; ++t) {
    embedding.push_back({t, 0, 1});
    embedding.push_back({t, 2 + t, 1});
  }
  model.wE = matrix(tokens + 2, model.config.dModel, embedding);
  model.wPos = matrix(maxLength + 1, model.config.dModel, {});
  model.input = {std::move(vocabulary), unsigned(tokens), unsigned(tokens + 1)};
  for (unsigned d = 0; d < model.config.dModel; ++d)
    model.residualLabels.push_back("direction:" + std::to_string(d));
  model.programText = "# written by hand\n";
  model.programName = "hand.rasp";
  return model;
}

static Layer emptyLayer(const Model &model) {
  int d = model.config.dModel;
  return {{},        Vector::Zero(d), Matrix(d, 0),
          Vector(0), Matrix(0, d),    Vector::Zero(d)};
}

Model test::makeReverse(unsigned length, DType dtype) {
  // Directions: one, bos, a, b, then index i squared and index i, then the
  // output. Score of key k for query q: 2 k (length - 1 - q) - k^2.
  Model model = makeBase({std::string("a"), std::string("b")}, length, 4);
  model.config.dtype = dtype;
  model.config.dHead = 4;
  int d = model.config.dModel, n = length;
  std::vector<Weight> positions;
  for (int i = 0; i < n; ++i) {
    positions.push_back({i + 1, 4, double(i * i)});
    positions.push_back({i + 1, 5, double(i)});
  }
  model.wPos = matrix(n + 1, d, positions);

  Layer layer = emptyLayer(model);
  double sharp = 256 * 2; // times the root of the head's width
  Head head;
  head.wQ = matrix(d, 3,
                   {{0, 0, 2.0 * (n - 1) * sharp},
                    {5, 0, -2 * sharp},
                    {0, 1, -sharp},
                    {0, 2, -1e4 * sharp}});
  head.wK = matrix(d, 3, {{5, 0, 1}, {4, 1, 1}, {1, 2, 1}});
  head.wV = matrix(d, 3, {{2, 0, 1}, {3, 1, 1}});
  head.bQ = head.bK = head.bV = Vector::Zero(3);
  head.wO = matrix(3, d, {{0, 6, 1}, {1, 7, 1}});
  layer.heads.push_back(head);
  model.layers.push_back(layer);

  model.wU = matrix(d, 2, {{6, 0, 1}, {7, 1, 1}});
  model.bU = Vector::Zero(2);
  model.output = {OutputVocab::Categorical, "reverse", "string",
                  model.input.values, 0};
  return model;
}

Model test::makeShare(unsigned maxLength, bool causal, DType dtype) {
  Model model = makeBase({std::string("x"), std::string("y")}, maxLength, 1);
  model.config.causal = causal;
  model.config.dtype = dtype;
  int d = model.config.dModel;
  Layer layer = emptyLayer(model);
  Head head;
  head.wQ = matrix(d, 1, {{0, 0, -256}, {1, 0, 256}});
  head.wK = matrix(d, 1, {{1, 0, 1}});
  head.wV = matrix(d, 1, {{2, 0, 1}});
  head.bQ = head.bK = head.bV = Vector::Zero(1);
  head.wO = matrix(1, d, {{0, 4, 1}});
  layer.heads.push_back(head);
  model.layers.push_back(layer);
  model.wU = matrix(d, 1, {{4, 0, 1}});
  model.bU = Vector::Zero(1);
  model.output = {OutputVocab::Numerical, "share", "float", {}, 1e-6};
  return model;
}

Model test::makeNot() {
  Model model = makeBase({int64_t(0), int64_t(1)}, 4, 2);
  int d = model.config.dModel;
  Layer layer = emptyLayer(model);
  layer.wIn = matrix(d, 2, {{0, 0, 1}, {3, 0, -1}, {3, 1, 1}});
  layer.bIn = Vector::Zero(2);
  layer.wOut = matrix(2, d, {{0, 4, 1}, {1, 5, 1}});
  model.layers.push_back(layer);
  model.wU = matrix(d, 2, {{5, 0, 1}, {4, 1, 1}});
  model.bU = Vector::Zero(2);
  model.output = {OutputVocab::Categorical, "out", "bool", {false, true}, 0};
  return model;
}

Model test::makeIdentity(std::vector<Atom> vocabulary) {
  Model model = makeBase(std::move(vocabulary), 3, 0);
  int tokens = model.input.values.size();
  std::vector<Weight> unembed;
  for (int t = 0; t < tokens; ++t)
    unembed.push_back({2 + t, t, 1});
  model.wU = matrix(model.config.dModel, tokens, unembed);
  model.bU = Vector::Zero(tokens);
  model.output = {OutputVocab::Categorical, "tokens", "string",
                  model.input.values, 0};
  return model;
}

Model test::makeRandom(unsigned seed, unsigned layers, unsigned heads,
                       unsigned directions, unsigned width, unsigned hidden,
                       bool causal, DType dtype) {
  std::mt19937 engine(seed);
  auto uniform = [&] { return int(engine() % 2001) / 1000.0 - 1; };
  auto random = [&](int rows, int columns, unsigned percent) {
    std::vector<Weight> weights;
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column)
        if (engine() % 100 < percent)
          weights.push_back({row, column, uniform()});
    return matrix(rows, columns, weights);
  };
  auto randomVector = [&](int size) {
    Vector vector = Vector::Zero(size);
    for (int i = 0; i < size; ++i)
      vector[i] = engine() % 3 ? 0 : uniform();
    return vector;
  };

  Model model =
      makeBase({std::string("a"), std::string("b"), std::string("c")}, 140, 0);
  int d = model.config.dModel = directions;
  model.config.dHead = width;
  model.config.causal = causal;
  model.config.dtype = dtype;
  model.residualLabels.assign(directions, "random");
  model.wE = random(5, d, 50);
  model.wPos = random(141, d, 20);
  for (unsigned l = 0; l < layers; ++l) {
    Layer layer;
    for (unsigned h = 0; h < heads; ++h) {
      // Ragged: later heads are narrower.
      int k = std::max<int>(1, width - h);
      layer.heads.push_back({random(d, k, 20), random(d, k, 20),
                             random(d, k, 20), randomVector(k), randomVector(k),
                             randomVector(k), random(k, d, 20)});
    }
    int m = std::max<int>(1, hidden - l);
    layer.bO = randomVector(d);
    layer.wIn = random(d, m, 10);
    layer.bIn = randomVector(m);
    layer.wOut = random(m, d, 10);
    layer.bOut = randomVector(d);
    model.layers.push_back(layer);
  }
  model.wU = random(d, 3, 50);
  model.bU = randomVector(3);
  model.output = {OutputVocab::Categorical, "random", "string",
                  model.input.values, 0};
  return model;
}
