//===- backend/StepCodes.cpp - codes of numbers that have errors ----------===//
//
// A number that comes out of an MLP or a mean is compared for equality through
// a code: a 0/1 view for each value, the product of the two sides' views for
// each value that both take, so a rank per value.
//
// A direction is a step, 1 on one side of a gap between neighbouring values and
// exactly 0 on the other; the view of a value is the difference of the steps on
// its two sides. At the value itself one of them is 0 and the other one just
// beyond its rise, where it is wrong by a few roundings whatever the error of
// the number is. Errors farther off meet only views that should be 0. So scores
// of selected keys differ by a few roundings: not exactly the same, as
// penalties are, but with half the directions and columns.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Source;

std::optional<Lowering::OrderedValues>
Lowering::orderedValues(const Node *sop) {
  const ir::NodeValues &values = sets.of(sop);
  if (!values.numeric || !values.known)
    return std::nullopt;
  OrderedValues result;
  const ir::JointTable &table = values.table;
  if (table.sources.size() == 1 && isRaw(table.sources[0])) {
    SourceState &state = stateOf(table.sources[0]);
    result.coordinate = rawView(state);
    result.joint = jointOfOperands(sop);
    result.axis = rawAxis(state);
    std::vector<double> xs = rawCoordinates(state);
    for (size_t v = 0; v < xs.size(); ++v)
      if (table.entries[v] != ir::JointTable::impossible)
        result.points.emplace_back(xs[v],
                                   static_cast<size_t>(table.entries[v]));
  } else {
    result.coordinate = scalarOf(sop);
    result.joint = jointOf(sop);
    if (!failed)
      result.coordinate = gathered(result.coordinate, sop, result.joint);
    result.axis = axisOf(result.coordinate);
    for (size_t v = 0; v < values.values.size(); ++v)
      result.points.emplace_back(values.values[v].toDouble(), v);
  }
  if (failed)
    return std::nullopt;
  llvm::sort(result.points);
  return result;
}

bool Lowering::isInexact(const Node *sop) {
  return !sets.of(sop).hasTable ||
         llvm::any_of(sets.of(sop).table.sources, [&](Source source) {
           Access access = stateOf(source).access;
           return access != Access::Token && access != Access::Position &&
                  access != Access::Moved;
         });
}

Lowering::StepCode &Lowering::stepCodeOf(const Node *sop) {
  auto [it, isNew] = stepCodes.try_emplace(sop);
  if (isNew) {
    std::optional<OrderedValues> values = orderedValues(sop);
    for (auto [x, value] :
         values ? values->points : std::vector<std::pair<double, size_t>>())
      stepCodes[sop].xs.push_back(x);
    stepCodes[sop].values = std::move(values);
  }
  return stepCodes[sop];
}

Lowering::StepDirection *Lowering::stepAt(const Node *sop, size_t at,
                                          bool rises) {
  StepCode &code = stepCodeOf(sop);
  const OrderedValues &values = *code.values;
  std::tuple key(values.coordinate, values.joint, code.xs[at - 1], code.xs[at],
                 rises);
  auto known = stepDirections.find(key);
  if (known != stepDirections.end())
    return &known->second;
  std::optional<Step> step = makeStep(code.xs, at, rises, values.axis);
  if (!step)
    return nullptr;
  auto numberAt = [&](size_t point) {
    return sets.of(sop).values[values.points[point].second].toDouble();
  };
  // The value beside the gap, on the side where the step is not 0.
  size_t on = rises ? at : at - 1, off = rises ? at - 1 : at;
  std::string label = numberAt(on) > numberAt(off) ? ">=" : "<=";
  label += sets.of(sop).values[values.points[on].second].str();
  DirId dir = newMlpDirection(Naming{sop, label, values.joint}, "threshold");
  auto inputOf = [&](const ProfileUnit &unit) {
    View input = values.coordinate * unit.slope;
    input.constant += unit.offset;
    return input;
  };
  addNeuron(inputOf(step->first), dir, 1);
  double reach =
      std::max(std::fabs(code.xs.front()), std::fabs(code.xs.back()));
  double end = rises ? code.xs.back() : code.xs.front();
  finishMlpDirection(dir, 0, step->first.slope * end + step->first.offset,
                     std::fabs(step->first.slope) *
                         (values.axis.errorAt(reach) +
                          8 * options.unitRoundoff * values.axis.sizeAt(reach)),
                     0);
  circuit[dir].exactZero = true;
  circuit[dir].inputError = step->inputError;
  circuit[dir].inputTolerance = step->inputTolerance;
  StepDirection result{dir, *step, inputOf(step->second)};
  for (double x : code.xs)
    result.error = std::max(result.error, step->errorAt(x, values.axis));
  return &stepDirections.try_emplace(std::move(key), std::move(result))
              .first->second;
}

