//===- runtime/CertificateScores.cpp - scores of one head -----------------===//

#include "runtime/CertificateScores.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace rasp::rt;

template <typename... Args>
static llvm::Error fail(const char *format, Args... args) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), format,
                                 args...);
}

/// Beyond these a head is refused rather than looked at for minutes.
static constexpr double mostCombinations = 1 << 22, mostProducts = 4e9;

namespace {
/// What one joint value of a group adds to the columns that the group reaches.
struct Contribution {
  std::vector<Bound> byColumn; ///< parallel to Group::columns
};

/// Variables that some column or domain ties together.
struct Group {
  llvm::SmallVector<unsigned, 3> variables;
  std::vector<unsigned> columns;
  std::vector<Contribution> contributions; ///< distinct
};

/// The keys or the queries of a head.
struct Side {
  std::vector<Group> groups;
  std::vector<Bound> constants; ///< by column
  std::vector<Bound> atBos;     ///< by column
  bool exact = true;            ///< nothing was rounded and nothing has errors
};

/// A part of the score that depends on these groups alone.
struct Component {
  std::vector<size_t> keys, queries;
};

/// The joint contributions of several groups of a side, over all columns.
struct Vectors {
  std::vector<unsigned> columns;
  std::vector<std::vector<Bound>> entries;
};

/// A non-zero entry of a column of keys or queries.
struct Factor {
  unsigned column = 0;
  Bound x;
  double grid = HUGE_VAL;
  bool isZero() const { return x.value == 0 && x.error == 0; }
};

/// Product of two bounds as a bound.
Bound times(const Bound &a, const Bound &b) {
  return {a.value * b.value, std::fabs(a.value) * b.error +
                                 std::fabs(b.value) * a.error +
                                 a.error * b.error};
}

/// A score and the sum of the magnitudes of its terms; rounding is counted
/// once, for the sum over all components.
struct Score : Bound {
  double magnitude = 0, grid = HUGE_VAL;
  unsigned terms = 0;

  void add(const Factor &a, const Factor &b) {
    if (a.isZero() || b.isZero())
      return;
    Bound product = times(a.x, b.x);
    value += product.value;
    error += product.error;
    magnitude += std::fabs(product.value) + product.error;
    grid = std::min(grid, a.grid * b.grid);
    ++terms;
  }
  Score &operator+=(const Score &other) {
    value += other.value;
    error += other.error;
    magnitude += other.magnitude;
    grid = std::min(grid, other.grid);
    terms += other.terms;
    return *this;
  }
};

/// Vectors by their non-zero entries.
struct SparseVectors {
  std::vector<std::vector<Factor>> entries;

  explicit SparseVectors(const Vectors &vectors) {
    for (const std::vector<Bound> &vector : vectors.entries) {
      std::vector<Factor> &own = entries.emplace_back();
      for (auto [column, x] : llvm::zip(vectors.columns, vector))
        if (Factor factor{column, x, gridOf(x.value)}; !factor.isZero())
          own.push_back(factor);
    }
  }
  double density() const {
    double sum = 0;
    for (const std::vector<Factor> &own : entries)
      sum += static_cast<double>(own.size());
    return sum / static_cast<double>(std::max<size_t>(1, entries.size()));
  }
};

class ScoreBounder {
public:
  ScoreBounder(Tables &tables, const Head &weights,
               const Certificate::Head &head, unsigned dHead)
      : tables(tables), weights(weights), head(head), width(dHead),
        root(std::ceil(std::sqrt(dHead))), stretch(root / std::sqrt(dHead)),
        unit(head.step * root) {}

