//===- runtime/CertificateTables.cpp - directions by joint value ----------===//

#include "runtime/CertificateTables.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

using namespace rasp::rt;

double rasp::rt::gridOf(double value) {
  if (value == 0)
    return HUGE_VAL;
  // The lowest bit of the significand that is set, as a number.
  auto bits = llvm::bit_cast<uint64_t>(value);
  constexpr unsigned width = 52;
  auto exponent = static_cast<int>(bits >> width & 0x7ff);
  uint64_t significand = (bits & ((uint64_t(1) << width) - 1)) |
                         (exponent ? uint64_t(1) << width : 0);
  int field = std::max(exponent, 1) - static_cast<int>(width) +
              llvm::countr_zero(significand);
  if (field < 1)
    return std::ldexp(1.0, field - 1023);
  return llvm::bit_cast<double>(static_cast<uint64_t>(field) << width);
}

void RoundingBound::addProduct(double weight, const Bound &x, double gridOfX) {
  double product = weight * x.value;
  double size = std::fabs(product) + std::fabs(weight) * x.error;
  if (size == 0)
    return;
  ++count;
  sum += product;
  spread += std::fabs(weight) * x.error;
  magnitude += size;
  if (gridOf(weight) != std::fabs(weight))
    products += size;
  if (x.error == 0)
    grid = std::min(grid, gridOfX * gridOf(weight));
  else
    exact = false;
}

double RoundingBound::bound() const {
  if (count == 0 || (count == 1 && products == 0) ||
      (exact && magnitude <= grid / unit))
    return 0;
  // k roundings in a row: (1 + u)^k - 1 < ku / (1 - ku).
  double roundings = count * unit;
  double additions = count == 2 ? std::fabs(sum) + spread + 2 * unit * magnitude
                                : (count - 1) * magnitude;
  return unit * (products + additions) / (1 - roundings);
}

Tables::Tables(const Certificate &certificate)
    : certificate(certificate), tables(certificate.directions.size()),
      formTables(certificate.forms.size(), ~0u) {}

size_t Tables::sizeOf(llvm::ArrayRef<unsigned> variables) const {
  size_t size = 1;
  for (unsigned variable : variables)
    size *= sizeOf(variable);
  return size;
}

double Tables::worstError(unsigned table) const {
  double worst = 0;
  const std::vector<bool> *excluded = nullptr;
  if (table < certificate.directions.size())
    if (auto domain = certificate.directions[table].domain)
      excluded = &certificate.domains[*domain].excluded;
  const DirectionTable &own = tables[table];
  JointWalk walk(*this, own.variables);
  JointFilter filter(*this, walk, own.variables);
  for (size_t i = 0; i < own.entries.size(); ++i, walk.next())
    if (own.entries[i].error > worst &&
        (!excluded || excluded->empty() || !(*excluded)[i]) && filter.admits())
      worst = own.entries[i].error;
  return worst;
}

double Tables::worstRounding(llvm::ArrayRef<TableTerm> terms,
                             const Bound &constant) const {
  RoundingBound rounding(certificate.unitRoundoff);
  rounding.addTerm({std::fabs(constant.value), constant.error});
  for (const TableTerm &term : terms) {
    // The entry of largest size with the finest grid and the largest error.
    double size = 0, grid = HUGE_VAL, error = 0;
    for (const Bound &entry : tables[term.table].entries) {
      size = std::max(size, std::fabs(entry.value));
      grid = std::min(grid, gridOf(entry.value));
      error = std::max(error, entry.error);
    }
    rounding.addProduct(std::fabs(term.weight), {size, error}, grid);
  }
  return rounding.bound();
}

std::vector<TableView> Tables::columnsOf(const Matrix &weights,
                                         const Vector &bias) const {
  std::vector<TableView> columns(static_cast<size_t>(weights.cols()));
  for (size_t c = 0; c < columns.size(); ++c)
    columns[c].constant.value = bias[static_cast<Eigen::Index>(c)];
  for (Eigen::Index row = 0; row < weights.rows(); ++row)
    for (Matrix::InnerIterator it(weights, row); it; ++it)
      if (it.value() != 0)
        columns[static_cast<size_t>(it.col())].terms.push_back(
            {static_cast<unsigned>(row), it.value()});
  return columns;
}

Bound Tables::atBos(const TableView &view) const {
  RoundingBound rounding(certificate.unitRoundoff);
  Bound sum = view.constant;
  rounding.addTerm(view.constant);
  for (const TableTerm &term : view.terms) {
    const Bound &x = tables[term.table].atBos;
    sum.value += term.weight * x.value;
    sum.error += std::fabs(term.weight) * x.error;
    rounding.addProduct(term.weight, x);
  }
  sum.error += rounding.bound();
  return sum;
}

