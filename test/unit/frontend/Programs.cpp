//===- Programs.cpp - programs to test the frontend with ------------------===//

#include "Programs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <set>

std::vector<std::string> allPrograms() {
  std::set<std::string> programs;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator
           file(RASP_TEST_DIR "/../examples", code),
       end;
       file != end && !code; file.increment(code))
    if (llvm::StringRef(file->path()).ends_with(".rasp"))
      if (auto buffer = llvm::MemoryBuffer::getFile(file->path()))
        programs.insert((*buffer)->getBuffer().str());
  if (auto corpus = llvm::MemoryBuffer::getFile(RASP_TEST_DIR
                                                "/frontend/rasp-oracle.jsonl"))
    for (llvm::StringRef rest = (*corpus)->getBuffer(); !rest.empty();) {
      llvm::StringRef line;
      std::tie(line, rest) = rest.split('\n');
      if (llvm::Expected<llvm::json::Value> record = llvm::json::parse(line))
        programs.insert(record->getAsObject()->getString("source")->str());
      else
        llvm::consumeError(record.takeError());
    }
  return {programs.begin(), programs.end()};
}
