//===- frontend/LargeStack.cpp - room for deep recursion ------------------===//

#include "frontend/LargeStack.h"
#include "llvm/Support/thread.h"

/// Whether the thread is one of those made here.
static thread_local bool isLarge = false;

void rasp::frontend::runWithLargeStack(llvm::function_ref<void()> work) {
  if (isLarge)
    return work();
  std::optional<unsigned> stackSize = 1u << 30;
  llvm::thread(stackSize, [&] {
    isLarge = true;
    work();
  }).join();
}
