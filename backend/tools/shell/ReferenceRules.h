//===- backend/tools/shell/ReferenceRules.h - odd syntax rules --*- C++ -*-===//
//
// What the published interpreter refuses and we don't, for --strict-reference.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_SHELL_REFERENCERULES_H
#define RASP_BACKEND_TOOLS_SHELL_REFERENCERULES_H

#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace rasp::shell {

struct BrokenRule {
  llvm::StringRef place; ///< part of the text
  std::string message;
};

/// The first place where `text`, which is right by our rules, has
///   - two statements of the top level on one line,
///   - a blank before the parenthesis of `select`, `aggregate`, `range`, `zip`
///     or `len`,
///   - parentheses around an operand of an index.
std::optional<BrokenRule> findBrokenRule(llvm::StringRef text);

} // namespace rasp::shell

#endif
