//===- runtime/ForwardPass.cpp - running a model --------------------------===//

#include "runtime/Attention.h"
#include "runtime/Transformer.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>

using namespace rasp::rt;

/// One run over `length` positions of `batch` sequences. Column t * batch + s
/// holds token t of sequence s.
template <typename T> template <unsigned batch> class Transformer<T>::Pass {
public:
  Pass(const Transformer &model, Workspace &ws, unsigned length)
      : model(model), ws(ws), length(length), columns(length * batch),
        stride(llvm::alignTo(columns, lanes)), blocks(stride / lanes) {
    assert(length <= model.maxLength() && "more tokens than positions");
    grow(ws.projected, model.projectedRows * stride);
    grow(ws.mixed, model.mixedRows * stride);
    grow(ws.hidden, model.hiddenRows * stride);
    grow(ws.logits, model.outputCount * stride);
    grow(ws.sums, stride);
    if (tracksLive()) {
      ws.residualLive.resize(model.directions, blocks);
      ws.mixedLive.resize(model.mixedRows, blocks);
      ws.hiddenLive.resize(model.hiddenRows, blocks);
    }
  }

  Logits<T> run(llvm::ArrayRef<uint32_t> ids) {
    embed(ids);
    for (const LayerMaps &layer : model.layers)
      runLayer(layer);
    std::fill(ws.logits.begin(), ws.logits.begin() + model.outputCount * stride,
              T(0));
    apply(model.unembed, ws.residual.data(), ws.residualLive,
          [&](uint32_t, uint32_t output, size_t at, const Pack &sum) {
            sum.store(&ws.logits[output * stride + at]);
          });
    return Logits<T>(ws.logits.data(), stride, batch);
  }

private:
  static constexpr unsigned lanes = Attention<T, batch>::lanes;
  using Pack = Lanes<T, lanes>;

  template <typename U> static void grow(std::vector<U> &vector, size_t size) {
    if (vector.size() < size)
      vector.resize(size);
  }

  void embed(llvm::ArrayRef<uint32_t> ids) {
    ws.residual.assign(model.directions * stride, T(0));
    auto add = [&](const std::vector<uint32_t> &rows,
                   const std::vector<Term> &terms, uint32_t row, size_t from,
                   unsigned count) {
      for (uint32_t i = rows[row]; i < rows[row + 1]; ++i) {
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
    for (unsigned direction = 0; direction < model.directions; ++direction)
      updateLive(ws.residualLive, direction, &ws.residual[direction * stride]);
  }

  /// Knowing what is zero pays off for long sequences only.
  bool tracksLive() const { return blocks >= 8; }

  void updateLive(LiveBlocks &live, size_t row, const T *data) {
    if (tracksLive())
      live.update(row, [&](uint32_t block) {
        return !Pack::load(data + block * lanes).isZero();
      });
  }

  /// Computes x W + b and hands it out in steps: `store(row, output, column,
  /// values of `lanes` columns)`. `live` tells where the input is not zero.
  template <typename Store>
  void apply(const AffineMap<T> &map, const T *input, const LiveBlocks &live,
             Store store) {
    for (uint32_t row = 0, rows = map.size(); row < rows; ++row) {
      llvm::ArrayRef<Term> terms(map.terms.data() + map.begins[row],
                                 map.terms.data() + map.begins[row + 1]);
      const Pack bias = Pack::all(map.bias[row]);
      if (sumLive(terms, input, live)) {
        for (size_t at = 0; at < stride; at += lanes) {
          Pack sum = Pack::load(&ws.sums[at]);
          sum += bias;
          store(row, map.outputs[row], at, sum);
        }
        continue;
      }
      for (size_t at = 0; at < stride; at += lanes) {
        Pack sum;
        for (const Term &term : terms)
          sum.addProduct(Pack::load(input + term.input * stride + at),
                         term.weight);
        sum += bias;
        store(row, map.outputs[row], at, sum);
      }
    }
  }

  /// Leaves the sum of `terms` in `sums`, from what is not zero; false where
  /// that would not be faster.
  bool sumLive(llvm::ArrayRef<Term> terms, const T *input,
               const LiveBlocks &live) {
    if (!tracksLive())
      return false;
    size_t work = 0;
    for (const Term &term : terms)
      work += live[term.input].size();
    if (work * 2 > terms.size() * blocks)
      return false;
    std::fill_n(ws.sums.begin(), stride, T(0));
    for (const Term &term : terms) {
      const T *x = input + term.input * stride;
      for (uint32_t block : live[term.input]) {
        T *at = &ws.sums[block * lanes];
        Pack sum = Pack::load(at);
        sum.addProduct(Pack::load(x + block * lanes), term.weight);
        sum.store(at);
      }
    }
    return true;
  }

  /// Adds x W + b to the residual stream.
  void addToResidual(const AffineMap<T> &map, const T *input,
                     const LiveBlocks &live) {
    apply(map, input, live,
          [&](uint32_t, uint32_t direction, size_t at, const Pack &sum) {
            T *x = &ws.residual[direction * stride + at];
            Pack total = Pack::load(x);
            total += sum;
            total.store(x);
          });
    for (uint32_t direction : map.outputs)
      updateLive(ws.residualLive, direction, &ws.residual[direction * stride]);
  }

  void runLayer(const LayerMaps &layer) {
    attend(layer);
    addToResidual(layer.out, ws.mixed.data(), ws.mixedLive);

    apply(layer.mlpIn, ws.residual.data(), ws.residualLive,
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
      updateLive(ws.hiddenLive, row, x);
    }
    addToResidual(layer.mlpOut, ws.hidden.data(), ws.hiddenLive);
  }

  void attend(const LayerMaps &layer) {
    apply(layer.project, ws.residual.data(), ws.residualLive,
          [&](uint32_t row, uint32_t, size_t at, const Pack &sum) {
            sum.store(&ws.projected[row * stride + at]);
          });
    for (const HeadRows &head : layer.heads)
      if (head.width)
        Attention<T, batch>(head, model.headWidth, model.causal,
                            {length, columns, stride}, ws.attention)
            .run(ws.projected.data(), ws.mixed.data());
    for (uint32_t row = 0; row < layer.mixedRows; ++row)
      updateLive(ws.mixedLive, row, &ws.mixed[row * stride]);
  }

  const Transformer &model;
  Workspace &ws;
  unsigned length;
  size_t columns, stride, blocks; ///< stride = blocks * lanes
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

template <typename T>
void Transformer<T>::forwardEach(
    llvm::ArrayRef<std::vector<uint32_t>> sequences, Workspace &workspace,
    llvm::function_ref<void(size_t, const Logits<T> &, unsigned)> take) const {
  // A long sequence fills the lanes by itself, and more of it is zero.
  constexpr unsigned longLength = 64;
  size_t i = 0;
  for (; i + batchSize <= sequences.size(); i += batchSize) {
    unsigned length = sequences[i].size();
    if (length >= longLength)
      break;
    workspace.ids.resize(length * batchSize);
    for (unsigned s = 0; s < batchSize; ++s)
      for (unsigned t = 0; t < length; ++t)
        workspace.ids[t * batchSize + s] = sequences[i + s][t];
    Logits<T> logits = forwardBatch(workspace.ids, length, workspace);
    for (unsigned s = 0; s < batchSize; ++s)
      take(i + s, logits, s);
  }
  for (; i < sequences.size(); ++i)
    take(i, forward(sequences[i], workspace), 0);
}

template class rasp::rt::Transformer<float>;
template class rasp::rt::Transformer<double>;
