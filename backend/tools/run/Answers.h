//===- backend/tools/run/Answers.h - running the inputs ---------*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_RUN_ANSWERS_H
#define RASP_BACKEND_TOOLS_RUN_ANSWERS_H

#include "runtime/Batches.h"
#include <optional>

namespace rasp {

/// What to do beside answering.
struct RunOptions {
  /// Where to write activations, and which. Not written if an input was
  /// refused.
  std::optional<std::string> tracePath;
  std::vector<rt::HookPoint> traced;
  std::vector<rt::Intervention> interventions;
};

/// Fills in the outputs of all inputs that were not refused. Refuses those that
/// interventions do not fit.
llvm::Error answer(const rt::Model &model, const rt::Tokenizer &tokenizer,
                   llvm::MutableArrayRef<rt::Input> inputs,
                   const RunOptions &options);

} // namespace rasp

#endif
