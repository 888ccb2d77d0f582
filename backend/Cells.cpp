//===- backend/Cells.cpp - hidden units per combination of classes --------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <functional>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Source;

/// A sum of indicators that is wrong by more could be on either side of the
/// bends of hidden units.
static constexpr double mostGateError = 0.2;

View Lowering::emitCells(const FunctionTable &table,
                         llvm::ArrayRef<LinearForm> forms,
                         const Naming &naming) {
  if (std::optional<View> view = emitSumCells(table, forms, naming))
    return *view;
  if (failed)
    return View();
  // One raw scalar can stay a scalar, with a profile per cell. Failing that all
  // of them are decoded.
  llvm::SmallVector<Gates, 2> ways{joinedGates(table, forms, naming)};
  if (ways[0].isJoined())
    ways.emplace_back(table);
  for (const CellPlan &plan : cellPlans(ways)) {
    Cells cells = makeCells(*plan.gates, plan.rawDim);
    if (failed)
      return View();
    if (!plan.rawDim) {
      if (cells.gateError <= mostGateError)
        return emitBoxes(cells, naming);
      continue;
    }
    Source source = cells.table.sources[*plan.rawDim];
    cells.coordinate = scalarOfSource(source);
    cells.axis = isRaw(source) ? rawCoordinates(stateOf(source))
                               : stateOf(source).numbers;
    if (failed)
      return View();
    size_t mostUnits = std::numeric_limits<size_t>::max();
    if (plan.boxesInTime) {
      Cells boxes = makeCells(*plan.gates, std::nullopt);
      if (failed)
        return View();
      // A unit per cell, and two for each class of the scalar.
      if (boxes.gateError <= mostGateError)
        mostUnits =
            boxes.table.exceptions() + 2 * boxes.table.sizes[*plan.rawDim];
    }
    if (std::optional<View> view = emitProfileCells(cells, naming, mostUnits))
      return *view;
  }
  if (failed)
    return View();
  Cells cells = makeCells(ways[0], std::nullopt);
  return failed ? View() : emitBoxes(cells, naming);
}

View Lowering::scalarOfSource(Source source) {
  if (isRaw(source))
    return rawView(stateOf(source));
  std::vector<double> numbers = stateOf(source).numbers;
  return functionOfSource(source, std::move(numbers), Naming{source, ""});
}

bool Lowering::isLongScale(Source source) {
  // Of fewer values one-hot directions are no burden.
  constexpr size_t manyValues = 16;
  const SourceState &state = stateOf(source);
  return options.keptAsNumbers && state.access == Access::Derived &&
         sets.isKept(source) && state.numeric &&
         state.values.size() > manyValues;
}

std::vector<Lowering::CellPlan>
Lowering::cellPlans(llvm::ArrayRef<Gates> ways) {
  std::vector<CellPlan> plans;
  for (const Gates &gates : ways) {
    const FunctionTable &table = gates.table;
    llvm::SmallVector<size_t, 3> rawDims;
    unsigned joinedTime = 0;
    bool isLong = false;
    for (size_t d = 0; d < table.sources.size(); ++d) {
      for (const View &view : gates.indicators[d])
        joinedTime = std::max(joinedTime, timeOf(circuit, view));
      if (!gates.indicators[d].empty())
        continue;
      bool isLongToo = isLongScale(table.sources[d]);
      if (isLongToo || isRaw(table.sources[d]))
        rawDims.push_back(d);
      isLong |= isLongToo;
    }
    if (rawDims.empty() && gates.isJoined())
      plans.push_back({&gates, std::nullopt, joinedTime, 0});
    // No time to compare.
    if (ways.size() == 1 && rawDims.size() == 1 && !isLong) {
      plans.push_back({&gates, rawDims[0], 0, table.sizes[rawDims[0]]});
      continue;
    }
    for (size_t rawDim : rawDims) {
      unsigned time = joinedTime, boxTime = joinedTime;
      for (size_t d : rawDims) {
        if (failed)
          return {};
        unsigned own = timeOf(circuit, scalarOfSource(table.sources[d]));
        // A kept s-op has its classes when it has its number.
        unsigned decoded = isRaw(table.sources[d]) ? nextMlp(own) : own;
        time = std::max(time, d == rawDim ? own : decoded);
        boxTime = std::max(boxTime, decoded);
      }
      bool boxesInTime = boxTime <= time && isRaw(table.sources[rawDim]);
      plans.push_back({&gates, rawDim, time, table.sizes[rawDim], boxesInTime});
    }
  }
  llvm::stable_sort(plans, [](const CellPlan &a, const CellPlan &b) {
    return std::pair(a.time, b.profileSize) < std::pair(b.time, a.profileSize);
  });
  return plans;
}

