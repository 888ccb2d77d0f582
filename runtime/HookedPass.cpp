//===- runtime/HookedPass.cpp - a forward pass to look into ---------------===//

#include "runtime/HookedPass.h"

#include "runtime/Lanes.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace rasp::rt;

/// y += x W. The terms of an output come in ascending order of input, as in
/// `Transformer`; inputs that are 0 add nothing.
template <typename T>
static void addProduct(const T *x, const Matrix &w, T *y) {
  for (Eigen::Index row = 0; row < w.outerSize(); ++row)
    if (x[row] != 0)
      for (Matrix::InnerIterator it(w, row); it; ++it)
        y[it.col()] += x[row] * T(it.value());
}

template <typename T> static void addBias(const Vector &b, T *y) {
  for (Eigen::Index i = 0; i < b.size(); ++i)
    y[i] += T(b[i]);
}

template <typename T>
static void addRow(const Matrix &table, unsigned row, T *y) {
  for (Matrix::InnerIterator it(table, row); it; ++it)
    y[it.col()] += T(it.value());
}

template <typename T> static void addTo(Tensor<T> &x, const Tensor<T> &y) {
  for (auto [own, other] : llvm::zip_equal(x.data, y.data))
    own += other;
}

/// e^(x - largest) over the sum of those. A row that is -inf throughout, or
/// has an inf, gets zeros where TransformerLens puts them for NaN.
template <typename T> static void softmax(T *row, unsigned size) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr unsigned lanes = 16 / sizeof(T);
  T largest = -infinity;
  for (unsigned i = 0; i < size; ++i)
    largest = row[i] > largest ? row[i] : largest;
  T total = 0;
  for (unsigned i = 0; i < size; i += lanes) {
    unsigned count = std::min(lanes, size - i);
    T part[lanes] = {};
    for (unsigned j = 0; j < count; ++j)
      part[j] = row[i + j] - largest;
    auto packed = Lanes<T, lanes>::load(part);
    packed.expNonPositive();
    packed.store(part);
    for (unsigned j = 0; j < count; ++j) {
      row[i + j] = part[j];
      total += part[j];
    }
  }
  for (unsigned i = 0; i < size; ++i) {
    row[i] /= total;
    if (std::isnan(row[i]))
      row[i] = 0;
  }
}

