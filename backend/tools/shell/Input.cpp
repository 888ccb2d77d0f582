//===- backend/tools/shell/Input.cpp - what programs run on ---------------===//

#include "backend/tools/shell/Input.h"
#include "backend/Assemble.h"
#include "runtime/Atom.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::shell;

Input Input::text(llvm::StringRef text) {
  Input input;
  input.isText = true;
  for (llvm::StringRef character : frontend::characters(text))
    input.items.push_back(ir::Value::string(character));
  return input;
}

std::optional<Input> Input::from(const frontend::Object &object) {
  if (object.isAtom() && object.atom().isString())
    return text(object.atom().asString());
  Input input;
  if (object.isDict()) {
    input.items = object.dict().keys;
    return input;
  }
  if (!object.isList())
    return std::nullopt;
  for (const frontend::Object &item : object.list().items) {
    if (!item.isAtom())
      return std::nullopt;
    input.items.push_back(item.atom());
  }
  return input;
}

/// The value of `input` in a JSON object, as it is written.
static std::optional<llvm::StringRef> memberInput(llvm::StringRef text) {
  size_t at = text.find("\"input\"");
  if (at == llvm::StringRef::npos)
    return std::nullopt;
  text = text.drop_front(at + strlen("\"input\"")).ltrim();
  if (!text.consume_front(":"))
    return std::nullopt;
  text = text.ltrim();
  char close = text.starts_with("[") ? ']' : '"';
  bool inString = false;
  for (size_t i = close == ']' ? 0 : 1; i < text.size(); ++i) {
    if (close == '"' ? text[i] == '"' : !inString && text[i] == ']')
      return text.take_front(i + 1);
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inString = !inString;
  }
  return std::nullopt;
}

llvm::Expected<Input> Input::parse(llvm::StringRef text) {
  llvm::StringRef trimmed = text.trim();
  if (trimmed.starts_with("{"))
    if (std::optional<llvm::StringRef> member = memberInput(trimmed))
      trimmed = *member;
  if (trimmed.starts_with("[")) {
    llvm::Expected<std::vector<ir::Value>> items = ir::parseJSONList(trimmed);
    if (!items)
      return items.takeError();
    Input input;
    input.items = std::move(*items);
    return input;
  }
  if (trimmed.size() > 1 && trimmed.starts_with("\"")) {
    llvm::Expected<ir::Value> value = ir::parseJSON(trimmed);
    if (!value)
      return value.takeError();
    return Input::text(value->asString());
  }
  return Input::text(text);
}

std::string Input::str() const {
  std::string result;
  llvm::raw_string_ostream os(result);
  if (isText) {
    os << '"';
    for (const ir::Value &item : items)
      os << item.asString();
    os << '"';
    return result;
  }
  std::vector<rt::Atom> atoms;
  for (const ir::Value &item : items)
    atoms.push_back(backend::toAtom(item));
  rt::printPython(os, atoms);
  return result;
}

Result shell::copyOf(const ir::RootResult &result, bool isSelector) {
  Result copy;
  if (!result) {
    copy.failure = *result.failure;
    return copy;
  }
  if (!isSelector) {
    copy.values = result.values;
    copy.kind = result.kind;
    return copy;
  }
  unsigned n = result.matrix.size();
  copy.rows.assign(n, std::vector<bool>(n));
  for (unsigned q = 0; q < n; ++q)
    for (unsigned k = 0; k < n; ++k)
      copy.rows[q][k] = result.matrix.get(q, k);
  return copy;
}

Result shell::evaluate(const ir::Node *node, const Input &input, bool causal) {
  ir::Interpreter interpreter(node, {causal});
  ir::Interpreter::State state(interpreter);
  return copyOf(interpreter.run(input.items, state).front(),
                node->isSelector());
}