Lowering::Cells Lowering::makeCells(const Gates &gates,
                                    std::optional<size_t> rawDim) {
  const FunctionTable &table = gates.table;
  Cells cells;
  cells.table = table;
  cells.rawDim = rawDim;
  cells.indicators = gates.indicators;
  for (size_t d = 0; d < table.sources.size(); ++d) {
    for (const View &view : cells.indicators[d])
      cells.indicatorError = std::max(cells.indicatorError, read(view).error);
    if (rawDim == d || !cells.indicators[d].empty())
      continue;
    Source source = table.sources[d];
    ValueClasses classes = mergeValues(cells.table, d);
    size_t values = classes.classOf.size();
    if (classes.representative.size() == values && values > 2)
      makeOneHot(source, "a table", values);
    for (uint32_t c = 0; c < cells.table.sizes[d] && !failed; ++c) {
      std::vector<double> isInClass;
      std::string label;
      for (size_t v = 0; v < values; ++v) {
        isInClass.push_back(classes.classOf[v] == c);
        if (classes.classOf[v] == c && label.size() < 24)
          label +=
              (label.empty() ? "" : ",") + stateOf(source).values[v].display();
      }
      View view = functionOfSource(source, isInClass, Naming{source, label});
      cells.indicatorError = std::max(cells.indicatorError, read(view).error);
      cells.indicators[d].push_back(std::move(view));
    }
  }
  size_t gated = table.sources.size() - (rawDim ? 1 : 0);
  cells.gateError = static_cast<double>(gated) * cells.indicatorError;
  return cells;
}

/// Grows a box around entry `at` of a table: per dimension, further classes as
/// long as all entries of the box have the outcome and are not covered yet.
static std::vector<std::vector<uint32_t>>
growBox(const FunctionTable &table, llvm::ArrayRef<uint32_t> at, double outcome,
        std::vector<bool> &covered, bool grow) {
  size_t dims = table.sources.size();
  std::vector<std::vector<uint32_t>> box;
  for (uint32_t c : at)
    box.push_back({c});
  // Visits the entries of the box with dimension `d` fixed to `value`.
  auto slab = [&](size_t d, uint32_t value, auto visit) {
    llvm::SmallVector<uint32_t, 3> counts;
    for (size_t k = 0; k < dims; ++k)
      counts.push_back(k == d ? 1 : static_cast<uint32_t>(box[k].size()));
    size_t total = std::accumulate(counts.begin(), counts.end(), size_t(1),
                                   std::multiplies<>());
    Odometer inner(counts);
    for (size_t i = 0; i < total; ++i, inner.next()) {
      size_t index = 0;
      for (size_t k = 0; k < dims; ++k)
        index = index * table.sizes[k] + (k == d ? value : box[k][inner.at[k]]);
      if (!visit(index))
        return false;
    }
    return true;
  };
  if (grow)
    for (size_t d = 0; d < dims; ++d)
      for (uint32_t v = 0; v < table.sizes[d]; ++v)
        if (v != at[d] && slab(d, v, [&](size_t i) {
              return !covered[i] && (std::isnan(table.entries[i]) ||
                                     table.entries[i] == outcome);
            }))
          box[d].push_back(v);
  for (uint32_t v : box[0])
    slab(0, v, [&](size_t i) {
      covered[i] = true;
      return true;
    });
  return box;
}

View Lowering::worstIndicator(const Cells &cells) const {
  View worst;
  for (const std::vector<View> &views : cells.indicators)
    for (const View &view : views)
      if (read(view).error >= read(worst).error)
        worst = view;
  return worst;
}

