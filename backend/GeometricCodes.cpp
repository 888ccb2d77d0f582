//===- backend/GeometricCodes.cpp - orders in few ranks -------------------===//
//
// A table of `key < query` over n values has a rank per value, and so has one
// of `key == query`. Softmax needs less: selected pairs may score a little
// differently, and others may score as low as they like. Of an order
//
//   score = - sum over r of F_r(key) * G_r(query)
//
// where key levels and query levels are numbered so that a pair is rejected if
// the key's level is at least the query's. F_r grows with the level by a factor
// B from one to the next, G_r falls by B, so the product is about B to the
// difference of levels: 1 or more where the pair is rejected, and at most about
// 1/B, which is next to nothing, where it is selected. What a number format
// holds limits the levels of a rank to about 100 / log2 B, where F_r is exactly
// 0 below the rank's levels and G_r exactly 0 above. An equality is two orders,
// one either way.
//
// Of what an embedding or a head holds without errors the codes are powers of
// two, so products are exact. A number with errors has one hidden unit for each
// level, which is exactly 0 on one side of a gap between two values and at
// least 1 on the other. It goes on to grow behind that, and its errors grow
// with it, but beside the next unit's weight neither matters: errors of
// products are relative, and products of selected pairs are small.
//
// Costs per rank a direction for the keys and one for the queries, in place of
// one for each level; the hidden units are half as many as those of step codes,
// which compare without the two orders. How far scores of selected pairs are
// apart follows from B, and is part of the head's `tieError`.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::CompareOp;
using ir::Node;

/// Below so many levels a table is as good; more take long to go through.
static constexpr unsigned fewLevels = 4, manyLevels = 512;
/// log2 of the largest product. It still has to be multiplied with the step and
/// with the root of d_head.
static constexpr int largestProduct = 105;

int Lowering::GeometricPlan::weightOf(unsigned level, unsigned rank,
                                      bool isKey) const {
  int span = base * static_cast<int>(block + 1), middle = span / 2;
  int own = base * static_cast<int>(level + missing - rank * block) - middle;
  return isKey ? own : span - 2 * middle - own;
}

static std::vector<double> numbersOf(const ir::NodeValues &values) {
  std::vector<double> numbers;
  for (const ir::Value &value : values.values)
    numbers.push_back(value.toDouble());
  return numbers;
}

std::optional<std::pair<Lowering::GeometricSide, Lowering::GeometricSide>>
Lowering::geometricSides(const Node *key, const Node *query, CompareOp op) {
  std::vector<double> keys = numbersOf(sets.of(key));
  std::vector<double> queries = numbersOf(sets.of(query));
  if (op == CompareOp::Gt || op == CompareOp::Ge)
    for (std::vector<double> *numbers : {&keys, &queries})
      for (double &number : *numbers)
        number = -number;
  bool strict = op == CompareOp::Lt || op == CompareOp::Gt;
  // The least key that a query rejects decides its level.
  std::vector<double> sorted = keys;
  llvm::sort(sorted);
  auto rejectedFrom = [&](double query) {
    return strict ? llvm::lower_bound(sorted, query)
                  : llvm::upper_bound(sorted, query);
  };
  std::vector<double> bounds;
  for (double query : queries)
    if (auto least = rejectedFrom(query); least != sorted.end())
      bounds.push_back(*least);
  llvm::sort(bounds);
  bounds.erase(llvm::unique(bounds), bounds.end());
  auto count = static_cast<unsigned>(bounds.size());
  if (count < fewLevels || count > manyLevels)
    return std::nullopt;
  GeometricSide ofKeys, ofQueries;
  ofKeys.sop = key;
  ofQueries.sop = query;
  ofQueries.isKey = false;
  ofKeys.count = ofQueries.count = count;
  for (double number : keys)
    ofKeys.levels.push_back(static_cast<unsigned>(
        llvm::upper_bound(bounds, number) - bounds.begin()));
  for (double number : queries) {
    auto least = rejectedFrom(number);
    ofQueries.levels.push_back(
        least == sorted.end()
            ? count + 1
            : static_cast<unsigned>(llvm::lower_bound(bounds, *least) -
                                    bounds.begin()) +
                  1);
  }
  if (!findUnits(ofKeys) || !findUnits(ofQueries))
    return std::nullopt;
  return std::pair(std::move(ofKeys), std::move(ofQueries));
}

