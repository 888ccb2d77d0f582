//===- backend/HeadChain.cpp - why a circuit is not less deep -------------===//

#include "backend/HeadChain.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace rasp::backend;

std::vector<size_t> rasp::backend::longestHeadChain(const Circuit &circuit) {
  // What a direction depends on: how many heads follow each other, and the last
  // of them with what it depends on itself.
  struct Link {
    size_t length = 0, head = 0;
    DirId before{0};
  };
  std::vector<Link> links(circuit.directions.size());
  auto linkOf = [&](DirId dir) -> Link & {
    return links[static_cast<uint32_t>(dir)];
  };
  auto longest = [&](const View &view, DirId &best) {
    for (const Term &term : view.terms)
      if (linkOf(term.dir).length > linkOf(best).length)
        best = term.dir;
  };

  // Everything reads what was written at an earlier time.
  struct Step {
    unsigned time;
    bool isHead;
    size_t index;
  };
  std::vector<Step> steps;
  for (size_t i = 0; i < circuit.heads.size(); ++i)
    steps.push_back({2 * circuit.heads[i].layer + 1, true, i});
  for (size_t i = 0; i < circuit.neurons.size(); ++i)
    steps.push_back({2 * circuit.neurons[i].layer + 2, false, i});
  llvm::stable_sort(
      steps, [](const Step &a, const Step &b) { return a.time < b.time; });
  DirId end = Circuit::bos;
  for (const Step &step : steps) {
    if (!step.isHead) {
      const Neuron &neuron = circuit.neurons[step.index];
      DirId best = Circuit::bos;
      longest(neuron.input, best);
      for (const Term &output : neuron.outputs)
        if (linkOf(best).length > linkOf(output.dir).length)
          linkOf(output.dir) = linkOf(best);
      continue;
    }
    const Head &head = circuit.heads[step.index];
    DirId ofScores = Circuit::bos;
    for (const ScoreTerm &score : head.scores) {
      longest(score.key, ofScores);
      longest(score.query, ofScores);
    }
    for (const HeadOutput &output : head.outputs) {
      DirId best = ofScores;
      longest(output.value, best);
      linkOf(output.target) = {linkOf(best).length + 1, step.index, best};
      if (linkOf(output.target).length > linkOf(end).length)
        end = output.target;
    }
  }

  std::vector<size_t> chain;
  for (Link link = linkOf(end); link.length > 0; link = linkOf(link.before))
    chain.push_back(link.head);
  std::reverse(chain.begin(), chain.end());
  return chain;
}
