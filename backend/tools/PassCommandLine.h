//===- backend/tools/PassCommandLine.h - what is seen of passes -*- C++ -*-===//
//
// The options about passes that raspc and rasp-opt share.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_PASSCOMMANDLINE_H
#define RASP_BACKEND_TOOLS_PASSCOMMANDLINE_H

#include "ir/PassManager.h"
#include "llvm/Support/CommandLine.h"

namespace rasp {

struct PassCommandLine {
  explicit PassCommandLine(llvm::cl::OptionCategory &category);

  ir::PassOptions options() const;
  /// The first name of a pass that there is not, if any.
  std::optional<std::string> unknownPass() const;

  llvm::cl::opt<bool> printAfterAll, printChanged, verifyEach, timePasses;
  llvm::cl::list<std::string> printAfter;
  llvm::cl::opt<std::string> stopAfter, dumpDir;
  llvm::cl::opt<bool> listPasses;
};

/// One line for each pass over IR and circuits: name and summary.
void printPasses(llvm::raw_ostream &os);

} // namespace rasp

#endif
