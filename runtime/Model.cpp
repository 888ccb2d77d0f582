//===- runtime/Model.cpp - sizes and rounding of a model ------------------===//

#include "runtime/Model.h"

#include <algorithm>

using namespace rasp::rt;

unsigned Model::numHeads() const {
  size_t most = 0;
  for (const Layer &layer : layers)
    most = std::max(most, layer.heads.size());
  return most;
}

unsigned Model::dMlp() const {
  Eigen::Index most = 0;
  for (const Layer &layer : layers)
    most = std::max(most, layer.wIn.cols());
  return most;
}

static uint64_t countNonzeros(const Matrix &matrix) {
  uint64_t count = 0;
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      count += it.value() != 0;
  return count;
}

static uint64_t countNonzeros(const Vector &vector) {
  return (vector.array() != 0).count();
}

uint64_t rasp::rt::paddedParameters(const Shape &shape, unsigned nCtx) {
  uint64_t d = shape.dModel, k = shape.dHead, m = shape.dMlp;
  uint64_t embedding = (shape.vocab + uint64_t(nCtx)) * d;
  uint64_t head = 3 * (d * k + k) + k * d;
  return embedding +
         shape.layers * (shape.heads * head + d + d * m + m + m * d + d);
}

Shape rasp::rt::shapeOf(const Model &model) {
  const Config &config = model.config;
  Shape shape;
  shape.layers = std::max(model.numLayers(), 1u);
  shape.heads = std::max({model.numHeads(), config.paddedHeads, 1u});
  shape.dHead = std::max(config.dHead, 1u);
  shape.dMlp = std::max({model.dMlp(), config.paddedHidden, 1u});
  shape.dModel = config.dModel;
  shape.vocab = model.wE.rows();
  shape.outputs = model.wU.cols();

  shape.parameters = paddedParameters(shape, config.nCtx);

  uint64_t d = config.dModel;
  uint64_t embedding = (shape.vocab + uint64_t(config.nCtx)) * d;
  shape.parametersRagged = embedding;
  shape.nonzeros = countNonzeros(model.wE) + countNonzeros(model.wPos);
  for (const Layer &layer : model.layers) {
    for (const Head &head : layer.heads) {
      uint64_t width = head.wQ.cols();
      shape.parametersRagged += 3 * (d * width + width) + width * d;
      for (const Matrix *matrix : {&head.wQ, &head.wK, &head.wV, &head.wO})
        shape.nonzeros += countNonzeros(*matrix);
      for (const Vector *vector : {&head.bQ, &head.bK, &head.bV})
        shape.nonzeros += countNonzeros(*vector);
    }
    uint64_t hidden = layer.wIn.cols();
    shape.parametersRagged += layer.heads.empty() ? 0 : d;
    shape.parametersRagged += hidden ? d * hidden + hidden + hidden * d + d : 0;
    for (const Matrix *matrix : {&layer.wIn, &layer.wOut})
      shape.nonzeros += countNonzeros(*matrix);
    for (const Vector *vector : {&layer.bO, &layer.bIn, &layer.bOut})
      shape.nonzeros += countNonzeros(*vector);
  }
  return shape;
}

static void roundToFloat(Matrix &matrix) {
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      it.valueRef() = float(it.value());
}

static void roundToFloat(Vector &vector) {
  vector = vector.cast<float>().cast<double>();
}

void rasp::rt::roundToDType(Model &model) {
  if (model.config.dtype == DType::Float64)
    return;
  for (Matrix *matrix : {&model.wE, &model.wPos, &model.wU})
    roundToFloat(*matrix);
  roundToFloat(model.bU);
  for (Layer &layer : model.layers) {
    for (Head &head : layer.heads) {
      for (Matrix *matrix : {&head.wQ, &head.wK, &head.wV, &head.wO})
        roundToFloat(*matrix);
      for (Vector *vector : {&head.bQ, &head.bK, &head.bV})
        roundToFloat(*vector);
    }
    for (Matrix *matrix : {&layer.wIn, &layer.wOut})
      roundToFloat(*matrix);
    for (Vector *vector : {&layer.bO, &layer.bIn, &layer.bOut})
      roundToFloat(*vector);
  }
}
