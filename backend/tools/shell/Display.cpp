//===- backend/tools/shell/Display.cpp - how the shell shows values -------===//

#include "backend/tools/shell/Display.h"
#include "backend/Assemble.h"
#include "frontend/Environment.h"
#include "runtime/Atom.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp;
using namespace rasp::shell;
using frontend::Object;

/// Longer names are not worth their room.
static constexpr size_t maxNameSize = 30;

std::string shell::typeWord(ir::ValueKind kind) {
  return (ir::kindName(kind) + "s").str();
}

std::string shell::sequenceText(llvm::ArrayRef<ir::Value> values,
                                ir::ValueKind kind) {
  if (values.empty())
    return "[] (" + typeWord(kind) + ")";
  std::vector<rt::Atom> atoms;
  for (const ir::Value &value : values)
    atoms.push_back(backend::toAtom(value));
  std::string text;
  llvm::raw_string_ostream os(text);
  rt::printSequence(os, atoms);
  return text;
}

std::string shell::nameOf(const ir::Node *node) {
  std::string name = node->name().str();
  if (name.empty() && node->kind() == ir::OpKind::Const)
    name = node->value().str();
  else if (name.empty() && ir::isLeaf(node->kind()))
    name = ir::mnemonic(node->kind());
  else if (name.empty() && !node->ranges().empty()) {
    llvm::SMRange range = node->ranges().front();
    if (range.isValid())
      name.assign(range.Start.getPointer(), range.End.getPointer());
  }
  if (name.empty() || name.size() > maxNameSize ||
      name.find('\n') != std::string::npos)
    return node->isSop() ? "s-op" : "selector";
  return name;
}

llvm::raw_ostream &Display::label(llvm::StringRef text) {
  if (!os.has_colors())
    return os << text;
  os.changeColor(llvm::raw_ostream::CYAN) << text;
  return os.resetColor();
}

/// An atom as the language writes it, which knows no escapes.
static std::string literal(const ir::Value &value) {
  return value.isString() ? ("\"" + value.asString() + "\"").str()
                          : value.str();
}

/// An item of a flat list or dict in Python's notation.
static std::string python(const Object &object) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (object.isAtom()) {
    rt::printPython(os, backend::toAtom(object.atom()));
  } else if (object.isList()) {
    os << '[';
    llvm::interleaveComma(object.list().items, os,
                          [&](const Object &item) { os << python(item); });
    os << ']';
  } else if (object.isDict()) {
    os << '{';
    llvm::interleaveComma(
        llvm::zip_equal(object.dict().keys, object.dict().values), os,
        [&](auto entry) {
          auto &[key, value] = entry;
          os << python(Object(key)) << ": " << python(value);
        });
    os << '}';
  } else {
    os << object.describe();
  }
  return text;
}

void Display::show(llvm::StringRef name, const Object &object, bool examples) {
  withExamples = examples;
  show(name, object, "", "");
}

void Display::show(llvm::StringRef name, const Object &object,
                   llvm::StringRef first, llvm::StringRef rest) {
  os << first;
  if (object.isAtom()) {
    label("    value: ") << name << (name.empty() ? "" : " =  ")
                         << literal(object.atom()) << '\n';
  } else if (object.isFunction()) {
    const frontend::Function &function = object.function();
    std::string where = function.scope->displayName();
    label("     " + where + " function: ")
        << (name.empty() ? function.name : name) << '(';
    if (function.definition)
      llvm::interleaveComma(
          function.definition->parameters, os,
          [&](const ast::Identifier &parameter) { os << parameter.name; });
    else
      os << "sel";
    os << ")\n";
  } else if (object.isList() || object.isDict()) {
    showItems(name, object, rest);
  } else if (object.isSop() || object.isSelector()) {
    std::string own = name.empty() ? nameOf(object.node()) : name.str();
    label(object.isSop() ? "     s-op: " : "     selector: ") << own << '\n';
    showExample(own, object.node(), rest);
  } else {
    os << '\n';
  }
}

/// Does it hold atoms alone?
static bool isFlat(const Object &object) {
  auto isSimple = [](const Object &item) { return item.isAtom(); };
  return llvm::all_of(
      object.isList() ? object.list().items : object.dict().values, isSimple);
}

void Display::showItems(llvm::StringRef name, const Object &object,
                        llvm::StringRef rest) {
  bool isList = object.isList();
  label(isList ? "     list: " : "     dict: ")
      << name << (name.empty() ? "" : " = ");
  if (isFlat(object)) {
    os << python(object) << '\n';
    return;
  }
  os << (isList ? "[\n" : "{\n");
  std::string inner = (rest + "\t\t").str();
  if (isList) {
    for (const Object &item : object.list().items)
      show("", item, inner, inner);
  } else {
    for (auto [key, value] :
         llvm::zip_equal(object.dict().keys, object.dict().values))
      show("", value, inner + python(Object(key)) + " : ", inner);
  }
  os << rest << "     " << (isList ? "]\n" : "}\n");
}