Bound Tables::evaluate(const TableView &view, const JointWalk &walk,
                       llvm::ArrayRef<unsigned> followed) const {
  Bound sum = view.constant;
  RoundingBound rounding(certificate.unitRoundoff);
  rounding.addTerm({sum.value, 0});
  for (auto [term, at] : llvm::zip(view.terms, followed)) {
    const Bound &x = tables[term.table].entries[walk.at(at)];
    sum.value += term.weight * x.value;
    sum.error += std::fabs(term.weight) * x.error;
    rounding.addProduct(term.weight, x);
  }
  if (!view.rounded)
    sum.error += rounding.bound();
  return sum;
}

double Tables::largestOf(unsigned table) const {
  double largest = 0;
  for (const Bound &entry : tables[table].entries)
    largest = std::max(largest, std::fabs(entry.value) + entry.error);
  return largest;
}

unsigned Tables::tableOfForm(size_t index) {
  if (formTables[index] != ~0u)
    return formTables[index];
  const Certificate::Form &form = certificate.forms[index];
  DirectionTable table;
  table.variables = {form.variable};
  // The directions' own errors, and how far their sums are from the values that
  // the form is said to take: the weights were rounded when they were stored.
  double error = 0, magnitude = 0;
  llvm::SmallVector<unsigned, 3> variables;
  bool numbered = true;
  for (auto [direction, weight] : form.terms) {
    const DirectionTable &own = tables[direction];
    error += std::fabs(weight) * worstError(direction);
    double largest = 0;
    for (const Bound &entry : own.entries)
      largest = std::max(largest, std::fabs(entry.value));
    // Heads bring in what is meant; MLPs have rounded weights.
    if (!certificate.directions[direction].variable)
      magnitude += std::fabs(weight) * largest;
    table.atBos.value += weight * own.atBos.value;
    table.atBos.error += std::fabs(weight) * own.atBos.error;
    for (unsigned variable : own.variables) {
      numbered &= !certificate.variables[variable].interval;
      if (!llvm::is_contained(variables, variable))
        variables.push_back(variable);
    }
  }
  constexpr size_t mostToVisit = 1 << 22;
  double combinations = 1;
  for (unsigned variable : variables)
    combinations *= sizeOf(variable);
  bool interval = certificate.variables[form.variable].interval;
  std::vector<double> sorted = form.values;
  llvm::erase_if(sorted, [](double d) { return std::isnan(d); });
  llvm::sort(sorted);
  sorted.erase(llvm::unique(sorted), sorted.end());
  // By value, what is seen where the directions stand for it.
  std::vector<double> seen(sorted.size(), -1);
  double distance = 0;
  if (numbered && !interval && combinations <= mostToVisit && !sorted.empty()) {
    JointWalk walk(*this, variables);
    std::vector<unsigned> followed;
    for (auto &term : form.terms)
      followed.push_back(walk.follow(tables[term.first].variables));
    for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
      double sum = form.constant, own = 0;
      for (auto [term, at] : llvm::zip(form.terms, followed)) {
        const Bound &entry = tables[term.first].entries[walk.at(at)];
        sum += term.second * entry.value;
        own += std::fabs(term.second) * entry.error;
      }
      auto above = llvm::lower_bound(sorted, sum);
      if (above == sorted.end() ||
          (above != sorted.begin() && sum - *std::prev(above) < *above - sum))
        --above;
      double apart = std::fabs(*above - sum);
      // Combinations that never occur may be anywhere.
      if (apart > 1e-3 * (1 + std::fabs(sum)))
        continue;
      double &worst = seen[static_cast<size_t>(above - sorted.begin())];
      worst = std::max(worst, own + apart);
      distance = std::max(distance, apart);
    }
  } else {
    distance = certificate.unitRoundoff * magnitude;
  }
  // The constant belongs to the view that reads the form.
  for (double value : form.values) {
    double bound = error + distance;
    auto at = llvm::lower_bound(sorted, value);
    if (at != sorted.end() && *at == value)
      if (double own = seen[static_cast<size_t>(at - sorted.begin())]; own >= 0)
        bound = std::min(bound, own);
    table.entries.push_back({value - form.constant, bound});
  }
  tables.push_back(std::move(table));
  return formTables[index] = static_cast<unsigned>(tables.size() - 1);
}

void Tables::countRounding(TableView &view) const {
  if (!view.rounded)
    view.constant.error += worstRounding(view.terms, view.constant);
  view.rounded = true;
}

