//===- frontend/AST.h - the abstract syntax of RASP -------------*- C++ -*-===//
//
// Plain structs in an arena, told apart by `kind` with llvm::isa and friends.
// Parentheses leave no node: the tree's shape says what they said. Text is not
// copied: names and ranges point into the source buffer, which must live as
// long as the tree.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_AST_H
#define RASP_FRONTEND_AST_H

#include "ir/Program.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/Casting.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/SMLoc.h"

namespace rasp::ast {

enum class Kind : uint8_t {
#define EXPRESSION(Kind) Kind,
#define STATEMENT(Kind) Kind,
#include "frontend/ASTKinds.def"
};

struct Node {
  Kind kind;
  llvm::SMRange range; ///< of the whole node, parentheses around it not counted
};

struct Expression : Node {};
struct Statement : Node {};

using Expressions = llvm::ArrayRef<const Expression *>;
using Statements = llvm::ArrayRef<const Statement *>;

/// A name and where it stands.
struct Identifier {
  llvm::StringRef name;
  llvm::SMRange range;
};
using Identifiers = llvm::ArrayRef<Identifier>;

/// What every struct below has: its kind, for llvm::isa.
template <typename Base, Kind theKind> struct Of : Base {
  static constexpr Kind ownKind = theKind;
  Of() { this->kind = theKind; }
  static bool classof(const Node *node) { return node->kind == theKind; }
};

// ---- Expressions ----

struct Name : Of<Expression, Kind::Name> {
  llvm::StringRef name;
};

struct Literal : Of<Expression, Kind::Literal> {
  ir::Value value;
};

struct List : Of<Expression, Kind::List> {
  Expressions elements;
};

struct Dict : Of<Expression, Kind::Dict> {
  Expressions keys, values;
};

/// `[element for variables in iterable]`
struct ListComprehension : Of<Expression, Kind::ListComprehension> {
  const Expression *element;
  Identifiers variables;
  const Expression *iterable;
};

/// `{key : value for variables in iterable}`
struct DictComprehension : Of<Expression, Kind::DictComprehension> {
  const Expression *key, *value;
  Identifiers variables;
  const Expression *iterable;
};

/// Neg, Pos, Not, Round or Indicator.
struct Unary : Of<Expression, Kind::Unary> {
  ir::OpKind op;
  llvm::SMRange opRange;
  const Expression *operand;
};

/// An arithmetic operator, a comparison, And, Or or In.
struct Binary : Of<Expression, Kind::Binary> {
  ir::OpKind op;
  llvm::SMRange opRange;
  const Expression *left, *right;
};

/// `whenTrue if condition else whenFalse`
struct Ternary : Of<Expression, Kind::Ternary> {
  const Expression *whenTrue, *condition, *whenFalse;
  llvm::SMRange opRange; ///< of `if`
};

struct Index : Of<Expression, Kind::Index> {
  const Expression *container, *index;
};

struct Call : Of<Expression, Kind::Call> {
  const Expression *callee;
  Expressions arguments;
};

struct Select : Of<Expression, Kind::Select> {
  const Expression *key, *query;
  ir::CompareOp compare;
};

struct Aggregate : Of<Expression, Kind::Aggregate> {
  const Expression *selector, *values;
  const Expression *defaultValue; ///< or null
};

struct Range : Of<Expression, Kind::Range> {
  Expressions arguments; ///< one to three
};

struct Zip : Of<Expression, Kind::Zip> {
  Expressions lists;
};

struct Len : Of<Expression, Kind::Len> {
  const Expression *list;
};

// ---- Statements ----

struct Assign : Of<Statement, Kind::Assign> {
  Identifiers targets;
  Expressions values;
};

/// An expression for its own sake.
struct Evaluate : Of<Statement, Kind::Evaluate> {
  const Expression *value;
};

struct Define : Of<Statement, Kind::Define> {
  Identifier function;
  Identifiers parameters;
  Statements body;
  Expressions results;
};

struct Loop : Of<Statement, Kind::Loop> {
  Identifiers variables;
  const Expression *iterable;
  Statements body;
};

struct Load : Of<Statement, Kind::Load> {
  llvm::StringRef path; ///< as written, without the ending
  llvm::SMRange pathRange;
};

struct Draw : Of<Statement, Kind::Draw> {
  const Expression *value;
  const Expression *input; ///< or null
};

/// A command of the interactive shell.
struct Shell : Of<Statement, Kind::Shell> {
  enum Command : uint8_t {
    SetExample,
    ShowExample,
    ToggleExamples,
    ToggleFullDisplay,
    Leave,
  };
  /// Which example a command is about.
  enum Example : uint8_t { Both, Sop, Selector };

  Command command;
  Example example = Both;
  bool on = false;                   ///< of a toggle
  const Expression *input = nullptr; ///< of SetExample
};

/// What stands for a statement with a syntax error, which has been reported:
/// the names that it would have defined, so that their uses are not errors.
struct Broken : Of<Statement, Kind::Broken> {
  Identifiers targets;
  bool loads = false; ///< and any names from a file
};

/// Owns the nodes of any number of files.
class Context {
public:
  template <typename T> T *create(llvm::SMRange range) {
    T *node = new (allocator.Allocate<T>()) T;
    node->range = range;
    return node;
  }
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> items) {
    return items.copy(allocator);
  }

private:
  llvm::BumpPtrAllocator allocator;
};

/// A parsed file.
struct Module {
  std::vector<const Statement *> statements;
  bool hasErrors = false;
};

/// "+", "and", "round", ... as the operator is written.
llvm::StringRef spelling(ir::OpKind op);

/// Writes the statements as an indented tree with line and column of each
/// node; they come from `file`.
void print(const Module &module, llvm::MemoryBufferRef file,
           llvm::raw_ostream &os);

/// Writes a module without errors as a program that parses to the same tree.
/// A deep tree needs a large stack.
void writeSource(const Module &module, llvm::raw_ostream &os);

} // namespace rasp::ast

#endif