void Lowering::makeWhole(llvm::ArrayRef<StepDirection *> steps) {
  for (StepDirection *step : steps) {
    if (step->whole)
      continue;
    step->whole = true;
    addNeuron(step->second, step->dir, step->step.second.weight);
    finishMlpDirection(step->dir, 0, 1, step->error, 0);
    circuit[step->dir].construction = "step";
  }
}

std::optional<Lowering::ClassCode> Lowering::classCode(const Node *sop,
                                                       size_t value) {
  ClassCode result;
  if (!isInexact(sop)) {
    std::vector<double> isValue(sets.of(sop).values.size());
    isValue[value] = 1;
    result.view =
        functionOf(sop, isValue, sets.of(sop).values[value].display());
    result.own = result.others = read(result.view).error;
    return result;
  }
  StepCode &code = stepCodeOf(sop);
  if (failed || !code.values)
    return std::nullopt;
  const auto &points = code.values->points;
  auto has = [&](auto &point) { return point.second == value; };
  auto first = llvm::find_if(points, has);
  auto last = std::find_if_not(first, points.end(), has);
  if (first == points.end() || std::any_of(last, points.end(), has))
    return std::nullopt;
  size_t begin = static_cast<size_t>(first - points.begin());
  size_t end = static_cast<size_t>(last - points.begin());
  std::vector<double> errors(points.size());
  // 1 from a point on.
  auto from = [&](size_t at) -> std::optional<View> {
    if (at == 0 || at == points.size())
      return View::ofConstant(at == 0);
    if (points[at - 1].first == points[at].first)
      return std::nullopt;
    bool rises = risesNaturally(code.xs, at);
    StepDirection *direction = stepAt(sop, at, rises);
    if (!direction)
      return std::nullopt;
    result.steps.push_back(direction);
    for (size_t p = 0; p < points.size(); ++p)
      errors[p] += direction->step.errorAt(points[p].first, code.values->axis);
    View view = View::of(direction->dir);
    return rises ? view : View::ofConstant(1) - view;
  };
  std::optional<View> lower = from(begin), upper = from(end);
  if (!lower || !upper || failed)
    return std::nullopt;
  result.view = *lower - *upper;
  for (size_t p = 0; p < points.size(); ++p) {
    // Of the two steps and a constant at most two are not 0.
    double error = errors[p] + 3 * options.unitRoundoff * (1 + errors[p]);
    bool isOwn = p >= begin && p < end;
    (isOwn ? result.own : result.others) =
        std::max(isOwn ? result.own : result.others, error);
  }
  return result;
}

bool Lowering::addStepEquality(const Node *key, const Node *query,
                               Scores &scores) {
  const ir::NodeValues &keys = sets.of(key), &queries = sets.of(query);
  if (!keys.known || !queries.known || !keys.numeric || !queries.numeric ||
      !keys.hasTable || !queries.hasTable ||
      (!isInexact(key) && !isInexact(query)))
    return false;
  std::vector<std::pair<size_t, size_t>> common;
  for (size_t k = 0; k < keys.values.size(); ++k)
    for (size_t q = 0; q < queries.values.size(); ++q)
      if (keys.values[k].toDouble() == queries.values[q].toDouble())
        common.emplace_back(k, q);
  // Of few values the exact penalties are no larger.
  constexpr size_t fewValues = 3, manyValues = 512;
  if (common.size() <= fewValues || common.size() > manyValues)
    return false;
  std::vector<ScoreTerm> terms;
  std::vector<StepDirection *> steps;
  double own = 0, keyOthers = 0, queryOthers = 0;
  for (auto [k, q] : common) {
    std::optional<ClassCode> ofKey = classCode(key, k);
    std::optional<ClassCode> ofQuery =
        ofKey && !failed ? classCode(query, q) : std::nullopt;
    if (!ofQuery || failed)
      return false;
    own = std::max(own, ofKey->own + ofQuery->own + ofKey->own * ofQuery->own);
    keyOthers = std::max(keyOthers, ofKey->others);
    queryOthers = std::max(queryOthers, ofQuery->others);
    terms.push_back({zeroAtBos(ofKey->view), zeroAtBos(ofQuery->view)});
    llvm::append_range(steps, ofKey->steps);
    llvm::append_range(steps, ofQuery->steps);
  }
  double tie =
      own + static_cast<double>(terms.size()) * keyOthers * queryOthers;
  constexpr double clear = 0.05;
  double error = tie + (1 + own) * (keyOthers + queryOthers);
  if (error > clear)
    return false;
  scores.note("step codes " + std::to_string(terms.size()));
  if (options.remarks) {
    double compared = 0;
    for (const Node *sop : {key, query})
      if (isInexact(sop))
        compared =
            std::max(compared, read(stepCodeOf(sop).values->coordinate).error);
    remark(scores, ir::diag::EqualityByCodes, compared, error, terms.size());
  }
  scores.addConjunct(std::move(terms), 1, 1 + error);
  scores.error += error;
  scores.tieError += tie;
  llvm::append_range(scores.steps, steps);
  return true;
}
