//===- runtime/tools/rasp-dump.cpp - what weights implement ---------------===//

#include "runtime/WeightFile.h"
#include "runtime/dump/Dump.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp::rt;
namespace cl = llvm::cl;

static cl::OptionCategory category("rasp-dump options");
static cl::opt<std::string> modelPath(cl::Positional, cl::Required,
                                      cl::desc("MODEL.h5"), cl::cat(category));
static cl::list<std::string>
    headOption("head", cl::CommaSeparated, cl::value_desc("LAYER.HEAD"),
               cl::desc("This head alone, with all its weights"),
               cl::cat(category));
static cl::list<std::string>
    neuronOption("neuron", cl::CommaSeparated, cl::value_desc("LAYER.NEURON"),
                 cl::desc("This hidden unit alone, with all its weights"),
                 cl::cat(category));
static cl::list<std::string>
    dimensionOption("dim", cl::CommaSeparated, cl::value_desc("D"),
                    cl::desc("This direction of the residual stream alone: "
                             "who writes and reads it"),
                    cl::cat(category));
static cl::list<std::string> layerOption("layer", cl::CommaSeparated,
                                         cl::value_desc("L"),
                                         cl::desc("Only this layer"),
                                         cl::cat(category));
static cl::opt<bool> jsonOption("json", cl::desc("One JSON object"),
                                cl::cat(category));
static cl::opt<bool> allOption("all", cl::desc("Long tables in full"),
                               cl::cat(category));

using rasp::commandIsWrong;
static constexpr int notAsLabelled = rasp::inputIsWrong;

static int fail(const llvm::Twine &message) {
  rasp::toolError() << message << "\n";
  return commandIsWrong;
}

static llvm::Error wrong(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// `complaint` says what there is not, before the number.
static llvm::Expected<unsigned>
readNumber(llvm::StringRef text, llvm::StringRef complaint, size_t count) {
  unsigned number = 0;
  if (!llvm::all_of(text, llvm::isDigit) || text.getAsInteger(10, number) ||
      number >= count)
    return wrong(complaint + " `" + text + "`" +
                 (count == 0 ? ""
                  : count == 1
                      ? "; the only one is 0"
                      : "; they are 0 to " + llvm::Twine(count - 1).str()));
  return number;
}

/// Reads `LAYER.NUMBER`.
template <typename CountOf>
static llvm::Error readParts(const cl::list<std::string> &option,
                             const Model &model, llvm::StringRef noun,
                             CountOf countOf, std::vector<PartNumber> &parts) {
  for (llvm::StringRef text : option) {
    auto [layerText, numberText] = text.split('.');
    auto complain = [&](llvm::Error error) {
      return wrong("--" + option.ArgStr + "=" + text + ": " +
                   llvm::toString(std::move(error)));
    };
    if (!text.contains('.'))
      return complain(wrong("expected a layer and a " + noun + ", as in --" +
                            option.ArgStr + "=0.0"));
    llvm::Expected<unsigned> layer =
        readNumber(layerText, "there is no layer", model.layers.size());
    if (!layer)
      return complain(layer.takeError());
    size_t count = countOf(model.layers[*layer]);
    if (count == 0)
      return complain(
          wrong("layer " + llvm::Twine(*layer) + " has no " + noun + "s"));
    std::string what = llvm::formatv("layer {0} has no {1}", *layer, noun);
    llvm::Expected<unsigned> number = readNumber(numberText, what, count);
    if (!number)
      return complain(number.takeError());
    parts.push_back({*layer, *number});
  }
  return llvm::Error::success();
}

static llvm::Error readNumbers(const cl::list<std::string> &option,
                               llvm::StringRef noun, size_t count,
                               std::vector<unsigned> &numbers) {
  for (llvm::StringRef text : option) {
    llvm::Expected<unsigned> number =
        readNumber(text, ("there is no " + noun).str(), count);
    if (!number)
      return wrong("--" + option.ArgStr + "=" + text + ": " +
                   llvm::toString(number.takeError()));
    numbers.push_back(*number);
  }
  return llvm::Error::success();
}

static llvm::Expected<DumpRequest> readRequest(const Model &model) {
  DumpRequest request;
  request.isWhole = allOption;
  if (llvm::Error error = readParts(
          headOption, model, "head",
          [](const Layer &layer) { return layer.heads.size(); }, request.heads))
    return error;
  if (llvm::Error error = readParts(
          neuronOption, model, "neuron",
          [](const Layer &layer) { return layer.bIn.size(); }, request.neurons))
    return error;
  if (llvm::Error error = readNumbers(dimensionOption, "direction",
                                      model.config.dModel, request.dimensions))
    return error;
  if (llvm::Error error = readNumbers(layerOption, "layer", model.layers.size(),
                                      request.layers))
    return error;
  return request;
}

/// All that have these coordinates, one after the other.
static std::vector<unsigned>
directionsAt(const Unfolding &unfolding, llvm::ArrayRef<unsigned> coordinates) {
  std::vector<unsigned> directions;
  for (unsigned coordinate : coordinates)
    for (auto [direction, own] : llvm::enumerate(unfolding.coordinateOf))
      if (own == coordinate)
        directions.push_back(direction);
  return directions;
}

/// What does not hold, on stderr.
static void complain(const std::vector<std::string> &problems) {
  constexpr size_t most = 10;
  rasp::toolError() << "'" << modelPath
                    << "': the weights do not implement their labels\n";
  for (const std::string &problem : llvm::ArrayRef(problems).take_front(most))
    llvm::errs() << "  " << problem << "\n";
  if (problems.size() > most)
    llvm::errs() << "  ... and " << problems.size() - most << " more\n";
}

static int dump() {
  llvm::Expected<Model> model = readModel(modelPath);
  if (!model)
    return fail(llvm::toString(model.takeError()));
  llvm::Expected<DumpRequest> request = readRequest(*model);
  if (!request)
    return fail(llvm::toString(request.takeError()));
  if (model->edited)
    rasp::toolWarning()
        << "'" << modelPath
        << "': weights or program were edited after the file was written\n";

  std::optional<ResidualMap> map = ResidualMap::makeIfKnown(*model);
  std::optional<Unfolding> unfolding;
  if (map && map->isShared()) {
    llvm::Expected<Unfolding> made = unfold(*model, *map);
    if (!made) {
      complain({llvm::toString(made.takeError())});
      return notAsLabelled;
    }
    unfolding = std::move(*made);
    request->dimensions = directionsAt(*unfolding, request->dimensions);
  }
  Meanings meanings(unfolding ? unfolding->model : *model,
                    unfolding ? &*unfolding : nullptr);
  Analysis analysis = analyse(meanings);
  if (jsonOption)
    llvm::outs() << toJSON(meanings, analysis, *request) << "\n";
  else
    printText(llvm::outs(), meanings, analysis, *request);
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    return fail("cannot write the output: " + code.message());
  }
  if (analysis.isAsLabelled())
    return 0;
  complain(problemsOf(meanings, analysis));
  return notAsLabelled;
}

int main(int argc, char **argv) {
  const rasp::Tool tool{
      "rasp-dump",
      "Says what the weights of a compiled model do: what each head "
      "selects and moves,\n  which function hidden units are, and whether "
      "that is what the file says.\n\n"
      "  Ends with 1 if it is not.\n",
      category};
  return rasp::toolMain(argc, argv, tool, dump);
}
