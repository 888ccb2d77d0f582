//===- runtime/Decompose.cpp - the residual stream in parts ---------------===//

#include "runtime/Decompose.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace rasp::rt;
using Kind = DecompositionKind;

llvm::StringRef rasp::rt::nameOf(Kind kind) {
  switch (kind) {
#define DECOMPOSITION(kind, name, labels)                                      \
  case Kind::kind:                                                             \
    return name;
#include "runtime/Decompositions.def"
  }
  llvm_unreachable("every kind has a name");
}

namespace {

/// One addend: where it comes from, and its label.
struct Part {
  enum Source : uint8_t {
    Activation, ///< of `point`
    HeadOutput,
    NeuronOutput,
    Bias,
  };
  Source source;
  std::string label;
  HookPoint point;    ///< what it is made from
  unsigned index = 0; ///< of the head or hidden unit
};

/// Lists the parts of a decomposition in order.
class PartList {
public:
  PartList(const HookTable &table, DecompositionRange range)
      : table(table), range(range),
        end(range.layer.value_or(table.sizes().layers.size())) {
    assert(end + range.mlpInput <= table.sizes().layers.size() &&
           "the model has fewer layers");
  }

  std::vector<Part> parts;

  void add(Kind kind) {
    switch (kind) {
    case Kind::DecomposeResid:
      addEmbeddings();
      addHalfLayers(/*attention=*/true);
      return;
    case Kind::AccumulatedResid:
      addStream();
      return;
    case Kind::HeadResults:
      addHeads(end);
      return;
    case Kind::NeuronResults:
      addNeurons();
      return;
    case Kind::FullResid:
    case Kind::FullResidNeurons:
      addHeads(end + range.mlpInput);
      if (kind == Kind::FullResid)
        addHalfLayers(/*attention=*/false);
      else
        addNeurons();
      addEmbeddings();
      parts.push_back({Part::Bias, "bias", {HookKind::ResidPre, 0}});
      return;
    }
    llvm_unreachable("every kind returns");
  }

private:
  void addActivation(const std::string &label, HookPoint point) {
    parts.push_back({Part::Activation, label, point});
  }

  void addEmbeddings() {
    addActivation("embed", {HookKind::Embed});
    addActivation("pos_embed", {HookKind::PosEmbed});
  }

  void addHalfLayers(bool attention) {
    for (int l = 0; l < int(end + range.mlpInput); ++l) {
      if (attention)
        addActivation(std::to_string(l) + "_attn_out", {HookKind::AttnOut, l});
      if (l < int(end))
        addActivation(std::to_string(l) + "_mlp_out", {HookKind::MlpOut, l});
    }
  }

  void addStream() {
    int layers = static_cast<int>(table.sizes().layers.size());
    for (int l = 0; l <= int(end); ++l) {
      if (l == layers) {
        addActivation("final_post", {HookKind::ResidPost, l - 1});
        continue;
      }
      addActivation(std::to_string(l) + "_pre", {HookKind::ResidPre, l});
      if (l < int(end) || range.mlpInput)
        addActivation(std::to_string(l) + "_mid", {HookKind::ResidMid, l});
    }
  }

  void addHeads(unsigned layers) {
    // The results themselves, where they may have been changed.
    HookKind kind =
        table.fires(HookKind::Result) ? HookKind::Result : HookKind::Z;
    for (unsigned l = 0; l < layers; ++l)
      for (unsigned h = 0; h < table.sizes().widest.heads; ++h)
        parts.push_back({Part::HeadOutput,
                         "L" + std::to_string(l) + "H" + std::to_string(h),
                         {kind, static_cast<int>(l)},
                         h});
  }

  void addNeurons() {
    for (unsigned l = 0; l < end; ++l)
      for (unsigned m = 0; m < table.sizes().widest.hidden; ++m)
        parts.push_back({Part::NeuronOutput,
                         "L" + std::to_string(l) + "N" + std::to_string(m),
                         {HookKind::Post, static_cast<int>(l)},
                         m});
  }

  const HookTable &table;
  DecompositionRange range;
  unsigned end;
};

} // namespace

static std::vector<Part> partsOf(Kind kind, const HookTable &table,
                                 DecompositionRange range) {
  PartList list(table, range);
  list.add(kind);
  return std::move(list.parts);
}

