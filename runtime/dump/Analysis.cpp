//===- runtime/dump/Analysis.cpp - what weights implement -----------------===//

#include "runtime/dump/Analysis.h"
#include "runtime/Atom.h"
#include "runtime/ComponentSupport.h"
#include "runtime/dump/HeadAnalysis.h"
#include "runtime/dump/UnitSums.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <charconv>
#include <set>

using namespace rasp::rt;

/// Functions of more joint values are not looked at, nor are values read from
/// directions where that takes more comparisons.
static constexpr double mostCombinations = 1 << 22, mostComparisons = 1 << 26;

void Verdict::lower(Kind to, const llvm::Twine &why) {
  if (to <= kind)
    return;
  kind = to;
  reason = why.str();
}

//===----------------------------------------------------------------------===//
// Affine functions
//===----------------------------------------------------------------------===//

Affine rasp::rt::columnOf(const Matrix &weights, const Vector &bias,
                          unsigned column) {
  Affine affine;
  affine.constant = bias[column];
  for (Eigen::Index row = 0; row < weights.rows(); ++row)
    if (double weight = weights.coeff(row, column); weight != 0)
      affine.terms.emplace_back(static_cast<unsigned>(row), weight);
  return affine;
}

std::array<NamedWeights, 3> rasp::rt::readingWeights(const Head &head) {
  return {{{"W_Q", head.wQ, head.bQ},
           {"W_K", head.wK, head.bK},
           {"W_V", head.wV, head.bV}}};
}

Affine rasp::rt::movedInto(const Head &head, unsigned direction) {
  std::map<unsigned, double> terms;
  Affine affine;
  for (Eigen::Index c = 0; c < head.wO.rows(); ++c) {
    double factor = head.wO.coeff(c, direction);
    if (factor == 0)
      continue;
    Affine column = columnOf(head.wV, head.bV, c);
    affine.constant += factor * column.constant;
    for (auto [from, weight] : column.terms)
      terms[from] += factor * weight;
  }
  for (auto [from, weight] : terms)
    if (weight != 0)
      affine.terms.emplace_back(from, weight);
  return affine;
}

std::string rasp::rt::exactText(double number, DType dtype) {
  char buffer[64];
  auto result =
      dtype == DType::Float32
          ? std::to_chars(buffer, std::end(buffer), static_cast<float>(number))
          : std::to_chars(buffer, std::end(buffer), number);
  return {buffer, result.ptr};
}

std::string rasp::rt::counted(size_t count, llvm::StringRef noun) {
  return (llvm::Twine(count) + " " + noun + (count == 1 ? "" : "s")).str();
}

std::string rasp::rt::shortText(double number) {
  if (std::fabs(number) < 1e-9)
    return "0";
  double whole = std::nearbyint(number);
  if (std::fabs(number - whole) < 1e-4 * (1 + std::fabs(number)) &&
      std::fabs(whole) < 1e9)
    return std::to_string(static_cast<int64_t>(whole));
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.3g", number);
  return buffer;
}

std::string rasp::rt::textOf(const Affine &affine, const Meanings &meanings,
                             size_t mostTerms) {
  std::string text;
  auto add = [&](double weight, llvm::StringRef name) {
    if (text.empty())
      text += weight < 0 ? "-" : "";
    else
      text += weight < 0 ? " - " : " + ";
    double size = std::fabs(weight);
    if (size != 1 || name.empty())
      text += exactText(size, meanings.model.config.dtype) +
              (name.empty() ? "" : "*");
    text += name;
  };
  llvm::ArrayRef terms(affine.terms);
  for (auto [direction, weight] : terms.take_front(mostTerms)) {
    add(weight, meanings.bracketed(direction));
  }
  if (terms.size() > mostTerms)
    text += " + ... " + std::to_string(terms.size() - mostTerms) + " more";
  if (affine.constant != 0 || text.empty())
    add(affine.constant, "");
  return text;
}

size_t Analysis::countHeads(Verdict::Kind kind) const {
  size_t count = 0;
  for (const LayerReport &layer : layers)
    count += llvm::count_if(layer.heads, [&](const HeadReport &head) {
      return head.verdict.kind == kind;
    });
  return count;
}

