//===- backend/tools/rasp-verify.cpp - does the model do what it says -----===//

#include "backend/tools/Compilation.h"
#include "backend/tools/DiagnosticOptions.h"
#include "backend/tools/Verify.h"
#include "frontend/LargeStack.h"
#include "ir/Value.h"
#include "runtime/Atom.h"
#include "runtime/CertificateChecker.h"
#include "runtime/ModelJSON.h"
#include "runtime/WeightFile.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"

using namespace rasp;
namespace cl = llvm::cl;

static cl::OptionCategory category("rasp-verify options");
static cl::opt<std::string> modelPath(cl::Positional, cl::Required,
                                      cl::desc("MODEL.h5"), cl::cat(category));
static cl::opt<bool> exhaustive("exhaustive",
                                cl::desc("Compare on every input"),
                                cl::cat(category));
static cl::opt<uint64_t> samples("samples",
                                 cl::desc("Compare on N sampled inputs"),
                                 cl::value_desc("N"), cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("Seed of the samples"),
                              cl::value_desc("S"), cl::init(0),
                              cl::cat(category));
static cl::opt<unsigned> jobs("jobs", cl::desc("Threads; default: all cores"),
                              cl::value_desc("J"), cl::init(0),
                              cl::cat(category));
static cl::opt<unsigned> maxLen("max-len",
                                cl::desc("Longest input; default: the model's"),
                                cl::value_desc("N"), cl::init(0),
                                cl::cat(category));
static cl::opt<bool> json("json", cl::desc("Print one JSON object"),
                          cl::cat(category));
static cl::opt<std::string> certificatePath(
    "check-certificate", cl::ValueOptional,
    cl::desc("Check the error bounds of the model's certificate, or of the one "
             "in FILE, from the weights alone; compares with no program"),
    cl::value_desc("FILE"), cl::cat(category));
static cl::list<std::string>
    includeDirs("I", cl::Prefix,
                cl::desc("Where files that the program loads are"),
                cl::value_desc("DIR"), cl::cat(category));

static DiagnosticOptions diagnostics(category);

static void printResult(const VerifyResult &result) {
  llvm::raw_ostream &os = llvm::outs();
  if (json) {
    os << "{\"inputs\":" << result.inputs << ",\"excluded\":" << result.excluded
       << ",\"mismatches\":" << result.mismatches
       << ",\"exhaustive\":" << (result.exhaustive ? "true" : "false")
       << ",\"max_error\":" << ir::pythonFloatRepr(result.maxError)
       << ",\"counterexample\":";
    if (const auto &example = result.counterexample) {
      os << "{\"input\":";
      rt::printJSON(os, example->input);
      os << ",\"expected\":";
      rt::printJSON(os, example->expected);
      os << ",\"got\":";
      rt::printJSON(os, example->got);
      os << "}";
    } else {
      os << "null";
    }
    os << "}\n";
    return;
  }
  os << (result.mismatches ? "failed: " : "verified: ")
     << ir::counted(result.inputs, "input")
     << (result.exhaustive ? " (all), " : " (sampled), ") << result.mismatches
     << (result.mismatches == 1 ? " mismatch" : " mismatches");
  if (result.excluded)
    os << ", " << result.excluded
       << " excluded because the program itself fails on them";
  if (result.maxError > 0)
    os << llvm::formatv(", largest error {0:e2}", result.maxError);
  os << "\n";
  if (const auto &example = result.counterexample) {
    os << "  input    ";
    rt::printJSON(os, example->input);
    os << "\n  expected ";
    rt::printJSON(os, example->expected);
    os << "\n  got      ";
    rt::printJSON(os, example->got);
    os << "\n";
  }
}

static void printReport(const rt::CertificateReport &report) {
  llvm::raw_ostream &os = llvm::outs();
  bool holds = report.problems.empty();
  auto number = [](double d) {
    return std::isfinite(d) ? llvm::json::Value(d) : llvm::json::Value(nullptr);
  };
  if (json) {
    os << llvm::json::Object{{"holds", holds},
                             {"directions", report.directions},
                             {"heads", report.heads},
                             {"hidden_units", report.hiddenUnits},
                             {"combinations", report.combinations},
                             {"largest_share", number(report.largestShare)},
                             {"output_error", number(report.outputError)},
                             {"output_margin", number(report.outputMargin)},
                             {"problems", llvm::json::Array(report.problems)}};
    os << "\n";
    return;
  }
  if (!holds) {
    os << "the certificate does not hold:\n";
    for (const std::string &problem : report.problems)
      os << "  " << problem << "\n";
    return;
  }
  os << llvm::formatv(
      "certified: {0}, {1}, {2}; output wrong by at most {3:e1}, margin {4}\n",
      ir::counted(report.directions, "direction"),
      ir::counted(report.heads, "head"),
      ir::counted(report.hiddenUnits, "hidden unit"), report.outputError,
      llvm::formatv(report.outputMargin > 1e-3 ? "{0:f3}" : "{0:e1}",
                    report.outputMargin));
}