View Lowering::emitBoxes(const Cells &cells, const Naming &naming) {
  const FunctionTable &table = cells.table;
  size_t dims = table.sources.size();
  if (cells.gateError > mostGateError) {
    refuseNoise(naming.node, cells.gateError, mostGateError,
                worstIndicator(cells));
    return View();
  }
  auto [low, high] = table.range();
  std::map<double, size_t> outcomes;
  double background = low;
  for (double entry : table.entries)
    if (!std::isnan(entry) && ++outcomes[entry] > outcomes[background])
      background = entry;
  // Without a constant, 0 is exactly 0 even if the views have errors.
  if (cells.indicatorError > 0 && low == 0 && high == 1)
    background = 0;

  DirId dir = newMlpDirection(naming, "cells");
  std::vector<bool> covered(table.entries.size(), false);
  constexpr size_t largestToGrow = 4096;
  bool grow = table.entries.size() <= largestToGrow;
  double largest = 0, gateError = 0, rounding = 0;
  size_t boxes = 0;
  Odometer at(table.sizes);
  for (size_t e = 0; e < table.entries.size(); ++e, at.next()) {
    double outcome = table.entries[e];
    if (covered[e] || std::isnan(outcome) || outcome == background)
      continue;
    std::vector<std::vector<uint32_t>> box =
        growBox(table, at.at, outcome, covered, grow);
    View input;
    unsigned gates = 0, views = 0;
    for (size_t d = 0; d < dims; ++d) {
      if (box[d].size() == table.sizes[d])
        continue;
      ++gates;
      views += static_cast<unsigned>(
          std::min(box[d].size(), table.sizes[d] - box[d].size()));
      // The smaller of the set and its complement is the shorter view.
      if (box[d].size() * 2 <= table.sizes[d]) {
        for (uint32_t v : box[d])
          input += cells.indicators[d][v];
      } else {
        input.constant += 1;
        for (uint32_t v = 0; v < table.sizes[d]; ++v)
          if (!llvm::is_contained(box[d], v))
            input += cells.indicators[d][v] * -1;
      }
    }
    // With exact views relu(sum - (m-1)) is exact. With others the bend is
    // moved halfway to the next smaller sum, so that errors there vanish.
    if (cells.indicatorError == 0) {
      input.constant -= gates - 1.0;
    } else {
      input = input * 2;
      input.constant -= 2.0 * gates - 1;
    }
    gateError = std::max(gateError, views * cells.indicatorError);
    Axis sum = axisOf(input);
    rounding = std::max(rounding,
                        (sum.terms + 1) * options.unitRoundoff * sum.sizeAt(1));
    addNeuron(input, dir, outcome - background);
    ++boxes;
    largest = std::max(largest, std::fabs(outcome - background));
  }

  if (gateError > mostGateError) {
    refuseNoise(naming.node, gateError, mostGateError, worstIndicator(cells));
    return View();
  }
  std::vector<double> changes;
  for (auto &[outcome, count] : outcomes)
    changes.push_back(outcome - background);
  double error = 0, grid = gridOf(changes);
  if (cells.indicatorError > 0)
    error = largest * (2 * gateError + rounding + 4 * options.unitRoundoff);
  else if (grid == 0 || largest / grid > 0.5 / options.unitRoundoff)
    error = options.unitRoundoff * largest;
  finishMlpDirection(dir, low - background, high - background, error,
                     error == 0 ? grid : 0);
  circuit[dir].exactZero = true;
  circuit[dir].inputError = gateError;
  circuit[dir].inputTolerance = mostGateError;
  View view = View::of(dir);
  view.constant = background;
  if (options.remarks && naming.joint) {
    std::string classes;
    for (uint32_t size : table.sizes)
      classes += (classes.empty() ? "" : " by ") + std::to_string(size);
    remark(view, naming.reader ? naming.reader : naming.node,
           ir::diag::TableByCells,
           listNames(circuit.joints[*naming.joint].sources),
           countCombinations(*naming.joint), classes,
           ir::counted(boxes, "hidden unit"), naming.notPacked);
  }
  return view;
}

