//===- backend/tools/shell/Display.h - how values are shown -------*- C++
//-*-===//
//
// The printed forms of section 16.2 of the language: atoms, lists, dicts,
// functions, and s-ops and selectors on the running examples.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_SHELL_DISPLAY_H
#define RASP_BACKEND_TOOLS_SHELL_DISPLAY_H

#include "backend/tools/shell/Input.h"

namespace rasp::shell {

/// What the user can set.
struct Settings {
  Input sopExample = Input::text("hello");
  Input selectorExample = Input::text("hello");
  bool sopExamples = true, selectorExamples = true;
  bool fullDisplay = false;
  bool causal = false;
  /// Follow the published interpreter also where it is odd.
  bool strict = false;
};

class Display {
public:
  Display(llvm::raw_ostream &os, const Settings &settings)
      : os(os), settings(settings) {}

  /// Shows a variable and, if wanted, its example.
  void show(llvm::StringRef name, const frontend::Object &object,
            bool withExamples = true);
  /// Shows an s-op or selector applied to an input.
  void showApplied(const ir::Node *node, const Input &input,
                   const Result &result);

private:
  /// `first` stands before the first line, `rest` before all others.
  void show(llvm::StringRef name, const frontend::Object &object,
            llvm::StringRef first, llvm::StringRef rest);
  void showItems(llvm::StringRef name, const frontend::Object &object,
                 llvm::StringRef rest);
  void showExample(llvm::StringRef name, const ir::Node *node,
                   llvm::StringRef rest);
  void sequence(const Input &input, const Result &result, llvm::StringRef rest);
  void fullSequence(const Input &input, const Result &result,
                    llvm::StringRef rest);
  void matrix(const Input &input, const Result &result, llvm::StringRef rest);
  void exampleFails(llvm::StringRef name, const Input &input,
                    const ir::EvalFailure &failure);
  llvm::raw_ostream &label(llvm::StringRef text);

  llvm::raw_ostream &os;
  const Settings &settings;
  bool withExamples = true;
};

/// What an s-op or selector without a variable is called: its text if that is
/// short.
std::string nameOf(const ir::Node *node);

/// `[1, 2] (ints)` and so on.
std::string sequenceText(llvm::ArrayRef<ir::Value> values, ir::ValueKind kind);

/// "strings", "ints", ...
std::string typeWord(ir::ValueKind kind);

} // namespace rasp::shell

#endif
