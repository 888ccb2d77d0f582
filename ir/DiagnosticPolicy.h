//===- ir/DiagnosticPolicy.h - what becomes of warnings ---------*- C++ -*-===//
//
// Which warnings are told, and which count as errors, as `-W` options say:
//
//   -WNAME -Wno-NAME              told or not
//   -Wall -Wno-all                all, also those that are told on request
//   only,
//                                 or none; what is said of one of them by name
//                                 wins, wherever it stands
//   -Werror -Wno-error            all that are told count as errors, or not
//   -Werror=NAME -Wno-error=NAME  the same for one, which is told; they win
//                                 over -Werror, wherever it stands
//   -Werror=all -Wno-error=all    -Wall -Werror; -Wno-error
//   -w                            none is told, whatever else is said
//
// A name may be written as in the table of diagnostics (`MayFail`) or in lower
// case with hyphens (`may-fail`).
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_DIAGNOSTICPOLICY_H
#define RASP_IR_DIAGNOSTICPOLICY_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace rasp::ir {

class DiagnosticPolicy {
public:
  /// Takes what follows `-W`; later calls win. An error if no warning has the
  /// name, with the nearest one.
  llvm::Error apply(llvm::StringRef text);
  /// `-w`
  void tellNothing() { silent = true; }

  /// Whether a warning of this name is told, and whether it counts as an error.
  bool isTold(llvm::StringRef name, bool onRequest) const;
  bool isError(llvm::StringRef name) const;

private:
  struct Choice {
    std::optional<bool> told, asError;
  };
  llvm::StringMap<Choice> choices; ///< by name as in the table
  std::optional<bool> everything;
  bool allAsErrors = false, silent = false;
};

/// `may-fail`, for a kind that is called `MayFail`.
std::string hyphenated(llvm::StringRef name);

} // namespace rasp::ir

#endif
