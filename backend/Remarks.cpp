//===- backend/Remarks.cpp - what a circuit is like, and why --------------===//

#include "backend/Remarks.h"
#include "backend/HeadChain.h"
#include "backend/Wiring.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include <set>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;

namespace {
class Collector {
public:
  Collector(const Circuit &circuit, const Node *output,
            const ir::NodeNames &names, const ir::ValueSets &sets)
      : circuit(circuit), output(output), names(names), sets(sets),
        wiring(circuit, names) {
    for (const Direction &direction : circuit.directions)
      if (isOwn(direction))
        owners.insert(direction.node);
  }
  ir::Remarks run();

private:
  template <typename... Args>
  void add(const Node *node, const ir::DiagKind<Args...> &kind,
           const std::type_identity_t<Args> &...args) {
    remarks.push_back(ir::makeRemark(node, kind, args...));
  }
  std::string quoted(const Node *node) const {
    return "`" + names.of(node).str() + "`";
  }
  /// Whether a direction belongs to its node: affine functions of the position
  /// share the position.
  bool isOwn(const Direction &direction) const {
    return direction.node && direction.space == names.of(direction.node);
  }
  void tellValues(const Node *node);
  void tellViews(const Node *node);
  void tellEmbeddings();
  void tellMovedFunctions();
  void tellSharing();
  /// Why two heads of one selector, or with the same scores, are two.
  std::string whyNotShared(const Head &early, const Head &late) const;
  void tellReuse();
  void tellHeadLayers();
  void tellMlpLayers();
  void tellDepth();
  /// Each remark once, in the order in which they were made.
  void dropRepeated();

  const Circuit &circuit;
  const Node *output;
  const ir::NodeNames &names;
  const ir::ValueSets &sets;
  Wiring wiring;
  llvm::DenseSet<const Node *> owners; ///< of directions
  ir::Remarks remarks;
};
} // namespace

std::optional<std::string> rasp::backend::printForm(const Circuit &circuit,
                                                    const Node *sop,
                                                    const ir::ValueSets &sets) {
  llvm::ArrayRef<ir::Value> values = sets.of(sop).values;
  const SourceForm *ofOne = nullptr;
  size_t which = 0;
  for (const SourceForm &form : circuit.forms) {
    if (form.source != sop || form.byValue.size() != values.size())
      continue;
    auto isValue = [](auto entry) {
      auto [value, number] = entry;
      return value.isNumeric() && value.toDouble() == number;
    };
    if (llvm::all_of(llvm::zip(values, form.byValue), isValue))
      return "`" + toString(circuit, form.view) + "`";
    // A 0/1 view of one value.
    if (!ofOne && llvm::count(form.byValue, 1.0) == 1 &&
        llvm::count(form.byValue, 0.0) + 1 ==
            static_cast<std::ptrdiff_t>(values.size())) {
      ofOne = &form;
      which = static_cast<size_t>(llvm::find(form.byValue, 1.0) -
                                  form.byValue.begin());
    }
  }
  if (!ofOne)
    return std::nullopt;
  return "`" + toString(circuit, ofOne->view) + "`, which is 1 where it is " +
         values[which].str();
}

void Collector::tellValues(const Node *node) {
  const ir::NodeValues &values = sets.of(node);
  if (values.isAbridged())
    add(node, ir::diag::ValuesAbridged, values.values.size());
  else if (!values.known)
    add(node, ir::diag::ValuesNotListed);
}

void Collector::tellViews(const Node *node) {
  if (!ir::isElementwise(node->kind()) || owners.contains(node))
    return;
  if (std::optional<std::string> form = printForm(circuit, node, sets))
    add(node, ir::diag::ReadAsView, *form);
}

void Collector::tellEmbeddings() {
  llvm::MapVector<std::pair<const Node *, unsigned>, size_t> columns;
  for (const Direction &direction : circuit.directions)
    if (isOwn(direction) && ir::isElementwise(direction.node->kind()) &&
        (direction.writer == WriterKind::TokenEmbed ||
         direction.writer == WriterKind::PosEmbed))
      ++columns[{direction.node, direction.writer == WriterKind::PosEmbed}];
  for (auto &[key, count] : columns)
    add(key.first, ir::diag::EmbeddingTable, key.second ? "position" : "token",
        ir::counted(count, "column"));
}

