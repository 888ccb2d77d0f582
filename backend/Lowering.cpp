//===- backend/Lowering.cpp - views of s-ops ------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

Lowering::Lowering(ir::ValueSets &sets, const ir::NodeNames &names,
                   const LoweringOptions &options, ir::Diagnostics &diags)
    : sets(sets), options(options), diags(diags), names(names) {
  Direction bos;
  bos.space = "bos";
  bos.atBos = 1;
  bos.grid = 1;
  bos.table.assign(sets.domain().vocabulary.size(), 0);
  circuit.directions.push_back(std::move(bos));
}

std::optional<Circuit> Lowering::run(const Node *output) {
  if (options.remarks)
    for (const Node *node : ir::reachable(output))
      if (!tokenLeaf && spaceName(node) == "tokens")
        tokenLeaf = node;
  if (!buildReadout(output) || failed)
    return std::nullopt;
  removeDead(circuit);
  for (const Head &head : circuit.heads)
    if (static_cast<double>(std::max(head.scores.size(), head.outputs.size())) >
        widestRoot * widestRoot) {
      refuse(head.selector, ir::diag::SelectorTooLarge);
      return std::nullopt;
    }
  return std::move(circuit);
}

//===----------------------------------------------------------------------===//
// Shared
//===----------------------------------------------------------------------===//

llvm::SMRange Lowering::rangeOf(const Node *node) const {
  return node->ranges().empty() ? llvm::SMRange() : node->ranges().front();
}

std::string Lowering::spaceName(const Node *node) const {
  bool isToken =
      !node || (ir::isLeaf(node->kind()) && node->kind() != OpKind::Indices &&
                node->kind() != OpKind::Const);
  return isToken ? "tokens" : names.of(node).str();
}

std::string Lowering::listNames(llvm::ArrayRef<Source> sources) const {
  constexpr size_t most = 6;
  std::vector<std::string> parts;
  for (Source source : sources.take_front(most))
    parts.push_back("`" + spaceName(source) + "`");
  if (sources.size() > most)
    parts.push_back(std::to_string(sources.size() - most) + " more");
  std::string text;
  for (auto [i, part] : llvm::enumerate(parts))
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + part;
  return text;
}

uint64_t Lowering::countCombinations(JointId id) const {
  const Joint &joint = circuit.joints[id];
  if (!joint.matters.empty())
    return static_cast<uint64_t>(llvm::count(joint.matters, true));
  uint64_t product = 1;
  for (uint32_t size : joint.sizes)
    product *= size;
  return product;
}

DirId Lowering::newDirection(Direction direction) {
  circuit.directions.push_back(std::move(direction));
  return DirId(static_cast<uint32_t>(circuit.directions.size() - 1));
}

View Lowering::zeroAtBos(const View &view) const {
  double constant = atBos(circuit, view);
  return constant == 0 ? view : view + View::of(Circuit::bos, -constant);
}

void Lowering::checkRange(const Direction &direction) {
  // Products with the weights of the next reader must be finite too.
  double limit = options.unitRoundoff > 0x1p-30 ? 1e30 : 1e250;
  double magnitude =
      std::max(std::fabs(direction.low), std::fabs(direction.high));
  if (magnitude <= limit || failed)
    return;
  refuse(direction.node, ir::diag::OutOfRange, direction.space, magnitude,
         limit);
}

Reading Lowering::read(const View &view) const {
  Reading reading;
  reading.low = reading.high = view.constant;
  double magnitude = std::fabs(view.constant);
  double grid = gridOf(view.constant);
  bool onGrid = true, rounds = view.constant != 0 || view.terms.size() > 1;
  for (const Term &term : view.terms) {
    const Direction &dir = circuit[term.dir];
    double a = term.weight * dir.low, b = term.weight * dir.high;
    reading.low += std::min(a, b);
    reading.high += std::max(a, b);
    magnitude += std::max(std::fabs(a), std::fabs(b));
    reading.error += std::fabs(term.weight) * dir.error;
    double own = dir.grid * gridOf(term.weight);
    onGrid &= own != 0 && dir.error == 0;
    if (own != 0)
      grid = grid == 0 ? own : std::min(grid, own);
    rounds |= gridOf(term.weight) != std::fabs(term.weight);
  }
  // Sums of multiples of a power of two are exact while the significand holds
  // them, also when a head multiplies them with the root of its width.
  // Otherwise every product and every addition rounds.
  bool exact =
      onGrid && (magnitude == 0 ||
                 (grid > 0 &&
                  magnitude / grid <= 0.5 / options.unitRoundoff / widestRoot));
  if (rounds && !exact)
    reading.error += static_cast<double>(view.terms.size() + 2) *
                     options.unitRoundoff * magnitude;
  if (reading.error == 0 && onGrid)
    reading.grid = grid;
  return reading;
}