bool Lowering::findUnits(GeometricSide &side) {
  const ir::NodeValues &values = sets.of(side.sop);
  if (!isInexact(side.sop))
    return values.table.sources.size() == 1;
  StepCode &code = stepCodeOf(side.sop);
  if (failed || !code.values)
    return false;
  side.values = &*code.values;
  std::vector<unsigned> levels;
  for (auto [x, value] : code.values->points)
    levels.push_back(side.levels[value]);
  bool ascends = llvm::is_sorted(levels);
  if (!ascends && !llvm::is_sorted(llvm::reverse(levels)))
    return false;
  for (unsigned level = 1; level <= side.count; ++level) {
    auto isOn = [&](unsigned own) {
      return side.isKey ? own >= level : own <= level;
    };
    size_t on = llvm::count_if(levels, isOn);
    if (on == levels.size()) {
      side.steps.emplace_back();
      continue;
    }
    bool rises = isOn(levels.back());
    size_t at = rises ? levels.size() - on : on;
    if (on == 0 || code.xs[at - 1] == code.xs[at])
      return false;
    std::optional<Step> step = makeStep(code.xs, at, rises, code.values->axis);
    if (!step)
      return false;
    side.steps.push_back(step);
  }
  return true;
}

namespace {
/// What one unit holds at a point: bounds on what is computed.
struct UnitValue {
  double exact, error;
};
} // namespace

static UnitValue valueAt(const ProfileUnit &unit, double x, const Axis &axis) {
  double slope = std::fabs(unit.slope), input = unit.slope * x + unit.offset;
  double error =
      slope * axis.errorAt(x) +
      1.01 * (axis.terms + 2) * axis.unitRoundoff *
          (slope * (axis.sizeAt(x) + axis.errorAt(x)) + std::fabs(unit.offset));
  return {std::max(0.0, input), input + error <= 0 ? 0 : error};
}

Lowering::GeometricBounds Lowering::boundsOf(const GeometricSide &side,
                                             const GeometricPlan &plan) const {
  GeometricBounds bounds(plan.ranks(),
                         std::vector<std::pair<double, double>>(
                             side.count + 2, {HUGE_VAL, -HUGE_VAL}));
  for (unsigned r = 0; r < plan.ranks(); ++r) {
    unsigned first = plan.first(r), last = plan.last(r);
    auto include = [&](unsigned level, double low, double high) {
      auto &[least, most] = bounds[r][level];
      least = std::min(least, low);
      most = std::max(most, high);
    };
    if (!side.values) {
      for (unsigned level : side.levels) {
        bool isOn = side.isKey ? level > first : level <= last;
        unsigned nearest =
            side.isKey ? std::min(level, last) : std::max(level, first + 1);
        double weight =
            isOn ? std::exp2(plan.weightOf(nearest, r, side.isKey)) : 0;
        include(level, weight, weight);
      }
      continue;
    }
    double rounding = (last - first + 4) * options.unitRoundoff;
    for (auto [x, value] : side.values->points) {
      double low = 0, high = 0;
      for (unsigned level = first + 1; level <= last; ++level) {
        double weight = std::exp2(plan.weightOf(level, r, side.isKey));
        UnitValue unit{1, 0};
        if (const std::optional<Step> &step = side.steps[level - 1])
          unit = valueAt(step->first, x, side.values->axis);
        low += weight * std::max(0.0, unit.exact - unit.error);
        high += weight * (unit.exact + unit.error);
      }
      include(side.levels[value], low * (1 - rounding), high * (1 + rounding));
    }
  }
  return bounds;
}

