//===- runtime/ForwardPass.cpp - running a model --------------------------===//

#include "runtime/Lanes.h"
#include "runtime/Transformer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <string>

using namespace rasp::rt;

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
        Pack sum;
        for (const Term *term = begin; term != end; ++term)
          if (isLive(term->input))
            sum.addProduct(Pack::load(input + term->input * stride + at),
                           term->weight);
        sum += Pack::all(bias[row]);
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
          [&](uint32_t row, uint32_t, size_t at, const Pack &sum) {
            sum.store(&ws.hidden[row * stride + at]);
          });
    if (observer)
      observeRows("mlp.hook_pre", l, -1, ws.hidden.data(), layer.mlpIn.outputs,
                  model.hiddenWidth);
    for (size_t row = 0; row < layer.mlpIn.size(); ++row) {
      T *x = &ws.hidden[row * stride];
      for (size_t at = 0; at < stride; at += lanes) {
        Pack value = Pack::load(x + at);
        value.takeLarger(Pack());
        value.store(x + at);
      }
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
          [&](uint32_t row, uint32_t, size_t at, const Pack &sum) {
            sum.store(&ws.projected[row * stride + at]);
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
    if (captured)
      capture(captured->scores, at, keys, -infinity);

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
    if (captured)
      capture(captured->pattern, at, keys, 0);

    for (uint32_t row = 0; row < head.width; ++row) {
      const T *value = projected + (head.value + row) * stride;
      Pack mean;
      for (unsigned key = 0; key < keys; ++key)
        if (batch > 1 || value[key] != 0)
          addKey(mean, Pack::load(scores + key * lanes), value, key);
      mean.store(&ws.mixed[(head.mixed + row) * stride + at]);
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
        [&](uint32_t, uint32_t direction, size_t at, const Pack &sum) {
          sum.store(&rows[direction * stride + at]);
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

template Logits<float> Transformer<float>::forward(llvm::ArrayRef<uint32_t>,
                                                   Workspace &) const;
template Logits<float> Transformer<float>::forward(llvm::ArrayRef<uint32_t>,
                                                   Workspace &,
                                                   Observer<float>) const;
template Logits<float>
Transformer<float>::forwardBatch(llvm::ArrayRef<uint32_t>, unsigned,
                                 Workspace &) const;
template Logits<double> Transformer<double>::forward(llvm::ArrayRef<uint32_t>,
                                                     Workspace &) const;
template Logits<double> Transformer<double>::forward(llvm::ArrayRef<uint32_t>,
                                                     Workspace &,
                                                     Observer<double>) const;
template Logits<double>
Transformer<double>::forwardBatch(llvm::ArrayRef<uint32_t>, unsigned,
                                  Workspace &) const;