  llvm::Expected<ScoreBounds> run();

private:
  llvm::Expected<Side> makeSide(const Matrix &matrix, const Vector &bias,
                                llvm::ArrayRef<unsigned> domains);
  /// Which joint values of those variables that a domain shares with others it
  /// excludes whatever the rest is; none if that is nothing.
  std::optional<std::pair<llvm::SmallVector<unsigned, 3>, std::vector<bool>>>
  project(const Certificate::Domain &domain,
          llvm::ArrayRef<unsigned> variables) const;
  llvm::Error fillGroup(Group &group, Side &side,
                        llvm::ArrayRef<TableView> columns,
                        llvm::ArrayRef<unsigned> domains);
  std::vector<Component> components() const;
  llvm::Expected<Vectors> combine(const Side &side,
                                  llvm::ArrayRef<size_t> groups) const;
  Score dot(llvm::ArrayRef<unsigned> columns, llvm::ArrayRef<Bound> key,
            llvm::ArrayRef<Bound> queryByColumn) const;
  double roundingOf(llvm::ArrayRef<unsigned> columns, llvm::ArrayRef<Bound> key,
                    llvm::ArrayRef<Bound> queryByColumn) const;
  llvm::Error boundComponent(const Component &component, bool onlyOne);
  llvm::Error boundProportional(const Vectors &keys, const Vectors &queries);
  llvm::Error addUpComponents();
  llvm::Error boundBos();
  /// Rounding of a sum of products, relative to its magnitude; zeros are added
  /// without.
  double sumRounding(double terms) const {
    return 1.01 * tables.certificate.unitRoundoff * (terms + 1);
  }
  llvm::Error boundDivision();

  Tables &tables;
  const Head &weights;
  const Certificate::Head &head;
  unsigned width;
  double root; ///< of d_head, rounded up to an integer
  /// Logits are scores times the step times this, which is at least 1.
  double stretch;
  double unit; ///< a score of 1 as a product of columns
  Side keys, queries;
  /// Rounding of a dot product, relative to the sum of magnitudes; none where
  /// all products are exact.
  double dotRounding = 0;
  /// Of the pairs that are selected in a component, added up over components:
  /// magnitudes, numbers of terms, their common grid, and whether all of them
  /// are exact.
  double selectedMagnitude = 0, selectedGrid = HUGE_VAL;
  unsigned selectedTerms = 0;
  bool selectedExact = true;
  double selected = 0; ///< what the components' selected scores add up to
  ScoreBounds result;
};
} // namespace

std::optional<std::pair<llvm::SmallVector<unsigned, 3>, std::vector<bool>>>
ScoreBounder::project(const Certificate::Domain &domain,
                      llvm::ArrayRef<unsigned> variables) const {
  llvm::SmallVector<unsigned, 3> common;
  for (unsigned variable : domain.variables)
    if (llvm::is_contained(variables, variable))
      common.push_back(variable);
  if (domain.excluded.empty() || common.empty())
    return std::nullopt;
  std::vector<bool> excluded(tables.sizeOf(common), true);
  JointWalk walk(tables, domain.variables);
  unsigned at = walk.follow(common);
  for (size_t i = 0; i < walk.size(); ++i, walk.next())
    if (!domain.excluded[i])
      excluded[walk.at(at)] = false;
  return std::pair(common, std::move(excluded));
}