size_t Analysis::countDirections(Verdict::Kind kind) const {
  return llvm::count_if(
      directions, [&](const Verdict &verdict) { return verdict.kind == kind; });
}

bool Analysis::isAsLabelled() const {
  return countHeads(Verdict::Wrong) == 0 &&
         countDirections(Verdict::Wrong) == 0 && wrongUnits == 0 &&
         output.kind != Verdict::Wrong;
}

//===----------------------------------------------------------------------===//
// The model, from the embedding to the logits
//===----------------------------------------------------------------------===//

namespace {
class Analyser {
public:
  explicit Analyser(Meanings &meanings)
      : meanings(meanings), model(meanings.model) {
    result.directions.resize(model.config.dModel);
  }
  Analysis run();

private:
  void checkLabels();
  void checkWriters();
  void readEmbeddings();
  void analyseMlp(unsigned layer);
  void groupUnits(unsigned layer, LayerReport &report);
  bool deriveDirection(unsigned direction, bool isLast,
                       llvm::ArrayRef<TableTerm> neurons,
                       llvm::ArrayRef<TableView> inputs);
  void compareWithLabel(unsigned direction);
  void compareByValue(unsigned direction);
  /// The functions of directions, those of one variable and one domain
  /// together.
  std::vector<FunctionReport> functionsOf(llvm::ArrayRef<unsigned> directions);
  void decode(FunctionReport &function);
  void analyseOutput();
  void compareOutput();
  bool excludes(const FunctionReport &function, size_t joint) const {
    return !function.occurs.empty() && !function.occurs[joint];
  }
  const std::vector<bool> *excludedOf(unsigned direction) const;
  void lower(unsigned direction, Verdict::Kind kind, const llvm::Twine &why) {
    result.directions[direction].lower(kind, why);
  }

  Meanings &meanings;
  const Model &model;
  Analysis result;
  /// By direction: the last layer whose MLP writes it, or -1.
  std::vector<int> lastLayer;
};
} // namespace

/// The label of each direction stands in three places.
void Analyser::checkLabels() {
  for (unsigned d = 0; d < model.config.dModel; ++d) {
    const Subspace *space = meanings.spaceOf(d);
    if (!space) {
      lower(d, Verdict::Unchecked, "the file does not say what it holds");
      continue;
    }
    std::string name = meanings.nameOf(d);
    if (model.residualLabels[d] != name)
      lower(d, Verdict::Wrong,
            "one of its labels is `" + model.residualLabels[d] + "`");
    if (meanings.certificate &&
        meanings.certificate->directions[d].label != name)
      lower(d, Verdict::Wrong,
            "the certificate calls it `" +
                meanings.certificate->directions[d].label + "`");
    // A direction that is there for one value is called after it.
    const DirectionCode *code = meanings.codeOf(d);
    if (!code || code->low.size() < 2 || space->encoding != "categorical" ||
        code->low != code->high || llvm::count(code->low, 1) != 1 ||
        llvm::count(code->low, 0) + 1 != static_cast<long>(code->low.size()))
      continue;
    auto variable = llvm::find(meanings.decoder->variables(), space->variable);
    llvm::ArrayRef<Atom> values = meanings.decoder->valuesOf(
        variable - meanings.decoder->variables().begin());
    std::string own =
        displayText(values[llvm::find(code->low, 1) - code->low.begin()]);
    const std::string &label = space->labels[d - space->begin];
    if (!label.empty() && label != own &&
        llvm::any_of(values, [&](const Atom &value) {
          return displayText(value) == label;
        }))
      lower(d, Verdict::Wrong, "it is there for `" + own + "`");
  }
}

