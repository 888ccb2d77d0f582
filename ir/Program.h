//===- ir/Program.h - the RASP IR: a hash-consed DAG of ops -----*- C++ -*-===//
//
// A RASP program, once its compile-time part is evaluated, is a finite acyclic
// graph of s-ops and selectors. RASP is pure, so two nodes with the same op,
// operands and attributes are the same node: `Program` hands out one node for
// each, and common subexpressions exist once by construction. Operands are
// always created before their users, so the order of creation is topological.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_PROGRAM_H
#define RASP_IR_PROGRAM_H

#include "ir/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/FoldingSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/SMLoc.h"
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rasp::ir {

enum class OpKind : uint8_t {
#define OP(Kind, mnemonic, operands, result, attribute, summary) Kind,
#include "ir/Ops.def"
};

enum class ResultType : uint8_t { Sop, Selector };

/// What an op has beside its operands.
enum class Attribute : uint8_t {
  None,
  Atom,       ///< the atom that a constant is
  Comparison, ///< of key and query
  Default,    ///< the value where nothing is selected
  Container,  ///< a list, string or dict
  List,
};

llvm::StringRef mnemonic(OpKind kind);
/// The op with that mnemonic, if there is one.
std::optional<OpKind> opCalled(llvm::StringRef mnemonic);
llvm::ArrayRef<OpKind> allOps();
unsigned arity(OpKind kind);
ResultType resultType(OpKind kind);
ResultType operandType(OpKind kind, unsigned operand);
Attribute attributeOf(OpKind kind);
/// A line about the op, for documentation.
llvm::StringRef summary(OpKind kind);
bool isElementwise(OpKind kind);
bool isLeaf(OpKind kind);

/// The comparison of a `select`; key on the left, query on the right.
enum class CompareOp : uint8_t { Eq, Ne, Lt, Gt, Le, Ge };
/// "==", "!=", "<", ">", "<=", ">="
llvm::StringRef spelling(CompareOp op);
std::optional<CompareOp> comparisonSpelled(llvm::StringRef text);

/// The constant container of a `lookup` or `in`.
struct Table {
  enum Kind : uint8_t {
    List,   ///< values by int index, negative from the end; `lookup`, `in`
    String, ///< characters by int index, stored as one-character strings
    Dict,   ///< values by key, keys compared with Python's `==`
  };
  Kind kind = List;
  std::vector<Value> keys; ///< of a Dict, else empty
  std::vector<Value> values;

  bool operator==(const Table &) const = default;
};

/// The attributes of a new op; those that it does not have stay as they are.
struct Attributes {
  Value value;
  CompareOp compare = CompareOp::Eq;
  std::optional<Table> table;
};

class Program;

/// One op. Immutable but for its name and source ranges.
class Node : public llvm::FoldingSetNode {
public:
  OpKind kind() const { return theKind; }
  ResultType type() const { return resultType(theKind); }
  bool isSop() const { return type() == ResultType::Sop; }
  bool isSelector() const { return type() == ResultType::Selector; }

  llvm::ArrayRef<const Node *> operands() const { return theOperands; }
  const Node *operand(unsigned i) const { return theOperands[i]; }

  /// Const: the atom. Aggregate: the default where nothing is selected.
  const Value &value() const { return theValue; }
  /// Select: the comparison.
  CompareOp compare() const { return theCompare; }
  /// Lookup, In: the container.
  const Table &table() const { return *theTable; }

  /// Position in creation order; operands have smaller ids.
  unsigned id() const { return theId; }
  /// The first source variable that this node was assigned to, or empty.
  llvm::StringRef name() const { return theName; }
  /// Where in the source the op was written, first occurrence first; empty
  /// for ops that no text stands for.
  llvm::ArrayRef<llvm::SMRange> ranges() const { return theRanges; }

  void Profile(llvm::FoldingSetNodeID &id) const;

private:
  friend class Program;
  OpKind theKind = OpKind::Const;
  CompareOp theCompare = CompareOp::Eq;
  unsigned theId = 0;
  Value theValue;
  std::shared_ptr<const Table> theTable;
  llvm::SmallVector<const Node *, 3> theOperands;
  llvm::SmallVector<llvm::SMRange, 1> theRanges;
  std::string theName;
};

/// Owns the nodes; builds them hash-consed. The `range` arguments say which
/// text the op was made from; an existing node collects every distinct one.
class Program {
public:
  Program() = default;
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  const Node *leaf(OpKind kind, llvm::SMRange range = {});
  const Node *constant(Value value, llvm::SMRange range = {});
  /// Any elementwise op without a table.
  const Node *elementwise(OpKind kind, llvm::ArrayRef<const Node *> operands,
                          llvm::SMRange range = {});
  const Node *lookup(const Node *index, Table table, llvm::SMRange range = {});
  const Node *in(const Node *element, Table list, llvm::SMRange range = {});
  const Node *select(const Node *key, const Node *query, CompareOp op,
                     llvm::SMRange range = {});
  const Node *selectorAnd(const Node *a, const Node *b,
                          llvm::SMRange range = {});
  const Node *selectorOr(const Node *a, const Node *b,
                         llvm::SMRange range = {});
  const Node *selectorNot(const Node *a, llvm::SMRange range = {});
  const Node *aggregate(const Node *selector, const Node *values,
                        Value defaultValue, llvm::SMRange range = {});
  const Node *width(const Node *selector, llvm::SMRange range = {});
  /// Any op; operands and attributes must be what Ops.def says.
  const Node *op(OpKind kind, llvm::ArrayRef<const Node *> operands,
                 Attributes attributes, llvm::SMRange range = {});
  /// `node` on other operands, with its name and ranges; itself if they are
  /// its own.
  const Node *withOperands(const Node *node,
                           llvm::ArrayRef<const Node *> operands);

  /// The first node that was made with the op, operands and attributes of
  /// `node`: itself, but for a copy that was made while the program was kept
  /// verbatim.
  const Node *firstEqual(const Node *node);
  /// Whether every op becomes a node of its own from now on, as text that
  /// is read wants it, even if there is an equal one.
  void keepVerbatim(bool keep) { verbatim = keep; }

  /// Gives `node` the name of a source variable; the first name stays.
  void setName(const Node *node, llvm::StringRef name);
  /// The same, in place of the name that the node has.
  void rename(const Node *node, llvm::StringRef name);

  /// All nodes in creation order, which is topological.
  const std::deque<Node> &nodes() const { return theNodes; }

private:
  const Node *intern(Node &&proto, llvm::SMRange range);

  std::deque<Node> theNodes;
  llvm::FoldingSet<Node> unique;
  bool verbatim = false;
  /// The node id, start and end of every range that a node has collected.
  llvm::DenseSet<std::pair<unsigned, std::pair<const char *, const char *>>>
      ranges;
};

/// The nodes that `roots` depend on, themselves included, in creation order.
std::vector<const Node *> reachable(llvm::ArrayRef<const Node *> roots);

} // namespace rasp::ir

#endif
