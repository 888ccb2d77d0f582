//===- runtime/tools/MemoryLimit.h - when memory is used up -----*- C++ -*-===//
//
// A tool that cannot get the memory that it needs says so in one sentence and
// ends, without the files that it was about to write. It does so from within
// the allocation that failed: few libraries stand it if that fails, and
// HDF5 1.10 is not among them.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_TOOLS_MEMORYLIMIT_H
#define RASP_RUNTIME_TOOLS_MEMORYLIMIT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace rasp {

/// What is said when memory is used up; made before, since saying it must take
/// none.
void prepareForOutOfMemory(std::string message);

/// Lets the process have `size` ("512M", "2G") more memory than it has, beside
/// `stacks` bytes of address space for stacks. Errors continue "--max-memory".
llvm::Error limitMemory(llvm::StringRef size, size_t stacks,
                        std::string message);

} // namespace rasp

#endif
