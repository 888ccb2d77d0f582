//===- backend/Functions.cpp - functions of one source --------------------===//
//
// A function of a source is looked for among the directions that the source
// already has: the same function, an affine function of it, a sum over its
// one-hot directions. Only then does it get a direction of its own.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

/// `f = scale * g + offset` where all of f is known; none if it is not so.
static std::optional<std::pair<double, double>>
affineIn(llvm::ArrayRef<double> f, llvm::ArrayRef<double> g) {
  std::optional<size_t> first, second;
  for (size_t i = 0; i < f.size(); ++i) {
    if (std::isnan(f[i]))
      continue;
    if (!first)
      first = i;
    else if (g[i] != g[*first]) {
      second = i;
      break;
    } else if (f[i] != f[*first]) {
      return std::nullopt;
    }
  }
  if (!first || !second)
    return std::nullopt;
  double scale = (f[*second] - f[*first]) / (g[*second] - g[*first]);
  double offset = f[*first] - scale * g[*first];
  if (std::fabs(offset) < 1e-12 * std::fabs(f[*first]))
    offset = 0;
  for (size_t i = 0; i < f.size(); ++i)
    if (!std::isnan(f[i]) &&
        std::fabs(scale * g[i] + offset - f[i]) >
            4e-16 * (std::fabs(scale * g[i]) + std::fabs(offset)))
      return std::nullopt;
  return std::pair(scale, offset);
}

/// Any number will do where f is NaN: repeats the value before.
static void fillUnknown(std::vector<double> &f) {
  auto known = llvm::find_if(f, [](double d) { return !std::isnan(d); });
  double last = known == f.end() ? 0 : *known;
  for (double &d : f) {
    if (std::isnan(d))
      d = last;
    last = d;
  }
}

bool Lowering::moves(const Node *aggregate) {
  const ir::NodeValues &inputs = sets.of(aggregate->operand(1));
  if (!inputs.known)
    return false;
  if (sets.selectors().facts(aggregate->operand(0)).atMostOneKey)
    return true;
  // Several strings or bools cannot be averaged, and several equal numbers
  // need not be.
  std::optional<double> number;
  bool numbersDiffer = false, averaged = false;
  for (const ir::Value &value : inputs.values) {
    if (value.isString())
      continue;
    averaged |= !value.isBool();
    numbersDiffer |= number && *number != value.toDouble();
    number = value.toDouble();
  }
  return !averaged || (!inputs.numeric && !numbersDiffer);
}

Lowering::SourceState &Lowering::stateOf(Source source) {
  unsigned id = source ? source->id() + 1 : 0;
  auto [it, isNew] = states.try_emplace(id);
  SourceState &state = it->second;
  if (!isNew)
    return state;
  state.node = source;
  state.values = sets.valuesOf(source);
  state.numeric = llvm::all_of(
      state.values, [](const ir::Value &value) { return value.isNumeric(); });
  for (const ir::Value &value : state.values)
    state.numbers.push_back(value.isNumeric() ? value.toDouble() : anyNumber);
  if (!source) {
    state.access = Access::Token;
  } else if (source->kind() == OpKind::Indices) {
    state.access = Access::Position;
  } else if (source->kind() == OpKind::Width) {
    state.access = Access::Width;
    state.counts = countsOf(source);
  } else if (source->kind() == OpKind::Aggregate) {
    state.access = moves(source) ? Access::Moved : Access::Mean;
  } else {
    state.access = Access::Derived;
  }
  // What is kept is read through its own directions alone.
  if (source && sets.isKept(source) && ir::isElementwise(source->kind()))
    state.access = Access::Derived;
  return state;
}

bool Lowering::isRaw(Source source) {
  const SourceState &state = stateOf(source);
  // Two points are always on a line: a mean of two values is as good as moved.
  return state.access == Access::Width ||
         (state.access == Access::Mean && state.values.size() > 2);
}

bool Lowering::isShare(Source source) {
  const SourceState &state = stateOf(source);
  return state.access == Access::Width && state.counts.empty();
}

