//===- backend/Encodings.h - how the stream holds s-ops ---------*- C++ -*-===//

#ifndef RASP_BACKEND_ENCODINGS_H
#define RASP_BACKEND_ENCODINGS_H

#include "backend/Circuit.h"
#include "ir/Module.h"
#include "ir/Printer.h"

namespace rasp::backend {

/// The directions of `circuit` that hold `sop`: those of its name, since what
/// affine functions of the position share belongs to the position.
llvm::SmallVector<DirId> directionsOf(const Circuit &circuit,
                                      const ir::NodeNames &names,
                                      const ir::Node *sop);

/// Writes beside each s-op of `module` how `circuit`, which computes `output`,
/// holds it.
void showEncodings(ir::Module &module, const Circuit &circuit,
                   const ir::Node *output, const ir::NodeNames &names,
                   const ir::ValueSets &sets);

} // namespace rasp::backend

#endif
