//===- runtime/export/Npz.h - models as NumPy archives ----------*- C++ -*-===//

#ifndef RASP_RUNTIME_EXPORT_NPZ_H
#define RASP_RUNTIME_EXPORT_NPZ_H

#include "runtime/export/Tensors.h"
#include "llvm/Support/raw_ostream.h"

namespace rasp::rt {

/// Writes the model as numpy.savez does: a zip archive, nothing compressed,
/// with an array per tensor, and per text of the metadata an array of one
/// string; `labels` is an array of strings.
llvm::Error writeNpz(const Model &model, TensorLayout layout,
                     llvm::raw_ostream &os);

} // namespace rasp::rt

#endif