/// The certificate of the model, or of a file of its own.
static llvm::Expected<rt::Certificate> findCertificate(const rt::Model &model) {
  if (certificatePath.empty()) {
    if (model.certificate.getAsNull())
      return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                     "the file has no certificate");
    return rt::certificateFromJSON(model.certificate);
  }
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFileOrSTDIN(certificatePath);
  if (!text)
    return llvm::errorCodeToError(text.getError());
  llvm::Expected<llvm::json::Value> value = rt::parseJSON((*text)->getBuffer());
  if (!value)
    return value.takeError();
  return rt::certificateFromJSON(*value);
}

static int checkCertificate(const rt::Model &model) {
  llvm::Expected<rt::Certificate> certificate = findCertificate(model);
  if (!certificate) {
    toolError() << "'"
                << (certificatePath.empty() ? modelPath.getValue()
                                            : certificatePath.getValue())
                << "': " << llvm::toString(certificate.takeError()) << "\n";
    return commandIsWrong;
  }
  rt::CertificateReport report = rt::checkCertificate(model, *certificate);
  printReport(report);
  return report.problems.empty() ? 0 : inputIsWrong;
}

static int verifyModel() {
  llvm::Expected<rt::Model> model = rt::readModel(modelPath);
  if (!model) {
    toolError() << llvm::toString(model.takeError()) << "\n";
    return commandIsWrong;
  }
  if (certificatePath.getNumOccurrences())
    return checkCertificate(*model);
  llvm::Expected<CompileOptions> options =
      CompileOptions::fromJSON(model->options);
  if (!options || model->programText.empty()) {
    if (!options)
      llvm::consumeError(options.takeError());
    toolError() << "'" << modelPath
                << "': the file carries no program to compare with\n";
    return commandIsWrong;
  }
  if (model->edited)
    toolWarning()
        << "'" << modelPath
        << "': weights or program were edited after the file was written\n";

  llvm::Expected<ir::DiagnosticPolicy> policy = diagnostics.policy();
  if (!policy) {
    toolError() << llvm::toString(policy.takeError()) << "\n";
    return commandIsWrong;
  }
  Compilation compilation;
  compilation.diags.setPolicy(std::move(*policy));
  compilation.setText(model->programText, model->programName);
  frontend::Options frontendOptions;
  frontendOptions.includeDirs = includeDirs;
  if (!compilation.evaluate(std::move(*options), frontendOptions)) {
    diagnostics.print(compilation.diags);
    return inputIsWrong;
  }

  VerifyOptions verifyOptions;
  if (exhaustive)
    verifyOptions.mode = VerifyOptions::Exhaustive;
  else if (samples.getNumOccurrences()) {
    verifyOptions.mode = VerifyOptions::Sampled;
    verifyOptions.samples = samples;
  }
  verifyOptions.seed = seed;
  verifyOptions.jobs = jobs;
  verifyOptions.maxLen = maxLen;
  auto showProgress = [](double share) {
    constexpr unsigned width = 40;
    auto filled = static_cast<unsigned>(share * width);
    llvm::errs() << "\r[" << std::string(filled, '#')
                 << std::string(width - filled, ' ') << "] "
                 << static_cast<unsigned>(share * 100) << " %";
  };
  bool onTerminal = llvm::sys::Process::StandardErrIsDisplayed();
  if (onTerminal)
    verifyOptions.progress = showProgress;
  VerifyResult result = verify(*model, compilation.output, verifyOptions);
  if (onTerminal)
    llvm::errs() << "\r" << std::string(50, ' ') << "\r";
  printResult(result);
  if (result.inputs == 0) {
    toolError() << "'" << modelPath
                << "': the program fails on every input that was tried\n";
    return inputIsWrong;
  }
  return result.mismatches ? inputIsWrong : 0;
}

int main(int argc, char **argv) {
  const Tool tool{
      "rasp-verify",
      "Compares a model with the program that it was compiled from.\n\n"
      "  On every input where there are at most 2000000, else on 20000 "
      "samples.\n",
      category, frontend::largeStackSize};
  return toolMain(argc, argv, tool, [] {
    if (exhaustive && samples.getNumOccurrences()) {
      toolError() << "--exhaustive and --samples exclude each other\n";
      return commandIsWrong;
    }
    int status = 0;
    frontend::runWithLargeStack([&] { status = verifyModel(); });
    return status;
  });
}
