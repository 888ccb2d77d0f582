//===- runtime/CertificateChecker.cpp - certificates, checked -------------===//

#include "runtime/CertificateChecker.h"
#include "runtime/CertificateScores.h"
#include "runtime/CertificateTables.h"
#include "runtime/TensorList.h"
#include "runtime/Unfolding.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace rasp::rt;

/// More entries of all tables together are not looked at.
static constexpr uint64_t mostEntries = uint64_t(1) << 27;

namespace {
class Checker {
public:
  /// `hash` is that of the weights as they are in the file.
  Checker(const Model &model, const Certificate &certificate, std::string hash)
      : model(model), certificate(certificate), hash(std::move(hash)),
        tables(certificate), written(certificate.directions.size(), false),
        lastLayer(certificate.directions.size(), -1), finalLayer(lastLayer) {}

  CertificateReport run();
  /// What a direction may hold, also at BOS.
  std::vector<Bound> occurring(unsigned direction) const;
  /// Whether what is cleared for others, as `unfolding` says, leaves 0.
  void checkClearing(const Unfolding &unfolding, CertificateReport &own);
  /// One table for each direction.
  std::vector<DirectionTable> takeTables() {
    auto begin = std::make_move_iterator(tables.tables.begin());
    return {begin, begin + static_cast<long>(certificate.directions.size())};
  }

private:
  bool checkShape();
  void readEmbeddings();
  void checkHead(const Head &weights, const Certificate::Head &head);
  void checkMove(const Head &weights, const Certificate::Head &head,
                 const Certificate::Move &move, const ScoreBounds &scores,
                 double leak);
  void checkMlp(const Layer &layer, unsigned number);
  void checkDirection(unsigned direction, const Layer &layer,
                      llvm::ArrayRef<TableTerm> neurons);
  /// Adds to what MLPs of earlier layers have written.
  void addTo(DirectionTable &table, const DirectionTable &more) const;
  void checkOutput();
  /// Compares what was derived for a direction with what is claimed.
  void compareErrors(unsigned direction);
  bool claim(unsigned direction);
  void problem(const std::string &text) {
    constexpr size_t most = 20;
    if (report.problems.size() < most)
      report.problems.push_back(text);
  }
  const std::string &labelOf(unsigned direction) const {
    return certificate.directions[direction].label;
  }

  const Model &model;
  const Certificate &certificate;
  std::string hash;
  Tables tables;
  std::vector<bool> written;
  /// The last layer whose MLP writes a direction, of those so far and of all;
  /// -1 for none.
  std::vector<int> lastLayer, finalLayer;
  uint64_t entries = 0;
  CertificateReport report;
};
} // namespace

bool Checker::checkShape() {
  size_t before = report.problems.size();
  if (certificate.directions.size() != model.config.dModel)
    problem(llvm::formatv("the certificate speaks of {0} directions, the model "
                          "has {1}",
                          certificate.directions.size(), model.config.dModel));
  if (hash != certificate.weightHash)
    problem("the certificate belongs to other weights");
  double unit = model.config.dtype == DType::Float32 ? 0x1p-24 : 0x1p-53;
  if (certificate.unitRoundoff != unit)
    problem(llvm::formatv("the certificate assumes a precision of {0:e2}, the "
                          "weights have {1:e2}",
                          certificate.unitRoundoff, unit));
  if (certificate.maxSeqLen + 1 != model.config.nCtx)
    problem(llvm::formatv("the certificate speaks of inputs up to length {0}, "
                          "the model takes {1}",
                          certificate.maxSeqLen, model.config.nCtx - 1));
  if (certificate.readout.numerical !=
      (model.output.kind == OutputVocab::Numerical))
    problem("the certificate speaks of another kind of output");
  using Kind = Certificate::VariableKind;
  for (const Certificate::Variable &variable : certificate.variables) {
    size_t size = variable.kind == Kind::Token      ? model.input.values.size()
                  : variable.kind == Kind::Position ? certificate.maxSeqLen
                                                    : variable.size;
    if (variable.size != size || size == 0)
      problem(llvm::formatv("`{0}` has {1} values, not {2}", variable.name,
                            size, variable.size));
  }
  return report.problems.size() == before;
}

