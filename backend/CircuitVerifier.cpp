//===- backend/CircuitVerifier.cpp - what holds of every circuit ----------===//

#include "backend/CircuitVerifier.h"
#include "backend/DirectionNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include <cmath>
#include <set>

using namespace rasp;
using namespace rasp::backend;
using llvm::StringRef;

namespace {

/// A head, a unit or a logit: how messages call it, and where it stands.
struct Component {
  llvm::function_ref<std::string()> name;
  llvm::SMRange range;
};

class CircuitVerifier {
public:
  CircuitVerifier(const Circuit &circuit, ir::Diagnostics &diags,
                  const CircuitRanges &ranges)
      : circuit(circuit), diags(diags), ranges(ranges), names(circuit),
        headOf(circuit.directions.size(), none),
        unitOf(circuit.directions.size(), none) {}

  bool run();

private:
  static constexpr size_t none = ~size_t(0);

  void checkBos();
  void checkDirection(size_t index);
  void checkTable(size_t index);
  void checkHead(size_t index);
  void checkNeuron(size_t index);
  void checkWritten(size_t index);
  void checkReuse();
  void checkReadout();
  void checkView(const View &view, unsigned time, const Component &reader);
  void checkLayer(unsigned layer, const Component &component);
  void checkNumber(double number, bool good, StringRef needed,
                   llvm::SMRange range, llvm::function_ref<std::string()> what);
  void checkBound(double bound, llvm::SMRange range,
                  llvm::function_ref<std::string()> what) {
    checkNumber(bound, bound >= 0, "a number from 0 on", range, what);
  }
  bool exists(DirId dir, const Component &component);

  std::string nameOf(DirId dir) const { return names.of(dir).str(); }
  std::string headName(size_t index) const {
    const Head &head = circuit.heads[index];
    return llvm::formatv("head `{0}` of layer {1}", head.name, head.layer);
  }
  std::string unitName(size_t index) const;

  static llvm::SMRange at(llvm::ArrayRef<llvm::SMRange> ranges, size_t index) {
    return index < ranges.size() ? ranges[index] : llvm::SMRange();
  }

  const Circuit &circuit;
  ir::Diagnostics &diags;
  const CircuitRanges &ranges;
  DirectionNames names;
  /// By direction, the first head and the last unit that write it.
  std::vector<size_t> headOf, unitOf;
  /// By WriterKind of embeddings, the first direction with a table.
  size_t firstTable[2] = {none, none};
  unsigned errorsBefore = 0;
};

} // namespace

static std::string show(double number) {
  std::string text = ir::pythonFloatRepr(number);
  StringRef shown = text;
  shown.consume_back(".0");
  return shown.str();
}

/// Units are counted by layer, from 0 on.
std::string CircuitVerifier::unitName(size_t index) const {
  unsigned layer = circuit.neurons[index].layer;
  size_t before =
      llvm::count_if(llvm::ArrayRef(circuit.neurons).take_front(index),
                     [&](const Neuron &unit) { return unit.layer == layer; });
  return llvm::formatv("unit {0} of layer {1}", before, layer);
}

void CircuitVerifier::checkNumber(double number, bool good, StringRef needed,
                                  llvm::SMRange range,
                                  llvm::function_ref<std::string()> what) {
  if (!good)
    diags.emit(range, ir::diag::BadCircuitNumber, what(), show(number), needed);
}

bool CircuitVerifier::exists(DirId dir, const Component &component) {
  auto index = static_cast<uint32_t>(dir);
  if (index < circuit.directions.size())
    return true;
  diags.emit(component.range, ir::diag::UnknownDirectionNumber,
             component.name(), index, circuit.directions.size());
  return false;
}

void CircuitVerifier::checkLayer(unsigned layer, const Component &component) {
  if (circuit.layers != 0 && layer >= circuit.layers)
    diags.emit(component.range, ir::diag::UnknownLayer, component.name(),
               circuit.layers);
}

void CircuitVerifier::checkView(const View &view, unsigned time,
                                const Component &reader) {
  checkNumber(view.constant, std::isfinite(view.constant), "a finite number",
              reader.range, [&] { return "a constant of " + reader.name(); });
  const Term *before = nullptr;
  for (const Term &term : view.terms) {
    if (!exists(term.dir, reader))
      return;
    if (before && before->dir >= term.dir)
      diags.emit(reader.range, ir::diag::UnorderedTerms, reader.name(),
                 nameOf(before->dir), nameOf(term.dir));
    before = &term;
    checkNumber(term.weight, std::isfinite(term.weight) && term.weight != 0,
                "a finite number other than 0", reader.range, [&] {
                  return "a weight of `" + nameOf(term.dir) + "` in " +
                         reader.name();
                });
    if (circuit[term.dir].time >= time)
      diags.emit(reader.range, ir::diag::ReadTooEarly, reader.name(),
                 nameOf(term.dir), time, circuit[term.dir].time);
  }
}

