//===- backend/Assemble.cpp - from circuit and layout to weights ----------===//
//
// The only place where matrices appear. A head has a column per score term in
// W_Q and W_K and a column per output in W_V; constants of views are biases.
//
//===----------------------------------------------------------------------===//

#include "backend/Assemble.h"

using namespace rasp;
using namespace rasp::backend;

using Triplets = std::vector<Eigen::Triplet<double>>;

rt::Atom rasp::backend::toAtom(const ir::Value &value) {
  switch (value.kind()) {
  case ir::ValueKind::Bool:
    return value.asBool();
  case ir::ValueKind::Int:
    return value.asInt();
  case ir::ValueKind::Float:
    return value.asFloat();
  case ir::ValueKind::String:
    return value.asString().str();
  }
  llvm_unreachable("every kind returns");
}

ir::Value rasp::backend::toValue(const rt::Atom &atom) {
  if (auto *b = std::get_if<bool>(&atom))
    return ir::Value::boolean(*b);
  if (auto *i = std::get_if<int64_t>(&atom))
    return ir::Value::integer(*i);
  if (auto *d = std::get_if<double>(&atom))
    return ir::Value::real(*d);
  return ir::Value::string(std::get<std::string>(atom));
}

static rt::Matrix matrix(size_t rows, size_t columns, Triplets &triplets) {
  rt::Matrix result(static_cast<Eigen::Index>(rows),
                    static_cast<Eigen::Index>(columns));
  result.setFromTriplets(triplets.begin(), triplets.end());
  triplets.clear();
  return result;
}

namespace {
/// Collects views as columns of a matrix that reads the residual stream.
struct Columns {
  const Layout &layout;
  Triplets triplets;
  std::vector<double> bias;

  void add(const View &view, double scale = 1) {
    int column = static_cast<int>(bias.size());
    for (const Term &term : view.terms)
      triplets.emplace_back(layout.coordinate(term.dir), column,
                            term.weight * scale);
    bias.push_back(view.constant * scale);
  }
  void finish(size_t columns, rt::Matrix &weights, rt::Vector &biases) {
    weights = matrix(layout.dModel, columns, triplets);
    biases = rt::Vector::Zero(static_cast<Eigen::Index>(columns));
    for (size_t i = 0; i < bias.size(); ++i)
      biases[static_cast<Eigen::Index>(i)] = bias[i];
    bias.clear();
  }
};
} // namespace

static rt::Head assembleHead(const Head &head, const Layout &layout) {
  rt::Head result;
  size_t width = std::max(head.scores.size(), head.outputs.size());
  double scale = head.step * layout.root;
  Columns columns{layout, {}, {}};
  for (const ScoreTerm &score : head.scores)
    columns.add(score.query, scale);
  columns.finish(width, result.wQ, result.bQ);
  for (const ScoreTerm &score : head.scores)
    columns.add(score.key);
  columns.finish(width, result.wK, result.bK);
  for (const HeadOutput &output : head.outputs)
    columns.add(output.value);
  columns.finish(width, result.wV, result.bV);
  Triplets out;
  for (size_t i = 0; i < head.outputs.size(); ++i)
    out.emplace_back(static_cast<int>(i),
                     layout.coordinate(head.outputs[i].target), 1.0);
  result.wO = matrix(width, layout.dModel, out);
  return result;
}

rt::Model rasp::backend::assemble(const Circuit &circuit, const Layout &layout,
                                  const ir::Domain &domain, rt::DType dtype) {
  rt::Model model;
  size_t width = layout.dModel;
  model.config.dModel = static_cast<unsigned>(width);
  model.config.dHead = layout.dHead;
  model.config.nCtx = domain.maxSeqLen + 1;
  model.config.causal = domain.causal;
  model.config.dtype = dtype;
  model.config.modelName = circuit.readout.name;

  size_t tokens = domain.vocabulary.size();
  for (const ir::Value &value : domain.vocabulary)
    model.input.values.push_back(toAtom(value));
  model.input.bosId = static_cast<unsigned>(tokens);
  model.input.padId = static_cast<unsigned>(tokens + 1);

  Triplets embed, position;
  model.residualLabels.resize(width);
  for (DirId id : layout.order) {
    const Direction &dir = circuit[id];
    unsigned at = layout.coordinate(id);
    std::string &label = model.residualLabels[at];
    label += (label.empty() ? "" : " > ") + dir.residualLabel();
    bool isToken = dir.writer == WriterKind::TokenEmbed;
    if (!isToken && dir.writer != WriterKind::PosEmbed)
      continue;
    // Row 0 of the positions is BOS; among the tokens it comes last.
    for (size_t i = 0; i < dir.table.size(); ++i)
      if (dir.table[i] != 0)
        (isToken ? embed : position)
            .emplace_back(static_cast<int>(isToken ? i : i + 1), at,
                          dir.table[i]);
    if (isToken && dir.atBos != 0)
      embed.emplace_back(static_cast<int>(tokens), at, dir.atBos);
  }
  model.wE = matrix(tokens + 2, width, embed);
  model.wPos = matrix(model.config.nCtx, width, position);

  model.layers.resize(circuit.layers);
  for (const Head &head : circuit.heads)
    model.layers[head.layer].heads.push_back(assembleHead(head, layout));
  std::vector<std::vector<const Neuron *>> hidden(circuit.layers);
  for (const Neuron &neuron : circuit.neurons)
    hidden[neuron.layer].push_back(&neuron);
  std::vector<std::vector<Neuron>> clearing;
  for (const Layout::ClearingUnits &own : layout.clearings)
    for (const Neuron &neuron : clearing.emplace_back(clearingUnits(own)))
      hidden[own.layer].push_back(&neuron);
  for (unsigned l = 0; l < circuit.layers; ++l) {
    rt::Layer &layer = model.layers[l];
    layer.bO = rt::Vector::Zero(static_cast<Eigen::Index>(width));
    layer.bOut = layer.bO;
    Columns columns{layout, {}, {}};
    Triplets out;
    for (const Neuron *neuron : hidden[l]) {
      for (const Term &term : neuron->outputs)
        out.emplace_back(static_cast<int>(columns.bias.size()),
                         layout.coordinate(term.dir), term.weight);
      columns.add(neuron->input);
    }
    columns.finish(hidden[l].size(), layer.wIn, layer.bIn);
    layer.wOut = matrix(hidden[l].size(), width, out);
  }

  const Readout &readout = circuit.readout;
  Columns logits{layout, {}, {}};
  for (const View &logit : readout.logits)
    logits.add(logit);
  logits.finish(readout.logits.size(), model.wU, model.bU);
  model.output.kind = readout.numerical ? rt::OutputVocab::Numerical
                                        : rt::OutputVocab::Categorical;
  model.output.label = readout.name;
  model.output.type = readout.type;
  model.output.tolerance = readout.tolerance;
  for (const ir::Value &value : readout.values)
    model.output.values.push_back(toAtom(value));
  rt::roundToDType(model);
  return model;
}
