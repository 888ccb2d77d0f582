//===- runtime/Transformer.cpp - the forward pass -------------------------===//

#include "runtime/Transformer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>

using namespace rasp::rt;

//===----------------------------------------------------------------------===//
// Making weights ready to run
//===----------------------------------------------------------------------===//

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
      headWidth(std::max(model.config.dHead, 1u)),
      hiddenWidth(std::max(model.dMlp(), 1u)), causal(model.config.causal) {
  flattenRows<T>(model.wE, tokenRows, tokenTerms);
  flattenRows<T>(model.wPos, positionRows, positionTerms);

  // Heads that a layer does not have run as heads without weights, but only
  // for an observer.
  unsigned numHeads = std::max(model.numHeads(), 1u);
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
    for (unsigned h = 0; h < numHeads; ++h) {
      HeadRows &rows = maps.heads.emplace_back();
      uint32_t width = h < layer.heads.size() ? layer.heads[h].wQ.cols() : 0;
      std::vector<int64_t> rowOf(3 * width, -1);
      auto number = [&](uint32_t kind) {
        uint32_t begin = row;
        for (uint32_t column = 0; column < width; ++column) {
          if (!project.isUsed(position + kind * width + column))
            continue;
          rowOf[kind * width + column] = row++;
          rows.columns.push_back(column);
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
        for (Matrix::InnerIterator it(layer.heads[h].wO, column); it; ++it)
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

//===----------------------------------------------------------------------===//
// The pass itself
//===----------------------------------------------------------------------===//

namespace {
template <typename T> struct FloatBits;
template <> struct FloatBits<float> {
  using Bits = uint32_t;
  static constexpr int mantissa = 23, bias = 127, degree = 7;
  static constexpr float smallest = -87;
};
template <> struct FloatBits<double> {
  using Bits = uint64_t;
  static constexpr int mantissa = 52, bias = 1023, degree = 13;
  static constexpr double smallest = -708;
};
} // namespace

/// e^x for x <= 0, exactly 0 where the result would be subnormal and exactly 1
/// at 0. Free of branches and calls, so that loops over it vectorise.
template <typename T> static inline T expNonPositive(T x) {
  using F = FloatBits<T>;
  // x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^mantissa rounds to an
  // integer and leaves it in the low bits. The high part of ln 2 has so few
  // bits that its product with n is exact.
  constexpr T magic = T(3) * (uint64_t(1) << (F::mantissa - 1));
  constexpr T ln2High = 0.693359375, ln2Low = -2.12194440054690582768e-4;
  T shifted = x * T(1.44269504088896340736) + magic;
  T n = shifted - magic;
  T r = (x - n * ln2High) - n * ln2Low;
  constexpr auto inverseFactorial = [] {
    std::array<T, F::degree + 1> factors = {1};
    for (int i = 1; i <= F::degree; ++i)
      factors[i] = factors[i - 1] / T(i);
    return factors;
  }();
  T sum = inverseFactorial[F::degree];
  for (int i = F::degree - 1; i >= 0; --i)
    sum = sum * r + inverseFactorial[i];
  auto bits = std::bit_cast<typename F::Bits>(shifted);
  T power = std::bit_cast<T>(typename F::Bits(
      (bits << F::mantissa) + (typename F::Bits(F::bias) << F::mantissa)));
  return x < F::smallest ? T(0) : sum * power;
}

/// One run over `length` positions of `batch` sequences. Column t * batch + s
/// holds token t of sequence s.
template <typename T> template <unsigned batch> class Transformer<T>::Pass {
public:
  Pass(const Transformer &model, Workspace &ws, unsigned length,
       const Observer<T> *observer)
      : model(model), ws(ws), length(length), columns(length * batch),
        stride(llvm::alignTo(columns, lanes)), observer(observer) {
    assert(length <= model.maxLength() && "more tokens than positions");
    grow(ws.projected, model.projectedRows * stride);
    grow(ws.mixed, model.mixedRows * stride);
    grow(ws.hidden, model.hiddenRows * stride);
    grow(ws.logits, model.outputCount * stride);
    grow(ws.scores, length * lanes);
    grow(ws.mixedLive, model.mixedRows);
    grow(ws.hiddenLive, model.hiddenRows);
  }

  Logits<T> run(llvm::ArrayRef<uint32_t> ids) {
    embed(ids);
    for (auto [l, layer] : llvm::enumerate(model.layers))
      runLayer(l, layer);
    std::fill(ws.logits.begin(), ws.logits.begin() + model.outputCount * stride,
              T(0));
    apply(model.unembed, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t, uint32_t output, size_t at, const T *sum) {
            std::copy(sum, sum + lanes, &ws.logits[output * stride + at]);
          });
    return Logits<T>(ws.logits.data(), stride, batch);
  }

private:
  /// Columns that one step works on.
  static constexpr unsigned lanes = batch == 1 ? 8 : batch;
  static_assert(lanes % batch == 0);

  template <typename U> static void grow(std::vector<U> &vector, size_t size) {
    if (vector.size() < size)
      vector.resize(size);
  }

  void embed(llvm::ArrayRef<uint32_t> ids) {
    ws.residual.assign(model.directions * stride, T(0));
    ws.residualLive.assign(model.directions, 0);
    auto add = [&](const std::vector<uint32_t> &rows,
                   const std::vector<Term> &terms, uint32_t row, size_t from,
                   unsigned count) {
      for (uint32_t i = rows[row]; i < rows[row + 1]; ++i) {
        ws.residualLive[terms[i].input] = 1;
        T *column = &ws.residual[terms[i].input * stride + from];
        for (unsigned c = 0; c < count; ++c)
          column[c] += terms[i].weight;
      }
    };
    auto addTokens = [&] {
      for (unsigned c = 0; c < columns; ++c) {
        assert(ids[c] < model.numTokens() && "token id outside the vocabulary");
        add(model.tokenRows, model.tokenTerms, ids[c], c, 1);
      }
    };
    auto addPositions = [&] {
      for (unsigned t = 0; t < length; ++t)
        add(model.positionRows, model.positionTerms, t, t * batch, batch);
    };
    addTokens();
    if (observer) {
      observe("hook_embed", -1, ws.residual.data());
      std::vector<T> tokens = ws.residual;
      std::fill(ws.residual.begin(), ws.residual.end(), T(0));
      addPositions();
      observe("hook_pos_embed", -1, ws.residual.data());
      ws.residual = std::move(tokens);
    }
    addPositions();
  }

  /// Computes x W + b and hands it out in steps: `store(row, output, column,
  /// values of `lanes` columns)`. Inputs that are not live are zero.
  template <typename Store>
  void apply(const AffineMap<T> &map, const T *input, const uint8_t *live,
             Store store) {
    if (tracksLive())
      applyTerms(map, map.bias.data(), input, store,
                 [&](uint32_t row) { return live[row] != 0; });
    else
      applyTerms(map, map.bias.data(), input, store,
                 [](uint32_t) { return true; });
  }

  template <typename Store, typename IsLive>
  void applyTerms(const AffineMap<T> &map, const T *bias, const T *input,
                  Store store, IsLive isLive) {
    for (uint32_t row = 0, rows = map.size(); row < rows; ++row) {
      const Term *begin = map.terms.data() + map.begins[row];
      const Term *end = map.terms.data() + map.begins[row + 1];
      for (size_t at = 0; at < stride; at += lanes) {
        T sum[lanes] = {};
        for (const Term *term = begin; term != end; ++term) {
          if (!isLive(term->input))
            continue;
          const T *x = input + term->input * stride + at;
          for (unsigned lane = 0; lane < lanes; ++lane)
            sum[lane] += x[lane] * term->weight;
        }
        for (unsigned lane = 0; lane < lanes; ++lane)
          sum[lane] += bias[row];
        store(row, map.outputs[row], at, sum);
      }
    }
  }

  /// Knowing which rows are zero pays off for long sequences only.
  bool tracksLive() const { return batch == 1 && columns >= 4 * lanes; }

  bool isLive(const T *row) const {
    if (!tracksLive())
      return true;
    bool any = false;
    for (unsigned c = 0; c < columns; ++c)
      any |= row[c] != 0;
    return any;
  }

  /// Adds x W + b to the residual stream.
  void addToResidual(const AffineMap<T> &map, const T *input,
                     const uint8_t *live) {
    apply(map, input, live,
          [&](uint32_t, uint32_t direction, size_t at, const T *sum) {
            T *x = &ws.residual[direction * stride + at];
            for (unsigned lane = 0; lane < lanes; ++lane)
              x[lane] += sum[lane];
          });
    for (uint32_t direction : map.outputs)
      ws.residualLive[direction] = isLive(&ws.residual[direction * stride]);
  }

  void runLayer(int l, const LayerMaps &layer) {
    if (observer)
      observeInputs(l);
    attend(l, layer);
    if (observer)
      observeSum("hook_attn_out", l, -1, layer.out, ws.mixed.data(),
                 ws.mixedLive.data(), /*withBias=*/true);
    addToResidual(layer.out, ws.mixed.data(), ws.mixedLive.data());
    if (observer) {
      observe("hook_resid_mid", l, ws.residual.data());
      observe("hook_mlp_in", l, ws.residual.data());
    }

    apply(layer.mlpIn, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t row, uint32_t, size_t at, const T *sum) {
            std::copy(sum, sum + lanes, &ws.hidden[row * stride + at]);
          });
    if (observer)
      observeRows("mlp.hook_pre", l, -1, ws.hidden.data(), layer.mlpIn.outputs,
                  model.hiddenWidth);
    for (size_t row = 0; row < layer.mlpIn.size(); ++row) {
      T *x = &ws.hidden[row * stride];
      for (size_t c = 0; c < stride; ++c)
        x[c] = x[c] > 0 ? x[c] : T(0);
      ws.hiddenLive[row] = isLive(x);
    }
    if (observer) {
      observeRows("mlp.hook_post", l, -1, ws.hidden.data(), layer.mlpIn.outputs,
                  model.hiddenWidth);
      observeSum("hook_mlp_out", l, -1, layer.mlpOut, ws.hidden.data(),
                 ws.hiddenLive.data(), /*withBias=*/true);
    }
    addToResidual(layer.mlpOut, ws.hidden.data(), ws.hiddenLive.data());
    if (observer)
      observe("hook_resid_post", l, ws.residual.data());
  }

  /// Scores and weights of one head, [length, length].
  struct Captured {
    std::vector<T> scores, pattern;
  };

  void attend(int l, const LayerMaps &layer) {
    apply(layer.project, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t row, uint32_t, size_t at, const T *sum) {
            std::copy(sum, sum + lanes, &ws.projected[row * stride + at]);
          });
    std::vector<Captured> captured(observer ? layer.heads.size() : 0);
    for (auto [h, head] : llvm::enumerate(layer.heads))
      if (head.width || observer)
        for (size_t at = 0; at < columns; at += lanes)
          attendFrom(head, at, observer ? &captured[h] : nullptr);
    for (uint32_t row = 0; row < layer.mixedRows; ++row)
      ws.mixedLive[row] = isLive(&ws.mixed[row * stride]);
    if (observer)
      observeHeads(l, layer, captured);
  }

  /// Attention from `lanes` columns on: consecutive queries of one sequence,
  /// or the same query of a whole batch.
  void attendFrom(const HeadRows &head, size_t at, Captured *captured) {
    const T root = std::sqrt(T(model.headWidth));
    const T *projected = ws.projected.data();
    T *scores = ws.scores.data();
    unsigned first = at / batch;
    unsigned keys = model.causal
                        ? std::min<unsigned>(length, first + lanes / batch)
                        : length;
    T largest[lanes];
    std::fill(largest, largest + lanes, -std::numeric_limits<T>::infinity());
    for (unsigned key = 0; key < keys; ++key) {
      T sum[lanes] = {};
      for (auto [q, k] : head.queryKey) {
        const T *query = projected + q * stride + at;
        const T *row = projected + k * stride + key * batch;
        for (unsigned lane = 0; lane < lanes; ++lane)
          sum[lane] += query[lane] * row[lane % batch];
      }
      for (unsigned lane = 0; lane < lanes; ++lane) {
        T score = sum[lane] / root;
        if (batch == 1 && model.causal && key > first + lane)
          score = -std::numeric_limits<T>::infinity();
        scores[key * lanes + lane] = score;
        largest[lane] = std::max(largest[lane], score);
      }
    }
    if (captured)
      capture(captured->scores, at, keys, -std::numeric_limits<T>::infinity());

    T total[lanes] = {};
    for (unsigned key = 0; key < keys; ++key)
      for (unsigned lane = 0; lane < lanes; ++lane) {
        T &weight = scores[key * lanes + lane];
        weight = expNonPositive(weight - largest[lane]);
        total[lane] += weight;
      }
    for (unsigned key = 0; key < keys; ++key)
      for (unsigned lane = 0; lane < lanes; ++lane)
        scores[key * lanes + lane] /= total[lane];
    if (captured)
      capture(captured->pattern, at, keys, 0);

    for (uint32_t row = 0; row < head.width; ++row) {
      const T *value = projected + (head.value + row) * stride;
      T sum[lanes] = {};
      for (unsigned key = 0; key < keys; ++key) {
        if (batch == 1 && value[key] == 0)
          continue;
        for (unsigned lane = 0; lane < lanes; ++lane)
          sum[lane] +=
              scores[key * lanes + lane] * value[key * batch + lane % batch];
      }
      std::copy(sum, sum + lanes, &ws.mixed[(head.mixed + row) * stride + at]);
    }
  }

  /// Copies the scores of `lanes` queries; those of keys that the mask hides
  /// are `hidden`.
  void capture(std::vector<T> &matrix, size_t first, unsigned keys, T hidden) {
    matrix.resize(size_t(length) * length, hidden);
    for (size_t query = first; query < std::min<size_t>(first + lanes, length);
         ++query)
      for (unsigned key = 0; key < keys; ++key)
        matrix[query * length + key] = ws.scores[key * lanes + query - first];
  }

  void report(const llvm::Twine &name, int l, int h, const std::vector<T> &data,
              unsigned cols) {
    std::string text =
        (l < 0 ? name : "blocks." + llvm::Twine(l) + "." + name).str();
    (*observer)({text, l, h, data.data(), length, cols});
  }

  /// Reports rows of features as the columns that `targets` names.
  void observeRows(llvm::StringRef name, int l, int h, const T *rows,
                   llvm::ArrayRef<uint32_t> targets, unsigned cols) {
    std::vector<T> data(size_t(length) * cols);
    for (auto [row, target] : llvm::enumerate(targets))
      for (unsigned t = 0; t < length; ++t)
        data[size_t(t) * cols + target] = rows[row * stride + t];
    report(name, l, h, data, cols);
  }

  void observe(llvm::StringRef name, int l, const T *residual, int h = -1) {
    std::vector<T> data(size_t(length) * model.directions);
    for (unsigned d = 0; d < model.directions; ++d)
      for (unsigned t = 0; t < length; ++t)
        data[size_t(t) * model.directions + d] = residual[d * stride + t];
    report(name, l, h, data, model.directions);
  }

  void observeInputs(int l) {
    observe("hook_resid_pre", l, ws.residual.data());
    for (llvm::StringRef name :
         {"hook_q_input", "hook_k_input", "hook_v_input"})
      for (size_t h = 0; h < model.layers[l].heads.size(); ++h)
        observe(name, l, ws.residual.data(), h);
  }

  /// What a map adds to the residual stream.
  void observeSum(llvm::StringRef name, int l, int h, const AffineMap<T> &map,
                  const T *input, const uint8_t *live, bool withBias) {
    std::vector<T> rows(model.directions * stride), none(map.size());
    applyTerms(
        map, withBias ? map.bias.data() : none.data(), input,
        [&](uint32_t, uint32_t direction, size_t at, const T *sum) {
          std::copy(sum, sum + lanes, &rows[direction * stride + at]);
        },
        [&](uint32_t row) { return live[row] != 0; });
    observe(name, l, rows.data(), h);
  }

  void observeHeads(int l, const LayerMaps &layer,
                    llvm::ArrayRef<Captured> captured) {
    auto observeRowsOf = [&](llvm::StringRef name, uint32_t HeadRows::*begin,
                             uint32_t HeadRows::*end,
                             const std::vector<T> &rows,
                             uint32_t HeadRows::*first) {
      for (auto [h, head] : llvm::enumerate(layer.heads))
        observeRows(
            name, l, h, rows.data() + head.*first * stride,
            llvm::ArrayRef(head.columns)
                .slice(head.*begin - head.query, head.*end - head.*begin),
            model.headWidth);
    };
    using H = HeadRows;
    observeRowsOf("attn.hook_q", &H::query, &H::key, ws.projected, &H::query);
    observeRowsOf("attn.hook_k", &H::key, &H::value, ws.projected, &H::key);
    observeRowsOf("attn.hook_v", &H::value, &H::end, ws.projected, &H::value);
    for (auto [h, head] : llvm::enumerate(captured))
      report("attn.hook_attn_scores", l, h, head.scores, length);
    for (auto [h, head] : llvm::enumerate(captured))
      report("attn.hook_pattern", l, h, head.pattern, length);
    observeRowsOf("attn.hook_z", &H::value, &H::end, ws.mixed, &H::mixed);
    for (auto [h, head] : llvm::enumerate(layer.heads)) {
      std::vector<uint8_t> own(layer.mixedRows);
      std::fill_n(own.begin() + head.mixed, head.width, 1);
      observeSum("attn.hook_result", l, h, layer.out, ws.mixed.data(),
                 own.data(), /*withBias=*/false);
    }
  }

  const Transformer &model;
  Workspace &ws;
  unsigned length;
  size_t columns, stride;
  const Observer<T> *observer;
};

template <typename T>
Logits<T> Transformer<T>::forward(llvm::ArrayRef<uint32_t> ids,
                                  Workspace &workspace) const {
  return Pass<1>(*this, workspace, ids.size(), nullptr).run(ids);
}

template <typename T>
Logits<T> Transformer<T>::forward(llvm::ArrayRef<uint32_t> ids,
                                  Workspace &workspace,
                                  Observer<T> observer) const {
  return Pass<1>(*this, workspace, ids.size(), &observer).run(ids);
}

template <typename T>
Logits<T> Transformer<T>::forwardBatch(llvm::ArrayRef<uint32_t> ids,
                                       unsigned length,
                                       Workspace &workspace) const {
  return Pass<batchSize>(*this, workspace, length, nullptr).run(ids);
}

template class rasp::rt::Transformer<float>;
template class rasp::rt::Transformer<double>;
