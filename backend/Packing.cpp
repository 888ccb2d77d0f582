//===- backend/Packing.cpp - several scalars read as one ----------------===//
//
// If a linear form of the sources decides the outcome, with values for
// different outcomes far enough apart, then the table is a profile of one
// scalar. Candidates are the forms that occur in the program and plain sums
// and differences of what heads write.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::OpKind;
using ir::Source;

/// Whether there may be others between each value of a source and the next:
/// the outcome does not change from one to the other.
static std::vector<bool> runsOf(const FunctionTable &table, size_t dim) {
  size_t stride = table.stride(dim), count = table.sizes[dim];
  std::vector<bool> isRun(count, true);
  isRun.back() = false;
  for (size_t i = 0; i < table.entries.size(); ++i) {
    size_t value = i / stride % count;
    if (value + 1 == count)
      continue;
    double here = table.entries[i], next = table.entries[i + stride];
    if (!std::isnan(here) && !std::isnan(next) && here != next)
      isRun[value] = false;
  }
  return isRun;
}

const Lowering::SortedSums &
Lowering::sortedSums(llvm::ArrayRef<uint32_t> sizes,
                     llvm::ArrayRef<std::vector<double>> axes,
                     double constant) {
  std::vector<double> key{constant};
  for (const std::vector<double> &axis : axes) {
    key.push_back(static_cast<double>(axis.size()));
    llvm::append_range(key, axis);
  }
  // Functions of the same sources follow each other, and have few candidates.
  constexpr size_t mostKept = 8;
  auto known = llvm::find_if(
      recentSums, [&](const SortedSums &own) { return own.key == key; });
  if (known != recentSums.end())
    return *known;
  if (recentSums.size() == mostKept)
    recentSums.pop_front();
  SortedSums &own = recentSums.emplace_back();
  own.key = std::move(key);
  size_t total = 1;
  for (uint32_t size : sizes)
    total *= size;
  Odometer at(sizes);
  for (size_t i = 0; i < total; ++i, at.next()) {
    double x = constant;
    for (size_t d = 0; d < sizes.size(); ++d)
      x += axes[d][at.at[d]];
    own.sums.push_back(x);
  }
  own.order.resize(total);
  std::iota(own.order.begin(), own.order.end(), 0);
  llvm::stable_sort(own.order, [&](uint32_t a, uint32_t b) {
    return own.sums[a] < own.sums[b];
  });
  return own;
}

