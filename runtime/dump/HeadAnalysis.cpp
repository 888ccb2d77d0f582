//===- runtime/dump/HeadAnalysis.cpp - what one head does -----------------===//
//
// Scores are evaluated for every pair of a key and a query that differ in what
// the head reads of them or in what the selector compares. A key is selected
// if the weights give it as much as BOS, which is there to take what selects
// nothing; or, where scores are proportional to the query and something is
// always selected, if no other key has more.
//
//===----------------------------------------------------------------------===//

#include "runtime/dump/HeadAnalysis.h"
#include "runtime/Atom.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace rasp::rt;
using Leaves = llvm::SmallVector<uint32_t, 4>;

/// More joint values of one side, or more products of key and query columns,
/// are not looked at.
static constexpr double mostEntries = 1 << 21, mostProducts = 1 << 30;
/// Larger tables of what selects what are not kept.
static constexpr double mostCells = 1 << 20;

namespace {
/// The keys or queries of a head: what differs in columns or in what the
/// selector compares.
struct Side {
  llvm::SmallVector<unsigned, 4> variables;
  std::vector<std::vector<std::pair<unsigned, double>>> columns; ///< sparse
  std::vector<unsigned> leaves; ///< of `distinct`, by entry
  std::vector<Leaves> distinct; ///< ascending
  std::vector<size_t> example;  ///< a joint value, by entry
  std::vector<double> atBos;    ///< dense
  /// By entry, the least and the greatest position.
  std::vector<std::pair<size_t, size_t>> positions;
  /// The selector depends on more than the head reads, so that joint values
  /// are looked at of which nothing says that they occur.
  bool isExtended = false;
  size_t size() const { return columns.size(); }
};

class HeadAnalyser {
public:
  HeadAnalyser(Meanings &meanings, unsigned layer, unsigned number,
               std::vector<Verdict> &directions)
      : meanings(meanings), layer(layer), number(number),
        weights(meanings.model.layers[layer].heads[number]),
        directions(directions) {
    report.layer = layer;
    report.number = number;
  }
  HeadReport run();

private:
  void describe();
  const Certificate::Head *findClaim() const;
  void analyseMoves(const Certificate::Head &claimed);
  void analyseMove(const Certificate::Head &claimed, MoveReport &move);
  void checkValues(const MoveReport &move, const Certificate::Move &claimed,
                   Verdict &verdict);
  void holdTarget(unsigned target, Verdict &verdict);
  void analyseSelection(const Certificate::Head &claimed, unsigned selector);
  bool makeSide(const Matrix &matrix, const Vector &bias,
                llvm::ArrayRef<unsigned> domains, unsigned operand,
                llvm::StringRef what, Side &side, Verdict &verdict);
  bool collectFormula(unsigned selector, unsigned depth = 0);
  bool makeSteps();
  enum Truth : uint8_t { False, True, Fails };
  /// A `select` on the values that keys and queries have for it.
  struct Comparison {
    std::vector<unsigned> keys, queries; ///< by distinct entry of a side
    size_t width = 0;
    std::vector<Truth> holds; ///< [query][key]
  };
  void compareLeaves(const Side &keys, const Side &queries);
  /// An op of a selector, on the results of earlier steps.
  struct Step {
    enum Op : uint8_t { Select, Not, And, Or } op = Select;
    unsigned first = 0, second = 0;
  };
  /// Whether the program selects, by distinct entries of the sides.
  Truth evaluate(size_t key, size_t query);
  void compare(const Certificate::Head &claimed, const Side &keys,
               const Side &queries, SelectionReport &report);
  std::string describeEntry(const Side &side, size_t entry) const;
  void judgeHardness(const Certificate::Head &claimed, double spread);
  std::string textOfAtom(uint32_t value) const {
    return value == ValueTable::none ? "none"
                                     : displayText(meanings.atom(value));
  }

  Meanings &meanings;
  unsigned layer, number;
  const Head &weights;
  std::vector<Verdict> &directions;
  HeadReport report;
  llvm::SetVector<unsigned> selectors;
  /// The present selector: its nodes, operands first, those of them that are
  /// `select`, and the same as steps with what they come to.
  std::vector<unsigned> formula, selects;
  std::vector<Step> steps;
  std::vector<Truth> truths;
  std::vector<Comparison> comparisons; ///< parallel
};
} // namespace

static bool matters(const Affine &affine) {
  return !affine.terms.empty() || affine.constant != 0;
}