std::vector<HookPoint> rasp::rt::pointsFor(Kind kind, const HookTable &table) {
  std::vector<HookPoint> points;
  for (const Part &part : partsOf(kind, table, {}))
    if (!llvm::is_contained(points, part.point))
      points.push_back(part.point);
  return points;
}

std::vector<std::string> rasp::rt::labelsFor(Kind kind,
                                             const HookTable &table) {
  std::vector<std::string> labels;
  for (Part &part : partsOf(kind, table, {}))
    labels.push_back(std::move(part.label));
  return labels;
}

/// y += factor * W[row].
template <typename T>
static void addRow(const Matrix &w, unsigned row, T factor, T *y) {
  for (Matrix::InnerIterator it(w, row); it; ++it)
    y[it.col()] += factor * T(it.value());
}

/// What a layer adds whatever it reads; with `hidden`, also what its MLP adds.
template <typename T>
static void addBiases(const Layer &layer, bool attention, bool hidden, T *y) {
  for (Eigen::Index d = 0; attention && d < layer.bO.size(); ++d)
    y[d] += T(layer.bO[d]);
  for (Eigen::Index d = 0; hidden && d < layer.bOut.size(); ++d)
    y[d] += T(layer.bOut[d]);
}

/// Fills in one part at one token.
template <typename T>
static void fill(const Part &part, const Model &model,
                 const Tensor<T> &activation, unsigned b, unsigned t, T *y) {
  auto layer = static_cast<size_t>(std::max(part.point.layer, 0));
  switch (part.source) {
  case Part::Activation:
    std::copy_n(activation.at(b, t), activation.shape.back(), y);
    return;
  case Part::HeadOutput:
    if (part.point.kind == HookKind::Result) {
      std::copy_n(activation.at(b, t, part.index), activation.shape.back(), y);
      return;
    }
    if (layer < model.layers.size() &&
        part.index < model.layers[layer].heads.size()) {
      const Matrix &w = model.layers[layer].heads[part.index].wO;
      for (Eigen::Index k = 0; k < w.rows(); ++k)
        addRow(w, k, activation.at(b, t, part.index)[k], y);
    }
    return;
  case Part::NeuronOutput:
    if (layer < model.layers.size() &&
        part.index < model.layers[layer].wOut.rows())
      addRow(model.layers[layer].wOut, part.index,
             activation.at(b, t)[part.index], y);
    return;
  case Part::Bias:
    return; // the same at all tokens
  }
}

template <typename T>
Decomposition<T> rasp::rt::decompose(Kind kind, const HookedPass<T> &pass,
                                     const ActivationCache<T> &cache,
                                     DecompositionRange range) {
  const Model &model = pass.model();
  std::vector<Part> parts = partsOf(kind, pass.hooks(), range);
  // All activations have the batch and the length in front.
  auto sizes = parts.empty() ? llvm::SmallVector<unsigned, 4>{0, 0}
                             : cache[parts.front().point].shape;
  Decomposition<T> result;
  result.parts = Tensor<T>({static_cast<unsigned>(parts.size()), sizes[0],
                            sizes[1], model.config.dModel});
  std::vector<T> bias(model.config.dModel, 0);
  size_t end = range.layer.value_or(model.layers.size());
  for (size_t l = 0; l < model.layers.size(); ++l)
    addBiases(model.layers[l], l < end + range.mlpInput,
              l < end && kind == Kind::FullResidNeurons, bias.data());
  for (auto [p, part] : llvm::enumerate(parts)) {
    const Tensor<T> &activation = cache[part.point];
    for (unsigned b = 0; b < sizes[0]; ++b)
      for (unsigned t = 0; t < sizes[1]; ++t) {
        T *y = result.parts.at(p, b, t);
        if (part.source == Part::Bias)
          llvm::copy(bias, y);
        else
          fill(part, model, activation, b, t, y);
      }
    result.labels.push_back(std::move(part.label));
  }
  return result;
}

template Decomposition<float>
rasp::rt::decompose(Kind, const HookedPass<float> &,
                    const ActivationCache<float> &, DecompositionRange);
template Decomposition<double>
rasp::rt::decompose(Kind, const HookedPass<double> &,
                    const ActivationCache<double> &, DecompositionRange);
