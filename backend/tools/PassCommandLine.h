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

/// The way from RASP IR to a circuit, which is no pass over either.
inline constexpr llvm::StringLiteral lowerName = "lower";
inline constexpr llvm::StringLiteral lowerSummary =
    "heads and hidden units that compute the output";

struct PassCommandLine {
  explicit PassCommandLine(llvm::cl::OptionCategory &category);

  ir::PassOptions options() const;
  /// Says on stderr which of the passes that options name does not exist, or
  /// is not among those that run; whether there is none.
  bool check(llvm::ArrayRef<llvm::StringRef> running) const;

  llvm::cl::opt<bool> printAfterAll, printChanged, verifyEach, timePasses;
  llvm::cl::list<std::string> printAfter;
  llvm::cl::opt<std::string> stopAfter, dumpDir;
  llvm::cl::opt<bool> listPasses;
};

/// One line for each pass over IR and circuits: name and summary.
void printPasses(llvm::raw_ostream &os);

} // namespace rasp

#endif
