//===- backend/CircuitPasses.h - passes over circuits -----------*- C++ -*-===//

#ifndef RASP_BACKEND_CIRCUITPASSES_H
#define RASP_BACKEND_CIRCUITPASSES_H

#include "backend/Circuit.h"
#include "ir/Diagnostics.h"
#include "ir/PassManager.h"

namespace rasp::backend {

struct PassInfo {
  llvm::StringLiteral name;
  /// Changes the circuit and returns whether it did.
  bool (*function)(Circuit &circuit);
  llvm::StringLiteral summary;
};
llvm::ArrayRef<PassInfo> allPasses();
/// The pass with that name, or null.
const PassInfo *findPass(llvm::StringRef name);

/// The passes from what was lowered to what is laid out, in order. A plain
/// circuit has its components where they can be first; only the smallest one
/// uses coordinates again.
llvm::ArrayRef<llvm::StringLiteral> pipeline(bool plain, bool smallest);

/// Runs a pass of that name, seen by `passes`; false after an error, also one
/// that `passes` found.
bool runPass(llvm::StringRef name, llvm::function_ref<bool(Circuit &)> pass,
             Circuit &circuit, ir::Diagnostics &diags, ir::PassManager &passes);

} // namespace rasp::backend

#endif
