//===- backend/DirectionNames.cpp - what texts call a direction -----------===//

#include "backend/DirectionNames.h"
#include "ir/Value.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace rasp;
using namespace rasp::backend;
using llvm::StringRef;

/// What ends a part of a name, or would make it hard to read.
static bool isPlain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f &&
         !StringRef("[]\"\\#").contains(c);
}

static void printPart(llvm::raw_ostream &os, StringRef part, bool isSpace) {
  bool plain = !part.empty() && part.trim(' ') == part &&
               llvm::all_of(part, isPlain) && !(isSpace && part.contains(':'));
  if (plain)
    os << part;
  else
    ir::printQuoted(os, part);
}

/// Takes a part off the front of `rest`, up to one of `ends`.
static std::optional<std::string> takePart(StringRef &rest, StringRef ends) {
  if (!rest.starts_with("\"")) {
    StringRef part = rest.take_front(rest.find_first_of(ends));
    rest = rest.drop_front(part.size());
    return part.empty() || !llvm::all_of(part, isPlain)
               ? std::nullopt
               : std::optional(part.str());
  }
  size_t close = 1;
  while (close < rest.size() && rest[close] != '"')
    close += rest[close] == '\\' ? 2 : 1;
  StringRef quoted = rest.take_front(close + 1);
  rest = rest.drop_front(quoted.size());
  llvm::Expected<ir::Value> value = ir::parseJSON(quoted);
  if (value && value->isString())
    return value->asString().str();
  llvm::consumeError(value.takeError());
  return std::nullopt;
}

std::optional<DirectionName> DirectionName::parse(StringRef text) {
  DirectionName name;
  if (!text.consume_front("[") || !text.consume_back("]"))
    return std::nullopt;
  std::optional<std::string> space = takePart(text, ":#");
  if (!space)
    return std::nullopt;
  name.space = std::move(*space);
  if (text.consume_front(":")) {
    std::optional<std::string> label = takePart(text, "#");
    if (!label || label->empty())
      return std::nullopt;
    name.label = std::move(*label);
  }
  if (text.consume_front("#") &&
      (text.consumeInteger(10, name.number) || name.number == 0))
    return std::nullopt;
  return text.empty() ? std::optional(std::move(name)) : std::nullopt;
}

std::string DirectionName::text() const {
  std::string result;
  llvm::raw_string_ostream os(result);
  os << '[';
  printPart(os, space, /*isSpace=*/true);
  if (!label.empty()) {
    os << ':';
    printPart(os, label, /*isSpace=*/false);
  }
  if (number > 1)
    os << '#' << number;
  os << ']';
  return result;
}

DirectionNames::DirectionNames(const Circuit &circuit) {
  llvm::StringMap<uint64_t> counts;
  for (const Direction &direction : circuit.directions) {
    DirectionName name{direction.space, direction.label};
    name.number = ++counts[name.text()];
    names.push_back(name.text());
  }
}
