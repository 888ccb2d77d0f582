//===- test/property/Trial.cpp - one program, compiled and verified -------===//

#include "test/property/Trial.h"
#include "backend/CircuitParser.h"
#include "backend/tools/Compilation.h"
#include "ir/Interpreter.h"
#include "test/property/CertifiedErrors.h"
#include <chrono>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace rasp;
using namespace rasp::property;

/// Whether the interpreter has a result for some input.
static bool hasResult(const Compilation &compilation) {
  const ir::Domain &domain = compilation.domain;
  ir::Interpreter::Options semantics;
  semantics.causal = domain.causal;
  ir::Interpreter interpreter(compilation.output, semantics);
  ir::Interpreter::State state(interpreter);
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    // Counts through all inputs, the first token fastest.
    std::vector<size_t> tokens(length);
    for (size_t carry = 0; carry < length;) {
      std::vector<ir::Value> input;
      for (size_t token : tokens)
        input.push_back(domain.vocabulary[token]);
      if (interpreter.run(input, state)[0])
        return true;
      for (carry = 0; carry < length; ++carry) {
        if (++tokens[carry] < domain.vocabulary.size())
          break;
        tokens[carry] = 0;
      }
    }
  }
  return false;
}

static std::string printed(const backend::Circuit &circuit) {
  std::string text;
  llvm::raw_string_ostream os(text);
  backend::print(os, circuit);
  return text;
}

/// What is wrong with the circuit that the text of `circuit` says; empty if it
/// is the same circuit.
static std::string readBack(const backend::Circuit &circuit) {
  std::string text = printed(circuit);
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  unsigned id = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "circuit"), llvm::SMLoc());
  backend::CircuitRanges ranges;
  std::optional<backend::Circuit> read =
      backend::parseCircuit(id, diags, &ranges);
  if (read && backend::verify(*read, diags, &ranges)) {
    std::string again = printed(*read);
    return again == text ? "" : text + "is read as\n" + again;
  }
  std::string problem;
  llvm::raw_string_ostream os(problem);
  diags.printAll(os);
  return problem;
}

static void compileAndVerify(const std::string &text, const Variant &variant,
                             Outcome &outcome) {
  Compilation compilation;
  compilation.setText(text, "random.rasp");
  SynthesisOptions effort = {variant.dtype, /*explain=*/false, variant.observe,
                             variant.smallest};
  compilation.limits = variant.limits;
  CompileOptions options;
  options.causal = variant.causal;
  if (!compilation.evaluate(std::move(options)) ||
      !compilation.inferValues({}, variant.everything) ||
      !compilation.synthesise(effort) || !compilation.layOut()) {
    outcome.kind = Outcome::Refused;
    for (const ir::Diagnostic &diagnostic : compilation.diags.all())
      if (diagnostic.severity == ir::Severity::Error) {
        outcome.reason = diagnostic.name.str();
        break;
      }
    if (outcome.reason == "AlwaysFails" && !hasResult(compilation)) {
      outcome.kind = Outcome::Vacuous;
      outcome.reason.clear();
    }
    llvm::raw_string_ostream os(outcome.messages);
    compilation.diags.printAll(os);
    return;
  }
  outcome.inFloat64 = compilation.dtype == rt::DType::Float64;
  outcome.observed = compilation.observed;
  outcome.released = !compilation.released.empty();
  outcome.messages = readBack(compilation.circuit);
  if (!outcome.messages.empty()) {
    outcome.kind = Outcome::NotReadBack;
    return;
  }
  rt::Model model = compilation.makeModel();
  VerifyOptions verification;
  verification.mode = VerifyOptions::Exhaustive;
  verification.jobs = 1;
  outcome.result = verify(model, compilation.output, verification);
  if (outcome.result.mismatches)
    outcome.kind = Outcome::Mismatch;
  else if (outcome.result.inputs == 0)
    outcome.kind = Outcome::Vacuous;
  if (outcome.kind != Outcome::Exact)
    return;
  CertifiedErrors errors = measureErrors(compilation, model);
  outcome.measured = errors.measured;
  outcome.largestShare = errors.largestShare;
  if (!errors.problem.empty()) {
    outcome.kind = Outcome::Uncertified;
    outcome.messages = errors.problem + "\n";
  }
}

Outcome rasp::property::tryProgram(const std::string &text,
                                   const Variant &variant) {
  auto start = std::chrono::steady_clock::now();
  Outcome outcome;
  compileAndVerify(text, variant, outcome);
  outcome.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return outcome;
}

namespace {

/// What the forked process tells.
struct Report {
  Outcome::Kind kind;
  char reason[64];
  uint64_t inputs, excluded, mismatches;
  double maxError, seconds;
  bool inFloat64, observed, released;
};

} // namespace

[[noreturn]] static void reportTo(int pipe, const std::string &text,
                                  const Variant &variant, unsigned maxSeconds) {
  for (int fatal : {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS, SIGALRM})
    signal(fatal, SIG_DFL);
  alarm(maxSeconds);
  Outcome outcome = tryProgram(text, variant);
  Report report = {outcome.kind,
                   {},
                   outcome.result.inputs,
                   outcome.result.excluded,
                   outcome.result.mismatches,
                   outcome.result.maxError,
                   outcome.seconds,
                   outcome.inFloat64,
                   outcome.observed,
                   outcome.released};
  outcome.reason.copy(report.reason, sizeof(report.reason) - 1);
  bool sent = write(pipe, &report, sizeof(report)) == sizeof(report);
  _exit(sent ? 0 : 1);
}

Outcome rasp::property::tryIsolated(const std::string &text,
                                    const Variant &variant,
                                    unsigned maxSeconds) {
  Outcome outcome;
  outcome.kind = Outcome::Killed;
  int ends[2];
  if (pipe(ends) != 0) {
    outcome.reason = "no pipe";
    return outcome;
  }
  pid_t child = fork();
  if (child == 0)
    reportTo(ends[1], text, variant, maxSeconds);
  close(ends[1]);
  Report report;
  bool received = read(ends[0], &report, sizeof(report)) == sizeof(report);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (received) {
    outcome.kind = report.kind;
    outcome.reason = report.reason;
    outcome.result.inputs = report.inputs;
    outcome.result.excluded = report.excluded;
    outcome.result.mismatches = report.mismatches;
    outcome.result.maxError = report.maxError;
    outcome.seconds = report.seconds;
    outcome.inFloat64 = report.inFloat64;
    outcome.observed = report.observed;
    outcome.released = report.released;
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    outcome.kind = Outcome::TimedOut;
    outcome.seconds = maxSeconds;
  } else {
    outcome.reason = WIFSIGNALED(status)
                         ? "signal " + std::to_string(WTERMSIG(status))
                         : "exit code " + std::to_string(WEXITSTATUS(status));
  }
  return outcome;
}
