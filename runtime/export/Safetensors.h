//===- runtime/export/Safetensors.h - models as safetensors -----*- C++ -*-===//

#ifndef RASP_RUNTIME_EXPORT_SAFETENSORS_H
#define RASP_RUNTIME_EXPORT_SAFETENSORS_H

#include "runtime/export/Tensors.h"
#include "llvm/Support/raw_ostream.h"

namespace rasp::rt {

/// Writes the model as safetensors: the length of a header (8 bytes), the
/// header (JSON: type, shape and place of every tensor; the metadata under
/// `__metadata__`), the tensors one behind the other.
void writeSafetensors(const Model &model, TensorLayout layout,
                      llvm::raw_ostream &os);

} // namespace rasp::rt

#endif
