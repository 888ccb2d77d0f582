//===- runtime/export/Tensors.h - a model's tensors for others --*- C++ -*-===//
//
// The weights under the names and in the shapes that a reader wants. They stay
// sparse until a tensor is written.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_EXPORT_TENSORS_H
#define RASP_RUNTIME_EXPORT_TENSORS_H

#include "runtime/TensorList.h"

namespace rasp::rt {

/// Whose names and shapes.
enum class TensorLayout : uint8_t {
  /// TransformerLens' HookedTransformer: `blocks.0.attn.W_Q` [H, D, K].
  HookedTransformer,
  /// TransformerLens' TransformerBridge around its own model, that is
  /// torch.nn.Linear: `blocks.0.attn.q.weight` [H K, D], heads side by side.
  TransformerBridge,
};

struct ExportTensor {
  TensorInfo info;
  std::vector<Entry> entries; ///< non-zeros, in any order

  /// All elements, row major and little-endian.
  std::vector<char> bytes(DType dtype) const;
  uint64_t numBytes(DType dtype) const;
};

/// The model's tensors, in the order of the model file.
std::vector<ExportTensor> exportTensors(const Model &model,
                                        TensorLayout layout);

} // namespace rasp::rt

#endif
