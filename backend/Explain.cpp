//===- backend/Explain.cpp - the story of one op --------------------------===//

#include "backend/Explain.h"
#include "backend/Codes.h"
#include "backend/Encodings.h"
#include "backend/Remarks.h"
#include "backend/Wiring.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::counted;
using ir::Node;
using ir::OpKind;

/// Lists end after so many lines.
static constexpr size_t mostListed = 12;

/// With as many digits as are told apart at a glance.
static std::string shortNumber(double d) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.5g", d);
  return text;
}

namespace {
/// Prints the first lines of a list, and how many more there are.
class Lines {
public:
  explicit Lines(llvm::raw_ostream &os) : os(os) {}
  ~Lines() {
    if (count > mostListed)
      os << "  ... and " << count - mostListed << " more\n";
  }
  void add(const llvm::Twine &line) {
    if (++count <= mostListed)
      os << "  " << line << "\n";
  }
  bool isEmpty() const { return count == 0; }

private:
  llvm::raw_ostream &os;
  size_t count = 0;
};

class Explainer {
public:
  Explainer(const Explained &compiled, const Node *node, llvm::raw_ostream &os);
  void run();

private:
  std::string quoted(const Node *node) const {
    return "`" + names.of(node).str() + "`";
  }
  /// "`flip`, line 20"
  std::string place(const Node *node) const;
  std::string operandText(const Node *operand) const;
  std::string opText() const;
  const Direction &direction(DirId dir) const { return circuit[dir]; }
  /// The directions that hold values or functions of an s-op.
  llvm::SmallVector<DirId> directionsOf(const Node *sop) const;
  /// The heads that attend where a selector says.
  llvm::SmallVector<size_t> headsOf(const Node *selector) const;
  /// What there is of a user of an op, in a few words.
  std::string whatBecameOf(const Node *user) const;

  void tellValues();
  void tellFacts();
  void tellEncoding();
  std::string codeText(DirId dir, Codes &codes) const;
  void tellWriters();
  void tellHead(size_t head) const;
  void tellReaders();
  void tellCost();
  void tellReasons();

  const Circuit &circuit;
  const Layout &layout;
  const Node *output;
  const ir::NodeNames &names;
  const ir::ValueSets &sets;
  const llvm::SourceMgr &sources;
  llvm::ArrayRef<ir::Remark> remarks;
  const Node *node;
  llvm::raw_ostream &os;
  Wiring wiring;
  std::vector<const Node *> reachable;
  /// Of the s-op, or what the heads of the selector write.
  llvm::SmallVector<DirId> own;
  llvm::SmallVector<size_t> heads; ///< of a selector
};
} // namespace

Explainer::Explainer(const Explained &compiled, const Node *node,
                     llvm::raw_ostream &os)
    : circuit(compiled.circuit), layout(compiled.layout),
      output(compiled.output), names(compiled.names), sets(compiled.sets),
      sources(compiled.sources), remarks(compiled.remarks), node(node), os(os),
      wiring(circuit, names), reachable(ir::reachable(output)) {
  if (node->isSop()) {
    own = directionsOf(node);
    return;
  }
  heads = headsOf(node);
  for (size_t head : heads)
    for (const HeadOutput &moved : circuit.heads[head].outputs)
      own.push_back(moved.target);
}

llvm::SmallVector<DirId> Explainer::directionsOf(const Node *sop) const {
  llvm::SmallVector<DirId> result = backend::directionsOf(circuit, names, sop);
  llvm::sort(result, [&](DirId a, DirId b) {
    return layout.coordinate(a) < layout.coordinate(b);
  });
  return result;
}