llvm::Error ScoreBounder::fillGroup(Group &group, Side &side,
                                    llvm::ArrayRef<TableView> columns,
                                    llvm::ArrayRef<unsigned> domains) {
  double combinations = 1;
  for (unsigned variable : group.variables)
    combinations *= tables.sizeOf(variable);
  if (combinations > mostCombinations)
    return fail("%.0f joint keys or queries, more than can be checked",
                combinations);
  JointWalk walk(tables, group.variables);
  std::map<unsigned, unsigned> followed; // by table
  for (unsigned column : group.columns)
    for (const TableTerm &term : columns[column].terms)
      if (!followed.count(term.table))
        followed[term.table] = walk.follow(tables.tables[term.table].variables);
  std::vector<std::pair<unsigned, std::vector<bool>>> masks;
  for (unsigned index : domains)
    if (auto mask = project(tables.certificate.domains[index], group.variables))
      masks.emplace_back(walk.follow(mask->first), std::move(mask->second));
  // Rounding of a column's sum: for each joint value where the group has all
  // terms, else spread over what adds to it.
  std::vector<double> relative;
  std::vector<bool> complete;
  for (unsigned column : group.columns) {
    const TableView &view = columns[column];
    complete.push_back(llvm::all_of(view.terms, [&](const TableTerm &term) {
      return llvm::is_contained(group.variables,
                                tables.tables[term.table].variables.front());
    }));
    double bound =
        view.rounded ? 0 : tables.worstRounding(view.terms, view.constant);
    size_t count = view.terms.size() + (view.constant.value != 0);
    relative.push_back(bound == 0 ? 0
                                  : 1.01 * tables.certificate.unitRoundoff *
                                        static_cast<double>(count));
    side.exact &= bound == 0;
  }
  // Joint values that give the same up to the rounding of the tables are one.
  std::map<std::vector<std::pair<float, bool>>, Contribution> distinct;
  JointFilter filter(tables, walk, group.variables);
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    if (llvm::any_of(
            masks,
            [&](auto &mask) { return mask.second[walk.at(mask.first)]; }) ||
        !filter.admits())
      continue;
    Contribution contribution;
    for (size_t c = 0; c < group.columns.size(); ++c) {
      Bound sum = side.constants[group.columns[c]];
      double magnitude = std::fabs(sum.value);
      RoundingBound rounding(tables.certificate.unitRoundoff);
      rounding.addTerm({sum.value, 0});
      for (const TableTerm &term : columns[group.columns[c]].terms) {
        const DirectionTable &table = tables.tables[term.table];
        if (!llvm::is_contained(group.variables, table.variables.front()))
          continue;
        const Bound &x = table.entries[walk.at(followed[term.table])];
        sum.value += term.weight * x.value;
        sum.error += std::fabs(term.weight) * x.error;
        magnitude += std::fabs(term.weight) * (std::fabs(x.value) + x.error);
        rounding.addProduct(term.weight, x);
      }
      side.exact &= sum.error == 0;
      if (!columns[group.columns[c]].rounded)
        sum.error += complete[c] ? rounding.bound() : relative[c] * magnitude;
      contribution.byColumn.push_back(sum);
    }
    std::vector<std::pair<float, bool>> key;
    for (const Bound &bound : contribution.byColumn)
      key.emplace_back(static_cast<float>(bound.value), bound.error == 0);
    auto [it, isNew] = distinct.try_emplace(std::move(key), contribution);
    if (isNew)
      continue;
    for (auto [known, own] :
         llvm::zip(it->second.byColumn, contribution.byColumn))
      known.error =
          std::max(known.error, own.error + std::fabs(own.value - known.value));
  }
  for (auto &entry : distinct)
    group.contributions.push_back(std::move(entry.second));
  // Its constant now belongs to the first group that reaches a column.
  for (unsigned column : group.columns)
    side.constants[column] = Bound();
  return llvm::Error::success();
}

llvm::Expected<Side> ScoreBounder::makeSide(const Matrix &matrix,
                                            const Vector &bias,
                                            llvm::ArrayRef<unsigned> domains) {
  Side side;
  std::vector<TableView> columns = tables.columnsOf(matrix, bias);
  for (const TableView &column : columns)
    side.atBos.push_back(tables.atBos(column));
  llvm::SmallVector<unsigned> ofDomains;
  for (unsigned index : domains)
    for (unsigned variable : tables.certificate.domains[index].variables)
      ofDomains.push_back(variable);
  tables.useForms(ofDomains, columns);

  llvm::EquivalenceClasses<unsigned> classes;
  auto tie = [&](llvm::ArrayRef<unsigned> variables) {
    for (unsigned variable : variables)
      classes.unionSets(variables.front(), variable);
  };
  for (TableView &column : columns) {
    // What is the same for all keys belongs to the constant.
    llvm::erase_if(column.terms, [&](const TableTerm &term) {
      const DirectionTable &table = tables.tables[term.table];
      if (!table.variables.empty())
        return false;
      column.constant.value += term.weight * table.entries[0].value;
      column.constant.error += std::fabs(term.weight) * table.entries[0].error;
      return true;
    });
    llvm::SmallVector<unsigned, 3> together;
    double combinations = 1;
    for (const TableTerm &term : column.terms) {
      tie(tables.tables[term.table].variables);
      for (unsigned variable : tables.tables[term.table].variables)
        if (!llvm::is_contained(together, variable)) {
          together.push_back(variable);
          combinations *= tables.sizeOf(variable);
        }
    }
    // Terms that cancel do so for joint values only.
    constexpr double fewCombinations = 1 << 16;
    if (!together.empty() && combinations <= fewCombinations)
      tie(together);
    side.constants.push_back(column.constant);
    side.exact &= column.constant.error == 0;
  }
  for (unsigned index : domains) {
    const Certificate::Domain &domain = tables.certificate.domains[index];
    llvm::SmallVector<unsigned, 3> used;
    for (unsigned variable : domain.variables)
      if (classes.findValue(variable) != classes.end())
        used.push_back(variable);
    if (!used.empty() && !domain.excluded.empty())
      tie(used);
  }
  for (auto it = classes.begin(); it != classes.end(); ++it) {
    if (!it->isLeader())
      continue;
    Group group;
    group.variables.assign(classes.member_begin(it), classes.member_end());
    llvm::sort(group.variables);
    for (unsigned c = 0; c < columns.size(); ++c)
      if (llvm::any_of(columns[c].terms, [&](const TableTerm &term) {
            return llvm::is_contained(
                group.variables, tables.tables[term.table].variables.front());
          }))
        group.columns.push_back(c);
    if (group.columns.empty())
      continue;
    if (llvm::Error error = fillGroup(group, side, columns, domains))
      return error;
    side.groups.push_back(std::move(group));
  }
  return side;
}

