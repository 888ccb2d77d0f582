//===- backend/tools/shell/Session.cpp - the state of the shell -----------===//

#include "backend/tools/shell/Session.h"
#include "backend/tools/shell/Flow.h"
#include "backend/tools/shell/ReferenceRules.h"
#include "frontend/Library.h"
#include "frontend/Parser.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;
using namespace rasp::shell;
using frontend::Object;
using frontend::Variable;

Session::Session(llvm::raw_ostream &os, Settings settings,
                 frontend::Options options)
    : os(os), settings(std::move(settings)), display(os, this->settings),
      diags(sources), frontendOptions(std::move(options)),
      evaluator(program, diags, frontendOptions, this) {
  if (this->settings.causal)
    compileOptions.causal = true;
}

ast::Module Session::parse(llvm::StringRef text, llvm::StringRef name) {
  unsigned buffer = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, name), {});
  return frontend::parse(buffer, diags, context);
}

bool Session::breaksReferenceRule(llvm::StringRef text) {
  if (!settings.strict)
    return false;
  std::optional<BrokenRule> broken = findBrokenRule(text);
  if (broken)
    diags.emit({}, ir::diag::BadOption, broken->message).category = "syntax";
  return broken.has_value();
}

void Session::load(llvm::StringRef path) {
  if (settings.strict)
    if (auto buffer = llvm::MemoryBuffer::getFile(path);
        buffer && breaksReferenceRule((*buffer)->getBuffer()))
      return flush();
  path.consume_back(".rasp");
  auto *load = context.create<ast::Load>({});
  llvm::ArrayRef<char> copy =
      context.copy(llvm::ArrayRef(path.begin(), path.end()));
  load->path = {copy.data(), copy.size()};
  runStatement(load);
}

bool Session::run(llvm::StringRef text) {
  if (text.trim().starts_with(":")) {
    colonCommand(text.trim().drop_front());
    flush();
    return true;
  }
  ast::Module module = parse(text, "<console>");
  if (module.hasErrors || breaksReferenceRule(text)) {
    flush();
    return true;
  }
  for (const ast::Statement *statement : module.statements)
    if (!runStatement(statement))
      return false;
  return true;
}

void Session::runUnfinished(llvm::StringRef text) {
  if (!settings.strict)
    run(text);
}

bool Session::runStatement(const ast::Statement *statement) {
  auto *shell = llvm::dyn_cast<ast::Shell>(statement);
  if (shell && shell->command == ast::Shell::Leave)
    return false;
  current = statement;
  isLoading = llvm::isa<ast::Load>(statement);
  errorsInFile = wasApplied = false;
  history.clear();
  bool good = evaluator.run(statement);
  flush();
  current = nullptr;
  isLoading = false;

  if (good && statement->range.isValid() &&
      llvm::isa<ast::Assign, ast::Define, ast::Loop, ast::Load>(statement))
    programText += std::string(statement->range.Start.getPointer(),
                               statement->range.End.getPointer()) +
                   "\n";
  return true;
}

// ---- What statements do ----

/// The ops in a value.
static void collect(const Object &object,
                    llvm::SetVector<const ir::Node *> &nodes) {
  if (object.isSop() || object.isSelector()) {
    nodes.insert(object.node());
  } else if (object.isList()) {
    for (const Object &item : object.list().items)
      collect(item, nodes);
  } else if (object.isDict()) {
    for (const Object &item : object.dict().values)
      collect(item, nodes);
  }
}

bool Session::accept(const frontend::Effects &effects) {
  // An application works if it does on its own input, and has been shown.
  if (wasApplied && llvm::isa<ast::Evaluate>(effects.statement)) {
    wasApplied = false;
    return true;
  }
  llvm::SetVector<const ir::Node *> roots;
  const std::deque<ir::Node> &nodes = program.nodes();
  for (size_t i = effects.firstNode; i < nodes.size(); ++i)
    roots.insert(&nodes[i]);
  collect(effects.out, roots);
  for (const Variable *variable : effects.assigned)
    collect(variable->value, roots);
  if (!tryOut(roots.getArrayRef()))
    return false;

  if (effects.statement == current) {
    flush();
    if (auto *evaluate = llvm::dyn_cast<ast::Evaluate>(current)) {
      auto *name = llvm::dyn_cast<ast::Name>(evaluate->value);
      display.show(name ? name->name : "out", effects.out);
    }
    for (const Variable *variable : effects.assigned)
      display.show(variable->name, variable->value);
  } else if (isLoading) {
    for (const Variable *variable : effects.assigned)
      if (!variable->name.starts_with("_"))
        history.emplace_back(variable->name.str(), variable->value);
  }
  return true;
}

bool Session::tryOut(llvm::ArrayRef<const ir::Node *> candidates) {
  llvm::SmallVector<const ir::Node *> roots;
  for (const ir::Node *node : candidates)
    if (!tried.contains(node))
      roots.push_back(node);
  if (roots.empty() || settings.sopExample.items.empty())
    return true;
  ir::Interpreter interpreter(roots, {settings.causal});
  ir::Interpreter::State state(interpreter);
  const ir::EvalFailure *first = nullptr;
  for (const ir::RootResult &result :
       interpreter.run(settings.sopExample.items, state))
    if (!result && (!first || result.failure->node->id() < first->node->id()))
      first = result.failure;
  if (first) {
    reportFailure(*first);
    return false;
  }
  tried.insert(roots.begin(), roots.end());
  return true;
}

