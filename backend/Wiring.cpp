//===- backend/Wiring.cpp - who writes and reads what ---------------------===//

#include "backend/Wiring.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

Wiring::Wiring(const Circuit &circuit, const ir::NodeNames &names)
    : circuit(circuit), heads(circuit.directions.size()),
      units(circuit.directions.size()) {
  std::vector<unsigned> numbers(circuit.layers);
  for (auto [h, head] : llvm::enumerate(circuit.heads)) {
    headNames.push_back("head " + std::to_string(head.layer) + "." +
                        std::to_string(numbers[head.layer]++) + " (`" +
                        names.of(head.selector).str() + "`)");
    for (const HeadOutput &output : head.outputs)
      heads[static_cast<uint32_t>(output.target)] = h;
  }
  for (auto [n, neuron] : llvm::enumerate(circuit.neurons))
    for (const Term &term : neuron.outputs)
      units[static_cast<uint32_t>(term.dir)].push_back(n);
}

std::string Wiring::nameOfHead(size_t head) const { return headNames[head]; }

std::string Wiring::writerOf(DirId dir) const {
  switch (circuit[dir].writer) {
  case WriterKind::TokenEmbed:
    return "the token embedding";
  case WriterKind::PosEmbed:
    return "the position embedding";
  case WriterKind::Head:
    return nameOfHead(headOf(dir));
  case WriterKind::Mlp:
    return "the MLP of layer " + std::to_string(timeOf(dir) / 2 - 1);
  }
  llvm_unreachable("every writer has a name");
}

void Wiring::takeLater(DirId &last, const View &view) const {
  for (const Term &term : view.terms)
    if (timeOf(term.dir) > timeOf(last))
      last = term.dir;
}

DirId Wiring::lastReadBy(const Head &head) const {
  DirId last = Circuit::bos;
  for (const ScoreTerm &score : head.scores) {
    takeLater(last, score.key);
    takeLater(last, score.query);
  }
  for (const HeadOutput &output : head.outputs)
    takeLater(last, output.value);
  return last;
}

DirId Wiring::lastReadFor(DirId dir) const {
  DirId last = Circuit::bos;
  for (size_t unit : unitsOf(dir))
    takeLater(last, circuit.neurons[unit].input);
  return last;
}

std::vector<DirId> Wiring::chainTo(DirId dir) const {
  std::vector<DirId> chain;
  while (dir != Circuit::bos) {
    chain.push_back(dir);
    dir = circuit[dir].writer == WriterKind::Head
              ? lastReadBy(circuit.heads[headOf(dir)])
              : lastReadFor(dir);
  }
  return chain;
}

std::string Wiring::printChain(DirId dir) const {
  std::string text;
  for (DirId link : chainTo(dir))
    text += (text.empty() ? "`" : " <- `") + circuit[link].residualLabel() +
            "`, by " + writerOf(link);
  return text;
}

size_t Wiring::numHeads(unsigned layer) const {
  return static_cast<size_t>(llvm::count_if(
      circuit.heads, [&](const Head &head) { return head.layer == layer; }));
}

size_t Wiring::numUnits(unsigned layer) const {
  return static_cast<size_t>(
      llvm::count_if(circuit.neurons, [&](const Neuron &neuron) {
        return neuron.layer == layer;
      }));
}
