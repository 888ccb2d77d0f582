//===- runtime/tools/rasp-run.cpp - runs a model on inputs ----------------===//

#include "runtime/Atom.h"
#include "runtime/ModelJSON.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"
#include "runtime/WeightFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace rasp::rt;
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

static constexpr int inputIsWrong = 1, commandIsWrong = 2;

static llvm::raw_ostream &error() {
  return llvm::WithColor::error(llvm::errs(), "rasp-run");
}

namespace {

/// One input and how to show it.
struct Input {
  std::vector<Atom> values;
  std::string shown; ///< `"hello"` or `[1, 2]`
};

/// Answers inputs one after the other.
class Runner {
public:
  explicit Runner(const Model &model) : model(model), tokenizer(model) {}
  virtual ~Runner() = default;

  /// Reads what stands on the command line: a JSON list if it starts with `[`,
  /// else one-character tokens. Where `[` is itself a token, text that is no
  /// JSON list, or an empty one, is taken for tokens.
  void runArgument(llvm::StringRef text) {
    if (!text.starts_with("["))
      return runText(text);
    llvm::Expected<llvm::json::Value> value = parseJSON(text);
    bool isList = value && value->getAsArray() && !value->getAsArray()->empty();
    if (!isList && tokenizer.has(Atom("["))) {
      llvm::consumeError(value.takeError());
      return runText(text);
    }
    if (!value)
      return refuse(text, "expected a JSON list: " +
                              llvm::toString(value.takeError()));
    runJSON(text, *value);
  }

  /// Reads a line of a file, `place`.
  void runLine(llvm::StringRef line, std::string place) {
    location = std::move(place);
    llvm::Expected<llvm::json::Value> value = parseJSON(line);
    if (!value)
      return refuse(llvm::json::fixUTF8(line),
                    "expected a JSON list or {\"input\": list}: " +
                        llvm::toString(value.takeError()));
    if (llvm::json::Object *object = value->getAsObject())
      if (llvm::json::Value *input = object->get("input"))
        return runJSON(line, *input);
    runJSON(line, *value);
  }

  bool anyRefused = false;

protected:
  virtual std::vector<Atom> answer(llvm::ArrayRef<uint32_t> ids) = 0;

  const Model &model;
  Tokenizer tokenizer;

private:
  void runText(llvm::StringRef text) {
    run({tokenizer.split(text), ("\"" + text + "\"").str()});
  }

  std::string location; ///< "lines:2: " for inputs of a file

  /// `source` is what the user wrote.
  void runJSON(llvm::StringRef source, const llvm::json::Value &value) {
    if (std::optional<llvm::StringRef> text = value.getAsString())
      return runText(*text);
    const llvm::json::Array *list = value.getAsArray();
    if (!list)
      return refuse(source, "expected a JSON list");
    Input input;
    for (const llvm::json::Value &element : *list) {
      std::optional<Atom> atom = atomFromJSON(element);
      if (!atom)
        return refuse(source, "expected tokens to be strings, numbers, true or "
                              "false");
      input.values.push_back(std::move(*atom));
    }
    llvm::raw_string_ostream os(input.shown);
    printPython(os, input.values);
    run(input);
  }

  void run(const Input &input) {
    llvm::Expected<std::vector<uint32_t>> ids = tokenizer.encode(input.values);
    if (!ids)
      return refuse(input.shown, llvm::toString(ids.takeError()));
    std::vector<Atom> output = answer(*ids);
    if (!json) {
      llvm::outs() << model.output.label << "(" << input.shown << ") = ";
      printSequence(llvm::outs(), output);
      llvm::outs() << "\n";
      return;
    }
    // The tokens as the model knows them, so that their types are right.
    std::vector<Atom> tokens;
    for (uint32_t id : llvm::ArrayRef(*ids).drop_front())
      tokens.push_back(model.input.values[id]);
    llvm::outs() << "{\"input\":";
    printJSON(llvm::outs(), tokens);
    llvm::outs() << ",\"output\":";
    printJSON(llvm::outs(), output);
    llvm::outs() << "}\n";
  }

  void refuse(llvm::StringRef input, const llvm::Twine &reason) {
    anyRefused = true;
    llvm::outs().flush();
    error() << location << "input " << input << ": " << reason << "\n";
    if (json)
      llvm::outs() << llvm::json::Value(
                          llvm::json::Object{{"error", reason.str()}})
                   << "\n";
  }
};

template <typename T> class TypedRunner : public Runner {
public:
  explicit TypedRunner(const Model &model)
      : Runner(model), transformer(model) {}

private:
  std::vector<Atom> answer(llvm::ArrayRef<uint32_t> ids) override {
    Logits<T> logits = transformer.forward(ids, workspace);
    std::vector<Atom> output;
    for (unsigned position = 1; position < ids.size(); ++position)
      output.push_back(tokenizer.decode(logits, position));
    return output;
  }

  Transformer<T> transformer;
  typename Transformer<T>::Workspace workspace;
};

} // namespace

/// Runs the inputs of a file; false if it cannot be read.
static bool runFile(Runner &runner, llvm::StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
  if (!buffer) {
    error() << "'" << path << "': " << buffer.getError().message() << "\n";
    return false;
  }
  for (llvm::line_iterator line(**buffer, /*SkipBlanks=*/true);
       !line.is_at_end(); ++line)
    if (!line->trim().empty())
      runner.runLine(
          line->trim(),
          (path + ":" + llvm::Twine(line.line_number()) + ": ").str());
  return true;
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

  llvm::Expected<Model> model = readModel(modelPath);
  if (!model) {
    error() << llvm::toString(model.takeError()) << "\n";
    return commandIsWrong;
  }
  std::unique_ptr<Runner> runner =
      withScalar(model->config.dtype, [&](auto zero) {
        return std::unique_ptr<Runner>(
            std::make_unique<TypedRunner<decltype(zero)>>(*model));
      });
  for (const std::string &text : plainInputs)
    runner->runArgument(llvm::json::fixUTF8(text));
  if (!inputsPath.empty() && !runFile(*runner, inputsPath))
    return commandIsWrong;
  llvm::outs().flush();
  if (std::error_code code = llvm::outs().error()) {
    llvm::outs().clear_error();
    error() << "cannot write the output: " << code.message() << "\n";
    return commandIsWrong;
  }
  return runner->anyRefused ? inputIsWrong : 0;
}
