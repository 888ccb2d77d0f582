//===- frontend/EvaluateStatements.cpp - statements -----------------------===//

#include "frontend/Evaluator.h"
#include "frontend/Library.h"
#include "frontend/Parser.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace rasp;
using namespace rasp::frontend;

void Evaluator::execute(const ast::Statement *statement) {
  if (stopped || !spend(1, statement->range))
    return;
  if (host && scope->kind == Environment::File)
    performForHost(statement);
  else
    perform(statement);
}

/// An error undoes what the statement did to the console; in a file, the names
/// are error values from then on.
void Evaluator::performForHost(const ast::Statement *statement) {
  unsigned errors = diags.errorCount();
  unsigned orderBefore = order;
  Effects effects{statement, program.nodes().size()};
  std::optional<Environment> before;
  bool isCompound = llvm::isa<ast::Loop, ast::Load>(statement);
  if (scope == &global && !isCompound)
    before = global;
  perform(statement);
  if (isCompound)
    return;

  for (const Variable &variable : scope->all())
    if (variable.order > orderBefore)
      effects.assigned.push_back(&variable);
  llvm::sort(effects.assigned, [](const Variable *a, const Variable *b) {
    return a->order < b->order;
  });
  if (diags.errorCount() == errors) {
    if (!llvm::isa<ast::Assign, ast::Define, ast::Evaluate>(statement))
      return;
    if (Variable *out = scope->find("out"))
      effects.out = out->value;
    if (host->accept(effects))
      return;
  }
  stopped = true;
  if (before) {
    before->captured |= global.captured;
    global = std::move(*before);
    return;
  }
  for (const Variable *variable : effects.assigned)
    scope->get(variable->name).value = Object();
}

void Evaluator::perform(const ast::Statement *statement) {
  switch (statement->kind) {
  case ast::Kind::Assign:
    return execute(llvm::cast<ast::Assign>(statement));
  case ast::Kind::Evaluate:
    return execute(llvm::cast<ast::Evaluate>(statement));
  case ast::Kind::Define:
    return execute(llvm::cast<ast::Define>(statement));
  case ast::Kind::Loop:
    return execute(llvm::cast<ast::Loop>(statement));
  case ast::Kind::Load:
    return execute(llvm::cast<ast::Load>(statement));
  case ast::Kind::Draw:
    return execute(llvm::cast<ast::Draw>(statement));
  case ast::Kind::Broken:
    return execute(llvm::cast<ast::Broken>(statement));
  case ast::Kind::Shell:
    return execute(llvm::cast<ast::Shell>(statement));
  default:
    llvm_unreachable("no statement");
  }
}

// ---- Assignment ----

/// Reports names that can't be assigned.
bool Evaluator::isReserved(const ast::Identifier &target) {
  llvm::StringRef name = target.name;
  llvm::StringRef what;
  if (llvm::is_contained(constantNames, name))
    what = "built in";
  else if (name == "range" || name == "zip" || name == "len" || name == "get")
    what = "a word of the language";
  else if (name == "out")
    what = "the value of the last expression";
  else if (scope->kind == Environment::File && base.find(name))
    what = "a name of the standard library";
  else
    return false;
  report(target.range, ir::diag::ReservedName, name, what);
  return true;
}

void Evaluator::assign(const ast::Identifier &target, Object value) {
  if (isReserved(target))
    return;
  if ((value.isSop() || value.isSelector()) &&
      !ir::isLeaf(value.node()->kind())) {
    if (scope->kind == Environment::File)
      program.setName(value.node(), target.name);
    else if (!libraryCall.isValid())
      localNames.push_back({value.node(), target.name});
  }
  Variable &variable = scope->get(target.name);
  variable.value = std::move(value);
  variable.range = target.range;
  variable.order = ++order;
}

/// `out` is the last value of the scope.
void Evaluator::setOut(const Object &value) { scope->get("out").value = value; }

