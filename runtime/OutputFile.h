//===- runtime/OutputFile.h - files that appear complete or not at all ----===//

#ifndef RASP_RUNTIME_OUTPUTFILE_H
#define RASP_RUNTIME_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace rasp::rt {

/// Has `write` make a file under a temporary name beside `path`, and renames it
/// once that has succeeded. An existing file stays as it was if anything fails.
/// Errors begin with the path.
llvm::Error
replaceFile(llvm::StringRef path,
            llvm::function_ref<llvm::Error(const char *temporary)> write);

/// The same for a file that is written from front to back.
llvm::Error
replaceFile(llvm::StringRef path,
            llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

} // namespace rasp::rt

#endif