//===----------------------------------------------------------------------===//
// Directions
//===----------------------------------------------------------------------===//

void CircuitVerifier::checkBos() {
  if (circuit.directions.empty()) {
    diags.emit({}, ir::diag::BadBos, "there is no direction");
    return;
  }
  const Direction &bos = circuit.directions.front();
  std::string name = ("`" + names.of(Circuit::bos) + "` ").str();
  std::string problem;
  if (bos.residualLabel() != "bos")
    problem = "comes first";
  else if (bos.writer != WriterKind::TokenEmbed)
    problem = ("is of `" + writerName(bos.writer) + "`").str();
  else if (bos.atBos != 1)
    problem = "is " + show(bos.atBos) + " at BOS";
  else if (bos.low != 0 || bos.high != 0)
    problem = "lies in " + show(bos.low) + ".." + show(bos.high) + " elsewhere";
  if (!problem.empty())
    diags.emit(at(ranges.directions, 0), ir::diag::BadBos, name + problem);
}

void CircuitVerifier::checkTable(size_t index) {
  const Direction &direction = circuit.directions[index];
  StringRef name = names.of(DirId(static_cast<uint32_t>(index)));
  llvm::SMRange range = at(ranges.directions, index);
  auto report = [&](std::string problem) {
    diags.emit(range, ir::diag::BadDirectionTable, name, problem);
  };
  bool isToken = direction.writer == WriterKind::TokenEmbed;
  if (!isToken && direction.writer != WriterKind::PosEmbed) {
    if (!direction.table.empty())
      report(("has a table, but is of `" + writerName(direction.writer) +
              "`; only embeddings have one")
                 .str());
    return;
  }
  if (direction.table.empty()) {
    report("has no table; an embedding needs one");
    return;
  }
  size_t &first = firstTable[isToken];
  if (first == none)
    first = index;
  size_t size = circuit.directions[first].table.size();
  if (direction.table.size() != size)
    report(llvm::formatv("has a table of {0}, but that of `{1}` has {2}",
                         ir::counted(direction.table.size(), "number"),
                         names.of(DirId(static_cast<uint32_t>(first))), size));
  for (double entry : direction.table)
    // No comparison holds for what is no number.
    if (!(entry >= direction.low && entry <= direction.high)) {
      report("has " + show(entry) + " in its table, but lies in " +
             show(direction.low) + ".." + show(direction.high));
      return;
    }
}

void CircuitVerifier::checkDirection(size_t index) {
  const Direction &direction = circuit.directions[index];
  StringRef name = names.of(DirId(static_cast<uint32_t>(index)));
  llvm::SMRange range = at(ranges.directions, index);
  auto check = [&](StringRef what, double number, bool good, StringRef needed) {
    checkNumber(number, good, needed, range,
                [&] { return (what + " of `" + name + "`").str(); });
  };
  for (double bound : {direction.low, direction.high})
    check("a bound", bound, std::isfinite(bound), "a finite number");
  if (direction.low > direction.high)
    diags.emit(range, ir::diag::UnorderedBounds, name, show(direction.low),
               show(direction.high));
  check("the value at BOS", direction.atBos, std::isfinite(direction.atBos),
        "a finite number");
  check("the error", direction.error, direction.error >= 0,
        "a number from 0 on");
  check("the error at BOS", direction.errorAtBos, direction.errorAtBos >= 0,
        "a number from 0 on");
  int exponent;
  bool isPower = direction.grid > 0 && std::isfinite(direction.grid) &&
                 std::frexp(direction.grid, &exponent) == 0.5;
  check("the grid", direction.grid, direction.grid == 0 || isPower,
        "a power of two or 0");

  auto mistimed = [&](StringRef rule) {
    diags.emit(range, ir::diag::BadDirectionTime, name, direction.time,
               rule.str());
  };
  switch (direction.writer) {
  case WriterKind::TokenEmbed:
  case WriterKind::PosEmbed:
    if (direction.time != 0)
      mistimed("embeddings have time 0");
    break;
  case WriterKind::Head:
    if (direction.time % 2 != 1)
      mistimed("heads write at odd times");
    break;
  case WriterKind::Mlp:
    if (direction.time % 2 != 0 || direction.time == 0)
      mistimed("hidden units write at even times, from 2 on");
    break;
  }
  checkTable(index);
}

