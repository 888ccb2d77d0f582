//===- backend/Codes.cpp - what directions hold, by value -----------------===//

#include "backend/Codes.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

/// Variables with more values than this have no listed code, and directions
/// that take more evaluations of a term no table.
static constexpr size_t maxValues = 4096, maxEvaluations = 1 << 23;

Codes::Codes(const Circuit &circuit, const Node *output,
             const ir::NodeNames &names, const ir::ValueSets &sets)
    : circuit(circuit), sets(sets), neurons(circuit.directions.size()) {
  for (const Node *node : ir::reachable(output)) {
    nodes[names.of(node)] = node;
    if (node->kind() == OpKind::Indices)
      indices = node;
  }
  for (const Neuron &neuron : circuit.neurons)
    for (const Term &term : neuron.outputs)
      neurons[static_cast<uint32_t>(term.dir)].emplace_back(&neuron,
                                                            term.weight);
}

std::optional<Source> Codes::variableOf(llvm::StringRef space) const {
  auto it = nodes.find(space);
  if (it != nodes.end() && it->second->isSop())
    return it->second;
  return space == "tokens" ? std::optional<Source>(nullptr) : std::nullopt;
}

llvm::ArrayRef<ir::Value> Codes::valuesOf(llvm::StringRef space) const {
  std::optional<Source> variable = variableOf(space);
  if (!variable || (*variable && !sets.of(*variable).known))
    return {};
  llvm::ArrayRef<ir::Value> values = sets.valuesOf(*variable);
  return values.size() <= maxValues ? values : llvm::ArrayRef<ir::Value>();
}

static FunctionTable tableOfSource(Source source,
                                   llvm::ArrayRef<double> byValue) {
  return {{source}, {static_cast<uint32_t>(byValue.size())}, byValue.vec()};
}

const Codes::Table &Codes::tableOf(DirId dir) {
  auto found = tables.find(dir);
  if (found != tables.end())
    return found->second;
  Table table = makeTable(dir);
  return tables.try_emplace(dir, std::move(table)).first->second;
}

Codes::Table Codes::makeTable(DirId dir) {
  const Direction &direction = circuit[dir];
  // Away from position 0, where variables have no values.
  if (dir == Circuit::bos)
    return FunctionTable{{}, {}, {0}};
  switch (direction.writer) {
  case WriterKind::TokenEmbed:
    return tableOfSource(nullptr,
                         llvm::ArrayRef(direction.table)
                             .take_front(sets.valuesOf(nullptr).size()));
  case WriterKind::PosEmbed:
    if (!indices)
      return std::nullopt;
    return tableOfSource(indices, direction.table);
  case WriterKind::Head:
    if (direction.byValue.empty() || direction.part)
      return std::nullopt;
    return tableOfSource(direction.source, direction.byValue);
  case WriterKind::Mlp:
    return evaluateNeurons(dir, {});
  }
  llvm_unreachable("every writer has a table");
}

Codes::Table Codes::tableOver(DirId dir, llvm::ArrayRef<Source> cuts) {
  std::optional<Source> variable = variableOf(circuit[dir].space);
  if (variable && llvm::is_contained(cuts, *variable)) {
    std::optional<Code> code = codeOf(dir);
    llvm::ArrayRef<ir::Value> values = valuesOf(circuit[dir].space);
    if (code && code->isExact() && !values.empty()) {
      std::vector<double> byValue = code->low;
      if (code->affine)
        for (const ir::Value &value : values)
          byValue.push_back(code->affine->first * value.toDouble() +
                            code->affine->second);
      return tableOfSource(*variable, byValue);
    }
  }
  return tableOf(dir);
}

/// By dimension of a table, how far apart its entries are for each of
/// `sources`; 0 for those that it does not depend on.
static llvm::SmallVector<size_t, 3> stridesIn(const FunctionTable &table,
                                              llvm::ArrayRef<Source> sources) {
  llvm::SmallVector<size_t, 3> strides(sources.size(), 0);
  for (auto [i, source] : llvm::enumerate(sources)) {
    const auto *found = llvm::find(table.sources, source);
    if (found != table.sources.end())
      strides[i] = table.stride(found - table.sources.begin());
  }
  return strides;
}

static size_t placeOf(llvm::ArrayRef<size_t> strides,
                      llvm::ArrayRef<uint32_t> at) {
  return std::inner_product(at.begin(), at.end(), strides.begin(), size_t(0));
}

