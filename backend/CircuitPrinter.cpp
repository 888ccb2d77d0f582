//===- backend/CircuitPrinter.cpp - the circuit as text -------------------===//

#include "backend/Circuit.h"
#include "ir/Value.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>

using namespace rasp;
using namespace rasp::backend;

static void printNumber(llvm::raw_ostream &os, double d) {
  std::string text = ir::pythonFloatRepr(d);
  llvm::StringRef shown = text;
  shown.consume_back(".0");
  os << shown;
}

/// As many digits as a remark needs.
static void printShortNumber(llvm::raw_ostream &os, double d) {
  os << llvm::format("%.6g", d);
}

static void
printView(llvm::raw_ostream &os, const Circuit &circuit, const View &view,
          size_t mostTerms = std::numeric_limits<size_t>::max(),
          void (*printNumber)(llvm::raw_ostream &, double) = ::printNumber) {
  bool first = true;
  auto sign = [&](double weight) {
    if (first)
      os << (weight < 0 ? "-" : "");
    else
      os << (weight < 0 ? " - " : " + ");
    first = false;
  };
  for (const Term &term : llvm::ArrayRef(view.terms).take_front(mostTerms)) {
    sign(term.weight);
    double magnitude = term.weight < 0 ? -term.weight : term.weight;
    if (magnitude != 1) {
      printNumber(os, magnitude);
      os << "*";
    }
    os << "[" << circuit[term.dir].residualLabel() << "]";
  }
  if (view.terms.size() > mostTerms)
    os << " + ...";
  if (view.constant != 0 || first) {
    sign(view.constant);
    printNumber(os, view.constant < 0 ? -view.constant : view.constant);
  }
}

std::string rasp::backend::toString(const Circuit &circuit, const View &view,
                                    size_t mostTerms) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printView(os, circuit, view, mostTerms, printShortNumber);
  return text;
}

void rasp::backend::print(llvm::raw_ostream &os, const Circuit &circuit) {
  os << "circuit @" << circuit.readout.name << "(layers = " << circuit.layers
     << ") {\n";
  for (const Direction &dir : circuit.directions) {
    os << "  dir [" << dir.residualLabel() << "] " << writerName(dir.writer)
       << " time " << dir.time << " in ";
    printNumber(os, dir.low);
    os << "..";
    printNumber(os, dir.high);
    if (dir.error != 0)
      os << llvm::formatv(" error {0:e2}", dir.error);
    os << " bos ";
    printNumber(os, dir.atBos);
    if (!dir.construction.empty())
      os << " // " << dir.construction;
    os << "\n";
  }
  for (unsigned layer = 0; layer < circuit.layers; ++layer) {
    os << "  layer " << layer << " {\n";
    for (const Head &head : circuit.heads) {
      if (head.layer != layer)
        continue;
      os << "    head @" << head.name << " step ";
      printNumber(os, head.step);
      os << " // " << head.construction << "\n";
      for (const ScoreTerm &score : head.scores) {
        os << "      score key(";
        printView(os, circuit, score.key);
        os << ") query(";
        printView(os, circuit, score.query);
        os << ")\n";
      }
      for (const HeadOutput &output : head.outputs) {
        os << "      move ";
        printView(os, circuit, output.value);
        os << " -> [" << circuit[output.target].residualLabel() << "]\n";
      }
    }
    for (const Neuron &neuron : circuit.neurons) {
      if (neuron.layer != layer)
        continue;
      os << "    relu(";
      printView(os, circuit, neuron.input);
      os << ") ->";
      for (const Term &term : neuron.outputs) {
        os << " ";
        printNumber(os, term.weight);
        os << "*[" << circuit[term.dir].residualLabel() << "]";
      }
      os << "\n";
    }
    os << "  }\n";
  }
  for (size_t i = 0; i < circuit.readout.logits.size(); ++i) {
    os << "  logit ";
    if (circuit.readout.numerical)
      os << "number";
    else
      os << circuit.readout.values[i];
    os << " = ";
    printView(os, circuit, circuit.readout.logits[i]);
    os << "\n";
  }
  os << "}\n";
}
