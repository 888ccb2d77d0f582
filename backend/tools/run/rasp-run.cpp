//===- backend/tools/run/rasp-run.cpp - runs a model on inputs ------------===//

#include "backend/tools/run/Answers.h"
#include "runtime/Atom.h"
#include "runtime/ModelJSON.h"
#include "runtime/WeightFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace rasp;
namespace cl = llvm::cl;

static cl::OptionCategory category("rasp-run options");
static cl::opt<std::string> modelPath(cl::Positional, cl::Required,
                                      cl::desc("MODEL.h5"), cl::cat(category));
static cl::list<std::string> plainInputs(cl::Positional, cl::desc("INPUT..."),
                                         cl::cat(category));
static cl::opt<bool> json("json", cl::desc("Print one JSON object per input"),
                          cl::cat(category));
static cl::opt<std::string>
    inputsPath("inputs",
               cl::desc("Read inputs from FILE (- for stdin), one per line: a "
                        "JSON list or {\"input\": list}"),
               cl::value_desc("FILE"), cl::cat(category));
static cl::opt<std::string>
    tracePath("trace",
              cl::desc("Write activations to FILE, see runtime/TRACE.md"),
              cl::value_desc("FILE.h5"), cl::cat(category));
static cl::opt<std::string>
    hookList("hooks",
             cl::desc("Which activations --trace writes, e.g. "
                      "blocks.*.attn.hook_pattern,resid_post0; default: all"),
             cl::value_desc("NAME,..."), cl::cat(category));

static cl::opt<std::string> patchPath(
    "patch",
    cl::desc("Change activations as FILE says, see runtime/INTERVENTIONS.md"),
    cl::value_desc("FILE.json"), cl::cat(category));
static cl::list<std::string> ablations(
    "ablate", cl::CommaSeparated,
    cl::desc("Take out a head (L1H0), an MLP (M0), a hidden unit (L0N3), an "
             "embedding (E, P) or a variable of the program, wherever it is in "
             "the residual stream; =zero (default), =mean or =resample"),
    cl::value_desc("TARGET[=HOW],..."), cl::cat(category));

static constexpr int inputIsWrong = 1, commandIsWrong = 2;

static llvm::raw_ostream &error() {
  return llvm::WithColor::error(llvm::errs(), "rasp-run");
}

/// Reads all inputs; false if their file cannot be read.
static bool readInputs(rt::InputReader &reader) {
  for (const std::string &text : plainInputs)
    reader.readArgument(llvm::json::fixUTF8(text));
  if (inputsPath.empty())
    return true;
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFileOrSTDIN(inputsPath, /*IsText=*/true);
  if (!buffer) {
    error() << "'" << inputsPath << "': " << buffer.getError().message()
            << "\n";
    return false;
  }
  reader.readLines((*buffer)->getBuffer(), inputsPath);
  return true;
}

static void print(const rt::Model &model, const rt::Input &input) {
  if (input.isRefused()) {
    llvm::outs().flush();
    error() << input.location << "input " << input.shown << ": "
            << input.refusal << "\n";
  }
  if (json) {
    rt::printAnswer(llvm::outs(), model, input);
    llvm::outs() << "\n";
  } else if (!input.isRefused()) {
    llvm::outs() << model.output.label << "(" << input.shown << ") = ";
    rt::printSequence(llvm::outs(), input.output);
    llvm::outs() << "\n";
  }
}

/// Reads the file of --patch.
static llvm::Expected<std::vector<rt::Intervention>>
readPatch(const rt::Model &model) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFileOrSTDIN(patchPath, /*IsText=*/true);
  if (!text)
    return llvm::createFileError(patchPath, text.getError());
  llvm::Expected<llvm::json::Value> value = rt::parseJSON((*text)->getBuffer());
  if (!value)
    return llvm::createFileError(patchPath, value.takeError());
  auto interventions = rt::parseInterventions(*value, model);
  if (!interventions)
    return llvm::createFileError(patchPath, interventions.takeError());
  return interventions;
}

