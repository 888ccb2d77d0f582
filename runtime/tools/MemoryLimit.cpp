//===- runtime/tools/MemoryLimit.cpp - when memory is used up -------------===//

#include "runtime/tools/MemoryLimit.h"
#include "runtime/tools/ToolMain.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"
#include <atomic>
#include <exception>
#include <malloc.h>
#include <new>
#include <optional>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

using namespace rasp;

static std::string outOfMemory;
/// Whether allocations that fail end the process, whoever makes them. Without a
/// limit it is more likely that a damaged file names a size that nobody has.
static bool isLimited = false;

/// Ends the process without any memory, from whichever thread it is, and
/// removes its temporary files.
[[noreturn]] static void endWith(llvm::StringRef message) {
  static std::atomic_flag ends;
  while (ends.test_and_set()) // another thread is at it
    pause();
  while (!message.empty()) {
    ssize_t written = write(STDERR_FILENO, message.data(), message.size());
    if (written <= 0)
      break;
    message = message.drop_front(static_cast<size_t>(written));
  }
  llvm::sys::RunInterruptHandlers();
  _exit(inputIsWrong);
}

[[noreturn]] static void endOutOfMemory() { endWith(outOfMemory); }

//===----------------------------------------------------------------------===//
// Allocations of C libraries
//===----------------------------------------------------------------------===//

// AddressSanitizer has allocators of its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static void *checked(void *allocated) {
  if (!allocated && isLimited && errno == ENOMEM)
    endOutOfMemory();
  return allocated;
}

void *malloc(size_t size) noexcept { return checked(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) noexcept {
  return checked(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size) noexcept {
  void *allocated = __libc_realloc(old, size);
  return size == 0 ? allocated : checked(allocated);
}

/// For files that are read.
void *mmap(void *address, size_t size, int protection, int flags, int file,
           off_t offset) noexcept {
  // The system call takes the offset in bytes on all machines of 64 bits.
  static_assert(sizeof(void *) == 8);
  auto *mapped = reinterpret_cast<void *>(
      syscall(SYS_mmap, address, size, protection, flags, file, offset));
  if (mapped == MAP_FAILED && isLimited && errno == ENOMEM)
    endOutOfMemory();
  return mapped;
}
}
#endif

//===----------------------------------------------------------------------===//
// Allocations of C++
//===----------------------------------------------------------------------===//

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

void rasp::prepareForOutOfMemory(std::string message) {
  outOfMemory = std::move(message);
  std::set_new_handler(endOutOfMemory);
  std::set_terminate(onTerminate);
  llvm::install_bad_alloc_error_handler(
      [](void *, const char *, bool) { endOutOfMemory(); });
  llvm::install_fatal_error_handler([](void *, const char *reason, bool) {
    llvm::StringRef text = reason;
    if (isLimited && text.contains("pthread_create"))
      endOutOfMemory();
    endWith(("error: " + text + "\n").str());
  });
}

//===----------------------------------------------------------------------===//
// The limit
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

llvm::Error rasp::limitMemory(llvm::StringRef text, size_t stacks,
                              std::string message) {
  std::optional<uint64_t> size = parseSize(text);
  if (!size)
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        " is `" + text + "`, but must be a size such as 512M or 2G");
  std::optional<uint64_t> used = usedAddressSpace();
  rlimit limit;
  if (!used || getrlimit(RLIMIT_AS, &limit) != 0)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   " does not work on this system");
  outOfMemory = std::move(message);
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 1); // others reserve more than they use
#endif
  // What there is already, code and stacks, is not what the option means.
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, *used + stacks + *size);
  if (setrlimit(RLIMIT_AS, &limit) != 0)
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        ": " + std::error_code(errno, std::generic_category()).message());
  isLimited = true;
  return llvm::Error::success();
}
