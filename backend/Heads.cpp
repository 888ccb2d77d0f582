//===- backend/Heads.cpp - what heads move --------------------------------===//
//
// A head's softmax must be uniform over the selected keys and zero elsewhere.
// Selected keys score the same, all others at least 1 less, and a logit is
// `step` times the score. In float32 exp(-104) and below is 0, so a step that
// keeps the distance above 104 after all errors makes attention hard, exactly.
//
// Scores that differ by up to 2d among selected keys give weights that differ
// by the factor exp(2d step), so a smaller step brings them together, while the
// others get a share of up to n exp(-step). A head that reads codes with
// errors takes the step for which both together are least, if its readers
// stand that.
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
#include "llvm/Support/SaveAndRestore.h"
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

/// The tolerance of those that read a number of keys is of the order of its
/// inverse.
static double fineWeights(double keys) { return 0.05 / (keys + 1); }

Lowering::Pattern &Lowering::patternOf(const Node *selector, BosMode mode,
                                       double tolerance) {
  if (options.exactTies && tolerance < unequalWeights)
    tolerance = 0;
  if (sets.selectors().facts(selector).atMostOneKey && mode == BosMode::Default)
    tolerance = unequalWeights;
  auto lookUp = [&](Ties ties) -> Pattern & {
    auto [it, isNew] = patterns.try_emplace({selector, mode, ties});
    if (isNew)
      it->second = makePattern(selector, mode, ties);
    return it->second;
  };
  auto serves = [&](const Pattern &pattern) {
    return failed || tolerance == unequalWeights ||
           (pattern.tooNoisy == 0 &&
            pattern.weightError + pattern.leak <= tolerance);
  };
  // The same head serves all, if its weights are equal enough anyway.
  Pattern *pattern = &lookUp(Ties::None);
  const Pattern *uneven = pattern;
  if (!serves(*pattern) && tolerance > 0)
    uneven = pattern = &lookUp(Ties::Near);
  if (!serves(*pattern))
    pattern = &lookUp(Ties::Exact);
  if (options.remarks && uneven->weightError > 0 &&
      tolerance != unequalWeights && !failed)
    pattern->told.push_back(ir::makeRemark(
        selector, pattern == uneven ? ir::diag::NearTies : ir::diag::ExactTies,
        uneven->tieError, uneven->weightError + uneven->leak, tolerance));
  nearTies |= pattern->weightError > 0 && tolerance != unequalWeights;
  makeWhole(pattern->steps);
  checkNoise(*pattern);
  return *pattern;
}

void Lowering::checkNoise(const Pattern &pattern) {
  if (pattern.tooNoisy == 0 || failed)
    return;
  refuse(pattern.selector, ir::diag::SelectorTooNoisy, pattern.tooNoisy,
         pattern.tolerance, pattern.sensitive);
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
                                        Ties ties) {
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
  if (llvm::StringRef notes = scores.remarks;
      options.remarks && notes.consume_back(": "))
    scores.told.push_back(
        ir::makeRemark(selector, ir::diag::SelectorSimplified, notes.str()));
  return makePattern(*formula, std::move(scores), selector,
                     sets.selectors().facts(selector), mode, ties);
}

Lowering::Pattern Lowering::makePattern(const Formula &formula, Scores scores,
                                        const Node *selector,
                                        const ir::SelectorFacts &facts,
                                        BosMode mode, Ties ties) {
  Pattern pattern;
  llvm::SaveAndRestore ofThis(scored, selector);
  if (!buildScores(formula, selector, facts, mode, ties, scores)) {
    failed = true;
    return pattern;
  }
  pattern.selector = selector;
  pattern.name = names.of(selector).str();
  pattern.construction = scores.remarks + scores.construction;
  pattern.scores = std::move(scores.terms);
  pattern.steps = std::move(scores.steps);
  pattern.told = std::move(scores.told);
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
  pattern.time = timeOfTerms(pattern.scores);

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
  pattern.selected = scores.selected;
  pattern.scoreError = scores.error;
  if (scores.tieError > 0)
    scores.tieError += 1.02 * static_cast<double>(pattern.scores.size() + 3) *
                       options.unitRoundoff * scores.magnitude;
  pattern.tieError = scores.tieError;
  double noise =
      std::max(2 * scores.error, noiseOfBos(pattern.scores, &ScoreTerm::query));
  sharpen(pattern, gap, noise, ties);
  if (facts.atMostOneKey && mode == BosMode::Default)
    pattern.weightError = 0;
  return pattern;
}