void Tables::useForms(llvm::ArrayRef<unsigned> variables,
                      std::vector<TableView> &views) {
  for (size_t f = 0; f < certificate.forms.size(); ++f) {
    const Certificate::Form &form = certificate.forms[f];
    if (!llvm::is_contained(variables, form.variable))
      continue;
    auto weightIn = [](const TableView &view, unsigned direction) {
      auto found = llvm::find_if(view.terms, [&](const TableTerm &term) {
        return term.table == direction;
      });
      return found == view.terms.end() ? 0 : found->weight;
    };
    // Directions of several variables only: others are read as they are.
    auto isOwn = [&](unsigned direction) {
      return llvm::all_of(tables[direction].variables, [&](unsigned variable) {
        return llvm::is_contained(variables, variable);
      });
    };
    if (llvm::all_of(form.terms, [&](auto &term) { return isOwn(term.first); }))
      continue;
    std::vector<double> factors;
    bool fits = !form.terms.empty();
    for (const TableView &view : views) {
      double factor = 0;
      for (auto [direction, weight] : form.terms)
        if (!isOwn(direction))
          factor = weightIn(view, direction) / weight;
      for (auto [direction, weight] : form.terms)
        fits &= isOwn(direction) ||
                std::fabs(weightIn(view, direction) - factor * weight) <=
                    4 * certificate.unitRoundoff * std::fabs(factor * weight);
      factors.push_back(factor);
    }
    if (!fits)
      continue;
    unsigned own = tableOfForm(f);
    for (auto [view, factor] : llvm::zip(views, factors)) {
      if (factor == 0)
        continue;
      if (form.terms.size() > 1)
        countRounding(view);
      for (auto [direction, weight] : form.terms) {
        double rest = weightIn(view, direction) - factor * weight;
        auto position = llvm::find_if(view.terms, [&](const TableTerm &term) {
          return term.table == direction;
        });
        // What the stored weight differs by from the form's.
        if (!isOwn(direction) && rest != 0) {
          view.constant.error += std::fabs(rest) * largestOf(direction);
          rest = 0;
        }
        if (position == view.terms.end() && rest != 0)
          view.terms.push_back({direction, rest});
        else if (position != view.terms.end() && rest == 0)
          view.terms.erase(position);
        else if (position != view.terms.end())
          position->weight = rest;
      }
      view.terms.push_back({own, factor});
    }
  }
}

void Tables::useCombinations(llvm::ArrayRef<unsigned> variables,
                             std::vector<TableView> &views) {
  auto isOwn = [&](unsigned table) {
    return llvm::all_of(tables[table].variables, [&](unsigned variable) {
      return llvm::is_contained(variables, variable);
    });
  };
  // The shortest form of each variable; they come first.
  std::vector<size_t> chosen;
  std::vector<unsigned> directions;
  for (size_t f = 0; f < certificate.forms.size(); ++f) {
    const Certificate::Form &form = certificate.forms[f];
    bool known = llvm::any_of(chosen, [&](size_t other) {
      return certificate.forms[other].variable == form.variable;
    });
    if (known || !llvm::is_contained(variables, form.variable))
      continue;
    chosen.push_back(f);
    for (auto &term : form.terms)
      if (!isOwn(term.first) && !llvm::is_contained(directions, term.first))
        directions.push_back(term.first);
  }
  if (chosen.size() < 2 || directions.empty())
    return;
  auto row = [&](unsigned direction) {
    return static_cast<Eigen::Index>(llvm::find(directions, direction) -
                                     directions.begin());
  };
  auto rows = static_cast<Eigen::Index>(directions.size());
  Eigen::MatrixXd forms =
      Eigen::MatrixXd::Zero(rows, static_cast<Eigen::Index>(chosen.size()));
  for (auto [c, f] : llvm::enumerate(chosen))
    for (auto [direction, weight] : certificate.forms[f].terms)
      if (!isOwn(direction))
        forms(row(direction), static_cast<Eigen::Index>(c)) = weight;
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> solver(forms);
  for (TableView &view : views) {
    Eigen::VectorXd weights = Eigen::VectorXd::Zero(rows);
    bool covered = true;
    for (const TableTerm &term : view.terms) {
      if (isOwn(term.table))
        continue;
      covered &= llvm::is_contained(directions, term.table);
      if (covered)
        weights[row(term.table)] = term.weight;
    }
    if (!covered || weights.isZero())
      continue;
    Eigen::VectorXd factors = solver.solve(weights);
    Eigen::VectorXd rest = weights - forms * factors;
    if (rest.cwiseAbs().maxCoeff() > 1e-6 * weights.cwiseAbs().maxCoeff())
      continue;
    countRounding(view);
    for (auto [r, direction] : llvm::enumerate(directions))
      view.constant.error +=
          std::fabs(rest[static_cast<Eigen::Index>(r)]) * largestOf(direction);
    llvm::erase_if(view.terms,
                   [&](const TableTerm &term) { return !isOwn(term.table); });
    for (auto [c, f] : llvm::enumerate(chosen)) {
      double factor = factors[static_cast<Eigen::Index>(c)];
      // What is own of a form stays as it is read.
      if (std::fabs(factor) < 1e-12)
        continue;
      for (auto [direction, weight] : certificate.forms[f].terms)
        if (isOwn(direction))
          view.terms.push_back({direction, -factor * weight});
      view.terms.push_back({tableOfForm(f), factor});
    }
  }
}

