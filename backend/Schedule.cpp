//===- backend/Schedule.cpp - components into layers ----------------------===//
//
// Lowering places every component as early as its operands allow, which gives
// the least depth. Here the slack is used: a head moves to a later layer where
// a head with the same scores is, if nothing reads its outputs before.
//
//===----------------------------------------------------------------------===//

#include "backend/Circuit.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace rasp::backend;

std::vector<unsigned> rasp::backend::firstReads(const Circuit &circuit) {
  std::vector<unsigned> first(circuit.directions.size(),
                              std::numeric_limits<unsigned>::max());
  auto readAt = [&](const View &view, unsigned time) {
    for (const Term &term : view.terms) {
      unsigned &own = first[static_cast<uint32_t>(term.dir)];
      own = std::min(own, time);
    }
  };
  for (const Head &head : circuit.heads) {
    for (const ScoreTerm &score : head.scores) {
      readAt(score.key, 2 * head.layer + 1);
      readAt(score.query, 2 * head.layer + 1);
    }
    for (const HeadOutput &output : head.outputs)
      readAt(output.value, 2 * head.layer + 1);
  }
  for (const Neuron &neuron : circuit.neurons)
    readAt(neuron.input, 2 * neuron.layer + 2);
  return first;
}

bool rasp::backend::isScheduled(const Circuit &circuit) {
  auto isPlaced = [&](const auto &component) {
    return component.layer < circuit.layers;
  };
  return llvm::all_of(circuit.heads, isPlaced) &&
         llvm::all_of(circuit.neurons, isPlaced);
}

void rasp::backend::schedule(Circuit &circuit) {
  std::vector<unsigned> firstRead = firstReads(circuit);
  llvm::stable_sort(circuit.heads, [](const Head &a, const Head &b) {
    return a.layer < b.layer;
  });
  for (size_t i = 0; i < circuit.heads.size(); ++i)
    for (size_t j = i + 1; j < circuit.heads.size(); ++j) {
      Head &early = circuit.heads[i], &late = circuit.heads[j];
      bool same =
          early.step == late.step &&
          early.scores.size() == late.scores.size() &&
          llvm::all_of(llvm::zip(early.scores, late.scores), [](auto pair) {
            auto &[a, b] = pair;
            return a.key == b.key && a.query == b.query;
          });
      bool movable =
          same && llvm::all_of(early.outputs, [&](const HeadOutput &output) {
            return firstRead[static_cast<uint32_t>(output.target)] >
                   2 * late.layer + 1;
          });
      if (!movable)
        continue;
      for (HeadOutput &output : early.outputs) {
        circuit[output.target].time = 2 * late.layer + 1;
        late.outputs.push_back(std::move(output));
      }
      early.outputs.clear();
      break;
    }
  llvm::erase_if(circuit.heads,
                 [](const Head &head) { return head.outputs.empty(); });
  llvm::stable_sort(circuit.neurons, [](const Neuron &a, const Neuron &b) {
    return a.layer < b.layer;
  });

  circuit.layers = 0;
  for (const Head &head : circuit.heads)
    circuit.layers = std::max(circuit.layers, head.layer + 1);
  for (const Neuron &neuron : circuit.neurons)
    circuit.layers = std::max(circuit.layers, neuron.layer + 1);
}
