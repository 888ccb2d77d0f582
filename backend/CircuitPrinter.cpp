//===- backend/CircuitPrinter.cpp - the circuit as text -------------------===//

#include "backend/DirectionNames.h"
#include "ir/Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"
#include <cmath>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;

namespace {

class CircuitPrinter {
public:
  CircuitPrinter(llvm::raw_ostream &os, const Circuit &circuit)
      : os(os), circuit(circuit), names(circuit) {}

  void print();

private:
  void number(double d);
  void numbers(llvm::ArrayRef<double> list);
  void view(const View &view);
  void construction(llvm::StringRef construction);
  /// The braces around attributes, and what stands between them. An attribute
  /// begins with a call of `attribute`.
  llvm::raw_ostream &attribute(llvm::StringRef name);
  void attribute(llvm::StringRef name, double value);
  void endLine();

  void print(DirId dir, const Direction &direction);
  void print(const Head &head);
  void print(const Neuron &neuron);
  void print(const Readout &readout);

  llvm::raw_ostream &os;
  const Circuit &circuit;
  DirectionNames names;
  bool hasAttributes = false; ///< on this line
};

} // namespace

void CircuitPrinter::number(double d) {
  std::string text = ir::pythonFloatRepr(d);
  llvm::StringRef shown = text;
  shown.consume_back(".0");
  os << shown;
}

void CircuitPrinter::numbers(llvm::ArrayRef<double> list) {
  // Only whole numbers this small have all others beside them.
  constexpr double largestWhole = 0x1p53;
  constexpr size_t leastRun = 3;
  auto runFrom = [&](size_t begin, auto follows) {
    size_t end = begin + 1;
    while (end < list.size() && follows(list[end - 1], list[end]))
      ++end;
    return end - begin;
  };
  auto isSame = [](double a, double b) {
    return llvm::bit_cast<uint64_t>(a) == llvm::bit_cast<uint64_t>(b);
  };
  auto isNext = [&](double a, double b) {
    // A zero with a sign begins no range.
    return a == std::floor(a) && std::fabs(a) < largestWhole &&
           isSame(a, a + 0.0) && isSame(b, a + 1);
  };
  llvm::ListSeparator separator;
  os << '{';
  for (size_t i = 0; i < list.size();) {
    os << separator;
    number(list[i]);
    size_t same = runFrom(i, isSame), ascending = runFrom(i, isNext);
    if (same >= leastRun) {
      os << " x " << same;
      i += same;
    } else if (ascending >= leastRun) {
      os << "..";
      number(list[i + ascending - 1]);
      i += ascending;
    } else {
      ++i;
    }
  }
  os << '}';
}

void CircuitPrinter::view(const View &view) {
  bool first = true;
  auto sign = [&](double weight) {
    bool negative = std::signbit(weight);
    if (first)
      os << (negative ? "-" : "");
    else
      os << (negative ? " - " : " + ");
    first = false;
    return std::fabs(weight);
  };
  for (const Term &term : view.terms) {
    double magnitude = sign(term.weight);
    if (magnitude != 1) {
      number(magnitude);
      os << "*";
    }
    os << names.of(term.dir);
  }
  if (view.constant != 0 || std::signbit(view.constant) || first)
    number(sign(view.constant));
}

void CircuitPrinter::construction(llvm::StringRef construction) {
  if (construction.empty())
    return;
  os << " by ";
  ir::printQuoted(os, construction);
}

llvm::raw_ostream &CircuitPrinter::attribute(llvm::StringRef name) {
  os << (hasAttributes ? ", " : " { ") << name;
  hasAttributes = true;
  return os;
}

void CircuitPrinter::attribute(llvm::StringRef name, double value) {
  if (value == 0)
    return;
  attribute(name) << ' ';
  number(value);
}

void CircuitPrinter::endLine() {
  os << (hasAttributes ? " }\n" : "\n");
  hasAttributes = false;
}

void CircuitPrinter::print(DirId dir, const Direction &direction) {
  os << "  dir " << names.of(dir) << " " << writerName(direction.writer)
     << " time " << direction.time << " in ";
  number(direction.low);
  os << "..";
  number(direction.high);
  if (direction.error != 0) {
    os << " error ";
    number(direction.error);
  }
  os << " bos ";
  number(direction.atBos);
  construction(direction.construction);
  attribute("grid", direction.grid);
  if (direction.exactZero)
    attribute("exact_zero");
  attribute("bos_error", direction.errorAtBos);
  if (direction.stays)
    attribute("stays");
  if (direction.reuse)
    attribute("reuses") << ' ' << names.of(direction.reuse->of) << " cleared "
                        << direction.reuse->layer;
  if (!direction.table.empty()) {
    attribute("table") << ' ';
    numbers(direction.table);
  }
  endLine();
}

