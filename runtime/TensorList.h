//===- runtime/TensorList.h - a model as named tensors ----------*- C++ -*-===//
//
// The names and shapes of TransformerLens' state dict, and the non-zeros of a
// model's weights in them.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_TENSORLIST_H
#define RASP_RUNTIME_TENSORLIST_H

#include "runtime/ModelJSON.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SHA256.h"
#include <string>
#include <vector>

namespace rasp::rt {

struct Entry {
  uint64_t index; ///< in the tensor, row major
  double value;   ///< not 0
};

struct TensorInfo {
  std::string name;
  llvm::SmallVector<uint64_t, 3> dims;

  uint64_t size() const;
};

/// Calls `fn` for every tensor of the model, padded to `sizes`, with its
/// non-zeros in ascending order, which it may change. Ends early on an error.
llvm::Error forEachTensor(
    const Model &model, const FileSizes &sizes,
    llvm::function_ref<llvm::Error(const TensorInfo &, std::vector<Entry> &)>
        fn);

/// Builds the weights of `model` from the tensors of `sizes`, in the order of
/// `forEachTensor`; `read` gets one tensor's non-zeros in ascending order.
llvm::Error buildFromTensors(
    Model &model, const FileSizes &sizes,
    llvm::function_ref<llvm::Error(const TensorInfo &, std::vector<Entry> &)>
        read);

/// How many tensors a model with so many layers has.
uint64_t numTensors(uint64_t layers);

/// Hash of a model's weights, as its file has it.
std::string hashOfWeights(const Model &model);

/// Hash of weights: names, shapes and non-zeros.
class WeightHash {
public:
  WeightHash() = default;
  /// What a file states as its `state_sha256` begins with the configuration.
  explicit WeightHash(const Header &header) { hash.update(header.config); }

  void add(const TensorInfo &tensor, llvm::ArrayRef<Entry> entries);
  std::string hex();

private:
  llvm::SHA256 hash;
};

} // namespace rasp::rt

#endif
