//===- runtime/WeightFile.h - models on disk --------------------*- C++ -*-===//
//
// The model file, an HDF5 file that TransformerLens, h5py and NumPy can read
// without knowing anything of ours; FORMAT.md specifies it. Only the sources
// behind this header know HDF5, through its C API. That library is not
// thread-safe: read and write from one thread at a time.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_WEIGHTFILE_H
#define RASP_RUNTIME_WEIGHTFILE_H

#include "runtime/ModelJSON.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace rasp::rt {

/// Version of the layout that `writeModel` writes; `readModel` takes this one
/// and older ones.
constexpr int formatVersion = 1;

/// Writes `model`, weights rounded to its dtype. The file appears complete or
/// not at all; one that was there before survives a failure. The same model
/// always gives the same bytes.
llvm::Error writeModel(const Model &model, llvm::StringRef path,
                       Padding padding = Padding::Uniform);

/// Reads and checks a file. Errors begin with the path and say what was
/// expected. Nothing is allocated that the file's own size does not justify.
/// Heads and hidden units that hold only zeros at the end of a layer are
/// padding and left out.
llvm::Expected<Model> readModel(llvm::StringRef path);

} // namespace rasp::rt

#endif
