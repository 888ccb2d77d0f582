//===- backend/Codes.h - what directions hold, by value ---------*- C++ -*-===//
//
// A variable of the program that has directions in the residual stream can be
// read from there by whoever knows its code: what each direction holds for
// each of its values. The code follows from the circuit. A direction is a
// function of the token, the position and what heads bring in; so is the
// variable. Where both depend on the same, each value of the variable has its
// number; where the direction depends on more, as the class of a value, or a
// correction that is added to other directions does, it has a range.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CODES_H
#define RASP_BACKEND_CODES_H

#include "backend/Circuit.h"
#include "backend/FunctionTable.h"
#include "ir/Printer.h"
#include "llvm/ADT/StringMap.h"

namespace rasp::backend {

/// What one direction holds.
struct Code {
  /// Set if it is `scale * value + offset`.
  std::optional<std::pair<double, double>> affine;
  /// Otherwise by number of the value, the least and the greatest number; NaN
  /// where that does not matter.
  std::vector<double> low, high;

  /// Whether every value has one number.
  bool isExact() const;
};

/// What kind of code the directions of a variable have, in a word: scalar,
/// categorical or code.
llvm::StringRef encodingOf(llvm::ArrayRef<std::optional<Code>> codes);

class Codes {
public:
  /// `output` is the s-op that was compiled.
  Codes(const Circuit &circuit, const ir::Node *output,
        const ir::NodeNames &names, const ir::ValueSets &sets);

  /// The values of a variable, by the name that its directions have; empty if
  /// they are not known or too many to be listed.
  llvm::ArrayRef<ir::Value> valuesOf(llvm::StringRef space) const;
  /// None if the direction says nothing of its variable, or is a function of
  /// too much to be tabulated.
  std::optional<Code> codeOf(DirId dir);

private:
  using Table = std::optional<FunctionTable>;

  /// The source whose values are those of a variable: null for the token.
  std::optional<ir::Source> variableOf(llvm::StringRef space) const;
  const Table &tableOf(DirId dir);
  Table makeTable(DirId dir);
  /// A direction as a function of the variable that it belongs to, if that is
  /// one of `cuts`, or else of what `tableOf` says.
  Table tableOver(DirId dir, llvm::ArrayRef<ir::Source> cuts);
  Table evaluateNeurons(DirId dir, llvm::ArrayRef<ir::Source> cuts);
  std::optional<Code> rangesOf(const FunctionTable &table,
                               const ir::JointTable &relation,
                               size_t numValues) const;
  /// The code of a variable whose values are too many to be listed: a mean is
  /// itself, and an output is what the logit says.
  std::optional<Code> numberIn(DirId dir, const ir::Node *variable) const;
  /// The code that readers of the direction rely on, if they take it as it is.
  std::optional<Code> formOf(DirId dir, const ir::Node *variable) const;
  std::optional<Code> codeOver(DirId dir, const ir::JointTable &relation,
                               size_t numValues);
  ir::JointTable relationOf(ir::Source variable) const;
  ir::JointTable identityOf(ir::Source variable) const;

  const Circuit &circuit;
  const ir::ValueSets &sets;
  llvm::StringMap<const ir::Node *> nodes;
  const ir::Node *indices = nullptr;
  std::vector<std::vector<std::pair<const Neuron *, double>>> neurons;
  std::map<DirId, Table> tables;
  std::map<DirId, std::optional<Code>> codes;
};

} // namespace rasp::backend

#endif