std::vector<Component> ScoreBounder::components() const {
  llvm::EquivalenceClasses<unsigned> classes;
  auto count = static_cast<unsigned>(keys.groups.size());
  for (unsigned g = 0; g < count; ++g)
    classes.insert(g);
  for (unsigned h = 0; h < queries.groups.size(); ++h) {
    classes.insert(count + h);
    for (unsigned g = 0; g < count; ++g)
      if (llvm::any_of(keys.groups[g].columns, [&](unsigned column) {
            return llvm::is_contained(queries.groups[h].columns, column);
          }))
        classes.unionSets(g, count + h);
  }
  std::vector<Component> result;
  for (auto it = classes.begin(); it != classes.end(); ++it) {
    if (!it->isLeader())
      continue;
    Component component;
    for (unsigned member :
         llvm::make_range(classes.member_begin(it), classes.member_end()))
      if (member < count)
        component.keys.push_back(member);
      else
        component.queries.push_back(member - count);
    result.push_back(std::move(component));
  }
  return result;
}

llvm::Expected<Vectors>
ScoreBounder::combine(const Side &side, llvm::ArrayRef<size_t> groups) const {
  Vectors vectors;
  for (size_t g : groups)
    for (unsigned column : side.groups[g].columns)
      if (!llvm::is_contained(vectors.columns, column))
        vectors.columns.push_back(column);
  llvm::sort(vectors.columns);
  vectors.entries.push_back(std::vector<Bound>(vectors.columns.size()));
  for (size_t g : groups) {
    const Group &group = side.groups[g];
    if (static_cast<double>(vectors.entries.size()) *
            static_cast<double>(group.contributions.size()) >
        mostCombinations)
      return fail("too many different keys or queries to be checked");
    std::vector<std::vector<Bound>> next;
    for (const std::vector<Bound> &entry : vectors.entries)
      for (const Contribution &contribution : group.contributions) {
        std::vector<Bound> sum = entry;
        for (auto [column, bound] :
             llvm::zip(group.columns, contribution.byColumn)) {
          auto at = llvm::lower_bound(vectors.columns, column) -
                    vectors.columns.begin();
          sum[static_cast<size_t>(at)].value += bound.value;
          sum[static_cast<size_t>(at)].error += bound.error;
        }
        next.push_back(std::move(sum));
      }
    vectors.entries = std::move(next);
  }
  return vectors;
}

Score ScoreBounder::dot(llvm::ArrayRef<unsigned> columns,
                        llvm::ArrayRef<Bound> key,
                        llvm::ArrayRef<Bound> queryByColumn) const {
  Score sum;
  for (auto [column, x] : llvm::zip(columns, key))
    sum.add(
        {column, x, gridOf(x.value)},
        {column, queryByColumn[column], gridOf(queryByColumn[column].value)});
  return sum;
}

