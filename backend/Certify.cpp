//===- backend/Certify.cpp - from a circuit to its certificate ------------===//

#include "backend/Certify.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <map>

using namespace rasp;
using namespace rasp::backend;
using ir::OpKind;
using rt::Certificate;

namespace {
class Certifier {
public:
  Certifier(const Circuit &circuit, const Layout &layout,
            const ir::NodeNames &names, const ir::ValueSets &sets)
      : circuit(circuit), layout(layout), names(names), sets(sets) {}

  Certificate run(double unitRoundoff);

private:
  unsigned variableOf(ir::Source source, unsigned part = 0);
  Certificate::Variable describe(ir::Source source, unsigned part) const;
  unsigned domainOf(JointId joint);
  unsigned sumOf(const Joint &joint);
  Certificate::Form formOf(unsigned variable, const View &view,
                           std::vector<double> values) const;
  /// None for joints that no live component has.
  std::vector<unsigned> domainsOf(llvm::ArrayRef<JointId> joints);
  Certificate::Direction describe(const Direction &direction);
  Certificate::Head describe(const Head &head, unsigned number);
  Certificate::Output describeOutput();

  const Circuit &circuit;
  const Layout &layout;
  const ir::NodeNames &names;
  const ir::ValueSets &sets;
  Certificate result;
  /// By source and part.
  std::map<std::pair<ir::Source, unsigned>, unsigned> variables;
  static constexpr unsigned positionVariable = 1;
  std::map<JointId, unsigned> domains;
};
} // namespace

Certificate::Variable Certifier::describe(ir::Source source,
                                          unsigned part) const {
  using Kind = Certificate::VariableKind;
  Certificate::Variable variable;
  variable.name = source ? names.of(source).str() : "tokens";
  variable.size = static_cast<uint32_t>(sets.valuesOf(source).size());
  if (!source) {
    variable.kind = Kind::Token;
  } else if (source->kind() == OpKind::Width) {
    variable.kind = Kind::Width;
  } else if (source->kind() == OpKind::Aggregate) {
    bool averages = llvm::any_of(circuit.directions, [&](const Direction &dir) {
      return dir.source == source && dir.isMean;
    });
    variable.kind = averages ? Kind::Mean : Kind::Moved;
  } else {
    variable.kind = Kind::Derived;
  }
  if (part) {
    variable.name += " part " + std::to_string(part);
    variable.size = sets.domain().maxSeqLen + 1;
  }
  if (source && !sets.of(source).known && !sets.of(source).isAbridged()) {
    variable.interval = true;
    variable.size = 2;
    variable.low = sets.of(source).low;
    variable.high = sets.of(source).high;
  }
  return variable;
}

unsigned Certifier::variableOf(ir::Source source, unsigned part) {
  if (source && source->kind() == OpKind::Indices)
    return positionVariable;
  auto [it, isNew] = variables.try_emplace(
      {source, part}, static_cast<unsigned>(result.variables.size()));
  if (isNew)
    result.variables.push_back(describe(source, part));
  return it->second;
}

Certificate::Form Certifier::formOf(unsigned variable, const View &view,
                                    std::vector<double> values) const {
  Certificate::Form form;
  form.variable = variable;
  form.constant = view.constant;
  for (const Term &term : view.terms)
    form.terms.emplace_back(layout.place(term.dir), term.weight);
  form.values = std::move(values);
  return form;
}

unsigned Certifier::sumOf(const Joint &joint) {
  Certificate::Variable variable;
  variable.kind = Certificate::VariableKind::Sum;
  variable.name = "sum";
  variable.interval = true;
  variable.size = 2;
  variable.low = joint.low;
  variable.high = joint.high;
  auto index = static_cast<unsigned>(result.variables.size());
  result.variables.push_back(std::move(variable));
  result.forms.push_back(formOf(index, joint.sum, {joint.low, joint.high}));
  return index;
}

unsigned Certifier::domainOf(JointId id) {
  auto found = domains.find(id);
  if (found != domains.end())
    return found->second;
  const Joint &joint = circuit.joints[id];
  Certificate::Domain domain;
  if (joint.isSum && !joint.sum.isConstant())
    domain.variables.push_back(sumOf(joint));
  for (ir::Source source : joint.sources)
    domain.variables.push_back(variableOf(source, joint.part));
  domain.excluded = joint.matters;
  domain.excluded.flip();
  auto index = static_cast<unsigned>(result.domains.size());
  result.domains.push_back(std::move(domain));
  domains[id] = index;
  return index;
}

