//===- backend/tools/run/rasp-run.cpp - runs a model on inputs ------------===//

#include "backend/tools/run/Answers.h"
#include "frontend/LargeStack.h"
#include "runtime/Atom.h"
#include "runtime/ModelJSON.h"
#include "runtime/WeightFile.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/MemoryBuffer.h"
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
static cl::list<rt::DecompositionKind> decompositions(
    "decompose", cl::CommaSeparated,
    cl::desc("What --trace writes beside activations: the residual stream in "
             "parts, under TransformerLens' labels:"),
    cl::ValuesClass({
#define DECOMPOSITION(kind, name, labels)                                      \
  clEnumValN(rt::DecompositionKind::kind, name, labels),
#include "runtime/Decompositions.def"
    }),
    cl::cat(category));

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

namespace {
enum class Shown : uint8_t { Variables, Residual, Attention, Directions };
} // namespace

static cl::list<Shown> shownKinds(
    "show", cl::CommaSeparated, cl::desc("Print what is inside the model:"),
    cl::values(
        clEnumValN(Shown::Variables, "variables",
                   "the program's variables, read from the residual stream, "
                   "next to what the program says"),
        clEnumValN(Shown::Residual, "residual",
                   "the residual stream, what each half-layer changes"),
        clEnumValN(Shown::Attention, "attention", "the pattern of each head"),
        clEnumValN(Shown::Directions, "directions",
                   "what each residual direction holds, needs no input")),
    cl::cat(category));
static cl::opt<std::string>
    layerList("layers", cl::desc("Which layers --show prints, e.g. 0,2-3"),
              cl::value_desc("LIST"), cl::cat(category));
static cl::opt<std::string> positionList(
    "positions",
    cl::desc("Which positions --show prints, 0 is BOS; default: up to 64"),
    cl::value_desc("LIST"), cl::cat(category));
static cl::list<std::string>
    includeDirs("I", cl::Prefix,
                cl::desc("Where files that the program loads are"),
                cl::value_desc("DIR"), cl::cat(category));

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
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
    toolError() << "'" << inputsPath << "': " << buffer.getError().message()
                << "\n";
    return false;
  }
  reader.readLines((*buffer)->getBuffer(), inputsPath);
  return true;
}

static void print(const rt::Model &model, const rt::Input &input) {
  if (input.isRefused()) {
    llvm::outs().flush();
    toolError() << input.location << "input " << input.shown << ": "
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

static bool isShown(Shown kind) { return llvm::is_contained(shownKinds, kind); }

/// Reads what --show prints.
static llvm::Expected<ShowOptions> makeShowOptions(const rt::Model &model) {
  ShowOptions show;
  show.variables = isShown(Shown::Variables);
  show.residual = isShown(Shown::Residual);
  show.attention = isShown(Shown::Attention);
  llvm::Expected<NumberChoice> layers = NumberChoice::parse(layerList);
  if (!layers)
    return fail("--layers: " + llvm::toString(layers.takeError()));
  llvm::Expected<NumberChoice> positions = NumberChoice::parse(positionList);
  if (!positions)
    return fail("--positions: " + llvm::toString(positions.takeError()));
  unsigned numLayers = std::max(1u, model.numLayers());
  if (layers->last() >= numLayers)
    return fail("--layers: no layer " + llvm::Twine(layers->last()) +
                "; the layers are 0 to " + llvm::Twine(numLayers - 1));
  if (positions->last() >= model.config.nCtx)
    return fail("--positions: no position " + llvm::Twine(positions->last()) +
                "; the longest input has positions 0 to " +
                llvm::Twine(model.config.nCtx - 1));
  show.layers = std::move(*layers);
  show.positions = std::move(*positions);
  return show;
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
    auto ablation = rt::parseAblation(spec, model);
    if (!ablation)
      return ablation.takeError();
    llvm::append_range(options.interventions, std::move(*ablation));
  }
  if (!tracePath.empty()) {
    options.tracePath = tracePath;
    llvm::Expected<std::vector<rt::HookPoint>> points =
        rt::HookTable(model).select(hookList);
    if (!points)
      return points.takeError();
    options.traced.points = std::move(*points);
    for (rt::DecompositionKind kind : decompositions)
      if (!llvm::is_contained(options.traced.decompositions, kind))
        options.traced.decompositions.push_back(kind);
  }
  llvm::Expected<ShowOptions> show = makeShowOptions(model);
  if (!show)
    return show.takeError();
  options.show = std::move(*show);
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
        return fail(llvm::Twine(intervention.name) + ": there is no input " +
                    llvm::Twine(number) + "; there " +
                    (count == 1 ? "is 1 input"
                                : "are " + llvm::Twine(count) + " inputs"));
  }
  return llvm::Error::success();
}

