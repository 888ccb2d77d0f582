//===- runtime/Transformer.h - the forward pass -----------------*- C++ -*-===//
//
// Runs a model as TransformerLens does: softmax((x W_Q + b_Q)(x W_K + b_K)^T
// / sqrt(d_head)) (x W_V + b_V) W_O summed over heads, plus b_O, added to the
// residual stream; then ReLU(x W_in + b_in) W_out + b_out, added; at the end
// x W_U + b_U. Position 0 holds BOS; the caller puts it there.
//
// Activations are stored with the feature as row and the token as column, and
// weights as the list of their non-zeros per output feature. A term of a
// product then works on a whole row of tokens, which vectorises at any
// sparsity: dense weights would save nothing but the load of an index. A batch
// of equally long sequences is one longer row. Long sequences skip what is zero
// (Sparsity.h), and attention answers equal queries once (Attention.h).
//
// Every sum runs over its terms in ascending order, starting at +0 and leaving
// out only terms that are zero, and biases are added last. So a sequence has
// the same logits, to the bit, alone and in a batch, and keys with the same
// score have the same weight. HookedPass.h computes the same, and shows what
// happens in between. (That holds while nothing overflows, as no compiled model
// does: of an infinite activation, a term with the factor zero is NaN.)
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_TRANSFORMER_H
#define RASP_RUNTIME_TRANSFORMER_H

#include "runtime/Attention.h"
#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rasp::rt {

/// The logits of a batch, where the forward pass left them.
template <typename T> class Logits {
public:
  Logits(const T *data, size_t stride, unsigned batch)
      : data(data), stride(stride), batch(batch) {}
  T operator()(unsigned position, unsigned output,
               unsigned sequence = 0) const {
    return data[output * stride + position * batch + sequence];
  }

private:
  const T *data;
  size_t stride;
  unsigned batch;
};

/// y = x W + b for a sparse W, output by output.
template <typename T> struct AffineMap {
  struct Term {
    uint32_t input;
    T weight;
  };
  std::vector<uint32_t> outputs; ///< ascending; others are zero
  std::vector<uint32_t> begins;  ///< first term of each output, and the end
  std::vector<Term> terms;
  std::vector<T> bias;

  size_t size() const { return outputs.size(); }
};

/// A model made ready to run with arithmetic in `T`. Immutable: threads share
/// it, each with a workspace of its own.
template <typename T> class Transformer {
public:
  explicit Transformer(const Model &model);

  /// Sequences that `forwardBatch` takes at once.
  static constexpr unsigned batchSize = 16;

  /// Memory of the activations; grows when needed and is then reused.
  class Workspace {
    friend class Transformer;
    std::vector<T> residual, projected, mixed, hidden, logits, sums;
    LiveBlocks residualLive, mixedLive, hiddenLive;
    AttentionMemory<T> attention;
    std::vector<uint32_t> ids; ///< of a batch
  };

  /// Runs one sequence: [ids.size(), numOutputs()]. Ids are below numTokens(),
  /// their number at most maxLength(). The result lives in the workspace.
  Logits<T> forward(llvm::ArrayRef<uint32_t> ids, Workspace &workspace) const;

  /// Runs `batchSize` sequences of `length` tokens. Token t of sequence s is
  /// ids[t * batchSize + s].
  Logits<T> forwardBatch(llvm::ArrayRef<uint32_t> ids, unsigned length,
                         Workspace &workspace) const;

  /// Runs sequences of one length, alone or in batches, whichever is faster.
  /// Calls `take(i, logits, s)` where sequence i is sequence s of `logits`.
  void forwardEach(
      llvm::ArrayRef<std::vector<uint32_t>> sequences, Workspace &workspace,
      llvm::function_ref<void(size_t, const Logits<T> &, unsigned)> take) const;

  unsigned numTokens() const { return tokenRows.size() - 1; }
  unsigned numOutputs() const { return outputCount; }
  unsigned maxLength() const { return positionRows.size() - 1; }

private:
  struct LayerMaps {
    AffineMap<T> project; ///< residual to queries, keys and values
    std::vector<HeadRows> heads;
    uint32_t mixedRows = 0;
    AffineMap<T> out;    ///< means of values of all heads to residual
    AffineMap<T> mlpIn;  ///< residual to hidden
    AffineMap<T> mlpOut; ///< hidden to residual
  };
  using Term = typename AffineMap<T>::Term;

  template <unsigned batch> class Pass;

  std::vector<uint32_t> tokenRows, positionRows; ///< begins in the terms
  std::vector<Term> tokenTerms, positionTerms;   ///< `input` is the direction
  std::vector<LayerMaps> layers;
  AffineMap<T> unembed;
  unsigned directions = 0, outputCount = 0, headWidth = 0;
  unsigned projectedRows = 0, mixedRows = 0, hiddenRows = 0;
  bool causal = false;
};

extern template class Transformer<float>;
extern template class Transformer<double>;

} // namespace rasp::rt

#endif