void Analyser::checkWriters() {
  SupportMatrix writes = writesOf(model);
  for (const Subspace &space : meanings.residual->subspaces())
    for (auto [component, directions] :
         llvm::zip_equal(writes.components, writes.directions)) {
      bool isNamed = llvm::is_contained(space.writers, component);
      bool writesAny = false;
      for (unsigned d = space.begin; d < space.end; ++d) {
        writesAny |= directions[d];
        if (directions[d] && !isNamed)
          lower(d, Verdict::Wrong,
                "`" + component + "` writes it, which is not said of it");
      }
      if (isNamed && !writesAny)
        lower(space.begin, Verdict::Wrong,
              "`" + component + "` does not write it");
    }
  for (auto [l, layer] : llvm::enumerate(model.layers))
    for (const Vector *bias : {&layer.bO, &layer.bOut})
      for (Eigen::Index d = 0; d < bias->size(); ++d)
        if ((*bias)[d] != 0)
          lower(d, Verdict::Wrong,
                llvm::formatv("layer {0} adds {1} to it at every position", l,
                              shortText((*bias)[d])));
}

//===----------------------------------------------------------------------===//
// Directions
//===----------------------------------------------------------------------===//

const std::vector<bool> *Analyser::excludedOf(unsigned direction) const {
  auto domain = meanings.certificate->directions[direction].domain;
  if (!domain)
    return nullptr;
  const auto &excluded = meanings.certificate->domains[*domain].excluded;
  return excluded.empty() ? nullptr : &excluded;
}

/// Compares what a direction was found to hold with its label, and lets those
/// who read it take it for what the label says.
void Analyser::compareWithLabel(unsigned direction) {
  DirectionTable &table = meanings.tables->tables[direction];
  const Certificate::Direction &claimed =
      meanings.certificate->directions[direction];
  auto differs = [&](double number, double meant) {
    return std::fabs(number - meant) >
           claimed.error + 1e-9 * (1 + std::fabs(meant));
  };
  if (differs(table.atBos.value, claimed.atBos) &&
      std::fabs(table.atBos.value - claimed.atBos) >
          1e-6 * (1 + std::fabs(claimed.atBos)))
    lower(direction, Verdict::Wrong,
          llvm::formatv("at BOS it holds {0}, not {1}",
                        shortText(table.atBos.value),
                        shortText(claimed.atBos)));
  table.atBos = {claimed.atBos, 0};
  if (meanings.spaceOf(direction))
    compareByValue(direction);
}

void Analyser::compareByValue(unsigned direction) {
  DirectionTable &table = meanings.tables->tables[direction];
  const Certificate::Direction &claimed =
      meanings.certificate->directions[direction];
  const Subspace &space = *meanings.spaceOf(direction);
  bool isBookkeeping = space.role == "bookkeeping";
  auto isNear = [&](double number, const NumberRange &range) {
    double slack = claimed.error + 1e-9 * (1 + std::fabs(number));
    return number >= range.low - slack && number <= range.high + slack;
  };
  // The variable may depend on more than the direction, which then must fit
  // one of the values that are left.
  llvm::SmallVector<unsigned, 3> variables = table.variables;
  const ValueTable *values =
      isBookkeeping ? nullptr : meanings.valuesOf(space.variable, variables);
  if (!values && !isBookkeeping) {
    values = meanings.valuesOfAny(space.variable, variables);
    if (values)
      for (unsigned variable : values->variables)
        if (!llvm::is_contained(variables, variable))
          variables.push_back(variable);
  }
  double combinations = 1;
  for (unsigned variable : variables)
    combinations *= meanings.tables->sizeOf(variable);
  const DirectionCode *code = meanings.codeOf(direction);
  bool isCompared =
      values && code && code->hasCode && combinations <= mostCombinations;
  if (!isCompared)
    variables = table.variables;

  const std::vector<bool> *excluded = excludedOf(direction);
  JointWalk walk(*meanings.tables, variables);
  unsigned own = walk.follow(table.variables);
  unsigned atValue = isCompared ? walk.follow(values->variables) : 0;
  JointOccurrence occurrence(meanings, walk, variables);
  /// By joint value: whether any value of the variable fits, the last that was
  /// claimed, and whether all claim the same number.
  struct Claimed {
    bool isKnown = false, fits = false, isUnique = true;
    NumberRange range = {0, 0};
    uint32_t value = ValueTable::none;
  };
  std::vector<Claimed> claims(table.entries.size());
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    size_t at = walk.at(own);
    if ((excluded && (*excluded)[at]) || !occurrence.admits(i))
      continue;
    double number = table.entries[at].value;
    low = std::min(low, number);
    high = std::max(high, number);
    if (!isCompared)
      continue;
    uint32_t value = values->entries[walk.at(atValue)];
    std::optional<NumberRange> range = meanings.claim(direction, value);
    Claimed &claim = claims[at];
    if (!range) {
      // The program fails, or it does not matter.
      claim.isUnique = false;
      claim.fits |= variables.size() > table.variables.size();
      continue;
    }
    claim.isUnique &=
        range->isExact() && (!claim.isKnown || claim.range.low == range->low);
    claim.isKnown = true;
    claim.fits |= isNear(number, *range);
    claim.range = *range;
    claim.value = value;
  }
  for (auto [claim, entry] : llvm::zip_equal(claims, table.entries)) {
    if (claim.isKnown && !claim.fits)
      lower(direction, Verdict::Wrong,
            llvm::formatv("where `{0}` is {1} it holds {2}, not {3}",
                          space.variable,
                          displayText(meanings.atom(claim.value)),
                          shortText(entry.value), shortText(claim.range.low)));
    if (claim.isKnown && claim.isUnique)
      entry.value = claim.range.low;
    entry.error = claimed.error;
  }
  if (isCompared)
    return;
  // What the label does not say by value, at least in its range.
  if (low <= high && !isNear(low, {claimed.low, claimed.high}))
    lower(direction, Verdict::Wrong,
          llvm::formatv("it can be {0}, less than {1}", shortText(low),
                        shortText(claimed.low)));
  if (low <= high && !isNear(high, {claimed.low, claimed.high}))
    lower(direction, Verdict::Wrong,
          llvm::formatv("it can be {0}, more than {1}", shortText(high),
                        shortText(claimed.high)));
  if (!isBookkeeping)
    lower(direction, Verdict::Unchecked,
          code && code->hasCode
              ? "`" + space.variable + "` is no function of what it depends on"
              : "the file does not say what it holds by value");
}

