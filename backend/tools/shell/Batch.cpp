//===- backend/tools/shell/Batch.cpp - one expression, many inputs --------===//

#include "backend/tools/shell/Batch.h"
#include "backend/tools/shell/ReferenceRules.h"
#include "frontend/ErrorCategory.h"
#include "frontend/Evaluator.h"
#include "frontend/Parser.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MemoryBuffer.h"
#include <atomic>
#include <thread>

using namespace rasp;
using namespace rasp::shell;
using frontend::Object;

static std::string errorJSON(llvm::StringRef category,
                             llvm::StringRef message) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\"kind\":\"error\",\"category\":\"" << category << "\",\"message\":";
  ir::printQuoted(os, message);
  os << "}";
  return text;
}

template <typename Range, typename Print>
static void printList(llvm::raw_ostream &os, const Range &items, Print print) {
  os << '[';
  llvm::interleave(items, os, print, ",");
  os << ']';
}

/// Lists and dicts as JSON as far as JSON can hold them.
static void printJSON(llvm::raw_ostream &os, const Object &object) {
  if (object.isAtom()) {
    object.atom().printJSON(os);
  } else if (object.isList()) {
    printList(os, object.list().items,
              [&](const Object &item) { printJSON(os, item); });
  } else if (object.isDict()) {
    printList(os, llvm::zip_equal(object.dict().keys, object.dict().values),
              [&](auto entry) {
                auto &[key, value] = entry;
                os << '[';
                key.printJSON(os);
                os << ',';
                printJSON(os, value);
                os << ']';
              });
  } else {
    ir::printQuoted(os, object.describe());
  }
}

static std::string constantJSON(const Object &object) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\"kind\":\"" << (object.isAtom() ? "atom" : object.kindName())
     << "\",\"type\":\"" << object.kindName() << "\",\"value\":";
  printJSON(os, object);
  os << '}';
  return text;
}

static std::string resultJSON(const ir::RootResult &result, bool isSelector) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (isSelector) {
    os << "{\"kind\":\"selector\",\"type\":\"bool\",\"value\":";
    auto indices = llvm::seq(0u, result.matrix.size());
    printList(os, indices, [&](unsigned q) {
      printList(os, indices,
                [&](unsigned k) { os << int(result.matrix.get(q, k)); });
    });
  } else {
    os << "{\"kind\":\"sop\",\"type\":\"" << ir::kindName(result.kind)
       << "\",\"value\":";
    printList(os, result.values,
              [&](const ir::Value &value) { value.printJSON(os); });
  }
  os << '}';
  return text;
}

namespace {

/// Answers inputs on all cores.
class Runner {
public:
  Runner(const ir::Program &program, const Object &object, bool causal)
      : object(object), roots(rootsOf(program)), interpreter(roots, {causal}) {}

  /// Thread-safe.
  std::string answer(const Input &input, ir::Interpreter::State &state) const {
    if (input.items.empty())
      return errorJSON("rasp-type",
                       "the input is empty, at least one token is needed");
    llvm::ArrayRef<ir::RootResult> results =
        interpreter.run(input.items, state);
    for (const ir::RootResult &result : results)
      if (!result)
        return errorJSON(ir::categoryName(result.failure->failure),
                         result.failure->message());
    if (!object.isSop() && !object.isSelector())
      return constantJSON(object);
    return resultJSON(results[object.node()->id()], object.isSelector());
  }

  std::vector<std::string> run(std::vector<llvm::Expected<Input>> &inputs,
                               bool &good) const {
    std::vector<std::string> answers(inputs.size());
    std::atomic<size_t> next{0};
    std::atomic<bool> anyError{false};
    auto work = [&] {
      ir::Interpreter::State state(interpreter);
      for (size_t i; (i = next++) < inputs.size();) {
        if (inputs[i])
          answers[i] = answer(*inputs[i], state);
        else
          answers[i] =
              errorJSON("input", llvm::toString(inputs[i].takeError()));
        if (llvm::StringRef(answers[i]).starts_with("{\"kind\":\"error\""))
          anyError = true;
      }
    };
    size_t count =
        std::min<size_t>(inputs.size(), std::thread::hardware_concurrency());
    std::vector<std::thread> threads;
    for (size_t i = 1; i < count; ++i)
      threads.emplace_back(work);
    work();
    for (std::thread &thread : threads)
      thread.join();
    good = !anyError;
    return answers;
  }

private:
  static std::vector<const ir::Node *> rootsOf(const ir::Program &program) {
    std::vector<const ir::Node *> nodes;
    for (const ir::Node &node : program.nodes())
      nodes.push_back(&node);
    return nodes;
  }

  const Object &object;
  std::vector<const ir::Node *> roots;
  ir::Interpreter interpreter;
};

} // namespace

bool shell::runBatch(const BatchRequest &request,
                     std::vector<llvm::Expected<Input>> inputs,
                     llvm::raw_ostream &os,
                     llvm::function_ref<void(const ir::Diagnostics &)> tell) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources, request.policy);
  ir::Program program;
  ast::Context context;
  auto parse = [&](llvm::StringRef text, llvm::StringRef name) {
    unsigned buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, name), {});
    return frontend::parse(buffer, diags, context);
  };
  frontend::Evaluator evaluator(program, diags, request.options);
  evaluator.run(parse(request.programText, request.programName));
  if (request.strict)
    if (std::optional<BrokenRule> broken = findBrokenRule(request.programText))
      diags.emit({}, ir::diag::BadOption, broken->message).category = "syntax";
  Object object;
  ast::Module module = parse(request.expression + ";", "<eval>");
  auto *evaluate = module.statements.size() == 1
                       ? llvm::dyn_cast<ast::Evaluate>(module.statements[0])
                       : nullptr;
  if (evaluate)
    object = evaluator.value(evaluate->value);
  tell(diags);

  const ir::Diagnostic *error = nullptr;
  for (const ir::Diagnostic &diagnostic : diags.all())
    if (!error && diagnostic.severity == ir::Severity::Error)
      error = &diagnostic;
  std::string failure;
  if (error)
    failure = errorJSON(frontend::categoryOf(*error), error->message);
  else if (!evaluate)
    failure = errorJSON("syntax",
                        "`" + request.expression + "` is no single expression");
  if (!failure.empty()) {
    for (llvm::Expected<Input> &input : inputs) {
      llvm::consumeError(input.takeError());
      os << failure << '\n';
    }
    return false;
  }
  bool good = true;
  for (const std::string &answer :
       Runner(program, object, request.causal).run(inputs, good))
    os << answer << '\n';
  return good;
}
