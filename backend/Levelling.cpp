//===- backend/Levelling.cpp - layers of equal width ----------------------===//
//
// A reader that pads layers counts the widest one for all. So heads, and hidden
// units that write the same directions, leave the widest layer for a later one
// where nothing reads what they write before that. Heads first: meanwhile
// hidden units wait as long as they can.
//
//===----------------------------------------------------------------------===//

#include "backend/Circuit.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace rasp::backend;

namespace {

/// What moves as one: a head, or hidden units with targets in common.
struct Block {
  size_t width = 0;
  unsigned layer = 0, latest = 0;
  std::vector<size_t> members; ///< positions in the circuit
};

class Leveller {
public:
  explicit Leveller(Circuit &circuit);
  /// Whether anything moved.
  bool run();

private:
  unsigned latestOf(const Block &units, llvm::ArrayRef<unsigned> first) const;
  void place(const Block &units, unsigned layer);
  void waitForReaders();
  void levelHeads();
  void comeAsSoonAsPossible();
  void levelUnits();

  Circuit &circuit;
  /// Of hidden units, in the order of their layers. Units whose directions
  /// several layers write are in none: they stay.
  std::vector<Block> blocks;
};

} // namespace

Leveller::Leveller(Circuit &circuit) : circuit(circuit) {
  llvm::EquivalenceClasses<uint32_t> targets;
  auto front = [](const Neuron &neuron) {
    return static_cast<uint32_t>(neuron.outputs.front().dir);
  };
  for (const Neuron &neuron : circuit.neurons)
    for (const Term &term : neuron.outputs)
      targets.unionSets(front(neuron), static_cast<uint32_t>(term.dir));
  std::map<uint32_t, std::vector<size_t>> byTarget;
  for (auto [i, neuron] : llvm::enumerate(circuit.neurons))
    byTarget[targets.getLeaderValue(front(neuron))].push_back(i);
  for (auto &[leader, members] : byTarget) {
    unsigned layer = circuit.neurons[members.front()].layer;
    if (llvm::all_of(members, [&](size_t i) {
          return circuit.neurons[i].layer == layer;
        }))
      blocks.push_back({members.size(), layer, layer, members});
  }
  llvm::stable_sort(
      blocks, [](const Block &a, const Block &b) { return a.layer < b.layer; });
}

unsigned Leveller::latestOf(const Block &units,
                            llvm::ArrayRef<unsigned> first) const {
  unsigned latest = circuit.layers - 1;
  for (size_t i : units.members)
    for (const Term &term : circuit.neurons[i].outputs)
      latest =
          std::min(latest, (first[static_cast<uint32_t>(term.dir)] - 3) / 2);
  return latest;
}

void Leveller::place(const Block &units, unsigned layer) {
  for (size_t i : units.members) {
    circuit.neurons[i].layer = layer;
    for (const Term &term : circuit.neurons[i].outputs)
      circuit[term.dir].time = 2 * layer + 2;
  }
}

void Leveller::waitForReaders() {
  // Readers before what they read.
  for (size_t end = blocks.size(); end > 0;) {
    std::vector<unsigned> first = firstReads(circuit);
    size_t begin = end;
    while (begin > 0 && blocks[begin - 1].layer == blocks[end - 1].layer)
      --begin;
    for (size_t b = begin; b < end; ++b)
      place(blocks[b], latestOf(blocks[b], first));
    end = begin;
  }
}

void Leveller::comeAsSoonAsPossible() {
  for (Block &block : blocks) {
    block.layer = 0;
    for (size_t i : block.members) {
      unsigned ready = timeOf(circuit, circuit.neurons[i].input);
      block.layer = std::max(block.layer, ready / 2);
    }
    place(block, block.layer);
  }
}

/// Moves blocks out of the widest layers until one of these cannot be made
/// narrower.
static void level(std::vector<Block> &blocks, std::vector<size_t> widths) {
  for (;;) {
    auto from =
        static_cast<unsigned>(llvm::max_element(widths) - widths.begin());
    // The move that leaves the wider of the two layers narrowest.
    Block *best = nullptr;
    unsigned target = 0;
    size_t bestWidth = widths[from];
    for (Block &block : blocks) {
      if (block.layer != from)
        continue;
      for (unsigned to = from + 1; to <= block.latest; ++to) {
        size_t width =
            std::max(widths[from] - block.width, widths[to] + block.width);
        if (width < bestWidth) {
          best = &block;
          target = to;
          bestWidth = width;
        }
      }
    }
    if (!best)
      return;
    widths[from] -= best->width;
    widths[target] += best->width;
    best->layer = target;
  }
}

void Leveller::levelHeads() {
  std::vector<unsigned> first = firstReads(circuit);
  std::vector<Block> heads;
  std::vector<size_t> widths(circuit.layers, 0);
  for (auto [i, head] : llvm::enumerate(circuit.heads)) {
    unsigned latest = circuit.layers - 1;
    for (const HeadOutput &output : head.outputs)
      latest = std::min(latest,
                        (first[static_cast<uint32_t>(output.target)] - 2) / 2);
    heads.push_back({1, head.layer, latest, {i}});
    ++widths[head.layer];
  }
  level(heads, widths);
  for (const Block &block : heads) {
    Head &head = circuit.heads[block.members.front()];
    head.layer = block.layer;
    for (const HeadOutput &output : head.outputs)
      circuit[output.target].time = 2 * head.layer + 1;
  }
}

void Leveller::levelUnits() {
  // Nothing passes what reads it where that is now, so all may move at once.
  std::vector<size_t> widths(circuit.layers, 0);
  for (const Neuron &neuron : circuit.neurons)
    ++widths[neuron.layer];
  std::vector<unsigned> first = firstReads(circuit);
  for (Block &block : blocks)
    block.latest = latestOf(block, first);
  level(blocks, widths);
  for (const Block &block : blocks)
    place(block, block.layer);
}

/// Of heads, then of hidden units.
static std::vector<unsigned> layersOf(const Circuit &circuit) {
  std::vector<unsigned> layers;
  for (const Head &head : circuit.heads)
    layers.push_back(head.layer);
  for (const Neuron &neuron : circuit.neurons)
    layers.push_back(neuron.layer);
  return layers;
}

bool Leveller::run() {
  std::vector<unsigned> before = layersOf(circuit);
  waitForReaders();
  levelHeads();
  comeAsSoonAsPossible();
  levelUnits();
  bool moved = layersOf(circuit) != before;
  llvm::stable_sort(circuit.heads, [](const Head &a, const Head &b) {
    return a.layer < b.layer;
  });
  llvm::stable_sort(circuit.neurons, [](const Neuron &a, const Neuron &b) {
    return a.layer < b.layer;
  });
  return moved;
}

bool rasp::backend::levelWidths(Circuit &circuit) {
  bool reused = undoReuse(circuit);
  return (circuit.layers > 1 && Leveller(circuit).run()) || reused;
}
