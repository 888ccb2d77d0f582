//===- frontend/Library.cpp - the definitions of the library --------------===//

#include "frontend/Library.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace rasp;
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

std::optional<ir::OpKind> rasp::frontend::leafCalled(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<ir::OpKind>>(name)
      .Case("indices", ir::OpKind::Indices)
      .Cases("tokens", "tokens_str", ir::OpKind::TokensStr)
      .Case("tokens_int", ir::OpKind::TokensInt)
      .Case("tokens_float", ir::OpKind::TokensFloat)
      .Case("tokens_bool", ir::OpKind::TokensBool)
      .Case("tokens_asis", ir::OpKind::TokensAsis)
      .Default(std::nullopt);
}

StandardKind rasp::frontend::standardKind(llvm::StringRef name) {
  if (leafCalled(name))
    return StandardKind::Leaf;
  if (llvm::is_contained(constantNames, name))
    return StandardKind::Atom;
  if (name == "selector_width")
    return StandardKind::Function;
  for (const LibraryDefinition &definition : libraryDefinitions())
    if (definition.name == name)
      return definition.text.starts_with("def ") ? StandardKind::Function
                                                 : StandardKind::Variable;
  return StandardKind::None;
}
