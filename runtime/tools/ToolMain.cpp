//===- runtime/tools/ToolMain.cpp - the frame of every tool ---------------===//

#include "runtime/tools/ToolMain.h"
#include "runtime/OutOfMemory.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/WithColor.h"
#include <csignal>
#include <exception>
#include <malloc.h>
#include <new>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

using namespace rasp;
namespace cl = llvm::cl;

static std::string toolName;

llvm::raw_ostream &rasp::toolError() {
  return llvm::WithColor::error(llvm::errs(), toolName);
}

llvm::raw_ostream &rasp::toolWarning() {
  return llvm::WithColor::warning(llvm::errs(), toolName);
}

//===----------------------------------------------------------------------===//
// Ends that nobody planned
//===----------------------------------------------------------------------===//

/// Said when memory is used up; made before, since saying it must take none.
static std::string outOfMemory;

/// Ends the process without any memory, from whichever thread it is.
[[noreturn]] static void endWith(llvm::StringRef message) {
  while (!message.empty()) {
    ssize_t written = write(STDERR_FILENO, message.data(), message.size());
    if (written <= 0)
      break;
    message = message.drop_front(static_cast<size_t>(written));
  }
  llvm::sys::RunInterruptHandlers(); // removes temporary files
  _exit(inputIsWrong);
}

[[noreturn]] static void endOutOfMemory() { endWith(outOfMemory); }

/// Threads that cannot be made lack memory, too.
[[noreturn]] static void onTerminate() {
  if (std::exception_ptr exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::bad_alloc &) {
      endOutOfMemory();
    } catch (const std::system_error &) {
      endOutOfMemory();
    } catch (...) {
    }
  }
  std::abort();
}

static void prepareForTrouble() {
  std::set_new_handler(endOutOfMemory);
  std::set_terminate(onTerminate);
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { endOutOfMemory(); });
  llvm::install_fatal_error_handler([](void *, const char *reason, bool) {
    endWith(toolName + ": error: " + reason + "\n");
  });
  // LLVM handles signals from the first file on that is to be removed, and
  // takes a file that grows too large for a crash; as an error of writing it
  // has a message. So LLVM comes first.
  llvm::sys::SetInterruptFunction(nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// 2G, 512M, 100K or a number of bytes.
static std::optional<uint64_t> parseSize(llvm::StringRef text) {
  unsigned shift = 0;
  for (auto [letter, bits] : {std::pair('K', 10u), {'M', 20u}, {'G', 30u}})
    if (text.size() > 1 && llvm::toUpper(text.back()) == letter)
      shift = bits;
  uint64_t number;
  if (text.drop_back(shift ? 1 : 0).getAsInteger(10, number) || number == 0 ||
      number > UINT64_MAX >> 20 >> shift)
    return std::nullopt;
  return number << shift;
}

/// The address space that the process has now.
static std::optional<uint64_t> usedAddressSpace() {
  auto text = llvm::MemoryBuffer::getFileAsStream("/proc/self/statm");
  uint64_t pages;
  if (!text ||
      (*text)->getBuffer().take_until(llvm::isSpace).getAsInteger(10, pages))
    return std::nullopt;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

static llvm::Error limitMemory(llvm::StringRef text, size_t stacks) {
  std::optional<uint64_t> size = parseSize(text);
  if (!size)
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        "--max-memory is `" + text +
            "`, but must be a size such as 512M or 2G");
  std::optional<uint64_t> used = usedAddressSpace();
  rlimit limit;
  if (!used || getrlimit(RLIMIT_AS, &limit) != 0)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "--max-memory does not work on this system");
  // What there is already, code and stacks, is not what the option means.
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, *used + stacks + *size);
  if (setrlimit(RLIMIT_AS, &limit) != 0)
    return llvm::errorCodeToError(
        std::error_code(errno, std::generic_category()));
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 1); // others reserve more than they use
#endif
  outOfMemory = llvm::formatv("{0}: error: this needs more memory than "
                              "--max-memory={1} allows\n",
                              toolName, text)
                    .str();
  rt::outOfMemoryHandler = endOutOfMemory;
  return llvm::Error::success();
}

int rasp::toolMain(int argc, char **argv, const Tool &tool,
                   llvm::function_ref<int()> run) {
  toolName = tool.name;
  outOfMemory = toolName + ": error: out of memory\n";
  prepareForTrouble();
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
    if (llvm::Error failure = limitMemory(maxMemory, tool.stacks)) {
      toolError() << llvm::toString(std::move(failure)) << "\n";
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