bool Checker::claim(unsigned direction) {
  if (written[direction]) {
    problem(llvm::formatv("two components write `{0}`", labelOf(direction)));
    return false;
  }
  written[direction] = true;
  return true;
}

void Checker::readEmbeddings() {
  unsigned token = ~0u, position = ~0u;
  using Kind = Certificate::VariableKind;
  for (auto [i, variable] : llvm::enumerate(certificate.variables)) {
    if (variable.kind == Kind::Token)
      token = static_cast<unsigned>(i);
    if (variable.kind == Kind::Position)
      position = static_cast<unsigned>(i);
  }
  size_t numTokens = model.input.values.size();
  std::vector<std::vector<Bound>> byToken(written.size()),
      byPosition(written.size());
  auto collect = [&](const Matrix &matrix, Eigen::Index row, size_t size,
                     size_t at, auto &columns) {
    for (Matrix::InnerIterator it(matrix, row); it; ++it) {
      if (it.value() == 0)
        continue;
      auto &column = columns[static_cast<size_t>(it.col())];
      column.resize(size);
      column[at].value = it.value();
    }
  };
  for (size_t t = 0; t < numTokens; ++t)
    collect(model.wE, static_cast<Eigen::Index>(t), numTokens, t, byToken);
  for (unsigned p = 0; p < certificate.maxSeqLen; ++p)
    collect(model.wPos, p + 1, certificate.maxSeqLen, p, byPosition);
  for (unsigned d = 0; d < written.size(); ++d) {
    DirectionTable &table = tables.tables[d];
    table.atBos.value =
        model.wE.coeff(model.input.bosId, d) + model.wPos.coeff(0, d);
    table.entries = {Bound()};
    bool isToken = !byToken[d].empty(), isPosition = !byPosition[d].empty();
    if (isToken && isPosition)
      problem(llvm::formatv("both embeddings write `{0}`", labelOf(d)));
    else if (isToken || isPosition) {
      unsigned variable = isToken ? token : position;
      if (variable == ~0u) {
        problem("the certificate does not name what an embedding holds");
        continue;
      }
      table.variables = {variable};
      table.entries = isToken ? byToken[d] : byPosition[d];
    }
    if (isToken || isPosition || table.atBos.value != 0)
      table.complete = claim(d);
  }
}

