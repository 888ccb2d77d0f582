//===- runtime/HookedPass.h - a forward pass to look into -------*- C++ -*-===//
//
// The same computation as `Transformer`, written for being looked into: every
// hook point of Hooks.h is an activation of its own that the caller may read
// and replace. What nobody asks for is not made. A pass that nothing was
// replaced in gives the logits of `Transformer`, to the bit.
//
// As TransformerLens does it: a replaced activation is what the rest of the
// pass reads; `hook_resid_pre`, `hook_resid_mid` and `hook_resid_post` are the
// residual stream itself, `hook_q_input`, `hook_mlp_in` and their like are
// copies for one reader.
//
// One difference is about rounding. What the heads of a layer write is one sum
// over the columns of all heads. Only where `attn.hook_result` was replaced
// somewhere in the layer, the results of the heads are added up instead.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_HOOKEDPASS_H
#define RASP_RUNTIME_HOOKEDPASS_H

#include "runtime/Hooks.h"
#include "runtime/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace rasp::rt {

/// Sees the activations of a pass, and may change them.
template <typename T> class HookVisitor {
public:
  virtual ~HookVisitor() = default;
  virtual bool wants(const HookPoint &point) const = 0;
  /// Called in the order in which hooks fire. May change the numbers but not
  /// the shape; returns whether it did.
  virtual bool visit(const HookPoint &point, Tensor<T> &activation) = 0;
};

/// Several visitors, one after the other: a later one sees what an earlier one
/// has changed.
template <typename T> class HookVisitors : public HookVisitor<T> {
public:
  void add(HookVisitor<T> &visitor) { visitors.push_back(&visitor); }

  bool wants(const HookPoint &point) const override {
    for (HookVisitor<T> *visitor : visitors)
      if (visitor->wants(point))
        return true;
    return false;
  }
  bool visit(const HookPoint &point, Tensor<T> &activation) override {
    bool changed = false;
    for (HookVisitor<T> *visitor : visitors)
      if (visitor->wants(point))
        changed |= visitor->visit(point, activation);
    return changed;
  }

private:
  llvm::SmallVector<HookVisitor<T> *, 2> visitors;
};

/// Runs a model, to which it refers; T is the type that the model computes in.
template <typename T> class HookedPass {
public:
  explicit HookedPass(const Model &model) : theModel(model), table(model) {}

  const Model &model() const { return theModel; }
  const HookTable &hooks() const { return table; }
  unsigned numLayers() const { return table.sizes().layers.size(); }

  /// Runs sequences of one length, BOS first: the logits, [B, T, O]. Ids must
  /// be below the size of the vocabulary and lengths at most that of the
  /// context. `hook_tokens` is shown, but what is put there has no effect.
  Tensor<T> run(llvm::ArrayRef<std::vector<uint32_t>> batch,
                HookVisitor<T> *visitor = nullptr) const;

  /// Runs the embedding and the layers before `end`: the residual stream,
  /// [B, T, D], that layer `end` would read.
  Tensor<T> runUntil(unsigned end, llvm::ArrayRef<std::vector<uint32_t>> batch,
                     HookVisitor<T> *visitor = nullptr) const;

  /// Runs the layers from `begin` to before `end` on a residual stream.
  Tensor<T> runLayers(unsigned begin, unsigned end, Tensor<T> residual,
                      HookVisitor<T> *visitor = nullptr) const;

  /// Reads the logits from a residual stream.
  Tensor<T> unembed(Tensor<T> residual,
                    HookVisitor<T> *visitor = nullptr) const;

private:
  class Layers;

  const Model &theModel;
  HookTable table;
};

/// Logits [B, T, O] in the form that `Tokenizer` reads.
template <typename T> class LogitsOf {
public:
  explicit LogitsOf(const Tensor<T> &tensor) : tensor(tensor) {}
  T operator()(unsigned position, unsigned output,
               unsigned sequence = 0) const {
    return *tensor.at(sequence, position, output);
  }

private:
  const Tensor<T> &tensor;
};

extern template class HookedPass<float>;
extern template class HookedPass<double>;

} // namespace rasp::rt

#endif
