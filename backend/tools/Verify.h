//===- backend/tools/Verify.h - model against interpreter -------*- C++ -*-===//
//
// Runs a model and the interpreter of its program on the same inputs and
// compares what they answer: on every input up to a length where their number
// allows, otherwise on a stratified sample. The result does not depend on the
// number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_VERIFY_H
#define RASP_BACKEND_TOOLS_VERIFY_H

#include "ir/Program.h"
#include "runtime/Model.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <optional>

namespace rasp {

struct VerifyOptions {
  enum Mode : uint8_t { Automatic, Exhaustive, Sampled };
  Mode mode = Automatic;
  uint64_t samples = 20000;
  uint64_t seed = 0;
  unsigned jobs = 0;   ///< threads; 0 for all cores
  unsigned maxLen = 0; ///< longest input; 0 for the model's
  /// Automatic is exhaustive up to this many inputs.
  uint64_t exhaustiveLimit = 2000000;
  /// Called from time to time with the share that is done.
  llvm::function_ref<void(double)> progress = nullptr;
};

struct Counterexample {
  std::vector<rt::Atom> input, expected, got;
};

struct VerifyResult {
  uint64_t inputs = 0;   ///< compared
  uint64_t excluded = 0; ///< the interpreter itself fails on them
  uint64_t mismatches = 0;
  bool exhaustive = false;
  /// Largest distance of a numerical output from the interpreter's.
  double maxError = 0;
  /// As short and as early in the vocabulary as it could be made.
  std::optional<Counterexample> counterexample;
};

VerifyResult verify(const rt::Model &model, const ir::Node *output,
                    const VerifyOptions &options);

} // namespace rasp

#endif