/// Collects what the command line asks for beside answers.
static llvm::Expected<RunOptions> makeOptions(const rt::Model &model) {
  RunOptions options;
  if (!patchPath.empty()) {
    auto interventions = readPatch(model);
    if (!interventions)
      return interventions.takeError();
    options.interventions = std::move(*interventions);
  }
  for (const std::string &spec : ablations) {
    llvm::Expected<rt::Intervention> ablation = rt::parseAblation(spec, model);
    if (!ablation)
      return ablation.takeError();
    options.interventions.push_back(std::move(*ablation));
  }
  if (!tracePath.empty()) {
    options.tracePath = tracePath;
    llvm::Expected<std::vector<rt::HookPoint>> points =
        rt::HookTable(model).select(hookList);
    if (!points)
      return points.takeError();
    options.traced = std::move(*points);
  }
  return options;
}

/// Interventions may be for some inputs only.
static llvm::Error
checkInputNumbers(llvm::ArrayRef<rt::Intervention> interventions,
                  size_t count) {
  for (const rt::Intervention &intervention : interventions) {
    auto numbers = intervention.selected.find(rt::Axis::Sequence);
    if (numbers == intervention.selected.end())
      continue;
    for (int64_t number : numbers->second)
      if (uint64_t(number) >= count)
        return llvm::createStringError(
            llvm::inconvertibleErrorCode(),
            llvm::Twine(intervention.name) + ": there is no input " +
                llvm::Twine(number) + "; there " +
                (count == 1 ? "is 1 input"
                            : "are " + llvm::Twine(count) + " inputs"));
  }
  return llvm::Error::success();
}

static int runModel() {
  llvm::Expected<rt::Model> model = rt::readModel(modelPath);
  if (!model) {
    error() << llvm::toString(model.takeError()) << "\n";
    return commandIsWrong;
  }
  llvm::Expected<RunOptions> options = makeOptions(*model);
  if (!options) {
    error() << llvm::toString(options.takeError()) << "\n";
    return commandIsWrong;
  }
  rt::Tokenizer tokenizer(*model);
  rt::InputReader reader(tokenizer);
  if (!readInputs(reader))
    return commandIsWrong;
  if (llvm::Error failure =
          checkInputNumbers(options->interventions, reader.inputs.size())) {
    error() << llvm::toString(std::move(failure)) << "\n";
    return commandIsWrong;
  }
  if (llvm::Error failure =
          answer(*model, tokenizer, reader.inputs, *options)) {
    error() << llvm::toString(std::move(failure)) << "\n";
    return commandIsWrong;
  }
  for (const rt::Input &input : reader.inputs)
    print(*model, input);
  if (!rt::anyRefused(reader.inputs))
    return 0;
  if (options->tracePath)
    error() << "'" << *options->tracePath
            << "': no trace was written, since an input was refused\n";
  return inputIsWrong;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << "rasp-run " RASP_VERSION "\n"; });
  std::string complaint;
  llvm::raw_string_ostream complaints(complaint);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "Runs a model that raspc has compiled.\n\n"
          "  An input is a string of one-character tokens (hello) or a JSON "
          "list ([\"a\",\"b\"]).\n",
          &complaints)) {
    llvm::errs() << complaint;
    return commandIsWrong;
  }
  if (plainInputs.empty() && inputsPath.empty()) {
    error() << "expected an input or --inputs=FILE, see --help\n";
    return commandIsWrong;
  }
  if (hookList.getNumOccurrences() && tracePath.empty()) {
    error() << "--hooks says what --trace=FILE.h5 writes, which is missing\n";
    return commandIsWrong;
  }
  int status = runModel();
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    error() << "cannot write the output: " << code.message() << "\n";
    return commandIsWrong;
  }
  return status;
}
