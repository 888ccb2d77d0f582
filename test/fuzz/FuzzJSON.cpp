//===- test/fuzz/FuzzJSON.cpp - inputs, interventions, options ------------===//
//
// The first line says what the rest is: inputs of a model, interventions,
// a vocabulary, the JSON texts that a model file holds, and so on. Each is read
// as the tools read it, and used where a model can use it. What can be written
// again must then be read as the same.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/CompileOptions.h"
#include "backend/tools/run/Show.h"
#include "runtime/Inputs.h"
#include "runtime/ModelJSON.h"
#include "runtime/NumberList.h"
#include "runtime/WeightFile.h"
#include "test/fuzz/Fuzz.h"
#include "test/fuzz/ModelTrial.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <tuple>

using namespace rasp;
using llvm::StringRef;
namespace json = llvm::json;

/// Tokens of every type, and both kinds of output.
static const std::vector<rt::Model> &models() {
  static const std::vector<rt::Model> all = [] {
    constexpr StringRef texts[] = {
        "#@ vocab: [\"a\", \"[\", \"1\"]\n#@ max-seq-len: 3\n"
        "flip = select(indices, length - indices - 1, ==);\n"
        "reverse = aggregate(flip, tokens);\n",
        "#@ tokens: int\n#@ vocab: -1..2\n#@ max-seq-len: 4\n"
        "before = select(indices, indices, <=);\n"
        "mean = aggregate(before, tokens_int);\n",
        "#@ tokens: float\n#@ vocab: [0.5, -2, 1e300]\n#@ max-seq-len: 3\n"
        "small = tokens_float < 1;\n",
        "#@ tokens: bool\n#@ vocab: true,false\n#@ max-seq-len: 3\n"
        "#@ causal: true\ncounted = count(tokens_bool, True);\n"};
    std::vector<rt::Model> made;
    for (StringRef text : texts)
      made.push_back(fuzz::compileModel(text));
    return made;
  }();
  return all;
}

/// The value, or none if the text is no JSON.
static std::optional<json::Value> parse(StringRef text) {
  llvm::Expected<json::Value> value = rt::parseJSON(text);
  if (value)
    return std::move(*value);
  llvm::consumeError(value.takeError());
  return std::nullopt;
}

