//===- runtime/dump/Meanings.cpp - what a file says of its weights --------===//

#include "runtime/dump/Meanings.h"
#include "runtime/Atom.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace rasp::rt;
using Kind = Certificate::VariableKind;

/// S-ops of more joint values are not tabulated.
static constexpr size_t mostCombinations = 1 << 22;

/// Longer chains of operands are not followed.
static constexpr unsigned deepest = 4096;

Meanings::Meanings(const Model &model, const Unfolding *unfolding)
    : model(model), unfolding(unfolding), graph(model),
      codes(model.config.dModel) {
  llvm::SmallVector<llvm::StringRef> split;
  llvm::StringRef(model.programText).split(split, '\n');
  lines.assign(split.begin(), split.end());
  llvm::Expected<ResidualMap> map = ResidualMap::make(model);
  if (!map) {
    whyUnlabelled = llvm::toString(map.takeError());
    whyUnchecked = "the file has no labels";
    return;
  }
  llvm::Expected<VariableDecoder> made = VariableDecoder::make(model);
  if (!made) {
    whyUnlabelled = llvm::toString(made.takeError());
    whyUnchecked = "its labels do not fit";
    return;
  }
  residual = std::move(*map);
  decoder = std::move(*made);
  for (size_t v = 0; v < decoder->variables().size(); ++v)
    for (const DirectionCode &code : decoder->codesOf(v))
      codes[code.direction] = {v, &code};
  readCertificate();
}

void Meanings::readCertificate() {
  if (model.certificate.kind() == llvm::json::Value::Null) {
    whyUnchecked = "the file has no certificate, which lists joint values";
    return;
  }
  llvm::Expected<Certificate> read = certificateFromJSON(model.certificate);
  if (!read) {
    whyUnchecked =
        "the certificate cannot be read: " + llvm::toString(read.takeError());
    return;
  }
  if (read->directions.size() != model.config.dModel) {
    whyUnchecked = llvm::formatv("the certificate speaks of {0} directions",
                                 read->directions.size());
    return;
  }
  for (const Certificate::Variable &variable : read->variables) {
    size_t size = variable.kind == Kind::Token      ? model.input.values.size()
                  : variable.kind == Kind::Position ? model.config.nCtx - 1
                                                    : variable.size;
    if (variable.size != size || size == 0) {
      whyUnchecked = llvm::formatv("the certificate has {0} values of `{1}`, "
                                   "the model {2}",
                                   variable.size, variable.name, size);
      return;
    }
  }
  certificate = std::move(*read);
  tables = std::make_unique<Tables>(*certificate);
  for (unsigned v = 0; v < certificate->variables.size(); ++v)
    variableValues.push_back(findValues(v));
}

std::vector<Atom> Meanings::findValues(unsigned index) const {
  const Certificate::Variable &variable = certificate->variables[index];
  if (variable.kind == Kind::Token)
    return model.input.values;
  std::vector<Atom> values;
  if (variable.kind == Kind::Position) {
    for (unsigned p = 0; p < variable.size; ++p)
      values.emplace_back(int64_t(p));
    return values;
  }
  if (variable.interval)
    return {variable.low, variable.high};
  for (auto [v, name] : llvm::enumerate(decoder->variables()))
    if (name == variable.name && decoder->valuesOf(v).size() == variable.size)
      return decoder->valuesOf(v).vec();
  if (auto node = graph.find(variable.name);
      node && graph.nodes()[*node].values.size() == variable.size)
    return graph.nodes()[*node].values;
  // Means that are not listed: a direction holds the number.
  for (auto [d, direction] : llvm::enumerate(certificate->directions)) {
    const DirectionCode *code = codeOf(d);
    const Subspace *space = spaceOf(d);
    if (direction.variable != index || !code || !code->hasCode ||
        !code->low.empty() || space->variable != variable.name)
      continue;
    for (double number : direction.values)
      values.emplace_back((number - code->offset) / code->scale);
    return values;
  }
  return values;
}

const Subspace *Meanings::spaceOf(unsigned direction) const {
  return residual ? residual->find(direction, 0) : nullptr;
}

