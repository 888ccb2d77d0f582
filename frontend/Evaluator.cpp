//===- frontend/Evaluator.cpp - state and messages of the evaluator -------===//

#include "frontend/Evaluator.h"
#include "frontend/Library.h"
#include "frontend/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace rasp;
using namespace rasp::frontend;

Evaluator::Evaluator(ir::Program &program, ir::Diagnostics &diags,
                     Options options, Host *host)
    : program(program), diags(diags), options(std::move(options)), host(host),
      base(Environment::Library, nullptr, "library"),
      internal(Environment::Library, &base, "library"),
      global(Environment::File, &base, "console"), scope(&internal) {
  auto addNative = [&](Environment &where, llvm::StringRef name,
                       Native native) {
    functions.push_back({name, nullptr, &internal, true, native});
    where.get(name).value = &functions.back();
  };
  addNative(base, "selector_width", Native::SelectorWidth);
  addNative(internal, "_is_atom", Native::IsAtom);

  static const std::vector<LibraryDefinition> definitions =
      libraryDefinitions();
  for (const LibraryDefinition &definition : definitions)
    base.get(definition.name).definition = definition.text;
  scope = &global;
}

Evaluator::~Evaluator() = default;

void Evaluator::define(Variable &variable) {
  ir::Diagnostics libraryDiags(librarySources);
  unsigned buffer = librarySources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(variable.definition,
                                       "the standard library",
                                       /*RequiresNullTerminator=*/false),
      {});
  ast::Module read = parse(buffer, libraryDiags, arena);
  assert(!read.hasErrors && read.statements.size() == 1 &&
         "the library is right");
  const ast::Statement *statement = read.statements.front();
  if (auto *define = llvm::dyn_cast<ast::Define>(statement)) {
    functions.push_back({variable.name, define, &internal, true});
    variable.value = &functions.back();
  } else {
    variable.deferred = llvm::cast<ast::Assign>(statement)->values.front();
  }
  variable.definition = {};
}

void Evaluator::run(const ast::Module &module) {
  for (const ast::Statement *statement : module.statements)
    run(statement);
}

void Evaluator::startStatement() {
  stopped = false;
  reported.clear();
  if (!host)
    return;
  exhausted = incomplete = false;
  steps = 0;
  unknownNames.clear();
}

bool Evaluator::run(const ast::Statement *statement) {
  unsigned before = diags.errorCount();
  startStatement();
  if (exhausted)
    return false;
  execute(statement);
  nameLocals();
  return diags.errorCount() == before;
}

Object Evaluator::value(const ast::Expression *expression) {
  unsigned before = diags.errorCount();
  startStatement();
  Object result = evaluate(expression);
  nameLocals();
  return diags.errorCount() == before ? result : Object();
}

/// What is assigned to a top-level name is called that; only then do names
/// inside functions count.
void Evaluator::nameLocals() {
  for (auto [node, name] : localNames)
    program.setName(node, name);
  localNames.clear();
}

static std::optional<Binding> toBinding(const Variable &variable) {
  Binding binding;
  binding.name = variable.name.str();
  binding.range = variable.range;
  const Object &value = variable.value;
  if (value.isError())
    return std::nullopt;
  if (value.isSop() || value.isSelector()) {
    binding.kind = value.isSop() ? BindingKind::Sop : BindingKind::Selector;
    binding.node = value.node();
  } else if (value.isAtom()) {
    binding.kind = BindingKind::Atom;
    binding.atom = value.atom();
  } else {
    binding.kind = value.isList()   ? BindingKind::List
                   : value.isDict() ? BindingKind::Dict
                                    : BindingKind::Function;
  }
  return binding;
}

Evaluation Evaluator::result() const {
  std::vector<const Variable *> variables;
  for (const Variable &variable : global.all())
    if (variable.name != "out")
      variables.push_back(&variable);
  llvm::sort(variables, [](const Variable *a, const Variable *b) {
    return a->order < b->order;
  });
  Evaluation evaluation;
  for (const Variable *variable : variables)
    if (std::optional<Binding> binding = toBinding(*variable))
      evaluation.bindings.push_back(std::move(*binding));
  return evaluation;
}

std::vector<llvm::StringRef> Evaluator::names() const {
  std::vector<llvm::StringRef> all(std::begin(constantNames),
                                   std::end(constantNames));
  for (const Environment *environment : {&base, &global})
    for (const Variable &variable : environment->all())
      all.push_back(variable.name);
  llvm::sort(all);
  all.erase(llvm::unique(all), all.end());
  return all;
}

