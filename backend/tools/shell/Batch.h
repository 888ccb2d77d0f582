//===- backend/tools/shell/Batch.h - one expression, many inputs -*- C++
//-*-===//

#ifndef RASP_BACKEND_TOOLS_SHELL_BATCH_H
#define RASP_BACKEND_TOOLS_SHELL_BATCH_H

#include "backend/tools/shell/Input.h"
#include "frontend/Frontend.h"

namespace rasp::shell {

struct BatchRequest {
  std::string programText, programName; ///< of the file, or empty
  std::string expression;
  bool causal = false;
  bool strict = false;
  ir::DiagnosticPolicy policy;
  frontend::Options options;
};

/// Evaluates the expression after the program on every input and prints one
/// JSON object for each; an input that could not be read gives an error, too.
/// As in the language, an error of any statement is the program's error.
/// Returns whether there was none. Messages about the text go to `tell`.
bool runBatch(const BatchRequest &request,
              std::vector<llvm::Expected<Input>> inputs, llvm::raw_ostream &os,
              llvm::function_ref<void(const ir::Diagnostics &)> tell);

} // namespace rasp::shell

#endif