void Checker::compareErrors(unsigned direction) {
  const Certificate::Direction &claimed = certificate.directions[direction];
  double own = tables.worstError(direction);
  ++report.directions;
  if (own == 0)
    return;
  // The two sides may round their own sums, which are doubles, differently.
  double noise = 0x1p-50 * tables.largestOf(direction);
  double share = own <= noise        ? 0
                 : claimed.error > 0 ? (own - noise) / claimed.error
                                     : HUGE_VAL;
  report.largestShare = std::max(report.largestShare, share);
  if (share > 1 + 1e-6)
    problem(llvm::formatv("`{0}` may be wrong by {1:e3}; the certificate says "
                          "{2:e3}",
                          claimed.label, own, claimed.error));
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

void Checker::checkHead(const Head &weights, const Certificate::Head &head) {
  std::string name =
      llvm::formatv("head {0}.{1} ({2})", head.layer, head.head, head.selector);
  ++report.heads;
  if (!(head.step > 0)) {
    problem(name + ": no step");
    return;
  }
  llvm::Expected<ScoreBounds> scores =
      boundScores(tables, weights, head, model.config.dHead);
  if (!scores) {
    problem(name + ": " + llvm::toString(scores.takeError()));
    return;
  }
  // exp of less is 0 in the stored precision.
  double underflow = model.config.dtype == DType::Float32 ? 104 : 746;
  double apart = scores->distance * head.step;
  double leak =
      apart < underflow ? (certificate.maxSeqLen + 1) * std::exp(-apart) : 0;
  if (leak > 0 && head.leak == 0)
    problem(llvm::formatv("{0}: what is not selected is only {1:f1} logits "
                          "below what is; attention needs {2}",
                          name, apart, underflow));
  else if (leak > head.leak * (1 + 1e-6))
    problem(llvm::formatv("{0}: what is not selected may weigh {1:e3}; the "
                          "certificate says {2:e3}",
                          name, leak, head.leak));
  if (scores->ofBos * head.step < underflow)
    problem(llvm::formatv("{0}: at BOS, keys are only {1:f1} logits below BOS; "
                          "attention needs {2}",
                          name, scores->ofBos * head.step, underflow));
  if (scores->bosCounts &&
      !llvm::all_of(head.moves, [](auto &move) { return move.averages; }))
    problem(name + ": BOS counts as a selected key, which is not claimed");
  for (const Certificate::Move &move : head.moves)
    checkMove(weights, head, move, *scores, leak);
}

void Checker::checkMove(const Head &weights, const Certificate::Head &head,
                        const Certificate::Move &move,
                        const ScoreBounds &scores, double leak) {
  if (!claim(move.target))
    return;
  // The column of W_V that ends there.
  int column = -1, count = 0;
  for (Eigen::Index row = 0; row < weights.wO.rows(); ++row)
    if (double weight = weights.wO.coeff(row, move.target); weight != 0) {
      column = static_cast<int>(row);
      ++count;
      if (weight != 1)
        problem(llvm::formatv("`{0}` is not written as it is moved",
                              labelOf(move.target)));
    }
  if (count != 1) {
    problem(llvm::formatv("`{0}` is written by {1} columns of its head",
                          labelOf(move.target), count));
    return;
  }
  std::vector<TableView> view{
      tables.columnsOf(weights.wV, weights.bV)[static_cast<size_t>(column)]};
  DirectionTable &table = tables.tables[move.target];
  const Certificate::Direction &claimed = certificate.directions[move.target];
  double unit = certificate.unitRoundoff;
  Bound bos = tables.atBos(view[0]);
  table.atBos = bos;
  double size = std::fabs(view[0].constant.value);
  for (const TableTerm &term : view[0].terms)
    size += std::fabs(term.weight * tables.tables[term.table].atBos.value);
  if (std::fabs(bos.value - claimed.atBos) > 4 * unit * size + bos.error)
    problem(llvm::formatv("`{0}` is {1} at BOS, the certificate says {2}",
                          claimed.label, bos.value, claimed.atBos));
  // From here on it is what is meant, and the error has the difference.
  bos.error += std::fabs(bos.value - claimed.atBos);
  bos.value = claimed.atBos;

  // What is moved, by joint value: what is meant, and the error.
  std::vector<std::pair<double, double>> moved;
  double worst = bos.error, low = bos.value, high = bos.value;
  // Of what is selected together: BOS shares no weight where it stands for the
  // empty selection.
  double least = HUGE_VAL, most = -HUGE_VAL;
  if (scores.bosCounts)
    least = most = bos.value;
  bool onlyBos = true;
  if (move.domain) {
    const Certificate::Domain &domain = certificate.domains[*move.domain];
    tables.restrictTo(domain.variables, view);
    JointWalk walk(tables, domain.variables);
    std::vector<unsigned> followed;
    for (const TableTerm &term : view[0].terms)
      followed.push_back(walk.follow(tables.tables[term.table].variables));
    JointFilter filter(tables, walk, domain.variables);
    for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
      if ((!domain.excluded.empty() && domain.excluded[i]) || !filter.admits())
        continue;
      Bound sum = tables.evaluate(view[0], walk, followed);
      if (std::isnan(move.values[i])) {
        // No matter which, but what is not selected may hold it.
        if (leak > 0) {
          low = std::min(low, sum.value - sum.error);
          high = std::max(high, sum.value + sum.error);
        }
        continue;
      }
      double error = sum.error + std::fabs(sum.value - move.values[i]);
      moved.emplace_back(move.values[i], error);
      worst = std::max(worst, error);
      low = std::min(low, move.values[i]);
      high = std::max(high, move.values[i]);
      least = std::min(least, move.values[i]);
      most = std::max(most, move.values[i]);
      onlyBos = false;
    }
  } else if (llvm::any_of(view[0].terms,
                          [&](const TableTerm &term) {
                            return llvm::any_of(
                                tables.tables[term.table].entries,
                                [](const Bound &x) {
                                  return x.value != 0 || x.error != 0;
                                });
                          }) ||
             view[0].constant.value != 0) {
    problem(llvm::formatv("`{0}` should hold the share of BOS alone",
                          labelOf(move.target)));
  }

  double tie = scores.tieError * head.step;
  double weightError = move.averages ? std::expm1(2 * tie) : 0;
  if (tie > 0)
    weightError += 4 * unit;
  double spread = 0, leaked = leak * (high - low);
  if (move.averages) {
    double magnitude = std::max(std::fabs(low), std::fabs(high));
    spread = onlyBos ? 0
                     : weightError * (most - least) +
                           (certificate.maxSeqLen + 3) * unit * magnitude;
  }
  if (claimed.variable)
    table.variables = {*claimed.variable};
  bool isMean =
      claimed.variable && certificate.variables[*claimed.variable].kind ==
                              Certificate::VariableKind::Mean;
  table.entries.clear();
  for (double value : claimed.values) {
    double error = worst + spread + leaked;
    if (onlyBos) {
      // A quotient of the weight of BOS and the sum of weights.
      double keys = bos.value / value;
      if (std::fabs(keys - std::nearbyint(keys)) > 1e-6)
        problem(llvm::formatv("`{0}` is no share of BOS: {1}", claimed.label,
                              value));
      error = std::fabs(value) * (weightError + leak + 4 * unit) + bos.error;
    } else if (!isMean) {
      // Only keys with this very value can be selected.
      error = value == bos.value ? bos.error : 0;
      bool known = value == bos.value;
      for (auto [meant, own] : moved)
        if (meant == value) {
          error = std::max(error, own);
          known = true;
        }
      if (!known)
        error = worst;
      error += leaked;
      if (value != 0)
        error += spread;
    }
    table.entries.push_back({value, error});
  }
  if (claimed.values.empty())
    problem(llvm::formatv("`{0}` has no values", labelOf(move.target)));
  table.complete = true;
  entries += table.entries.size();
  compareErrors(move.target);
}

