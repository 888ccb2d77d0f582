//===- frontend/LargeStack.h - room for deep recursion ----------*- C++ -*-===//

#ifndef RASP_FRONTEND_LARGESTACK_H
#define RASP_FRONTEND_LARGESTACK_H

#include "llvm/ADT/STLFunctionalExtras.h"

namespace rasp::frontend {

/// Runs `work` to its end on a thread with a stack that suffices for the
/// limits of parser and evaluator: its own if it is such a thread, else a new
/// one. Memory is used only as the stack grows.
void runWithLargeStack(llvm::function_ref<void()> work);

} // namespace rasp::frontend

#endif
