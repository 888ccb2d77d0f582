//===- frontend/LargeStack.cpp - room for deep recursion ------------------===//

#include "frontend/LargeStack.h"
#include "llvm/Support/thread.h"
#include <csignal>

/// Whether the thread is one of those made here.
static thread_local bool isLarge = false;

void rasp::frontend::runWithLargeStack(llvm::function_ref<void()> work) {
  if (isLarge)
    return work();
  sigset_t ending, before;
  sigemptyset(&ending);
  for (int signal : {SIGHUP, SIGINT, SIGTERM})
    sigaddset(&ending, signal);
  pthread_sigmask(SIG_BLOCK, &ending, &before);
  std::optional<unsigned> stackSize = largeStackSize;
  llvm::thread(stackSize, [&] {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    isLarge = true;
    work();
  }).join();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