void CircuitPrinter::print(const Head &head) {
  os << "    head ";
  ir::printSymbol(os, head.name);
  os << " step ";
  number(head.step);
  construction(head.construction);
  if (head.conjunctScores != head.usualConjunctScores()) {
    attribute("conjuncts") << ' ';
    numbers(head.conjunctScores);
  }
  double sum = std::accumulate(head.conjunctScores.begin(),
                               head.conjunctScores.end(), 0.0);
  if (head.selected != sum) {
    attribute("selected") << ' ';
    number(head.selected);
  }
  if (head.proportional)
    attribute("proportional");
  attribute("score_error", head.scoreError);
  attribute("tie_error", head.tieError);
  attribute("leak", head.leak);
  endLine();
  for (const ScoreTerm &score : head.scores) {
    os << "      score key(";
    view(score.key);
    os << ") query(";
    view(score.query);
    os << ")";
    if (score.conjunct == ScoreTerm::ofBos)
      attribute("of_bos");
    else if (score.conjunct != 0)
      attribute("conjunct") << ' ' << score.conjunct;
    if (score.disjunct != 0)
      attribute("disjunct") << ' ' << score.disjunct;
    endLine();
  }
  for (const HeadOutput &output : head.outputs) {
    os << "      move ";
    view(output.value);
    os << " -> " << names.of(output.target);
    endLine();
  }
}

void CircuitPrinter::print(const Neuron &neuron) {
  os << "    relu(";
  view(neuron.input);
  os << ") ->";
  for (const Term &term : neuron.outputs) {
    os << " ";
    number(term.weight);
    os << "*" << names.of(term.dir);
  }
  endLine();
}

void CircuitPrinter::print(const Readout &readout) {
  os << "  output " << readout.type;
  attribute("error", readout.error);
  attribute("tolerance", readout.tolerance);
  if (readout.numerical && !readout.values.empty()) {
    attribute("values") << " {";
    llvm::interleaveComma(readout.values, os);
    os << '}';
  }
  endLine();
  for (auto [i, logit] : llvm::enumerate(readout.logits)) {
    os << "  logit ";
    if (readout.numerical)
      os << "number";
    else
      os << readout.values[i];
    os << " = ";
    view(logit);
    endLine();
  }
}

void CircuitPrinter::print() {
  unsigned layers = circuit.layers;
  for (const Head &head : circuit.heads)
    layers = std::max(layers, head.layer + 1);
  for (const Neuron &neuron : circuit.neurons)
    layers = std::max(layers, neuron.layer + 1);
  os << "circuit ";
  ir::printSymbol(os, circuit.readout.name);
  if (isScheduled(circuit))
    os << "(layers = " << layers << ")";
  os << " {\n";
  for (auto [i, direction] : llvm::enumerate(circuit.directions))
    print(DirId(static_cast<uint32_t>(i)), direction);
  std::vector<std::vector<const Head *>> heads(layers);
  for (const Head &head : circuit.heads)
    heads[head.layer].push_back(&head);
  std::vector<std::vector<const Neuron *>> neurons(layers);
  for (const Neuron &neuron : circuit.neurons)
    neurons[neuron.layer].push_back(&neuron);
  for (unsigned layer = 0; layer < layers; ++layer) {
    os << "  layer " << layer << " {\n";
    for (const Head *head : heads[layer])
      print(*head);
    for (const Neuron *neuron : neurons[layer])
      print(*neuron);
    os << "  }\n";
  }
  print(circuit.readout);
  os << "}\n";
}

void rasp::backend::print(llvm::raw_ostream &os, const Circuit &circuit) {
  CircuitPrinter(os, circuit).print();
}

std::string rasp::backend::toString(const Circuit &circuit, const View &view,
                                    size_t mostTerms) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto sign = [&](double weight) {
    bool first = os.tell() == 0;
    os << (weight < 0 ? (first ? "-" : " - ") : first ? "" : " + ");
    return llvm::format("%.6g", std::fabs(weight));
  };
  for (const Term &term : llvm::ArrayRef(view.terms).take_front(mostTerms)) {
    auto magnitude = sign(term.weight);
    if (std::fabs(term.weight) != 1)
      os << magnitude << '*';
    os << '[' << circuit[term.dir].residualLabel() << ']';
  }
  if (view.terms.size() > mostTerms)
    os << " + ...";
  if (view.constant != 0 || view.isConstant())
    os << sign(view.constant);
  return text;
}