void Display::showExample(llvm::StringRef name, const ir::Node *node,
                          llvm::StringRef rest) {
  if (!withExamples ||
      !(node->isSop() ? settings.sopExamples : settings.selectorExamples))
    return;
  const Input &input =
      node->isSop() ? settings.sopExample : settings.selectorExample;
  Result result = evaluate(node, input, settings.causal);
  if (!result)
    return exampleFails(name, input, *result.failure);
  os << rest << " \tExample:";
  if (node->isSelector()) {
    os << '\n';
    return matrix(input, result, rest);
  }
  os << ' ' << name << '(' << input.str() << ") =";
  sequence(input, result, rest);
}

void Display::showApplied(const ir::Node *node, const Input &input,
                          const Result &result) {
  os << "\t =";
  if (node->isSelector()) {
    os << " \n";
    return matrix(input, result, "");
  }
  sequence(input, result, "");
}

void Display::sequence(const Input &input, const Result &result,
                       llvm::StringRef rest) {
  bool allEqual = llvm::all_of(result.values, [&](const ir::Value &value) {
    return ir::pythonEqual(value, result.values.front());
  });
  if (settings.fullDisplay && !result.values.empty() &&
      !(allEqual && result.values.size() > 1))
    return fullSequence(input, result, rest);
  os << ' ' << sequenceText(result.values, result.kind);
  if (settings.fullDisplay)
    os << " [skipped full display: identical values]";
  os << '\n';
}

static size_t width(llvm::StringRef text) {
  return llvm::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
}

/// Two rows of cells in columns of one width.
void Display::fullSequence(const Input &input, const Result &result,
                           llvm::StringRef rest) {
  // Only the rarer of True and False is worth a mark.
  size_t trues = llvm::count_if(
      result.values, [](const ir::Value &value) { return value.isTruthy(); });
  size_t falses = result.values.size() - trues;
  bool isBool = result.kind == ir::ValueKind::Bool;

  // The published interpreter labels the columns with the wrong example.
  const Input &shown = settings.strict ? settings.selectorExample : input;
  std::vector<std::string> inputs, outputs;
  for (const ir::Value &item : shown.items)
    inputs.push_back(item.display());
  for (const ir::Value &value : result.values) {
    bool hidden =
        isBool && (value.isTruthy() ? trues > falses : falses > trues);
    outputs.push_back(hidden ? "" : value.display());
  }
  size_t cell = 0;
  for (const auto *row : {&inputs, &outputs})
    for (const std::string &text : *row)
      cell = std::max(cell, width(text));
  auto print = [&](llvm::StringRef name, const std::vector<std::string> &row,
                   llvm::StringRef type) {
    os << rest << " \t\t" << name;
    for (const std::string &text : row)
      os << ' ' << text << std::string(cell - width(text), ' ');
    os << " (" << type << ")\n";
  };
  std::optional<ir::ValueKind> kind = ir::sequenceKind(shown.items);
  os << '\n';
  print("input: ", inputs, kind ? typeWord(*kind) : "mixed");
  print("output:", outputs, typeWord(result.kind));
}

void Display::matrix(const Input &input, const Result &result,
                     llvm::StringRef rest) {
  std::vector<std::string> items;
  size_t widest = 0;
  for (const ir::Value &item : input.items) {
    items.push_back(item.display());
    widest = std::max(widest, width(items.back()));
  }
  auto begin = [&]() -> llvm::raw_ostream & { return os << rest << " \t\t"; };
  begin().indent(widest + 3) << llvm::join(items, " ") << '\n';
  for (auto [item, row] : llvm::zip_equal(items, result.rows)) {
    begin().indent(widest - width(item)) << item << " |";
    for (bool selected : row)
      os << (selected ? " 1" : "  ");
    os << '\n';
  }
}

/// The variable stays although its example can't be shown.
void Display::exampleFails(llvm::StringRef name, const Input &input,
                           const ir::EvalFailure &failure) {
  switch (failure.failure) {
  case ir::Failure::MixedTypes:
  case ir::Failure::IllegalValueType:
  case ir::Failure::RaspType:
  case ir::Failure::RaspValue:
    os << "\t!!statement executed, but result fails on evaluation:\n\t\t"
       << failure.message() << '\n';
    return;
  default:
    break;
  }
  std::string line(63, '=');
  os << line << "\nevaluation failed in: [ " << name << " ] with exception:\n"
     << failure.message() << "\nparent values are:\n";
  for (const ir::Node *operand : failure.node->operands()) {
    Result parent = evaluate(operand, input, settings.causal);
    if (!parent)
      continue;
    os << '\t' << nameOf(operand);
    if (operand->isSelector()) {
      os << '\n';
      matrix(input, parent, "");
    } else {
      os << " = " << sequenceText(parent.values, parent.kind) << '\n';
    }
  }
  os << line << "\nsomething went wrong: " << failure.message() << '\n';
}
