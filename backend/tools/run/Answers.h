//===- backend/tools/run/Answers.h - running the inputs ---------*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_RUN_ANSWERS_H
#define RASP_BACKEND_TOOLS_RUN_ANSWERS_H

#include "backend/tools/run/Show.h"
#include "runtime/Batches.h"
#include "runtime/TraceFile.h"
#include <optional>

namespace rasp {

/// What to do beside answering.
struct RunOptions {
  /// Where to write activations, and which. Not written if an input was
  /// refused.
  std::optional<std::string> tracePath;
  rt::TraceContents traced;
  std::vector<rt::Intervention> interventions;
  ShowOptions show;                             ///< what to print of the inside
  const rt::VariableDecoder *decoder = nullptr; ///< if variables are shown
  ProgramValues *program = nullptr;             ///< to compare with, if known
};

/// Fills in the outputs of all inputs that were not refused. Refuses those that
/// interventions do not fit. `insides` gets what `options.show` asks for, by
/// input.
llvm::Error answer(const rt::Model &model, const rt::Tokenizer &tokenizer,
                   llvm::MutableArrayRef<rt::Input> inputs,
                   const RunOptions &options,
                   std::vector<std::string> &insides);

} // namespace rasp

#endif