//===----------------------------------------------------------------------===//
// MLPs
//===----------------------------------------------------------------------===//

namespace {
/// A weighted sum of hidden units, made ready to be evaluated often.
class HiddenSum {
public:
  HiddenSum(llvm::ArrayRef<TableTerm> neurons, llvm::ArrayRef<TableView> views,
            double unitRoundoff);

  /// The tables that are read, each once.
  std::vector<unsigned> inputs;

  /// `x` is parallel to `inputs`.
  Bound evaluate(llvm::ArrayRef<Bound> x);

private:
  llvm::ArrayRef<TableTerm> neurons;
  llvm::ArrayRef<TableView> views;
  double unit;
  /// By unit and term, the position in `inputs`.
  std::vector<llvm::SmallVector<unsigned, 4>> local;
  /// Least and greatest slope of the sum in each input, between its value and
  /// what it may be computed as.
  std::vector<double> least, greatest;
};
} // namespace

HiddenSum::HiddenSum(llvm::ArrayRef<TableTerm> neurons,
                     llvm::ArrayRef<TableView> views, double unitRoundoff)
    : neurons(neurons), views(views), unit(unitRoundoff), local(views.size()) {
  std::map<unsigned, unsigned> position;
  for (size_t n = 0; n < views.size(); ++n)
    for (const TableTerm &term : views[n].terms) {
      auto [it, isNew] = position.try_emplace(
          term.table, static_cast<unsigned>(inputs.size()));
      if (isNew)
        inputs.push_back(term.table);
      local[n].push_back(it->second);
    }
  least.resize(inputs.size());
  greatest.resize(inputs.size());
}

