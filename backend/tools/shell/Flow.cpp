//===- backend/tools/shell/Flow.cpp - a computation as a picture ----------===//

#include "backend/tools/shell/Flow.h"
#include "backend/tools/shell/Display.h"
#include "runtime/OutputFile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"

using namespace rasp;
using namespace rasp::shell;
using ir::Node;
using ir::OpKind;

namespace {

class FlowBuilder {
public:
  FlowBuilder(const Node *sop, const Input &input, bool causal)
      : root(sop), all(ir::reachable(sop)), interpreter(all, {causal}),
        state(interpreter) {
    auto outcomes = interpreter.run(input.items, state);
    for (auto [node, outcome] : llvm::zip_equal(all, outcomes))
      results[node] = copyOf(outcome, node->isSelector());
  }

  void build(Flow &flow);

private:
  static bool isGathered(const Node *node) {
    return node->kind() == OpKind::Aggregate || node->kind() == OpKind::Width;
  }
  unsigned depthOf(const Node *node) const { return depths.lookup(node); }
  void findShown();
  Row row(Row::Kind kind, const Node *node) const;
  std::string label(const Node *node) const;
  void addOperands(const Node *selector, FlowHead &head) const;
  FlowHead makeHead(const Node *selector,
                    llvm::ArrayRef<const Node *> gathered) const;

  const Node *root;
  std::vector<const Node *> all;
  ir::Interpreter interpreter;
  ir::Interpreter::State state;
  llvm::DenseMap<const Node *, Result> results;
  llvm::DenseMap<const Node *, unsigned> depths;
  /// The s-ops that have a row, numbered in the order of the picture.
  llvm::DenseMap<const Node *, unsigned> numbers;
  llvm::SmallPtrSet<const Node *, 16> shown;
};

} // namespace

/// Constants and unnamed steps in between are left out.
void FlowBuilder::findShown() {
  shown.insert(root);
  for (const Node *node : all) {
    if (isGathered(node))
      shown.insert(node);
    if (node->isSop() && node->kind() != OpKind::Const &&
        (!node->name().empty() || ir::isLeaf(node->kind())))
      shown.insert(node);
    if (node->kind() == OpKind::Select || isGathered(node))
      for (const Node *operand : node->operands())
        if (operand->isSop() && operand->kind() != OpKind::Const)
          shown.insert(operand);
  }
}

std::string FlowBuilder::label(const Node *node) const {
  auto number = numbers.find(node);
  std::string name = nameOf(node);
  if (number == numbers.end())
    return name;
  return llvm::formatv("({0}) {1}", number->second, name).str();
}

Row FlowBuilder::row(Row::Kind kind, const Node *node) const {
  Row row{kind, label(node)};
  for (const ir::Value &value : results.find(node)->second.values)
    row.cells.push_back(value.display());
  return row;
}

void FlowBuilder::addOperands(const Node *selector, FlowHead &head) const {
  llvm::SmallVector<const Node *> rest{selector};
  llvm::SetVector<const Node *> queries, keys;
  while (!rest.empty()) {
    const Node *node = rest.pop_back_val();
    if (node->kind() != OpKind::Select) {
      for (const Node *operand : llvm::reverse(node->operands()))
        rest.push_back(operand);
      continue;
    }
    keys.insert(node->operand(0));
    queries.insert(node->operand(1));
  }
  for (const Node *query : queries)
    head.operands.push_back(row(Row::Me, query));
  for (const Node *key : keys)
    head.operands.push_back(row(Row::Other, key));
}

FlowHead FlowBuilder::makeHead(const Node *selector,
                               llvm::ArrayRef<const Node *> gathered) const {
  FlowHead head;
  head.selector = nameOf(selector);
  head.selected = results.find(selector)->second.rows;
  addOperands(selector, head);
  for (const Node *node : gathered) {
    FlowHead::Move move;
    move.result = row(Row::F, node);
    if (node->kind() == OpKind::Aggregate) {
      move.values = row(Row::X, node->operand(1));
      move.defaultValue = node->value().str();
    } else {
      move.values = {Row::X, "1", {}};
      move.values.cells.assign(head.selected.size(), "1");
    }
    head.moves.push_back(std::move(move));
  }
  return head;
}

