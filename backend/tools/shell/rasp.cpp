//===- backend/tools/shell/rasp.cpp - the shell of the language -----------===//

#include "backend/tools/DiagnosticOptions.h"
#include "backend/tools/shell/Batch.h"
#include "backend/tools/shell/Reader.h"
#include "backend/tools/shell/Session.h"
#include "frontend/LargeStack.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"

using namespace rasp;
using namespace rasp::shell;
namespace cl = llvm::cl;

namespace {
struct CommandLine {
  cl::OptionCategory category{"rasp options"};
  cl::opt<std::string> path{cl::Positional, cl::desc("[FILE.rasp]"),
                            cl::cat(category)};
  cl::opt<std::string> eval{
      "eval", cl::desc("Print the value of an expression as JSON"),
      cl::value_desc("EXPR"), cl::cat(category)};
  cl::opt<std::string> input{
      "input", cl::desc("The input of --eval: a JSON list, or text"),
      cl::value_desc("JSON"), cl::cat(category)};
  cl::opt<std::string> inputs{
      "inputs",
      cl::desc("Inputs of --eval, one per line: a JSON list, a JSON string or "
               "{\"input\": ...}; - for stdin"),
      cl::value_desc("FILE"), cl::cat(category)};
  cl::opt<bool> causal{
      "causal", cl::desc("Selectors see only keys at or before the query"),
      cl::cat(category)};
  cl::opt<bool> strict{
      "strict-reference",
      cl::desc("Follow the published interpreter also where it is odd"),
      cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("No banner and no prompts"),
                      cl::cat(category)};
  cl::alias q{"q", cl::desc("Short for --quiet"), cl::aliasopt(quiet),
              cl::cat(category)};
  cl::list<std::string> includeDirs{"I", cl::Prefix,
                                    cl::desc("Where `load` looks, too"),
                                    cl::value_desc("DIR"), cl::cat(category)};
  DiagnosticOptions diagnostics{category};
};
} // namespace

static std::unique_ptr<llvm::MemoryBuffer> open(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (buffer)
    return std::move(*buffer);
  toolError() << "'" << path << "': " << buffer.getError().message() << "\n";
  return nullptr;
}

static int evaluate(CommandLine &command) {
  llvm::Expected<ir::DiagnosticPolicy> policy = command.diagnostics.policy();
  if (!policy) {
    toolError() << llvm::toString(policy.takeError()) << "\n";
    return commandIsWrong;
  }
  BatchRequest request;
  request.policy = std::move(*policy);
  request.expression = command.eval;
  request.causal = command.causal;
  request.strict = command.strict;
  request.options.includeDirs = command.includeDirs;
  if (!command.path.empty()) {
    std::unique_ptr<llvm::MemoryBuffer> buffer = open(command.path);
    if (!buffer)
      return commandIsWrong;
    request.programText = buffer->getBuffer().str();
    request.programName = command.path;
  }
  std::vector<llvm::Expected<Input>> inputs;
  if (command.input.getNumOccurrences())
    inputs.push_back(Input::parse(command.input));
  if (command.inputs.getNumOccurrences()) {
    std::unique_ptr<llvm::MemoryBuffer> buffer = open(command.inputs);
    if (!buffer)
      return commandIsWrong;
    // Not llvm::line_iterator, for which the text ends at the first 0 byte.
    llvm::SmallVector<llvm::StringRef> lines;
    buffer->getBuffer().split(lines, '\n');
    for (llvm::StringRef line : lines)
      if (!line.rtrim('\r').empty())
        inputs.push_back(Input::parse(line.rtrim('\r')));
  }
  if (!command.input.getNumOccurrences() &&
      !command.inputs.getNumOccurrences()) {
    toolError() << "--eval needs --input=JSON or --inputs=FILE\n";
    return commandIsWrong;
  }
  bool good = runBatch(
      request, std::move(inputs), llvm::outs(),
      [&](const ir::Diagnostics &diags) { command.diagnostics.print(diags); });
  return good ? 0 : inputIsWrong;
}

static int converse(CommandLine &command) {
  llvm::raw_ostream &os = llvm::outs();
  bool isTerminal = llvm::sys::Process::StandardInIsUserInput();
  Settings settings;
  settings.causal = command.causal;
  settings.strict = command.strict;
  frontend::Options options;
  options.includeDirs = command.includeDirs;
  Session session(os, settings, options);

  if (!command.quiet)
    os << "RASP 0.1\nrunning example is: hello\n";
  if (!command.path.empty()) {
    llvm::StringRef path = command.path;
    if (!path.ends_with(".rasp") || !llvm::sys::fs::is_regular_file(path)) {
      toolError() << "'" << path << "': "
                  << (path.ends_with(".rasp")
                          ? "no such file"
                          : "the name of a program ends in .rasp")
                  << "\n";
      return commandIsWrong;
    }
    session.load(path);
  }
  int status = session.hadErrors() ? inputIsWrong : 0;

  std::unique_ptr<LineSource> lines =
      isTerminal ? makeTerminal([&] { return session.completions(); })
                 : makeStandardInput(command.quiet ? nullptr : &os);
  bool unfinished = false;
  bool left = false;
  while (std::optional<std::string> text = readInput(*lines, unfinished)) {
    lines->remember(*text);
    if (unfinished)
      session.runUnfinished(*text);
    else if (!session.run(*text)) {
      left = true;
      break;
    }
    os.flush();
    if (unfinished)
      break;
  }
  if (!left && !command.quiet)
    os << '\n';
  return status;
}

int main(int argc, char **argv) {
  static CommandLine command;
  const Tool tool{"rasp",
                  "The interactive shell of RASP.\n\n"
                  "  Without --eval it reads statements; `:help` says what "
                  "else.\n",
                  command.category, frontend::largeStackSize};
  return toolMain(argc, argv, tool, [&]() -> int {
    bool isEval = command.eval.getNumOccurrences() != 0;
    if (!isEval && (command.input.getNumOccurrences() ||
                    command.inputs.getNumOccurrences())) {
      toolError() << "--input and --inputs need --eval=EXPR\n";
      return commandIsWrong;
    }
    int status = 0;
    frontend::runWithLargeStack(
        [&] { status = isEval ? evaluate(command) : converse(command); });
    return status;
  });
}