Bound HiddenSum::evaluate(llvm::ArrayRef<Bound> x) {
  std::fill(least.begin(), least.end(), 0);
  std::fill(greatest.begin(), greatest.end(), 0);
  Bound sum;
  RoundingBound outer(unit);
  for (size_t n = 0; n < views.size(); ++n) {
    Bound input = views[n].constant;
    double magnitude = std::fabs(input.value);
    for (auto [term, at] : llvm::zip(views[n].terms, local[n])) {
      input.value += term.weight * x[at].value;
      input.error += std::fabs(term.weight) * x[at].error;
      magnitude += std::fabs(term.weight * x[at].value);
    }
    // Far below zero no rounding matters.
    if (input.value + 2 * input.error < -1e-2 * magnitude)
      continue;
    RoundingBound inner(unit);
    inner.addTerm({views[n].constant.value, 0});
    for (auto [term, at] : llvm::zip(views[n].terms, local[n]))
      inner.addProduct(term.weight, x[at]);
    double rounding = views[n].rounded ? 0 : inner.bound();
    double error = input.error + rounding;
    if (input.value + error <= 0)
      continue;
    double weight = neurons[n].weight;
    Bound on{std::max(0.0, input.value), error};
    outer.addProduct(weight, on);
    sum.value += weight * on.value;
    // A unit near its threshold may be on or off.
    bool surelyOn = input.value >= error;
    for (auto [term, at] : llvm::zip(views[n].terms, local[n])) {
      double slope = weight * term.weight;
      least[at] += surelyOn ? slope : std::min(0.0, slope);
      greatest[at] += surelyOn ? slope : std::max(0.0, slope);
    }
    sum.error += std::fabs(weight) * (rounding + views[n].constant.error);
  }
  for (size_t t = 0; t < inputs.size(); ++t)
    sum.error +=
        std::max(std::fabs(least[t]), std::fabs(greatest[t])) * x[t].error;
  sum.error += outer.bound();
  return sum;
}

void Checker::checkMlp(const Layer &layer, unsigned number) {
  std::vector<std::vector<TableTerm>> neuronsOf(written.size());
  for (Eigen::Index row = 0; row < layer.wOut.rows(); ++row)
    for (Matrix::InnerIterator it(layer.wOut, row); it; ++it)
      if (it.value() != 0)
        neuronsOf[static_cast<size_t>(it.col())].push_back(
            {static_cast<unsigned>(row), it.value()});
  report.hiddenUnits += static_cast<size_t>(layer.wOut.rows());
  if (layer.bO.cwiseAbs().maxCoeff() != 0 ||
      layer.bOut.cwiseAbs().maxCoeff() != 0)
    problem(llvm::formatv("layer {0} adds a bias to the stream", number));
  for (unsigned d = 0; d < written.size(); ++d) {
    if (neuronsOf[d].empty())
      continue;
    if (lastLayer[d] < 0 && !claim(d))
      continue;
    checkDirection(d, layer, neuronsOf[d]);
    lastLayer[d] = static_cast<int>(number);
    tables.tables[d].complete = finalLayer[d] == lastLayer[d];
  }
}

void Checker::addTo(DirectionTable &table, const DirectionTable &more) const {
  auto add = [&](Bound &sum, const Bound &own) {
    RoundingBound rounding(certificate.unitRoundoff);
    rounding.addTerm(sum);
    rounding.addTerm(own);
    sum.value += own.value;
    sum.error += own.error + rounding.bound();
  };
  for (auto [sum, own] : llvm::zip(table.entries, more.entries))
    add(sum, own);
  add(table.atBos, more.atBos);
}

