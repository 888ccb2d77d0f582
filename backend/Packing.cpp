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

std::optional<Lowering::Packing>
Lowering::findPacking(const FunctionTable &table,
                      llvm::ArrayRef<LinearForm> forms) {
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
    std::vector<ProfilePoint> all;
    Odometer at(table.sizes);
    double magnitude = 0;
    for (double entry : table.entries) {
      if (!std::isnan(entry)) {
        double x = constant;
        for (size_t d = 0; d < dims; ++d)
          x += axes[d][at.at[d]];
        magnitude = std::max(magnitude, std::fabs(x));
        all.push_back({x, entry});
      }
      at.next();
    }
    llvm::sort(all, [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x < b.x || (a.x == b.x && a.y < b.y);
    });
    std::vector<ProfilePoint> points;
    for (const ProfilePoint &point : all) {
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
    for (double entry : table.entries) {
      double x = constant;
      for (size_t d = 0; d < dims; ++d)
        x += axes[d][place.at[d]];
      for (size_t d = 0; d < dims && !std::isnan(entry); ++d) {
        uint32_t v = place.at[d];
        if (runs[d].empty() || !runs[d][v])
          continue;
        double end = x - axes[d][v] + axes[d][v + 1];
        if (changesBefore[placeOf(x)] != changesBefore[placeOf(end)])
          return;
      }
      place.next();
    }
    constexpr size_t maxChanges = 4096;
    if (changes > maxChanges)
      return;
    std::optional<Profile> profile =
        makeProfile(points, axisOf(coordinate), true);
    if (!profile || profile->error > 1e-2 * span)
      return;
    unsigned time = nextMlp(backend::timeOf(circuit, coordinate));
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
  return best;
}