void Lowering::noteCloseValues(DirId dir, const Node *node,
                               std::vector<double> axis,
                               llvm::ArrayRef<double> byValue, double error) {
  std::vector<size_t> order(axis.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) { return axis[a] < axis[b]; });
  double gap = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    size_t a = order[i], b = order[i + 1];
    if (byValue[a] == byValue[b] || axis[b] - axis[a] >= gap)
      continue;
    gap = axis[b] - axis[a];
    closeValues[dir] = {node, stateOf(node).values[a].str(),
                        stateOf(node).values[b].str(), error};
  }
}

void Lowering::refuseNoise(const Node *node, double error, double tolerance,
                           const View &view) {
  if (failed)
    return;
  refuse(node, ir::diag::TooNoisy, spaceName(node), error, tolerance);
  // A view may also stretch the scalar of a head itself.
  for (auto &[id, state] : states)
    for (const Term &term : view.terms)
      if (state.raw == View::of(term.dir) && std::fabs(term.weight) > 1)
        noteCloseValues(term.dir, state.node, rawCoordinates(state),
                        state.numbers, circuit[term.dir].error);
  for (const Term &term : view.terms)
    if (auto it = closeValues.find(term.dir); it != closeValues.end()) {
      const CloseValues &close = it->second;
      diags.emit(rangeOf(close.node), ir::diag::CloseValues,
                 spaceName(close.node), close.first, close.second, close.error);
      return;
    }
}

Axis Lowering::axisOf(const View &view) const {
  Axis axis;
  axis.error = read(view).error;
  axis.unitRoundoff = options.unitRoundoff;
  axis.terms = axis.directions = static_cast<unsigned>(view.terms.size());
  axis.exactProducts = llvm::all_of(view.terms, [](const Term &term) {
    return gridOf(term.weight) == std::fabs(term.weight);
  });
  if (view.constant != 0)
    ++axis.terms;
  if (axis.terms > 1) {
    axis.magnitude = std::fabs(view.constant);
    for (const Term &term : view.terms)
      axis.magnitude +=
          std::fabs(term.weight) * std::max(std::fabs(circuit[term.dir].low),
                                            std::fabs(circuit[term.dir].high));
  }
  return axis;
}

bool Lowering::requireValues(const Node *sop, llvm::StringRef reader) {
  if (sets.of(sop).known)
    return true;
  if (!failed) {
    sets.reportTooLarge(sop, reader, diags);
    culprit = sop;
  }
  failed = true;
  return false;
}

//===----------------------------------------------------------------------===//
// Views of s-ops
//===----------------------------------------------------------------------===//

View Lowering::functionOf(const Node *sop, llvm::ArrayRef<double> byValue,
                          llvm::StringRef label) {
  if (!requireValues(sop, "a function of it"))
    return View();
  if (sets.isKept(sop))
    return functionOfSource(sop, byValue, Naming{sop, label.str()});
  View view = derivedFunction(sop, byValue, label);
  // Tables that see the s-op as a source may meet what others read of it.
  if (ir::isElementwise(sop->kind()) && !view.isConstant() && !failed)
    circuit.forms.push_back({sop, view, byValue.vec()});
  return view;
}

View Lowering::derivedFunction(const Node *sop, llvm::ArrayRef<double> byValue,
                               llvm::StringRef label) {
  const ir::NodeValues &values = sets.of(sop);
  Naming naming{sop, label.str()};
  // A large sum of integers is read as the number that it is: a search of its
  // table would find nothing better.
  constexpr size_t largeTable = 4096;
  bool isSum = sop->kind() == OpKind::Add || sop->kind() == OpKind::Sub;
  if (!values.hasTable ||
      (isSum && values.integral && values.table.entries.size() > largeTable)) {
    View view = profileOfScalar(sop, byValue, naming);
    if (values.hasTable)
      remark(view, sop, ir::diag::ReadAsNumber, values.table.entries.size());
    return view;
  }
  if (values.table.sources.size() == 1 && values.table.sources[0] == sop)
    return functionOfSource(sop, byValue, naming);
  FunctionTable table;
  table.sources.assign(values.table.sources.begin(),
                       values.table.sources.end());
  table.sizes.assign(values.table.sizes.begin(), values.table.sizes.end());
  table.entries.reserve(values.table.entries.size());
  for (int32_t entry : values.table.entries)
    table.entries.push_back(entry == ir::JointTable::impossible
                                ? anyNumber
                                : byValue[static_cast<size_t>(entry)]);
  std::vector<LinearForm> forms;
  if (table.sources.size() > 1)
    forms = collectForms(sop, table.sources);
  return realize(std::move(table), forms, naming);
}