void Checker::checkDirection(unsigned direction, const Layer &layer,
                             llvm::ArrayRef<TableTerm> neurons) {
  const Certificate::Direction &claimed = certificate.directions[direction];
  if (!claimed.domain) {
    problem(llvm::formatv("`{0}` does not say what it is a function of",
                          claimed.label));
    return;
  }
  const Certificate::Domain &domain = certificate.domains[*claimed.domain];
  size_t size = tables.sizeOf(domain.variables);
  entries += size;
  if (entries > mostEntries) {
    problem(llvm::formatv("`{0}`: the tables are too large to be checked",
                          claimed.label));
    return;
  }
  std::vector<TableView> views;
  for (const TableTerm &neuron : neurons) {
    TableView view;
    view.constant.value = layer.bIn[neuron.table];
    views.push_back(std::move(view));
  }
  std::vector<int> viewOf(static_cast<size_t>(layer.wIn.cols()), -1);
  for (auto [i, neuron] : llvm::enumerate(neurons))
    viewOf[neuron.table] = static_cast<int>(i);
  for (Eigen::Index row = 0; row < layer.wIn.rows(); ++row)
    for (Matrix::InnerIterator it(layer.wIn, row); it; ++it)
      if (int view = viewOf[static_cast<size_t>(it.col())];
          view >= 0 && it.value() != 0)
        views[static_cast<size_t>(view)].terms.push_back(
            {static_cast<unsigned>(row), it.value()});

  DirectionTable table;
  table.variables.assign(domain.variables.begin(), domain.variables.end());
  {
    HiddenSum atBos(neurons, views, certificate.unitRoundoff);
    std::vector<Bound> x;
    for (unsigned input : atBos.inputs)
      x.push_back(tables.tables[input].atBos);
    table.atBos = atBos.evaluate(x);
  }
  tables.restrictTo(domain.variables, views);
  HiddenSum sum(neurons, views, certificate.unitRoundoff);
  JointWalk walk(tables, domain.variables);
  for (unsigned input : sum.inputs)
    walk.follow(tables.tables[input].variables);
  std::vector<Bound> x(sum.inputs.size());
  table.entries.resize(walk.size());
  report.combinations += walk.size();
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    for (unsigned t = 0; t < x.size(); ++t)
      x[t] = tables.tables[sum.inputs[t]].entries[walk.at(t)];
    table.entries[i] = sum.evaluate(x);
  }
  if (lastLayer[direction] < 0)
    tables.tables[direction] = std::move(table);
  else
    addTo(tables.tables[direction], table);
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

