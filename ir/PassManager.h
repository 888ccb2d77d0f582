//===- ir/PassManager.h - what is seen of passes while they run -*- C++ -*-===//
//
// A pass is a function that changes a program, or a circuit, and says whether
// it did. Whoever runs passes runs them through a PassManager, which prints,
// verifies, times and stops as its options say:
//
//   PassManager passes(options, "reverse");
//   passes.run("cse", "rir", print, verify, [&] { return mergeEqualOps(...);
//   });
//
// A pass that says "unchanged" must have left the printed text as it was; with
// `verifyEach` that is checked.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_PASSMANAGER_H
#define RASP_IR_PASSMANAGER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/Timer.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rasp::ir {

struct PassOptions {
  bool printAfterAll = false;
  std::vector<std::string> printAfter; ///< names of passes
  bool printChanged = false;           ///< after those that changed something
  bool verifyEach = false;
  bool timePasses = false;
  std::string stopAfter; ///< name of a pass, or empty
  /// A folder for a numbered file with the text after each pass, or empty.
  std::string dumpDir;

  /// Whether texts are wanted, so that it matters when passes run.
  bool observes() const {
    return printAfterAll || !printAfter.empty() || printChanged || verifyEach ||
           !dumpDir.empty() || !stopAfter.empty();
  }
};

class PassManager {
public:
  using Print = llvm::function_ref<void(llvm::raw_ostream &)>;
  /// Tells what is wrong, and returns whether nothing is.
  using Verify = llvm::function_ref<bool()>;

  /// `name` begins the names of dumped files. Texts go to `os`.
  PassManager(PassOptions options, llvm::StringRef name,
              llvm::raw_ostream &os = llvm::errs());
  /// Prints the times of all passes, if they are wanted.
  ~PassManager();

  /// Runs one pass on what `print` prints; files that are dumped end in
  /// `extension`. `transform` returns whether it changed anything, or nothing
  /// after an error, of which it has told. Returns false if the pass broke an
  /// invariant or lied about having changed nothing (`failure` says how), or
  /// could not be dumped (`fileTrouble`).
  bool run(llvm::StringRef pass, llvm::StringRef extension, Print print,
           Verify verify, llvm::function_ref<std::optional<bool>()> transform);

  /// Whether the pass to stop after has run.
  bool isStopped() const { return stopped; }
  const std::string &failure() const { return theFailure; }
  const std::string &fileTrouble() const { return theFileTrouble; }
  const PassOptions &options() const { return theOptions; }

private:
  bool fail(const llvm::Twine &what);
  bool failToDump(const llvm::Twine &what);
  bool dump(llvm::StringRef pass, llvm::StringRef extension, bool changed,
            llvm::StringRef text);

  PassOptions theOptions;
  std::string name;
  llvm::raw_ostream &os;
  llvm::TimerGroup timers;
  std::vector<std::pair<std::string, std::unique_ptr<llvm::Timer>>> timerOf;
  unsigned count = 0;
  bool stopped = false;
  std::string theFailure, theFileTrouble;
};

} // namespace rasp::ir

#endif
