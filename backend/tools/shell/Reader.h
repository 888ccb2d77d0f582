//===- backend/tools/shell/Reader.h - lines and inputs ----------*- C++ -*-===//
//
// Lines come from a terminal with editing, history and completion, or from
// anything else without. A statement may take several of them.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_SHELL_READER_H
#define RASP_BACKEND_TOOLS_SHELL_READER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rasp::shell {

class LineSource {
public:
  virtual ~LineSource() = default;
  /// The next line without its end; none at the end of the input.
  virtual std::optional<std::string> readLine(llvm::StringRef prompt) = 0;
  /// Keeps a whole input for later sessions.
  virtual void remember(llvm::StringRef) {}
  /// Did the user give up the input that was being written?
  virtual bool wasCancelled() const { return false; }
};

/// All names that can complete the word being written.
using Completions = std::function<std::vector<std::string>()>;

/// Lines of a terminal; without line editing if it is not built in.
std::unique_ptr<LineSource> makeTerminal(Completions completions);
/// Lines of the standard input, which is no terminal; `os` gets the prompts,
/// unless it is null.
std::unique_ptr<LineSource> makeStandardInput(llvm::raw_ostream *os);

/// How far a text has come.
struct Progress {
  bool isComplete = true;
  bool inBrackets = false;
  unsigned openBlocks = 0;
};
/// Whether the statements of `text` are all finished, judged by brackets and
/// by the last token. What can't become right is complete, too.
Progress progressOf(llvm::StringRef text);

/// The lines of one input, joined; none at the end. An empty line ends an input
/// that no bracket keeps open. `unfinished` is set if the input ended early.
std::optional<std::string> readInput(LineSource &lines, bool &unfinished);

} // namespace rasp::shell

#endif
