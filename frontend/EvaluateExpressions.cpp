//===- frontend/EvaluateExpressions.cpp - names, containers, calls --------===//

#include "frontend/Evaluator.h"
#include "frontend/Library.h"
#include "ir/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/SaveAndRestore.h"
#include <utility>

using namespace rasp;
using namespace rasp::frontend;
using ir::OpKind;

Object Evaluator::evaluate(const ast::Expression *expression) {
  if (stopped || !spend(1, expression->range))
    return {};
  if (depth == maxDepth) {
    stopped = true;
    return fail(expression->range, ir::diag::NestedTooDeep, maxDepth);
  }
  ++depth;
  Object result = dispatch(expression);
  --depth;
  return result;
}

Object Evaluator::dispatch(const ast::Expression *expression) {
  switch (expression->kind) {
  case ast::Kind::Literal:
    return llvm::cast<ast::Literal>(expression)->value;
  case ast::Kind::Call:
    return evaluate(llvm::cast<ast::Call>(expression), /*asStatement=*/false);
#define CASE(Node)                                                             \
  case ast::Kind::Node:                                                        \
    return evaluate(llvm::cast<ast::Node>(expression));
    CASE(Name)
    CASE(List)
    CASE(Dict)
    CASE(ListComprehension)
    CASE(DictComprehension)
    CASE(Unary)
    CASE(Binary)
    CASE(Ternary)
    CASE(Index)
    CASE(Select)
    CASE(Aggregate)
    CASE(Range)
    CASE(Zip)
    CASE(Len)
#undef CASE
  default:
    llvm_unreachable("no expression");
  }
}

// ---- Names ----

std::optional<Object> Evaluator::lookup(llvm::StringRef name) {
  if (Variable *variable = scope->lookup(name)) {
    if (!variable->definition.empty())
      define(*variable);
    if (!variable->deferred)
      return variable->value;
    llvm::SaveAndRestore<Environment *> inLibrary(scope, &internal);
    Object value = evaluate(variable->deferred);
    if (!value.isError())
      program.setName(value.node(), name);
    return value;
  }
  if (name == "True" || name == "False")
    return ir::Value::boolean(name == "True");
  if (std::optional<OpKind> leaf = leafCalled(name))
    return program.leaf(*leaf, libraryCall);
  return std::nullopt;
}

Object Evaluator::evaluate(const ast::Name *name) {
  // Leaves and the library's own variables come from where they are named.
  std::optional<Object> value;
  {
    llvm::SaveAndRestore<llvm::SMRange> from(libraryCall, place(name->range));
    value = lookup(name->name);
  }
  return value ? std::move(*value) : unknownName(name);
}

Object Evaluator::unknownName(const ast::Name *name) {
  if (incomplete)
    return {};
  ir::NearestName nearest(name->name);
  for (Environment *outer = scope; outer; outer = outer->parent)
    for (const Variable &variable : outer->all())
      if (variable.name != "out")
        nearest.consider(variable.name);
  for (llvm::StringRef constant : constantNames)
    nearest.consider(constant);
  for (llvm::StringRef word : {"tokens", "aggregate", "select", "range", "zip",
                               "len", "round", "indicator"})
    nearest.consider(word);

  // A typo is reported wherever it is, a missing definition once.
  if (nearest.name().empty() && !unknownNames.insert(name->name).second)
    return {};
  if (isFirstReport(place(name->range), ir::diag::UnknownName.name)) {
    diags
        .emit(place(name->range), ir::diag::UnknownName, name->name,
              nearest.question())
        .fixIt = nearest.name();
    noteCalls();
  }
  return {};
}

// ---- Containers ----

