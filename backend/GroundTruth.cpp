//===- backend/GroundTruth.cpp - which weight is which variable -----------===//

#include "backend/GroundTruth.h"
#include "backend/Assemble.h"
#include "backend/Codes.h"
#include "runtime/Atom.h"
#include "runtime/NumberList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <map>
#include <set>

using namespace rasp;
using namespace rasp::backend;
namespace json = llvm::json;

namespace {
/// A node of the computation graph that circuit tools know: an embedding, a
/// head, an MLP or the end of the stream.
struct Component {
  std::string id, kind, outHook, inHook;
  int layer = -1, head = -1;
};

class Describer {
public:
  Describer(const Circuit &circuit, const Layout &layout,
            const ir::NodeNames &names, const ir::ValueSets &sets,
            const llvm::SourceMgr &sources)
      : circuit(circuit), layout(layout), names(names), sets(sets),
        sources(sources) {
    components.push_back({"E", "embed", "hook_embed", ""});
    components.push_back({"P", "pos_embed", "hook_pos_embed", ""});
    for (unsigned l = 0; l < circuit.layers; ++l) {
      std::string block = "blocks." + std::to_string(l) + ".";
      int number = 0;
      for (size_t h = 0; h < circuit.heads.size(); ++h)
        if (circuit.heads[h].layer == l) {
          componentOfHead[h] = components.size();
          components.push_back(
              {"A" + std::to_string(l) + "." + std::to_string(number), "head",
               block + "attn.hook_result", "", static_cast<int>(l), number});
          ++number;
        }
      componentOfMlp.push_back(components.size());
      components.push_back({"M" + std::to_string(l), "mlp",
                            block + "hook_mlp_out", block + "hook_mlp_in",
                            static_cast<int>(l), -1});
    }
    components.push_back({"END", "end", "", "unembed"});
    collectWriters();
    collectReads();
  }

  json::Value residual(const ir::Node *output) const;
  json::Value circuitGraph() const;
  json::Value irGraph(const ir::Node *output) const;

private:
  void collectWriters();
  void collectReads();
  void addReads(size_t component, const char *port, const View &view);
  json::Array lines(const ir::Node *node) const;
  void describeCodes(const Subspace &space, Codes &codes,
                     json::Object &entry) const;
  std::string port(const Component &component, llvm::StringRef port) const;

  const Circuit &circuit;
  const Layout &layout;
  const ir::NodeNames &names;
  const ir::ValueSets &sets;
  const llvm::SourceMgr &sources;
  std::vector<Component> components;
  std::map<size_t, size_t> componentOfHead;
  std::vector<size_t> componentOfMlp;
  /// By place in the layout: the components that write a direction, and
  /// (component, port) that read it.
  std::vector<std::set<size_t>> writers;
  using Reader = std::pair<size_t, std::string>;
  std::vector<std::set<Reader>> readers;
  /// From a component to a port of another one.
  using EdgeKey = std::tuple<size_t, size_t, std::string>;
  struct EdgeDims {
    std::set<unsigned> all; ///< coordinates
    std::set<std::string> variables, cleared;
    bool isData = false; ///< of more than BOS and what is cleared
  };
  /// Where one component reads what another wrote before.
  std::map<EdgeKey, EdgeDims> collectEdges() const;
};
} // namespace

void Describer::collectWriters() {
  writers.resize(layout.order.size());
  for (unsigned at = 0; at < layout.order.size(); ++at) {
    const Direction &dir = circuit[layout.order[at]];
    if (dir.writer == WriterKind::TokenEmbed)
      writers[at].insert(0);
    if (dir.writer == WriterKind::PosEmbed)
      writers[at].insert(1);
  }
  for (size_t h = 0; h < circuit.heads.size(); ++h)
    for (const HeadOutput &output : circuit.heads[h].outputs)
      writers[layout.place(output.target)].insert(componentOfHead[h]);
  for (const Neuron &neuron : circuit.neurons)
    for (const Term &term : neuron.outputs)
      writers[layout.place(term.dir)].insert(componentOfMlp[neuron.layer]);
}

void Describer::addReads(size_t component, const char *port, const View &view) {
  for (const Term &term : view.terms)
    readers[layout.place(term.dir)].insert({component, port});
}

