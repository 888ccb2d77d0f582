//===- backend/Constructions.cpp - how a circuit is made ------------------===//

#include "backend/Constructions.h"
#include "backend/HeadChain.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace rasp;
using namespace rasp::backend;

static unsigned lineOf(const ir::Node *node, const llvm::SourceMgr &sources) {
  if (!node || node->ranges().empty() || !node->ranges().front().isValid())
    return 0;
  return sources.getLineAndColumn(node->ranges().front().Start).first;
}

std::vector<ConstructionUse>
rasp::backend::listConstructions(const Circuit &circuit,
                                 const llvm::SourceMgr &sources,
                                 const ir::NodeNames &names) {
  std::vector<ConstructionUse> uses;
  for (unsigned layer = 0; layer < circuit.layers; ++layer) {
    for (const Head &head : circuit.heads) {
      if (head.layer != layer)
        continue;
      ConstructionUse use;
      use.layer = layer;
      use.isHead = true;
      use.name = head.name;
      use.line = lineOf(head.selector, sources);
      use.construction = head.construction;
      use.rank = head.scores.size();
      use.directions = head.outputs.size();
      uses.push_back(std::move(use));
    }
    // Directions of one s-op that are made alike are one line.
    using Key = std::pair<const ir::Node *, std::string>;
    struct Group {
      llvm::SetVector<DirId> directions;
      size_t hiddenUnits = 0;
    };
    std::vector<std::pair<Key, Group>> groups;
    for (const Neuron &neuron : circuit.neurons) {
      if (neuron.layer != layer)
        continue;
      llvm::SmallVector<size_t, 2> counted;
      for (const Term &term : neuron.outputs) {
        const Direction &dir = circuit[term.dir];
        Key key{dir.node, dir.construction};
        auto found = llvm::find_if(
            groups, [&](const auto &group) { return group.first == key; });
        size_t index = static_cast<size_t>(found - groups.begin());
        if (found == groups.end())
          groups.push_back({key, {}});
        Group &group = groups[index].second;
        group.directions.insert(term.dir);
        if (!llvm::is_contained(counted, index))
          ++group.hiddenUnits;
        counted.push_back(index);
      }
    }
    for (auto &[key, group] : groups) {
      ConstructionUse use;
      use.layer = layer;
      use.name = key.first ? names.of(key.first).str() : "tokens";
      use.line = lineOf(key.first, sources);
      use.construction = key.second;
      use.hiddenUnits = group.hiddenUnits;
      use.directions = group.directions.size();
      uses.push_back(std::move(use));
    }
    // What is cleared, by what it makes room for.
    llvm::MapVector<const ir::Node *, ConstructionUse> cleared;
    for (const Direction &dir : circuit.directions) {
      if (!dir.reuse || dir.reuse->layer != layer)
        continue;
      ConstructionUse &use = cleared[dir.node];
      use.layer = layer;
      use.name = dir.node ? names.of(dir.node).str() : "tokens";
      use.line = lineOf(dir.node, sources);
      use.construction = "coordinates cleared for it";
      use.hiddenUnits += mayBeNegative(circuit[dir.reuse->of]) ? 2 : 1;
      ++use.directions;
    }
    for (auto &[node, use] : cleared)
      uses.push_back(std::move(use));
  }
  return uses;
}

llvm::json::Value rasp::backend::toJSON(const ConstructionUse &use) {
  llvm::json::Object object{{"layer", use.layer},
                            {"kind", use.isHead ? "head" : "mlp"},
                            {"name", use.name},
                            {"construction", use.construction},
                            {"directions", use.directions}};
  if (use.line)
    object["line"] = use.line;
  if (use.isHead)
    object["rank"] = use.rank;
  else
    object["hidden_units"] = use.hiddenUnits;
  return object;
}

std::vector<ChainLink>
rasp::backend::describeHeadChain(const Circuit &circuit,
                                 const llvm::SourceMgr &sources) {
  std::vector<ChainLink> links;
  for (size_t index : longestHeadChain(circuit)) {
    const Head &head = circuit.heads[index];
    links.push_back({head.name, lineOf(head.selector, sources)});
  }
  return links;
}

llvm::json::Value rasp::backend::toJSON(const ChainLink &link) {
  llvm::json::Object object{{"name", link.name}};
  if (link.line)
    object["line"] = link.line;
  return object;
}