/// Points at the op, in the text of the console if it is there.
void Session::reportFailure(const ir::EvalFailure &failure) {
  llvm::SMRange place;
  unsigned newest = 0;
  for (llvm::SMRange range : failure.node->ranges()) {
    if (!range.isValid())
      continue;
    unsigned buffer = sources.FindBufferContainingLoc(range.Start);
    if (buffer > newest) {
      newest = buffer;
      place = range;
    }
  }
  diags.emit(place, ir::diag::OperationFails, failure.message()).category =
      ir::categoryName(failure.failure);
}

std::optional<Input> Session::inputFrom(const Object &object,
                                        llvm::SMRange range) {
  std::optional<Input> input = Input::from(object);
  if (!input)
    diags
        .emit(range, ir::diag::BadOption,
              object.describe() + " used as an input; a string, a list of "
                                  "atoms or a dict is needed")
        .category = "rasp-type";
  return input;
}

std::optional<Result> Session::resultOn(const ir::Node *node,
                                        const Input &input,
                                        llvm::SMRange range) {
  if (input.items.empty()) {
    diags
        .emit(range, ir::diag::BadOption,
              "the input is empty, at least one token is needed")
        .category = "rasp-type";
    return std::nullopt;
  }
  Result result = evaluate(node, input, settings.causal);
  if (result)
    return result;
  reportFailure(*result.failure);
  return std::nullopt;
}

void Session::apply(const ast::Call &call, const Object &callee,
                    const Object &object) {
  auto *statement = llvm::dyn_cast_or_null<ast::Evaluate>(current);
  wasApplied = true;
  if (!isLoading && !(statement && statement->value == &call))
    return; // a loop, which prints nothing
  llvm::SMRange range = call.arguments.front()->range;
  std::optional<Input> input = inputFrom(object, range);
  if (!input)
    return;
  if (std::optional<Result> result = resultOn(callee.node(), *input, range)) {
    flush();
    display.showApplied(callee.node(), *input, *result);
  }
}

void Session::draw(const ast::Draw &draw, const Object &sop,
                   const Object *object) {
  if (!isLoading && current != &draw)
    return;
  llvm::SMRange range = object ? draw.input->range : draw.range;
  std::optional<Input> input = settings.sopExample;
  if (object)
    input = inputFrom(*object, range);
  if (!input)
    return;
  std::optional<Result> result = resultOn(sop.node(), *input, range);
  if (!result)
    return;
  flush();
  display.showApplied(sop.node(), *input, *result);
  auto *name = llvm::dyn_cast<ast::Name>(draw.value);
  std::string title = name ? name->name.str() : nameOf(sop.node());
  llvm::Expected<std::string> path =
      writeDrawing(sop.node(), title, *input, settings.causal);
  if (!path) {
    diags
        .emit(draw.range, ir::diag::BadOption, llvm::toString(path.takeError()))
        .category = "load";
    return;
  }
  os << "\t drawn in " << *path << '\n';
}

void Session::loaded(const ast::Load &load,
                     llvm::ArrayRef<const Variable *> exported) {
  if (&load != current)
    return; // a file that the file loads
  flush();
  if (errorsInFile)
    for (const auto &[name, value] : history)
      display.show(name, value, /*withExamples=*/false);
  else
    for (const Variable *variable : exported)
      display.show(variable->name, variable->value, /*withExamples=*/false);
}

// ---- Commands of the language ----

void Session::command(const ast::Shell &command, const Object &object) {
  auto toggle = [&](bool &sop, bool &selector) {
    if (command.example != ast::Shell::Selector)
      sop = command.on;
    if (command.example != ast::Shell::Sop)
      selector = command.on;
  };
  switch (command.command) {
  case ast::Shell::SetExample: {
    std::optional<Input> input = inputFrom(object, command.input->range);
    if (!input)
      return;
    if (command.example != ast::Shell::Selector)
      settings.sopExample = *input;
    if (command.example != ast::Shell::Sop)
      settings.selectorExample = *input;
    tried.clear();
    return;
  }
  case ast::Shell::ShowExample:
    flush();
    return showExamples(command.example);
  case ast::Shell::ToggleExamples:
    return toggle(settings.sopExamples, settings.selectorExamples);
  case ast::Shell::ToggleFullDisplay:
    settings.fullDisplay = command.on;
    return;
  case ast::Shell::Leave:
    return; // whoever runs the statements leaves
  }
}

void Session::showExamples(ast::Shell::Example which) {
  if (which != ast::Shell::Selector)
    os << "\ts-op example: " << settings.sopExample.str() << '\n';
  if (which != ast::Shell::Sop)
    os << "\tselector example: " << settings.selectorExample.str() << '\n';
}

std::vector<std::string> Session::completions() const {
  std::vector<std::string> all;
  for (llvm::StringRef name : evaluator.names())
    all.push_back(name.str());
  for (llvm::StringRef word :
       {"aggregate(", "and",      "def",        "draw(",   "else",
        "example",    "examples", "exit",       "for",     "full seq display",
        "if",         "in",       "indicator(", "len(",    "load",
        "not",        "off",      "on",         "or",      "quit",
        "range(",     "return",   "round(",     "select(", "selector",
        "set",        "show",     "s-op",       "tokens",  "zip("})
    all.push_back(word.str());
  for (llvm::StringRef name : commandNames())
    all.push_back((":" + name).str());
  llvm::sort(all);
  all.erase(llvm::unique(all), all.end());
  return all;
}
