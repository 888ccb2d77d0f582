//===- runtime/HiddenSum.cpp - hidden units, added up ---------------------===//

#include "runtime/HiddenSum.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace rasp::rt;

HiddenSum::HiddenSum(llvm::ArrayRef<TableTerm> neurons,
                     llvm::ArrayRef<TableView> views, double unitRoundoff)
    : neurons(neurons), views(views), unit(unitRoundoff), local(views.size()) {
  std::map<unsigned, unsigned> position;
  for (size_t n = 0; n < views.size(); ++n)
    for (const TableTerm &term : views[n].terms) {
      auto [it, isNew] = position.try_emplace(
          term.table, static_cast<unsigned>(inputs.size()));
      if (isNew)
        inputs.push_back(term.table);
      local[n].push_back(it->second);
    }
  least.resize(inputs.size());
  greatest.resize(inputs.size());
}

Bound HiddenSum::evaluate(llvm::ArrayRef<Bound> x) {
  std::fill(least.begin(), least.end(), 0);
  std::fill(greatest.begin(), greatest.end(), 0);
  Bound sum;
  RoundingBound outer(unit);
  for (size_t n = 0; n < views.size(); ++n) {
    Bound input = views[n].constant;
    double magnitude = std::fabs(input.value);
    for (auto [term, at] : llvm::zip(views[n].terms, local[n])) {
      input.value += term.weight * x[at].value;
      input.error += std::fabs(term.weight) * x[at].error;
      magnitude += std::fabs(term.weight * x[at].value);
    }
    // Far below zero no rounding matters.
    if (input.value + 2 * input.error < -1e-2 * magnitude)
      continue;
    RoundingBound inner(unit);
    inner.addTerm({views[n].constant.value, 0});
    for (auto [term, at] : llvm::zip(views[n].terms, local[n]))
      inner.addProduct(term.weight, x[at]);
    double rounding = views[n].rounded ? 0 : inner.bound();
    double error = input.error + rounding;
    if (input.value + error <= 0)
      continue;
    double weight = neurons[n].weight;
    Bound on{std::max(0.0, input.value), error};
    outer.addProduct(weight, on);
    sum.value += weight * on.value;
    // A unit near its threshold may be on or off.
    bool surelyOn = input.value >= error;
    for (auto [term, at] : llvm::zip(views[n].terms, local[n])) {
      double slope = weight * term.weight;
      least[at] += surelyOn ? slope : std::min(0.0, slope);
      greatest[at] += surelyOn ? slope : std::max(0.0, slope);
    }
    sum.error += std::fabs(weight) * (rounding + views[n].constant.error);
  }
  for (size_t t = 0; t < inputs.size(); ++t)
    sum.error +=
        std::max(std::fabs(least[t]), std::fabs(greatest[t])) * x[t].error;
  sum.error += outer.bound();
  return sum;
}