void CircuitVerifier::checkWritten(size_t index) {
  const Direction &direction = circuit.directions[index];
  auto dir = DirId(static_cast<uint32_t>(index));
  llvm::SMRange range = at(ranges.directions, index);
  if (direction.writer == WriterKind::Head && headOf[index] == none) {
    diags.emit(range, ir::diag::NeverWritten, names.of(dir), "head",
               "no head writes it");
  } else if (direction.writer == WriterKind::Mlp) {
    if (unitOf[index] == none)
      diags.emit(range, ir::diag::NeverWritten, names.of(dir), "mlp",
                 "no unit writes it");
    else if (unsigned last = 2 * circuit.neurons[unitOf[index]].layer + 2;
             last < direction.time)
      diags.emit(at(ranges.neurons, unitOf[index]), ir::diag::WrongWriteTime,
                 unitName(unitOf[index]), nameOf(dir), last, direction.time);
  }
}

//===----------------------------------------------------------------------===//
// Components
//===----------------------------------------------------------------------===//

void CircuitVerifier::checkHead(size_t index) {
  const Head &head = circuit.heads[index];
  auto name = [&] { return headName(index); };
  Component component{name, at(ranges.heads, index)};
  checkLayer(head.layer, component);
  unsigned time = 2 * head.layer + 1;
  auto part = [&](StringRef what) {
    return [&, what] { return (what + " of " + headName(index)).str(); };
  };
  checkNumber(head.step, std::isfinite(head.step) && head.step > 0,
              "a finite number above 0", component.range, part("the step"));
  for (double score : head.conjunctScores)
    checkNumber(score, std::isfinite(score), "a finite number", component.range,
                part("a conjunct"));
  checkNumber(head.selected, std::isfinite(head.selected), "a finite number",
              component.range, part("the score of selected keys"));
  checkBound(head.scoreError, component.range, part("the error of scores"));
  checkBound(head.tieError, component.range, part("the error of ties"));
  checkBound(head.leak, component.range, part("the leak"));

  for (const ScoreTerm &score : head.scores) {
    checkView(score.key, time, component);
    checkView(score.query, time, component);
    if (score.conjunct != ScoreTerm::ofBos &&
        score.conjunct >= head.conjunctScores.size())
      diags.emit(component.range, ir::diag::UnknownConjunct, name(),
                 score.conjunct, head.conjunctScores.size());
  }
  if (head.outputs.empty())
    diags.emit(component.range, ir::diag::WritesNothing, name());
  for (const HeadOutput &output : head.outputs) {
    checkView(output.value, time, component);
    if (!exists(output.target, component))
      continue;
    const Direction &target = circuit[output.target];
    size_t &writer = headOf[static_cast<uint32_t>(output.target)];
    if (target.writer != WriterKind::Head)
      diags.emit(component.range, ir::diag::WrongWriter, name(),
                 nameOf(output.target), writerName(target.writer));
    else if (writer != none)
      diags.emit(component.range, ir::diag::WrittenTwice, name(),
                 nameOf(output.target),
                 writer == index ? "it" : headName(writer));
    else if (target.time != time)
      diags.emit(component.range, ir::diag::WrongWriteTime, name(),
                 nameOf(output.target), time, target.time);
    if (writer == none)
      writer = index;
  }
}

void CircuitVerifier::checkNeuron(size_t index) {
  const Neuron &neuron = circuit.neurons[index];
  auto name = [&] { return unitName(index); };
  Component component{name, at(ranges.neurons, index)};
  checkLayer(neuron.layer, component);
  unsigned time = 2 * neuron.layer + 2;
  checkView(neuron.input, time, component);
  if (neuron.outputs.empty())
    diags.emit(component.range, ir::diag::WritesNothing, name());
  llvm::SmallSet<uint32_t, 4> written;
  for (const Term &term : neuron.outputs) {
    if (!exists(term.dir, component))
      continue;
    auto dir = static_cast<uint32_t>(term.dir);
    checkNumber(term.weight, std::isfinite(term.weight), "a finite number",
                component.range, [&] {
                  return "a weight of `" + nameOf(term.dir) + "` in " + name();
                });
    const Direction &target = circuit[term.dir];
    if (target.writer != WriterKind::Mlp)
      diags.emit(component.range, ir::diag::WrongWriter, name(),
                 nameOf(term.dir), writerName(target.writer));
    else if (!written.insert(dir).second)
      diags.emit(component.range, ir::diag::WrittenTwice, name(),
                 nameOf(term.dir), "it");
    else if (time > target.time)
      diags.emit(component.range, ir::diag::WrongWriteTime, name(),
                 nameOf(term.dir), time, target.time);
    if (unitOf[dir] == none ||
        circuit.neurons[unitOf[dir]].layer <= neuron.layer)
      unitOf[dir] = index;
  }
}

