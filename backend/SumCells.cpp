//===- backend/SumCells.cpp - cells around a sum of scalars ---------------===//
//
// A table over several scalars and other sources may depend on a sum of the
// scalars alone: `depth < 0 or token == ")"` on one count minus another. Then
// the sum is the one scalar that cells have profiles of, and no scalar has to
// be decoded. Candidates are as for packings.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Source;

std::vector<Lowering::RawSum>
Lowering::rawSums(const FunctionTable &table,
                  llvm::ArrayRef<LinearForm> forms) {
  llvm::SmallVector<size_t, 3> rawDims;
  for (size_t d = 0; d < table.sources.size(); ++d) {
    Source source = table.sources[d];
    if (!isRaw(source))
      continue;
    // Sums may lie anywhere between those of an abridged set.
    if (sets.of(source).isAbridged())
      return {};
    rawDims.push_back(d);
  }
  if (rawDims.size() < 2 || rawDims.size() == table.sources.size())
    return {};
  std::vector<RawSum> sums;
  auto coefficientOf = [](const LinearForm &form, Source source) {
    for (auto [own, coefficient] : form.coefficients)
      if (own == source)
        return coefficient;
    return 0.0;
  };
  for (const LinearForm &form : forms) {
    if (form.coefficients.size() != rawDims.size() ||
        !llvm::all_of(rawDims, [&](size_t d) {
          return coefficientOf(form, table.sources[d]) != 0 &&
                 stateOf(table.sources[d]).numeric;
        }))
      continue;
    RawSum sum{View::ofConstant(form.constant), {}, form.constant};
    sum.axes.resize(table.sources.size());
    for (size_t d : rawDims) {
      Source source = table.sources[d];
      double coefficient = coefficientOf(form, source);
      std::vector<double> numbers = stateOf(source).numbers;
      sum.coordinate +=
          functionOfSource(source, numbers, Naming{source, ""}) * coefficient;
      for (double number : numbers)
        sum.axes[d].push_back(coefficient * number);
    }
    sums.push_back(std::move(sum));
  }
  constexpr size_t mostSigned = 4;
  for (unsigned signs = 0;
       rawDims.size() <= mostSigned && signs < 1u << (rawDims.size() - 1);
       ++signs) {
    RawSum sum;
    sum.axes.resize(table.sources.size());
    for (size_t i = 0; i < rawDims.size(); ++i) {
      SourceState &state = stateOf(table.sources[rawDims[i]]);
      double sign = i && (signs >> (i - 1) & 1) ? -1 : 1;
      sum.coordinate += rawView(state) * sign;
      for (double x : rawCoordinates(state))
        sum.axes[rawDims[i]].push_back(sign * x);
    }
    sums.push_back(std::move(sum));
  }
  if (failed)
    return {};
  llvm::stable_sort(sums, [&](const RawSum &a, const RawSum &b) {
    return nextMlp(timeOf(circuit, a.coordinate)) <
           nextMlp(timeOf(circuit, b.coordinate));
  });
  return sums;
}

/// The table over the sum and the other sources, or none if the outcome is not
/// decided by them. Dimension `rawDim` becomes that of the sum, whose values
/// are `axis`.
static std::optional<FunctionTable>
tableOverSum(const FunctionTable &table,
             llvm::ArrayRef<std::vector<double>> axes, double constant,
             size_t &rawDim, std::vector<double> &axis) {
  size_t dims = table.sources.size();
  auto valueAt = [&](const Odometer &at) {
    double x = constant;
    for (size_t d = 0; d < dims; ++d)
      if (!axes[d].empty())
        x += axes[d][at.at[d]];
    return x;
  };
  Odometer at(table.sizes);
  double magnitude = 0;
  for (size_t e = 0; e < table.entries.size(); ++e, at.next())
    axis.push_back(valueAt(at));
  for (double x : axis)
    magnitude = std::max(magnitude, std::fabs(x));
  llvm::sort(axis);
  // Sums that differ by rounding alone are one.
  double gap = 1e-13 * (1 + magnitude);
  axis.erase(std::unique(axis.begin(), axis.end(),
                         [&](double a, double b) { return b - a <= gap; }),
             axis.end());

  FunctionTable result;
  llvm::SmallVector<size_t, 3> kept;
  for (size_t d = 0; d < dims; ++d) {
    if (!axes[d].empty())
      continue;
    kept.push_back(d);
    result.sources.push_back(table.sources[d]);
    result.sizes.push_back(table.sizes[d]);
  }
  rawDim = kept.size();
  auto summed = llvm::find_if(axes, [](auto &own) { return !own.empty(); });
  result.sources.push_back(
      table.sources[static_cast<size_t>(summed - axes.begin())]);
  result.sizes.push_back(static_cast<uint32_t>(axis.size()));
  size_t size = 1;
  for (uint32_t own : result.sizes)
    size *= own;
  result.entries.assign(size, anyNumber);
  Odometer again(table.sizes);
  for (size_t e = 0; e < table.entries.size(); ++e, again.next()) {
    if (std::isnan(table.entries[e]))
      continue;
    size_t index = 0;
    for (size_t d : kept)
      index = index * table.sizes[d] + again.at[d];
    auto own = std::prev(
        std::upper_bound(axis.begin(), axis.end(), valueAt(again) + gap / 2));
    double &entry = result.entries[index * axis.size() +
                                   static_cast<size_t>(own - axis.begin())];
    if (!std::isnan(entry) && entry != table.entries[e])
      return std::nullopt;
    entry = table.entries[e];
  }
  return result;
}

std::optional<View> Lowering::emitSumCells(const FunctionTable &table,
                                           llvm::ArrayRef<LinearForm> forms,
                                           const Naming &naming) {
  std::vector<RawSum> sums = rawSums(table, forms);
  if (sums.empty())
    return std::nullopt;
  // No sum is worth a layer.
  Gates apart(table);
  unsigned latest = cellPlans(apart).front().time;
  for (RawSum &sum : sums) {
    if (failed || timeOf(circuit, sum.coordinate) > latest)
      return std::nullopt;
    size_t rawDim = 0;
    std::vector<double> axis;
    std::optional<FunctionTable> merged =
        tableOverSum(table, sum.axes, sum.constant, rawDim, axis);
    if (!merged)
      continue;
    Cells cells = makeCells(Gates(*merged), rawDim);
    if (failed)
      return std::nullopt;
    cells.coordinate = std::move(sum.coordinate);
    cells.axis = std::move(axis);
    if (std::optional<View> view = emitProfileCells(cells, naming))
      return view;
  }
  return std::nullopt;
}