llvm::SmallVector<size_t> Explainer::headsOf(const Node *selector) const {
  llvm::SmallVector<size_t> result;
  for (auto [h, head] : llvm::enumerate(circuit.heads)) {
    bool serves = head.selector == selector ||
                  llvm::any_of(head.outputs, [&](const HeadOutput &moved) {
                    const Node *source = direction(moved.target).source;
                    return source && source->operand(0) == selector;
                  });
    if (serves)
      result.push_back(h);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

void rasp::backend::printSource(const Node *node,
                                const llvm::SourceMgr &sources,
                                llvm::raw_ostream &os) {
  Lines lines(os);
  llvm::SmallSetVector<const char *, 4> seen;
  for (llvm::SMRange range : node->ranges()) {
    if (!range.isValid())
      continue;
    unsigned id = sources.FindBufferContainingLoc(range.Start);
    const llvm::MemoryBuffer *buffer = sources.getMemoryBuffer(id);
    llvm::StringRef text = buffer->getBuffer();
    auto at = static_cast<size_t>(range.Start.getPointer() - text.begin());
    size_t begin = text.take_front(at).find_last_of("\r\n") + 1;
    llvm::StringRef line = text.substr(begin).take_until(
        [](char c) { return c == '\r' || c == '\n'; });
    if (!seen.insert(line.begin()))
      continue;
    // No character is cut in two.
    size_t shown = std::min<size_t>(line.size(), 100);
    while (shown < line.size() && (line[shown] & 0xc0) == 0x80)
      --shown;
    lines.add(buffer->getBufferIdentifier() + ":" +
              llvm::Twine(sources.FindLineNumber(range.Start, id)) + ": " +
              line.take_front(shown).trim() +
              (shown < line.size() ? "..." : ""));
  }
  if (lines.isEmpty())
    lines.add("no text of the program stands for it");
}

std::string Explainer::place(const Node *of) const {
  std::string text = quoted(of);
  if (!of->ranges().empty() && of->ranges().front().isValid())
    text += ", line " +
            std::to_string(
                sources.getLineAndColumn(of->ranges().front().Start).first);
  return text;
}

std::string Explainer::operandText(const Node *operand) const {
  return operand->kind() == OpKind::Const && operand->name().empty()
             ? operand->value().str()
             : quoted(operand);
}

std::string Explainer::opText() const {
  if (node->kind() == OpKind::Select)
    return "selects a key where its " + operandText(node->operand(0)) + " " +
           ir::spelling(node->compare()).str() + " the query's " +
           operandText(node->operand(1));
  std::string text = ir::mnemonic(node->kind()).str();
  for (auto [i, operand] : llvm::enumerate(node->operands()))
    text += (i ? ", " : " of ") + operandText(operand);
  if (node->kind() == OpKind::Const)
    text += " " + node->value().str();
  if (node->kind() == OpKind::Aggregate)
    text += ", " + node->value().str() + " where nothing is selected";
  return text;
}

void Explainer::tellValues() {
  os << "values\n";
  const ir::NodeValues &values = sets.of(node);
  if (values.known)
    os << "  " << values.values.size() << ": "
       << ir::printValueSet(values.values) << "\n";
  else if (values.isAbridged())
    os << "  too many to be listed; " << values.values.size()
       << " stand for all that readers tell apart: "
       << ir::printValueSet(values.values) << "\n";
  else
    os << "  too many to be listed\n";
  if (values.numeric && !values.known)
    os << "  from " << shortNumber(values.low) << " to "
       << shortNumber(values.high) << "\n";
  if (values.uniform)
    os << "  the same at all positions of an input\n";

  bool isSource = values.hasTable && values.table.sources.size() == 1 &&
                  values.table.sources[0] == node;
  if (!values.hasTable) {
    os << "  a sum of too much for a table of what it is made of\n";
  } else if (!isSource) {
    const ir::JointTable &table = values.table;
    uint64_t all = 1;
    std::string list;
    for (auto [source, size] : llvm::zip(table.sources, table.sizes)) {
      all *= size;
      list += (list.empty() ? "" : ", ") +
              (source ? quoted(source) : "the token") + " (" +
              counted(size, "value") + ")";
    }
    if (table.sources.empty())
      os << "  a constant\n";
    else
      os << "  a function of " << list << ": "
         << table.entries.size() -
                static_cast<size_t>(
                    llvm::count(table.entries, ir::JointTable::impossible))
         << " of " << counted(all, "combination") << " occur\n";
  } else if (node->kind() == OpKind::Width) {
    os << "  the number of keys that " << quoted(node->operand(0))
       << " selects\n";
  } else if (node->kind() == OpKind::Aggregate) {
    const ir::NodeValues &inputs = sets.of(node->operand(1));
    os << "  of " << quoted(node->operand(1)) << " ("
       << (inputs.known ? counted(inputs.values.size(), "value")
                        : "too many values to be listed")
       << "), as " << quoted(node->operand(0)) << " selects it\n";
  }
  if (sets.isKept(node))
    os << "  readers see it as a source, since it is kept in the stream\n";
}

void Explainer::tellFacts() {
  os << "facts\n";
  // The facts are memoised by structure: asking again changes nothing.
  ir::SelectorAnalysis analysis(sets.domain().causal);
  const ir::SelectorFacts &facts = analysis.facts(node);
  const std::pair<bool, const char *> told[] = {
      {facts.alwaysTrue, "selects every key"},
      {facts.alwaysFalse, "selects no key"},
      {facts.atMostOneKey, "never selects two keys, so that its head moves "
                           "values instead of averaging them"},
      {facts.neverEmpty, "always selects a key"},
      {facts.selectsSelf, "always selects the position itself"},
      {facts.neverSelf, "never selects the position itself"}};
  Lines lines(os);
  for (auto [holds, text] : told)
    if (holds)
      lines.add(text);
  if (sets.domain().causal)
    lines.add("sees no key after the query");
  if (lines.isEmpty())
    lines.add("none that hold on all inputs are known");
}

//===----------------------------------------------------------------------===//
// The residual stream
//===----------------------------------------------------------------------===//

/// `2 * value - 1`
static std::string affineText(double scale, double offset) {
  std::string result = scale == 1    ? ""
                       : scale == -1 ? "-"
                                     : shortNumber(scale) + " * ";
  result += "value";
  if (offset != 0)
    result += (offset < 0 ? " - " : " + ") + shortNumber(std::fabs(offset));
  return result;
}

std::string Explainer::codeText(DirId dir, Codes &codes) const {
  std::optional<Code> code = codes.codeOf(dir);
  const Direction &own = direction(dir);
  llvm::ArrayRef<ir::Value> values = codes.valuesOf(own.space);
  if (code && code->affine)
    return affineText(code->affine->first, code->affine->second);
  if (!code || values.empty() || code->low.size() != values.size())
    return "from " + shortNumber(own.low) + " to " + shortNumber(own.high);
  if (!code->isExact())
    return "from " + shortNumber(own.low) + " to " + shortNumber(own.high) +
           ", not by its value alone";
  std::string ones;
  size_t count = 0;
  constexpr size_t mostValues = 6;
  for (auto [value, number] : llvm::zip(values, code->low)) {
    if (std::isnan(number) || number == 0)
      continue;
    if (number != 1) {
      // Not a 0/1 code: the first few numbers.
      std::string list;
      for (size_t v = 0; v < values.size() && v < mostValues; ++v)
        if (!std::isnan(code->low[v]))
          list += (list.empty() ? "" : ", ") + values[v].str() + ": " +
                  shortNumber(code->low[v]);
      return list + (values.size() > mostValues ? ", ..." : "");
    }
    if (++count <= mostValues)
      ones += (ones.empty() ? "" : ", ") + value.str();
  }
  return "1 where it is " + ones + (count > mostValues ? ", ..." : "");
}

void Explainer::tellEncoding() {
  os << "encoding\n";
  if (own.empty()) {
    const ir::NodeValues &values = sets.of(node);
    if (values.known && values.values.size() == 1)
      os << "  none: it is " << values.values[0].str() << " everywhere\n";
    else if (std::optional<std::string> form = printForm(circuit, node, sets))
      os << "  no direction: readers see " << *form << "\n";
    else
      os << "  no direction, and no reader sees it by itself\n";
    return;
  }
  Codes codes(circuit, output, names, sets);
  llvm::SmallVector<std::optional<Code>> all;
  for (DirId dir : own)
    all.push_back(codes.codeOf(dir));
  llvm::StringRef kind = encodingOf(all);
  os << "  " << (kind == "categorical" ? "one-hot" : kind) << ", in "
     << counted(own.size(), "direction") << "\n";
  size_t width = 0;
  for (DirId dir : llvm::ArrayRef(own).take_front(mostListed))
    width = std::max(width, direction(dir).residualLabel().size());
  Lines lines(os);
  for (DirId dir : own) {
    std::string label = direction(dir).residualLabel();
    label.resize(std::max(width, label.size()), ' ');
    std::string line =
        llvm::formatv("dim {0,-4} {1}  {2}", layout.coordinate(dir), label,
                      codeText(dir, codes));
    if (direction(dir).error > 0)
      line += llvm::formatv(", wrong by {0:e1} at most", direction(dir).error);
    for (const Direction &other : circuit.directions)
      if (other.reuse && other.reuse->of == dir)
        line +=
            llvm::formatv(", until the MLP of layer {0} clears it for `{1}`",
                          other.reuse->layer, other.residualLabel());
    lines.add(line);
  }
}

//===----------------------------------------------------------------------===//
// Components
//===----------------------------------------------------------------------===//

std::string Explainer::whatBecameOf(const Node *user) const {
  if (user->isSelector()) {
    llvm::SmallVector<size_t> serving = headsOf(user);
    std::string text;
    for (size_t head : serving)
      text += (text.empty() ? "" : ", ") + wiring.nameOfHead(head);
    return text.empty() ? "no head of its own" : text;
  }
  std::vector<std::string> writers;
  for (DirId dir : directionsOf(user)) {
    std::string writer = wiring.writerOf(dir);
    if (!llvm::is_contained(writers, writer))
      writers.push_back(writer);
  }
  if (!writers.empty())
    return llvm::join(writers, ", ");
  return printForm(circuit, user, sets) ? "a view" : "nothing of its own";
}

void Explainer::tellHead(size_t h) const {
  const Head &head = circuit.heads[h];
  Lines lines(os);
  lines.add(wiring.nameOfHead(h) + ": " + head.construction + "; rank " +
            llvm::Twine(head.scores.size()) + ", moves " +
            counted(head.outputs.size(), "direction"));
  lines.add(
      "  logits are " + shortNumber(head.step) +
      " times the scores; a selected key scores " +
      (head.proportional ? "the query's square" : shortNumber(head.selected)));
  if (head.scoreError == 0)
    lines.add("  scores are exact");
  else
    lines.add(
        llvm::formatv("  scores may be wrong by {0:e1}, {1:e1} is tolerated",
                      head.scoreError, head.scoreTolerance));
  bool isSingle =
      ir::SelectorAnalysis(sets.domain().causal).facts(node).atMostOneKey;
  if (head.tieError > 0 && !isSingle)
    lines.add(llvm::formatv(
        "  keys selected together score alike but for {0:e1}", head.tieError));
  if (head.leak > 0)
    lines.add(llvm::formatv(
        "  keys that are not selected weigh {0:e1} together", head.leak));
  if (head.proportional)
    lines.add("  BOS scores 0 and needs no term, since some key is selected "
              "and scores 1 at least");
  for (const ScoreTerm &score : head.scores)
    lines.add("  key `" + toString(circuit, score.key) + "` times query `" +
              toString(circuit, score.query) + "`" +
              (score.conjunct == ScoreTerm::ofBos ? ", for BOS" : ""));
}

void Explainer::tellWriters() {
  os << "computed by\n";
  for (size_t head : heads)
    tellHead(head);
  Lines lines(os);
  if (node->isSelector()) {
    if (heads.empty())
      lines.add("no head: what is read of it is part of other selectors");
    return;
  }
  llvm::MapVector<std::pair<unsigned, size_t>, llvm::SmallVector<DirId>> groups;
  for (DirId dir : own) {
    WriterKind writer = direction(dir).writer;
    size_t which = writer == WriterKind::Head  ? wiring.headOf(dir) + 1
                   : writer == WriterKind::Mlp ? direction(dir).time
                                               : 0;
    groups[{static_cast<unsigned>(writer), which}].push_back(dir);
  }
  for (auto &[key, dirs] : groups) {
    DirId first = dirs.front();
    std::string what = counted(dirs.size(), "direction");
    if (direction(first).writer == WriterKind::Head) {
      const Head &head = circuit.heads[wiring.headOf(first)];
      lines.add(wiring.writerOf(first) + ": " + head.construction + "; " +
                what + " of " + llvm::Twine(head.outputs.size()) +
                " that it moves");
    } else if (direction(first).writer == WriterKind::Mlp) {
      llvm::SmallSetVector<size_t, 8> units;
      std::vector<std::string> constructions;
      for (DirId dir : dirs) {
        llvm::ArrayRef<size_t> writing = wiring.unitsOf(dir);
        units.insert(writing.begin(), writing.end());
        if (!llvm::is_contained(constructions, direction(dir).construction))
          constructions.push_back(direction(dir).construction);
      }
      lines.add(wiring.writerOf(first) + ": " +
                llvm::join(constructions, ", ") + "; " + what + " by " +
                counted(units.size(), "hidden unit"));
    } else {
      lines.add(wiring.writerOf(first) + ": " + what);
    }
  }
  if (!lines.isEmpty())
    return;
  if (std::optional<std::string> form = printForm(circuit, node, sets)) {
    lines.add("nothing: it is read as a view of what is there");
  } else if (const ir::NodeValues &values = sets.of(node);
             values.known && values.values.size() == 1) {
    lines.add("nothing: it is a constant");
  } else {
    lines.add("nothing by itself: what uses it is made from what it is a "
              "function of");
  }
}

void Explainer::tellReaders() {
  os << "read by\n";
  Lines lines(os);
  llvm::DenseSet<uint32_t> isOwn;
  for (DirId dir : own)
    isOwn.insert(static_cast<uint32_t>(dir));
  auto reads = [&](const View &view) {
    return llvm::any_of(view.terms, [&](const Term &term) {
      return isOwn.contains(static_cast<uint32_t>(term.dir));
    });
  };
  for (auto [h, head] : llvm::enumerate(circuit.heads)) {
    std::vector<std::string> ways;
    if (llvm::any_of(head.scores, [&](auto &s) { return reads(s.key); }))
      ways.push_back("in its keys");
    if (llvm::any_of(head.scores, [&](auto &s) { return reads(s.query); }))
      ways.push_back("in its queries");
    if (llvm::any_of(head.outputs, [&](auto &o) { return reads(o.value); }))
      ways.push_back("in what it moves");
    if (!ways.empty())
      lines.add(wiring.nameOfHead(h) + ", " + llvm::join(ways, " and "));
  }
  llvm::MapVector<std::pair<unsigned, const Node *>, size_t> units;
  for (const Neuron &neuron : circuit.neurons) {
    if (!reads(neuron.input))
      continue;
    llvm::SmallSetVector<const Node *, 2> targets;
    for (const Term &term : neuron.outputs)
      targets.insert(direction(term.dir).node);
    for (const Node *target : targets)
      ++units[{neuron.layer, target}];
  }
  for (auto &[key, count] : units)
    lines.add("the MLP of layer " + llvm::Twine(key.first) + ", by " +
              counted(count, "hidden unit") + " for " +
              (key.second ? quoted(key.second) : "`tokens`"));
  size_t logits =
      static_cast<size_t>(llvm::count_if(circuit.readout.logits, reads));
  if (node == output)
    lines.add("the unembedding, for the output: " +
              counted(circuit.readout.logits.size(),
                      circuit.readout.numerical ? "number" : "logit"));
  else if (logits)
    lines.add("the unembedding, for " + counted(logits, "logit"));
  for (const Node *user : reachable)
    if (llvm::is_contained(user->operands(), node))
      lines.add("in the program: " + place(user) + " (" + whatBecameOf(user) +
                ")");
  if (lines.isEmpty())
    lines.add("nothing");
}

//===----------------------------------------------------------------------===//
// Costs and reasons
//===----------------------------------------------------------------------===//

uint64_t rasp::backend::countParametersOf(const Circuit &circuit,
                                          llvm::ArrayRef<DirId> directions,
                                          const ir::Domain &domain) {
  std::vector<bool> goes(circuit.directions.size());
  for (DirId dir : directions)
    goes[static_cast<uint32_t>(dir)] = true;
  auto isGone = [&](DirId dir) { return goes[static_cast<uint32_t>(dir)]; };
  // Sizes alone are counted, so of all references to directions only those to
  // what is taken over need new numbers.
  Circuit rest = circuit;
  rest.directions.clear();
  std::vector<DirId> renumbered(circuit.directions.size(), Circuit::bos);
  for (auto [i, direction] : llvm::enumerate(circuit.directions))
    if (!goes[i]) {
      renumbered[i] = DirId(static_cast<uint32_t>(rest.directions.size()));
      rest.directions.push_back(direction);
    }
  for (Direction &direction : rest.directions) {
    std::optional<Reuse> reuse = direction.reuse;
    while (reuse && isGone(reuse->of))
      reuse = circuit[reuse->of].reuse;
    if (reuse)
      direction.reuse->of = renumbered[static_cast<uint32_t>(reuse->of)];
    else
      direction.reuse.reset();
  }
  for (Head &head : rest.heads)
    llvm::erase_if(head.outputs, [&](const HeadOutput &moved) {
      return isGone(moved.target);
    });
  llvm::erase_if(rest.heads,
                 [](const Head &head) { return head.outputs.empty(); });
  llvm::erase_if(rest.neurons, [&](const Neuron &neuron) {
    return llvm::all_of(neuron.outputs,
                        [&](const Term &term) { return isGone(term.dir); });
  });
  rest.layers = 0;
  for (const Head &head : rest.heads)
    rest.layers = std::max(rest.layers, head.layer + 1);
  for (const Neuron &neuron : rest.neurons)
    rest.layers = std::max(rest.layers, neuron.layer + 1);
  return countParameters(circuit, domain) - countParameters(rest, domain);
}

void Explainer::tellCost() {
  os << "cost\n";
  if (own.empty()) {
    os << "  nothing: no direction, no hidden unit, no head\n";
    return;
  }
  auto isOwn = [&](DirId dir) { return llvm::is_contained(own, dir); };
  os << "  " << own.size() << " of "
     << counted(layout.order.size(), "direction") << "\n";
  size_t units = 0, alone = 0;
  for (const Neuron &neuron : circuit.neurons) {
    auto writes = llvm::count_if(
        neuron.outputs, [&](const Term &term) { return isOwn(term.dir); });
    units += writes > 0;
    alone += static_cast<size_t>(writes) == neuron.outputs.size();
  }
  if (units)
    os << "  " << units << " of "
       << counted(circuit.neurons.size(), "hidden unit")
       << (alone == units
               ? std::string(", which write nothing else")
               : ", " + std::to_string(alone) + " of which write nothing else")
       << "\n";
  size_t numHeads = 0, ranks = 0;
  for (const Head &head : circuit.heads)
    if (llvm::all_of(head.outputs, [&](const HeadOutput &moved) {
          return isOwn(moved.target);
        })) {
      ++numHeads;
      ranks += head.scores.size();
    }
  if (numHeads)
    os << "  " << numHeads << " of " << counted(circuit.heads.size(), "head")
       << ", with scores of rank " << ranks << (numHeads > 1 ? " together" : "")
       << "\n";
  os << "  " << countParametersOf(circuit, own, sets.domain()) << " of "
     << counted(countParameters(circuit, sets.domain()), "parameter")
     << ": what there would be less without "
     << (alone || numHeads ? "all that" : "its directions")
     << ", in layers of equal width\n";
}

void Explainer::tellReasons() {
  os << "why it is not cheaper\n";
  Lines lines(os);
  for (const ir::Remark &remark : remarks)
    // The whole chain is told below.
    if (remark.node == node &&
        remark.diagnostic.name != ir::diag::NotEarlier.name)
      lines.add(remark.diagnostic.message + " [" + remark.diagnostic.name +
                "]");
  // The direction that takes longest, and what it waits for.
  DirId last = Circuit::bos;
  for (DirId dir : own)
    if (direction(dir).time > direction(last).time)
      last = dir;
  if (wiring.chainTo(last).size() > 1)
    lines.add("it waits for " + wiring.printChain(last));
  for (DirId dir : own)
    if (direction(dir).inputTolerance)
      lines.add(llvm::formatv("what `{0}` is made of may be wrong by {1:e1}, "
                              "and {2:e1} is tolerated",
                              direction(dir).residualLabel(),
                              direction(dir).inputError,
                              *direction(dir).inputTolerance));
  if (lines.isEmpty())
    lines.add(own.empty() ? "it costs nothing" : "no decision was taken on it");
}

void Explainer::run() {
  os << quoted(node) << ", " << (node->isSop() ? "an s-op" : "a selector")
     << (node == output ? ", the output" : "") << "\n";
  os << "source\n";
  printSource(node, sources, os);
  os << "  " << opText() << "\n";
  if (node->isSop()) {
    tellValues();
    tellEncoding();
  } else {
    tellFacts();
  }
  tellWriters();
  tellReaders();
  tellCost();
  tellReasons();
}

void rasp::backend::explain(const Explained &compiled, const Node *node,
                            llvm::raw_ostream &os) {
  Explainer(compiled, node, os).run();
}
