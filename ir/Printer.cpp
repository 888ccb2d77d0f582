//===- ir/Printer.cpp - the textual form of RASP IR -----------------------===//

#include "ir/Printer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void NodeNames::assign(const Node *node, StringRef wanted) {
  auto [entry, isNew] = taken.insert(wanted);
  unsigned &clash = clashes[wanted];
  while (!isNew)
    std::tie(entry, isNew) =
        taken.insert((wanted + "." + llvm::Twine(++clash)).str());
  names[node] = entry->getKey();
}

NodeNames::NodeNames(ArrayRef<const Node *> roots) { name(reachable(roots)); }

NodeNames NodeNames::ofOps(ArrayRef<const Node *> ops) {
  NodeNames names;
  names.name(ops);
  return names;
}

void NodeNames::name(ArrayRef<const Node *> nodes) {
  // The variable that each node serves: its own, else that of its first user.
  // Users come later, and the first one is the last to write.
  llvm::DenseMap<const Node *, StringRef> serves;
  for (const Node *node : llvm::reverse(nodes)) {
    StringRef &name = serves[node];
    if (!node->name().empty())
      name = node->name();
    else if (name.empty())
      name = "out";
    StringRef served = name;
    for (const Node *operand : node->operands())
      serves[operand] = served;
  }

  for (const Node *node : nodes)
    if (!node->name().empty())
      assign(node, node->name());
  for (const Node *node : nodes) {
    if (!node->name().empty())
      continue;
    StringRef op = mnemonic(node->kind());
    if (isLeaf(node->kind()) && node->kind() != OpKind::Const)
      assign(node, op);
    else
      assign(node, (serves[node] + "." + op).str());
  }
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static void printList(llvm::raw_ostream &os, ArrayRef<Value> values) {
  os << '[';
  llvm::interleaveComma(values, os);
  os << ']';
}

static void printTable(llvm::raw_ostream &os, const Table &table) {
  switch (table.kind) {
  case Table::List:
    printList(os, table.values);
    return;
  case Table::String: {
    std::string text;
    for (const Value &character : table.values)
      text += character.asString();
    printQuoted(os, text);
    return;
  }
  case Table::Dict:
    os << '{';
    llvm::interleaveComma(
        llvm::zip_equal(table.keys, table.values), os, [&](auto entry) {
          os << std::get<0>(entry) << ": " << std::get<1>(entry);
        });
    os << '}';
    return;
  }
}

static void printAttribute(llvm::raw_ostream &os, const Node *node) {
  Attribute attribute = attributeOf(node->kind());
  if (attribute == Attribute::None)
    return;
  os << " { ";
  switch (attribute) {
  case Attribute::None:
    break;
  case Attribute::Atom:
    os << node->value();
    break;
  case Attribute::Comparison:
    os << "key " << spelling(node->compare()) << " query";
    break;
  case Attribute::Default:
    os << "default " << node->value();
    break;
  case Attribute::Container:
  case Attribute::List:
    printTable(os, node->table());
    break;
  }
  os << " }";
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

static bool isIdentifier(StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) &&
         llvm::all_of(text,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

static void printHeader(llvm::raw_ostream &os, const ProgramHeader &header) {
  os << "program";
  if (isIdentifier(header.name)) {
    os << " @" << header.name;
  } else if (!header.name.empty()) {
    os << " @";
    printQuoted(os, header.name);
  }
  llvm::ListSeparator separator;
  os << '(';
  if (!header.tokens.empty())
    os << separator << "tokens = " << header.tokens;
  if (!header.vocabulary.empty()) {
    os << separator << "vocab = ";
    printList(os, header.vocabulary);
  }
  if (header.maxSeqLen != 0)
    os << separator << "max_seq_len = " << header.maxSeqLen;
  if (header.causal)
    os << separator << "causal = true";
  os << ") {\n";
}

/// Columns are aligned up to these widths; longer entries stick out.
static constexpr size_t maxNameWidth = 24;
static constexpr size_t maxOpWidth = 48;

/// What is known of an op.
static void printFacts(llvm::raw_ostream &os, const Module &module,
                       const Node *op) {
  if (auto found = module.values.find(op); found != module.values.end())
    os << " in " << found->second;
  if (module.kept.contains(op))
    os << " kept";
  if (auto found = module.encodings.find(op); found != module.encodings.end())
    os << " as " << spelling(found->second);
  if (auto found = module.places.find(op); found != module.places.end())
    os << " @" << found->second.line << ':' << found->second.column;
}

void rasp::ir::print(llvm::raw_ostream &os, const Module &module) {
  NodeNames names = NodeNames::ofOps(module.ops);
  auto isInline = [&](const Node *node) {
    return node->kind() == OpKind::Const && node->name().empty() &&
           !llvm::is_contained(module.outputs, node);
  };

  struct Line {
    const Node *node;
    std::string name, op;
  };
  std::vector<Line> lines;
  size_t nameWidth = 0, opWidth = 0;
  for (const Node *node : module.ops) {
    if (isInline(node))
      continue;
    Line &line = lines.emplace_back(Line{node, names.of(node).str(), ""});
    llvm::raw_string_ostream text(line.op);
    text << mnemonic(node->kind());
    llvm::ListSeparator separator(", ");
    StringRef space = " ";
    for (const Node *operand : node->operands()) {
      text << space << separator;
      space = "";
      if (isInline(operand))
        text << operand->value();
      else
        text << '%' << names.of(operand);
    }
    printAttribute(text, node);
    if (line.name.size() <= maxNameWidth)
      nameWidth = std::max(nameWidth, line.name.size());
    if (line.op.size() <= maxOpWidth)
      opWidth = std::max(opWidth, line.op.size());
  }

  printHeader(os, module.header);
  for (const Line &line : lines) {
    os << "  %" << llvm::left_justify(line.name, nameWidth) << " = "
       << llvm::left_justify(line.op, opWidth);
    os << (line.node->isSop() ? " : value" : " : selector");
    printFacts(os, module, line.node);
    os << '\n';
  }
  os << "  output ";
  llvm::interleaveComma(module.outputs, os, [&](const Node *output) {
    os << '%' << names.of(output);
  });
  os << "\n}\n";
}