/// The directions with a non-zero in one of `columns`.
static std::vector<unsigned> rowsOf(const Matrix &matrix,
                                    const llvm::SmallBitVector &columns) {
  std::vector<unsigned> rows;
  for (Eigen::Index row = 0; row < matrix.rows(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      if (it.value() != 0 && columns[it.col()]) {
        rows.push_back(row);
        break;
      }
  return rows;
}

void HeadAnalyser::describe() {
  auto width = static_cast<unsigned>(weights.wQ.cols());
  llvm::SmallBitVector live(width);
  for (unsigned c = 0; c < width; ++c)
    live[c] = matters(columnOf(weights.wQ, weights.bQ, c)) &&
              matters(columnOf(weights.wK, weights.bK, c));
  report.rank = live.count();
  report.keyReads = rowsOf(weights.wK, live);
  report.queryReads = rowsOf(weights.wQ, live);
  std::set<unsigned> targets;
  for (Eigen::Index row = 0; row < weights.wO.rows(); ++row)
    for (Matrix::InnerIterator it(weights.wO, row); it; ++it)
      if (it.value() != 0)
        targets.insert(static_cast<unsigned>(it.col()));
  for (unsigned target : targets) {
    MoveReport move;
    move.target = target;
    move.value = movedInto(weights, target);
    if (matters(move.value))
      report.moves.push_back(std::move(move));
  }
  std::set<unsigned> lines;
  for (const MoveReport &move : report.moves)
    if (const Subspace *space = meanings.spaceOf(move.target))
      lines.insert(space->sourceLines.begin(), space->sourceLines.end());
  report.sourceLines.assign(lines.begin(), lines.end());
}

const Certificate::Head *HeadAnalyser::findClaim() const {
  for (const Certificate::Head &head : meanings.certificate->heads)
    if (head.layer == layer && head.head == number)
      return &head;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// What is moved
//===----------------------------------------------------------------------===//

/// Compares what a target is said to hold, by value of what the head brings
/// in, with its label.
void HeadAnalyser::holdTarget(unsigned target, Verdict &verdict) {
  const Certificate::Direction &claimed =
      meanings.certificate->directions[target];
  const Subspace *space = meanings.spaceOf(target);
  if (!claimed.variable || !space || claimed.values.empty()) {
    verdict.lower(Verdict::Unchecked,
                  "the certificate does not say what it may hold");
    return;
  }
  DirectionTable &table = meanings.tables->tables[target];
  table.variables = {*claimed.variable};
  table.entries.clear();
  for (double value : claimed.values)
    table.entries.push_back({value, claimed.error});
  table.atBos = {claimed.atBos, 0};
  table.complete = true;
  const ValueTable *values =
      meanings.valuesOf(space->variable, table.variables);
  if (!values) {
    verdict.lower(Verdict::Unchecked, "its values are not listed");
    return;
  }
  for (size_t i = 0; i < claimed.values.size(); ++i) {
    uint32_t value = values->entries[values->variables.empty() ? 0 : i];
    std::optional<NumberRange> range = meanings.claim(target, value);
    double number = claimed.values[i];
    double slack = claimed.error + 1e-9 * (1 + std::fabs(number));
    if (range && !std::isnan(number) &&
        (number < range->low - slack || number > range->high + slack))
      verdict.lower(Verdict::Wrong,
                    llvm::formatv("`{0}` holds {1} for {2}, its label says {3}",
                                  meanings.nameOf(target), number,
                                  textOfAtom(value), range->low));
  }
}

void HeadAnalyser::checkValues(const MoveReport &move,
                               const Certificate::Move &claimed,
                               Verdict &verdict) {
  Tables &tables = *meanings.tables;
  const Certificate::Direction &direction =
      meanings.certificate->directions[move.target];
  const Certificate::Domain &domain =
      meanings.certificate->domains[*claimed.domain];
  TableView view;
  for (auto [own, weight] : move.value.terms)
    view.terms.push_back({own, weight});
  view.constant.value = move.value.constant;
  std::vector<TableView> views{view};
  tables.restrictTo(domain.variables, views);
  double combinations = 1;
  for (unsigned variable : domain.variables)
    combinations *= tables.sizeOf(variable);
  if (combinations > mostEntries) {
    verdict.lower(Verdict::Unchecked, "too many keys to be looked at");
    return;
  }
  // What the program moves.
  const ValueTable *moved = nullptr;
  bool isMean = false;
  if (direction.variable) {
    const Certificate::Variable &variable =
        meanings.certificate->variables[*direction.variable];
    isMean = variable.kind == Certificate::VariableKind::Mean;
    if (auto node = meanings.graph.find(variable.name))
      if (const ProgramNode &own = meanings.graph.nodes()[*node];
          own.op == "aggregate" && own.operands.size() == 2)
        moved = meanings.valuesOf(own.operands[1], domain.variables);
  }
  JointWalk walk(tables, domain.variables);
  llvm::SmallVector<unsigned, 8> followed;
  for (const TableTerm &term : views[0].terms)
    followed.push_back(walk.follow(tables.tables[term.table].variables));
  unsigned atMoved = moved ? walk.follow(moved->variables) : 0;
  JointOccurrence occurrence(meanings, walk, domain.variables);
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    if ((!domain.excluded.empty() && domain.excluded[i]) ||
        std::isnan(claimed.values[i]) || !occurrence.admits(i))
      continue;
    double number = views[0].constant.value;
    for (auto [term, at] : llvm::zip_equal(views[0].terms, followed))
      number +=
          term.weight * tables.tables[term.table].entries[walk.at(at)].value;
    double expected = claimed.values[i];
    uint32_t value =
        moved ? moved->entries[walk.at(atMoved)] : ValueTable::none;
    if (value != ValueTable::none) {
      const Atom &atom = meanings.atom(value);
      std::optional<NumberRange> range;
      if (isMean)
        range = meanings.claim(move.target, value);
      else if (auto place = meanings.placeOf(*direction.variable, atom);
               place && *place < direction.values.size())
        range = NumberRange{direction.values[*place], direction.values[*place]};
      if (range && !std::isnan(range->low))
        expected = std::clamp(expected, range->low, range->high);
    }
    double slack = direction.error + 1e-9 * (1 + std::fabs(expected));
    if (std::fabs(number - expected) > slack) {
      verdict.lower(Verdict::Wrong,
                    llvm::formatv("of a key with {0} it moves {1}, not {2}",
                                  value == ValueTable::none
                                      ? "joint value " + std::to_string(i)
                                      : textOfAtom(value),
                                  shortText(number), shortText(expected)));
      return;
    }
  }
}

void HeadAnalyser::analyseMove(const Certificate::Head &claimed,
                               MoveReport &move) {
  Verdict &verdict = move.verdict;
  auto own = llvm::find_if(claimed.moves, [&](const Certificate::Move &other) {
    return other.target == move.target;
  });
  if (own == claimed.moves.end()) {
    verdict.lower(Verdict::Wrong, "it writes into `" +
                                      meanings.nameOf(move.target) +
                                      "`, which is not said of it");
    return;
  }
  move.averages = own->averages;
  holdTarget(move.target, verdict);
  const Certificate::Direction &direction =
      meanings.certificate->directions[move.target];
  double atBos = move.value.constant, size = std::fabs(atBos);
  for (auto [from, weight] : move.value.terms) {
    const DirectionTable &table = meanings.tables->tables[from];
    if (table.entries.empty()) {
      verdict.lower(Verdict::Unchecked, "it moves `" + meanings.nameOf(from) +
                                            "`, which is not known");
      return;
    }
    atBos += weight * table.atBos.value;
    size += std::fabs(weight) * std::fabs(table.atBos.value);
  }
  if (std::fabs(atBos - direction.atBos) > direction.error + 1e-6 * (1 + size))
    verdict.lower(Verdict::Wrong,
                  llvm::formatv("of BOS it moves {0} into `{1}`, not {2}",
                                shortText(atBos), meanings.nameOf(move.target),
                                shortText(direction.atBos)));
  if (own->domain) {
    checkValues(move, *own, verdict);
    return;
  }
  for (auto [from, weight] : move.value.terms)
    for (const Bound &entry : meanings.tables->tables[from].entries)
      if (std::fabs(weight * entry.value) > 1e-9)
        verdict.lower(Verdict::Wrong, "`" + meanings.nameOf(move.target) +
                                          "` should be the share of BOS alone");
}

void HeadAnalyser::analyseMoves(const Certificate::Head &claimed) {
  for (MoveReport &move : report.moves) {
    analyseMove(claimed, move);
    directions[move.target].lower(move.verdict);
    report.verdict.lower(move.verdict);
    auto variable = meanings.certificate->directions[move.target].variable;
    std::optional<unsigned> node =
        variable ? meanings.graph.find(
                       meanings.certificate->variables[*variable].name)
                 : std::nullopt;
    if (node && !meanings.graph.nodes()[*node].operands.empty() &&
        meanings.graph.nodes()[meanings.graph.nodes()[*node].operands[0]]
            .isSelector())
      selectors.insert(meanings.graph.nodes()[*node].operands[0]);
  }
  for (const Certificate::Move &own : claimed.moves)
    if (llvm::none_of(report.moves,
                      [&](const MoveReport &move) {
                        return move.target == own.target;
                      }) &&
        llvm::any_of(meanings.certificate->directions[own.target].values,
                     [](double value) { return value != 0; })) {
      Verdict verdict;
      verdict.lower(Verdict::Wrong, "it moves nothing into `" +
                                        meanings.nameOf(own.target) + "`");
      directions[own.target].lower(verdict);
      report.verdict.lower(verdict);
    }
}

//===----------------------------------------------------------------------===//
// What is selected
//===----------------------------------------------------------------------===//

bool HeadAnalyser::collectFormula(unsigned selector, unsigned depth) {
  constexpr unsigned deepest = 1000;
  if (depth > deepest)
    return false;
  if (llvm::is_contained(formula, selector))
    return true;
  const ProgramNode &node = meanings.graph.nodes()[selector];
  if (node.op == "select")
    selects.push_back(selector);
  else if (!llvm::all_of(node.operands, [&](unsigned operand) {
             return collectFormula(operand, depth + 1);
           }))
    return false;
  formula.push_back(selector);
  return true;
}

/// Compares all values that a `select` meets, once.
void HeadAnalyser::compareLeaves(const Side &keys, const Side &queries) {
  comparisons.clear();
  for (size_t leaf = 0; leaf < selects.size(); ++leaf) {
    Comparison &own = comparisons.emplace_back();
    auto number = [leaf](llvm::ArrayRef<Leaves> distinct,
                         std::vector<unsigned> &places) {
      std::map<uint32_t, unsigned> known;
      for (const Leaves &leaves : distinct)
        places.push_back(
            known.try_emplace(leaves[leaf], known.size()).first->second);
      std::vector<uint32_t> values(known.size());
      for (auto [value, place] : known)
        values[place] = value;
      return values;
    };
    std::vector<uint32_t> keyValues = number(keys.distinct, own.keys),
                          queryValues = number(queries.distinct, own.queries);
    own.width = keyValues.size();
    const std::string &op = meanings.graph.nodes()[selects[leaf]].compare;
    for (uint32_t query : queryValues)
      for (uint32_t key : keyValues) {
        std::optional<bool> holds =
            compareAtoms(op, meanings.atom(key), meanings.atom(query));
        own.holds.push_back(!holds ? Fails : *holds ? True : False);
      }
  }
}

HeadAnalyser::Truth HeadAnalyser::evaluate(size_t key, size_t query) {
  size_t leaf = 0;
  for (auto [step, truth] : llvm::zip_equal(steps, truths)) {
    if (step.op == Step::Select) {
      const Comparison &own = comparisons[leaf++];
      truth = own.holds[own.queries[query] * own.width + own.keys[key]];
      continue;
    }
    Truth first = truths[step.first], second = truths[step.second];
    if (first == Fails || second == Fails)
      truth = Fails;
    else if (step.op == Step::Not)
      truth = first == True ? False : True;
    else
      truth = step.op == Step::And ? std::min(first, second)
                                   : std::max(first, second);
  }
  return truths.back();
}

/// The selector as steps in the order of `formula`.
bool HeadAnalyser::makeSteps() {
  steps.clear();
  for (unsigned selector : formula) {
    const ProgramNode &node = meanings.graph.nodes()[selector];
    auto place = [&](unsigned i) {
      return static_cast<unsigned>(llvm::find(formula, node.operands[i]) -
                                   formula.begin());
    };
    size_t arity = node.op == "sel_not" ? 1 : 2;
    if (node.operands.size() != arity)
      return false;
    Step step;
    if (node.op == "select")
      step.op = Step::Select;
    else if (node.op == "sel_not")
      step = {Step::Not, place(0), place(0)};
    else if (node.op == "sel_and" || node.op == "sel_or")
      step = {node.op == "sel_and" ? Step::And : Step::Or, place(0), place(1)};
    else
      return false;
    steps.push_back(step);
  }
  truths.resize(steps.size());
  return true;
}

bool HeadAnalyser::makeSide(const Matrix &matrix, const Vector &bias,
                            llvm::ArrayRef<unsigned> domains, unsigned operand,
                            llvm::StringRef what, Side &side,
                            Verdict &verdict) {
  Tables &tables = *meanings.tables;
  auto unchecked = [&](const llvm::Twine &why) {
    verdict.lower(Verdict::Unchecked, why);
    return false;
  };
  auto add = [&](llvm::SmallVectorImpl<unsigned> &list,
                 llvm::ArrayRef<unsigned> more) {
    for (unsigned variable : more)
      if (!llvm::is_contained(list, variable))
        list.push_back(variable);
  };
  llvm::SmallVector<unsigned, 4> ofDomains;
  for (unsigned index : domains)
    add(ofDomains, meanings.certificate->domains[index].variables);
  std::vector<TableView> views = tables.columnsOf(matrix, bias);
  for (const TableView &view : views) {
    side.atBos.push_back(tables.atBos(view).value);
    for (const TableTerm &term : view.terms)
      if (tables.tables[term.table].entries.empty())
        return unchecked("the " + what + " read `" +
                         meanings.nameOf(term.table) + "`, which is not known");
  }
  // What the columns are functions of; and what the domains say beside, where
  // the selector or what they exclude needs it.
  tables.useForms(ofDomains, views);
  for (const TableView &view : views)
    for (const TableTerm &term : view.terms)
      add(side.variables, tables.tables[term.table].variables);
  auto areKnown = [&] {
    return llvm::all_of(selects, [&](unsigned select) {
      return meanings.valuesOf(meanings.graph.nodes()[select].operands[operand],
                               side.variables);
    });
  };
  bool isEnough =
      areKnown() && llvm::all_of(domains, [&](unsigned index) {
        const Certificate::Domain &domain =
            meanings.certificate->domains[index];
        return domain.excluded.empty() ||
               llvm::all_of(domain.variables, [&](unsigned variable) {
                 return llvm::is_contained(side.variables, variable);
               });
      });
  if (!isEnough)
    add(side.variables, ofDomains);
  if (!areKnown())
    for (unsigned select : selects) {
      unsigned node = meanings.graph.nodes()[select].operands[operand];
      if (const ValueTable *table = meanings.valuesOfAny(
              meanings.graph.nodes()[node].name, side.variables)) {
        add(side.variables, table->variables);
        side.isExtended = true;
      }
    }
  double combinations = 1;
  for (unsigned variable : side.variables)
    combinations *= tables.sizeOf(variable);
  if (combinations > mostEntries)
    return unchecked(llvm::formatv("{0:f0} joint {1}, more than are looked at",
                                   combinations, what)
                         .str());
  std::vector<const ValueTable *> values;
  for (unsigned select : selects) {
    unsigned node = meanings.graph.nodes()[select].operands[operand];
    values.push_back(meanings.valuesOf(node, side.variables));
    if (!values.back())
      return unchecked("`" + meanings.graph.shortText(node) +
                       "` is no function of what the " + what + " read");
  }
  tables.restrictTo(side.variables, views);

  JointWalk walk(tables, side.variables);
  std::vector<llvm::SmallVector<unsigned, 8>> followed(views.size());
  std::map<unsigned, unsigned> byTable;
  for (auto [view, own] : llvm::zip_equal(views, followed))
    for (const TableTerm &term : view.terms) {
      auto [it, isNew] = byTable.try_emplace(term.table);
      if (isNew)
        it->second = walk.follow(tables.tables[term.table].variables);
      own.push_back(it->second);
    }
  llvm::SmallVector<unsigned, 4> ofValues;
  for (const ValueTable *table : values)
    ofValues.push_back(walk.follow(table->variables));
  std::vector<std::pair<const std::vector<bool> *, unsigned>> masks;
  for (unsigned index : domains)
    if (const Certificate::Domain &domain =
            meanings.certificate->domains[index];
        !domain.excluded.empty())
      masks.emplace_back(&domain.excluded, walk.follow(domain.variables));
  JointOccurrence occurrence(meanings, walk, side.variables);
  std::optional<unsigned> atPosition;
  for (unsigned variable : side.variables)
    if (meanings.certificate->variables[variable].kind ==
        Certificate::VariableKind::Position)
      atPosition = walk.follow(variable);
  std::map<Leaves, unsigned> distinct;
  std::map<std::pair<Leaves, std::vector<float>>, size_t> known;
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    bool isExcluded = llvm::any_of(
        masks, [&](auto &mask) { return (*mask.first)[walk.at(mask.second)]; });
    if (isExcluded || !occurrence.admits(i))
      continue;
    Leaves leaves;
    for (auto [table, at] : llvm::zip_equal(values, ofValues))
      leaves.push_back(table->entries[walk.at(at)]);
    if (llvm::is_contained(leaves, ValueTable::none))
      continue;
    std::vector<float> rounded;
    std::vector<std::pair<unsigned, double>> entry;
    for (unsigned c = 0; c < views.size(); ++c) {
      double sum = views[c].constant.value;
      for (auto [term, at] : llvm::zip_equal(views[c].terms, followed[c]))
        sum +=
            term.weight * tables.tables[term.table].entries[walk.at(at)].value;
      rounded.push_back(static_cast<float>(sum));
      if (sum != 0)
        entry.emplace_back(c, sum);
    }
    std::pair<size_t, size_t> positions(0, meanings.model.config.nCtx);
    if (atPosition)
      positions.first = positions.second = walk.at(*atPosition);
    auto [it, isNew] =
        known.try_emplace({leaves, std::move(rounded)}, side.columns.size());
    if (!isNew) {
      auto &[least, most] = side.positions[it->second];
      least = std::min(least, positions.first);
      most = std::max(most, positions.second);
      continue;
    }
    side.positions.push_back(positions);
    distinct.try_emplace(leaves, 0);
    side.columns.push_back(std::move(entry));
    side.example.push_back(i);
    side.distinct.push_back(std::move(leaves)); // by entry, for now
  }
  // In the order of the values, so that tables read well.
  std::vector<Leaves> ordered;
  for (auto &entry : distinct)
    ordered.push_back(entry.first);
  auto isLess = [&](uint32_t a, uint32_t b) {
    const Atom &x = meanings.atom(a), &y = meanings.atom(b);
    bool areNumbers = !std::isnan(numberOf(x)) && !std::isnan(numberOf(y));
    return areNumbers ? numberOf(x) < numberOf(y) : x < y;
  };
  llvm::sort(ordered, [&](const Leaves &a, const Leaves &b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        isLess);
  });
  for (auto [place, leaves] : llvm::enumerate(ordered))
    distinct[leaves] = place;
  for (const Leaves &leaves : side.distinct)
    side.leaves.push_back(distinct[leaves]);
  side.distinct = std::move(ordered);
  return true;
}