void Analyser::readEmbeddings() {
  Tables &tables = *meanings.tables;
  using VariableKind = Certificate::VariableKind;
  for (DirectionTable &table : tables.tables) {
    table.entries = {Bound()};
    table.complete = true;
  }
  struct Embedding {
    VariableKind kind;
    const Matrix &weights;
    unsigned first, atBos;
  };
  std::vector<bool> isWritten(model.config.dModel, false);
  for (const Embedding &embedding :
       {Embedding{VariableKind::Token, model.wE, 0, model.input.bosId},
        Embedding{VariableKind::Position, model.wPos, 1, 0}}) {
    auto variable = static_cast<unsigned>(
        llvm::find_if(meanings.certificate->variables,
                      [&](const Certificate::Variable &own) {
                        return own.kind == embedding.kind;
                      }) -
        meanings.certificate->variables.begin());
    if (variable == meanings.certificate->variables.size())
      continue;
    size_t size = tables.sizeOf(variable);
    for (size_t row = 0; row < size; ++row)
      for (Matrix::InnerIterator it(embedding.weights, embedding.first + row);
           it; ++it) {
        if (it.value() == 0)
          continue;
        DirectionTable &table = tables.tables[it.col()];
        if (table.variables.empty()) {
          table.variables = {variable};
          table.entries.assign(size, Bound());
        }
        if (table.variables.front() != variable)
          lower(it.col(), Verdict::Wrong, "both embeddings write it");
        else
          table.entries[row].value = it.value();
        isWritten[it.col()] = true;
      }
    for (Matrix::InnerIterator it(embedding.weights, embedding.atBos); it; ++it)
      if (it.value() != 0) {
        tables.tables[it.col()].atBos.value += it.value();
        isWritten[it.col()] = true;
      }
  }
  std::vector<unsigned> embedded;
  for (unsigned d = 0; d < isWritten.size(); ++d) {
    const Subspace *space = meanings.spaceOf(d);
    bool isSaid = space && llvm::any_of(space->writers, [](auto &writer) {
                    return writer == "hook_embed" || writer == "hook_pos_embed";
                  });
    if (isWritten[d] || isSaid)
      embedded.push_back(d);
  }
  result.embeddings = functionsOf(embedded);
  for (unsigned d : embedded)
    compareWithLabel(d);
  for (FunctionReport &function : result.embeddings)
    for (unsigned d : function.directions)
      function.verdict.lower(result.directions[d]);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

std::vector<FunctionReport>
Analyser::functionsOf(llvm::ArrayRef<unsigned> directions) {
  std::vector<FunctionReport> functions;
  for (unsigned d : directions) {
    const Subspace *space = meanings.spaceOf(d);
    std::string variable = space ? space->variable : meanings.nameOf(d);
    llvm::ArrayRef<unsigned> inputs;
    bool isKnown = false;
    if (meanings.tables) {
      inputs = meanings.tables->tables[d].variables;
      isKnown = !meanings.tables->tables[d].entries.empty();
    }
    auto same = llvm::find_if(functions, [&](const FunctionReport &other) {
      return other.variable == variable &&
             llvm::ArrayRef(other.inputs) == inputs &&
             other.numbers.empty() == !isKnown;
    });
    if (same == functions.end()) {
      FunctionReport function;
      function.variable = variable;
      function.inputs.assign(inputs.begin(), inputs.end());
      functions.push_back(std::move(function));
      same = std::prev(functions.end());
    }
    same->directions.push_back(d);
    if (!isKnown)
      continue;
    auto &numbers = same->numbers.emplace_back();
    for (const Bound &entry : meanings.tables->tables[d].entries)
      numbers.push_back(entry.value);
  }
  for (FunctionReport &function : functions) {
    if (function.numbers.empty())
      continue;
    JointWalk walk(*meanings.tables, function.inputs);
    JointOccurrence occurrence(meanings, walk, function.inputs);
    const std::vector<bool> *excluded = excludedOf(function.directions[0]);
    function.occurs.assign(walk.size(), true);
    for (size_t i = 0; i < walk.size(); ++i, walk.next())
      function.occurs[i] =
          occurrence.admits(i) && !(excluded && (*excluded)[i]);
    if (llvm::all_of(function.occurs, [](bool b) { return b; }))
      function.occurs.clear();
    decode(function);
  }
  return functions;
}

void Analyser::decode(FunctionReport &function) {
  auto variable = llvm::find(meanings.decoder->variables(), function.variable);
  if (variable == meanings.decoder->variables().end())
    return;
  llvm::ArrayRef<Atom> values = meanings.decoder->valuesOf(
      variable - meanings.decoder->variables().begin());
  size_t size = function.numbers.front().size();
  if (values.empty() ||
      static_cast<double>(size) * static_cast<double>(values.size()) *
              static_cast<double>(function.directions.size()) >
          mostComparisons)
    return;
  std::vector<const DirectionCode *> codes;
  for (unsigned d : function.directions) {
    codes.push_back(meanings.codeOf(d));
    if (!codes.back() || codes.back()->low.size() != values.size())
      return;
  }
  std::vector<uint32_t> decoded(size, ValueTable::none);
  for (size_t i = 0; i < size; ++i) {
    if (excludes(function, i))
      continue;
    for (size_t v = 0; v < values.size(); ++v) {
      bool fits = true;
      for (auto [code, numbers] : llvm::zip_equal(codes, function.numbers)) {
        double slack = code->error + 1e-6 * (1 + std::fabs(numbers[i]));
        fits &=
            std::isnan(code->low[v]) || (numbers[i] >= code->low[v] - slack &&
                                         numbers[i] <= code->high[v] + slack);
      }
      if (!fits)
        continue;
      if (decoded[i] != ValueTable::none)
        return; // it does not tell these apart
      decoded[i] = meanings.numberOfAtom(values[v]);
    }
    if (decoded[i] == ValueTable::none)
      return;
  }
  function.decoded = std::move(decoded);
}

//===----------------------------------------------------------------------===//
// MLPs
//===----------------------------------------------------------------------===//

/// Adds what hidden units of a layer write into a direction to its table.
bool Analyser::deriveDirection(unsigned direction, bool isLast,
                               llvm::ArrayRef<TableTerm> neurons,
                               llvm::ArrayRef<TableView> inputs) {
  Tables &tables = *meanings.tables;
  DirectionTable &table = tables.tables[direction];
  auto unchecked = [&](const llvm::Twine &why) {
    lower(direction, Verdict::Unchecked, why);
    table.entries.clear();
    return false;
  };
  auto index = meanings.certificate->directions[direction].domain;
  if (!index)
    return unchecked("the file does not say what it is a function of");
  const Certificate::Domain &domain = meanings.certificate->domains[*index];
  double size = 1;
  for (unsigned variable : domain.variables)
    size *= tables.sizeOf(variable);
  if (size > mostCombinations)
    return unchecked("too many joint values to be looked at");

  std::vector<TableView> views;
  for (const TableTerm &neuron : neurons) {
    views.push_back(inputs[neuron.table]);
    for (const TableTerm &term : views.back().terms)
      if (tables.tables[term.table].entries.empty())
        return unchecked("it depends on `" + meanings.nameOf(term.table) +
                         "`, which is not known");
  }
  DirectionTable more;
  more.variables.assign(domain.variables.begin(), domain.variables.end());
  more.complete = isLast;
  std::vector<double> weights;
  for (auto [neuron, view] : llvm::zip_equal(neurons, views)) {
    weights.push_back(neuron.weight);
    more.atBos.value += neuron.weight * std::max(0.0, tables.atBos(view).value);
  }
  tables.restrictTo(domain.variables, views);
  for (double sum : sumUnits(tables, domain.variables, weights, views))
    more.entries.push_back({sum, 0});
  // What MLPs of earlier layers have written.
  if (table.variables == more.variables &&
      table.entries.size() == more.entries.size())
    for (auto [own, earlier] : llvm::zip_equal(more.entries, table.entries))
      own.value += earlier.value;
  more.atBos.value += table.atBos.value;
  table = std::move(more);
  return true;
}

void Analyser::analyseMlp(unsigned number) {
  const Layer &layer = model.layers[number];
  std::map<unsigned, std::vector<TableTerm>> neuronsOf;
  for (unsigned d = 0; d < lastLayer.size(); ++d)
    if (lastLayer[d] == static_cast<int>(number))
      neuronsOf[d];
  for (Eigen::Index row = 0; row < layer.wOut.rows(); ++row)
    for (Matrix::InnerIterator it(layer.wOut, row); it; ++it)
      if (it.value() != 0)
        neuronsOf[it.col()].push_back({static_cast<unsigned>(row), it.value()});
  if (meanings.tables) {
    std::vector<TableView> inputs =
        meanings.tables->columnsOf(layer.wIn, layer.bIn);
    for (auto &[direction, neurons] : neuronsOf)
      deriveDirection(direction,
                      lastLayer[direction] == static_cast<int>(number), neurons,
                      inputs);
  }
  // Only now, as labels replace what is found.
  LayerReport &report = result.layers[number];
  groupUnits(number, report);
  for (auto &[direction, neurons] : neuronsOf)
    if (meanings.tables && lastLayer[direction] == static_cast<int>(number) &&
        !meanings.tables->tables[direction].entries.empty())
      compareWithLabel(direction);
  for (UnitGroup &group : report.groups) {
    for (FunctionReport &function : group.functions) {
      for (unsigned d : function.directions)
        function.verdict.lower(result.directions[d]);
      group.verdict.lower(function.verdict);
    }
    result.hiddenUnits += group.units.size();
    if (group.verdict.kind == Verdict::Wrong)
      result.wrongUnits += group.units.size();
    if (group.verdict.kind == Verdict::Unchecked)
      result.uncheckedUnits += group.units.size();
  }
}

void Analyser::groupUnits(unsigned number, LayerReport &report) {
  const Layer &layer = model.layers[number];
  // Units belong together that write directions of one variable.
  llvm::EquivalenceClasses<unsigned> classes;
  std::map<std::string, unsigned> firstOf;
  auto units = static_cast<unsigned>(layer.wOut.rows());
  for (unsigned unit = 0; unit < units; ++unit) {
    classes.insert(unit);
    for (Matrix::InnerIterator it(layer.wOut, unit); it; ++it) {
      if (it.value() == 0)
        continue;
      const Subspace *space = meanings.spaceOf(it.col());
      auto [first, isNew] = firstOf.try_emplace(
          space ? space->variable : meanings.nameOf(it.col()), unit);
      if (!isNew)
        classes.unionSets(first->second, unit);
    }
  }
  std::map<unsigned, UnitGroup> byLeader;
  for (unsigned unit = 0; unit < units; ++unit)
    byLeader[classes.getLeaderValue(unit)].units.push_back(unit);
  std::vector<UnitGroup> groups;
  for (auto &entry : byLeader)
    groups.push_back(std::move(entry.second));
  llvm::sort(groups, [](const UnitGroup &a, const UnitGroup &b) {
    return a.units.front() < b.units.front();
  });
  for (UnitGroup &group : groups) {
    std::set<unsigned> reads, writes;
    for (unsigned unit : group.units)
      for (Matrix::InnerIterator it(layer.wOut, unit); it; ++it)
        if (it.value() != 0)
          writes.insert(it.col());
    std::vector<bool> isOwn(units, false);
    for (unsigned unit : group.units)
      isOwn[unit] = true;
    for (Eigen::Index row = 0; row < layer.wIn.rows(); ++row)
      for (Matrix::InnerIterator it(layer.wIn, row); it; ++it)
        if (it.value() != 0 && isOwn[it.col()])
          reads.insert(row);
    group.reads.assign(reads.begin(), reads.end());
    group.functions =
        functionsOf(std::vector<unsigned>(writes.begin(), writes.end()));
    if (writes.empty())
      group.verdict.lower(Verdict::Wrong, "they write nothing");
    report.groups.push_back(std::move(group));
  }
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

void Analyser::analyseOutput() {
  bool isNumber = model.output.kind == OutputVocab::Numerical;
  for (Eigen::Index o = 0; o < model.wU.cols(); ++o) {
    LogitReport logit;
    logit.input = columnOf(model.wU, model.bU, o);
    if (!isNumber)
      logit.value = displayText(model.output.values[o]);
    result.logits.push_back(std::move(logit));
  }
  if (meanings.tables)
    compareOutput();
  else
    result.output.lower(Verdict::Unchecked, meanings.whyUnchecked);
}

void Analyser::compareOutput() {
  Tables &tables = *meanings.tables;
  const Certificate::Output &claimed = meanings.certificate->readout;
  Verdict &verdict = result.output;
  if (!claimed.domain) {
    verdict.lower(Verdict::Unchecked,
                  "the certificate does not say what it is a function of");
    return;
  }
  const Certificate::Domain &domain =
      meanings.certificate->domains[*claimed.domain];
  double size = static_cast<double>(result.logits.size());
  for (unsigned variable : domain.variables)
    size *= tables.sizeOf(variable);
  if (size > mostComparisons) {
    verdict.lower(Verdict::Unchecked, "too many joint values to be looked at");
    return;
  }
  std::vector<TableView> logits = tables.columnsOf(model.wU, model.bU);
  for (const TableView &logit : logits)
    for (const TableTerm &term : logit.terms)
      if (tables.tables[term.table].entries.empty()) {
        verdict.lower(Verdict::Unchecked, "it reads `" +
                                              meanings.nameOf(term.table) +
                                              "`, which is not known");
        return;
      }
  tables.restrictTo(domain.variables, logits);
  auto output = meanings.graph.output();
  const ValueTable *values =
      output ? meanings.valuesOf(*output, domain.variables) : nullptr;
  JointWalk walk(tables, domain.variables);
  std::vector<llvm::SmallVector<unsigned, 8>> followed(logits.size());
  std::map<unsigned, unsigned> byTable;
  for (auto [logit, own] : llvm::zip_equal(logits, followed))
    for (const TableTerm &term : logit.terms) {
      auto [it, isNew] = byTable.try_emplace(term.table);
      if (isNew)
        it->second = walk.follow(tables.tables[term.table].variables);
      own.push_back(it->second);
    }
  unsigned atValue = values ? walk.follow(values->variables) : 0;
  JointOccurrence occurrence(meanings, walk, domain.variables);
  llvm::ArrayRef<Atom> all = model.output.values;
  std::vector<double> numbers(logits.size());
  bool isCompared = false;
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    if ((!domain.excluded.empty() && domain.excluded[i]) ||
        !occurrence.admits(i))
      continue;
    // What the program says, else what the certificate does.
    std::optional<Atom> expected;
    if (values) {
      uint32_t value = values->entries[walk.at(atValue)];
      if (value == ValueTable::none)
        continue;
      expected = meanings.atom(value);
    } else if (int32_t place = claimed.expected[i];
               place >= 0 && static_cast<size_t>(place) < all.size()) {
      expected = all[place];
    } else {
      continue;
    }
    for (auto [logit, own, number] :
         llvm::zip_equal(logits, followed, numbers)) {
      number = logit.constant.value;
      for (auto [term, at] : llvm::zip_equal(logit.terms, own))
        number +=
            term.weight * tables.tables[term.table].entries[walk.at(at)].value;
    }
    isCompared = true;
    if (claimed.numerical) {
      double apart = std::fabs(numbers[0] - numberOf(*expected));
      result.margin = std::min(result.margin, model.output.tolerance - apart);
      if (!(apart <= model.output.tolerance + 1e-12 * std::fabs(numbers[0])))
        verdict.lower(Verdict::Wrong,
                      llvm::formatv("the number is {0} where `{1}` is {2}",
                                    shortText(numbers[0]), model.output.label,
                                    displayText(*expected)));
      continue;
    }
    const auto *place = llvm::find_if(
        all, [&](const Atom &own) { return isSameValue(own, *expected); });
    if (place == all.end()) {
      verdict.lower(Verdict::Wrong,
                    llvm::formatv("no logit is for {0}, which `{1}` can be",
                                  displayText(*expected), model.output.label));
      continue;
    }
    size_t right = place - all.begin();
    for (size_t o = 0; o < numbers.size(); ++o) {
      if (o == right)
        continue;
      double lead = numbers[right] - numbers[o];
      result.margin = std::min(result.margin, lead);
      if (!(lead > 2 * claimed.error && lead > 0))
        verdict.lower(
            Verdict::Wrong,
            llvm::formatv("where `{0}` is {1}, the logit of {2} is {3}, "
                          "that of {1} {4}",
                          model.output.label, displayText(*expected),
                          displayText(all[o]), shortText(numbers[o]),
                          shortText(numbers[right])));
    }
  }
  if (!isCompared)
    verdict.lower(Verdict::Unchecked,
                  "the file does not say what the output is");
}

Analysis Analyser::run() {
  result.layers.resize(model.layers.size());
  lastLayer.assign(model.config.dModel, -1);
  for (auto [l, layer] : llvm::enumerate(model.layers))
    for (Eigen::Index row = 0; row < layer.wOut.rows(); ++row)
      for (Matrix::InnerIterator it(layer.wOut, row); it; ++it)
        if (it.value() != 0)
          lastLayer[it.col()] = static_cast<int>(l);
  // Also where it should write and does not.
  for (int l = 0; l < static_cast<int>(model.layers.size()); ++l)
    for (unsigned d = 0; d < model.config.dModel; ++d)
      if (const Subspace *space = meanings.spaceOf(d);
          space &&
          llvm::is_contained(space->writers,
                             "blocks." + std::to_string(l) + ".hook_mlp_out"))
        lastLayer[d] = std::max(lastLayer[d], l);
  if (meanings.residual) {
    checkLabels();
    checkWriters();
  }
  if (meanings.tables)
    readEmbeddings();
  else
    for (unsigned d = 0; d < result.directions.size(); ++d)
      lower(d, Verdict::Unchecked, meanings.whyUnchecked);
  for (unsigned l = 0; l < model.layers.size(); ++l) {
    for (unsigned h = 0; h < model.layers[l].heads.size(); ++h)
      result.layers[l].heads.push_back(
          analyseHead(meanings, l, h, result.directions));
    analyseMlp(l);
  }
  analyseOutput();
  return std::move(result);
}

Analysis rasp::rt::analyse(Meanings &meanings) {
  return Analyser(meanings).run();
}
