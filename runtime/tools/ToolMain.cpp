//===- runtime/tools/ToolMain.cpp - the frame of every tool ---------------===//

#include "runtime/tools/ToolMain.h"
#include "runtime/tools/MemoryLimit.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/WithColor.h"
#include <csignal>
#include <string>

using namespace rasp;
namespace cl = llvm::cl;

static std::string toolName;

llvm::raw_ostream &rasp::toolError() {
  return llvm::WithColor::error(llvm::errs(), toolName);
}

llvm::raw_ostream &rasp::toolWarning() {
  return llvm::WithColor::warning(llvm::errs(), toolName);
}

/// What LLVM would take for crashes.
static void prepareForTrouble() {
  // LLVM handles signals from the first file on that is to be removed. It takes
  // a file that grows too large for a crash; as an error of writing it has a
  // message. And what whoever started the tool ignores, as a shell does for
  // jobs in the background, must not remove files. So LLVM comes first.
  constexpr int ending[] = {SIGHUP, SIGINT, SIGTERM};
  llvm::SmallVector<int, 4> ignored{SIGXFSZ};
  for (int signal : ending) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 &&
        action.sa_handler == SIG_IGN)
      ignored.push_back(signal);
  }
  llvm::sys::SetInterruptFunction(nullptr);
  for (int signal : ignored)
    std::signal(signal, SIG_IGN);
}

int rasp::toolMain(int argc, char **argv, const Tool &tool,
                   llvm::function_ref<int()> run) {
  toolName = tool.name;
  prepareForTrouble();
  prepareForOutOfMemory(toolName + ": error: out of memory\n");
  static cl::opt<std::string> maxMemory(
      "max-memory",
      cl::desc("End with an error rather than take more memory, e.g. 512M"),
      cl::value_desc("SIZE"), cl::cat(tool.category));
  cl::HideUnrelatedOptions(tool.category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << toolName << " " RASP_VERSION "\n"; });
  std::string complaint;
  llvm::raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(argc, argv, tool.overview, &complaints)) {
    llvm::errs() << complaint;
    return commandIsWrong;
  }
  if (maxMemory.getNumOccurrences())
    if (llvm::Error failure = limitMemory(
            maxMemory, tool.stacks,
            toolName + ": error: this needs more memory than --max-memory=" +
                maxMemory + " allows\n")) {
      toolError() << "--max-memory" << llvm::toString(std::move(failure))
                  << "\n";
      return commandIsWrong;
    }
  int status = run();
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    toolError() << "cannot write the output: " << code.message() << "\n";
    return commandIsWrong;
  }
  return status;
}
