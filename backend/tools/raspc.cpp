//===- backend/tools/raspc.cpp - the compiler -----------------------------===//

#include "backend/CircuitPasses.h"
#include "backend/Constructions.h"
#include "backend/Encodings.h"
#include "backend/tools/Compilation.h"
#include "backend/tools/DiagnosticOptions.h"
#include "backend/tools/Explanation.h"
#include "backend/tools/PassCommandLine.h"
#include "frontend/LargeStack.h"
#include "ir/NearestName.h"
#include "runtime/OutputFile.h"
#include "runtime/WeightFile.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include <algorithm>
#include <chrono>

using namespace rasp;
namespace cl = llvm::cl;

namespace {
enum class Stage { AST, IR, Circuit, Layout, Weights };

/// The options; made in `main`, after LLVM's own `--stats` has gone.
struct CommandLine {
  cl::OptionCategory category{"raspc options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("PROGRAM.rasp"),
                             cl::cat(category)};
  cl::opt<std::string> batch{
      "batch",
      cl::desc("Compile the programs that LIST names, one per line, into the "
               "folder of -o"),
      cl::value_desc("LIST"), cl::cat(category)};
  cl::opt<std::string> outputPath{
      "o", cl::desc("The model file; default: the program's name with .h5"),
      cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> output{
      "output",
      cl::desc("The s-op to compile; default: the last that is assigned"),
      cl::value_desc("NAME"), cl::cat(category)};
  cl::opt<std::string> tokens{
      "tokens", cl::desc("Type of the input: str, int, float or bool"),
      cl::value_desc("TYPE"), cl::cat(category)};
  cl::opt<std::string> vocabulary{
      "vocab",
      cl::desc("The tokens: a JSON list, or a,b,c, or ranges a..z, 0..9"),
      cl::value_desc("LIST"), cl::cat(category)};
  cl::opt<std::string> maxSeqLen{"max-seq-len",
                                 cl::desc("Longest input, BOS not counted"),
                                 cl::value_desc("N"), cl::cat(category)};
  cl::opt<bool> causal{"causal", cl::desc("Causal attention mask"),
                       cl::cat(category)};
  cl::opt<char> level{
      "O", cl::Prefix,
      cl::desc("0: each named s-op apart; 1: least depth, then fewest "
               "parameters (default); s: smallest"),
      cl::init('1'), cl::cat(category)};
  cl::list<std::string> materialize{
      "materialize", cl::CommaSeparated,
      cl::desc("Give these s-ops directions of their own"),
      cl::value_desc("NAME,..."), cl::cat(category)};
  cl::opt<std::string> dtype{
      "dtype",
      cl::desc("Stored weights: float32 or float64; default: float32, and "
               "float64 where only that is exact"),
      cl::value_desc("TYPE"), cl::cat(category)};
  cl::opt<rt::Padding> padding{
      "pad", cl::desc("Sizes of the layers in the file:"),
      cl::values(clEnumValN(rt::Padding::Uniform, "uniform",
                            "all as wide as the widest (default)"),
                 clEnumValN(rt::Padding::None, "none",
                            "each its own, for the tools of this project")),
      cl::init(rt::Padding::Uniform), cl::cat(category)};
  cl::opt<Stage> emit{
      "emit", cl::desc("Stop at a stage and print it:"),
      cl::values(clEnumValN(Stage::AST, "ast", "the syntax tree"),
                 clEnumValN(Stage::IR, "ir", "RASP IR with value sets"),
                 clEnumValN(Stage::Circuit, "circuit", "heads and neurons"),
                 clEnumValN(Stage::Layout, "layout",
                            "dimensions of the residual stream"),
                 clEnumValN(Stage::Weights, "weights",
                            "write the model file (default)")),
      cl::init(Stage::Weights), cl::cat(category)};
  cl::opt<bool> printLocs{
      "print-locs", cl::desc("Print the place of each op, with --emit=ir"),
      cl::cat(category)};
  cl::opt<bool> printEncodings{
      "print-encodings",
      cl::desc("Print how the residual stream holds each s-op, with --emit=ir"),
      cl::cat(category)};
  PassCommandLine passes{category};
  cl::opt<std::string> stats{
      "stats", cl::ValueOptional,
      cl::desc("Print shape, size, time per stage, the chain of heads that "
               "forbids fewer layers, and which constructions are used; "
               "--stats=json as JSON"),
      cl::value_desc("json"), cl::cat(category)};
  cl::opt<std::string> certificate{
      "certificate", cl::ValueOptional,
      cl::desc("Write the error certificate, as JSON, to FILE or stdout"),
      cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<std::string> explained{
      "explain",
      cl::desc("Tell what became of an s-op or selector of the program or of "
               "--emit=ir, or of the output, `out`; a model is written only "
               "with -o"),
      cl::value_desc("NAME"), cl::cat(category)};
  cl::opt<std::string> remarks{
      "remarks", cl::ValueOptional,
      cl::desc("Say what was made of each op, what was not, and why; "
               "--remarks=REGEX chooses by the name in brackets"),
      cl::value_desc("REGEX"), cl::cat(category)};
  cl::opt<uint64_t> maxParameters{
      "max-parameters",
      cl::desc(
          "Refuse a model of more, unembedding included; default: 268435456"),
      cl::value_desc("N"), cl::init(defaultMaxParameters), cl::cat(category)};
  cl::list<std::string> includeDirs{"I", cl::Prefix,
                                    cl::desc("Where `load` looks, too"),
                                    cl::value_desc("DIR"), cl::cat(category)};
  DiagnosticOptions diagnostics{category};
};

/// Wall time of each stage.
class Stopwatch {
public:
  void lap(llvm::StringRef stage) {
    auto now = std::chrono::steady_clock::now();
    laps.emplace_back(stage, std::chrono::duration<double>(now - last).count());
    last = now;
  }
  double total() const {
    double sum = 0;
    for (auto &[stage, seconds] : laps)
      sum += seconds;
    return sum;
  }
  std::vector<std::pair<llvm::StringRef, double>> laps;

private:
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();
};
} // namespace

static void printConstructions(llvm::ArrayRef<backend::ConstructionUse> uses) {
  for (const backend::ConstructionUse &use : uses) {
    llvm::raw_ostream &os = llvm::outs();
    os << llvm::formatv("layer {0,-4} {1,-4} {2}", use.layer,
                        use.isHead ? "head" : "mlp", use.name);
    if (use.line)
      os << ", line " << use.line;
    os << ": " << use.construction << " (";
    if (use.isHead)
      os << "rank " << use.rank << ", moves " << use.directions;
    else
      os << "hidden " << use.hiddenUnits << ", writes " << use.directions;
    os << ")\n";
  }
}

/// Why no order of these heads has fewer layers.
static void printDepth(llvm::ArrayRef<backend::ChainLink> chain) {
  llvm::raw_ostream &os = llvm::outs();
  os << llvm::formatv("{0,-18} {1,10}", "layers at least",
                      std::max<size_t>(chain.size(), 1));
  for (auto [i, link] : llvm::enumerate(chain)) {
    os << (i ? " -> " : "  ") << link.name;
    if (link.line)
      os << ", line " << link.line;
  }
  os << "\n";
}

static void printStats(const rt::Model &model, const Stopwatch &watch,
                       llvm::ArrayRef<backend::ConstructionUse> uses,
                       llvm::ArrayRef<backend::ChainLink> chain, bool asJSON) {
  rt::Shape shape = rt::shapeOf(model);
  const std::pair<const char *, uint64_t> rows[] = {
      {"layers", shape.layers},
      {"heads", shape.heads},
      {"d_head", shape.dHead},
      {"d_mlp", shape.dMlp},
      {"d_model", shape.dModel},
      {"parameters", shape.parameters},
      {"parameters_ragged", shape.parametersRagged},
      {"nonzeros", shape.nonzeros}};
  llvm::raw_ostream &os = llvm::outs();
  if (asJSON) {
    llvm::json::OStream json(os);
    json.object([&] {
      for (auto [name, value] : rows)
        json.attribute(name, value);
      json.attribute("seconds", watch.total());
      json.attributeObject("stages", [&] {
        for (auto &[stage, seconds] : watch.laps)
          json.attribute(stage, seconds);
      });
      json.attribute("layers_at_least", std::max<size_t>(chain.size(), 1));
      json.attributeArray("chain", [&] {
        for (const backend::ChainLink &link : chain)
          json.value(backend::toJSON(link));
      });
      json.attributeArray("constructions", [&] {
        for (const backend::ConstructionUse &use : uses)
          json.value(backend::toJSON(use));
      });
    });
    os << "\n";
    return;
  }
  for (auto [name, value] : rows)
    os << llvm::formatv("{0,-18} {1,10}\n", name, value);
  for (auto &[stage, seconds] : watch.laps)
    os << llvm::formatv("{0,-18} {1,7:f2} ms\n", stage, seconds * 1e3);
  os << llvm::formatv("{0,-18} {1,7:f2} ms\n", "all stages",
                      watch.total() * 1e3);
  printDepth(chain);
  printConstructions(uses);
}

static void printIR(Compilation &compilation, bool places) {
  ir::Module &module = *compilation.module;
  if (compilation.values)
    ir::showValues(module, *compilation.values, compilation.compiled);
  if (places)
    module.addPlaces(compilation.sources);
  ir::print(llvm::outs(), module);
}

/// The certificate as JSON, with the length up to which the program compiles.
static std::string certificateText(Compilation &compilation,
                                   const rt::Model &model) {
  llvm::json::Value certificate = model.certificate;
  (*certificate.getAsObject())["exact_length"] =
      rt::toJSON(compilation.findReach());
  return llvm::formatv("{0:2}\n", certificate);
}

/// Writes the model, and its certificate if a file is given for that: both or
/// none.
static llvm::Error writeFiles(const rt::Model &model, llvm::StringRef path,
                              rt::Padding padding, llvm::StringRef certificate,
                              llvm::StringRef certificatePath) {
  auto writeModel = [&] { return rt::writeModel(model, path, padding); };
  if (certificatePath.empty())
    return writeModel();
  llvm::Error ofModel = llvm::Error::success();
  llvm::Error ofCertificate =
      rt::replaceFile(certificatePath, [&](llvm::raw_ostream &os) {
        os << certificate;
        ofModel = writeModel();
        return ofModel ? llvm::errorCodeToError(
                             std::make_error_code(std::errc::io_error))
                       : llvm::Error::success();
      });
  if (!ofModel)
    return ofCertificate;
  llvm::consumeError(std::move(ofCertificate));
  return ofModel;
}

/// The text of a file, or none after a message.
static std::unique_ptr<llvm::MemoryBuffer> readText(llvm::StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (text)
    return std::move(*text);
  toolError() << "'" << path << "': " << text.getError().message() << "\n";
  return nullptr;
}

static std::string modelName(llvm::StringRef program) {
  return llvm::sys::path::stem(program).str() + ".h5";
}

/// The kinds that an expression which matches none may have been meant for.
static std::string likelyRemarks(llvm::StringRef expression,
                                 llvm::ArrayRef<llvm::StringLiteral> kinds) {
  llvm::Regex ignoringCase(expression, llvm::Regex::IgnoreCase);
  std::string list;
  llvm::ListSeparator separator;
  for (llvm::StringRef kind : kinds)
    if (ignoringCase.match(kind))
      list += (llvm::StringRef(separator) + "`" + kind + "`").str();
  if (!list.empty())
    return "; capitals count: " + list;
  ir::NearestName nearest(expression);
  for (llvm::StringRef kind : kinds)
    nearest.consider(kind);
  return nearest.question();
}

static int compile(CommandLine &command, llvm::StringRef input,
                   std::string path) {
  std::unique_ptr<llvm::MemoryBuffer> text = readText(input);
  if (!text)
    return commandIsWrong;
  // On the command line, a wrong option is a wrong command.
  CompileOptions options;
  const std::pair<const cl::opt<std::string> *, const char *> given[] = {
      {&command.tokens, "tokens"},
      {&command.maxSeqLen, "max-seq-len"},
      {&command.output, "output"}};
  auto set = [&](llvm::StringRef key, llvm::StringRef value) {
    llvm::Error failure = options.set(key, value);
    if (!failure)
      return true;
    toolError() << "--" << key << ": " << llvm::toString(std::move(failure))
                << "\n";
    return false;
  };
  for (auto [option, key] : given)
    if (option->getNumOccurrences() && !set(key, *option))
      return commandIsWrong;
  if (command.causal.getNumOccurrences())
    options.causal = command.causal;
  std::optional<rt::DType> dtype;
  if (command.dtype == "float32")
    dtype = rt::DType::Float32;
  else if (command.dtype == "float64")
    dtype = rt::DType::Float64;
  else if (command.dtype.getNumOccurrences()) {
    toolError() << "--dtype is `" << command.dtype
                << "`, but must be float32 or float64\n";
    return commandIsWrong;
  }
  if (!llvm::is_contained({'0', '1', 's'}, command.level)) {
    toolError() << "-O is `" << command.level << "`, but must be 0, 1 or s\n";
    return commandIsWrong;
  }
  if (command.stats.getNumOccurrences() && !command.stats.empty() &&
      command.stats != "json") {
    toolError() << "--stats is `" << command.stats
                << "`, but must be empty or json\n";
    return commandIsWrong;
  }

  llvm::Expected<ir::DiagnosticPolicy> policy = command.diagnostics.policy();
  if (!policy) {
    toolError() << llvm::toString(policy.takeError()) << "\n";
    return commandIsWrong;
  }

  bool explains = command.explained.getNumOccurrences();
  if (explains && command.emit != Stage::Weights) {
    toolError()
        << "--explain tells of the whole compilation; --emit stops before "
           "its end\n";
    return commandIsWrong;
  }
  if (command.printEncodings && command.emit != Stage::IR) {
    toolError() << "--print-encodings is for --emit=ir\n";
    return commandIsWrong;
  }
  bool wantsModel = command.certificate.getNumOccurrences() ||
                    command.stats.getNumOccurrences();
  if (wantsModel && explains && path.empty()) {
    toolError() << "--explain makes no model without -o, so there is nothing "
                   "for --certificate and --stats\n";
    return commandIsWrong;
  }
  if (!command.passes.stopAfter.empty() &&
      (wantsModel || explains || command.printEncodings ||
       command.emit.getNumOccurrences())) {
    toolError() << "--stop-after ends before there is what --emit, --explain, "
                   "--certificate and --stats ask for\n";
    return commandIsWrong;
  }
  bool isPlain = command.level == '0';
  llvm::SmallVector<llvm::StringRef> running(ir::pipeline(isPlain));
  running.push_back("value-sets");
  if (command.emit != Stage::IR || command.printEncodings) {
    running.push_back(lowerName);
    llvm::append_range(running,
                       backend::pipeline(isPlain, command.level == 's'));
  }
  if (!command.passes.check(running))
    return commandIsWrong;
  bool remarks = command.remarks.getNumOccurrences();
  llvm::StringRef names = command.remarks;
  llvm::Regex filter(names.empty() ? "." : names);
  if (std::string problem; !filter.isValid(problem)) {
    toolError() << "--remarks is `" << command.remarks
                << "`, which is no regular expression: " << problem << "\n";
    return commandIsWrong;
  }
  std::vector<llvm::StringLiteral> kinds = ir::kindNames(ir::Severity::Remark);
  if (llvm::none_of(kinds, [&](auto kind) { return filter.match(kind); })) {
    toolError() << "--remarks is `" << names
                << "`, which matches the name of no kind of remark"
                << likelyRemarks(names, kinds) << "\n";
    return commandIsWrong;
  }

  Stopwatch watch;
  ir::PassManager passes(command.passes.options(),
                         llvm::sys::path::stem(input));
  Compilation compilation(&passes);
  compilation.diags.setPolicy(std::move(*policy));
  compilation.makesRemarks = remarks || explains;
  compilation.setText(text->getBuffer(), input);
  // Messages are told before anything is printed or written.
  auto tell = [&] { command.diagnostics.print(compilation.diags); };
  auto fail = [&] {
    tell();
    if (passes.fileTrouble().empty())
      return inputIsWrong;
    toolError() << passes.fileTrouble() << "\n";
    return commandIsWrong;
  };
  if (command.emit == Stage::AST) {
    std::string tree;
    llvm::raw_string_ostream os(tree);
    frontend::printAST(compilation.bufferId, compilation.diags, os);
    if (compilation.diags.hasErrors())
      return fail();
    llvm::outs() << tree;
    return 0;
  }
  // The type of the tokens may stand in the program.
  if (command.vocabulary.getNumOccurrences()) {
    if (!options.tokens)
      for (const frontend::Pragma &pragma :
           frontend::readPragmas(compilation.sources, compilation.bufferId))
        if (pragma.key == "tokens")
          if (llvm::Error failure = options.set("tokens", pragma.value))
            llvm::consumeError(std::move(failure));
    if (!set("vocab", command.vocabulary))
      return commandIsWrong;
  }

  frontend::Options frontendOptions;
  frontendOptions.includeDirs = command.includeDirs;
  if (!compilation.evaluate(std::move(options), frontendOptions))
    return fail();
  watch.lap("frontend");
  if (!compilation.inferValues(command.materialize, command.level == '0'))
    return fail();
  watch.lap("value sets");
  bool printsEncodings = command.emit == Stage::IR && command.printEncodings;
  if ((command.emit == Stage::IR && !printsEncodings) || passes.isStopped()) {
    if (remarks)
      addRemarks(compilation, &filter);
    tell();
    printIR(compilation, command.printLocs);
    return 0;
  }
  SynthesisOptions effort;
  effort.dtype = dtype;
  effort.smallest = command.level == 's';
  effort.maxParameters = command.maxParameters;
  effort.padding = command.padding;
  if (!compilation.synthesise(effort) || compilation.diags.hasErrors())
    return fail();
  watch.lap("synthesis");
  compilation.layOut();
  std::string explanation;
  llvm::raw_string_ostream explained(explanation);
  if (explains && !explain(compilation, command.explained, explained))
    return fail();
  if (remarks)
    addRemarks(compilation, &filter);
  tell();
  if (printsEncodings) {
    backend::showEncodings(*compilation.module, compilation.circuit,
                           compilation.compiled, *compilation.names,
                           *compilation.values);
    printIR(compilation, command.printLocs);
    return 0;
  }
  if (command.emit == Stage::Circuit || passes.isStopped()) {
    backend::print(llvm::outs(), compilation.circuit);
    return 0;
  }
  if (command.emit == Stage::Layout) {
    backend::print(llvm::outs(), compilation.circuit, compilation.layout);
    return 0;
  }
  llvm::outs() << explanation;
  if (explains && path.empty())
    return 0;
  rt::Model model = compilation.makeModel();
  watch.lap("assembly");

  if (path.empty())
    path = input == "-" ? "out.h5" : modelName(input);
  bool isCertified = command.certificate.getNumOccurrences();
  std::string certificate =
      isCertified ? certificateText(compilation, model) : "";
  if (llvm::Error failure = writeFiles(model, path, command.padding,
                                       certificate, command.certificate)) {
    toolError() << llvm::toString(std::move(failure)) << "\n";
    return commandIsWrong;
  }
  watch.lap("writing");
  if (isCertified && command.certificate.empty())
    llvm::outs() << certificate;
  if (command.stats.getNumOccurrences())
    printStats(
        model, watch,
        backend::listConstructions(compilation.circuit, compilation.sources,
                                   *compilation.names),
        backend::describeHeadChain(compilation.circuit, compilation.sources),
        command.stats == "json");
  return 0;
}

/// Every program into a model of its name; a wrong one does not keep the others
/// from being compiled.
static int compileBatch(CommandLine &command) {
  if (command.emit != Stage::Weights ||
      command.certificate.getNumOccurrences() ||
      command.explained.getNumOccurrences() ||
      !command.passes.stopAfter.empty() || command.input.getNumOccurrences()) {
    toolError() << "--batch writes models alone, of the programs in its list\n";
    return commandIsWrong;
  }
  std::unique_ptr<llvm::MemoryBuffer> list = readText(command.batch);
  if (!list)
    return commandIsWrong;
  llvm::StringRef folder = command.outputPath;
  if (folder.empty())
    folder = ".";
  if (std::error_code code = llvm::sys::fs::create_directories(folder)) {
    toolError() << "'" << folder << "': " << code.message() << "\n";
    return commandIsWrong;
  }
  llvm::StringMap<std::string> programs; // by model
  int status = 0;
  for (llvm::line_iterator line(*list); !line.is_at_eof(); ++line) {
    std::string name = modelName(*line);
    auto [it, isNew] = programs.try_emplace(name, line->str());
    if (!isNew) {
      toolError() << "'" << *line << "' and '" << it->second
                  << "' would both become '" << name << "'\n";
      status = std::max(status, commandIsWrong);
      continue;
    }
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    status = std::max(status, compile(command, *line, path.str().str()));
  }
  return status;
}

int main(int argc, char **argv) {
  // LLVM's support library takes the name for its own counters.
  llvm::StringMap<cl::Option *> &registered = cl::getRegisteredOptions();
  if (auto it = registered.find("stats"); it != registered.end())
    it->second->removeArgument();
  static CommandLine command;
  const Tool tool{"raspc",
                  "Compiles a RASP program to the weights of a transformer.\n\n"
                  "  Options may stand in the program, one per line: "
                  "`#@ vocab: a,b`, `#@ max-seq-len: 5`.\n",
                  command.category, frontend::largeStackSize};
  return toolMain(argc, argv, tool, [&]() -> int {
    if (command.passes.listPasses) {
      printPasses(llvm::outs());
      return 0;
    }
    bool isBatch = command.batch.getNumOccurrences();
    if (!isBatch && !command.input.getNumOccurrences()) {
      toolError() << "give a program: raspc PROGRAM.rasp\n";
      return commandIsWrong;
    }
    int status = 0;
    frontend::runWithLargeStack([&] {
      status = isBatch ? compileBatch(command)
                       : compile(command, command.input, command.outputPath);
    });
    return status;
  });
}
