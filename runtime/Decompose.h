//===- runtime/Decompose.h - the residual stream in parts -------*- C++ -*-===//
//
// The residual stream is a sum, and these are its addends, with the labels and
// in the shapes of TransformerLens' ActivationCache: by embedding and
// half-layer, by head, by hidden unit, or by all of these and the biases.
// Decompositions.def lists them. The one called accumulated is the stream
// itself at every place.
//
// Parts are made from activations that a pass has left in a cache, so they are
// those of the changed model where interventions were made. They add up to the
// stream as far as rounding goes, unless an intervention has changed the sum
// and not the parts (the stream itself, or `hook_mlp_out`).
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DECOMPOSE_H
#define RASP_RUNTIME_DECOMPOSE_H

#include "runtime/ActivationCache.h"

namespace rasp::rt {

enum class DecompositionKind : uint8_t {
#define DECOMPOSITION(kind, name, labels) kind,
#include "runtime/Decompositions.def"
};

/// "decompose_resid"
llvm::StringRef nameOf(DecompositionKind kind);

/// Which part of the stream is taken apart.
struct DecompositionRange {
  /// What layer number `layer` reads; the end of the model without.
  std::optional<unsigned> layer;
  /// What the MLP of that layer reads.
  bool mlpInput = false;
};

/// Parts of the residual stream.
template <typename T> struct Decomposition {
  std::vector<std::string> labels;
  Tensor<T> parts; ///< [label, B, T, D]
};

/// The hook points that a cache needs for a decomposition.
std::vector<HookPoint> pointsFor(DecompositionKind kind,
                                 const HookTable &table);

/// The labels that a decomposition of a whole pass has.
std::vector<std::string> labelsFor(DecompositionKind kind,
                                   const HookTable &table);

/// The heads and hidden units are those of the padded file: what a layer does
/// not use adds zeros. `range.layer` is at most the number of layers, and less
/// with `mlpInput`. AccumulatedResid includes the middle of layers; head and
/// neuron results have no `mlpInput`.
template <typename T>
Decomposition<T> decompose(DecompositionKind kind, const HookedPass<T> &pass,
                           const ActivationCache<T> &cache,
                           DecompositionRange range = {});

} // namespace rasp::rt

#endif
