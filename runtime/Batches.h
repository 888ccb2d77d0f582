//===- runtime/Batches.h - inputs of any lengths ----------------*- C++ -*-===//
//
// A batch of a pass has one length, and nothing here pads: inputs are grouped
// by length, so each is run as if it were alone.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_BATCHES_H
#define RASP_RUNTIME_BATCHES_H

#include "runtime/ActivationCache.h"
#include "runtime/Inputs.h"
#include "runtime/Interventions.h"

namespace rasp::rt {

/// Sequences whose activations are in memory at once.
inline constexpr size_t batchSize = 16;

/// Numbers of the inputs that were not refused, by their number of tokens, BOS
/// counted.
std::map<size_t, std::vector<int64_t>>
groupByLength(llvm::ArrayRef<Input> inputs);

/// Inputs that ran together, and what came of them.
template <typename T> struct Batch {
  llvm::ArrayRef<int64_t> numbers; ///< of the inputs among all
  unsigned length;                 ///< BOS counted
  size_t first; ///< place of the first among those of a length
  std::vector<std::vector<uint32_t>> ids;
  const ActivationCache<T> &cache;
  const Tensor<T> &logits;
};

/// Refuses the inputs that interventions do not fit.
template <typename T>
void refuseMisfits(const Intervener<T> &intervener,
                   llvm::MutableArrayRef<Input> inputs);

/// Runs the inputs that were not refused, fills in their outputs, and hands out
/// the activations of `points`.
template <typename T>
void runBatches(const HookedPass<T> &pass, Intervener<T> &intervener,
                const Tokenizer &tokenizer, llvm::MutableArrayRef<Input> inputs,
                llvm::ArrayRef<HookPoint> points,
                llvm::function_ref<void(const Batch<T> &)> take);

} // namespace rasp::rt

#endif