void FlowBuilder::build(Flow &flow) {
  findShown();
  using Heads = llvm::MapVector<const Node *, std::vector<const Node *>>;
  std::vector<Heads> heads(1);
  std::vector<std::vector<const Node *>> forward(1);
  for (const Node *node : all) {
    unsigned depth = 0;
    for (const Node *operand : node->operands())
      depth = std::max(depth, depthOf(operand));
    depth += isGathered(node);
    depths[node] = depth;
    if (heads.size() <= depth) {
      heads.resize(depth + 1);
      forward.resize(depth + 1);
    }
    if (isGathered(node))
      heads[depth][node->operand(0)].push_back(node);
    else if (node->isSop() && shown.contains(node))
      forward[depth].push_back(node);
  }

  // Rows are numbered from top to bottom.
  unsigned number = 0;
  for (unsigned depth = 0; depth < heads.size(); ++depth) {
    for (auto &[selector, gathered] : heads[depth])
      for (const Node *node : gathered)
        numbers[node] = ++number;
    for (const Node *node : forward[depth])
      numbers[node] = ++number;
  }

  for (unsigned depth = 0; depth < heads.size(); ++depth) {
    FlowLayer layer;
    for (auto &[selector, gathered] : heads[depth])
      layer.heads.push_back(makeHead(selector, gathered));
    for (const Node *node : forward[depth]) {
      Row shownRow =
          row(ir::isLeaf(node->kind()) ? Row::Given : Row::Forward, node);
      // The nearest rows that it is computed from.
      llvm::SmallVector<const Node *> rest(node->operands());
      llvm::SetVector<unsigned> from;
      llvm::SmallPtrSet<const Node *, 8> seen;
      while (!rest.empty()) {
        const Node *operand = rest.pop_back_val();
        if (!seen.insert(operand).second)
          continue;
        if (unsigned known = numbers.lookup(operand))
          from.insert(known);
        else
          rest.append(operand->operands().begin(), operand->operands().end());
      }
      if (!from.empty()) {
        auto sorted = from.takeVector();
        llvm::sort(sorted);
        shownRow.label += " from (";
        llvm::raw_string_ostream os(shownRow.label);
        llvm::interleave(sorted, os, ",");
        os << ")";
      }
      layer.forward.push_back(std::move(shownRow));
    }
    flow.layers.push_back(std::move(layer));
  }
}

Flow shell::makeFlow(const Node *sop, llvm::StringRef title, const Input &input,
                     bool causal) {
  Flow flow;
  flow.title = (title + "(" + input.str() + ")").str();
  for (const ir::Value &item : input.items)
    flow.items.push_back(item.display());
  FlowBuilder(sop, input, causal).build(flow);
  return flow;
}

llvm::StringRef shell::colourOf(Row::Kind kind, unsigned turn) {
  // Neighbouring rows of a kind take turns.
  static constexpr llvm::StringLiteral colours[][2] = {
      {"lightgrey", "gainsboro"}, {"palegreen", "darkseagreen"},
      {"lightblue", "skyblue"},   {"lightpink", "pink"},
      {"plum", "plum"},           {"orange", "sandybrown"}};
  return colours[kind][turn % 2];
}

std::string shell::escaped(llvm::StringRef text) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(text, os);
  return result;
}

/// The picture by Graphviz, or nothing.
static std::string runGraphviz(llvm::StringRef program,
                               llvm::StringRef source) {
  llvm::SmallString<128> in, out;
  if (llvm::sys::fs::createTemporaryFile("rasp", "dot", in) ||
      llvm::sys::fs::createTemporaryFile("rasp", "svg", out))
    return "";
  // Ctrl-C may come while the program runs.
  llvm::sys::RemoveFileOnSignal(in);
  llvm::sys::RemoveFileOnSignal(out);
  std::string svg;
  std::error_code code;
  {
    llvm::raw_fd_ostream os(in, code);
    os << source;
  }
  std::optional<llvm::StringRef> redirects[] = {in.str(), out.str(),
                                                llvm::StringRef("")};
  constexpr unsigned maxSeconds = 30;
  if (!code &&
      llvm::sys::ExecuteAndWait(program, {program, "-Tsvg"}, std::nullopt,
                                redirects, maxSeconds) == 0)
    if (auto buffer = llvm::MemoryBuffer::getFile(out))
      svg = (*buffer)->getBuffer().str();
  for (llvm::StringRef path : {in.str(), out.str()}) {
    llvm::sys::fs::remove(path);
    llvm::sys::DontRemoveFileOnSignal(path);
  }
  return svg;
}

llvm::Expected<std::string> shell::writeDrawing(const Node *sop,
                                                llvm::StringRef title,
                                                const Input &input,
                                                bool causal) {
  Flow flow = makeFlow(sop, title, input, causal);
  std::string svg;
  if (llvm::ErrorOr<std::string> dot = llvm::sys::findProgramByName("dot"))
    svg = runGraphviz(*dot, toDot(flow));
  if (svg.empty())
    svg = toSVG(flow);

  // Anything but letters and digits would need quoting somewhere.
  std::string stem;
  for (char c : title)
    stem += llvm::isAlnum(c) ? c : '_';
  llvm::SmallString<128> path("drawings");
  if (std::error_code code = llvm::sys::fs::create_directories(path))
    return llvm::createStringError(code,
                                   "`" + path.str() + "`: " + code.message());
  llvm::sys::path::append(path, stem + ".svg");
  if (llvm::Error failure = rt::replaceFile(path, [&](llvm::raw_ostream &os) {
        os << svg;
        return llvm::Error::success();
      }))
    return failure;
  return path.str().str();
}