std::optional<View> Lowering::emitProfileCells(const Cells &cells,
                                               const Naming &naming,
                                               size_t mostUnits) {
  const FunctionTable &table = cells.table;
  size_t dims = table.sources.size(), rawDim = *cells.rawDim;
  const View &coordinate = cells.coordinate;
  llvm::ArrayRef<double> axis = cells.axis;
  Axis scalar = axisOf(coordinate);
  double axisError = scalar.error;
  double axisLow = *llvm::min_element(axis);
  double axisHigh = *llvm::max_element(axis);
  auto [low, high] = table.range();
  double base = low;

  // Cells with the same function of the raw scalar share a profile.
  std::vector<std::pair<std::vector<ProfilePoint>,
                        std::vector<llvm::SmallVector<uint32_t, 3>>>>
      functions;
  size_t stride = table.stride(rawDim);
  Odometer at(table.sizes);
  for (size_t e = 0; e < table.entries.size(); ++e, at.next()) {
    if (at.at[rawDim] != 0)
      continue;
    std::vector<ProfilePoint> points;
    for (size_t v = 0; v < axis.size(); ++v)
      // What a cell adds lies above the least entry.
      if (double y = table.entries[e + v * stride]; !std::isnan(y))
        points.push_back({axis[v], y - base});
    if (points.empty())
      continue;
    llvm::sort(points, [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x < b.x;
    });
    auto same = [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x == b.x && a.y == b.y;
    };
    points.erase(llvm::unique(points, same), points.end());
    auto known = llvm::find_if(functions, [&](auto &function) {
      return std::equal(function.first.begin(), function.first.end(),
                        points.begin(), points.end(), same);
    });
    if (known == functions.end()) {
      functions.push_back({points, {}});
      known = std::prev(functions.end());
    }
    known->second.push_back(at.at);
  }

  double slack = cells.indicatorError == 0 ? 0 : 1;
  auto gates = static_cast<double>(dims - 1);
  // What the sum of a unit's input may have of terms, and of indicators.
  double terms = scalar.terms + 2, indicatorSize = 0;
  for (size_t d = 0; d < dims; ++d) {
    double most = 0, largest = 0;
    for (const View &indicator : cells.indicators[d]) {
      Axis own = axisOf(indicator);
      most = std::max(most, static_cast<double>(own.terms));
      largest = std::max(largest, own.sizeAt(1));
    }
    terms += most;
    indicatorSize += largest;
  }
  // With what holds each unit down.
  std::vector<std::pair<Profile, std::vector<double>>> profiles;
  double error = 0;
  size_t units = 0;
  for (auto &[points, members] : functions) {
    // Gates that are wrong by d shift a unit by hold * d, as if x were wrong by
    // that divided by the slope: the profile has to stand it.
    double shift = 0;
    std::vector<double> holds;
    std::optional<Profile> profile;
    constexpr unsigned mostTries = 4;
    for (unsigned tries = 0; tries < mostTries; ++tries) {
      scalar.error = axisError + shift;
      profile = makeProfile(points, scalar, false);
      if (!profile)
        return std::nullopt;
      double needed = 0;
      holds.clear();
      for (const ProfileUnit &unit : profile->units) {
        double reach = std::max(unit.slope * axisLow, unit.slope * axisHigh) +
                       unit.offset + std::fabs(unit.slope) * axisError;
        // A little more than it takes, so that rounding lets nothing through.
        holds.push_back(std::exp2(std::ceil(
            std::log2((1 + slack) * std::max(reach, 0x1p-20) * 1.001))));
      }
      // Gates must shift both units of a step alike.
      if (profile->steps)
        for (size_t i = 0; i + 1 < holds.size(); i += 2)
          holds[i] = holds[i + 1] = std::max(holds[i], holds[i + 1]);
      for (auto [unit, hold] : llvm::zip(profile->units, holds))
        needed =
            std::max(needed, hold * cells.gateError / std::fabs(unit.slope));
      if (needed <= shift)
        break;
      shift = needed;
      profile.reset();
    }
    if (!profile || cells.gateError > mostGateError)
      return std::nullopt;
    double rounding =
        terms * options.unitRoundoff * (indicatorSize + gates + 2);
    double cellError =
        profile->error + std::fabs(profile->constant) *
                             (2 * cells.gateError + (1 + slack) * rounding);
    for (auto [unit, hold] : llvm::zip(profile->units, holds)) {
      double perUnit = rounding;
      if (!profile->steps)
        perUnit += cells.gateError;
      cellError += std::fabs(unit.weight) * hold * perUnit;
    }
    error = std::max(error, cellError);
    units += members.size() *
             (profile->units.size() + (profile->constant != 0 ? 1 : 0));
    profiles.emplace_back(std::move(*profile), std::move(holds));
  }
  if (error > 1e-2 * (high - low) || units > mostUnits)
    return std::nullopt;

  DirId dir = newMlpDirection(naming, "profiles gated by cells");
  for (auto [function, entry] : llvm::zip(functions, profiles)) {
    auto &[profile, holds] = entry;
    for (const auto &cell : function.second) {
      View sum; // of the indicators: `gates` in this cell, less elsewhere
      for (size_t d = 0; d < dims; ++d)
        if (d != rawDim)
          sum += cells.indicators[d][cell[d]];
      if (profile.constant != 0) {
        View input = sum * (1 + slack);
        input.constant -= (1 + slack) * gates - 1;
        addNeuron(input, dir, profile.constant);
      }
      for (auto [unit, hold] : llvm::zip(profile.units, holds)) {
        View input = coordinate * unit.slope + sum * hold;
        input.constant += unit.offset - hold * gates;
        addNeuron(input, dir, unit.weight);
      }
    }
  }
  finishMlpDirection(dir, 0, high - base, error, 0);
  View view = View::of(dir);
  view.constant = base;
  if (options.remarks && naming.joint) {
    size_t numCells = 0;
    for (const auto &function : functions)
      numCells += function.second.size();
    remark(view, naming.reader ? naming.reader : naming.node,
           ir::diag::TableByProfiles,
           listNames(circuit.joints[*naming.joint].sources),
           countCombinations(*naming.joint), functions.size(),
           "`" + toString(circuit, coordinate) + "`",
           ir::counted(numCells, "cell") + " of the others",
           ir::counted(units, "hidden unit"), naming.notPacked);
  }
  return view;
}