const DirectionCode *Meanings::codeOf(unsigned direction) const {
  return codes[direction].second;
}

const ClearedDirection *Meanings::clearingOf(unsigned direction) const {
  if (unfolding)
    for (const ClearedDirection &own : unfolding->cleared)
      if (own.direction == direction)
        return &own;
  return nullptr;
}

const ClearedDirection *Meanings::clearedBy(unsigned layer,
                                            unsigned unit) const {
  if (unfolding)
    for (const ClearedDirection &own : unfolding->cleared)
      if (own.layer == layer && llvm::is_contained(own.units, unit))
        return &own;
  return nullptr;
}

std::string Meanings::nameOf(unsigned direction) const {
  if (const Subspace *space = spaceOf(direction))
    return space->labelOf(direction);
  return "[" + std::to_string(direction) + "]";
}

std::string Meanings::bracketed(unsigned direction) const {
  std::string name = nameOf(direction);
  return spaceOf(direction) ? "[" + name + "]" : name;
}

uint32_t Meanings::numberOfAtom(const Atom &atom) {
  auto [it, isNew] =
      numbers.try_emplace(atom, static_cast<uint32_t>(atoms.size()));
  if (isNew)
    atoms.push_back(&it->first);
  return it->second;
}

std::optional<size_t> Meanings::placeOf(unsigned variable,
                                        const Atom &value) const {
  llvm::ArrayRef<Atom> values = valuesOf(variable);
  const auto *found = llvm::find_if(
      values, [&](const Atom &own) { return isSameValue(own, value); });
  if (found == values.end())
    return std::nullopt;
  return found - values.begin();
}

std::optional<NumberRange> Meanings::claim(unsigned direction, uint32_t value) {
  auto [variable, code] = codes[direction];
  if (!code || !code->hasCode || value == ValueTable::none)
    return std::nullopt;
  if (code->low.empty()) {
    double number = code->scale * numberOf(atom(value)) + code->offset;
    if (std::isnan(number))
      return std::nullopt;
    return NumberRange{number, number};
  }
  auto [it, isNew] = places.try_emplace({variable, value}, 0);
  llvm::ArrayRef<Atom> values = decoder->valuesOf(variable);
  if (isNew)
    it->second = llvm::find_if(values,
                               [&](const Atom &own) {
                                 return isSameValue(own, atom(value));
                               }) -
                 values.begin();
  if (it->second == values.size() || std::isnan(code->low[it->second]))
    return std::nullopt;
  return NumberRange{code->low[it->second], code->high[it->second]};
}

std::optional<ValueTable> Meanings::identity(unsigned variable) {
  llvm::ArrayRef<Atom> values = valuesOf(variable);
  if (values.empty())
    return std::nullopt;
  ValueTable table;
  table.variables = {variable};
  for (const Atom &value : values)
    table.entries.push_back(numberOfAtom(value));
  return table;
}

const ValueTable *Meanings::valuesOf(llvm::StringRef name,
                                     llvm::ArrayRef<unsigned> variables) {
  for (unsigned variable : variables)
    if (certificate->variables[variable].name == name) {
      auto [it, isNew] = identities.try_emplace(variable);
      if (isNew)
        it->second = identity(variable);
      return it->second ? &*it->second : nullptr;
    }
  std::optional<unsigned> node = graph.find(name);
  return node ? valuesOf(*node, variables) : nullptr;
}

const ValueTable *Meanings::valuesOf(unsigned node,
                                     llvm::ArrayRef<unsigned> variables) {
  auto [it, isNew] = nodeValues.try_emplace({node, variables.vec()});
  if (isNew && depth < deepest) {
    ++depth;
    it->second = makeValues(node, variables);
    --depth;
  }
  return it->second ? &*it->second : nullptr;
}

