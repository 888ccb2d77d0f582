//===- backend/Heads.cpp - what heads move --------------------------------===//
//
// A head's softmax must be uniform over the selected keys and zero elsewhere.
// Selected keys score the same, all others at least 1 less, and a logit is
// `step` times the score. In float32 exp(-104) and below is 0, so a step that
// keeps the distance above 104 after all errors makes attention hard, exactly.
//
// BOS scores as much as a selected key where the number of keys is wanted
// (then its share is 1/(w+1)), and half a unit less where it only stands for
// the empty selection. All other views are zero at position 0, as key and as
// query, so BOS selects itself alone and its stream is constant.
//
//===----------------------------------------------------------------------===//

#include "backend/FormulaSimplify.h"
#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;

/// Logit distance at which the smaller weight is exactly 0, with a margin: exp
/// underflows at -104 in float32 and at -746 in float64.
static double hardDistance(double unitRoundoff) {
  return unitRoundoff > 0x1p-30 ? 110 : 760;
}

Lowering::Pattern &Lowering::patternOf(const Node *selector, BosMode mode,
                                       bool ties) {
  ties &= !(sets.selectors().facts(selector).atMostOneKey &&
            mode == BosMode::Default);
  auto lookUp = [&](bool withTies) -> Pattern & {
    auto [it, isNew] = patterns.try_emplace({selector, mode, withTies});
    if (isNew)
      it->second = makePattern(selector, mode, withTies);
    return it->second;
  };
  // The same head serves both, if its weights are equal anyway.
  Pattern *pattern = &lookUp(false);
  if (ties && !failed && (pattern->weightError > 0 || pattern->tooNoisy > 0))
    pattern = &lookUp(true);
  checkNoise(*pattern);
  return *pattern;
}

void Lowering::checkNoise(const Pattern &pattern) {
  if (pattern.tooNoisy == 0 || failed)
    return;
  refuse(pattern.selector, ir::diag::SelectorTooNoisy,
         ir::mnemonic(pattern.selector->kind()).str(), pattern.tooNoisy,
         pattern.tolerance);
}

double Lowering::noiseOfBos(llvm::ArrayRef<ScoreTerm> terms,
                            View ScoreTerm::*side) const {
  View ScoreTerm::*other =
      side == &ScoreTerm::key ? &ScoreTerm::query : &ScoreTerm::key;
  double noise = 0;
  for (const ScoreTerm &term : terms) {
    Reading reading = read(term.*other);
    noise += errorAtBos(term.*side) * (reading.magnitude() + reading.error);
  }
  return noise;
}

Lowering::Pattern Lowering::makePattern(const Node *selector, BosMode mode,
                                        bool ties) {
  std::optional<Formula> formula = makeFormula(selector, sets.selectors());
  if (!formula) {
    refuse(selector, ir::diag::SelectorTooLong, maxFormulaSize);
    return {};
  }
  FormulaRelations relations(sets);
  FormulaSimplifier simplifier(relations);
  formula = simplifier.simplify(std::move(*formula));
  Scores scores;
  for (llvm::StringRef note : simplifier.notes())
    scores.remark(note);
  formula = distributed(std::move(*formula), scores);
  return makePattern(*formula, std::move(scores), selector,
                     sets.selectors().facts(selector), mode, ties);
}

