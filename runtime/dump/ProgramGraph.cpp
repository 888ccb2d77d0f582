//===- runtime/dump/ProgramGraph.cpp - the program in a file --------------===//

#include "runtime/dump/ProgramGraph.h"
#include "runtime/Atom.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace rasp::rt;
namespace json = llvm::json;

static bool readAtoms(const json::Array *list, std::vector<Atom> &atoms) {
  if (!list)
    return true;
  for (const json::Value &value : *list) {
    std::optional<Atom> atom = atomFromJSON(value);
    if (!atom)
      return false;
    atoms.push_back(std::move(*atom));
  }
  return true;
}

ProgramGraph::ProgramGraph(const Model &model) {
  const json::Object *object = model.ir.getAsObject();
  const json::Array *list = object ? object->getArray("nodes") : nullptr;
  if (!list)
    return;
  outputName = object->getString("output").value_or("").str();
  for (const json::Value &value : *list) {
    const json::Object *entry = value.getAsObject();
    if (!entry)
      return;
    ProgramNode node;
    node.name = entry->getString("name").value_or("").str();
    node.op = entry->getString("op").value_or("").str();
    node.compare = entry->getString("compare").value_or("").str();
    if (const json::Array *operands = entry->getArray("operands"))
      for (const json::Value &operand : *operands) {
        auto known = byName.find(operand.getAsString().value_or(""));
        if (known == byName.end())
          return;
        node.operands.push_back(known->second);
      }
    if (const json::Value *constant = entry->get("value"))
      node.constant = atomFromJSON(*constant);
    if (const json::Object *table = entry->getObject("table")) {
      node.table.emplace();
      node.table->isDict = table->getArray("keys");
      if (!readAtoms(table->getArray("keys"), node.table->keys) ||
          !readAtoms(table->getArray("values"), node.table->values))
        return;
    }
    if (!readAtoms(entry->getArray("values"), node.values))
      return;
    if (const json::Array *lines = entry->getArray("source_lines"))
      for (const json::Value &line : *lines)
        node.sourceLines.push_back(line.getAsInteger().value_or(0));
    byName.try_emplace(node.name, all.size());
    all.push_back(std::move(node));
  }
}

std::optional<unsigned> ProgramGraph::find(llvm::StringRef name) const {
  auto found = byName.find(name);
  return found == byName.end() ? std::nullopt
                               : std::optional<unsigned>(found->second);
}

std::optional<unsigned> ProgramGraph::output() const {
  return find(outputName);
}

/// Deeper expressions are cut.
static constexpr unsigned deepest = 6;

static llvm::StringRef operatorOf(llvm::StringRef op) {
  return llvm::StringSwitch<llvm::StringRef>(op)
      .Case("add", "+")
      .Case("sub", "-")
      .Case("mul", "*")
      .Case("div", "/")
      .Case("mod", "%")
      .Case("pow", "^")
      .Case("eq", "==")
      .Case("ne", "!=")
      .Case("lt", "<")
      .Case("le", "<=")
      .Case("gt", ">")
      .Case("ge", ">=")
      .Case("and", "and")
      .Case("or", "or")
      .Default("");
}

static std::string literal(const Atom &atom) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (const auto *truth = std::get_if<bool>(&atom))
    os << (*truth ? "True" : "False");
  else
    printJSON(os, atom);
  return text;
}

std::string ProgramGraph::expression(unsigned index, unsigned depth) const {
  const ProgramNode &node = all[index];
  if (node.op == "const" && node.constant)
    return literal(*node.constant);
  if (node.op == "tokens_str" || node.op == "tokens_asis")
    return "tokens";
  // What the compiler made for a part of an assignment is called after the
  // variable, with a dot.
  bool isNamed = !llvm::StringRef(node.name).contains('.');
  bool isTaken = node.op == "aggregate" || node.op == "width";
  if (node.operands.empty() || isTaken || depth == deepest ||
      (isNamed && depth > 0))
    return node.name;
  auto operand = [&](unsigned i) {
    std::string text = expression(node.operands[i], depth + 1);
    return llvm::StringRef(text).contains(' ') ? "(" + text + ")" : text;
  };
  llvm::StringRef infix = operatorOf(node.op);
  if (node.operands.size() == 2 && !infix.empty()) {
    // a + b + c needs no parentheses, nor does a - b - c.
    bool associates = infix == "+" || infix == "-";
    std::string left = expression(node.operands[0], depth + 1);
    llvm::StringRef leftOp = operatorOf(all[node.operands[0]].op);
    if (!(associates && (leftOp == "+" || leftOp == "-")))
      left = operand(0);
    return left + " " + infix.str() + " " + operand(1);
  }
  if (node.op == "neg")
    return "-" + operand(0);
  if (node.op == "not")
    return "not " + operand(0);
  if (node.op == "where")
    return operand(1) + " if " + operand(0) + " else " + operand(2);
  std::string text = node.op + "(";
  llvm::interleave(
      node.operands, [&](unsigned own) { text += expression(own, depth + 1); },
      [&] { text += ", "; });
  return text + ")";
}

std::string ProgramGraph::condition(unsigned index, unsigned depth) const {
  const ProgramNode &node = all[index];
  if (depth == deepest)
    return node.name;
  if (node.op == "select" && node.operands.size() == 2) {
    auto side = [&](unsigned i, llvm::StringRef name) {
      const ProgramNode &own = all[node.operands[i]];
      std::string text = expression(node.operands[i], 1);
      if (own.op == "const")
        return text;
      return (name + " " +
              (llvm::StringRef(text).contains(' ') ? "(" + text + ")" : text))
          .str();
    };
    return side(0, "key") + " " + node.compare + " " + side(1, "query");
  }
  if (node.op == "sel_not" && node.operands.size() == 1)
    return "not (" + condition(node.operands[0], depth + 1) + ")";
  if (node.operands.size() != 2)
    return node.name;
  auto part = [&](unsigned i) {
    std::string text = condition(node.operands[i], depth + 1);
    const std::string &op = all[node.operands[i]].op;
    bool isMixed = op != node.op && (op == "sel_and" || op == "sel_or");
    return isMixed ? "(" + text + ")" : text;
  };
  return part(0) + (node.op == "sel_and" ? " and " : " or ") + part(1);
}

std::string ProgramGraph::text(unsigned node) const {
  return all[node].isSelector() ? condition(node, 0) : expression(node, 0);
}