View Lowering::rawView(SourceState &state) {
  if (state.raw)
    return *state.raw;
  const Node *node = state.node;
  const Node *selector = node->operand(0);
  Naming naming{node, ""};
  if (!state.counts.empty()) {
    View sum;
    for (const Count &count : state.counts)
      sum += viewOfCount(count.formula, node) * count.sign;
    state.raw = sum;
    circuit.forms.push_back({node, sum, state.numbers});
    if (options.remarks)
      remark(sum, node, ir::diag::WidthByCounts,
             ir::counted(state.counts.size(), "head"));
  } else if (state.access == Access::Width) {
    Pattern &pattern =
        patternOf(selector, BosMode::Counted, weightTolerance(state));
    if (failed)
      return View();
    state.raw = View::of(moveShareOfBos(pattern, naming, sets.of(node).low,
                                        sets.of(node).high, /*part=*/0));
  } else {
    Pattern &pattern =
        patternOf(selector, BosMode::Default, weightTolerance(state));
    View value = scalarOf(node->operand(1));
    if (failed)
      return View();
    const ir::NodeValues &values = sets.of(node);
    const ir::NodeValues &inputs = sets.of(node->operand(1));
    if (inputs.known && !inputs.numeric) {
      refuse(node, ir::diag::MixedMean, spaceName(node));
      return View();
    }
    bool averages = !sets.selectors().facts(selector).atMostOneKey;
    // Where only some means occur, what is averaged may be larger.
    DirId mean = moveValue(pattern, value, emptyMean(node), naming,
                           std::min(values.low, inputs.low),
                           std::max(values.high, inputs.high), averages);
    state.raw = View::of(mean);
    circuit[mean].source = node;
    circuit[mean].isMean = true;
    std::vector<double> numbers;
    for (const ir::Value &input : inputs.values)
      numbers.push_back(input.toDouble());
    setIntended(mean, node->operand(1), numbers);
    if (!state.values.empty()) {
      addFunction(state, rawCoordinates(state), mean);
      circuit[mean].byValue = rawCoordinates(state);
    }
  }
  return *state.raw;
}

double Lowering::weightTolerance(const SourceState &state) const {
  if (state.values.empty())
    return 0;
  // A step between two values stands an error of a quarter of their distance,
  // roundings taken off; others read numbers as they come.
  if (state.access == Access::Width)
    return 0.2 / (sets.of(state.node).high + 2);
  const ir::NodeValues &inputs = sets.of(state.node->operand(1));
  std::vector<double> numbers;
  for (double number : state.numbers)
    if (!std::isnan(number))
      numbers.push_back(number);
  llvm::sort(numbers);
  double gap = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i + 1 < numbers.size(); ++i)
    if (numbers[i] < numbers[i + 1])
      gap = std::min(gap, numbers[i + 1] - numbers[i]);
  double spread = inputs.high - inputs.low;
  return std::isfinite(gap) && spread > 0 ? gap / spread / 8 : 0;
}

Axis Lowering::rawAxis(SourceState &state) {
  View coordinate = rawView(state);
  Axis axis = axisOf(coordinate);
  // The error of a share is relative, and bounded for the least width.
  if (state.access == Access::Width && state.counts.empty()) {
    axis.relativeError = axis.error * (state.numbers.front() + 1);
    axis.error = 0;
  }
  return axis;
}

std::vector<double> Lowering::rawCoordinates(const SourceState &state) {
  std::vector<double> coordinates = state.numbers;
  for (double &number : coordinates)
    if (state.access == Access::Width)
      number = state.counts.empty() ? 1 / (number + 1) : number;
    else if (std::isnan(number))
      number = emptyMean(state.node);
  return coordinates;
}

double Lowering::emptyMean(const Node *aggregate) {
  if (aggregate->value().isNumeric())
    return aggregate->value().toDouble();
  // A string: the number that stands for it is no mean.
  const ir::NodeValues &values = sets.of(aggregate->operand(1));
  return std::floor(values.low - std::max(1.0, values.high - values.low));
}

/// Functions that differ by an affine map have the same form, which is 0 at the
/// first value and 1 at the first that differs from it.
static std::vector<double> affineForm(std::vector<double> f) {
  double first = f[0];
  auto other = llvm::find_if(f, [&](double d) { return d != first; });
  double scale = other == f.end() ? 1 : *other - first;
  for (double &d : f)
    d = (d - first) / scale;
  return f;
}

void Lowering::addFunction(SourceState &state, std::vector<double> function,
                           DirId dir) {
  state.byForm.try_emplace(affineForm(function), state.functions.size());
  state.functions.emplace_back(std::move(function), dir);
}

std::optional<View> Lowering::findFunction(const SourceState &state,
                                           llvm::ArrayRef<double> known) {
  auto viewOf = [&](size_t index) -> std::optional<View> {
    auto &[function, dir] = state.functions[index];
    auto affine = affineIn(known, function);
    if (!affine)
      return std::nullopt;
    View view = View::of(dir, affine->first);
    view.constant = affine->second;
    return view;
  };
  if (llvm::none_of(known, [](double d) { return std::isnan(d); })) {
    auto found = state.byForm.find(affineForm(known.vec()));
    return found == state.byForm.end() ? std::nullopt : viewOf(found->second);
  }
  // With values that do not matter, the first functions are tried.
  constexpr size_t maxTries = 64;
  for (size_t i = 0; i < std::min(maxTries, state.functions.size()); ++i)
    if (std::optional<View> view = viewOf(i))
      return view;
  return std::nullopt;
}