Lowering::Pattern Lowering::makePattern(const Formula &formula, Scores scores,
                                        const Node *selector,
                                        const ir::SelectorFacts &facts,
                                        BosMode mode, bool ties) {
  Pattern pattern;
  if (!buildScores(formula, facts, mode, ties, scores)) {
    failed = true;
    return pattern;
  }
  pattern.selector = selector;
  pattern.name = names.of(selector).str();
  pattern.construction = scores.remarks + scores.construction;
  pattern.scores = std::move(scores.terms);
  pattern.conjunctScores = std::move(scores.conjunctScores);
  pattern.proportional = scores.proportional;

  double gap = scores.proportional ? 1 : 0.5;
  if (!scores.proportional) {
    // Where selected keys score 0, BOS must still win its own row.
    double bosScore = scores.selected - (mode == BosMode::Default ? 0.5 : 0);
    View query = View::ofConstant(bosScore);
    if (bosScore <= 0)
      query += View::of(Circuit::bos, 1);
    pattern.scores.push_back({View::of(Circuit::bos), query, ScoreTerm::ofBos});
    if (mode == BosMode::Counted)
      gap = 1;
  }
  for (const ScoreTerm &term : pattern.scores)
    pattern.time = std::max(
        {pattern.time, timeOf(circuit, term.key), timeOf(circuit, term.query)});

  std::vector<const Formula *> comparisons;
  collectComparisons(formula, comparisons);
  auto addJoints = [&](const Node *sop, std::vector<JointId> &joints) {
    joints.push_back(jointOf(sop));
    // Scores may look through a kept s-op at what it is made of.
    if (sets.isKept(sop))
      joints.push_back(jointOfOperands(sop));
  };
  for (const Formula *comparison : comparisons) {
    addJoints(comparison->key, pattern.keyJoints);
    addJoints(comparison->query, pattern.queryJoints);
  }

  // BOS counts as a selected key, so its score must be as exact.
  if (mode == BosMode::Counted)
    scores.tieError += noiseOfBos(pattern.scores, &ScoreTerm::key);
  double distance =
      gap -
      std::max(2 * scores.error, noiseOfBos(pattern.scores, &ScoreTerm::query));
  double needed = hardDistance(options.unitRoundoff);
  while (distance * pattern.step < needed && pattern.step < 0x1p14)
    pattern.step *= 2;
  bool single = facts.atMostOneKey && mode == BosMode::Default;
  pattern.selected = scores.selected;
  pattern.scoreError = scores.error;
  pattern.scoreTolerance = (gap - needed / pattern.step) / 2;
  pattern.tieError = scores.tieError;
  if (!single)
    pattern.weightError = std::expm1(2 * scores.tieError * pattern.step);
  constexpr double worstWeight = 0.1;
  if (distance * pattern.step < needed) {
    pattern.tooNoisy = scores.error;
    pattern.tolerance = (gap - needed / pattern.step) / 2;
  } else if (ties && pattern.weightError > worstWeight) {
    pattern.tooNoisy = scores.tieError;
    pattern.tolerance = std::log1p(worstWeight) / 2 / pattern.step;
  }
  return pattern;
}

double Lowering::errorAtBos(const View &view) const {
  double magnitude = std::fabs(view.constant), error = 0, grid = 0;
  std::vector<double> parts{view.constant};
  for (const Term &term : view.terms) {
    const Direction &dir = circuit[term.dir];
    parts.push_back(term.weight * dir.atBos);
    magnitude += std::fabs(parts.back());
    error += std::fabs(term.weight) * dir.errorAtBos;
  }
  grid = gridOf(parts);
  if (error == 0 &&
      (grid == 0 || magnitude / grid <= 0.5 / options.unitRoundoff))
    return 0;
  return error + static_cast<double>(parts.size() + 2) * options.unitRoundoff *
                     magnitude;
}

DirId Lowering::moveValue(Pattern &pattern, View value, double empty,
                          const Naming &naming, double low, double high,
                          bool averages) {
  unsigned time = nextAttention(std::max(pattern.time, timeOf(circuit, value)));
  auto [it, isNew] = pattern.headByTime.try_emplace(time, circuit.heads.size());
  if (isNew) {
    Head head;
    head.name = pattern.name;
    head.selector = pattern.selector;
    head.scores = pattern.scores;
    head.conjunctScores = pattern.conjunctScores;
    head.proportional = pattern.proportional;
    head.selected = pattern.selected;
    head.scoreError = pattern.scoreError;
    head.scoreTolerance = pattern.scoreTolerance;
    head.tieError = pattern.tieError;
    head.keyJoints = pattern.keyJoints;
    head.queryJoints = pattern.queryJoints;
    head.step = pattern.step;
    head.layer = time / 2;
    head.construction = pattern.construction;
    circuit.heads.push_back(std::move(head));
  }
  Head &head = circuit.heads[it->second];

  Reading reading = read(value);
  // What BOS contributes is what an empty selection gives.
  if (double correction = empty - atBos(circuit, value); correction != 0)
    value += View::of(Circuit::bos, correction);
  Direction direction;
  direction.writer = WriterKind::Head;
  direction.node = naming.node;
  direction.space = spaceName(naming.node);
  direction.label = naming.label;
  direction.time = time;
  direction.low = std::min(low, empty);
  direction.high = std::max(high, empty);
  direction.atBos = empty;
  // BOS gives all its weight to itself.
  direction.errorAtBos = errorAtBos(value);
  direction.error = std::max(reading.error, direction.errorAtBos);
  double magnitude =
      std::max(std::fabs(direction.low), std::fabs(direction.high));
  if (averages)
    direction.error += pattern.weightError * (reading.high - reading.low) +
                       static_cast<double>(sets.domain().maxSeqLen + 3) *
                           options.unitRoundoff * magnitude;
  else if (reading.error == 0)
    // A value moves unchanged, and so does the default; 0 is on every grid.
    direction.grid = reading.magnitude() == 0 ? gridOf(empty)
                     : empty == 0             ? reading.grid
                                  : std::min(reading.grid, gridOf(empty));
  checkRange(direction);
  DirId target = newDirection(std::move(direction));
  head.outputs.push_back({std::move(value), target, {}, {}, averages});
  return target;
}

