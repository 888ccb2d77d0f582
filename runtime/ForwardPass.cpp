//===- runtime/ForwardPass.cpp - running a model --------------------------===//

#include "runtime/Lanes.h"
#include "runtime/Transformer.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

using namespace rasp::rt;

/// One run over `length` positions of `batch` sequences. Column t * batch + s
/// holds token t of sequence s.
template <typename T> template <unsigned batch> class Transformer<T>::Pass {
public:
  Pass(const Transformer &model, Workspace &ws, unsigned length)
      : model(model), ws(ws), length(length), columns(length * batch),
        stride(llvm::alignTo(columns, lanes)) {
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
    for (const LayerMaps &layer : model.layers)
      runLayer(layer);
    std::fill(ws.logits.begin(), ws.logits.begin() + model.outputCount * stride,
              T(0));
    apply(model.unembed, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t, uint32_t output, size_t at, const Pack &sum) {
            sum.store(&ws.logits[output * stride + at]);
          });
    return Logits<T>(ws.logits.data(), stride, batch);
  }

private:
  /// Columns that one step works on.
  static constexpr unsigned lanes = batch == 1 ? 8 : batch;
  using Pack = Lanes<T, lanes>;

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
    for (unsigned c = 0; c < columns; ++c) {
      assert(ids[c] < model.numTokens() && "token id outside the vocabulary");
      add(model.tokenRows, model.tokenTerms, ids[c], c, 1);
    }
    for (unsigned t = 0; t < length; ++t)
      add(model.positionRows, model.positionTerms, t, t * batch, batch);
  }

  /// Computes x W + b and hands it out in steps: `store(row, output, column,
  /// values of `lanes` columns)`. Inputs that are not live are zero.
  template <typename Store>
  void apply(const AffineMap<T> &map, const T *input, const uint8_t *live,
             Store store) {
    if (tracksLive())
      applyTerms(map, input, store,
                 [&](uint32_t row) { return live[row] != 0; });
    else
      applyTerms(map, input, store, [](uint32_t) { return true; });
  }

  template <typename Store, typename IsLive>
  void applyTerms(const AffineMap<T> &map, const T *input, Store store,
                  IsLive isLive) {
    for (uint32_t row = 0, rows = map.size(); row < rows; ++row) {
      const Term *begin = map.terms.data() + map.begins[row];
      const Term *end = map.terms.data() + map.begins[row + 1];
      for (size_t at = 0; at < stride; at += lanes) {
        Pack sum;
        for (const Term *term = begin; term != end; ++term)
          if (isLive(term->input))
            sum.addProduct(Pack::load(input + term->input * stride + at),
                           term->weight);
        sum += Pack::all(map.bias[row]);
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
          [&](uint32_t, uint32_t direction, size_t at, const Pack &sum) {
            T *x = &ws.residual[direction * stride + at];
            Pack total = Pack::load(x);
            total += sum;
            total.store(x);
          });
    for (uint32_t direction : map.outputs)
      ws.residualLive[direction] = isLive(&ws.residual[direction * stride]);
  }

  void runLayer(const LayerMaps &layer) {
    attend(layer);
    addToResidual(layer.out, ws.mixed.data(), ws.mixedLive.data());

    apply(layer.mlpIn, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t row, uint32_t, size_t at, const Pack &sum) {
            sum.store(&ws.hidden[row * stride + at]);
          });
    for (size_t row = 0; row < layer.mlpIn.size(); ++row) {
      T *x = &ws.hidden[row * stride];
      for (size_t at = 0; at < stride; at += lanes) {
        Pack value = Pack::load(x + at);
        value.takeLarger(Pack());
        value.store(x + at);
      }
      ws.hiddenLive[row] = isLive(x);
    }
    addToResidual(layer.mlpOut, ws.hidden.data(), ws.hiddenLive.data());
  }

  void attend(const LayerMaps &layer) {
    apply(layer.project, ws.residual.data(), ws.residualLive.data(),
          [&](uint32_t row, uint32_t, size_t at, const Pack &sum) {
            sum.store(&ws.projected[row * stride + at]);
          });
    for (const HeadRows &head : layer.heads)
      if (head.width)
        for (size_t at = 0; at < columns; at += lanes)
          attendFrom(head, at);
    for (uint32_t row = 0; row < layer.mixedRows; ++row)
      ws.mixedLive[row] = isLive(&ws.mixed[row * stride]);
  }

  /// Attention from `lanes` columns on: consecutive queries of one sequence,
  /// or the same query of a whole batch.
  void attendFrom(const HeadRows &head, size_t at) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const Pack root = Pack::all(std::sqrt(T(model.headWidth)));
    const T *projected = ws.projected.data();
    T *scores = ws.scores.data();
    unsigned first = at / batch;
    unsigned keys = model.causal
                        ? std::min<unsigned>(length, first + lanes / batch)
                        : length;
    // A key is one number for all queries of a sequence.
    auto addKey = [](Pack &sum, const Pack &factor, const T *row,
                     unsigned key) {
      if constexpr (batch == 1)
        sum.addProduct(factor, row[key]);
      else
        sum.addProduct(factor, Pack::load(row + key * batch));
    };

    Pack largest = Pack::all(-infinity);
    for (unsigned key = 0; key < keys; ++key) {
      Pack score;
      for (auto [query, row] : head.queryKey)
        addKey(score, Pack::load(projected + query * stride + at),
               projected + row * stride, key);
      score /= root;
      if (batch == 1 && model.causal)
        for (unsigned lane = 0; first + lane < key && lane < lanes; ++lane)
          score.set(lane, -infinity);
      score.store(scores + key * lanes);
      largest.takeLarger(score);
    }

    Pack total;
    for (unsigned key = 0; key < keys; ++key) {
      Pack weight = Pack::load(scores + key * lanes);
      weight -= largest;
      weight.expNonPositive();
      weight.store(scores + key * lanes);
      total += weight;
    }
    for (unsigned key = 0; key < keys; ++key) {
      Pack weight = Pack::load(scores + key * lanes);
      weight /= total;
      weight.store(scores + key * lanes);
    }

    for (uint32_t row = 0; row < head.width; ++row) {
      const T *value = projected + (head.value + row) * stride;
      Pack mean;
      for (unsigned key = 0; key < keys; ++key)
        if (batch > 1 || value[key] != 0)
          addKey(mean, Pack::load(scores + key * lanes), value, key);
      mean.store(&ws.mixed[(head.mixed + row) * stride + at]);
    }
  }

  const Transformer &model;
  Workspace &ws;
  unsigned length;
  size_t columns, stride;
};

template <typename T>
Logits<T> Transformer<T>::forward(llvm::ArrayRef<uint32_t> ids,
                                  Workspace &workspace) const {
  return Pass<1>(*this, workspace, ids.size()).run(ids);
}

template <typename T>
Logits<T> Transformer<T>::forwardBatch(llvm::ArrayRef<uint32_t> ids,
                                       unsigned length,
                                       Workspace &workspace) const {
  return Pass<batchSize>(*this, workspace, length).run(ids);
}

template Logits<float> Transformer<float>::forward(llvm::ArrayRef<uint32_t>,
                                                   Workspace &) const;
template Logits<float>
Transformer<float>::forwardBatch(llvm::ArrayRef<uint32_t>, unsigned,
                                 Workspace &) const;
template Logits<double> Transformer<double>::forward(llvm::ArrayRef<uint32_t>,
                                                     Workspace &) const;
template Logits<double>
Transformer<double>::forwardBatch(llvm::ArrayRef<uint32_t>, unsigned,
                                  Workspace &) const;
