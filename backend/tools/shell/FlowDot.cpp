//===- backend/tools/shell/FlowDot.cpp - a picture for Graphviz -----------===//

#include "backend/tools/shell/Flow.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp;
using namespace rasp::shell;

namespace {

class DotWriter {
public:
  explicit DotWriter(const Flow &flow) : flow(flow) {}
  std::string write();

private:
  void cell(llvm::StringRef text, llvm::StringRef colour,
            llvm::StringRef port = "") {
    os << "<TD BGCOLOR=\"" << colour << '"';
    if (!port.empty())
      os << " PORT=\"" << port << '"';
    os << '>' << (text.empty() ? "&#160;" : escaped(text)) << "</TD>";
  }
  /// One row of a table.
  void row(const Row &row, unsigned turn);
  /// A node that is a table; returns its name.
  std::string table(llvm::function_ref<void()> rows);
  void head(const FlowHead &head, unsigned number);
  /// Places `after` below `before`.
  void order(const std::string &node) {
    if (!last.empty())
      links += last + " -> " + node + " [style=invis];\n";
    last = node;
  }

  const Flow &flow;
  std::string text;
  llvm::raw_string_ostream os{text};
  std::string links;
  std::string last;
  unsigned tables = 0, clusters = 0;
};

} // namespace

void DotWriter::row(const Row &row, unsigned turn) {
  static constexpr llvm::StringLiteral prefixes[] = {"",   "Me ",   "Other ",
                                                     "X ", "f(X) ", "FF "};
  os << "<TR><TD ALIGN=\"RIGHT\" BORDER=\"0\">"
     << escaped((prefixes[row.kind] + row.label).str()) << "</TD>";
  for (auto [i, content] : llvm::enumerate(row.cells))
    cell(content, colourOf(row.kind, turn), "c" + std::to_string(i));
  os << "</TR>";
}

std::string DotWriter::table(llvm::function_ref<void()> rows) {
  std::string name = "t" + std::to_string(tables++);
  os << name
     << " [label=<<TABLE BORDER=\"0\" CELLBORDER=\"1\" CELLSPACING=\"0\">";
  rows();
  os << "</TABLE>>];\n";
  order(name);
  return name;
}

void DotWriter::head(const FlowHead &head, unsigned number) {
  os << "subgraph cluster_" << clusters++ << " {\nlabel=\""
     << llvm::formatv("head {0} (select ", number);
  llvm::printEscapedString(head.selector, os);
  os << ")\"; style=filled; fillcolor=white;\n";
  table([&] {
    for (auto [turn, operand] : llvm::enumerate(head.operands))
      row(operand, turn);
  });
  table([&] {
    os << "<TR><TD BORDER=\"0\">&#160;</TD>";
    for (const std::string &item : flow.items)
      os << "<TD BORDER=\"0\">" << escaped(item) << "</TD>";
    os << "</TR>";
    for (auto [item, selected] : llvm::zip_equal(flow.items, head.selected)) {
      os << "<TR><TD BORDER=\"0\">" << escaped(item) << "</TD>";
      for (bool on : selected)
        cell("", on ? selectedColour : unselectedColour);
      os << "</TR>";
    }
  });
  for (auto [turn, move] : llvm::enumerate(head.moves)) {
    std::string from = table([&] { row(move.values, turn); });
    std::string to = table([&] {
      row(move.result, turn);
      if (!move.defaultValue.empty())
        os << "<TR><TD COLSPAN=\"" << move.result.cells.size() + 1
           << "\">default " << escaped(move.defaultValue) << "</TD></TR>";
    });
    for (auto [q, selected] : llvm::enumerate(head.selected))
      for (size_t k = 0; k < selected.size(); ++k)
        if (selected[k])
          links += llvm::formatv("{0}:c{1}:s -> {2}:c{3}:n [arrowhead=none, "
                                 "color=grey];\n",
                                 from, k, to, q)
                       .str();
  }
  os << "}\n";
}

std::string DotWriter::write() {
  os << "digraph flow {\nnode [shape=plaintext, fontname=\"monospace\"];\n"
        "graph [fontname=\"monospace\", labeljust=l, labelloc=t, label=\"";
  // A backslash of ours is one of the text.
  std::string title;
  for (char c : flow.title)
    title += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  os << title << "\"];\n";
  for (auto [depth, layer] : llvm::enumerate(flow.layers)) {
    os << "subgraph cluster_" << clusters++ << " {\nlabel=\"";
    if (depth == 0)
      os << "input";
    else
      os << "layer " << depth;
    os << "\"; style=filled; fillcolor=whitesmoke;\n";
    for (auto [number, head] : llvm::enumerate(layer.heads))
      this->head(head, number + 1);
    if (!layer.forward.empty())
      table([&] {
        for (auto [turn, item] : llvm::enumerate(layer.forward))
          row(item, turn);
      });
    os << "}\n";
  }
  os << links << "}\n";
  return text;
}

std::string shell::toDot(const Flow &flow) { return DotWriter(flow).write(); }
