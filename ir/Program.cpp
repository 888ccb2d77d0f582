//===- ir/Program.cpp - the RASP IR: a hash-consed DAG of ops -------------===//

#include "ir/Program.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::SMRange;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// What Ops.def declares
//===----------------------------------------------------------------------===//

StringRef rasp::ir::mnemonic(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return mnemonic;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

static StringRef operandsOf(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return operands;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

unsigned rasp::ir::arity(OpKind kind) { return operandsOf(kind).size(); }

ResultType rasp::ir::operandType(OpKind kind, unsigned operand) {
  return operandsOf(kind)[operand] == 'S' ? ResultType::Selector
                                          : ResultType::Sop;
}

ResultType rasp::ir::resultType(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return ResultType::result;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

Attribute rasp::ir::attributeOf(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return Attribute::attribute;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

StringRef rasp::ir::summary(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return summary;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

ArrayRef<OpKind> rasp::ir::allOps() {
  static constexpr OpKind ops[] = {
#define OP(Kind, mnemonic, operands, result, attribute, summary) OpKind::Kind,
#include "ir/Ops.def"
  };
  return ops;
}

std::optional<OpKind> rasp::ir::opCalled(StringRef mnemonic) {
  return llvm::StringSwitch<std::optional<OpKind>>(mnemonic)
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  .Case(mnemonic, OpKind::Kind)
#include "ir/Ops.def"
      .Default(std::nullopt);
}

bool rasp::ir::isElementwise(OpKind kind) {
  switch (kind) {
#define OP(Kind, mnemonic, operands, result, attribute, summary)               \
  case OpKind::Kind:                                                           \
    return false;
#define ELEMENTWISE(Kind, mnemonic, operands, attribute, summary)              \
  case OpKind::Kind:                                                           \
    return true;
#include "ir/Ops.def"
  }
  llvm_unreachable("all ops are listed");
}

bool rasp::ir::isLeaf(OpKind kind) { return arity(kind) == 0; }

StringRef rasp::ir::spelling(CompareOp op) {
  switch (op) {
  case CompareOp::Eq:
    return "==";
  case CompareOp::Ne:
    return "!=";
  case CompareOp::Lt:
    return "<";
  case CompareOp::Gt:
    return ">";
  case CompareOp::Le:
    return "<=";
  case CompareOp::Ge:
    return ">=";
  }
  llvm_unreachable("all comparisons are listed");
}

std::optional<CompareOp> rasp::ir::comparisonSpelled(StringRef text) {
  for (CompareOp op : {CompareOp::Eq, CompareOp::Ne, CompareOp::Lt,
                       CompareOp::Gt, CompareOp::Le, CompareOp::Ge})
    if (spelling(op) == text)
      return op;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static void addValue(llvm::FoldingSetNodeID &id, const Value &value) {
  id.AddInteger(static_cast<unsigned>(value.kind()));
  id.AddInteger(value.payload());
}

static void addValues(llvm::FoldingSetNodeID &id, ArrayRef<Value> values) {
  id.AddInteger(values.size());
  for (const Value &value : values)
    addValue(id, value);
}

void Node::Profile(llvm::FoldingSetNodeID &id) const {
  id.AddInteger(static_cast<unsigned>(theKind));
  id.AddInteger(static_cast<unsigned>(theCompare));
  addValue(id, theValue);
  for (const Node *operand : theOperands)
    id.AddInteger(operand->id());
  if (theTable) {
    id.AddInteger(static_cast<unsigned>(theTable->kind));
    addValues(id, theTable->keys);
    addValues(id, theTable->values);
  }
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

const Node *Program::intern(Node &&proto, SMRange range) {
  assert(proto.theOperands.size() == arity(proto.theKind));
  llvm::FoldingSetNodeID id;
  proto.Profile(id);
  void *position;
  Node *node = unique.FindNodeOrInsertPos(id, position);
  if (!node || verbatim) {
    bool isFirst = !node;
    proto.theId = theNodes.size();
    node = &theNodes.emplace_back(std::move(proto));
    if (isFirst)
      unique.InsertNode(node, position);
  }
  if (range.isValid() &&
      ranges
          .insert(
              {node->theId, {range.Start.getPointer(), range.End.getPointer()}})
          .second)
    node->theRanges.push_back(range);
  return node;
}

const Node *Program::leaf(OpKind kind, SMRange range) {
  assert(isLeaf(kind) && kind != OpKind::Const);
  Node proto;
  proto.theKind = kind;
  return intern(std::move(proto), range);
}

const Node *Program::constant(Value value, SMRange range) {
  Node proto;
  proto.theKind = OpKind::Const;
  proto.theValue = value;
  return intern(std::move(proto), range);
}

const Node *Program::elementwise(OpKind kind, ArrayRef<const Node *> operands,
                                 SMRange range) {
  assert(isElementwise(kind) && kind != OpKind::Lookup && kind != OpKind::In);
  assert(llvm::all_of(operands, [](const Node *n) { return n->isSop(); }));
  Node proto;
  proto.theKind = kind;
  proto.theOperands.assign(operands.begin(), operands.end());
  return intern(std::move(proto), range);
}

const Node *Program::lookup(const Node *index, Table table, SMRange range) {
  assert(index->isSop());
  assert(table.kind != Table::Dict || table.keys.size() == table.values.size());
  Node proto;
  proto.theKind = OpKind::Lookup;
  proto.theOperands = {index};
  proto.theTable = std::make_shared<const Table>(std::move(table));
  return intern(std::move(proto), range);
}

const Node *Program::in(const Node *element, Table list, SMRange range) {
  assert(element->isSop() && list.kind == Table::List);
  Node proto;
  proto.theKind = OpKind::In;
  proto.theOperands = {element};
  proto.theTable = std::make_shared<const Table>(std::move(list));
  return intern(std::move(proto), range);
}

const Node *Program::select(const Node *key, const Node *query, CompareOp op,
                            SMRange range) {
  assert(key->isSop() && query->isSop());
  Node proto;
  proto.theKind = OpKind::Select;
  proto.theOperands = {key, query};
  proto.theCompare = op;
  return intern(std::move(proto), range);
}

const Node *Program::selectorAnd(const Node *a, const Node *b, SMRange range) {
  assert(a->isSelector() && b->isSelector());
  Node proto;
  proto.theKind = OpKind::SelAnd;
  proto.theOperands = {a, b};
  return intern(std::move(proto), range);
}

const Node *Program::selectorOr(const Node *a, const Node *b, SMRange range) {
  assert(a->isSelector() && b->isSelector());
  Node proto;
  proto.theKind = OpKind::SelOr;
  proto.theOperands = {a, b};
  return intern(std::move(proto), range);
}

const Node *Program::selectorNot(const Node *a, SMRange range) {
  assert(a->isSelector());
  Node proto;
  proto.theKind = OpKind::SelNot;
  proto.theOperands = {a};
  return intern(std::move(proto), range);
}

const Node *Program::aggregate(const Node *selector, const Node *values,
                               Value defaultValue, SMRange range) {
  assert(selector->isSelector() && values->isSop());
  Node proto;
  proto.theKind = OpKind::Aggregate;
  proto.theOperands = {selector, values};
  proto.theValue = defaultValue;
  return intern(std::move(proto), range);
}

const Node *Program::width(const Node *selector, SMRange range) {
  assert(selector->isSelector());
  Node proto;
  proto.theKind = OpKind::Width;
  proto.theOperands = {selector};
  return intern(std::move(proto), range);
}

const Node *Program::withOperands(const Node *node,
                                  ArrayRef<const Node *> operands) {
  if (node->operands() == operands)
    return node;
  Node proto;
  proto.theKind = node->kind();
  proto.theCompare = node->compare();
  proto.theValue = node->value();
  proto.theTable = node->theTable;
  proto.theOperands.assign(operands.begin(), operands.end());
  const Node *result = intern(Node(proto), {});
  for (SMRange range : node->ranges())
    intern(Node(proto), range);
  setName(result, node->name());
  return result;
}

const Node *Program::op(OpKind kind, ArrayRef<const Node *> operands,
                        Attributes attributes, SMRange range) {
  Node proto;
  proto.theKind = kind;
  proto.theOperands.assign(operands.begin(), operands.end());
  proto.theValue = attributes.value;
  proto.theCompare = attributes.compare;
  if (attributes.table)
    proto.theTable =
        std::make_shared<const Table>(std::move(*attributes.table));
  return intern(std::move(proto), range);
}

const Node *Program::firstEqual(const Node *node) {
  llvm::FoldingSetNodeID id;
  node->Profile(id);
  void *position;
  const Node *first = unique.FindNodeOrInsertPos(id, position);
  assert(first && "the node belongs to another program");
  return first;
}

void Program::setName(const Node *node, StringRef name) {
  Node &owned = theNodes[node->id()];
  assert(&owned == node && "the node belongs to another program");
  if (owned.theName.empty())
    owned.theName = name.str();
}

void Program::rename(const Node *node, StringRef name) {
  assert(&theNodes[node->id()] == node && "the node is of another program");
  theNodes[node->id()].theName = name.str();
}

std::vector<const Node *> rasp::ir::reachable(ArrayRef<const Node *> roots) {
  std::vector<const Node *> found;
  llvm::BitVector seen;
  auto visit = [&](const Node *node) {
    if (node->id() >= seen.size())
      seen.resize(node->id() + 1);
    if (seen.test(node->id()))
      return;
    seen.set(node->id());
    found.push_back(node);
  };
  for (const Node *root : roots)
    visit(root);
  for (size_t next = 0; next < found.size(); ++next)
    for (const Node *operand : found[next]->operands())
      visit(operand);
  llvm::sort(found,
             [](const Node *a, const Node *b) { return a->id() < b->id(); });
  return found;
}
