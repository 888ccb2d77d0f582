//===- frontend/LargeStack.h - room for deep recursion ----------*- C++ -*-===//

#ifndef RASP_FRONTEND_LARGESTACK_H
#define RASP_FRONTEND_LARGESTACK_H

#include "llvm/ADT/STLFunctionalExtras.h"

namespace rasp::frontend {

/// Address space only; memory is used as the stack grows.
inline constexpr unsigned largeStackSize = 1u << 30;

/// Runs `work` to its end on a thread with a stack that suffices for the
/// limits of parser and evaluator: its own if it is such a thread, else a new
/// one. Signals that end the process come to that thread, so that it writes
/// nothing while their handler removes files.
void runWithLargeStack(llvm::function_ref<void()> work);

} // namespace rasp::frontend

#endif