std::optional<Lowering::GeometricPlan>
Lowering::planOf(const GeometricSide &key, const GeometricSide &query,
                 double tolerance, bool mirrored) const {
  int least = static_cast<int>(std::ceil(-std::log2(tolerance)));
  for (int base = std::max(1, least); base <= least + 16; ++base) {
    unsigned most = 1 + static_cast<unsigned>(largestProduct / base);
    for (unsigned block = std::min(most, key.count); block > 1; --block) {
      GeometricPlan plan;
      plan.levels = key.count;
      plan.base = base;
      unsigned ranks = (plan.levels + block - 1) / block;
      plan.block = (plan.levels + ranks - 1) / ranks;
      // What rises in one order falls in the other.
      ranks = (plan.levels + plan.block - 1) / plan.block;
      plan.missing = mirrored ? ranks * plan.block - plan.levels : 0;
      GeometricBounds ofKey = boundsOf(key, plan);
      GeometricBounds ofQuery = boundsOf(query, plan);
      double rejected = HUGE_VAL, selected = 0, largest = 0;
      bool isZero = true;
      for (unsigned r = 0; r < ranks; ++r) {
        double mostOfKey = 0, mostOfQuery = 0;
        for (unsigned level = 0; level <= plan.levels + 1; ++level) {
          mostOfKey = std::max(mostOfKey, ofKey[r][level].second);
          mostOfQuery = std::max(mostOfQuery, ofQuery[r][level].second);
          // Selected pairs must not meet in other ranks than the query's.
          isZero &= level > plan.first(r) || ofKey[r][level].second <= 0;
          isZero &= level <= plan.last(r) || ofQuery[r][level].second <= 0;
        }
        largest = std::max(largest, mostOfKey * mostOfQuery);
        for (unsigned q = plan.first(r) + 1; q <= plan.last(r); ++q) {
          auto [queryLow, queryHigh] = ofQuery[r][q];
          for (unsigned k = 0; k <= plan.levels; ++k) {
            auto [low, high] = ofKey[r][k];
            if (high < low || queryHigh < queryLow)
              continue; // no such value
            if (k >= q)
              rejected = std::min(rejected, low * queryLow);
            else
              selected = std::max(selected, high * queryHigh);
          }
        }
      }
      if (!isZero)
        return std::nullopt;
      if (!(rejected > 0) || !std::isfinite(rejected))
        break;
      // With a margin for the products' own rounding.
      plan.scale = static_cast<int>(
          std::ceil(-std::log2(rejected * (1 - 8 * options.unitRoundoff))));
      if (std::log2(largest) + plan.scale > largestProduct)
        continue;
      plan.tie =
          std::ldexp(selected * (1 + 8 * options.unitRoundoff), plan.scale);
      if (plan.tie <= tolerance)
        return plan;
      break;
    }
  }
  return std::nullopt;
}

/// Whether a view is what it should be, exactly: a power of two from one
/// direction, or from one of several of which all others are 0.
static bool isExactSum(const Circuit &circuit, const View &view,
                       llvm::ArrayRef<double> byValue) {
  for (const Term &term : view.terms)
    if (circuit[term.dir].error != 0)
      return false;
  for (size_t v = 0; v < byValue.size(); ++v) {
    double sum = view.constant;
    unsigned count = view.constant != 0;
    for (const Term &term : view.terms) {
      const Direction &dir = circuit[term.dir];
      const std::vector<double> &held =
          dir.writer == WriterKind::Head ? dir.byValue : dir.table;
      if (held.size() < byValue.size())
        return false;
      count += held[v] != 0;
      sum += term.weight * held[v];
    }
    // What cancels is the same power of two.
    bool rounds = count > 2 || (count == 2 && sum != 0);
    if (rounds || (!std::isnan(byValue[v]) && sum != byValue[v]))
      return false;
  }
  return true;
}