// ---- Messages ----

bool Evaluator::isFirstReport(llvm::SMRange range, llvm::StringRef kind) {
  if (exhausted)
    return false;
  if (diags.errorCount() >= maxErrors) {
    diags.emit(range, ir::diag::TooManyErrors, diags.errorCount());
    stopped = exhausted = true;
    return false;
  }
  return reported.insert({range.Start.getPointer(), kind.data()}).second;
}

/// Says which calls led here, the innermost first.
void Evaluator::noteCalls() {
  constexpr unsigned maxNotes = 3;
  unsigned notes = 0;
  llvm::SMLoc last;
  for (const Frame &frame : llvm::reverse(frames)) {
    if (frame.function->fromLibrary || frame.call.Start == last)
      continue;
    if (notes++ == maxNotes)
      return;
    diags.emit(frame.call, ir::diag::CalledHere, frame.function->name);
    last = frame.call.Start;
  }
}

std::string Evaluator::subject(const ast::Expression *expression,
                               const Object &object) {
  auto *name = llvm::dyn_cast<ast::Name>(expression);
  if (!name)
    return object.describe();
  return (object.kindName() + " `" + name->name + "`").str();
}

/// "an s-op", "an int"
static bool takesAn(const Object &object) {
  return object.isSop() || (object.isAtom() && object.atom().isInt());
}

void Evaluator::noteDefinition(const ast::Expression *expression,
                               const Object &object) {
  auto *name = llvm::dyn_cast<ast::Name>(expression);
  if (!name)
    return;
  Environment *where = library.site ? library.scope : scope;
  Variable *variable = where->lookup(name->name);
  if (variable && variable->range.isValid())
    diags.emit(
        variable->range, ir::diag::DefinedHere, name->name,
        ((takesAn(object) ? " as an " : " as a ") + object.kindName()).str());
}

/// What the user wrote for an expression of the library: the argument, if it
/// names a parameter of the function that the user called.
const ast::Expression *
Evaluator::inUserText(const ast::Expression *expression) const {
  if (!library.site || frames.size() != library.depth)
    return nullptr;
  const ast::Define *definition = frames.back().function->definition;
  if (!definition)
    return expression; // a native function knows only its arguments
  auto *name = llvm::dyn_cast<ast::Name>(expression);
  if (name)
    for (auto [parameter, argument] :
         llvm::zip_equal(definition->parameters, library.site->arguments))
      if (parameter.name == name->name)
        return argument;
  return nullptr;
}

Object Evaluator::failOn(const ast::Expression *expression,
                         const Object &object,
                         const ir::DiagKind<std::string> &kind) {
  if (object.isError())
    return {};
  if (!libraryCall.isValid()) {
    if (report(expression->range, kind, subject(expression, object)))
      noteDefinition(expression, object);
    return {};
  }
  const ast::Expression *argument = inUserText(expression);
  if (!argument)
    return fail(libraryCall, kind, object.describe());
  llvm::SaveAndRestore<llvm::SMRange> at(libraryCall, argument->range);
  if (report(libraryCall, kind, subject(argument, object)))
    noteDefinition(argument, object);
  return {};
}

bool Evaluator::spend(size_t count, llvm::SMRange range) {
  if (exhausted)
    return false;
  steps += count;
  if (steps <= maxSteps && program.nodes().size() <= maxNodes)
    return true;
  if (steps > maxSteps)
    report(range, ir::diag::TooManySteps, maxSteps / million);
  else
    report(range, ir::diag::ProgramTooLarge, maxNodes / million);
  stopped = exhausted = true;
  return false;
}

const ir::Node *Evaluator::toSop(const ast::Expression *expression,
                                 const Object &object) {
  if (object.isAtom())
    return program.constant(object.atom(), place(expression->range));
  if (object.isSop())
    return object.node();
  failOn(expression, object,
         object.isSelector() ? ir::diag::SelectorAsValue : ir::diag::NotAValue);
  return nullptr;
}

const ir::Node *Evaluator::toSelector(const ast::Expression *expression,
                                      const Object &object) {
  if (object.isSelector())
    return object.node();
  failOn(expression, object, ir::diag::ValueAsSelector);
  return nullptr;
}
