//===- runtime/dump/DumpJSON.cpp - a model's weights as JSON --------------===//

#include "runtime/Atom.h"
#include "runtime/NumberList.h"
#include "runtime/dump/Dump.h"

#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp::rt;
namespace json = llvm::json;

static json::Value atomToJSON(const Atom &atom) {
  return std::visit(
      [](const auto &value) -> json::Value {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>)
          return json::fixUTF8(value);
        else
          return value;
      },
      atom);
}

static json::Value number(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

namespace {
class JSONPrinter {
public:
  JSONPrinter(Meanings &meanings, const Analysis &analysis,
              const DumpRequest &request)
      : meanings(meanings), model(meanings.model), analysis(analysis),
        request(request) {}
  json::Value print();

private:
  json::Object head(const HeadReport &head) const;
  json::Object selection(const SelectionReport &report) const;
  json::Object group(const UnitGroup &group) const;
  json::Object function(const FunctionReport &function) const;
  json::Object neuron(PartNumber part);
  json::Object dimension(unsigned dimension) const;
  json::Object affine(const Affine &affine) const;
  json::Array names(llvm::ArrayRef<unsigned> directions) const;
  json::Array coordinates(llvm::ArrayRef<unsigned> directions) const;
  json::Object clearing(const ClearedDirection &cleared) const;
  json::Array inputs(llvm::ArrayRef<unsigned> variables) const;
  json::Object weights(const Head &head) const;
  static void addVerdict(json::Object &object, const Verdict &verdict);

  Meanings &meanings;
  const Model &model;
  const Analysis &analysis;
  const DumpRequest &request;
};
} // namespace

void JSONPrinter::addVerdict(json::Object &object, const Verdict &verdict) {
  constexpr llvm::StringLiteral words[] = {"as labelled", "unchecked",
                                           "not as labelled"};
  object["verdict"] = words[verdict.kind];
  if (verdict.kind != Verdict::AsLabelled)
    object["reason"] = verdict.reason;
}

json::Array
JSONPrinter::coordinates(llvm::ArrayRef<unsigned> directions) const {
  json::Array list;
  for (unsigned d : directions)
    list.push_back(meanings.coordinateOf(d));
  return list;
}

json::Array JSONPrinter::names(llvm::ArrayRef<unsigned> directions) const {
  json::Array list;
  for (unsigned d : directions)
    list.push_back(json::fixUTF8(meanings.nameOf(d)));
  return list;
}

json::Object JSONPrinter::affine(const Affine &affine) const {
  json::Array terms;
  for (auto [direction, weight] : affine.terms)
    terms.push_back(
        json::Object{{"dim", meanings.coordinateOf(direction)},
                     {"label", json::fixUTF8(meanings.nameOf(direction))},
                     {"weight", weight}});
  return json::Object{{"terms", std::move(terms)},
                      {"constant", affine.constant}};
}

/// The variables of a function, with their values.
json::Array JSONPrinter::inputs(llvm::ArrayRef<unsigned> variables) const {
  json::Array list;
  for (unsigned variable : variables) {
    json::Array values, types;
    for (const Atom &value : meanings.valuesOf(variable)) {
      values.push_back(atomToJSON(value));
      types.push_back(typeName(value));
    }
    list.push_back(
        json::Object{{"name", meanings.certificate->variables[variable].name},
                     {"size", meanings.tables->sizeOf(variable)},
                     {"values", std::move(values)},
                     {"types", std::move(types)}});
  }
  return list;
}

json::Object JSONPrinter::function(const FunctionReport &function) const {
  json::Object object{{"variable", json::fixUTF8(function.variable)},
                      {"dims", coordinates(function.directions)},
                      {"labels", names(function.directions)}};
  addVerdict(object, function.verdict);
  if (function.numbers.empty())
    return object;
  object["inputs"] = inputs(function.inputs);
  json::Array numbers, decoded;
  auto occurs = [&](size_t i) {
    return function.occurs.empty() || function.occurs[i];
  };
  for (const std::vector<double> &own : function.numbers) {
    json::Array list;
    for (auto [i, value] : llvm::enumerate(own))
      list.push_back(occurs(i) ? number(value) : json::Value(nullptr));
    numbers.push_back(std::move(list));
  }
  object["numbers"] = std::move(numbers);
  for (auto [i, value] : llvm::enumerate(function.decoded))
    decoded.push_back(occurs(i) ? atomToJSON(meanings.atom(value))
                                : json::Value(nullptr));
  if (!function.decoded.empty())
    object["values"] = std::move(decoded);
  return object;
}

json::Object JSONPrinter::selection(const SelectionReport &report) const {
  auto side = [&](llvm::ArrayRef<std::string> titles,
                  llvm::ArrayRef<std::vector<uint32_t>> values) {
    json::Array names, list;
    for (const std::string &title : titles)
      names.push_back(json::fixUTF8(title));
    for (const std::vector<uint32_t> &own : values) {
      json::Array entry;
      for (uint32_t value : own)
        entry.push_back(atomToJSON(meanings.atom(value)));
      list.push_back(std::move(entry));
    }
    return json::Object{{"compares", std::move(names)},
                        {"values", std::move(list)}};
  };
  json::Array rows;
  for (const auto &row : report.cells) {
    std::string text;
    for (SelectionReport::Cell cell : row)
      text += static_cast<char>(cell);
    rows.push_back(std::move(text));
  }
  json::Object object{
      {"selector", json::fixUTF8(report.selector)},
      {"condition", json::fixUTF8(report.condition)},
      {"source_lines", json::Array(report.sourceLines)},
      {"keys", side(report.keyTitles, report.keyValues)},
      {"queries", side(report.queryTitles, report.queryValues)},
      {"different_keys", static_cast<int64_t>(report.keys)},
      {"different_queries", static_cast<int64_t>(report.queries)},
      {"selects", std::move(rows)}};
  addVerdict(object, report.verdict);
  return object;
}

json::Object JSONPrinter::weights(const Head &head) const {
  json::Object object;
  for (const NamedWeights &own : readingWeights(head)) {
    json::Array columns;
    for (unsigned c = 0; c < own.matrix.cols(); ++c)
      columns.push_back(affine(columnOf(own.matrix, own.bias, c)));
    object[own.name] = std::move(columns);
  }
  json::Array rows;
  for (Eigen::Index c = 0; c < head.wO.rows(); ++c) {
    Affine row;
    for (Matrix::InnerIterator it(head.wO, c); it; ++it)
      if (it.value() != 0)
        row.terms.emplace_back(static_cast<unsigned>(it.col()), it.value());
    rows.push_back(affine(row));
  }
  object["W_O"] = std::move(rows);
  return object;
}

json::Object JSONPrinter::head(const HeadReport &head) const {
  json::Array selections, moves;
  for (const SelectionReport &own : head.selections)
    selections.push_back(selection(own));
  for (const MoveReport &move : head.moves) {
    json::Object object{{"dim", meanings.coordinateOf(move.target)},
                        {"label", json::fixUTF8(meanings.nameOf(move.target))},
                        {"value", affine(move.value)},
                        {"averages", move.averages}};
    addVerdict(object, move.verdict);
    moves.push_back(std::move(object));
  }
  json::Object object{{"layer", head.layer},
                      {"head", head.number},
                      {"name", json::fixUTF8(head.name)},
                      {"construction", head.construction},
                      {"rank", head.rank},
                      {"keys_read", names(head.keyReads)},
                      {"queries_read", names(head.queryReads)},
                      {"source_lines", json::Array(head.sourceLines)},
                      {"selections", std::move(selections)},
                      {"moves", std::move(moves)}};
  if (head.isMeasured)
    object["logits"] = json::Object{{"selected_over_others", number(head.lead)},
                                    {"selected_over_bos", number(head.overBos)},
                                    {"bos_over_others", number(head.bosOver)},
                                    {"bos_counts", head.bosCounts},
                                    {"never_empty", head.neverEmpty}};
  if (request.isDetail())
    object["weights"] = weights(model.layers[head.layer].heads[head.number]);
  addVerdict(object, head.verdict);
  return object;
}

json::Object JSONPrinter::group(const UnitGroup &group) const {
  json::Array functions;
  for (const FunctionReport &own : group.functions)
    functions.push_back(function(own));
  json::Object object{{"neurons", json::Array(group.units)},
                      {"read", names(group.reads)},
                      {"functions", std::move(functions)}};
  addVerdict(object, group.verdict);
  return object;
}

json::Object JSONPrinter::clearing(const ClearedDirection &cleared) const {
  return json::Object{
      {"dim", meanings.coordinateOf(cleared.direction)},
      {"label", json::fixUTF8(meanings.nameOf(cleared.direction))},
      {"for", json::fixUTF8(meanings.nameOf(cleared.next))},
      {"layer", cleared.layer},
      {"neurons", json::Array(cleared.units)}};
}

json::Object JSONPrinter::neuron(PartNumber part) {
  if (const ClearedDirection *cleared =
          meanings.clearedBy(part.layer, part.number))
    return json::Object{{"layer", part.layer},
                        {"neuron", part.number},
                        {"clears", clearing(*cleared)}};
  const Layer &layer = model.layers[part.layer];
  Affine output;
  for (Matrix::InnerIterator it(layer.wOut, part.number); it; ++it)
    if (it.value() != 0)
      output.terms.emplace_back(static_cast<unsigned>(it.col()), it.value());
  json::Object object{
      {"layer", part.layer},
      {"neuron", part.number},
      {"input", affine(columnOf(layer.wIn, layer.bIn, part.number))},
      {"outputs", affine(output)}};
  if (std::optional<Activity> activity = activityOf(meanings, part)) {
    object["inputs"] = inputs(activity->inputs);
    json::Array list;
    for (double value : activity->preactivations)
      list.push_back(number(value));
    object["preactivations"] = std::move(list);
  }
  return object;
}

json::Object JSONPrinter::dimension(unsigned dimension) const {
  json::Object object{{"dim", meanings.coordinateOf(dimension)},
                      {"label", json::fixUTF8(meanings.nameOf(dimension))}};
  if (const Subspace *space = meanings.spaceOf(dimension)) {
    object["variable"] = json::fixUTF8(space->variable);
    object["encoding"] = space->encoding;
    object["live_from_half_layer"] = space->liveFrom;
    if (const ClearedDirection *cleared = meanings.clearingOf(dimension))
      object["cleared"] = clearing(*cleared);
    object["source_lines"] = json::Array(space->sourceLines);
  }
  if (request.isDetail()) {
    auto list = [](llvm::ArrayRef<Access> accesses) {
      json::Array all;
      for (const Access &access : accesses)
        all.push_back(
            json::Object{{"component", json::fixUTF8(access.component)},
                         {"place", access.place},
                         {"weight", access.weight}});
      return all;
    };
    object["writers"] = list(writersOf(model, dimension));
    object["readers"] = list(readersOf(model, dimension));
  }
  addVerdict(object, analysis.directions[dimension]);
  return object;
}

json::Value JSONPrinter::print() {
  json::Object object{{"model", json::fixUTF8(model.output.label)},
                      {"summary", summaryOf(analysis)},
                      {"as_labelled", analysis.isAsLabelled()}};
  json::Array problems;
  for (const std::string &problem : problemsOf(meanings, analysis))
    problems.push_back(json::fixUTF8(problem));
  object["problems"] = std::move(problems);
  if (request.isDetail()) {
    json::Array heads, neurons, dimensions;
    for (PartNumber part : request.heads)
      heads.push_back(head(analysis.layers[part.layer].heads[part.number]));
    for (PartNumber part : request.neurons)
      neurons.push_back(neuron(part));
    for (unsigned d : request.dimensions)
      dimensions.push_back(dimension(d));
    object["heads"] = std::move(heads);
    object["neurons"] = std::move(neurons);
    object["dims"] = std::move(dimensions);
    return object;
  }
  json::Array layers, embedding, dimensions, logits;
  for (auto [l, layer] : llvm::enumerate(analysis.layers)) {
    if (!request.layers.empty() && !llvm::is_contained(request.layers, l))
      continue;
    json::Array heads, groups;
    for (const HeadReport &own : layer.heads)
      heads.push_back(head(own));
    for (const UnitGroup &own : layer.groups)
      groups.push_back(group(own));
    json::Object object{{"layer", static_cast<int64_t>(l)},
                        {"heads", std::move(heads)},
                        {"groups", std::move(groups)}};
    if (meanings.unfolding) {
      json::Array clears;
      for (const ClearedDirection &own : meanings.unfolding->cleared)
        if (own.layer == l)
          clears.push_back(clearing(own));
      object["clears"] = std::move(clears);
    }
    layers.push_back(std::move(object));
  }
  object["layers"] = std::move(layers);
  if (!request.layers.empty())
    return object;
  for (const FunctionReport &own : analysis.embeddings)
    embedding.push_back(function(own));
  for (unsigned d = 0; d < model.config.dModel; ++d)
    dimensions.push_back(dimension(d));
  for (auto [o, logit] : llvm::enumerate(analysis.logits)) {
    json::Object entry = affine(logit.input);
    if (model.output.kind == OutputVocab::Categorical)
      entry["value"] = atomToJSON(model.output.values[o]);
    logits.push_back(std::move(entry));
  }
  object["embedding"] = std::move(embedding);
  object["dims"] = std::move(dimensions);
  json::Object output{{"logits", std::move(logits)},
                      {"margin", number(analysis.margin)}};
  addVerdict(output, analysis.output);
  object["unembedding"] = std::move(output);
  return object;
}

json::Value rasp::rt::toJSON(Meanings &meanings, const Analysis &analysis,
                             const DumpRequest &request) {
  return JSONPrinter(meanings, analysis, request).print();
}