/// The label of a function of a variable in the variable's own directions: the
/// value that it tells from the others, or else what its reader says. Without a
/// label it is the variable itself.
static std::string labelOf(llvm::ArrayRef<ir::Value> values,
                           llvm::ArrayRef<double> byValue,
                           const std::string &otherwise) {
  if (otherwise.empty() || llvm::count(byValue, 1.0) != 1 ||
      llvm::count(byValue, 0.0) + 1 != static_cast<long>(byValue.size()))
    return otherwise;
  return values[llvm::find(byValue, 1.0) - byValue.begin()].display();
}

View Lowering::functionOfSource(Source source, std::vector<double> byValue,
                                const Naming &naming) {
  SourceState &state = stateOf(source);
  if (state.access == Access::Mean)
    rawView(state);
  if (failed)
    return View();
  FunctionTable table = {
      {source}, {static_cast<uint32_t>(byValue.size())}, std::move(byValue)};
  shareEqualNumbers(table, 0, state.numbers);
  byValue = std::move(table.entries);
  std::vector<double> known = byValue;
  fillUnknown(byValue);
  if (llvm::all_equal(byValue))
    return View::ofConstant(byValue.empty() ? 0 : byValue[0]);
  if (std::optional<View> view = findFunction(state, known))
    return *view;
  // Equal numbers share a one-hot direction.
  bool isSum = !state.oneHot.empty();
  for (size_t i = 1; i < state.oneHot.size(); ++i)
    isSum &=
        state.oneHot[i] != state.oneHot[i - 1] || byValue[i] == byValue[i - 1];
  if (isSum) {
    View view;
    // Fewer terms: count from the more common value of a 0/1 function.
    double base = 0;
    if (llvm::count(byValue, 1.0) * 2 > static_cast<long>(byValue.size()) &&
        llvm::all_of(byValue, [](double d) { return d == 0 || d == 1; }))
      base = 1;
    view.constant = base;
    for (size_t i = 0; i < byValue.size(); ++i)
      if (byValue[i] != base &&
          (i == 0 || state.oneHot[i] != state.oneHot[i - 1]))
        view.terms.push_back({state.oneHot[i], byValue[i] - base});
    llvm::sort(view.terms,
               [](const Term &a, const Term &b) { return a.dir < b.dir; });
    return view;
  }

  switch (state.access) {
  case Access::Token:
  case Access::Position: {
    Direction direction;
    direction.writer = state.access == Access::Token ? WriterKind::TokenEmbed
                                                     : WriterKind::PosEmbed;
    direction.node = naming.node;
    // Affine functions of the position share the position itself.
    bool isNumber = state.numeric && affineIn(known, state.numbers).has_value();
    direction.table = isNumber ? state.numbers : byValue;
    direction.space = naming.node && !isNumber
                          ? spaceName(naming.node)
                          : (source ? spaceName(source) : "tokens");
    direction.label =
        isNumber ? ""
        : direction.space == spaceName(source)
            ? labelOf(sets.valuesOf(source), byValue, naming.label)
            : naming.label;
    direction.low = *llvm::min_element(direction.table);
    direction.high = *llvm::max_element(direction.table);
    direction.grid = gridOf(direction.table);
    for (double entry : direction.table)
      if (std::fabs(entry) > gridOf(entry) * 0.5 / options.unitRoundoff)
        direction.error =
            std::max(direction.error, std::fabs(entry) * options.unitRoundoff);
    checkRange(direction);
    std::vector<double> function = direction.table;
    DirId dir = newDirection(std::move(direction));
    addFunction(state, function, dir);
    auto affine = affineIn(known, function);
    View view = View::of(dir, affine->first);
    view.constant = affine->second;
    return view;
  }
  case Access::Moved: {
    Naming own = naming;
    if (naming.node == state.node)
      own.label = labelOf(sets.valuesOf(state.node), byValue, naming.label);
    DirId dir = moveFunction(state.node, byValue, own);
    if (failed)
      return View();
    addFunction(state, byValue, dir);
    return View::of(dir);
  }
  case Access::Mean:
  case Access::Width:
    return profileOfSource(state, byValue, naming);
  case Access::Derived: {
    std::string label =
        labelOf(sets.valuesOf(state.node), byValue, naming.label);
    View view = derivedFunction(state.node, byValue, label);
    if (failed)
      return View();
    bool ownsIt = view.terms.size() == 1 && view.terms[0].weight == 1 &&
                  circuit[view.terms[0].dir].node == state.node;
    if (sets.isKept(state.node) && !ownsIt) {
      Naming copied = naming;
      copied.joint = jointOfView(view, state.node);
      view = copyView(view, copied, *llvm::min_element(byValue),
                      *llvm::max_element(byValue));
      remark(view, state.node, ir::diag::OwnDirections);
    }
    // A function that is one direction can serve for others.
    if (view.terms.size() == 1 && view.terms[0].weight == 1 &&
        view.constant == 0)
      addFunction(state, byValue, view.terms[0].dir);
    if (!view.isConstant())
      circuit.forms.push_back({state.node, view, byValue});
    return view;
  }
  }
  llvm_unreachable("every access returns");
}

