//===- backend/tools/ProgramValues.h - what a program means -----*- C++ -*-===//
//
// The values that the interpreter gives to the variables of the program which
// a model file carries, to compare with what is in the residual stream.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_PROGRAMVALUES_H
#define RASP_BACKEND_TOOLS_PROGRAMVALUES_H

#include "backend/tools/Compilation.h"
#include "ir/Interpreter.h"
#include "llvm/ADT/StringMap.h"

namespace rasp {

class ProgramValues {
public:
  /// Evaluates the program of a model; files that it loads are searched in
  /// `includeDirs`. An error if the file carries none that can be evaluated.
  static llvm::Expected<ProgramValues>
  make(const rt::Model &model, const std::vector<std::string> &includeDirs);

  /// Runs the program on an input: false if it has no output for it.
  bool run(llvm::ArrayRef<rt::Atom> input);

  /// The value of a variable by position of the last input, 0 being the first
  /// token, by the name that its residual directions have. Empty if the program
  /// has no such variable, or fails in computing it.
  std::vector<rt::Atom> of(llvm::StringRef variable) const;
  /// The same for the output.
  std::vector<rt::Atom> output() const;

private:
  ProgramValues() = default;
  std::vector<rt::Atom> valuesOf(size_t root) const;

  std::unique_ptr<Compilation> compilation;
  llvm::StringMap<size_t> roots; ///< by name, its number among the results
  std::unique_ptr<ir::Interpreter> interpreter;
  std::unique_ptr<ir::Interpreter::State> state;
  std::vector<rt::Atom> tokens;
  llvm::ArrayRef<ir::RootResult> results;
};

} // namespace rasp

#endif
