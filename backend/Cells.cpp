//===- backend/Cells.cpp - hidden units per combination of classes --------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <functional>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Source;

View Lowering::emitCells(const FunctionTable &table,
                         llvm::ArrayRef<LinearForm> forms,
                         const Naming &naming) {
  if (std::optional<View> view = emitSumCells(table, forms, naming))
    return *view;
  if (failed)
    return View();
  // One raw scalar can stay a scalar, with a profile per cell: those with most
  // values first. Failing that all of them are decoded.
  std::vector<size_t> rawDims;
  for (size_t d = 0; d < table.sources.size(); ++d)
    if (isRaw(table.sources[d]))
      rawDims.push_back(d);
  llvm::stable_sort(rawDims, [&](size_t a, size_t b) {
    return table.sizes[a] > table.sizes[b];
  });
  for (size_t rawDim : rawDims) {
    Cells cells = makeCells(table, rawDim);
    if (failed)
      return View();
    SourceState &state = stateOf(table.sources[rawDim]);
    cells.coordinate = rawView(state);
    cells.axis = rawCoordinates(state);
    if (std::optional<View> view = emitProfileCells(cells, naming))
      return *view;
  }
  Cells cells = makeCells(table, std::nullopt);
  return failed ? View() : emitBoxes(cells, naming);
}

Lowering::Cells Lowering::makeCells(const FunctionTable &table,
                                    std::optional<size_t> rawDim) {
  Cells cells;
  cells.table = table;
  cells.rawDim = rawDim;
  cells.indicators.resize(table.sources.size());
  for (size_t d = 0; d < table.sources.size(); ++d) {
    if (rawDim == d)
      continue;
    Source source = table.sources[d];
    ValueClasses classes = mergeValues(cells.table, d);
    size_t values = classes.classOf.size();
    if (classes.representative.size() == values && values > 2)
      makeOneHot(source);
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
  size_t gates = table.sources.size() - (rawDim ? 1 : 0);
  cells.gateError = static_cast<double>(gates) * cells.indicatorError;
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
  if (cells.gateError > 0.2) {
    refuseNoise(naming.node, cells.gateError, 0.2, worstIndicator(cells));
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
    largest = std::max(largest, std::fabs(outcome - background));
  }

  if (gateError > 0.2) {
    refuseNoise(naming.node, gateError, 0.2, worstIndicator(cells));
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
  circuit[dir].inputTolerance = 0.2;
  View view = View::of(dir);
  view.constant = background;
  return view;
}

std::optional<View> Lowering::emitProfileCells(const Cells &cells,
                                               const Naming &naming) {
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
  std::vector<std::pair<Profile, double>> profiles; // with their hold
  double error = 0;
  for (auto &[points, members] : functions) {
    // Gates that are wrong by d shift a unit by hold * d, as if x were wrong by
    // that divided by the slope: the profile has to stand it.
    double shift = 0, hold = 0;
    std::optional<Profile> profile;
    constexpr unsigned mostTries = 4;
    for (unsigned tries = 0; tries < mostTries; ++tries) {
      scalar.error = axisError + shift;
      profile = makeProfile(points, scalar, false);
      if (!profile)
        return std::nullopt;
      double reach = 0x1p-20, flattest = HUGE_VAL;
      for (const ProfileUnit &unit : profile->units) {
        reach = std::max(reach,
                         std::max(unit.slope * axisLow, unit.slope * axisHigh) +
                             unit.offset + std::fabs(unit.slope) * axisError);
        flattest = std::min(flattest, std::fabs(unit.slope));
      }
      // A little more than it takes, so that rounding lets nothing through.
      hold = std::exp2(std::ceil(std::log2((1 + slack) * reach * 1.001)));
      double needed = hold * cells.gateError / flattest;
      if (needed <= shift)
        break;
      shift = needed;
      profile.reset();
    }
    if (!profile || hold * cells.gateError > 0.2)
      return std::nullopt;
    double rounding =
        terms * options.unitRoundoff * (indicatorSize + gates + 2);
    double cellError =
        profile->error + std::fabs(profile->constant) *
                             (2 * cells.gateError + (1 + slack) * rounding);
    for (const ProfileUnit &unit : profile->units) {
      double perUnit = rounding;
      if (!profile->steps)
        perUnit += cells.gateError;
      cellError += std::fabs(unit.weight) * hold * perUnit;
    }
    error = std::max(error, cellError);
    profiles.emplace_back(std::move(*profile), hold);
  }
  if (error > 1e-2 * (high - low))
    return std::nullopt;

  DirId dir = newMlpDirection(naming, "profiles gated by cells");
  for (auto [function, entry] : llvm::zip(functions, profiles)) {
    auto &[profile, hold] = entry;
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
      for (const ProfileUnit &unit : profile.units) {
        View input = coordinate * unit.slope + sum * hold;
        input.constant += unit.offset - hold * gates;
        addNeuron(input, dir, unit.weight);
      }
    }
  }
  finishMlpDirection(dir, 0, high - base, error, 0);
  View view = View::of(dir);
  view.constant = base;
  return view;
}