void Collector::tellMovedFunctions() {
  for (const Head &head : circuit.heads)
    for (const HeadOutput &moved : head.outputs) {
      const Direction &direction = circuit[moved.target];
      if (direction.source && direction.source != direction.node &&
          direction.node && ir::isElementwise(direction.node->kind()))
        add(direction.node, ir::diag::FunctionMoved,
            names.of(head.selector).str(), names.of(direction.source).str());
    }
}

std::string Collector::whyNotShared(const Head &early, const Head &late) const {
  auto counts = [&](const Head &head) {
    return llvm::any_of(head.outputs, [&](const HeadOutput &moved) {
      const Node *source = circuit[moved.target].source;
      return source && source->kind() == OpKind::Width;
    });
  };
  if (!haveSameScores(early, late)) {
    if (counts(early) != counts(late))
      return "one counts keys by the weight that it leaves to BOS, and the "
             "other must leave none";
    return "one needs scores that are more nearly the same for keys selected "
           "together";
  }
  std::vector<unsigned> first = firstReads(circuit);
  for (const HeadOutput &moved : early.outputs) {
    unsigned time = first[static_cast<uint32_t>(moved.target)];
    if (time <= 2 * late.layer + 1)
      return "`" + circuit[moved.target].residualLabel() +
             "` is read in layer " + std::to_string((time - 1) / 2) +
             " and the other reads `" +
             circuit[wiring.lastReadBy(late)].residualLabel() + "`, by " +
             wiring.writerOf(wiring.lastReadBy(late));
  }
  return "they were put into different layers";
}

void Collector::tellSharing() {
  auto isPart = [&](const Head &head) {
    return llvm::any_of(head.outputs, [&](const HeadOutput &moved) {
      return circuit[moved.target].part > 0;
    });
  };
  for (auto [i, head] : llvm::enumerate(circuit.heads)) {
    llvm::SmallSetVector<const Node *, 4> sources;
    for (const HeadOutput &moved : head.outputs)
      if (const Node *source = circuit[moved.target].source)
        sources.insert(source);
    if (sources.size() > 1) {
      constexpr size_t most = 8;
      std::string list;
      for (const Node *source : sources.getArrayRef().take_front(most))
        list += (list.empty() ? "" : ", ") + quoted(source);
      if (sources.size() > most)
        list += " and " + std::to_string(sources.size() - most) + " more";
      add(head.selector, ir::diag::HeadShared, list);
    }
    // The next one of its kind is enough.
    for (const Head &late : llvm::ArrayRef(circuit.heads).drop_front(i + 1)) {
      // Parts of one count have scores of their own.
      if (isPart(head) || isPart(late) ||
          (late.selector != head.selector && !haveSameScores(head, late)))
        continue;
      std::string where = "both in layer " + std::to_string(head.layer);
      if (late.layer != head.layer)
        where = "in layers " + std::to_string(head.layer) + " and " +
                std::to_string(late.layer);
      add(late.selector, ir::diag::HeadNotShared, where,
          whyNotShared(head, late));
      break;
    }
  }
}

void Collector::tellReuse() {
  llvm::MapVector<std::pair<const Node *, unsigned>, std::vector<DirId>> taken;
  for (auto [i, direction] : llvm::enumerate(circuit.directions))
    if (direction.reuse && direction.node)
      taken[{direction.node, direction.reuse->layer}].push_back(
          DirId(static_cast<uint32_t>(i)));
  for (auto &[key, directions] : taken) {
    constexpr size_t mostListed = 4;
    std::string list;
    for (DirId dir : llvm::ArrayRef(directions)
                         .take_front(std::min(mostListed, directions.size())))
      list += (list.empty() ? "`" : ", `") + circuit[dir].residualLabel() +
              "` after `" + circuit[circuit[dir].reuse->of].residualLabel() +
              "`";
    add(key.first, ir::diag::TakesOver,
        ir::counted(directions.size(), "direction"), key.second,
        list + (directions.size() > mostListed ? ", ..." : ""));
  }
}

