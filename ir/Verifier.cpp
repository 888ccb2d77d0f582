//===- ir/Verifier.cpp - what holds of every module -----------------------===//

#include "ir/Verifier.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace rasp::ir;
using llvm::StringRef;

namespace {
class Verifier {
public:
  Verifier(const Module &module, Diagnostics &diags)
      : module(module), diags(diags) {}

  bool run();

private:
  void checkHeader();
  void checkOp(const Node *op);
  void checkTable(const Node *op);
  void checkOutputs();
  void checkFacts();
  void broken(const Node *op, std::string what) {
    diags.emit(op->ranges().empty() ? llvm::SMRange() : op->ranges().front(),
               diag::BrokenIR, mnemonic(op->kind()), std::move(what));
  }

  const Module &module;
  Diagnostics &diags;
  llvm::DenseSet<const Node *> seen;
};
} // namespace

bool Verifier::run() {
  unsigned before = diags.errorCount();
  checkHeader();
  for (const Node *op : module.ops)
    checkOp(op);
  checkOutputs();
  checkFacts();
  return diags.errorCount() == before;
}

static bool isOfType(const Value &token, StringRef type) {
  switch (token.kind()) {
  case ValueKind::Bool:
    return type == "bool";
  case ValueKind::Int:
    return type == "int";
  case ValueKind::Float:
    return type == "float";
  case ValueKind::String:
    return type == "str";
  }
  llvm_unreachable("all kinds are listed");
}

void Verifier::checkHeader() {
  const ProgramHeader &header = module.header;
  std::set<Value> tokens;
  for (const Value &token : header.vocabulary) {
    if (!header.tokens.empty() && !isOfType(token, header.tokens))
      diags.emit(header.vocabularyRange, diag::HeaderVocabulary,
                 token.str() + ", which is no " + header.tokens);
    else if (!tokens.insert(token).second)
      diags.emit(header.vocabularyRange, diag::HeaderVocabulary,
                 token.str() + " twice");
  }
}

void Verifier::checkOp(const Node *op) {
  if (!seen.insert(op).second)
    return broken(op, "stands there twice");
  if (op->operands().size() != arity(op->kind()))
    return broken(op, llvm::formatv("has {0} operands in place of {1}",
                                    op->operands().size(), arity(op->kind())));
  for (auto [i, operand] : llvm::enumerate(op->operands())) {
    if (!seen.contains(operand))
      broken(op, llvm::formatv("reads operand {0} before it is there", i));
    if (operand->type() != operandType(op->kind(), i))
      broken(op, llvm::formatv("has an operand {0} of the wrong type", i));
  }
  checkTable(op);
}

void Verifier::checkTable(const Node *op) {
  Attribute attribute = attributeOf(op->kind());
  if (attribute != Attribute::Container && attribute != Attribute::List)
    return;
  const Table &table = op->table();
  if (attribute == Attribute::List && table.kind != Table::List)
    broken(op, "wants a list");
  if (table.keys.size() !=
      (table.kind == Table::Dict ? table.values.size() : 0))
    broken(op, "has a table of as many keys as it must not have");
}

void Verifier::checkOutputs() {
  if (module.outputs.empty())
    diags.emit({}, diag::NoOutput);
  for (const Node *output : module.outputs)
    if (!seen.contains(output))
      broken(output, "is an output, but does not stand there");
    else if (!output->isSop())
      broken(output, "is an output, but no s-op");
}

void Verifier::checkFacts() {
  for (const Node *op : module.ops) {
    if (op->isSop())
      continue;
    if (module.values.contains(op))
      broken(op, "is a selector, but has a value set");
    if (module.encodings.contains(op))
      broken(op, "is a selector, but has an encoding");
    if (module.kept.contains(op))
      broken(op, "is a selector, but has directions of its own");
  }
}

bool rasp::ir::verify(const Module &module, Diagnostics &diags) {
  return Verifier(module, diags).run();
}
