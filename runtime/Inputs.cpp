//===- runtime/Inputs.cpp - what a model is to answer --------------------===//

#include "runtime/Inputs.h"
#include "runtime/Atom.h"
#include "runtime/ModelJSON.h"
#include "llvm/ADT/STLExtras.h"
#include <tuple>

using namespace rasp::rt;

bool rasp::rt::anyRefused(llvm::ArrayRef<Input> inputs) {
  return llvm::any_of(inputs,
                      [](const Input &input) { return input.isRefused(); });
}

void InputReader::readArgument(llvm::StringRef text) {
  location.clear();
  if (!text.starts_with("["))
    return readText(text);
  llvm::Expected<llvm::json::Value> value = parseJSON(text);
  bool isList = value && value->getAsArray() && !value->getAsArray()->empty();
  if (!isList && tokenizer.has(Atom("["))) {
    llvm::consumeError(value.takeError());
    return readText(text);
  }
  if (!value)
    return refuse(text,
                  "expected a JSON list: " + llvm::toString(value.takeError()));
  readJSON(text, *value);
}

void InputReader::readLines(llvm::StringRef text, llvm::StringRef path) {
  // Not llvm::line_iterator, for which the text ends at the first 0 byte.
  for (unsigned number = 1; !text.empty(); ++number) {
    llvm::StringRef line;
    std::tie(line, text) = text.split('\n');
    location = (path + ":" + llvm::Twine(number) + ": ").str();
    if (!line.trim().empty())
      readLine(line.trim());
  }
}

void InputReader::readValue(const llvm::json::Value &value) {
  location.clear();
  std::string source;
  llvm::raw_string_ostream(source) << value;
  readJSON(source, value);
}

void InputReader::readLine(llvm::StringRef line) {
  llvm::Expected<llvm::json::Value> value = parseJSON(line);
  if (!value)
    return refuse(llvm::json::fixUTF8(line),
                  "expected a JSON list or {\"input\": list}: " +
                      llvm::toString(value.takeError()));
  if (llvm::json::Object *object = value->getAsObject())
    if (llvm::json::Value *input = object->get("input"))
      return readJSON(line, *input);
  readJSON(line, *value);
}

void InputReader::readText(llvm::StringRef text) {
  add(("\"" + text + "\"").str(), tokenizer.split(text));
}

void InputReader::readJSON(llvm::StringRef source,
                           const llvm::json::Value &value) {
  if (std::optional<llvm::StringRef> text = value.getAsString())
    return readText(*text);
  const llvm::json::Array *list = value.getAsArray();
  if (!list)
    return refuse(source, "expected a JSON list");
  std::vector<Atom> values;
  for (const llvm::json::Value &element : *list) {
    std::optional<Atom> atom = atomFromJSON(element);
    if (!atom)
      return refuse(source, "expected tokens to be strings, numbers, true or "
                            "false");
    values.push_back(std::move(*atom));
  }
  std::string shown;
  llvm::raw_string_ostream os(shown);
  printPython(os, values);
  add(std::move(shown), values);
}

void InputReader::add(std::string shown, llvm::ArrayRef<Atom> values) {
  llvm::Expected<std::vector<uint32_t>> ids = tokenizer.encode(values);
  if (!ids)
    return refuse(shown, llvm::toString(ids.takeError()));
  inputs.push_back({location, std::move(shown), std::move(*ids), {}, {}});
}

/// The start of a text that may be long and hold anything.
static std::string inMessage(llvm::StringRef text) {
  constexpr size_t mostShown = 200;
  std::string shown;
  llvm::raw_string_ostream os(shown);
  size_t size = std::min(text.size(), mostShown);
  while (size < text.size() && (text[size] & 0xc0) == 0x80)
    --size; // not within a character
  for (char c : text.take_front(size))
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      os << llvm::formatv("\\x{0:x-2}", static_cast<unsigned char>(c));
    else
      os << c;
  return llvm::json::fixUTF8(shown) + (size < text.size() ? "..." : "");
}

void InputReader::refuse(llvm::StringRef shown, const llvm::Twine &reason) {
  inputs.push_back({location, inMessage(shown), {}, reason.str(), {}});
}

std::vector<Atom> rasp::rt::tokensOf(const Model &model, const Input &input) {
  std::vector<Atom> tokens;
  for (uint32_t id : llvm::ArrayRef(input.ids).drop_front())
    tokens.push_back(model.input.values[id]);
  return tokens;
}

void rasp::rt::printAnswer(llvm::raw_ostream &os, const Model &model,
                           const Input &input) {
  if (input.isRefused()) {
    os << llvm::json::Value(llvm::json::Object{{"error", input.refusal}});
    return;
  }
  os << "{\"input\":";
  printJSON(os, tokensOf(model, input));
  os << ",\"output\":";
  printJSON(os, input.output);
  os << "}";
}