void Checker::checkOutput() {
  const Certificate::Output &output = certificate.readout;
  if (!output.domain) {
    problem("the output does not say what it is a function of");
    return;
  }
  const Certificate::Domain &domain = certificate.domains[*output.domain];
  std::vector<TableView> logits = tables.columnsOf(model.wU, model.bU);
  tables.restrictTo(domain.variables, logits);
  JointWalk walk(tables, domain.variables);
  std::vector<std::vector<unsigned>> followed(logits.size());
  std::map<unsigned, unsigned> byTable;
  for (size_t o = 0; o < logits.size(); ++o)
    for (const TableTerm &term : logits[o].terms) {
      auto [it, isNew] = byTable.try_emplace(term.table, 0);
      if (isNew)
        it->second = walk.follow(tables.tables[term.table].variables);
      followed[o].push_back(it->second);
    }
  auto numberOf = [&](size_t index) {
    const Atom &atom = model.output.values[index];
    if (auto *b = std::get_if<bool>(&atom))
      return double(*b);
    if (auto *integer = std::get_if<int64_t>(&atom))
      return static_cast<double>(*integer);
    if (auto *real = std::get_if<double>(&atom))
      return *real;
    return std::nan("");
  };
  JointFilter filter(tables, walk, domain.variables);
  double margin = HUGE_VAL;
  size_t wrong = 0;
  std::vector<Bound> values(logits.size());
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    if ((!domain.excluded.empty() && domain.excluded[i]) || !filter.admits())
      continue;
    double worst = 0;
    for (size_t o = 0; o < logits.size(); ++o) {
      Bound sum = tables.evaluate(logits[o], walk, followed[o]);
      worst = std::max(worst, sum.error);
      values[o] = sum;
    }
    report.outputError = std::max(report.outputError, worst);
    int32_t expected = output.expected[i];
    bool listed = expected >= 0 &&
                  static_cast<size_t>(expected) < model.output.values.size();
    if (output.numerical) {
      double error = values[0].error;
      if (listed)
        error += std::fabs(values[0].value -
                           numberOf(static_cast<size_t>(expected)));
      else if (!model.output.values.empty())
        continue;
      // The value that is meant may be the nearest double to a quotient.
      report.outputError = std::max(report.outputError, error);
      margin = std::min(margin, model.output.tolerance - error);
      wrong += !(error <= model.output.tolerance);
      continue;
    }
    if (!listed)
      continue;
    const Bound &right = values[static_cast<size_t>(expected)];
    for (size_t o = 0; o < logits.size(); ++o) {
      if (o == static_cast<size_t>(expected))
        continue;
      double distance = right.value - values[o].value;
      margin = std::min(margin, distance);
      wrong += !(distance > right.error + values[o].error);
    }
  }
  report.outputMargin = margin;
  if (wrong)
    problem(llvm::formatv("the output is not decided: logits may be wrong by "
                          "{0:e3}, the margin is {1:e3}",
                          report.outputError, margin));
}

CertificateReport Checker::run() {
  if (!checkShape())
    return std::move(report);
  for (auto [l, layer] : llvm::enumerate(model.layers))
    for (Eigen::Index row = 0; row < layer.wOut.rows(); ++row)
      for (Matrix::InnerIterator it(layer.wOut, row); it; ++it)
        finalLayer[static_cast<size_t>(it.col())] = static_cast<int>(l);
  readEmbeddings();
  for (auto [l, layer] : llvm::enumerate(model.layers)) {
    std::vector<bool> seen(layer.heads.size(), false);
    for (const Certificate::Head &head : certificate.heads) {
      if (head.layer != l)
        continue;
      if (head.head >= seen.size() || seen[head.head]) {
        problem(llvm::formatv("there is no head {0}.{1}", l, head.head));
        continue;
      }
      seen[head.head] = true;
      checkHead(layer.heads[head.head], head);
    }
    for (auto [h, weights] : llvm::enumerate(layer.heads))
      if (!seen[h] && weights.wO.nonZeros() != 0)
        problem(llvm::formatv("head {0}.{1} is not in the certificate", l, h));
    if (!report.problems.empty())
      return std::move(report);
    checkMlp(layer, static_cast<unsigned>(l));
    if (!report.problems.empty())
      return std::move(report);
  }
  for (unsigned d = 0; d < written.size(); ++d)
    if (lastLayer[d] >= 0)
      compareErrors(d);
  checkOutput();
  return std::move(report);
}

//===----------------------------------------------------------------------===//
// Shared coordinates
//===----------------------------------------------------------------------===//

namespace {
/// What is known of numbers that are to be added up without any rounding.
struct ExactSum {
  double grid = HUGE_VAL; ///< a power of two of which all are multiples
  double largest = 0;
  bool isExact = true;

  void add(const Bound &number) {
    isExact &= number.error == 0;
    if (number.value == 0)
      return;
    int exponent;
    double mantissa = std::frexp(std::fabs(number.value), &exponent);
    auto bits = static_cast<uint64_t>(std::ldexp(mantissa, 53));
    grid = std::min(grid,
                    std::ldexp(1.0, exponent - 53 + llvm::countr_zero(bits)));
    largest = std::max(largest, std::fabs(number.value));
  }
};
} // namespace