void Tables::restrictTo(llvm::ArrayRef<unsigned> variables,
                        std::vector<TableView> &views) {
  useForms(variables, views);
  useCombinations(variables, views);
  for (TableView &view : views)
    llvm::erase_if(view.terms, [&](const TableTerm &term) {
      const DirectionTable &table = tables[term.table];
      if (llvm::all_of(table.variables, [&](unsigned variable) {
            return llvm::is_contained(variables, variable);
          }))
        return false;
      double low = HUGE_VAL, high = -HUGE_VAL;
      for (const Bound &entry : table.entries) {
        low = std::min(low, entry.value - entry.error);
        high = std::max(high, entry.value + entry.error);
      }
      view.constant.value += term.weight * (low + high) / 2;
      view.constant.error += std::fabs(term.weight) * (high - low) / 2;
      return true;
    });
}

JointWalk::JointWalk(const Tables &tables, llvm::ArrayRef<unsigned> variables)
    : tables(tables), variables(variables), counts(variables.size(), 0),
      strides(variables.size()) {
  for (unsigned variable : variables) {
    sizes.push_back(tables.sizeOf(variable));
    total *= sizes.back();
  }
}

unsigned JointWalk::follow(llvm::ArrayRef<unsigned> own) {
  for (size_t v = 0; v < variables.size(); ++v) {
    size_t stride = 0, product = 1;
    for (unsigned variable : llvm::reverse(own)) {
      if (variable == variables[v])
        stride = product;
      product *= tables.sizeOf(variable);
    }
    strides[v].push_back(stride);
  }
  offsets.push_back(0);
  return static_cast<unsigned>(offsets.size() - 1);
}

void JointWalk::next() {
  for (size_t v = counts.size(); v-- > 0;) {
    ++counts[v];
    for (size_t f = 0; f < offsets.size(); ++f)
      offsets[f] += strides[v][f];
    if (counts[v] < sizes[v])
      return;
    for (size_t f = 0; f < offsets.size(); ++f)
      offsets[f] -= strides[v][f] * sizes[v];
    counts[v] = 0;
  }
}

JointFilter::JointFilter(const Tables &tables, JointWalk &walk,
                         llvm::ArrayRef<unsigned> variables)
    : tables(tables), walk(walk) {
  for (const Certificate::Form &form : tables.certificate.forms) {
    bool known = llvm::is_contained(variables, form.variable) &&
                 !tables.certificate.variables[form.variable].interval;
    for (auto &term : form.terms) {
      const DirectionTable &own = tables.tables[term.first];
      known &=
          own.complete && llvm::all_of(own.variables, [&](unsigned variable) {
            return llvm::is_contained(variables, variable);
          });
    }
    if (!known)
      continue;
    Relation relation{&form, walk.follow(form.variable), {}};
    for (auto &term : form.terms)
      relation.followed.push_back(
          walk.follow(tables.tables[term.first].variables));
    relations.push_back(std::move(relation));
  }
}

bool JointFilter::admits() const {
  for (const Relation &relation : relations) {
    const Certificate::Form &form = *relation.form;
    double sum = form.constant, error = 0;
    for (auto [term, followed] : llvm::zip(form.terms, relation.followed)) {
      const Bound &x = tables.tables[term.first].entries[walk.at(followed)];
      sum += term.second * x.value;
      error += std::fabs(term.second) * x.error;
    }
    double meant = form.values[walk.at(relation.variable)];
    // Weights are rounded, and so is what the form adds up to.
    if (!std::isnan(meant) &&
        std::fabs(sum - meant) > error + 1e-6 * (1 + std::fabs(meant)))
      return false;
  }
  return true;
}