/// `indices = 2, length = 5`
std::string HeadAnalyser::describeEntry(const Side &side, size_t entry) const {
  if (side.variables.empty())
    return "any value";
  size_t rest = side.example[entry];
  std::string text;
  for (unsigned variable : llvm::reverse(side.variables)) {
    size_t size = meanings.tables->sizeOf(variable);
    llvm::ArrayRef<Atom> values = meanings.valuesOf(variable);
    std::string value = values.empty() ? "#" + std::to_string(rest % size)
                                       : displayText(values[rest % size]);
    text = meanings.certificate->variables[variable].name + " = " + value +
           (text.empty() ? "" : ", ") + text;
    rest /= size;
  }
  return text;
}

void HeadAnalyser::compare(const Certificate::Head &claimed, const Side &keys,
                           const Side &queries, SelectionReport &selection) {
  double root = std::sqrt(meanings.model.config.dHead);
  // A quarter of the distance that scores are made with.
  double near = claimed.step / 4;
  auto width = keys.atBos.size();
  compareLeaves(keys, queries);
  bool isShown = static_cast<double>(keys.distinct.size()) *
                     static_cast<double>(queries.distinct.size()) <=
                 mostCells;
  std::vector<std::vector<uint8_t>> seen(
      isShown ? queries.distinct.size() : 0,
      std::vector<uint8_t>(keys.distinct.size(), 0));
  std::vector<Truth> meant(keys.distinct.size());
  std::vector<double> dense(width), scores(keys.size());
  bool isCausal = meanings.model.config.causal;
  auto canSee = [&](size_t query, size_t key) {
    return !isCausal ||
           keys.positions[key].first <= queries.positions[query].second;
  };
  Verdict::Kind difference = keys.isExtended || queries.isExtended
                                 ? Verdict::Unchecked
                                 : Verdict::Wrong;
  double lead = HUGE_VAL, overBos = HUGE_VAL, bosOver = HUGE_VAL, spread = 0,
         tie = 0;
  bool bosTies = false;
  for (size_t q = 0; q < queries.size(); ++q) {
    std::fill(dense.begin(), dense.end(), 0);
    for (auto [column, value] : queries.columns[q])
      dense[column] = value / root;
    double bos = 0, best = -HUGE_VAL;
    for (size_t c = 0; c < width; ++c)
      bos += dense[c] * keys.atBos[c];
    for (size_t k = 0; k < keys.size(); ++k) {
      double score = 0;
      for (auto [column, value] : keys.columns[k])
        score += value * dense[column];
      scores[k] = score;
      if (canSee(q, k))
        best = std::max(best, score);
    }
    for (size_t k = 0; k < meant.size(); ++k)
      meant[k] = evaluate(k, queries.leaves[q]);
    double threshold = (claimed.proportional ? best : bos) - near;
    double least = HUGE_VAL, most = -HUGE_VAL, others = -HUGE_VAL;
    for (size_t k = 0; k < keys.size(); ++k) {
      Truth expected = meant[keys.leaves[k]];
      if (expected == Fails || !canSee(q, k))
        continue;
      bool isSelected = scores[k] >= threshold;
      if (isShown)
        seen[queries.leaves[q]][keys.leaves[k]] |= isSelected ? 1 : 2;
      if (isSelected) {
        least = std::min(least, scores[k]);
        most = std::max(most, scores[k]);
      } else {
        others = std::max(others, scores[k]);
      }
      if (isSelected != (expected == True))
        selection.verdict.lower(
            difference,
            llvm::formatv("a query with {0} {1} a key with {2}: it scores {3} "
                          "logits, BOS {4}",
                          describeEntry(queries, q),
                          isSelected ? "selects" : "does not select",
                          describeEntry(keys, k), shortText(scores[k]),
                          shortText(bos)));
    }
    lead = std::min(lead, least - others);
    spread = std::max(spread, most - least);
    if (std::fabs(least - bos) < near || std::fabs(most - bos) < near) {
      bosTies = true;
      tie = std::max({tie, std::fabs(least - bos), std::fabs(most - bos)});
    } else if (std::isfinite(least)) {
      overBos = std::min(overBos, least - bos);
    }
    if (!claimed.proportional)
      bosOver = std::min(bosOver, bos - others);
  }
  // What BOS itself sees.
  double own = 0;
  for (size_t c = 0; c < width; ++c)
    own += keys.atBos[c] * queries.atBos[c] / root;
  for (size_t k = 0; k < keys.size(); ++k) {
    double score = 0;
    for (auto [column, value] : keys.columns[k])
      score += value * queries.atBos[column] / root;
    if (own - score <
        (meanings.model.config.dtype == DType::Float32 ? 104 : 746))
      selection.verdict.lower(
          Verdict::Wrong,
          llvm::formatv("at BOS, a key with {0} is only {1} logits below BOS",
                        describeEntry(keys, k), shortText(own - score)));
  }
  using Cell = SelectionReport::Cell;
  for (const auto &row : seen) {
    auto &cellRow = selection.cells.emplace_back();
    for (uint8_t mask : row)
      cellRow.push_back(mask == 1   ? Cell::All
                        : mask == 3 ? Cell::Some
                                    : Cell::None);
  }
  if (report.isMeasured)
    return;
  report.isMeasured = true;
  report.lead = lead;
  report.overBos = overBos;
  report.bosOver = bosOver;
  report.bosCounts = bosTies;
  // Of a wrong selection the distances say nothing.
  if (selection.verdict.kind != Verdict::Wrong)
    judgeHardness(claimed, std::max(spread, tie));
}