Codes::Table Codes::evaluateNeurons(DirId dir, llvm::ArrayRef<Source> cuts) {
  const auto &own = neurons[static_cast<uint32_t>(dir)];
  std::map<DirId, FunctionTable> inputs;
  FunctionTable result;
  size_t size = 1, terms = 0;
  for (auto [neuron, weight] : own)
    for (const Term &term : neuron->input.terms) {
      ++terms;
      if (inputs.contains(term.dir))
        continue;
      Table input = tableOver(term.dir, cuts);
      if (!input)
        return std::nullopt;
      for (auto [source, extent] :
           llvm::zip_equal(input->sources, input->sizes)) {
        if (llvm::is_contained(result.sources, source))
          continue;
        result.sources.push_back(source);
        result.sizes.push_back(extent);
        if ((size *= extent) > maxEvaluations)
          return std::nullopt;
      }
      inputs.try_emplace(term.dir, std::move(*input));
    }
  if (size * std::max<size_t>(terms, 1) > maxEvaluations)
    return std::nullopt;
  result.entries.assign(size, 0);
  std::vector<double> sums(size);
  for (auto [neuron, weight] : own) {
    std::fill(sums.begin(), sums.end(), neuron->input.constant);
    for (const Term &term : neuron->input.terms) {
      const FunctionTable &input = inputs.at(term.dir);
      auto strides = stridesIn(input, result.sources);
      Odometer odometer(result.sizes);
      for (double &sum : sums) {
        sum += term.weight * input.entries[placeOf(strides, odometer.at)];
        odometer.next();
      }
    }
    for (auto [entry, sum] : llvm::zip_equal(result.entries, sums))
      entry += weight * (sum < 0 ? 0 : sum); // stays NaN
  }
  return result;
}

ir::JointTable Codes::identityOf(Source variable) const {
  ir::JointTable identity;
  identity.sources = {variable};
  identity.sizes = {static_cast<uint32_t>(sets.valuesOf(variable).size())};
  identity.entries.resize(identity.sizes[0]);
  std::iota(identity.entries.begin(), identity.entries.end(), 0);
  return identity;
}

/// The value of a variable as a function of sources.
ir::JointTable Codes::relationOf(Source variable) const {
  bool isFunction = variable && ir::isElementwise(variable->kind()) &&
                    sets.of(variable).hasTable;
  return isFunction ? sets.of(variable).table : identityOf(variable);
}

/// Widens a range, of which NaN is the empty one.
static void include(double number, double &low, double &high) {
  if (std::isnan(number))
    return;
  low = low <= number ? low : number;
  high = high >= number ? high : number;
}

/// Sums of hidden units are rounded.
static bool isSameNumber(double a, double b) {
  return std::fabs(a - b) <= 1e-9 * (1 + std::fabs(a));
}

std::optional<Code> Codes::rangesOf(const FunctionTable &table,
                                    const ir::JointTable &relation,
                                    size_t numValues) const {
  // By joint values of the sources that both depend on.
  FunctionTable lows, highs;
  for (auto [source, extent] : llvm::zip_equal(table.sources, table.sizes)) {
    const auto *same = llvm::find(relation.sources, source);
    if (same == relation.sources.end())
      continue;
    assert(extent == relation.sizes[same - relation.sources.begin()] &&
           "a source has one set of values");
    lows.sources.push_back(source);
    lows.sizes.push_back(extent);
  }
  if (lows.sources.empty() && !table.sources.empty())
    return std::nullopt;
  size_t size = std::accumulate(lows.sizes.begin(), lows.sizes.end(), size_t(1),
                                std::multiplies<>());
  lows.entries.assign(size, anyNumber);
  highs = lows;
  auto strides = stridesIn(lows, table.sources);
  Odometer inTable(table.sizes);
  for (double entry : table.entries) {
    size_t place = placeOf(strides, inTable.at);
    include(entry, lows.entries[place], highs.entries[place]);
    inTable.next();
  }

  Code code;
  code.low.assign(numValues, anyNumber);
  code.high = code.low;
  strides = stridesIn(lows, relation.sources);
  Odometer inRelation(relation.sizes);
  for (int32_t value : relation.entries) {
    size_t place = placeOf(strides, inRelation.at);
    inRelation.next();
    if (value == ir::JointTable::impossible)
      continue;
    include(lows.entries[place], code.low[value], code.high[value]);
    include(highs.entries[place], code.low[value], code.high[value]);
  }
  for (auto [low, high] : llvm::zip_equal(code.low, code.high))
    if (isSameNumber(low, high))
      high = low;
  return code;
}

bool Code::isExact() const {
  return llvm::all_of(llvm::zip_equal(low, high), [](auto range) {
    auto [low, high] = range;
    return low == high || std::isnan(low);
  });
}