Object Evaluator::makeList(std::vector<Object> items, llvm::SMRange range) {
  if (items.size() > maxElements)
    return fail(range, ir::diag::TooLong, "list", maxElements);
  if (!spend(items.size(), range))
    return {};
  auto list = std::make_shared<List>();
  for (const Object &item : items)
    list->nesting = std::max(list->nesting, item.nesting() + 1);
  if (list->nesting > maxListNesting)
    return fail(range, ir::diag::NestedTooDeep, maxListNesting);
  list->items = std::move(items);
  return Object(std::shared_ptr<const List>(std::move(list)));
}

Object Evaluator::evaluate(const ast::List *list) {
  std::vector<Object> items;
  items.reserve(list->elements.size());
  for (const ast::Expression *element : list->elements)
    items.push_back(evaluate(element));
  return makeList(std::move(items), list->range);
}

Object Evaluator::evaluate(const ast::Dict *dict) {
  auto result = std::make_shared<Dict>();
  bool good = true;
  for (auto [keyText, valueText] : llvm::zip_equal(dict->keys, dict->values)) {
    Object key = evaluate(keyText), value = evaluate(valueText);
    good &= key.isAtom();
    if (key.isAtom())
      result->set(key.atom(), std::move(value));
    else
      failOn(keyText, key, ir::diag::AtomExpected);
  }
  if (result->nesting > maxListNesting)
    return fail(dict->range, ir::diag::NestedTooDeep, maxListNesting);
  return good ? Object(std::shared_ptr<const Dict>(std::move(result)))
              : Object();
}

bool Evaluator::forEach(ast::Identifiers variables,
                        const ast::Expression *iterable,
                        llvm::function_ref<void()> body) {
  std::optional<std::vector<Object>> items = this->items(iterable);
  if (!items)
    return false;
  std::unique_ptr<Environment> round;
  for (const Object &item : *items) {
    if (stopped)
      return false;
    if (round && round->captured)
      kept.push_back(std::exchange(round, nullptr));
    if (!round)
      round = std::make_unique<Environment>(Environment::Local, scope);
    round->clear();
    llvm::SaveAndRestore<Environment *> inRound(scope, round.get());
    assignItem(variables, item, iterable);
    body();
  }
  if (round && round->captured)
    kept.push_back(std::move(round));
  return true;
}

Object Evaluator::evaluate(const ast::ListComprehension *loop) {
  std::vector<Object> items;
  bool good = forEach(loop->variables, loop->iterable,
                      [&] { items.push_back(evaluate(loop->element)); });
  return good ? makeList(std::move(items), loop->range) : Object();
}

Object Evaluator::evaluate(const ast::DictComprehension *loop) {
  auto result = std::make_shared<Dict>();
  bool good = true;
  good &= forEach(loop->variables, loop->iterable, [&] {
    Object key = evaluate(loop->key), value = evaluate(loop->value);
    good &= key.isAtom();
    if (key.isAtom())
      result->set(key.atom(), std::move(value));
    else
      failOn(loop->key, key, ir::diag::AtomExpected);
  });
  if (result->nesting > maxListNesting)
    return fail(loop->range, ir::diag::NestedTooDeep, maxListNesting);
  return good ? Object(std::shared_ptr<const Dict>(std::move(result)))
              : Object();
}

// ---- Indexing ----

/// The atoms of a list, or none if it holds anything else.
static std::optional<std::vector<ir::Value>>
atomsOf(llvm::ArrayRef<Object> items) {
  std::vector<ir::Value> atoms;
  for (const Object &item : items) {
    if (!item.isAtom())
      return std::nullopt;
    atoms.push_back(item.atom());
  }
  return atoms;
}

