//===- backend/tools/CompileOptions.h - what fixes the input ----*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_COMPILEOPTIONS_H
#define RASP_BACKEND_TOOLS_COMPILEOPTIONS_H

#include "frontend/Frontend.h"
#include "ir/ValueSets.h"
#include "runtime/Model.h"
#include "llvm/Support/Error.h"

namespace rasp {

/// The options that a compiled model depends on. They come from the command
/// line, from `#@` lines of the program where the command line is silent, and
/// from the model file when it is verified.
struct CompileOptions {
  std::optional<std::string> tokens; ///< str, int, float or bool
  std::optional<std::vector<ir::Value>> vocabulary;
  std::optional<unsigned> maxSeqLen;
  std::optional<bool> causal;
  std::optional<std::string> output;
  llvm::SMRange outputRange; ///< where the program names the output, if it does

  /// Sets an option by its name on the command line ("vocab", ...). The
  /// vocabulary is read in the type of `tokens`, so that comes first.
  llvm::Error set(llvm::StringRef key, llvm::StringRef text);
  /// Takes what the pragmas say where nothing is set yet; reports bad ones.
  void addPragmas(llvm::ArrayRef<frontend::Pragma> pragmas,
                  ir::Diagnostics &diags);
  llvm::json::Value toJSON() const;
  static llvm::Expected<CompileOptions> fromJSON(const llvm::json::Value &json);
};

/// Reads a vocabulary: a JSON list, or items between commas, each of which may
/// be a range `a..z` or `0..9`. Duplicates and items of another type are
/// errors.
llvm::Expected<std::vector<ir::Value>> parseVocabulary(llvm::StringRef text,
                                                       llvm::StringRef tokens);

} // namespace rasp

#endif