std::optional<ValueTable>
Meanings::makeValues(unsigned index, llvm::ArrayRef<unsigned> variables) {
  const ProgramNode &node = graph.nodes()[index];
  for (unsigned variable : variables) {
    Kind kind = certificate->variables[variable].kind;
    bool isLeaf = kind == Kind::Token || kind == Kind::Position;
    if (kind == Kind::Position
            ? node.op == "indices"
            : !isLeaf && node.name == certificate->variables[variable].name)
      return identity(variable);
    if (kind != Kind::Token || !llvm::StringRef(node.op).starts_with("tokens_"))
      continue;
    ValueTable table;
    table.variables = {variable};
    for (const Atom &token : model.input.values) {
      std::optional<Atom> held = tokenAs(node.op, token);
      table.entries.push_back(held ? numberOfAtom(*held) : ValueTable::none);
    }
    return table;
  }
  ValueTable table;
  if (node.op == "const") {
    if (!node.constant)
      return std::nullopt;
    table.entries = {numberOfAtom(*node.constant)};
    return table;
  }
  if (node.operands.empty() || node.isSelector() || node.op == "aggregate" ||
      node.op == "width")
    return std::nullopt;

  std::vector<const ValueTable *> operands;
  for (unsigned operand : node.operands) {
    operands.push_back(valuesOf(operand, variables));
    if (!operands.back())
      return std::nullopt;
  }
  // In the order of `variables`.
  double size = 1;
  for (unsigned variable : variables)
    if (llvm::any_of(operands, [&](const ValueTable *operand) {
          return llvm::is_contained(operand->variables, variable);
        })) {
      table.variables.push_back(variable);
      size *= tables->sizeOf(variable);
    }
  if (size > mostCombinations)
    return std::nullopt;
  JointWalk walk(*tables, table.variables);
  llvm::SmallVector<unsigned, 3> followed;
  for (const ValueTable *operand : operands)
    followed.push_back(walk.follow(operand->variables));
  std::map<llvm::SmallVector<uint32_t, 3>, uint32_t> known;
  std::vector<Atom> arguments(operands.size());
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    llvm::SmallVector<uint32_t, 3> key;
    for (auto [operand, at] : llvm::zip_equal(operands, followed))
      key.push_back(operand->entries[walk.at(at)]);
    auto [it, isNew] = known.try_emplace(key, ValueTable::none);
    if (isNew && !llvm::is_contained(key, ValueTable::none)) {
      for (auto [argument, number] : llvm::zip_equal(arguments, key))
        argument = atom(number);
      if (std::optional<Atom> result = applyOp(node.op, arguments, node.table))
        it->second = numberOfAtom(*result);
    }
    table.entries.push_back(it->second);
  }
  return table;
}

const ValueTable *Meanings::valuesOfAny(llvm::StringRef name,
                                        llvm::ArrayRef<unsigned> variables) {
  llvm::SmallVector<unsigned, 8> all(variables.begin(), variables.end());
  for (auto [v, variable] : llvm::enumerate(certificate->variables))
    if (variable.kind != Kind::Derived && !variable.interval &&
        !llvm::is_contained(variables, v))
      all.push_back(v);
  return valuesOf(name, all);
}

bool Meanings::isFullWidth(unsigned variable) {
  std::optional<unsigned> node =
      graph.find(certificate->variables[variable].name);
  if (!node || graph.nodes()[*node].op != "width" ||
      graph.nodes()[*node].operands.size() != 1)
    return false;
  const ProgramNode &select = graph.nodes()[graph.nodes()[*node].operands[0]];
  if (select.op != "select" || select.operands.size() != 2)
    return false;
  const ValueTable *key = valuesOf(select.operands[0], {}),
                   *query = valuesOf(select.operands[1], {});
  return key && query && key->entries[0] != ValueTable::none &&
         query->entries[0] != ValueTable::none &&
         compareAtoms(select.compare, atom(key->entries[0]),
                      atom(query->entries[0])) == true;
}

const std::vector<bool> &
Meanings::occurrence(llvm::ArrayRef<unsigned> variables) {
  auto [it, isNew] = occurrences.try_emplace(variables.vec());
  if (isNew)
    it->second = findOccurrence(variables);
  return it->second;
}

