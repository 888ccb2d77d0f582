//===- ir/DiagnosticPolicy.cpp - what becomes of warnings -----------------===//

#include "ir/DiagnosticPolicy.h"
#include "ir/Diagnostics.h"
#include "ir/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::ir;
using llvm::StringRef;

std::string rasp::ir::hyphenated(StringRef name) {
  std::string text;
  for (char c : name) {
    if (llvm::isUpper(c) && !text.empty())
      text += '-';
    text += llvm::toLower(c);
  }
  return text;
}

llvm::Error DiagnosticPolicy::apply(StringRef text) {
  StringRef rest = text;
  bool positive = !rest.consume_front("no-");
  if (rest == "error") {
    allAsErrors = positive;
    return llvm::Error::success();
  }
  bool ofErrors = rest.consume_front("error=");
  if (rest == "all") {
    if (ofErrors)
      allAsErrors = positive;
    if (!ofErrors || positive)
      everything = positive;
    return llvm::Error::success();
  }
  NearestName nearest(rest);
  for (StringRef name : kindNames(Severity::Warning)) {
    if (rest == name || rest == hyphenated(name)) {
      Choice &choice = choices[name];
      if (ofErrors)
        choice.asError = positive;
      if (!ofErrors || positive)
        choice.told = positive;
      return llvm::Error::success();
    }
    nearest.consider(hyphenated(name));
  }
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "there is no warning `" + rest + "`" +
                                     nearest.question());
}

bool DiagnosticPolicy::isTold(StringRef name, bool onRequest) const {
  return !silent &&
         choices.lookup(name).told.value_or(everything.value_or(!onRequest));
}

bool DiagnosticPolicy::isError(StringRef name) const {
  return choices.lookup(name).asError.value_or(allAsErrors);
}