Object Evaluator::evaluate(const ast::Index *index) {
  Object container = evaluate(index->container);
  Object position = evaluate(index->index);
  if (container.isError() || position.isError())
    return {};
  if (container.isSop())
    return elementOfSop(index, container, position);

  bool isString = container.isAtom() && container.atom().isString();
  if (!isString && !container.isList() && !container.isDict())
    return failOn(index->container, container, ir::diag::NotIndexable);
  if (!position.isSop())
    return elementOf(index, container, position);

  ir::Table table;
  if (isString) {
    table.kind = ir::Table::String;
    for (llvm::StringRef character : characters(container.atom().asString()))
      table.values.push_back(ir::Value::string(character));
  } else {
    if (container.isDict()) {
      table.kind = ir::Table::Dict;
      table.keys = container.dict().keys;
    }
    llvm::ArrayRef<Object> items =
        container.isDict() ? container.dict().values : container.list().items;
    std::optional<std::vector<ir::Value>> atoms = atomsOf(items);
    if (!atoms) {
      auto other = llvm::find_if_not(
          items, [](const Object &item) { return item.isAtom(); });
      if (!other->isError())
        report(index->container->range, ir::diag::BadIndex,
               subject(index->index, position),
               ("a " + container.kindName() + " with ").str() +
                   other->describe(),
               "one of atoms alone");
      return {};
    }
    table.values = std::move(*atoms);
  }
  return program.lookup(position.node(), std::move(table), place(index->range));
}

Object Evaluator::elementOf(const ast::Index *index, const Object &container,
                            const Object &position) {
  if (container.isDict()) {
    if (!position.isAtom())
      return fail(index->index->range, ir::diag::BadIndex,
                  subject(index->index, position),
                  subject(index->container, container), "an atom or s-op");
    if (const Object *value = container.dict().find(position.atom()))
      return *value;
    return fail(index->index->range, ir::diag::MissingKey,
                llvm::formatv("`{0}`", position.atom()).str());
  }

  if (!position.isAtom() ||
      !(position.atom().isInt() || position.atom().isBool()))
    return fail(index->index->range, ir::diag::BadIndex,
                subject(index->index, position),
                subject(index->container, container), "an int or s-op");
  std::vector<llvm::StringRef> letters;
  if (container.isAtom())
    letters = characters(container.atom().asString());
  int64_t size =
      container.isList() ? container.list().items.size() : letters.size();
  int64_t at = position.atom().toInt();
  if (at < -size || at >= size)
    return fail(index->index->range, ir::diag::IndexOutOfRange, at,
                container.isList() ? "a list" : "a string", size);
  at = at < 0 ? at + size : at;
  return container.isList() ? container.list().items[at]
                            : Object(ir::Value::string(letters[at]));
}

/// The value at one position, everywhere: out of range that is the int 0.
Object Evaluator::elementOfSop(const ast::Index *index, const Object &container,
                               const Object &position) {
  if (!position.isAtom() ||
      !(position.atom().isInt() || position.atom().isBool()))
    return fail(index->index->range, ir::diag::BadIndex,
                subject(index->index, position),
                subject(index->container, container),
                "an int (or `load_from_location`)");
  llvm::SMRange where = place(index->range);
  int64_t at = position.atom().toInt();
  const ir::Node *query = program.constant(ir::Value::integer(at), where);
  if (at < 0) {
    const ir::Node *one = program.constant(ir::Value::integer(1), where);
    const ir::Node *length = program.width(
        program.select(one, one, ir::CompareOp::Eq, where), where);
    query = program.elementwise(OpKind::Add, {length, query}, where);
  }
  const ir::Node *selector = program.select(
      program.leaf(OpKind::Indices, where), query, ir::CompareOp::Eq, where);
  return program.aggregate(selector, container.node(), ir::Value::integer(0),
                           where);
}

// ---- Conditionals ----

Object Evaluator::evaluate(const ast::Ternary *ternary) {
  Object condition = evaluate(ternary->condition);
  if (condition.isError())
    return {};
  if (condition.isSelector())
    return failOn(ternary->condition, condition, ir::diag::SelectorAsValue);
  if (!condition.isSop())
    return evaluate(isTruthy(condition) ? ternary->whenTrue
                                        : ternary->whenFalse);
  Object whenTrue = evaluate(ternary->whenTrue);
  Object whenFalse = evaluate(ternary->whenFalse);
  const ir::Node *operands[] = {condition.node(),
                                toSop(ternary->whenTrue, whenTrue),
                                toSop(ternary->whenFalse, whenFalse)};
  if (!operands[1] || !operands[2])
    return {};
  return program.elementwise(OpKind::Where, operands, place(ternary->range));
}

