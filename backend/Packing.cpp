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

std::optional<Lowering::Packing>
Lowering::findPacking(const FunctionTable &table,
                      llvm::ArrayRef<LinearForm> forms) {
  size_t dims = table.sources.size();
  std::pair<double, double> range = table.range();
  double span = range.second - range.first;
  std::optional<Packing> best;
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
    for (size_t i = 0; i + 1 < points.size(); ++i)
      if (points[i].y != points[i + 1].y) {
        ++changes;
        if (points[i + 1].x - points[i].x < 2 * error)
          return;
      }
    constexpr size_t maxChanges = 4096;
    if (changes > maxChanges)
      return;
    std::optional<Profile> profile =
        makeProfile(points, axisOf(coordinate), true);
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
  return best;
}