void CircuitVerifier::checkReadout() {
  const Readout &readout = circuit.readout;
  auto report = [&](std::string seen, std::string needed) {
    diags.emit(ranges.output, ir::diag::BadReadout, seen, needed);
  };
  size_t logits = readout.logits.size();
  if (readout.numerical && logits != 1)
    report(ir::counted(logits, "logit"), "a number has 1");
  else if (!readout.numerical && logits != readout.values.size())
    report(ir::counted(logits, "logit"),
           ir::counted(readout.values.size(), "value") + " need as many");
  else if (logits == 0)
    report("no logit", "there must be one for each value");

  if (!llvm::is_contained({"int", "float", "bool", "string"}, readout.type))
    report("the type `" + readout.type + "`",
           "`int`, `float`, `bool` or `string` is needed");
  std::set<ir::Value> seen;
  for (const ir::Value &value : readout.values) {
    if (!seen.insert(value).second)
      report("the value " + value.str() + " twice",
             "each value needs a logit of its own");
    if ((readout.type == "int" && !value.isInt()) ||
        (readout.type == "float" && !value.isFloat()) ||
        (readout.type == "bool" && !value.isBool()))
      report("the value " + value.str(), "its type is `" + readout.type + "`");
  }
  checkBound(readout.error, ranges.output,
             [] { return "the error of the output"; });
  checkBound(readout.tolerance, ranges.output,
             [] { return "the tolerance of the output"; });
  for (auto [i, logit] : llvm::enumerate(readout.logits)) {
    auto name = [&, i = i]() -> std::string {
      return !readout.numerical && i < readout.values.size()
                 ? "the logit of `" + readout.values[i].str() + "`"
                 : "the output";
    };
    checkView(logit, ~0u, {name, at(ranges.logits, i)});
  }
}

/// Only of circuits without other mistakes, which have half-layers for all.
void CircuitVerifier::checkReuse() {
  if (diags.errorCount() != errorsBefore)
    return;
  std::vector<bool> isTaken(circuit.directions.size(), false);
  HalfLayers halfLayers(circuit);
  for (auto [i, direction] : llvm::enumerate(circuit.directions)) {
    if (!direction.reuse)
      continue;
    auto [of, layer] = *direction.reuse;
    auto dir = DirId(static_cast<uint32_t>(i));
    auto report = [&, layer = layer](const llvm::Twine &why) {
      diags.emit(at(ranges.directions, i), ir::diag::BadReuse, nameOf(dir),
                 nameOf(of), llvm::formatv(why.str().c_str(), layer).str());
    };
    if (!exists(of, {[&] { return nameOf(dir); }, at(ranges.directions, i)}))
      continue;
    auto old = static_cast<uint32_t>(of);
    unsigned time = 2 * layer + 2;
    if (of == Circuit::bos || circuit[of].stays)
      report("that one stays until the end");
    else if (isTaken[old])
      report("another direction does");
    else if (layer >= circuit.layers)
      report("there is no layer {0}");
    else if (circuit[of].time >= time)
      report("that one is not complete before the MLP of layer {0}, which "
             "should clear it");
    else if (halfLayers.lastRead[old] > time)
      report("that one is read after the MLP of layer {0} has cleared it");
    else if (halfLayers.firstWrite[i] < time)
      report("it is written before the MLP of layer {0} has cleared that one");
    else if (halfLayers.firstWrite[i] == time &&
             !maySwap(circuit, of, dir, layer))
      report("the MLP of layer {0} clears the one and writes the other, and "
             "rounds what they add up to");
    isTaken[old] = true;
  }
}

bool CircuitVerifier::run() {
  errorsBefore = diags.errorCount();
  checkBos();
  for (size_t i = 0; i < circuit.directions.size(); ++i)
    checkDirection(i);
  for (size_t i = 0; i < circuit.heads.size(); ++i)
    checkHead(i);
  for (size_t i = 0; i < circuit.neurons.size(); ++i)
    checkNeuron(i);
  for (size_t i = 0; i < circuit.directions.size(); ++i)
    checkWritten(i);
  checkReadout();
  checkReuse();
  return diags.errorCount() == errorsBefore;
}

bool rasp::backend::verify(const Circuit &circuit, ir::Diagnostics &diags,
                           const CircuitRanges *ranges) {
  CircuitRanges unknown;
  return CircuitVerifier(circuit, diags, ranges ? *ranges : unknown).run();
}