std::vector<bool> Meanings::findOccurrence(llvm::ArrayRef<unsigned> variables) {
  // Variables that are functions of others, and those.
  llvm::SmallVector<std::pair<unsigned, const ValueTable *>, 2> derived;
  llvm::SmallVector<unsigned, 8> joint;
  for (unsigned variable : variables) {
    const Certificate::Variable &own = certificate->variables[variable];
    const ValueTable *table = nullptr;
    if (own.kind == Kind::Derived && !own.interval &&
        !valuesOf(variable).empty())
      table = valuesOfAny(own.name, {});
    if (table)
      derived.emplace_back(variable, table);
    else
      joint.push_back(variable);
  }
  for (auto &[variable, table] : derived)
    for (unsigned own : table->variables)
      if (!llvm::is_contained(joint, own))
        joint.push_back(own);
  std::optional<unsigned> position;
  llvm::SmallVector<std::pair<unsigned, bool>, 2> widths;
  for (unsigned variable : joint)
    if (certificate->variables[variable].kind == Kind::Position)
      position = variable;
  for (unsigned variable : joint)
    if (certificate->variables[variable].kind == Kind::Width && position &&
        !valuesOf(variable).empty())
      widths.emplace_back(variable, isFullWidth(variable));
  double size = 1, ownSize = 1;
  for (unsigned variable : joint)
    size *= tables->sizeOf(variable);
  for (unsigned variable : variables)
    ownSize *= tables->sizeOf(variable);
  if ((derived.empty() && widths.empty()) || size > mostCombinations ||
      ownSize > mostCombinations)
    return {};

  JointWalk walk(*tables, joint);
  llvm::SmallVector<unsigned, 8> ofVariables, ofDerived, ofWidths;
  for (unsigned variable : variables)
    ofVariables.push_back(walk.follow(variable));
  std::vector<std::map<uint32_t, size_t>> places(derived.size());
  for (auto [own, known] : llvm::zip_equal(derived, places)) {
    ofDerived.push_back(walk.follow(own.second->variables));
    for (uint32_t value : own.second->entries)
      if (value != ValueTable::none && !known.count(value))
        known[value] =
            placeOf(own.first, atom(value)).value_or(tables->sizeOf(own.first));
  }
  unsigned atPosition = position ? walk.follow(*position) : 0;
  for (auto &[variable, isFull] : widths)
    ofWidths.push_back(walk.follow(variable));
  std::vector<bool> occurs(static_cast<size_t>(ownSize), false);
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    bool isPossible = true;
    for (auto [own, at] : llvm::zip_equal(widths, ofWidths)) {
      double width = numberOf(valuesOf(own.first)[walk.at(at)]);
      auto keys = static_cast<double>(walk.at(atPosition) + 1);
      isPossible &= !model.config.causal || width <= keys;
      isPossible &= !own.second || width >= keys;
    }
    if (!isPossible)
      continue;
    size_t place = 0, nextDerived = 0;
    for (auto [variable, at] : llvm::zip_equal(variables, ofVariables)) {
      size_t value = walk.at(at), values = tables->sizeOf(variable);
      if (nextDerived < derived.size() &&
          derived[nextDerived].first == variable) {
        uint32_t atom = derived[nextDerived]
                            .second->entries[walk.at(ofDerived[nextDerived])];
        value = atom == ValueTable::none ? values : places[nextDerived][atom];
        ++nextDerived;
      }
      isPossible &= value < values;
      place = place * values + value;
    }
    if (isPossible)
      occurs[place] = true;
  }
  return occurs;
}

std::string Meanings::lineText(llvm::ArrayRef<unsigned> numbers) const {
  if (numbers.empty())
    return "";
  std::string text = numbers.size() == 1 ? "line " : "lines ";
  llvm::interleave(
      numbers, [&](unsigned line) { text += std::to_string(line); },
      [&] { text += ", "; });
  if (numbers.size() == 1 && numbers[0] >= 1 && numbers[0] <= lines.size())
    text += ": " + lines[numbers[0] - 1].trim().str();
  return text;
}
