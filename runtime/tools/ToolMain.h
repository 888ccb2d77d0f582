//===- runtime/tools/ToolMain.h - the frame of every tool -------*- C++ -*-===//
//
// What the tools do alike: options that all have (--help, --version,
// --max-memory), the words in front of messages, exit codes, and how they end
// when they are interrupted or memory is used up: with one sentence at most,
// and with no temporary file left.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_TOOLS_TOOLMAIN_H
#define RASP_RUNTIME_TOOLS_TOOLMAIN_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

namespace rasp {

/// How a tool ends that does not end well: the user's program or input is wrong
/// (or verification found a difference); the command line is, or a file makes
/// trouble.
inline constexpr int inputIsWrong = 1, commandIsWrong = 2;

struct Tool {
  const char *name;
  const char *overview; ///< what --help says before the options
  llvm::cl::OptionCategory &category;
  /// Address space that the tool takes for stacks, which --max-memory leaves to
  /// it.
  size_t stacks = 0;
};

/// Reads the command line into the options of the tool's category, and does
/// `run`, whose result is the exit code unless stdout cannot be written.
int toolMain(int argc, char **argv, const Tool &tool,
             llvm::function_ref<int()> run);

/// stderr, after "NAME: error: " or "NAME: warning: ".
llvm::raw_ostream &toolError();
llvm::raw_ostream &toolWarning();

} // namespace rasp

#endif
