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
#include <utility>

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

bool rasp::backend::haveSameScores(const Head &a, const Head &b) {
  return a.step == b.step && a.scores.size() == b.scores.size() &&
         llvm::all_of(llvm::zip(a.scores, b.scores), [](auto pair) {
           auto &[own, other] = pair;
           return own.key == other.key && own.query == other.query;
         });
}

bool rasp::backend::isScheduled(const Circuit &circuit) {
  auto isPlaced = [&](const auto &component) {
    return component.layer < circuit.layers;
  };
  return llvm::all_of(circuit.heads, isPlaced) &&
         llvm::all_of(circuit.neurons, isPlaced);
}

bool rasp::backend::schedule(Circuit &circuit) {
  std::vector<unsigned> firstRead = firstReads(circuit);
  auto headBefore = [](const Head &a, const Head &b) {
    return a.layer < b.layer;
  };
  auto unitBefore = [](const Neuron &a, const Neuron &b) {
    return a.layer < b.layer;
  };
  bool changed = undoReuse(circuit);
  changed |= !llvm::is_sorted(circuit.heads, headBefore) ||
             !llvm::is_sorted(circuit.neurons, unitBefore);
  llvm::stable_sort(circuit.heads, headBefore);
  for (size_t i = 0; i < circuit.heads.size(); ++i)
    for (size_t j = i + 1; j < circuit.heads.size(); ++j) {
      Head &early = circuit.heads[i], &late = circuit.heads[j];
      bool movable = haveSameScores(early, late) &&
                     llvm::all_of(early.outputs, [&](const HeadOutput &output) {
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
      changed = true;
      llvm::append_range(late.remarks, early.remarks);
      break;
    }
  llvm::erase_if(circuit.heads,
                 [](const Head &head) { return head.outputs.empty(); });
  llvm::stable_sort(circuit.neurons, unitBefore);

  unsigned layers = std::exchange(circuit.layers, 0);
  for (const Head &head : circuit.heads)
    circuit.layers = std::max(circuit.layers, head.layer + 1);
  for (const Neuron &neuron : circuit.neurons)
    circuit.layers = std::max(circuit.layers, neuron.layer + 1);
  return changed || circuit.layers != layers;
}
