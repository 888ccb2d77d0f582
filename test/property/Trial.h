//===- test/property/Trial.h - one program, tried -----------------*- C++
//-*-===//

#ifndef RASP_TEST_PROPERTY_TRIAL_H
#define RASP_TEST_PROPERTY_TRIAL_H

#include "backend/tools/Verify.h"
#include "ir/ValueSets.h"
#include "runtime/Model.h"

namespace rasp::property {

/// How a program is compiled.
struct Variant {
  bool causal = false;
  /// None to leave the choice to the compiler.
  std::optional<rt::DType> dtype;
  /// Every named s-op gets directions of its own, as with -O0.
  bool everything = false;
  /// As with -Os.
  bool smallest = false;
  /// Whether the program may be run to see which values occur.
  bool observe = true;
  /// When sets of values count as too large to be listed.
  ir::ValueSetLimits limits;

  std::string name() const {
    return std::string(causal ? "causal" : "plain") +
           (!dtype                         ? ""
            : *dtype == rt::DType::Float32 ? " float32"
                                           : " float64") +
           (everything ? " -O0"
            : smallest ? " -Os"
                       : "");
  }
};

struct Outcome {
  enum Kind : uint8_t {
    Exact,       ///< on every input, and there was one
    Vacuous,     ///< the interpreter fails on every input
    Refused,     ///< with the diagnostic `reason`
    Mismatch,    ///< on some input
    Uncertified, ///< the certificate does not hold, or errors exceed it
    NotReadBack, ///< the text of the circuit is not read as the same circuit
    Killed,      ///< only in a process of its own: by the signal `reason`
    TimedOut,    ///< only in a process of its own
  };
  Kind kind = Exact;
  std::string reason;   ///< name of the diagnostic or signal
  std::string messages; ///< what the compiler printed
  VerifyResult result;
  /// Directions whose errors were compared with the certificate, and the
  /// largest share of a certified error that was seen.
  uint64_t measured = 0;
  double largestShare = 0;
  double seconds = 0;
  /// What the compiler had to choose to avoid a refusal.
  bool inFloat64 = false, observed = false, released = false;

  bool isFailure() const { return kind >= Mismatch; }
  /// In a few words, the same for all outcomes of the same kind.
  std::string describe() const {
    static const char *const names[] = {
        "exact",       "vacuous",       "refused", "mismatch",
        "uncertified", "not read back", "killed",  "timed out"};
    return names[kind] + (reason.empty() ? "" : ": " + reason);
  }
};

/// Compiles `text` in memory and verifies the model on all inputs.
Outcome tryProgram(const std::string &text, const Variant &variant);

/// The same in a forked process, so that a crash or an endless run becomes an
/// outcome. Other threads must not compile meanwhile in this process. The
/// outcome has no messages and no counterexample.
Outcome tryIsolated(const std::string &text, const Variant &variant,
                    unsigned maxSeconds);

} // namespace rasp::property

#endif