View Lowering::profileOfScalar(const Node *sop, llvm::ArrayRef<double> byValue,
                               const Naming &naming) {
  std::vector<double> key;
  for (double y : byValue)
    key.push_back(std::isnan(y) ? noEntry : y);
  auto found = profiled.find({sop, key});
  if (found != profiled.end())
    return found->second;
  // By structure: the scalar of a kept s-op is what is being made here.
  std::optional<View> coordinate = affineScalar(sop);
  if (failed)
    return View();
  assert(coordinate && "only sums are read without their table");
  std::vector<ProfilePoint> points;
  for (auto [value, y] : llvm::zip(sets.of(sop).values, byValue))
    if (!std::isnan(y))
      points.push_back({value.toDouble(), y});
  if (points.empty())
    return View();
  std::optional<Profile> profile =
      makeProfile(points, axisOf(*coordinate), true);
  if (!profile) {
    refuse(sop, ir::diag::MixedMean, spaceName(sop));
    return View();
  }
  auto [low, high] = std::minmax_element(
      points.begin(), points.end(),
      [](const ProfilePoint &a, const ProfilePoint &b) { return a.y < b.y; });
  Naming ofSum = naming;
  ofSum.joint = jointOfValues(sop, *coordinate, byValue);
  View view =
      emitProfile(*coordinate, *profile, ofSum, low->y, high->y, "a sum");
  profiled[{sop, std::move(key)}] = view;
  return view;
}

std::optional<View> Lowering::affineScalar(const Node *sop) {
  auto constantOf = [&](const Node *operand) -> std::optional<double> {
    const ir::NodeValues &values = sets.of(operand);
    if (values.known && values.values.size() == 1 &&
        values.values[0].isNumeric())
      return values.values[0].toDouble();
    return std::nullopt;
  };
  switch (sop->kind()) {
  case OpKind::Pos:
    return scalarOf(sop->operand(0));
  case OpKind::Neg:
    return scalarOf(sop->operand(0)) * -1;
  case OpKind::Add:
    return scalarOf(sop->operand(0)) + scalarOf(sop->operand(1));
  case OpKind::Sub:
    return scalarOf(sop->operand(0)) - scalarOf(sop->operand(1));
  case OpKind::Mul:
    if (auto factor = constantOf(sop->operand(0)))
      return scalarOf(sop->operand(1)) * *factor;
    if (auto factor = constantOf(sop->operand(1)))
      return scalarOf(sop->operand(0)) * *factor;
    return std::nullopt;
  case OpKind::Div:
    if (auto divisor = constantOf(sop->operand(1)))
      if (*divisor != 0)
        return scalarOf(sop->operand(0)) * (1 / *divisor);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

View Lowering::scalarOf(const Node *sop) {
  auto found = scalars.find(sop);
  if (found != scalars.end())
    return found->second;
  const ir::NodeValues &values = sets.of(sop);
  View view;
  auto byTable = [&] {
    std::vector<double> numbers;
    for (const ir::Value &value : values.values)
      numbers.push_back(value.isNumeric() ? value.toDouble() : anyNumber);
    view = functionOf(sop, numbers, "");
  };
  bool numeric = values.known && llvm::all_of(values.values, [](auto &value) {
                   return value.isNumeric();
                 });
  if (!values.numeric && !values.known) {
    requireValues(sop, "what reads it");
  } else if (sop->kind() == OpKind::Aggregate && !values.known) {
    view = rawView(stateOf(sop));
  } else if (values.known && values.hasTable &&
             (!numeric || values.table.sources.size() < 2 ||
              !ir::isElementwise(sop->kind()) || sets.isKept(sop))) {
    byTable();
  } else if (std::optional<View> affine = affineScalar(sop)) {
    view = *affine;
  } else if (requireValues(sop, "a non-affine operation")) {
    byTable();
  }
  if (values.known && numeric && ir::isElementwise(sop->kind()) &&
      !view.isConstant() && !failed) {
    std::vector<double> numbers;
    for (const ir::Value &value : values.values)
      numbers.push_back(value.toDouble());
    circuit.forms.push_back({sop, view, std::move(numbers)});
  }
  scalars[sop] = view;
  return view;
}