std::optional<Lowering::Packing>
Lowering::findPacking(const FunctionTable &table,
                      llvm::ArrayRef<LinearForm> forms, const Naming &naming) {
  // What is kept has a direction of its own.
  bool allowLinear = !naming.node || !sets.isKept(naming.node);
  size_t dims = table.sources.size();
  std::pair<double, double> range = table.range();
  double span = range.second - range.first;
  std::optional<Packing> best;
  std::vector<std::vector<bool>> runs(dims);
  for (size_t d = 0; d < dims; ++d)
    if (Source source = table.sources[d];
        source && sets.of(source).isAbridged())
      runs[d] = runsOf(table, d);
  // `axes[d][v]`: what value v of source d adds to the coordinate.
  auto consider = [&](const View &coordinate,
                      llvm::ArrayRef<std::vector<double>> axes,
                      double constant) {
    double error = read(coordinate).error;
    const SortedSums &sorted = sortedSums(table.sizes, axes, constant);
    double magnitude = 0;
    for (auto [entry, x] : llvm::zip_equal(table.entries, sorted.sums))
      if (!std::isnan(entry))
        magnitude = std::max(magnitude, std::fabs(x));
    std::vector<ProfilePoint> points;
    for (uint32_t i : sorted.order) {
      ProfilePoint point{sorted.sums[i], table.entries[i]};
      if (std::isnan(point.y))
        continue;
      // Sums that differ by rounding alone are one point.
      if (!points.empty() &&
          point.x - points.back().x <= 1e-13 * (1 + magnitude)) {
        if (points.back().y != point.y)
          return;
        continue;
      }
      points.push_back(point);
    }
    if (points.size() < 2)
      return;
    // A profile of many points takes long to make: most forms fail here.
    size_t changes = 0;
    std::vector<size_t> changesBefore{0};
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      if (points[i].y != points[i + 1].y) {
        ++changes;
        if (points[i + 1].x - points[i].x < 2 * error)
          return;
      }
      changesBefore.push_back(changes);
    }
    // What lies in a run of values may be anywhere between the run's ends.
    auto placeOf = [&](double x) {
      auto above = llvm::upper_bound(
          points, x + 1e-13 * (1 + magnitude),
          [](double a, const ProfilePoint &point) { return a < point.x; });
      return static_cast<size_t>(above - points.begin()) - 1;
    };
    Odometer place(table.sizes);
    bool anyRuns =
        llvm::any_of(runs, [](const auto &own) { return !own.empty(); });
    for (size_t i = 0; anyRuns && i < table.entries.size(); ++i, place.next()) {
      if (std::isnan(table.entries[i]))
        continue;
      double x = sorted.sums[i];
      for (size_t d = 0; d < dims; ++d) {
        uint32_t v = place.at[d];
        if (runs[d].empty() || !runs[d][v])
          continue;
        double end = x - axes[d][v] + axes[d][v + 1];
        if (changesBefore[placeOf(x)] != changesBefore[placeOf(end)])
          return;
      }
    }
    constexpr size_t maxChanges = 4096;
    if (changes > maxChanges)
      return;
    std::optional<Profile> profile =
        makeProfile(points, axisOf(coordinate), allowLinear, naming.isGate);
    if (!profile || profile->error > 1e-2 * span)
      return;
    unsigned time = nextMlp(timeOf(circuit, coordinate));
    if (!best || time < best->time ||
        (time == best->time &&
         profile->units.size() < best->profile.units.size()))
      best = Packing{coordinate, *profile, time};
  };

  if (llvm::all_of(table.sources, [&](Source s) { return isRaw(s); }))
    for (unsigned signs = 0; signs < 1u << (dims - 1) && dims <= 4; ++signs) {
      View coordinate;
      std::vector<std::vector<double>> axes;
      for (size_t d = 0; d < dims; ++d) {
        SourceState &state = stateOf(table.sources[d]);
        double sign = d && (signs >> (d - 1) & 1) ? -1 : 1;
        coordinate += rawView(state) * sign;
        axes.push_back(rawCoordinates(state));
        for (double &x : axes.back())
          x *= sign;
      }
      if (failed)
        return std::nullopt;
      consider(coordinate, axes, 0);
    }
  for (const LinearForm &form : forms) {
    View coordinate = View::ofConstant(form.constant);
    std::vector<std::vector<double>> axes(dims);
    bool usable = true;
    for (size_t d = 0; d < dims; ++d) {
      axes[d].assign(table.sizes[d], 0);
      for (auto [source, coefficient] : form.coefficients) {
        if (source != table.sources[d])
          continue;
        SourceState &state = stateOf(source);
        usable &= state.numeric;
        if (!usable)
          break;
        for (size_t v = 0; v < table.sizes[d]; ++v)
          axes[d][v] = coefficient * state.numbers[v];
        coordinate +=
            functionOfSource(source, state.numbers, Naming{source, ""}) *
            coefficient;
        if (failed)
          return std::nullopt;
      }
    }
    // Sources that the table no longer depends on may still be in the form.
    for (auto [source, coefficient] : form.coefficients)
      usable &= llvm::is_contained(table.sources, source);
    if (usable)
      consider(coordinate, axes, form.constant);
  }
  // a * width + b * y + c has the sign, times that of a, of what 1/(width + 1)
  // lacks to the share of BOS at which the form is zero, a function of y.
  for (const LinearForm &form : forms) {
    if (dims != 2 || form.coefficients.size() != 2)
      continue;
    for (size_t d = 0; d < dims && !failed; ++d) {
      Source width = table.sources[d], other = table.sources[1 - d];
      if (!isShare(width) || isRaw(other) || !stateOf(other).numeric)
        continue;
      auto coefficientOf = [&](Source source) {
        auto found = llvm::find_if(form.coefficients, [&](auto &term) {
          return term.first == source;
        });
        return found == form.coefficients.end() ? 0.0 : found->second;
      };
      double a = coefficientOf(width), b = coefficientOf(other);
      if (a == 0 || b == 0)
        continue;
      std::vector<std::vector<double>> axes(dims);
      std::vector<double> shares = rawCoordinates(stateOf(width));
      double aboveAll = 2 * shares[0] - shares[1];
      for (double y : stateOf(other).numbers) {
        double zero = -(b * y + form.constant) / a;
        axes[1 - d].push_back(zero < 0 ? aboveAll
                                       : std::min(1 / (zero + 1), aboveAll));
      }
      for (double share : shares)
        axes[d].push_back(-share);
      View coordinate =
          functionOfSource(other, axes[1 - d], Naming{other, "1/(w+1)"}) -
          rawView(stateOf(width));
      if (!failed)
        consider(coordinate, axes, 0);
    }
  }
  return best;
}
