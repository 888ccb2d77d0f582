//===- runtime/export/Onnx.h - models as ONNX graphs ------------*- C++ -*-===//

#ifndef RASP_RUNTIME_EXPORT_ONNX_H
#define RASP_RUNTIME_EXPORT_ONNX_H

#include "runtime/Model.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace rasp::rt {

enum class GraphOutputs : uint8_t {
  Logits,
  Hooks, ///< and every activation that TransformerLens has a hook for
};

/// Writes the model as an ONNX graph of plain operators from `tokens`, ids
/// [batch, length] with BOS first, to `logits` [batch, length, d_vocab_out].
/// Weights have the names and shapes of the model file; values, and the nodes
/// that compute them, those of TransformerLens' hooks where there is one. An
/// error if the file would be too large for ONNX, 2 GB.
llvm::Error writeOnnx(const Model &model, GraphOutputs outputs,
                      llvm::raw_ostream &os);

} // namespace rasp::rt

#endif