void HeadAnalyser::judgeHardness(const Certificate::Head &claimed,
                                 double spread) {
  const Config &config = meanings.model.config;
  double underflow = config.dtype == DType::Float32 ? 104 : 746;
  double apart = std::min(report.lead, report.bosOver);
  if (!report.bosCounts)
    apart = std::min(apart, report.overBos);
  double leak = apart < underflow ? config.nCtx * std::exp(-apart) : 0;
  if (leak > claimed.leak * (1 + 1e-6))
    report.verdict.lower(
        Verdict::Wrong,
        llvm::formatv("what is not selected is only {0} logits below what is",
                      shortText(apart)));
  bool averages = llvm::any_of(
      report.moves, [](const MoveReport &move) { return move.averages; });
  double stretch = std::ceil(std::sqrt(config.dHead)) / std::sqrt(config.dHead);
  if (averages &&
      spread > claimed.tieError * claimed.step * stretch * 1.01 + 1e-6)
    report.verdict.lower(
        Verdict::Wrong,
        llvm::formatv("selected keys differ by {0} logits, so they do not "
                      "weigh the same",
                      shortText(spread)));
  bool allAverage = llvm::all_of(
      report.moves, [](const MoveReport &move) { return move.averages; });
  if (report.bosCounts && !allAverage)
    report.verdict.lower(Verdict::Wrong,
                         "BOS weighs as much as a selected key");
  for (const MoveReport &move : report.moves) {
    auto variable = meanings.certificate->directions[move.target].variable;
    if (variable && !report.bosCounts && std::isfinite(report.overBos) &&
        meanings.certificate->variables[*variable].kind ==
            Certificate::VariableKind::Width)
      report.verdict.lower(Verdict::Wrong,
                           "BOS is not counted among the selected keys, so "
                           "that its share does not tell their number");
  }
}