/// The layers of a pass over [B, T] tokens.
template <typename T> class HookedPass<T>::Layers {
public:
  Layers(const HookedPass &pass, HookVisitor<T> *visitor, unsigned batch,
         unsigned length)
      : pass(pass), visitor(visitor), batch(batch), length(length) {}

  Tensor<T> embed(llvm::ArrayRef<std::vector<uint32_t>> ids) {
    const Model &model = pass.theModel;
    HookPoint tokens{HookKind::Tokens};
    if (isWanted(tokens)) {
      Tensor<T> x = make(HookKind::Tokens);
      forEachToken([&](unsigned b, unsigned t) { *x.at(b, t) = ids[b][t]; });
      visitor->visit(tokens, x);
    }
    Tensor<T> x = make(HookKind::Embed), positions = make(HookKind::PosEmbed);
    forEachToken([&](unsigned b, unsigned t) {
      assert(ids[b][t] < model.wE.rows() && "token id outside the vocabulary");
      addRow(model.wE, ids[b][t], x.at(b, t));
      addRow(model.wPos, t, positions.at(b, t));
    });
    visit({HookKind::Embed}, x);
    visit({HookKind::PosEmbed}, positions);
    addTo(x, positions);
    return x;
  }

  void run(int l, Tensor<T> &x) {
    static const Layer none;
    const auto &layers = pass.theModel.layers;
    const Layer &layer = size_t(l) < layers.size() ? layers[l] : none;
    visit({HookKind::ResidPre, l}, x);
    addTo(x, attend(l, layer, x));
    visit({HookKind::ResidMid, l}, x);
    addTo(x, runMlp(l, layer, x));
    visit({HookKind::ResidPost, l}, x);
  }

  Tensor<T> unembed(Tensor<T> x) {
    visit({HookKind::UnembedIn}, x);
    Tensor<T> logits = make(HookKind::UnembedOut);
    forEachToken([&](unsigned b, unsigned t) {
      addProduct(x.at(b, t), pass.theModel.wU, logits.at(b, t));
      addBias(pass.theModel.bU, logits.at(b, t));
    });
    visit({HookKind::UnembedOut}, logits);
    return logits;
  }

private:
  /// What heads read: the residual stream, or a copy for each head where one
  /// was asked for.
  struct HeadInput {
    const Tensor<T> *shared;
    Tensor<T> own; ///< [B, T, H, D], empty if there is none

    const T *at(unsigned b, unsigned t, unsigned h) const {
      return own.data.empty() ? shared->at(b, t) : own.at(b, t, h);
    }
  };

  Tensor<T> make(HookKind kind) const {
    return Tensor<T>(pass.table.shapeOf(kind, batch, length));
  }
  bool isWanted(const HookPoint &point) const {
    return visitor && pass.table.fires(point.kind) && visitor->wants(point);
  }
  bool visit(const HookPoint &point, Tensor<T> &activation) {
    return isWanted(point) && visitor->visit(point, activation);
  }
  template <typename Fn> void forEachToken(Fn fn) const {
    for (unsigned b = 0; b < batch; ++b)
      for (unsigned t = 0; t < length; ++t)
        fn(b, t);
  }

  /// `input`, as the hook of `point` leaves it.
  HeadInput copyFor(const HookPoint &point, const HeadInput &input) {
    if (!isWanted(point))
      return input;
    HeadInput copy{input.shared, make(point.kind)};
    unsigned directions = copy.own.shape.back();
    forEachToken([&](unsigned b, unsigned t) {
      for (unsigned h = 0; h < numHeads(); ++h)
        std::copy_n(input.at(b, t, h), directions, copy.own.at(b, t, h));
    });
    visitor->visit(point, copy.own);
    return copy;
  }

  unsigned numHeads() const { return pass.table.sizes().widest.heads; }

  /// x W + b for each head, [B, T, H, K].
  Tensor<T> project(const HookPoint &point, const Layer &layer,
                    const HeadInput &x, Matrix Head::*w, Vector Head::*b) {
    Tensor<T> y = make(point.kind);
    forEachToken([&](unsigned s, unsigned t) {
      for (auto [h, head] : llvm::enumerate(layer.heads)) {
        addProduct(x.at(s, t, h), head.*w, y.at(s, t, h));
        addBias(head.*b, y.at(s, t, h));
      }
    });
    visit(point, y);
    return y;
  }

  /// What the heads add to the residual stream.
  Tensor<T> attend(int l, const Layer &layer, const Tensor<T> &residual) {
    HeadInput x = copyFor({HookKind::AttnIn, l}, HeadInput{&residual, {}});
    HeadInput forQueries = copyFor({HookKind::QInput, l}, x);
    HeadInput forKeys = copyFor({HookKind::KInput, l}, x);
    HeadInput forValues = copyFor({HookKind::VInput, l}, x);
    Tensor<T> q =
        project({HookKind::Q, l}, layer, forQueries, &Head::wQ, &Head::bQ);
    Tensor<T> k =
        project({HookKind::K, l}, layer, forKeys, &Head::wK, &Head::bK);
    Tensor<T> v =
        project({HookKind::V, l}, layer, forValues, &Head::wV, &Head::bV);
    Tensor<T> pattern = attentionOf(l, q, k);
    Tensor<T> z = average(pattern, v);
    visit({HookKind::Z, l}, z);
    Tensor<T> out = make(HookKind::AttnOut);
    if (!sumResults(l, layer, z, out))
      forEachToken([&](unsigned b, unsigned t) {
        for (auto [h, head] : llvm::enumerate(layer.heads))
          addProduct(z.at(b, t, h), head.wO, out.at(b, t));
      });
    forEachToken(
        [&](unsigned b, unsigned t) { addBias(layer.bO, out.at(b, t)); });
    visit({HookKind::AttnOut, l}, out);
    return out;
  }

  /// Scores and their softmax, [B, H, Tq, Tk].
  Tensor<T> attentionOf(int l, const Tensor<T> &q, const Tensor<T> &k) {
    Tensor<T> scores = make(HookKind::AttnScores);
    unsigned width = q.shape.back();
    T root = std::sqrt(T(width));
    auto forEachQuery = [&](auto fn) {
      for (unsigned b = 0; b < batch; ++b)
        for (unsigned h = 0; h < numHeads(); ++h)
          for (unsigned query = 0; query < length; ++query)
            fn(b, h, query);
    };
    forEachQuery([&](unsigned b, unsigned h, unsigned query) {
      T *row = scores.at(b, h, query);
      const T *own = q.at(b, query, h);
      for (unsigned key = 0; key < length; ++key) {
        const T *other = k.at(b, key, h);
        T score = 0;
        for (unsigned c = 0; c < width; ++c)
          score += own[c] * other[c];
        bool isHidden = pass.theModel.config.causal && key > query;
        row[key] =
            isHidden ? -std::numeric_limits<T>::infinity() : score / root;
      }
    });
    visit({HookKind::AttnScores, l}, scores);
    forEachQuery([&](unsigned b, unsigned h, unsigned query) {
      softmax(scores.at(b, h, query), length);
    });
    visit({HookKind::Pattern, l}, scores);
    return scores;
  }

  /// The mean of values that each query sees, [B, T, H, K].
  Tensor<T> average(const Tensor<T> &pattern, const Tensor<T> &v) {
    Tensor<T> z = make(HookKind::Z);
    unsigned width = v.shape.back();
    forEachToken([&](unsigned b, unsigned query) {
      for (unsigned h = 0; h < numHeads(); ++h) {
        const T *weights = pattern.at(b, h, query);
        T *mean = z.at(b, query, h);
        for (unsigned key = 0; key < length; ++key) {
          const T *values = v.at(b, key, h);
          for (unsigned c = 0; c < width && weights[key] != 0; ++c)
            mean[c] += weights[key] * values[c];
        }
      }
    });
    return z;
  }

  /// If someone changes what single heads write, `out` becomes the sum of that.
  bool sumResults(int l, const Layer &layer, const Tensor<T> &z,
                  Tensor<T> &out) {
    HookPoint point{HookKind::Result, l};
    if (!isWanted(point))
      return false;
    Tensor<T> result = make(HookKind::Result);
    forEachToken([&](unsigned b, unsigned t) {
      for (auto [h, head] : llvm::enumerate(layer.heads))
        addProduct(z.at(b, t, h), head.wO, result.at(b, t, h));
    });
    if (!visitor->visit(point, result))
      return false;
    forEachToken([&](unsigned b, unsigned t) {
      T *sum = out.at(b, t);
      for (unsigned h = 0; h < numHeads(); ++h)
        for (unsigned d = 0; d < out.shape.back(); ++d)
          sum[d] += result.at(b, t, h)[d];
    });
    return true;
  }

  /// What the MLP adds to the residual stream.
  Tensor<T> runMlp(int l, const Layer &layer, const Tensor<T> &residual) {
    HookPoint inputPoint{HookKind::MlpIn, l};
    Tensor<T> copy;
    if (isWanted(inputPoint)) {
      copy = residual;
      visitor->visit(inputPoint, copy);
    }
    const Tensor<T> &x = copy.data.empty() ? residual : copy;
    Tensor<T> hidden = make(HookKind::Pre);
    forEachToken([&](unsigned b, unsigned t) {
      addProduct(x.at(b, t), layer.wIn, hidden.at(b, t));
      addBias(layer.bIn, hidden.at(b, t));
    });
    visit({HookKind::Pre, l}, hidden);
    for (T &unit : hidden.data)
      unit = unit < 0 ? 0 : unit;
    visit({HookKind::Post, l}, hidden);
    Tensor<T> out = make(HookKind::MlpOut);
    forEachToken([&](unsigned b, unsigned t) {
      addProduct(hidden.at(b, t), layer.wOut, out.at(b, t));
      addBias(layer.bOut, out.at(b, t));
    });
    visit({HookKind::MlpOut, l}, out);
    return out;
  }

  const HookedPass &pass;
  HookVisitor<T> *visitor;
  unsigned batch, length;
};