std::vector<unsigned> Certifier::domainsOf(llvm::ArrayRef<JointId> joints) {
  std::vector<unsigned> indices;
  for (JointId id : joints) {
    const Joint &joint = circuit.joints[id];
    if (!joint.isSum && joint.sources.empty())
      continue;
    unsigned index = domainOf(id);
    if (!llvm::is_contained(indices, index))
      indices.push_back(index);
  }
  return indices;
}

Certificate::Direction Certifier::describe(const Direction &direction) {
  Certificate::Direction entry;
  entry.label = direction.residualLabel();
  entry.writer = writerName(direction.writer).str();
  if (direction.writer == WriterKind::Head ||
      direction.writer == WriterKind::Mlp)
    entry.writer += " " + std::to_string((direction.time - 1) / 2);
  entry.error = direction.error;
  entry.low = direction.low;
  entry.high = direction.high;
  entry.atBos = direction.atBos;
  if (direction.source) {
    entry.variable = variableOf(direction.source, direction.part);
    entry.values = direction.byValue;
    if (result.variables[*entry.variable].interval)
      entry.values = {direction.low, direction.high};
  }
  if (direction.joint) {
    entry.domain = domainOf(*direction.joint);
    entry.inputError = direction.inputError;
    entry.inputTolerance = direction.inputTolerance;
  }
  return entry;
}

Certificate::Head Certifier::describe(const Head &head, unsigned number) {
  Certificate::Head entry;
  entry.layer = head.layer;
  entry.head = number;
  entry.selector = head.name;
  entry.construction = head.construction;
  entry.step = head.step;
  entry.selected = head.selected;
  entry.proportional = head.proportional;
  entry.scoreError = head.scoreError;
  entry.scoreTolerance = head.scoreTolerance;
  entry.tieError = head.tieError;
  entry.leak = head.leak;
  entry.keys = domainsOf(head.keyJoints);
  entry.queries = domainsOf(head.queryJoints);
  for (const HeadOutput &output : head.outputs) {
    Certificate::Move move;
    move.target = layout.place(output.target);
    move.averages = output.averages;
    if (output.joint) {
      move.domain = domainOf(*output.joint);
      move.values = output.intended;
      const Joint &joint = circuit.joints[*output.joint];
      if (joint.isSum && !joint.sum.isConstant())
        move.values = {joint.low, joint.high};
    }
    entry.moves.push_back(std::move(move));
  }
  return entry;
}

Certificate::Output Certifier::describeOutput() {
  const Readout &readout = circuit.readout;
  Certificate::Output output;
  output.numerical = readout.numerical;
  output.error = readout.error;
  if (readout.joint) {
    output.domain = domainOf(*readout.joint);
    output.expected = readout.expected;
    output.expected.resize(
        result.sizeOf(result.domains[*output.domain], size_t(1) << 32), -1);
  }
  if (readout.numerical) {
    output.margin = readout.tolerance;
    return output;
  }
  // Integers are read as 2vs - v^2: neighbours differ by their distance
  // squared. Everything else has logits of 0 and 1.
  output.margin = 1;
  if (readout.type == "int") {
    double gap = INFINITY;
    for (size_t i = 0; i + 1 < readout.values.size(); ++i)
      gap = std::min(gap, readout.values[i + 1].toDouble() -
                              readout.values[i].toDouble());
    if (std::isfinite(gap))
      output.margin = gap * gap;
  }
  return output;
}

Certificate Certifier::run(double unitRoundoff) {
  result.output = circuit.readout.name;
  result.unitRoundoff = unitRoundoff;
  result.maxSeqLen = sets.domain().maxSeqLen;
  result.causal = sets.domain().causal;
  variableOf(nullptr);
  result.variables.push_back(
      {"indices", Certificate::VariableKind::Position, result.maxSeqLen});
  for (DirId dir : layout.order)
    result.directions.push_back(describe(circuit[dir]));
  std::vector<unsigned> numbers(circuit.layers, 0);
  for (const Head &head : circuit.heads)
    result.heads.push_back(describe(head, numbers[head.layer]++));
  result.readout = describeOutput();
  // Short ones first: longer ones may contain them.
  std::vector<SourceForm> forms = circuit.forms;
  llvm::stable_sort(forms, [](const SourceForm &a, const SourceForm &b) {
    return a.view.terms.size() < b.view.terms.size();
  });
  for (const SourceForm &form : forms)
    if (variables.count({form.source, 0}))
      result.forms.push_back(
          formOf(variableOf(form.source), form.view, form.byValue));
  return std::move(result);
}

Certificate rasp::backend::certify(const Circuit &circuit, const Layout &layout,
                                   const ir::NodeNames &names,
                                   const ir::ValueSets &sets,
                                   double unitRoundoff) {
  return Certifier(circuit, layout, names, sets).run(unitRoundoff);
}
