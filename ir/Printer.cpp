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

NodeNames::NodeNames(ArrayRef<const Node *> roots) {
  std::vector<const Node *> nodes = reachable(roots);

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

static void printAttributes(llvm::raw_ostream &os, const Node *node) {
  switch (node->kind()) {
  case OpKind::Const:
    os << " { " << node->value() << " }";
    return;
  case OpKind::Select:
    os << " { key " << spelling(node->compare()) << " query }";
    return;
  case OpKind::Aggregate:
    os << " { default " << node->value() << " }";
    return;
  case OpKind::Lookup:
  case OpKind::In:
    os << " { ";
    printTable(os, node->table());
    os << " }";
    return;
  default:
    return;
  }
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

void rasp::ir::print(llvm::raw_ostream &os, ArrayRef<const Node *> roots,
                     const ProgramHeader &header, const PrintOptions &options) {
  NodeNames names(roots);
  // A constant that no variable holds is written where it is used.
  auto isInline = [&](const Node *node) {
    return node->kind() == OpKind::Const && node->name().empty() &&
           !llvm::is_contained(roots, node);
  };

  struct Line {
    const Node *node;
    std::string name, op;
  };
  std::vector<Line> lines;
  size_t nameWidth = 0, opWidth = 0;
  for (const Node *node : reachable(roots)) {
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
    printAttributes(text, node);
    if (line.name.size() <= maxNameWidth)
      nameWidth = std::max(nameWidth, line.name.size());
    if (line.op.size() <= maxOpWidth)
      opWidth = std::max(opWidth, line.op.size());
  }

  printHeader(os, header);
  for (const Line &line : lines) {
    os << "  %" << llvm::left_justify(line.name, nameWidth) << " = "
       << llvm::left_justify(line.op, opWidth);
    os << (line.node->isSop() ? " : value" : " : selector");
    if (options.annotation && line.node->isSop())
      os << options.annotation(line.node);
    if (options.sources && !line.node->ranges().empty()) {
      auto [lineNumber, column] =
          options.sources->getLineAndColumn(line.node->ranges().front().Start);
      os << " @" << lineNumber << ':' << column;
    }
    os << '\n';
  }
  os << "  output ";
  llvm::interleaveComma(roots, os,
                        [&](const Node *root) { os << '%' << names.of(root); });
  os << "\n}\n";
}