void HeadAnalyser::analyseSelection(const Certificate::Head &claimed,
                                    unsigned selector) {
  const ProgramNode &node = meanings.graph.nodes()[selector];
  SelectionReport &selection = report.selections.emplace_back();
  selection.selector = node.name;
  selection.condition = meanings.graph.text(selector);
  selection.sourceLines = node.sourceLines;
  formula.clear();
  selects.clear();
  if (!collectFormula(selector) || !makeSteps()) {
    selection.verdict.lower(Verdict::Unchecked,
                            "the program's selector is not understood");
    report.verdict.lower(selection.verdict);
    return;
  }
  Side keys, queries;
  if (makeSide(weights.wK, weights.bK, claimed.keys, 0, "keys", keys,
               selection.verdict) &&
      makeSide(weights.wQ, weights.bQ, claimed.queries, 1, "queries", queries,
               selection.verdict)) {
    selection.keys = keys.size();
    selection.queries = queries.size();
    double columns = 1;
    for (const auto &entry : keys.columns)
      columns += static_cast<double>(entry.size());
    if (columns * static_cast<double>(queries.size()) > mostProducts)
      selection.verdict.lower(
          Verdict::Unchecked,
          llvm::formatv("{0} keys and {1} queries are more than are looked at",
                        keys.size(), queries.size()));
    else
      compare(claimed, keys, queries, selection);
    for (unsigned select : selects) {
      const auto &operands = meanings.graph.nodes()[select].operands;
      selection.keyTitles.push_back(meanings.graph.shortText(operands[0]));
      selection.queryTitles.push_back(meanings.graph.shortText(operands[1]));
    }
    for (const Leaves &leaves : keys.distinct)
      selection.keyValues.emplace_back(leaves.begin(), leaves.end());
    for (const Leaves &leaves : queries.distinct)
      selection.queryValues.emplace_back(leaves.begin(), leaves.end());
  }
  report.verdict.lower(selection.verdict);
}

HeadReport HeadAnalyser::run() {
  describe();
  const Certificate::Head *claimed =
      meanings.certificate ? findClaim() : nullptr;
  if (!claimed) {
    report.verdict.lower(
        meanings.certificate && !report.moves.empty() ? Verdict::Wrong
                                                      : Verdict::Unchecked,
        meanings.certificate ? "the certificate does not know this head"
                             : meanings.whyUnchecked);
    for (const MoveReport &move : report.moves)
      directions[move.target].lower(report.verdict);
    return std::move(report);
  }
  report.name = claimed->selector;
  report.construction = claimed->construction;
  report.neverEmpty = claimed->proportional;
  analyseMoves(*claimed);
  for (unsigned selector : selectors)
    analyseSelection(*claimed, selector);
  if (selectors.empty())
    report.verdict.lower(Verdict::Unchecked,
                         "the file does not say which selector it implements");
  return std::move(report);
}

HeadReport rasp::rt::analyseHead(Meanings &meanings, unsigned layer,
                                 unsigned number,
                                 std::vector<Verdict> &directions) {
  return HeadAnalyser(meanings, layer, number, directions).run();
}