double Lowering::geometricTolerance(bool single) const {
  // Where one key is selected, the step only has to stay what it is.
  if (single)
    return 0x1p-6;
  // Two such conjuncts shall not make weights more uneven than is fine.
  double step = hardDistance(options.unitRoundoff) * 2.5;
  double keys = sets.domain().maxSeqLen + 1;
  return fineWeights(keys) / (4.4 * step);
}

void Lowering::sharpen(Pattern &pattern, double gap, double noise,
                       Ties ties) const {
  double distance = gap - noise, needed = hardDistance(options.unitRoundoff);
  double keys = sets.domain().maxSeqLen + 1;
  // Logits are divided by the root of d_head, which the factor that makes up
  // for it may exceed.
  double stretch = 1 + 1 / std::sqrt(static_cast<double>(
                               std::max<size_t>(1, pattern.scores.size())));
  auto unevenness = [&](double step) {
    return pattern.tieError == 0
               ? 0
               : std::expm1(2 * pattern.tieError * step * stretch) +
                     4 * options.unitRoundoff;
  };
  if (ties == Ties::Near && pattern.tieError > 0)
    pattern.step /= 2;
  while (distance * pattern.step < needed && pattern.step < 0x1p14)
    pattern.step *= 2;
  double fine = fineWeights(keys);
  if (ties == Ties::Near && unevenness(pattern.step) > fine) {
    // Rounding counts for the others as well.
    double apart = distance - 2 * pattern.tieError -
                   8 * options.unitRoundoff * (1 + std::fabs(pattern.selected));
    auto leakAt = [&](double step) { return keys * std::exp(-apart * step); };
    double best = pattern.step;
    for (double step = pattern.step; step >= 1; step /= 2)
      if (unevenness(step) + (step == pattern.step ? 0 : leakAt(step)) <
          unevenness(best) + (best == pattern.step ? 0 : leakAt(best)))
        best = step;
    if (best < pattern.step) {
      pattern.step = best;
      pattern.leak = leakAt(best);
      needed = std::log(keys / fine);
      // What BOS attends to must not change.
      pattern.scores.back().query += View::of(
          Circuit::bos, std::ceil(hardDistance(options.unitRoundoff) / best));
    }
  }
  pattern.scoreTolerance = (gap - needed / pattern.step) / 2;
  pattern.weightError = unevenness(pattern.step);
  if (options.remarks && pattern.leak > 0)
    pattern.told.push_back(ir::makeRemark(pattern.selector,
                                          ir::diag::SofterStep, pattern.step,
                                          pattern.leak, pattern.weightError));
  constexpr double worstWeight = 0.1;
  if (distance * pattern.step < needed) {
    pattern.tooNoisy = pattern.scoreError;
    pattern.tolerance = pattern.scoreTolerance;
    pattern.sensitive = "telling selected keys from others";
  } else if (ties == Ties::Exact && pattern.weightError > worstWeight) {
    pattern.tooNoisy = pattern.tieError;
    pattern.tolerance = std::log1p(worstWeight) / 2 / pattern.step / stretch;
    pattern.sensitive = "giving selected keys equal weights";
  }
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
    head.leak = pattern.leak;
    head.keyJoints = pattern.keyJoints;
    head.queryJoints = pattern.queryJoints;
    head.step = pattern.step;
    head.layer = time / 2;
    head.construction = pattern.construction;
    head.remarks = pattern.told;
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
  if (pattern.leak > 0)
    direction.error += pattern.leak * (std::max(reading.high, empty) -
                                       std::min(reading.low, empty));
  if (averages)
    direction.error += pattern.weightError * (reading.high - reading.low) +
                       static_cast<double>(sets.domain().maxSeqLen + 3) *
                           options.unitRoundoff * magnitude;
  else if (reading.error == 0 && pattern.leak == 0)
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
  circuit[dir].error =
      most * (pattern.weightError + pattern.leak + 4 * options.unitRoundoff);
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
  Pattern &pattern = patternOf(aggregate->operand(0), BosMode::Default,
                               averages ? 0 : unequalWeights);
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