void Describer::collectReads() {
  readers.resize(layout.order.size());
  for (size_t h = 0; h < circuit.heads.size(); ++h) {
    for (const ScoreTerm &score : circuit.heads[h].scores) {
      addReads(componentOfHead[h], "q", score.query);
      addReads(componentOfHead[h], "k", score.key);
    }
    for (const HeadOutput &output : circuit.heads[h].outputs)
      addReads(componentOfHead[h], "v", output.value);
  }
  for (const Neuron &neuron : circuit.neurons)
    addReads(componentOfMlp[neuron.layer], "in", neuron.input);
  for (const View &logit : circuit.readout.logits)
    addReads(components.size() - 1, "in", logit);
}

json::Array Describer::lines(const ir::Node *node) const {
  llvm::SetVector<unsigned> numbers;
  for (llvm::SMRange range : node->ranges())
    if (range.isValid())
      numbers.insert(sources.getLineAndColumn(range.Start).first);
  json::Array result;
  for (unsigned number : numbers)
    result.push_back(number);
  return result;
}

std::string Describer::port(const Component &component,
                            llvm::StringRef port) const {
  if (component.kind == "head")
    return ("blocks." + llvm::Twine(component.layer) + ".hook_" + port +
            "_input[" + llvm::Twine(component.head) + "]")
        .str();
  return component.inHook;
}

static json::Array valuesToJSON(llvm::ArrayRef<ir::Value> values) {
  json::Array list;
  for (const ir::Value &value : values)
    list.push_back(value.toJSON());
  return list;
}

/// The container of a `lookup` or `in`.
static json::Value tableToJSON(const ir::Table &table) {
  json::Object entry{{"values", valuesToJSON(table.values)}};
  if (table.kind == ir::Table::Dict)
    entry["keys"] = valuesToJSON(table.keys);
  return entry;
}

static json::Value codeToJSON(const std::optional<Code> &code) {
  if (!code)
    return nullptr;
  if (code->affine)
    return json::Object{{"scale", rt::numberToJSON(code->affine->first)},
                        {"offset", rt::numberToJSON(code->affine->second)}};
  if (code->isExact())
    return rt::numbersToJSON(code->low);
  return json::Object{{"low", rt::numbersToJSON(code->low)},
                      {"high", rt::numbersToJSON(code->high)}};
}

void Describer::describeCodes(const Subspace &space, Codes &codes,
                              json::Object &entry) const {
  std::vector<std::optional<Code>> own;
  for (DirId dir : layout.directionsOf(space))
    own.push_back(codes.codeOf(dir));
  entry["encoding"] = encodingOf(own);
  json::Array list, values, types;
  for (const std::optional<Code> &code : own)
    list.push_back(codeToJSON(code));
  entry["codes"] = std::move(list);
  for (const ir::Value &value : codes.valuesOf(space.name)) {
    values.push_back(value.toJSON());
    types.push_back(rt::typeName(toAtom(value)));
  }
  if (values.empty())
    return;
  entry["values"] = std::move(values);
  if (llvm::all_equal(types))
    entry["types"] = types[0];
  else
    entry["types"] = std::move(types);
}

json::Value Describer::residual(const ir::Node *output) const {
  Codes codes(circuit, output, names, sets);
  json::Array subspaces;
  for (const Subspace &space : layout.subspaces) {
    json::Array labels, writerList, readerList;
    std::set<std::string> writerNames, readerNames;
    llvm::SetVector<llvm::StringRef> constructions;
    for (DirId dir : layout.directionsOf(space)) {
      labels.push_back(circuit[dir].label);
      if (!circuit[dir].construction.empty())
        constructions.insert(circuit[dir].construction);
      for (size_t c : writers[layout.place(dir)])
        writerNames.insert(components[c].outHook +
                           (components[c].head >= 0
                                ? "[" + std::to_string(components[c].head) + "]"
                                : ""));
      for (auto &[c, name] : readers[layout.place(dir)])
        readerNames.insert(port(components[c], name));
    }
    for (const std::string &name : writerNames)
      writerList.push_back(name);
    for (const std::string &name : readerNames)
      readerList.push_back(name);
    bool isBos = space.first == 0;
    json::Object entry{{"name", space.name},
                       {"range", json::Array{space.begin, space.end}},
                       {"encoding", "constant"},
                       {"labels", std::move(labels)},
                       {"writers", std::move(writerList)},
                       {"readers", std::move(readerList)},
                       {"live_from_half_layer", space.time},
                       {"role", isBos ? "bookkeeping"
                                : space.writer == WriterKind::TokenEmbed ||
                                        space.writer == WriterKind::PosEmbed
                                    ? "input"
                                    : "variable"}};
    if (space.clearedIn) {
      entry["cleared_in_half_layer"] = 2 * *space.clearedIn + 2;
      json::Array units;
      for (DirId dir : layout.directionsOf(space)) {
        const Layout::ClearingUnits *clearing = layout.clearingOf(dir);
        json::Array own;
        for (unsigned i = 0; i < clearing->numUnits(); ++i)
          own.push_back(clearing->first + i);
        units.push_back(std::move(own));
      }
      entry["clearing_units"] = std::move(units);
    }
    if (!constructions.empty())
      entry["construction"] = llvm::join(constructions, "; ");
    if (!isBos)
      describeCodes(space, codes, entry);
    if (space.node) {
      json::Array at = lines(space.node);
      if (!at.empty())
        entry["source_lines"] = std::move(at);
    }
    subspaces.push_back(std::move(entry));
  }
  return json::Object{{"d_model", layout.dModel},
                      {"subspaces", std::move(subspaces)}};
}