std::optional<View> Lowering::geometricCode(const GeometricSide &side,
                                            const GeometricPlan &plan,
                                            unsigned rank) {
  const ir::NodeValues &values = sets.of(side.sop);
  unsigned first = plan.first(rank);
  unsigned last = plan.last(rank);
  // The values that the code begins and ends with.
  std::vector<double> beside;
  for (auto [v, level] : llvm::enumerate(side.levels))
    if (level > first && level <= last)
      beside.push_back(values.values[v].toDouble());
  auto show = [](double number) {
    std::string text = ir::Value::real(number).display();
    return llvm::StringRef(text).ends_with(".0")
               ? text.substr(0, text.size() - 2)
               : text;
  };
  std::vector<double> byLevel(plan.levels + 2, 0);
  for (unsigned level = 0; level <= plan.levels + 1; ++level)
    if (side.isKey ? level > first : level <= last)
      byLevel[level] = std::exp2(plan.weightOf(
          side.isKey ? std::min(level, last) : std::max(level, first + 1), rank,
          side.isKey));
  std::vector<double> byValue;
  for (unsigned level : side.levels)
    byValue.push_back(byLevel[level]);
  // Whether it is 0 for small values.
  size_t lowest = 0, highest = 0;
  for (size_t v = 0; v < byValue.size(); ++v) {
    double number = values.values[v].toDouble();
    if (number < values.values[lowest].toDouble())
      lowest = v;
    if (number > values.values[highest].toDouble())
      highest = v;
  }
  bool rises = byValue[lowest] <= byValue[highest];
  auto [low, high] = std::minmax_element(beside.begin(), beside.end());
  std::string label =
      beside.empty() ? "none"
                     : (rises ? ">=" : "<=") + show(*low) + ".." + show(*high);
  label += " 2^" + std::to_string(plan.base);
  if (!side.values) {
    View view = functionOf(side.sop, byValue, label);
    if (failed)
      return std::nullopt;
    std::vector<double> bySource;
    const ir::JointTable &table = values.table;
    for (int32_t entry : table.entries)
      bySource.push_back(entry == ir::JointTable::impossible
                             ? anyNumber
                             : byValue[static_cast<size_t>(entry)]);
    if (!isExactSum(circuit, view, bySource))
      return std::nullopt;
    return view;
  }
  std::vector<ProfileUnit> units;
  double constant = 0;
  Step worst;
  for (unsigned level = first + 1; level <= last; ++level) {
    double weight = std::exp2(plan.weightOf(level, rank, side.isKey));
    const std::optional<Step> &step = side.steps[level - 1];
    if (!step) {
      constant += weight;
      continue;
    }
    units.push_back({step->first.slope, step->first.offset, weight});
    if (units.size() == 1 || step->inputError * worst.inputTolerance >
                                 worst.inputError * step->inputTolerance)
      worst = *step;
  }
  if (units.empty())
    return View::ofConstant(constant);
  // The other order comes from the other end.
  llvm::sort(units, [](const ProfileUnit &a, const ProfileUnit &b) {
    return std::tie(a.slope, a.offset) < std::tie(b.slope, b.offset);
  });
  std::vector<double> shape;
  for (const ProfileUnit &unit : units)
    llvm::append_range(shape, std::initializer_list<double>{
                                  unit.slope, unit.offset, unit.weight});
  auto [known, isNew] = geometricDirections.try_emplace(
      {side.values->coordinate, side.values->joint, std::move(shape)});
  DirId &dir = known->second;
  if (isNew) {
    dir = newMlpDirection(Naming{side.sop, label, side.values->joint},
                          "geometric code");
    for (const ProfileUnit &unit : units) {
      View input = side.values->coordinate * unit.slope;
      input.constant += unit.offset;
      addNeuron(std::move(input), dir, unit.weight);
    }
    double most = 0, worstError = 0;
    for (auto [x, value] : side.values->points) {
      double sum = 0, error = 0;
      for (const ProfileUnit &unit : units) {
        UnitValue own = valueAt(unit, x, side.values->axis);
        sum += unit.weight * own.exact;
        error += unit.weight * own.error;
      }
      most = std::max(most, sum);
      worstError = std::max(worstError,
                            error + static_cast<double>(units.size() + 1) *
                                        options.unitRoundoff * (sum + error));
    }
    finishMlpDirection(dir, 0, most, worstError, 0);
    circuit[dir].exactZero = true;
    circuit[dir].inputError = worst.inputError;
    circuit[dir].inputTolerance = worst.inputTolerance;
  }
  return View::of(dir) + View::ofConstant(constant);
}

