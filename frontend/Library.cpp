//===- frontend/Library.cpp - the definitions of the library --------------===//

#include "frontend/Library.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::frontend;

std::vector<LibraryDefinition> rasp::frontend::libraryDefinitions() {
  std::vector<LibraryDefinition> definitions;
  auto startsName = [](char c) { return llvm::isAlpha(c) || c == '_'; };
  for (size_t at = 0; at < libraryText.size();) {
    llvm::StringRef rest = libraryText.substr(at);
    size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (startsName(rest.front())) {
      llvm::StringRef head = rest;
      head.consume_front("def ");
      llvm::StringRef name =
          head.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
      definitions.push_back({name, rest.take_front(end)});
    } else if (!definitions.empty()) {
      llvm::StringRef &text = definitions.back().text;
      text = {text.data(), text.size() + end};
    }
    at += end;
  }
  return definitions;
}
