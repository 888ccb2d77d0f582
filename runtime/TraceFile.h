//===- runtime/TraceFile.h - activations on disk ----------------*- C++ -*-===//
//
// Writes activations to an HDF5 file, TRACE.md, that h5py reads. Inputs are
// grouped by length, so tensors have no padding. Groups are written part by
// part, so a trace needs no more memory than a batch.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_TRACEFILE_H
#define RASP_RUNTIME_TRACEFILE_H

#include "runtime/Decompose.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace rasp::rt {

/// What a trace has of each input.
struct TraceContents {
  std::vector<HookPoint> points;
  std::vector<DecompositionKind> decompositions;
};

class TraceWriter {
public:
  /// Has `fill` write the groups of a trace; it returns the JSON text that the
  /// file has for inputs and outputs. An existing file stays as it was if
  /// anything fails.
  static llvm::Error write(llvm::StringRef path, const Model &model,
                           const TraceContents &contents,
                           llvm::function_ref<std::string(TraceWriter &)> fill);

  ~TraceWriter();

  /// Starts the group of the inputs of `length` tokens, BOS counted. `inputs`
  /// are their numbers among all inputs.
  void beginLength(unsigned length, llvm::ArrayRef<int64_t> inputs);
  /// Adds a batch to the group: `first` is the place of its first sequence.
  void writeTokens(unsigned first, llvm::ArrayRef<std::vector<uint32_t>> ids);
  template <typename T>
  void writeActivation(unsigned first, const HookPoint &point,
                       const Tensor<T> &activation);
  template <typename T>
  void writeDecomposition(unsigned first, DecompositionKind kind,
                          const Decomposition<T> &decomposition);
  template <typename T>
  void writeLogits(unsigned first, const Tensor<T> &logits);

private:
  class Impl;
  explicit TraceWriter(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl;
};

} // namespace rasp::rt

#endif