/// Whether a function of the s-op is there as soon as its scalar.
static bool isOfOneSource(const ir::NodeValues &values) {
  return values.hasTable && values.table.sources.size() == 1;
}

bool Lowering::prefersGeometric(const Formula &comparison,
                                llvm::ArrayRef<Formula> conjuncts,
                                const Node *selector, bool single) {
  auto compares = [](const Formula &formula) {
    return formula.kind == Formula::Compare && formula.op != CompareOp::Ne &&
           formula.key->kind() != ir::OpKind::Const &&
           formula.query->kind() != ir::OpKind::Const;
  };
  auto isNoisy = [&](const Formula &formula) {
    return compares(formula) && sets.of(formula.key).hasTable &&
           sets.of(formula.query).hasTable &&
           (isInexact(formula.key) || isInexact(formula.query));
  };
  if (!options.geometricCodes || !compares(comparison))
    return false;
  if (isNoisy(comparison))
    return prefersPenalties(comparison) ||
           (isOfOneSource(sets.of(comparison.key)) &&
            isOfOneSource(sets.of(comparison.query)));
  return comparison.op != CompareOp::Eq &&
         (single || llvm::is_contained(options.geometricOrders, selector) ||
          llvm::any_of(conjuncts, isNoisy));
}

bool Lowering::addGeometricOrder(const GeometricSide &key,
                                 const GeometricSide &query,
                                 const GeometricPlan &plan, Scores &scores) {
  for (unsigned r = 0; r < plan.ranks(); ++r) {
    std::optional<View> ofKey = geometricCode(key, plan, r);
    std::optional<View> ofQuery =
        ofKey ? geometricCode(query, plan, r) : std::nullopt;
    if (!ofQuery || failed)
      return false;
    scores.terms.push_back(
        {zeroAtBos(*ofKey),
         zeroAtBos(*ofQuery * -std::ldexp(1.0, plan.scale))});
  }
  return true;
}

bool Lowering::addGeometric(const Formula &comparison, double tolerance,
                            Scores &scores) {
  const Node *key = comparison.key, *query = comparison.query;
  for (const Node *node : {key, query}) {
    const ir::NodeValues &values = sets.of(node);
    if (!values.known || !values.numeric || !values.hasTable ||
        values.values.size() < fewLevels)
      return false;
  }
  std::vector<CompareOp> orders{comparison.op};
  if (comparison.op == CompareOp::Eq) {
    orders = {CompareOp::Le, CompareOp::Ge};
    tolerance /= 2;
  }
  Scores own;
  double tie = 0, magnitude = 0;
  for (CompareOp op : orders) {
    auto sides = geometricSides(key, query, op);
    if (!sides || failed)
      return false;
    std::optional<GeometricPlan> plan =
        planOf(sides->first, sides->second, tolerance, op != orders.front());
    if (!plan || !addGeometricOrder(sides->first, sides->second, *plan, own))
      return false;
    tie += plan->tie;
    magnitude += plan->tie;
  }
  scores.note("geometric codes " + std::to_string(own.terms.size()));
  remark(scores, ir::diag::ByGeometricCodes, own.terms.size(),
         std::max(sets.of(key).values.size(), sets.of(query).values.size()),
         tie);
  scores.addConjunct(std::move(own.terms), 0, magnitude);
  scores.error += tie;
  scores.tieError += tie;
  geometricCodes = true;
  return true;
}