void Evaluator::execute(const ast::Assign *assign) {
  std::vector<Object> values;
  for (const ast::Expression *value : assign->values)
    values.push_back(evaluate(value));
  ast::Identifiers targets = assign->targets;

  if (targets.size() == 1) {
    Object value = values.size() == 1
                       ? std::move(values.front())
                       : makeList(std::move(values), assign->range);
    setOut(value);
    return this->assign(targets.front(), std::move(value));
  }

  if (values.size() == 1) {
    setOut(values.front());
    std::optional<std::vector<Object>> parts =
        unpack(values.front(), targets.size(), assign->values.front());
    values = parts ? std::move(*parts) : std::vector<Object>(targets.size());
  } else if (values.size() != targets.size()) {
    report(
        {assign->values.front()->range.Start, assign->values.back()->range.End},
        ir::diag::UnpackCount, ir::counted(values.size(), "value"),
        ir::counted(targets.size(), "name"));
    values.assign(targets.size(), Object());
  } else {
    setOut(makeList(values, assign->range));
  }
  for (auto [target, value] : llvm::zip_equal(targets, values))
    this->assign(target, value);
}

std::optional<std::vector<Object>>
Evaluator::unpack(const Object &object, size_t count,
                  const ast::Expression *from) {
  std::vector<Object> parts;
  if (object.isList()) {
    parts = object.list().items;
  } else if (object.isDict()) {
    parts.assign(object.dict().keys.begin(), object.dict().keys.end());
  } else if (object.isAtom() && object.atom().isString()) {
    for (llvm::StringRef character : characters(object.atom().asString()))
      parts.push_back(ir::Value::string(character));
  } else {
    if (!object.isError())
      report(from->range, ir::diag::NotUnpackable, subject(from, object),
             ir::counted(count, "name"));
    return std::nullopt;
  }
  if (parts.size() == count)
    return parts;
  report(from->range, ir::diag::UnpackCount, ir::counted(parts.size(), "value"),
         ir::counted(count, "name"));
  return std::nullopt;
}

void Evaluator::execute(const ast::Evaluate *evaluate) {
  auto *call = llvm::dyn_cast<ast::Call>(evaluate->value);
  Object value = call ? this->evaluate(call, /*asStatement=*/true)
                      : this->evaluate(evaluate->value);
  if (!host || !value.isError())
    setOut(value);
}

void Evaluator::execute(const ast::Define *define) {
  for (Environment *captured = scope; captured && !captured->captured;
       captured = captured->parent)
    captured->captured = true;
  functions.push_back(
      {define->function.name, define, scope, libraryCall.isValid()});
  assign(define->function, &functions.back());
}

void Evaluator::execute(const ast::Broken *broken) {
  incomplete |= broken->loads;
  for (const ast::Identifier &target : broken->targets) {
    Variable &variable = scope->get(target.name);
    variable.value = Object();
    variable.range = target.range;
    variable.order = ++order;
  }
}

// ---- Loops ----

std::optional<std::vector<Object>>
Evaluator::items(const ast::Expression *iterable) {
  Object object = evaluate(iterable);
  if (object.isList())
    return object.list().items;
  if (object.isDict())
    return std::vector<Object>(object.dict().keys.begin(),
                               object.dict().keys.end());
  if (!object.isError() &&
      report(iterable->range, ir::diag::NotIterable, subject(iterable, object)))
    noteDefinition(iterable, object);
  return std::nullopt;
}

bool Evaluator::assignItem(ast::Identifiers targets, const Object &item,
                           const ast::Expression *from) {
  if (targets.size() == 1) {
    assign(targets.front(), item);
    return true;
  }
  std::optional<std::vector<Object>> parts;
  if (!item.isError())
    parts = unpack(item, targets.size(), from);
  for (auto [i, target] : llvm::enumerate(targets))
    assign(target, parts ? (*parts)[i] : Object());
  return parts.has_value();
}