template <typename T>
Tensor<T> HookedPass<T>::run(llvm::ArrayRef<std::vector<uint32_t>> batch,
                             HookVisitor<T> *visitor) const {
  return unembed(runUntil(numLayers(), batch, visitor), visitor);
}

template <typename T>
Tensor<T> HookedPass<T>::runUntil(unsigned end,
                                  llvm::ArrayRef<std::vector<uint32_t>> batch,
                                  HookVisitor<T> *visitor) const {
  unsigned length = batch.empty() ? 0 : batch[0].size();
  assert(length <= theModel.config.nCtx && "more tokens than positions");
  assert(llvm::all_of(batch,
                      [&](const auto &ids) { return ids.size() == length; }) &&
         "sequences of a batch have one length");
  Layers layers(*this, visitor, batch.size(), length);
  return runLayers(0, end, layers.embed(batch), visitor);
}

template <typename T>
Tensor<T> HookedPass<T>::runLayers(unsigned begin, unsigned end,
                                   Tensor<T> residual,
                                   HookVisitor<T> *visitor) const {
  assert(end <= numLayers() && "the model has fewer layers");
  Layers layers(*this, visitor, residual.shape[0], residual.shape[1]);
  for (unsigned l = begin; l < end; ++l)
    layers.run(l, residual);
  return residual;
}

template <typename T>
Tensor<T> HookedPass<T>::unembed(Tensor<T> residual,
                                 HookVisitor<T> *visitor) const {
  Layers layers(*this, visitor, residual.shape[0], residual.shape[1]);
  return layers.unembed(std::move(residual));
}

template class rasp::rt::HookedPass<float>;
template class rasp::rt::HookedPass<double>;