View Lowering::profileOfSource(SourceState &state,
                               llvm::ArrayRef<double> byValue,
                               const Naming &naming) {
  View coordinate = rawView(state);
  if (failed)
    return View();
  double low = *llvm::min_element(byValue), high = *llvm::max_element(byValue);
  std::optional<Profile> profile;
  double error = read(coordinate).error;
  Axis scalar = rawAxis(state);
  if (state.access == Access::Width && state.counts.empty()) {
    profile =
        makeWidthProfile(byValue, static_cast<unsigned>(state.numbers.front()),
                         scalar.relativeError, options.unitRoundoff);
    std::vector<ProfilePoint> points;
    for (size_t i = byValue.size(); i-- > 0;)
      points.push_back({1 / (state.numbers[i] + 1), byValue[i]});
    // The weights of a head without near ties are wrong by roundings alone.
    bool nearTies = scalar.relativeError > 16 * options.unitRoundoff;
    std::optional<Profile> steps = makeProfile(points, scalar, !nearTies);
    // A threshold that is exactly 0 below is worth more than shared units, and
    // so is what hands no error on.
    if (steps && ((steps->exactZero && low == 0 && high == 1) ||
                  (nearTies && steps->error < profile->error)))
      profile = steps;
  } else {
    std::vector<double> axis = rawCoordinates(state);
    std::vector<ProfilePoint> all, points;
    for (size_t i = 0; i < byValue.size(); ++i)
      all.push_back({axis[i], byValue[i]});
    llvm::stable_sort(all, [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x < b.x;
    });
    // Values that are equal as numbers are one point.
    std::optional<double> unequal;
    for (const ProfilePoint &point : all) {
      if (points.empty() || points.back().x != point.x)
        points.push_back(point);
      else if (points.back().y != point.y)
        unequal = point.x;
    }
    if (unequal) {
      refuseEqualNumbers(state, *unequal, naming.node);
      return View();
    }
    profile = makeProfile(points, scalar, true);
  }
  Naming ofSource = naming;
  ofSource.joint = jointOfSource(state.node);
  View view = emitProfile(coordinate, *profile, ofSource, low, high,
                          state.access == Access::Width ? "a width" : "a mean");
  if (!profile->units.empty() && profile->error > 0.1 * (high - low))
    noteCloseValues(view.terms.back().dir, state.node, rawCoordinates(state),
                    byValue, error);
  if (view.terms.size() == 1 && view.terms[0].weight == 1) {
    std::vector<double> function(byValue.begin(), byValue.end());
    for (double &d : function)
      d -= view.constant;
    addFunction(state, function, view.terms[0].dir);
  }
  return view;
}

void Lowering::refuseEqualNumbers(const SourceState &state, double number,
                                  const Node *reader) {
  std::vector<std::string> spellings;
  for (const ir::Value &value : state.values)
    if (value.isNumeric() && value.toDouble() == number)
      spellings.push_back(value.str());
  if (spellings.size() < 2) // the number that stands for a default string
    refuse(state.node, ir::diag::MixedMean, spaceName(state.node));
  else
    refuse(state.node, ir::diag::EqualNumbers, spaceName(state.node),
           spellings[0], spellings[1], "`" + spaceName(reader) + "`");
}

void Lowering::makeOneHot(Source source, llvm::StringRef reader,
                          size_t classes) {
  if (!stateOf(source).oneHot.empty())
    return;
  std::vector<DirId> directions;
  size_t count = stateOf(source).values.size();
  for (size_t i = 0; i < count; ++i) {
    llvm::ArrayRef<double> numbers = stateOf(source).numbers;
    if (i > 0 && numbers[i] == numbers[i - 1]) {
      directions.push_back(directions.back());
      continue;
    }
    std::vector<double> indicator(count, 0);
    for (size_t k = i; k < count && (k == i || numbers[k] == numbers[i]); ++k)
      indicator[k] = 1;
    View view = functionOfSource(
        source, indicator, Naming{source, stateOf(source).values[i].display()});
    if (failed)
      return;
    // A value that another direction shows already is read through it.
    if (view.terms.size() != 1 || view.terms[0].weight != 1 ||
        view.constant != 0)
      return;
    directions.push_back(view.terms[0].dir);
  }
  if (options.remarks) {
    View all;
    for (DirId dir : directions)
      all += View::of(dir);
    remark(all, source, ir::diag::OneHot, count, reader, classes);
  }
  stateOf(source).oneHot = std::move(directions);
}