void Evaluator::execute(const ast::Loop *loop) {
  std::optional<std::vector<Object>> items = this->items(loop->iterable);
  if (!items) {
    // The body is not run; what it would define is an error value.
    for (const ast::Identifier &variable : loop->variables)
      assign(variable, Object());
    for (const ast::Statement *statement : loop->body)
      if (auto *inner = llvm::dyn_cast<ast::Assign>(statement))
        for (const ast::Identifier &target : inner->targets)
          assign(target, Object());
    return;
  }
  for (const Object &item : *items) {
    if (stopped)
      return;
    assignItem(loop->variables, item, loop->iterable);
    for (const ast::Statement *statement : loop->body)
      execute(statement);
  }
}

// ---- Files ----

/// The parsed file, or null if there is none; `file` tells it from others,
/// however its path is written.
const ast::Module *Evaluator::loadModule(const ast::Load *load,
                                         llvm::sys::fs::UniqueID &file) {
  llvm::SourceMgr &sources = diags.sourceMgr();
  unsigned here = sources.FindBufferContainingLoc(load->range.Start);
  llvm::SmallVector<std::string> folders{""};
  if (here)
    folders.push_back(llvm::sys::path::parent_path(
                          sources.getMemoryBuffer(here)->getBufferIdentifier())
                          .str());
  folders.append(options.includeDirs.begin(), options.includeDirs.end());

  for (const std::string &folder : folders) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, load->path + ".rasp");
    if (!llvm::sys::fs::is_regular_file(path) ||
        llvm::sys::fs::getUniqueID(path, file))
      continue;
    auto known = modules.find(file);
    if (known != modules.end())
      return &known->second;
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      continue;
    unsigned id =
        sources.AddNewSourceBuffer(std::move(*buffer), load->range.Start);
    return &modules.emplace(file, parse(id, diags, arena)).first->second;
  }
  report(load->pathRange, ir::diag::LoadMissing, load->path);
  return nullptr;
}

void Evaluator::execute(const ast::Load *load) {
  llvm::sys::fs::UniqueID id;
  const ast::Module *module = loadModule(load, id);
  if (!module) {
    incomplete = true;
    return;
  }
  if (llvm::is_contained(loading, id)) {
    report(load->pathRange, ir::diag::LoadCycle, load->path);
    return;
  }

  kept.push_back(std::make_unique<Environment>(Environment::File, &base,
                                               load->path.str()));
  Environment &file = *kept.back();
  loading.push_back(id);
  {
    llvm::SaveAndRestore<Environment *> inFile(scope, &file);
    for (const ast::Statement *statement : module->statements) {
      // `exit` in a file ends the file.
      auto *shell = llvm::dyn_cast<ast::Shell>(statement);
      if (shell && shell->command == ast::Shell::Leave)
        break;
      if (host)
        stopped = false;
      execute(statement);
    }
  }
  loading.pop_back();
  if (host)
    stopped = false;

  std::vector<const Variable *> exported;
  for (const Variable &variable : file.all())
    if (!variable.name.starts_with("_") && variable.name != "out" &&
        !(host && variable.value.isError()))
      exported.push_back(&variable);
  llvm::sort(exported, [](const Variable *a, const Variable *b) {
    return a->order < b->order;
  });
  for (const Variable *variable : exported)
    assign({variable->name, variable->range}, variable->value);
  if (host)
    host->loaded(*load, exported);
}

// ---- The shell ----

void Evaluator::execute(const ast::Draw *draw) {
  Object value = evaluate(draw->value);
  if (!value.isSop())
    failOn(draw->value, value, ir::diag::SopExpected);
  std::optional<Object> input;
  if (draw->input)
    input = evaluate(draw->input);
  if (host && value.isSop() && !(input && input->isError()))
    host->draw(*draw, value, input ? &*input : nullptr);
}

/// A compiled program skips the commands.
void Evaluator::execute(const ast::Shell *command) {
  if (!host)
    return;
  Object input;
  if (command->input) {
    input = evaluate(command->input);
    if (input.isError())
      return;
  }
  host->command(*command, input);
}