DirId Lowering::moveShareOfBos(Pattern &pattern, const Naming &naming,
                               double low, double high, unsigned part) {
  Naming share = naming;
  share.label = "1/(w+1)" + naming.label;
  double most = 1 / (low + 1), least = 1 / (high + 1);
  DirId dir =
      moveValue(pattern, View::of(Circuit::bos), 1, share, least, most, true);
  // The share of BOS is one quotient: its error is relative.
  circuit[dir].error = most * (pattern.weightError + 4 * options.unitRoundoff);
  circuit[dir].source = naming.node;
  circuit[dir].part = part;
  for (double width = low; width <= high; ++width)
    circuit[dir].byValue.push_back(1 / (width + 1));
  return dir;
}

DirId Lowering::moveFunction(const Node *aggregate,
                             llvm::ArrayRef<double> byValue,
                             const Naming &naming) {
  // Several equal numbers may be selected, but never several strings or bools.
  bool averages =
      !sets.selectors().facts(aggregate->operand(0)).atMostOneKey &&
      llvm::any_of(sets.of(aggregate->operand(1)).values,
                   [](const ir::Value &v) { return v.isInt() || v.isFloat(); });
  Pattern &pattern =
      patternOf(aggregate->operand(0), BosMode::Default, averages);
  if (failed)
    return Circuit::bos;
  llvm::ArrayRef<ir::Value> own = sets.of(aggregate).values;
  auto at = [&](const ir::Value &value) {
    auto it = llvm::lower_bound(own, value);
    return it != own.end() && *it == value
               ? byValue[static_cast<size_t>(it - own.begin())]
               : 0;
  };
  auto occurs = [&](const ir::Value &value) {
    return std::binary_search(own.begin(), own.end(), value);
  };
  std::vector<double> ofInput;
  for (const ir::Value &value : sets.of(aggregate->operand(1)).values) {
    // The mean of several equal ints is a float. A head cannot tell it from one
    // of them, so no reader may either.
    ir::Value mean =
        value.isNumeric() ? ir::Value::real(value.toDouble()) : value;
    bool isMean = averages && occurs(mean);
    ofInput.push_back(isMean ? at(mean) : at(value));
    if (isMean && occurs(value) && at(mean) != at(value)) {
      refuse(aggregate, ir::diag::EqualNumbers, spaceName(aggregate),
             value.str(), mean.str(), "what reads it");
      return Circuit::bos;
    }
  }
  View value = functionOf(aggregate->operand(1), ofInput, naming.label);
  if (failed)
    return Circuit::bos;
  double low = *llvm::min_element(byValue), high = *llvm::max_element(byValue);
  DirId dir = moveValue(pattern, value, at(aggregate->value()), naming, low,
                        high, averages);
  circuit[dir].source = aggregate;
  circuit[dir].byValue = byValue.vec();
  setIntended(dir, aggregate->operand(1), ofInput);
  return dir;
}

void Lowering::setIntended(DirId target, const Node *value,
                           llvm::ArrayRef<double> byInput) {
  for (Head &head : llvm::reverse(circuit.heads))
    for (HeadOutput &output : head.outputs)
      if (output.target == target) {
        output.joint = jointOf(value);
        const ir::NodeValues &values = sets.of(value);
        if (isByValue(*output.joint, value)) {
          output.intended = byInput.vec();
          return;
        }
        for (int32_t entry : values.table.entries)
          output.intended.push_back(entry == ir::JointTable::impossible
                                        ? anyNumber
                                        : byInput[static_cast<size_t>(entry)]);
        return;
      }
}