std::vector<Bound> Checker::occurring(unsigned direction) const {
  const DirectionTable &table = tables.tables[direction];
  const std::vector<bool> *excluded = nullptr;
  if (auto domain = certificate.directions[direction].domain)
    excluded = &certificate.domains[*domain].excluded;
  std::vector<Bound> all{table.atBos};
  for (auto [i, entry] : llvm::enumerate(table.entries))
    if (!excluded || excluded->empty() || !(*excluded)[i])
      all.push_back(entry);
  return all;
}

void Checker::checkClearing(const Unfolding &unfolding,
                            CertificateReport &own) {
  double unit = certificate.unitRoundoff;
  for (const ClearedDirection &cleared : unfolding.cleared) {
    const std::string &name = labelOf(cleared.direction);
    auto isNegative = [](const Bound &x) { return x.value - x.error < 0; };
    if (cleared.units.size() == 1 &&
        llvm::any_of(occurring(cleared.direction), isNegative))
      own.problems.push_back(llvm::formatv(
          "`{0}` may be negative, and then it is not cleared", name));
    if (!cleared.isSwap)
      continue;
    // What is cleared and what is written meet before they reach the stream.
    // Of an interval, only the ends are known.
    auto add = [&](ExactSum &sum, unsigned direction) {
      for (const Bound &number : occurring(direction))
        sum.add(number);
      for (unsigned variable : tables.tables[direction].variables)
        sum.isExact &= !certificate.variables[variable].interval;
    };
    ExactSum old;
    add(old, cleared.direction);
    double total = old.largest, grid = old.grid;
    bool isExact = old.isExact;
    const Layer &layer = model.layers[cleared.layer];
    for (Eigen::Index n = 0; n < layer.wOut.rows(); ++n) {
      double weight = layer.wOut.coeff(n, cleared.next);
      if (weight == 0)
        continue;
      ExactSum out;
      out.add({weight, 0});
      double magnitude = std::fabs(layer.bIn[n]), inputGrid = HUGE_VAL;
      if (layer.bIn[n] != 0) {
        ExactSum bias;
        bias.add({layer.bIn[n], 0});
        inputGrid = bias.grid;
      }
      for (Eigen::Index row = 0; row < layer.wIn.rows(); ++row) {
        double factor = layer.wIn.coeff(row, n);
        if (factor == 0)
          continue;
        ExactSum scale, input;
        scale.add({factor, 0});
        add(input, static_cast<unsigned>(row));
        isExact &= input.isExact;
        inputGrid = std::min(inputGrid, scale.grid * input.grid);
        magnitude += std::fabs(factor) * input.largest;
      }
      isExact &= magnitude * unit <= inputGrid;
      grid = std::min(grid, out.grid * inputGrid);
      total += std::fabs(weight) * magnitude;
    }
    if (!isExact || !(total * unit <= grid))
      own.problems.push_back(llvm::formatv(
          "`{0}` is cleared and `{1}` written in one sum, which is rounded",
          name, labelOf(cleared.next)));
  }
}

CertificateReport
rasp::rt::checkCertificate(const Model &model, const Certificate &certificate,
                           std::vector<DirectionTable> *tables) {
  std::string hash = hashOfWeights(model);
  std::optional<ResidualMap> map = ResidualMap::makeIfKnown(model);
  std::optional<Unfolding> unfolding;
  if (map && map->isShared()) {
    llvm::Expected<Unfolding> made = unfold(model, *map);
    if (!made) {
      CertificateReport report;
      report.problems.push_back(llvm::toString(made.takeError()));
      return report;
    }
    unfolding = std::move(*made);
  }
  Checker checker(unfolding ? unfolding->model : model, certificate, hash);
  CertificateReport report = checker.run();
  if (unfolding && report.problems.empty())
    checker.checkClearing(*unfolding, report);
  if (tables)
    *tables = checker.takeTables();
  return report;
}