/// Prints what is wrong with the command line or a file.
static int complain(llvm::Error problem) {
  toolError() << llvm::toString(std::move(problem)) << "\n";
  return commandIsWrong;
}

static int runModel() {
  llvm::Expected<rt::Model> model = rt::readModel(modelPath);
  if (!model)
    return complain(model.takeError());
  llvm::Expected<RunOptions> options = makeOptions(*model);
  if (!options)
    return complain(options.takeError());
  std::optional<rt::VariableDecoder> decoder;
  std::optional<ProgramValues> program;
  if (options->show.variables) {
    auto made = rt::VariableDecoder::make(*model);
    if (!made)
      return complain(made.takeError());
    options->decoder = &decoder.emplace(std::move(*made));
    auto evaluated = ProgramValues::make(*model, includeDirs);
    if (evaluated)
      options->program = &program.emplace(std::move(*evaluated));
    else
      toolWarning() << "nothing to compare variables with: "
                    << llvm::toString(evaluated.takeError()) << "\n";
  }
  rt::Tokenizer tokenizer(*model);
  rt::InputReader reader(tokenizer);
  if (!readInputs(reader))
    return commandIsWrong;
  if (llvm::Error failure =
          checkInputNumbers(options->interventions, reader.inputs.size()))
    return complain(std::move(failure));
  std::vector<std::string> insides;
  if (llvm::Error failure =
          answer(*model, tokenizer, reader.inputs, *options, insides))
    return complain(std::move(failure));
  if (isShown(Shown::Directions))
    if (llvm::Error failure = showDirections(llvm::outs(), *model))
      return complain(std::move(failure));
  for (auto [input, inside] : llvm::zip_equal(reader.inputs, insides)) {
    print(*model, input);
    llvm::outs() << inside;
  }
  if (!rt::anyRefused(reader.inputs))
    return 0;
  if (options->tracePath)
    toolError() << "'" << *options->tracePath
                << "': no trace was written, since an input was refused\n";
  return inputIsWrong;
}

/// Says what does not go together on the command line.
static bool isCommandGood() {
  bool needsInput =
      shownKinds.empty() || llvm::any_of(shownKinds, [](Shown kind) {
        return kind != Shown::Directions;
      });
  if (plainInputs.empty() && inputsPath.empty() && needsInput) {
    toolError() << "expected an input or --inputs=FILE, see --help\n";
    return false;
  }
  if ((hookList.getNumOccurrences() || !decompositions.empty()) &&
      tracePath.empty()) {
    toolError() << (decompositions.empty() ? "--hooks says"
                                           : "--decompose says")
                << " what --trace=FILE.h5 writes, which is missing\n";
    return false;
  }
  if (json && !shownKinds.empty()) {
    toolError() << "--show prints text, --json prints JSON: leave one out\n";
    return false;
  }
  if ((layerList.getNumOccurrences() || positionList.getNumOccurrences()) &&
      shownKinds.empty()) {
    toolError() << "--layers and --positions say what --show prints, which is "
                   "missing\n";
    return false;
  }
  return true;
}

int main(int argc, char **argv) {
  const Tool tool{"rasp-run",
                  "Runs a model that raspc has compiled.\n\n"
                  "  An input is a string of one-character tokens (hello) or a "
                  "JSON list ([\"a\",\"b\"]).\n",
                  category, frontend::largeStackSize};
  return toolMain(argc, argv, tool,
                  [] { return isCommandGood() ? runModel() : commandIsWrong; });
}