/// Rounding of one score: of its products, of their sum in any order, and of
/// the division by the root of d_head.
double ScoreBounder::roundingOf(llvm::ArrayRef<unsigned> columns,
                                llvm::ArrayRef<Bound> key,
                                llvm::ArrayRef<Bound> queryByColumn) const {
  if (dotRounding == 0)
    return 0;
  double u = tables.certificate.unitRoundoff;
  double products = 0, magnitude = 0, sum = 0;
  unsigned count = 0;
  for (auto [column, x] : llvm::zip(columns, key)) {
    const Bound &y = queryByColumn[column];
    double size =
        (std::fabs(x.value) + x.error) * (std::fabs(y.value) + y.error);
    if (size == 0)
      continue;
    ++count;
    sum += x.value * y.value;
    magnitude += size;
    bool exact = x.error == 0 && y.error == 0 &&
                 size <= gridOf(x.value) * gridOf(y.value) / u;
    products += exact ? 0 : size;
  }
  // Two terms have one sum; its error is relative to what comes out.
  double additions = count <= 1   ? 0
                     : count == 2 ? std::fabs(sum) + 2 * u * magnitude
                                  : (count - 1) * magnitude;
  return 1.01 * u * (products + additions + std::fabs(sum));
}

llvm::Error ScoreBounder::boundProportional(const Vectors &k,
                                            const Vectors &q) {
  // All scores of a query share its error, so what counts is the difference of
  // two keys.
  for (const std::vector<Bound> &query : q.entries) {
    std::vector<Bound> byColumn(queries.constants.begin(),
                                queries.constants.end());
    for (auto [column, x] : llvm::zip(q.columns, query)) {
      byColumn[column].value += x.value;
      byColumn[column].error += x.error;
    }
    const std::vector<Bound> *best = nullptr;
    double largest = -HUGE_VAL;
    for (const std::vector<Bound> &key : k.entries)
      if (double score = dot(k.columns, key, byColumn).value; score > largest) {
        largest = score;
        best = &key;
      }
    double ofBest = roundingOf(k.columns, *best, byColumn);
    auto compare = [&](llvm::ArrayRef<Bound> other) {
      Bound difference;
      for (size_t i = 0; i < k.columns.size(); ++i) {
        const Bound &own = byColumn[k.columns[i]];
        double step = (*best)[i].value - other[i].value;
        double errors = (*best)[i].error + other[i].error;
        difference.value += step * own.value;
        difference.error += std::fabs(step) * own.error +
                            errors * (std::fabs(own.value) + own.error);
      }
      difference.error += ofBest + roundingOf(k.columns, other, byColumn);
      double distance = (difference.value - difference.error) / unit;
      if (difference.value / unit < 0.25)
        result.tieError = std::max(
            result.tieError, (difference.value + difference.error) / unit);
      else
        result.distance = std::min(result.distance, distance);
    };
    for (const std::vector<Bound> &key : k.entries)
      if (&key != best)
        compare(key);
    // BOS has a key of zeros, or nearly.
    std::vector<Bound> bos;
    for (unsigned column : k.columns) {
      Bound own = keys.atBos[column];
      own.value -= keys.constants[column].value;
      bos.push_back(own);
    }
    compare(bos);
  }
  return llvm::Error::success();
}

llvm::Error ScoreBounder::boundComponent(const Component &component,
                                         bool onlyOne) {
  llvm::Expected<Vectors> k = combine(keys, component.keys);
  if (!k)
    return k.takeError();
  llvm::Expected<Vectors> q = combine(queries, component.queries);
  if (!q)
    return q.takeError();
  double products = static_cast<double>(k->entries.size()) *
                    static_cast<double>(q->entries.size()) *
                    static_cast<double>(k->columns.size() + 1);
  if (products > mostProducts)
    return fail("%zu keys times %zu queries are more than can be checked",
                k->entries.size(), q->entries.size());
  if (head.proportional) {
    if (!onlyOne)
      return fail("scores that depend on the query are no single equality");
    return boundProportional(*k, *q);
  }
  // A score is 1 (or 0, for a penalty) where the conjunct holds.
  std::vector<Score> fromKey;
  for (const std::vector<Bound> &key : k->entries)
    fromKey.push_back(dot(k->columns, key, queries.constants));
  std::vector<Score> fromQuery;
  for (const std::vector<Bound> &query : q->entries)
    fromQuery.push_back(dot(q->columns, query, keys.constants));
  // The side with fewer non-zeros is gone through entry by entry.
  SparseVectors inner(*k), outer(*q);
  bool swapped = outer.density() < inner.density();
  if (swapped)
    std::swap(inner, outer);
  std::vector<Factor> byColumn(width);
  // Twice over all pairs: for the largest score, then for distances from it.
  auto visit = [&](auto fn) {
    for (size_t o = 0; o < outer.entries.size(); ++o) {
      for (const Factor &factor : outer.entries[o])
        byColumn[factor.column] = factor;
      for (size_t i = 0; i < inner.entries.size(); ++i) {
        Score score = fromKey[swapped ? o : i];
        score += fromQuery[swapped ? i : o];
        for (const Factor &factor : inner.entries[i])
          score.add(factor, byColumn[factor.column]);
        fn(score);
      }
      for (const Factor &factor : outer.entries[o])
        byColumn[factor.column] = Factor();
    }
  };
  double largest = -HUGE_VAL;
  visit([&](const Score &score) {
    largest = std::max(largest, score.value / unit);
  });
  if (!std::isfinite(largest))
    return llvm::Error::success(); // no key or no query
  double mostSelected = 0, tie = 0;
  unsigned mostTerms = 0;
  visit([&](const Score &score) {
    double own = score.value / unit, error = score.error / unit;
    if (own <= largest - 0.25) {
      error += sumRounding(score.terms) * score.magnitude / unit;
      result.distance = std::min(result.distance, largest - own - error);
      return;
    }
    tie = std::max(tie, largest - own + error);
    mostSelected = std::max(mostSelected, score.magnitude);
    mostTerms = std::max(mostTerms, score.terms);
    selectedExact &= score.error == 0;
    selectedGrid = std::min(selectedGrid, score.grid);
  });
  result.tieError += tie;
  selectedMagnitude += mostSelected;
  selectedTerms += mostTerms;
  selected += largest;
  return llvm::Error::success();
}

