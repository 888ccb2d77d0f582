//===- runtime/Atom.h - text forms of tokens and outputs --------*- C++ -*-===//

#ifndef RASP_RUNTIME_ATOM_H
#define RASP_RUNTIME_ATOM_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace rasp::rt {

/// "bool", "int", "float" or "string".
llvm::StringRef typeName(const Atom &atom);

/// The number that an atom is, truth as 0 and 1; NaN for strings.
double numberOf(const Atom &atom);
/// Python's `==`, which is what a model can tell apart: equal numbers are one
/// value whatever their types.
bool isSameValue(const Atom &a, const Atom &b);

/// As JSON that keeps the type: floats always have a `.` or an exponent.
void printJSON(llvm::raw_ostream &os, const Atom &atom);
void printJSON(llvm::raw_ostream &os, llvm::ArrayRef<Atom> atoms);

/// The atom that a JSON scalar stands for; whole numbers without a `.` are
/// ints. None for null, lists and objects.
std::optional<Atom> atomFromJSON(const llvm::json::Value &json);
/// The same when the type is known, so that 1.0 stays a float.
std::optional<Atom> atomFromJSON(const llvm::json::Value &json,
                                 llvm::StringRef type);

/// Python's notation: `'a'`, `True`, `1.0`.
void printPython(llvm::raw_ostream &os, const Atom &atom);
void printPython(llvm::raw_ostream &os, llvm::ArrayRef<Atom> atoms);

/// As the language's shell shows a value: `h`, `0.333`, `T`.
std::string displayText(const Atom &atom);
/// As the language's shell shows a sequence: `[h, i] (strings)`,
/// `[0.333]*3 (floats)`, `[T, F] (bools)`; floats rounded to 3 decimals.
void printSequence(llvm::raw_ostream &os, llvm::ArrayRef<Atom> atoms);

} // namespace rasp::rt

#endif
