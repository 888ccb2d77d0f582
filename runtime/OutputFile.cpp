//===- runtime/OutputFile.cpp - files that appear complete ----------------===//

#include "runtime/OutputFile.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace rasp::rt;

llvm::Error rasp::rt::replaceFile(
    llvm::StringRef path,
    llvm::function_ref<llvm::Error(const char *temporary)> write) {
  namespace fs = llvm::sys::fs;
  // Renaming would replace a device by a file.
  if (fs::exists(path) && !fs::is_regular_file(path))
    return llvm::createFileError(
        path, llvm::createStringError(llvm::inconvertibleErrorCode(),
                                      "not a regular file"));
  if (fs::exists(path) && !fs::can_write(path))
    return llvm::createFileError(
        path, std::make_error_code(std::errc::permission_denied));
  // Signals remove the file from before it is there until it has its name.
  llvm::SmallString<128> temporary;
  do
    fs::createUniquePath(path + ".%%%%%%%%.tmp", temporary,
                         /*MakeAbsolute=*/false);
  while (fs::exists(temporary));
  llvm::sys::RemoveFileOnSignal(temporary);
  auto dontRemove = llvm::make_scope_exit(
      [&] { llvm::sys::DontRemoveFileOnSignal(temporary); });
  int descriptor;
  if (std::error_code code =
          fs::openFileForWrite(temporary, descriptor, fs::CD_CreateNew))
    return llvm::createFileError(path, code);
  llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  llvm::FileRemover remover(temporary);

  if (llvm::Error error = write(temporary.c_str()))
    return llvm::createFileError(path, std::move(error));
  if (std::error_code code = fs::rename(temporary, path))
    return llvm::createFileError(path, code);
  remover.releaseFile();
  return llvm::Error::success();
}

llvm::Error rasp::rt::replaceFile(
    llvm::StringRef path,
    llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write) {
  return replaceFile(path, [&](const char *temporary) -> llvm::Error {
    std::error_code code;
    llvm::raw_fd_ostream os(temporary, code);
    if (code)
      return llvm::errorCodeToError(code);
    llvm::Error error = write(os);
    os.close();
    if (!error && os.has_error())
      error = llvm::errorCodeToError(os.error());
    os.clear_error();
    return error;
  });
}