llvm::Error ScoreBounder::addUpComponents() {
  for (size_t c = 0; c < keys.constants.size(); ++c) {
    const Bound &x = keys.constants[c], &y = queries.constants[c];
    if (x.value == 0 || y.value == 0)
      continue;
    selected += x.value * y.value / unit;
    selectedMagnitude += std::fabs(x.value * y.value);
    ++selectedTerms;
    selectedGrid = std::min(selectedGrid, gridOf(x.value) * gridOf(y.value));
  }
  double rounding = sumRounding(selectedTerms) * selectedMagnitude / unit;
  if (!selectedExact ||
      selectedMagnitude > selectedGrid / tables.certificate.unitRoundoff)
    result.tieError += rounding;
  // A pair may be selected in all components but one.
  result.distance -= result.tieError + rounding;
  if (selected > head.selected + 0.25)
    return fail("selected keys score %g, not %g", selected, head.selected);
  // Where a conjunct never holds no key is selected, and what comes closest
  // must still stay below BOS.
  if (selected < head.selected - 0.25) {
    result.distance =
        std::min(result.distance, head.selected - selected - result.tieError);
    result.tieError = 0;
    selected = head.selected;
  }
  return llvm::Error::success();
}

llvm::Error ScoreBounder::boundBos() {
  // The score of BOS for any query, and of any key for BOS.
  auto range = [&](const Side &side, llvm::ArrayRef<Bound> other) {
    double constant = 0, low = 0, high = 0, error = 0, magnitude = 0;
    RoundingBound rounding(tables.certificate.unitRoundoff);
    for (size_t c = 0; c < side.constants.size(); ++c) {
      Bound product = times(side.constants[c], other[c]);
      constant += product.value;
      error += product.error;
      rounding.addProduct(side.constants[c].value, other[c]);
    }
    for (const Group &group : side.groups) {
      double least = HUGE_VAL, most = -HUGE_VAL, worst = 0, largest = 0;
      for (const Contribution &own : group.contributions) {
        Bound sum;
        double size = 0;
        for (auto [column, x] : llvm::zip(group.columns, own.byColumn)) {
          Bound product = times(x, other[column]);
          sum.value += product.value;
          sum.error += product.error;
          size += std::fabs(product.value);
        }
        least = std::min(least, sum.value);
        most = std::max(most, sum.value);
        worst = std::max(worst, sum.error);
        largest = std::max(largest, size);
      }
      if (group.contributions.empty())
        continue;
      low += least;
      high += most;
      error += worst;
      magnitude += largest;
    }
    if (magnitude > 0)
      error += dotRounding * (magnitude + std::fabs(constant));
    error += rounding.bound();
    return std::tuple((constant + low) / unit, (constant + high) / unit,
                      error / unit);
  };
  if (!head.proportional) {
    auto [low, high, error] = range(queries, keys.atBos);
    double tie =
        std::max(std::fabs(low - selected), std::fabs(high - selected));
    if (tie < 0.25) {
      result.bosCounts = true;
      result.tieError += tie + error;
    } else {
      double below = selected - high - error;
      double above = low - error - (selected - result.distance);
      if (below < 0.1 || above < 0.1)
        return fail("BOS scores %g to %g, selected keys %g", low, high,
                    selected);
      result.distance =
          std::min({result.distance, below - result.tieError, above});
    }
  }
  auto [low, high, error] = range(keys, queries.atBos);
  Bound own;
  for (size_t c = 0; c < keys.atBos.size(); ++c) {
    Bound product = times(keys.atBos[c], queries.atBos[c]);
    own.value += product.value;
    own.error += product.error + dotRounding * std::fabs(product.value);
  }
  double ahead = own.value / unit - high - own.error / unit - error;
  result.ofBos = ahead;
  return llvm::Error::success();
}