void Collector::tellHeadLayers() {
  for (const Head &head : circuit.heads) {
    DirId last = wiring.lastReadBy(head);
    unsigned earliest = wiring.earliestLayer(head);
    if (earliest > 0)
      add(head.selector, ir::diag::NotEarlier, earliest,
          "the head reads " + wiring.printChain(last));
    if (head.layer > earliest)
      add(head.selector, ir::diag::Waits, head.layer, earliest,
          ir::counted(wiring.numHeads(earliest), "head"));
  }
}

void Collector::tellMlpLayers() {
  // The last of the directions that an s-op has in a layer.
  llvm::MapVector<std::pair<const Node *, unsigned>, DirId> last;
  for (uint32_t d = 1; d < circuit.directions.size(); ++d) {
    const Direction &direction = circuit.directions[d];
    if (direction.writer != WriterKind::Mlp || !direction.node)
      continue;
    auto [it, isNew] =
        last.try_emplace({direction.node, direction.time}, DirId(d));
    if (!isNew && circuit[wiring.lastReadFor(DirId(d))].time >
                      circuit[wiring.lastReadFor(it->second)].time)
      it->second = DirId(d);
  }
  for (auto &[key, dir] : last) {
    unsigned layer = key.second / 2 - 1;
    unsigned earliest = wiring.earliestLayerOfMlp(dir);
    if (earliest > 0)
      add(key.first, ir::diag::NotEarlier, earliest,
          "the MLP reads " + wiring.printChain(wiring.lastReadFor(dir)));
    if (layer > earliest)
      add(key.first, ir::diag::Waits, layer, earliest,
          ir::counted(wiring.numUnits(earliest), "hidden unit"));
  }
}

void Collector::tellDepth() {
  std::vector<size_t> chain = longestHeadChain(circuit);
  if (chain.size() > 1) {
    std::string list;
    for (size_t head : chain)
      list += (list.empty() ? "" : " -> ") + wiring.nameOfHead(head);
    add(output, ir::diag::DepthBound, ir::counted(chain.size(), "layer"), list);
  }
  if (circuit.layers <= std::max<size_t>(chain.size(), 1))
    return;
  DirId deepest = Circuit::bos;
  for (uint32_t d = 1; d < circuit.directions.size(); ++d)
    if (circuit.directions[d].time > circuit[deepest].time)
      deepest = DirId(d);
  add(output, ir::diag::DeeperThanHeads, ir::counted(circuit.layers, "layer"),
      chain.size(), wiring.printChain(deepest));
}

void Collector::dropRepeated() {
  std::set<std::tuple<const Node *, const char *, llvm::StringRef, std::string>>
      told;
  llvm::erase_if(remarks, [&](const ir::Remark &remark) {
    const ir::Diagnostic &own = remark.diagnostic;
    return !told.emplace(remark.node, own.range.Start.getPointer(), own.name,
                         own.message)
                .second;
  });
}

ir::Remarks Collector::run() {
  for (const CircuitRemark &remark : circuit.remarks)
    remarks.push_back(remark.remark);
  for (const Head &head : circuit.heads)
    llvm::append_range(remarks, head.remarks);
  for (const Node *node : ir::reachable(output)) {
    if (!node->isSop())
      continue;
    tellValues(node);
    tellViews(node);
  }
  tellEmbeddings();
  tellMovedFunctions();
  tellSharing();
  tellReuse();
  tellHeadLayers();
  tellMlpLayers();
  tellDepth();
  dropRepeated();
  return std::move(remarks);
}

ir::Remarks rasp::backend::collectRemarks(const Circuit &circuit,
                                          const Node *output,
                                          const ir::NodeNames &names,
                                          const ir::ValueSets &sets) {
  return Collector(circuit, output, names, sets).run();
}
