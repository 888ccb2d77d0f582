//===- backend/Neurons.cpp - hidden units and what they write -----------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;

/// Holds a hidden unit down at BOS, so that what MLPs write is exactly 0 there
/// and needs no correction with a rounded constant. There are no values at BOS
/// that a profile was made for.
View Lowering::offAtBos(View input) const {
  double value = atBos(circuit, input), size = std::fabs(input.constant);
  for (const Term &term : input.terms)
    size += std::fabs(term.weight * circuit[term.dir].atBos);
  size = std::max(size, read(input).magnitude());
  constexpr double surely = 1e-3;
  if (value < -surely * size || (value <= 0 && errorAtBos(input) == 0))
    return input;
  double down = 2 * std::max(value, surely * size);
  return input + View::of(Circuit::bos, -std::exp2(std::ceil(std::log2(down))));
}

void Lowering::addNeuron(View input, DirId target, double weight) {
  if (!std::isfinite(weight) || !std::isfinite(input.constant)) {
    refuse(circuit[target].node, ir::diag::OutOfRange, circuit[target].space,
           weight, std::numeric_limits<double>::max());
    return;
  }
  input = offAtBos(std::move(input));
  auto [it, isNew] = neurons.try_emplace(input, circuit.neurons.size());
  if (isNew)
    circuit.neurons.push_back(
        Neuron{input, {}, nextMlp(timeOf(circuit, input)) / 2 - 1});
  Neuron &neuron = circuit.neurons[it->second];
  auto known = llvm::find_if(
      neuron.outputs, [&](const Term &term) { return term.dir == target; });
  if (known != neuron.outputs.end())
    known->weight += weight;
  else
    neuron.outputs.push_back({target, weight});
  Direction &dir = circuit[target];
  dir.time = std::max(dir.time, 2 * neuron.layer + 2);
}

DirId Lowering::newMlpDirection(const Naming &naming,
                                llvm::StringRef construction) {
  Direction direction;
  direction.writer = WriterKind::Mlp;
  direction.node = naming.node;
  direction.space = spaceName(naming.node);
  direction.label = naming.label;
  direction.joint = naming.joint;
  direction.construction = construction.str();
  return newDirection(std::move(direction));
}

void Lowering::finishMlpDirection(DirId dir, double low, double high,
                                  double error, double grid) {
  circuit[dir].low = low;
  circuit[dir].high = high;
  circuit[dir].error = error;
  circuit[dir].grid = grid;
  checkRange(circuit[dir]);
}

View Lowering::copyView(const View &view, const Naming &naming, double low,
                        double high) {
  DirId dir = newMlpDirection(naming, "copy");
  View input = view - View::ofConstant(low);
  addNeuron(input, dir, 1);
  Reading reading = read(input);
  finishMlpDirection(dir, 0, high - low, reading.error, reading.grid);
  return View::of(dir) + View::ofConstant(low);
}

View Lowering::gathered(const View &view, const ir::Node *sop, JointId reader) {
  const auto &sources = circuit.joints[reader].sources;
  std::map<unsigned, View> byTime;
  View rest = View::ofConstant(view.constant);
  for (const Term &term : view.terms) {
    const Direction &dir = circuit[term.dir];
    // Units may yet be added to what is exactly 0 off a set.
    bool isPart =
        dir.writer == WriterKind::Mlp && dir.joint && !dir.exactZero &&
        llvm::all_of(circuit.joints[*dir.joint].sources, [&](ir::Source s) {
          return llvm::is_contained(sources, s);
        });
    (isPart ? byTime[dir.time] : rest) += View::of(term.dir, term.weight);
  }
  for (auto &[time, part] : byTime) {
    std::vector<JointId> joints;
    for (const Term &term : part.terms)
      joints.push_back(*circuit[term.dir].joint);
    std::optional<JointId> joint =
        part.terms.size() > 1 ? jointOfAll(joints) : std::nullopt;
    if (!joint) {
      rest += part;
      continue;
    }
    DirId sum = newMlpDirection(Naming{sop, "sum", joint}, "sum");
    double magnitude = 0, count = 0;
    for (Neuron &neuron : circuit.neurons) {
      double weight = 0;
      for (const Term &term : part.terms)
        for (const Term &output : neuron.outputs)
          if (output.dir == term.dir)
            weight += term.weight * output.weight;
      if (weight == 0)
        continue;
      neuron.outputs.push_back({sum, weight});
      ++count;
      magnitude += std::fabs(weight) * std::max(0.0, read(neuron.input).high);
    }
    circuit[sum].time = time;
    Reading reading = read(part);
    finishMlpDirection(
        sum, reading.low, reading.high,
        reading.error + (count + 2) * options.unitRoundoff * magnitude, 0);
    remark(View::of(sum), sop, ir::diag::SumGathered, part.terms.size(),
           time / 2 - 1);
    rest += View::of(sum);
  }
  return rest;
}

View Lowering::emitProfile(const View &coordinate, const Profile &profile,
                           const Naming &naming, double low, double high,
                           llvm::StringRef argument) {
  View view = coordinate * profile.linear;
  Reading linear = read(view);
  view.constant += profile.constant;
  if (profile.units.empty())
    return view;
  llvm::StringRef shape = profile.steps ? "steps" : "polygon";
  DirId dir = newMlpDirection(naming, (shape + " of " + argument).str());
  for (const ProfileUnit &unit : profile.units) {
    View input = coordinate * unit.slope;
    input.constant += unit.offset;
    addNeuron(input, dir, unit.weight);
  }
  finishMlpDirection(dir, low - profile.constant - linear.high,
                     high - profile.constant - linear.low, profile.error,
                     profile.error == 0 ? 1 : 0);
  circuit[dir].exactZero = profile.exactZero && profile.constant == 0;
  circuit[dir].inputError = profile.inputError;
  circuit[dir].inputTolerance = profile.inputTolerance;
  view += View::of(dir);
  if (options.remarks && naming.joint) {
    const ir::Node *node = naming.reader ? naming.reader : naming.node;
    std::string argument = "`" + toString(circuit, coordinate) + "`";
    std::string units = ir::counted(profile.units.size(), "hidden unit");
    uint64_t values = countCombinations(*naming.joint);
    if (profile.steps && profile.inputTolerance)
      remark(view, node, ir::diag::Steps, argument, values, units,
             profile.inputError, *profile.inputTolerance);
    else
      remark(view, node, ir::diag::Polygon, argument, values, units);
  }
  return view;
}