/// What the division by a root that is no integer does to scores. Equal ones
/// stay equal; the quotient of the largest one and of another are rounded.
llvm::Error ScoreBounder::boundDivision() {
  if (stretch == 1)
    return llvm::Error::success();
  if (head.proportional)
    return fail("d_head %u is no square, as large scores need", width);
  result.tieError *= stretch;
  double rounding = 1.01 * tables.certificate.unitRoundoff;
  for (double *distance : {&result.distance, &result.ofBos})
    *distance -= 2 * rounding * (std::fabs(selected) + std::fabs(*distance));
  return llvm::Error::success();
}

llvm::Expected<ScoreBounds> ScoreBounder::run() {
  llvm::Expected<Side> k = makeSide(weights.wK, weights.bK, head.keys);
  if (!k)
    return k.takeError();
  keys = std::move(*k);
  llvm::Expected<Side> q = makeSide(weights.wQ, weights.bQ, head.queries);
  if (!q)
    return q.takeError();
  queries = std::move(*q);

  // Products of exact columns add up exactly while the significand holds them.
  auto inUse = [](const Side &side, size_t column) {
    return side.constants[column].value != 0 || side.atBos[column].value != 0 ||
           llvm::any_of(side.groups, [&](const Group &group) {
             return llvm::is_contained(group.columns, column);
           });
  };
  double columns = 0;
  for (size_t c = 0; c < keys.constants.size(); ++c)
    columns += inUse(keys, c) && inUse(queries, c);
  dotRounding = sumRounding(columns);
  if (keys.exact && queries.exact) {
    double magnitude = 0, grid = HUGE_VAL;
    auto extremes = [&](const Side &side, size_t column) {
      double size = std::fabs(side.constants[column].value);
      double finest = gridOf(side.constants[column].value);
      for (const Group &group : side.groups) {
        auto at = llvm::find(group.columns, column);
        if (at == group.columns.end())
          continue;
        double largest = 0;
        for (const Contribution &own : group.contributions) {
          double value =
              own.byColumn[static_cast<size_t>(at - group.columns.begin())]
                  .value;
          largest = std::max(largest, std::fabs(value));
          finest = std::min(finest, gridOf(value));
        }
        size += largest;
      }
      return std::pair(size, finest);
    };
    for (size_t c = 0; c < keys.constants.size(); ++c) {
      auto [keySize, keyGrid] = extremes(keys, c);
      auto [querySize, queryGrid] = extremes(queries, c);
      if (keySize == 0 || querySize == 0)
        continue;
      magnitude += keySize * querySize;
      grid = std::min(grid, keyGrid * queryGrid);
    }
    if (magnitude <= grid / tables.certificate.unitRoundoff)
      dotRounding = 0;
  }

  std::vector<Component> parts = components();
  for (const Component &part : parts)
    if (llvm::Error error = boundComponent(part, parts.size() == 1))
      return error;
  if (!head.proportional)
    if (llvm::Error error = addUpComponents())
      return error;
  if (llvm::Error error = boundBos())
    return error;
  if (llvm::Error error = boundDivision())
    return error;
  return result;
}

llvm::Expected<ScoreBounds> rasp::rt::boundScores(Tables &tables,
                                                  const Head &weights,
                                                  const Certificate::Head &head,
                                                  unsigned dHead) {
  return ScoreBounder(tables, weights, head, dHead).run();
}
