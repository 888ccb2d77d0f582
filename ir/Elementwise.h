//===- ir/Elementwise.h - what the operators do to atoms --------*- C++ -*-===//
//
// One definition of every elementwise operator, on atoms. The compile-time
// evaluator, the interpreter and value-set inference all call it, so a program
// means the same in all three.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_ELEMENTWISE_H
#define RASP_IR_ELEMENTWISE_H

#include "ir/Program.h"

namespace rasp::ir {

/// Why an operation has no result. The names are those of the error
/// categories of the language.
enum class Failure : uint8_t {
  None,
  PythonType,          ///< operand kinds that the operator does not take
  ZeroDivision,        ///< `/` or `%` by zero, zero to a negative power
  PythonValue,         ///< a token that is no number, an unreadable format
  Overflow,            ///< a result outside 64-bit ints or finite doubles
  RaspValue,           ///< a missing key, an index out of range
  RaspType,            ///< an index that is no int
  MixedTypes,          ///< strings beside numbers in one sequence
  IllegalValueType,    ///< a result that is no atom
  AverageOfNonNumbers, ///< several strings or bools selected
};

/// "python-type", "python-zero-division", ... as in the language document.
llvm::StringRef categoryName(Failure failure);

/// A value or the reason why there is none.
struct EvalResult {
  Value value;
  Failure failure = Failure::None;

  EvalResult(Value value) : value(value) {}
  EvalResult(Failure failure) : failure(failure) {}
  explicit operator bool() const { return failure == Failure::None; }
};

/// Applies an elementwise op to one position's operands. `table` is needed by
/// Lookup and In alone.
EvalResult evaluate(OpKind kind, llvm::ArrayRef<Value> operands,
                    const Table *table = nullptr);
/// The same with the attributes of `node`.
EvalResult evaluate(const Node *node, llvm::ArrayRef<Value> operands);

/// Python's printf formatting, `format % argument`, of a single atom.
EvalResult formatString(llvm::StringRef format, const Value &argument);

/// The element of `table` at `index`, and whether `list` holds `element`.
EvalResult lookup(const Table &table, const Value &index);
bool contains(const Table &list, const Value &element);

/// The longest string, in bytes, that an operator may make; a longer one is an
/// Overflow.
inline constexpr size_t maxStringSize = size_t(1) << 20;

/// `key OP query`, as `select` compares.
EvalResult compare(CompareOp op, const Value &key, const Value &query);

/// What a token leaf (TokensStr ... TokensAsis) holds for the input item.
EvalResult tokenLeaf(OpKind leaf, const Value &item);

/// A sentence that explains the failure of `kind` on these operands.
std::string explain(Failure failure, OpKind kind,
                    llvm::ArrayRef<Value> operands);

} // namespace rasp::ir

#endif