std::map<Describer::EdgeKey, Describer::EdgeDims>
Describer::collectEdges() const {
  std::map<EdgeKey, EdgeDims> edges;
  auto add = [&](size_t from, const Reader &reader, DirId dir, bool isCleared) {
    EdgeDims &edge = edges[{from, reader.first, reader.second}];
    edge.all.insert(layout.coordinate(dir));
    (isCleared ? edge.cleared : edge.variables).insert(circuit[dir].space);
    edge.isData |= !isCleared && dir != Circuit::bos;
  };
  for (DirId dir : layout.order)
    for (size_t from : writers[layout.place(dir)])
      for (const Reader &reader : readers[layout.place(dir)])
        add(from, reader, dir, false);
  // What is cleared still arrives where its coordinate is read later, once from
  // its writers and once, with the other sign, from the MLP that clears it. Who
  // clears a coordinate reads it.
  for (DirId next : layout.order) {
    std::set<Reader> clearers;
    for (DirId dir = next; circuit[dir].reuse;) {
      size_t mlp = componentOfMlp[circuit[dir].reuse->layer];
      dir = circuit[dir].reuse->of;
      const std::set<size_t> &own = writers[layout.place(dir)];
      for (size_t writer : own)
        add(writer, {mlp, "in"}, dir, true);
      // Clearers of those that came later.
      for (const Reader &clearer : clearers)
        for (size_t writer : own)
          add(writer, clearer, dir, true);
      for (const Reader &clearer : clearers)
        add(mlp, clearer, dir, true);
      clearers.insert({mlp, "in"});
      for (const Reader &reader : readers[layout.place(next)]) {
        for (size_t writer : own)
          add(writer, reader, dir, true);
        add(mlp, reader, dir, true);
      }
    }
  }
  return edges;
}

