//===- frontend/LargeStack.cpp - room for deep recursion ------------------===//

#include "frontend/LargeStack.h"
#include "llvm/Support/thread.h"

void rasp::frontend::runWithLargeStack(llvm::function_ref<void()> work) {
  std::optional<unsigned> stackSize = 1u << 30;
  llvm::thread(stackSize, [&] { work(); }).join();
}