static std::string print(const json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

/// What an error says; it must say something.
static void take(llvm::Error error) {
  if (error && llvm::toString(std::move(error)).empty())
    fuzz::report("an error without a message");
}

//===----------------------------------------------------------------------===//
// What users give
//===----------------------------------------------------------------------===//

static void tryInputs(StringRef text) {
  for (const rt::Model &model : models()) {
    rt::Tokenizer tokenizer(model);
    rt::InputReader reader(tokenizer);
    reader.readLines(text, "inputs");
    reader.readArgument(json::fixUTF8(text));
    if (std::optional<json::Value> value = parse(text))
      reader.readValue(*value);
    std::string answers;
    llvm::raw_string_ostream os(answers);
    for (const rt::Input &input : reader.inputs) {
      if (!input.isRefused() &&
          (input.ids.empty() || input.ids.size() > model.config.nCtx))
        fuzz::report("an input of a length that the model cannot take");
      rt::printAnswer(os, model, input);
    }
  }
}

static void tryInterventions(StringRef text) {
  std::optional<json::Value> value = parse(text);
  for (const rt::Model &model : models()) {
    if (!value)
      return;
    auto interventions = rt::parseInterventions(*value, model);
    if (interventions)
      fuzz::tryModel(model, *interventions);
    else
      take(interventions.takeError());
  }
}

static void tryAblation(StringRef text) {
  for (const rt::Model &model : models()) {
    auto ablation = rt::parseAblation(text, model);
    if (ablation)
      fuzz::tryModel(model, *ablation);
    else
      take(ablation.takeError());
  }
}

static void tryVocabulary(StringRef text) {
  for (StringRef type : {"str", "int", "float", "bool"}) {
    llvm::Expected<std::vector<ir::Value>> values = parseVocabulary(text, type);
    if (!values) {
      take(values.takeError());
      continue;
    }
    std::string list = "[";
    llvm::raw_string_ostream os(list);
    llvm::interleave(
        *values, os, [&](const ir::Value &value) { value.printJSON(os); }, ",");
    os << "]";
    llvm::Expected<std::vector<ir::Value>> again = parseVocabulary(list, type);
    // Strings need not be UTF-8, JSON must be.
    if (!again) {
      if (json::isUTF8(text))
        fuzz::report("the vocabulary " + list +
                     " is refused: " + llvm::toString(again.takeError()));
      llvm::consumeError(again.takeError());
    } else if (json::isUTF8(text) && *again != *values) {
      fuzz::report("the vocabulary " + list + " is read as another");
    }
  }
}

static void tryOption(StringRef text) {
  CompileOptions options;
  while (!text.empty()) {
    StringRef line;
    std::tie(line, text) = text.split('\n');
    auto [key, value] = line.split(": ");
    take(options.set(key, value));
  }
}

static void tryLists(StringRef text) {
  for (const rt::Model &model : models()) {
    llvm::Expected<std::vector<rt::HookPoint>> points =
        rt::HookTable(model).select(text);
    if (!points)
      take(points.takeError());
  }
  llvm::Expected<NumberChoice> choice = NumberChoice::parse(text);
  if (!choice)
    return take(choice.takeError());
  if (!choice->isAll() && !choice->contains(choice->last()))
    fuzz::report("a choice of numbers without its last");
}

//===----------------------------------------------------------------------===//
// What model files hold
//===----------------------------------------------------------------------===//

static void tryOptions(StringRef text) {
  std::optional<json::Value> value = parse(text);
  if (!value)
    return;
  llvm::Expected<CompileOptions> options = CompileOptions::fromJSON(*value);
  if (!options)
    return take(options.takeError());
  json::Value printed = options->toJSON();
  llvm::Expected<CompileOptions> again = CompileOptions::fromJSON(printed);
  if (!again)
    fuzz::report("options that were written are refused: " +
                 llvm::toString(again.takeError()));
  for (StringRef name : {"max_seq_len", "causal", "output", "tokens"})
    if (*printed.getAsObject()->get(name) != *value->getAsObject()->get(name))
      fuzz::report("the option " + name + " is read as another");
}

static void tryNumbers(StringRef text) {
  std::optional<json::Value> value = parse(text);
  if (!value)
    return;
  llvm::Expected<std::vector<double>> numbers =
      rt::numbersFromJSON(*value, 1 << 16);
  if (!numbers)
    return take(numbers.takeError());
  llvm::Expected<std::vector<double>> again = rt::numbersFromJSON(
      llvm::cantFail(rt::parseJSON(print(rt::numbersToJSON(*numbers)))),
      1 << 16);
  if (!again)
    fuzz::report("a list of numbers that was written is refused: " +
                 llvm::toString(again.takeError()));
  auto same = [](double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  };
  if (again->size() != numbers->size() ||
      !std::equal(again->begin(), again->end(), numbers->begin(), same))
    fuzz::report("a list of numbers is read as another");
}

static void tryValues(StringRef text) {
  llvm::Expected<std::vector<ir::Value>> values = ir::parseJSONList(text);
  if (!values)
    return take(values.takeError());
  std::string list = "[";
  llvm::raw_string_ostream os(list);
  llvm::interleave(
      *values, os, [&](const ir::Value &value) { value.printJSON(os); }, ",");
  os << "]";
  llvm::Expected<std::vector<ir::Value>> again = ir::parseJSONList(list);
  if (!again)
    fuzz::report("the list " + list +
                 " is refused: " + llvm::toString(again.takeError()));
  if (*again != *values)
    fuzz::report("the list " + list + " is read as another");
}

static void tryHeader(StringRef text) {
  rt::Header header;
  rt::Model model;
  if (llvm::Error error = rt::parseHeader(text, header, model))
    return take(std::move(error));
  if (header.formatVersion > rt::formatVersion)
    return; // nothing more was read
  rt::Header again;
  rt::Model other;
  std::string printed = rt::printHeader(header, model);
  if (llvm::Error error = rt::parseHeader(printed, again, other))
    fuzz::report("a header that was written is refused: " +
                 llvm::toString(std::move(error)));
  if (rt::printHeader(again, other) != printed)
    fuzz::report("a header changes by being written and read");
}

static void tryInputVocab(StringRef text) {
  rt::InputVocab vocab, again;
  if (llvm::Error error = rt::parseInputVocab(text, vocab))
    return take(std::move(error));
  if (llvm::Error error =
          rt::parseInputVocab(rt::printInputVocab(vocab), again))
    fuzz::report("a vocabulary that was written is refused: " +
                 llvm::toString(std::move(error)));
  if (again.values != vocab.values)
    fuzz::report("a vocabulary changes by being written and read");
  rt::Model model = models().front();
  model.input.values = vocab.values;
  rt::Tokenizer tokenizer(model);
}

static void tryOutputVocab(StringRef text) {
  rt::OutputVocab vocab, again;
  if (llvm::Error error = rt::parseOutputVocab(text, vocab))
    return take(std::move(error));
  if (llvm::Error error =
          rt::parseOutputVocab(rt::printOutputVocab(vocab), again))
    fuzz::report("a vocabulary that was written is refused: " +
                 llvm::toString(std::move(error)));
  if (again.values != vocab.values || again.kind != vocab.kind)
    fuzz::report("a vocabulary changes by being written and read");
  if (vocab.kind != rt::OutputVocab::Numerical)
    return;
  rt::Model model = models().front();
  model.output = vocab;
  rt::Tokenizer tokenizer(model);
  for (double logit : {-1e300, -0.5, 0.0, 2.0, 1e300, double(NAN)})
    tokenizer.numberAt(logit);
}

static void tryCertificate(StringRef text) {
  if (std::optional<json::Value> value = parse(text))
    for (const rt::Model &model : models())
      fuzz::tryCertificate(model, *value);
}

static void tryResidual(StringRef text) {
  std::optional<json::Value> value = parse(text);
  if (!value)
    return;
  for (rt::Model model : models()) {
    model.residual = *value;
    fuzz::tryModel(model);
  }
}

//===----------------------------------------------------------------------===//
// The target
//===----------------------------------------------------------------------===//

static constexpr std::pair<llvm::StringLiteral, void (*)(StringRef)> kinds[] = {
    {"inputs", tryInputs},           {"interventions", tryInterventions},
    {"ablation", tryAblation},       {"vocabulary", tryVocabulary},
    {"option", tryOption},           {"lists", tryLists},
    {"options", tryOptions},         {"numbers", tryNumbers},
    {"values", tryValues},           {"header", tryHeader},
    {"input-vocab", tryInputVocab},  {"output-vocab", tryOutputVocab},
    {"certificate", tryCertificate}, {"residual", tryResidual}};

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  models(); // takes longer than any input
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto [kind, text] = fuzz::textOf(data, size).split('\n');
  for (auto [name, tryText] : kinds)
    if (kind == name)
      tryText(text);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  fuzz::Choices choices(seed);
  auto [kind, text] = fuzz::textOf(data, size).split('\n');
  std::string changed = kind.str();
  if (kind.empty() || choices.below(64) == 0)
    changed = choices.pick(kinds).first.str();
  changed += '\n';
  size_t room = maxSize - std::min(maxSize, changed.size());
  return fuzz::store(changed + fuzz::mutateJSON(text, room, choices), data,
                     maxSize);
}
