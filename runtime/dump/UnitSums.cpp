//===- runtime/dump/UnitSums.cpp - hidden units on every value ------------===//

#include "runtime/dump/UnitSums.h"

#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace rasp::rt;

namespace {
/// A table that is known once a variable has its value.
struct Input {
  unsigned table;
  llvm::SmallVector<size_t, 3> strides; ///< by variable
};

class UnitSummer {
public:
  UnitSummer(const Tables &tables, llvm::ArrayRef<unsigned> variables,
             llvm::ArrayRef<double> weights, llvm::ArrayRef<TableView> inputs);
  std::vector<double> run();

private:
  struct Active {
    unsigned unit;
    double sum;
  };
  void visit(size_t depth, size_t joint, const std::vector<Active> &active);
  void addInput(size_t unit, const TableTerm &term);

  const Tables &tables;
  llvm::ArrayRef<unsigned> variables;
  llvm::ArrayRef<double> weights;
  /// By depth, what becomes known there; 0 is before any variable.
  std::vector<std::vector<Input>> known;
  std::vector<std::map<unsigned, unsigned>> places;
  /// terms[depth][unit]: positions in `known[depth]`, and weights.
  std::vector<std::vector<llvm::SmallVector<std::pair<unsigned, double>, 2>>>
      terms;
  /// rest[depth][unit]: the most that is added from there on.
  std::vector<std::vector<double>> rest;
  std::vector<Active> constants;
  llvm::SmallVector<uint32_t, 4> values;
  std::vector<double> result;
};
} // namespace

UnitSummer::UnitSummer(const Tables &tables, llvm::ArrayRef<unsigned> variables,
                       llvm::ArrayRef<double> weights,
                       llvm::ArrayRef<TableView> inputs)
    : tables(tables), variables(variables), weights(weights),
      known(variables.size() + 1), places(known.size()), terms(known.size()),
      rest(known.size() + 1, std::vector<double>(inputs.size(), 0)),
      values(variables.size(), 0) {
  for (auto &own : terms)
    own.resize(inputs.size());
  for (auto [unit, view] : llvm::enumerate(inputs)) {
    constants.push_back({static_cast<unsigned>(unit), view.constant.value});
    for (const TableTerm &term : view.terms)
      addInput(unit, term);
  }
  for (size_t depth = known.size(); depth-- > 0;)
    for (size_t unit = 0; unit < inputs.size(); ++unit) {
      rest[depth][unit] = rest[depth + 1][unit];
      for (auto [place, weight] : terms[depth][unit]) {
        double most = -HUGE_VAL;
        for (const Bound &entry :
             tables.tables[known[depth][place].table].entries)
          most = std::max(most, weight * entry.value);
        rest[depth][unit] += most;
      }
    }
}

void UnitSummer::addInput(size_t unit, const TableTerm &term) {
  llvm::ArrayRef<unsigned> own = tables.tables[term.table].variables;
  size_t depth = 0;
  for (auto [i, variable] : llvm::enumerate(variables))
    if (llvm::is_contained(own, variable))
      depth = i + 1;
  auto [it, isNew] = places[depth].try_emplace(
      term.table, static_cast<unsigned>(known[depth].size()));
  if (isNew) {
    Input input{term.table, {}};
    for (unsigned variable : variables) {
      size_t stride = 0, product = 1;
      for (unsigned other : llvm::reverse(own)) {
        if (other == variable)
          stride = product;
        product *= tables.sizeOf(other);
      }
      input.strides.push_back(stride);
    }
    known[depth].push_back(std::move(input));
  }
  terms[depth][unit].emplace_back(it->second, term.weight);
}

void UnitSummer::visit(size_t depth, size_t joint,
                       const std::vector<Active> &active) {
  std::vector<double> x;
  for (const Input &input : known[depth]) {
    size_t at = 0;
    for (size_t v = 0; v < depth; ++v)
      at += values[v] * input.strides[v];
    x.push_back(tables.tables[input.table].entries[at].value);
  }
  std::vector<Active> next;
  for (const Active &own : active) {
    double sum = own.sum;
    for (auto [place, weight] : terms[depth][own.unit])
      sum += weight * x[place];
    // A hair more, for the order of the sum.
    double most = sum + rest[depth + 1][own.unit];
    if (most > -1e-6 * (1 + std::fabs(sum)))
      next.push_back({own.unit, sum});
  }
  if (depth == variables.size()) {
    for (const Active &own : next)
      result[joint] += weights[own.unit] * std::max(0.0, own.sum);
    return;
  }
  size_t size = tables.sizeOf(variables[depth]);
  if (next.empty())
    return;
  for (size_t value = 0; value < size; ++value) {
    values[depth] = static_cast<uint32_t>(value);
    visit(depth + 1, joint * size + value, next);
  }
}

std::vector<double> UnitSummer::run() {
  result.assign(tables.sizeOf(variables), 0);
  visit(0, 0, constants);
  return std::move(result);
}

std::vector<double> rasp::rt::sumUnits(const Tables &tables,
                                       llvm::ArrayRef<unsigned> variables,
                                       llvm::ArrayRef<double> weights,
                                       llvm::ArrayRef<TableView> inputs) {
  return UnitSummer(tables, variables, weights, inputs).run();
}
