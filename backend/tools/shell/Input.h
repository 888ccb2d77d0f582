//===- backend/tools/shell/Input.h - what programs run on -------*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_SHELL_INPUT_H
#define RASP_BACKEND_TOOLS_SHELL_INPUT_H

#include "frontend/Object.h"
#include "ir/Interpreter.h"

namespace rasp::shell {

/// A sequence of atoms, and whether it was written as a string.
struct Input {
  std::vector<ir::Value> items;
  bool isText = false;

  static Input text(llvm::StringRef text);
  /// A string's characters, a list of atoms, a dict's keys; else none.
  static std::optional<Input> from(const frontend::Object &object);
  /// From the command line or a file: a JSON list, a JSON string, an object
  /// {"input": ...}, or else text that is taken as it is.
  static llvm::Expected<Input> parse(llvm::StringRef text);

  /// `"hello"` or `[1, 'a', True]`.
  std::string str() const;
};

/// A copy of what an s-op or selector is on an input.
struct Result {
  std::optional<ir::EvalFailure> failure;
  std::vector<ir::Value> values;           ///< of an s-op
  ir::ValueKind kind = ir::ValueKind::Int; ///< of the sequence
  std::vector<std::vector<bool>> rows;     ///< of a selector, by query

  explicit operator bool() const { return !failure; }
};

Result copyOf(const ir::RootResult &result, bool isSelector);
Result evaluate(const ir::Node *node, const Input &input, bool causal);

} // namespace rasp::shell

#endif
