//===- runtime/Transformer.cpp - weights made ready to run ----------------===//

#include "runtime/Transformer.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace rasp::rt;

namespace {

/// Collects W and b entry by entry. Entries of an output must come in
/// ascending order of input.
template <typename T> class MapBuilder {
public:
  MapBuilder(size_t numOutputs) : terms(numOutputs), bias(numOutputs, 0) {}

  void addWeight(uint32_t input, uint32_t output, double weight) {
    if (T(weight) != 0)
      terms[output].push_back({input, T(weight)});
  }
  void addBias(uint32_t output, double value) { bias[output] += T(value); }

  void addMatrix(const Matrix &w, uint32_t firstInput, uint32_t firstOutput) {
    for (Eigen::Index row = 0; row < w.outerSize(); ++row)
      for (Matrix::InnerIterator it(w, row); it; ++it)
        addWeight(firstInput + row, firstOutput + it.col(), it.value());
  }
  void addBiases(const Vector &b, uint32_t firstOutput) {
    for (Eigen::Index i = 0; i < b.size(); ++i)
      addBias(firstOutput + i, b[i]);
  }

  bool isUsed(uint32_t output) const {
    return bias[output] != 0 || !terms[output].empty();
  }

  AffineMap<T> take() const {
    AffineMap<T> map;
    for (uint32_t output = 0; output < terms.size(); ++output) {
      if (!isUsed(output))
        continue;
      map.outputs.push_back(output);
      map.begins.push_back(map.terms.size());
      llvm::append_range(map.terms, terms[output]);
      map.bias.push_back(bias[output]);
    }
    map.begins.push_back(map.terms.size());
    return map;
  }

private:
  std::vector<std::vector<typename AffineMap<T>::Term>> terms;
  std::vector<T> bias;
};

} // namespace

/// The rows of an embedding table one after the other.
template <typename T>
static void flattenRows(const Matrix &table, std::vector<uint32_t> &begins,
                        std::vector<typename AffineMap<T>::Term> &terms) {
  begins.push_back(0);
  for (Eigen::Index row = 0; row < table.outerSize(); ++row) {
    for (Matrix::InnerIterator it(table, row); it; ++it)
      if (T(it.value()) != 0)
        terms.push_back({uint32_t(it.col()), T(it.value())});
    begins.push_back(terms.size());
  }
}

template <typename T>
Transformer<T>::Transformer(const Model &model)
    : directions(model.config.dModel), outputCount(model.wU.cols()),
      headWidth(std::max(model.config.dHead, 1u)), causal(model.config.causal) {
  flattenRows<T>(model.wE, tokenRows, tokenTerms);
  flattenRows<T>(model.wPos, positionRows, positionTerms);

  for (const Layer &layer : model.layers) {
    LayerMaps &maps = layers.emplace_back();
    uint32_t total = 0;
    for (const Head &head : layer.heads)
      total += 3 * head.wQ.cols();
    MapBuilder<T> project(total), out(directions);
    uint32_t first = 0;
    for (const Head &head : layer.heads) {
      uint32_t width = head.wQ.cols();
      project.addMatrix(head.wQ, 0, first);
      project.addMatrix(head.wK, 0, first + width);
      project.addMatrix(head.wV, 0, first + 2 * width);
      project.addBiases(head.bQ, first);
      project.addBiases(head.bK, first + width);
      project.addBiases(head.bV, first + 2 * width);
      first += 3 * width;
    }

    // Rows of the projections are numbered in order of use.
    uint32_t row = 0, position = 0;
    for (const Head &head : layer.heads) {
      HeadRows &rows = maps.heads.emplace_back();
      uint32_t width = head.wQ.cols();
      std::vector<int64_t> rowOf(3 * width, -1);
      auto number = [&](uint32_t kind) {
        uint32_t begin = row;
        for (uint32_t column = 0; column < width; ++column) {
          if (!project.isUsed(position + kind * width + column))
            continue;
          rowOf[kind * width + column] = row++;
        }
        return begin;
      };
      rows.query = number(0);
      rows.key = number(1);
      rows.value = number(2);
      rows.end = row;
      for (uint32_t column = 0; column < width; ++column)
        if (rowOf[column] >= 0 && rowOf[width + column] >= 0)
          rows.queryKey.push_back({rowOf[column], rowOf[width + column]});
      rows.mixed = maps.mixedRows;
      rows.width = rows.end - rows.value;
      for (uint32_t column = 0; column < width; ++column) {
        if (rowOf[2 * width + column] < 0)
          continue;
        uint32_t input = rows.mixed + rowOf[2 * width + column] - rows.value;
        for (Matrix::InnerIterator it(head.wO, column); it; ++it)
          out.addWeight(input, it.col(), it.value());
      }
      maps.mixedRows += rows.width;
      position += 3 * width;
    }
    out.addBiases(layer.bO, 0);

    MapBuilder<T> mlpIn(layer.wIn.cols()), mlpOut(directions);
    mlpIn.addMatrix(layer.wIn, 0, 0);
    mlpIn.addBiases(layer.bIn, 0);
    mlpOut.addBiases(layer.bOut, 0);
    maps.mlpIn = mlpIn.take();
    // Hidden rows are numbered in order of use as well.
    for (auto [hidden, unit] : llvm::enumerate(maps.mlpIn.outputs))
      for (Matrix::InnerIterator it(layer.wOut, unit); it; ++it)
        mlpOut.addWeight(hidden, it.col(), it.value());
    maps.project = project.take();
    maps.out = out.take();
    maps.mlpOut = mlpOut.take();

    projectedRows = std::max<unsigned>(projectedRows, row);
    mixedRows = std::max(mixedRows, maps.mixedRows);
    hiddenRows = std::max<unsigned>(hiddenRows, maps.mlpIn.size());
  }

  MapBuilder<T> logits(outputCount);
  logits.addMatrix(model.wU, 0, 0);
  logits.addBiases(model.bU, 0);
  unembed = logits.take();
}

template Transformer<float>::Transformer(const Model &);
template Transformer<double>::Transformer(const Model &);