llvm::StringRef
rasp::backend::encodingOf(llvm::ArrayRef<std::optional<Code>> codes) {
  if (codes.size() == 1 && codes[0] && codes[0]->affine)
    return "scalar";
  bool isCategorical = llvm::all_of(codes, [](const std::optional<Code> &code) {
    return code && !code->affine && code->isExact() &&
           llvm::all_of(code->low, [](double d) {
             return d == 0 || d == 1 || std::isnan(d);
           });
  });
  return isCategorical ? "categorical" : "code";
}

/// The affine function that the code is, if it is one and that says more than
/// two points.
static std::optional<std::pair<double, double>>
affineOf(llvm::ArrayRef<ir::Value> values, llvm::ArrayRef<double> byValue) {
  if (values.size() < 3 ||
      llvm::any_of(values, [](const ir::Value &v) { return !v.isNumeric(); }))
    return std::nullopt;
  double first = values.front().toDouble(), last = values.back().toDouble();
  double scale = (byValue.back() - byValue.front()) / (last - first);
  double offset = byValue.front() - scale * first;
  auto snap = [](double d) {
    double whole = std::nearbyint(d);
    return std::fabs(d - whole) < 1e-9 ? whole : d;
  };
  scale = snap(scale);
  offset = snap(offset);
  for (auto [value, code] : llvm::zip_equal(values, byValue)) {
    double expected = scale * value.toDouble() + offset;
    // Also where the code is NaN.
    if (!isSameNumber(code, expected))
      return std::nullopt;
  }
  return scale == 0 ? std::nullopt : std::optional(std::pair(scale, offset));
}

std::optional<Code> Codes::codeOver(DirId dir, const ir::JointTable &relation,
                                    size_t numValues) {
  bool isOfOthers = llvm::any_of(relation.sources, [](Source source) {
    return source && ir::isElementwise(source->kind());
  });
  Table table = circuit[dir].writer == WriterKind::Mlp && isOfOthers
                    ? evaluateNeurons(dir, relation.sources)
                    : tableOf(dir);
  return table ? rangesOf(*table, relation, numValues) : std::nullopt;
}

std::optional<Code> Codes::numberIn(DirId dir, const Node *variable) const {
  const Direction &direction = circuit[dir];
  if (direction.isMean && direction.source == variable)
    return Code{std::pair(1.0, 0.0), {}, {}};
  const Readout &readout = circuit.readout;
  if (!readout.numerical || readout.node != variable)
    return std::nullopt;
  const View &logit = readout.logits.front();
  if (logit.terms.size() != 1 || logit.terms[0].dir != dir)
    return std::nullopt;
  double weight = logit.terms[0].weight;
  return Code{std::pair(1 / weight, -logit.constant / weight), {}, {}};
}

std::optional<Code> Codes::formOf(DirId dir, const Node *variable) const {
  for (const SourceForm &form : circuit.forms) {
    llvm::ArrayRef<Term> terms = form.view.terms;
    if (form.source != variable || terms.size() != 1 || terms[0].dir != dir ||
        form.byValue.size() != sets.valuesOf(variable).size())
      continue;
    Code code;
    for (double number : form.byValue)
      code.low.push_back((number - form.view.constant) / terms[0].weight);
    code.high = code.low;
    return code;
  }
  return std::nullopt;
}

std::optional<Code> Codes::codeOf(DirId dir) {
  auto found = codes.find(dir);
  if (found != codes.end())
    return found->second;
  std::optional<Code> &code = codes[dir];
  const Direction &direction = circuit[dir];
  std::optional<Source> variable = variableOf(direction.space);
  if (!variable)
    return code;
  llvm::ArrayRef<ir::Value> values = valuesOf(direction.space);
  if (values.empty())
    return code = numberIn(dir, *variable);
  if (*variable && (code = formOf(dir, *variable))) {
    if (auto affine = affineOf(values, code->low))
      code = Code{affine, {}, {}};
    return code;
  }
  code = codeOver(dir, relationOf(*variable), values.size());
  // Or a function of other directions of the variable.
  if (direction.writer == WriterKind::Mlp && !(code && code->isExact())) {
    std::optional<Code> ofOwn =
        codeOver(dir, identityOf(*variable), values.size());
    if (ofOwn && (!code || ofOwn->isExact()))
      code = std::move(ofOwn);
  }
  if (code && code->isExact())
    if (auto affine = affineOf(values, code->low))
      code = Code{affine, {}, {}};
  return code;
}