json::Value Describer::circuitGraph() const {
  json::Array nodes;
  for (size_t c = 0; c < components.size(); ++c) {
    const Component &component = components[c];
    json::Object entry{{"id", component.id}, {"kind", component.kind}};
    json::Array index{nullptr};
    if (component.head >= 0) {
      index.push_back(nullptr);
      index.push_back(component.head);
      entry["head"] = component.head;
    }
    entry["index"] = std::move(index);
    if (component.layer >= 0)
      entry["layer"] = component.layer;
    if (!component.outHook.empty())
      entry["out_hook"] = component.outHook;
    if (!component.inHook.empty())
      entry["in_hook"] = component.inHook;
    std::set<std::string> variables;
    std::set<int64_t> sourceLines;
    for (DirId id : layout.order)
      if (writers[layout.place(id)].count(c)) {
        const Direction &dir = circuit[id];
        variables.insert(dir.space);
        if (dir.node)
          for (const json::Value &line : lines(dir.node))
            sourceLines.insert(*line.getAsInteger());
      }
    entry["vars"] = json::Array(variables);
    entry["source_lines"] = json::Array(sourceLines);
    for (auto [h, own] : componentOfHead)
      if (own == c) {
        entry["selectors"] = json::Array{circuit.heads[h].name};
        entry["construction"] = circuit.heads[h].construction;
      }
    nodes.push_back(std::move(entry));
  }

  std::map<EdgeKey, EdgeDims> dims = collectEdges();
  json::Array edges, all, semantic;
  for (auto &[key, own] : dims) {
    auto &[from, to, name] = key;
    std::vector<unsigned> numbers(own.all.begin(), own.all.end());
    json::Array ranges;
    for (size_t i = 0; i < numbers.size();) {
      size_t end = i + 1;
      while (end < numbers.size() && numbers[end] == numbers[i] + (end - i))
        ++end;
      ranges.push_back(json::Array{numbers[i], numbers[end - 1] + 1});
      i = end;
    }
    bool bookkeeping = !own.isData && own.cleared.empty();
    llvm::StringRef role = own.isData    ? "data"
                           : bookkeeping ? "bookkeeping"
                                         : "clearing";
    if (!own.isData)
      own.variables.merge(own.cleared);
    auto number = static_cast<int64_t>(edges.size());
    all.push_back(number);
    if (!bookkeeping)
      semantic.push_back(number);
    edges.push_back(json::Object{{"i", number},
                                 {"src", components[from].id},
                                 {"dst", components[to].id},
                                 {"port", name},
                                 {"dims", std::move(ranges)},
                                 {"vars", json::Array(own.variables)},
                                 {"role", role}});
  }
  return json::Object{
      {"format", "raspc-circuit"},
      {"version", 1},
      {"model",
       json::Object{{"n_layers", circuit.layers}, {"tl_hook_scheme", "1.14"}}},
      {"nodes", std::move(nodes)},
      {"edges", std::move(edges)},
      {"circuits",
       json::Object{
           {"static", json::Object{{"edges", std::move(all)}}},
           {"semantic", json::Object{{"edges", std::move(semantic)}}}}}};
}

json::Value Describer::irGraph(const ir::Node *output) const {
  constexpr size_t maxListed = 256, maxListedOfSources = 4096;
  // Whose values the certificate numbers.
  llvm::SmallPtrSet<const ir::Node *, 4> derived;
  for (const SourceForm &form : circuit.forms)
    derived.insert(form.source);
  llvm::DenseMap<const ir::Node *, std::set<std::string>> spaces;
  for (const Direction &dir : circuit.directions)
    if (dir.node)
      spaces[dir.node].insert(dir.residualLabel());
  json::Array nodes;
  for (const ir::Node *node : ir::reachable(output)) {
    json::Array operands;
    for (const ir::Node *operand : node->operands())
      operands.push_back(names.of(operand).str());
    json::Object entry{{"name", names.of(node).str()},
                       {"op", ir::mnemonic(node->kind())},
                       {"operands", std::move(operands)},
                       {"type", node->isSelector() ? "selector" : "value"},
                       {"source_lines", lines(node)}};
    if (node->kind() == ir::OpKind::Select)
      entry["compare"] = ir::spelling(node->compare());
    if (node->kind() == ir::OpKind::Const)
      entry["value"] = node->value().toJSON();
    if (node->kind() == ir::OpKind::Lookup || node->kind() == ir::OpKind::In)
      entry["table"] = tableToJSON(node->table());
    if (node->kind() == ir::OpKind::Aggregate)
      entry["default"] = node->value().toJSON();
    if (node->isSop() && sets.of(node).known) {
      const ir::NodeValues &values = sets.of(node);
      entry["value_count"] = values.values.size();
      if (values.values.size() <=
          (derived.contains(node) ? maxListedOfSources : maxListed))
        entry["values"] = valuesToJSON(values.values);
    }
    auto found = spaces.find(node);
    if (found != spaces.end())
      entry["residual"] = json::Array(found->second);
    json::Array implementedBy;
    for (auto [h, c] : componentOfHead)
      if (circuit.heads[h].selector == node)
        implementedBy.push_back(components[c].id);
    if (!implementedBy.empty())
      entry["components"] = std::move(implementedBy);
    nodes.push_back(std::move(entry));
  }
  return json::Object{{"output", names.of(output).str()},
                      {"nodes", std::move(nodes)}};
}

GroundTruth rasp::backend::describe(const Circuit &circuit,
                                    const Layout &layout,
                                    const ir::Node *output,
                                    const ir::NodeNames &names,
                                    const ir::ValueSets &sets,
                                    const llvm::SourceMgr &sources) {
  Describer describer(circuit, layout, names, sets, sources);
  GroundTruth truth;
  truth.residual = describer.residual(output);
  truth.circuit = describer.circuitGraph();
  truth.ir = describer.irGraph(output);
  return truth;
}