// ---- Calls ----

Object Evaluator::evaluate(const ast::Call *call, bool asStatement) {
  Object callee = evaluate(call->callee);
  llvm::SmallVector<Object, 4> arguments;
  for (const ast::Expression *argument : call->arguments)
    arguments.push_back(evaluate(argument));
  if (callee.isFunction())
    return this->call(callee.function(), arguments, call);
  if (callee.isError())
    return {};
  if (!callee.isSop() && !callee.isSelector())
    return failOn(call->callee, callee, ir::diag::NotCallable);
  // An application, which the shell shows and a program skips.
  if (!asStatement)
    return failOn(call->callee, callee, ir::diag::ApplicationAsValue);
  if (arguments.size() != 1)
    return fail(call->range, ir::diag::ArgumentCount,
                subject(call->callee, callee),
                ir::counted(arguments.size(), "argument"), "one input");
  if (host && !arguments.front().isError())
    host->apply(*call, callee, arguments.front());
  return {};
}

Object Evaluator::call(const Function &function,
                       llvm::ArrayRef<Object> arguments,
                       const ast::Call *site) {
  const ast::Define *definition = function.definition;
  size_t parameters = definition ? definition->parameters.size() : 1;
  if (arguments.size() != parameters) {
    if (report(site->range, ir::diag::ArgumentCount,
               ("`" + function.name + "`").str(),
               ir::counted(arguments.size(), "argument"),
               llvm::formatv("{0}", parameters).str()) &&
        !function.fromLibrary)
      diags.emit(definition->function.range, ir::diag::DefinedHere,
                 function.name, "");
    return {};
  }
  if (frames.size() == maxCalls) {
    stopped = true;
    return fail(site->range, ir::diag::RecursionTooDeep, function.name,
                maxCalls);
  }
  bool entersLibrary = function.fromLibrary && !libraryCall.isValid();
  llvm::SaveAndRestore<LibraryCall> called(
      library,
      entersLibrary ? LibraryCall{site, scope, frames.size() + 1} : library);
  llvm::SaveAndRestore<llvm::SMRange> from(
      libraryCall, function.fromLibrary ? place(site->range) : libraryCall);
  frames.push_back({&function, site->range});
  auto leave = llvm::make_scope_exit([&] { frames.pop_back(); });
  if (!definition)
    return callNative(function.native, arguments, site);

  auto local =
      std::make_unique<Environment>(Environment::Local, function.scope);
  Object result;
  {
    llvm::SaveAndRestore<Environment *> inFunction(scope, local.get());
    for (auto [parameter, argument] :
         llvm::zip_equal(definition->parameters, arguments)) {
      if (isReserved(parameter))
        return {};
      Variable &variable = scope->get(parameter.name);
      variable.value = argument;
      variable.range = parameter.range;
    }
    for (const ast::Statement *statement : definition->body)
      execute(statement);
    if (definition->results.size() == 1) {
      result = evaluate(definition->results.front());
    } else {
      std::vector<Object> results;
      for (const ast::Expression *value : definition->results)
        results.push_back(evaluate(value));
      result = makeList(std::move(results), definition->range);
    }
  }
  if (local->captured)
    kept.push_back(std::move(local));
  return result;
}

Object Evaluator::callNative(Native native, llvm::ArrayRef<Object> arguments,
                             const ast::Call *site) {
  const Object &argument = arguments.front();
  if (argument.isError())
    return {};
  if (native == Native::IsAtom)
    return ir::Value::boolean(argument.isAtom());
  const ir::Node *selector = toSelector(site->arguments.front(), argument);
  return selector ? Object(program.width(selector, place(site->range)))
                  : Object();
}
