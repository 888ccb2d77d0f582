//===- runtime/InterventionsJSON.cpp - interventions from text ------------===//

#include "runtime/Interventions.h"

#include "runtime/Atom.h"
#include "runtime/ResidualMap.h"
#include "runtime/Tokenizer.h"
#include "runtime/VariableDecoder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace rasp::rt;
namespace json = llvm::json;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {

/// The member that selects along an axis.
struct AxisName {
  llvm::StringRef name;
  Axis axis;
};
constexpr AxisName axisNames[] = {
    {"inputs", Axis::Sequence},      {"positions", Axis::Position},
    {"heads", Axis::Head},           {"keys", Axis::Key},
    {"directions", Axis::Direction}, {"columns", Axis::Column},
    {"units", Axis::Unit},           {"outputs", Axis::Output}};

struct ActionName {
  llvm::StringRef name;
  Intervention::Action action;
  bool takesValue;
};
constexpr ActionName actionNames[] = {
    {"replace", Intervention::Action::Replace, true},
    {"add", Intervention::Action::Add, true},
    {"zero", Intervention::Action::Replace, false},
    {"mean", Intervention::Action::Mean, false},
    {"resample", Intervention::Action::Resample, false}};

/// Reads one intervention.
class Reader {
public:
  Reader(const Model &model, const HookTable &table,
         const std::optional<ResidualMap> &map, Intervention &result)
      : model(model), table(table), map(map), result(result) {}

  llvm::Error read(const json::Value &value);
  /// What one that names variables becomes: the directions of a variable that
  /// are there are not the same at all hook points.
  std::vector<Intervention> settings;

private:
  llvm::Error fail(llvm::StringRef member, const llvm::Twine &message) const {
    return ::fail(result.name + (member.empty() ? "" : ".") + member + ": " +
                  message);
  }

  llvm::Error checkMembers(const json::Object &object);
  llvm::Error readHooks(const json::Object &object);
  llvm::Error readAction(const json::Object &object);
  llvm::Error readValue(const json::Value &value, size_t depth);
  llvm::Error readSelection(const json::Object &object);
  llvm::Expected<int64_t> findLabel(llvm::StringRef label) const;
  llvm::Error readIndices(const AxisName &axis, const json::Value &value);
  llvm::Error readVariables(const json::Value &value);
  llvm::Error readSetting(const json::Object &object);
  llvm::Error setAt(const HookPoint &point, const VariableDecoder &decoder,
                    size_t variable, const Atom &value, bool isAsked);
  llvm::Error readReferences(const json::Value &value);
  llvm::Expected<std::vector<uint32_t>> readInput(const json::Value &value);

  const Model &model;
  const HookTable &table;
  const std::optional<ResidualMap> &map;
  std::vector<std::string> variables; ///< that are named
  Intervention &result;
};

} // namespace

/// The elements of a list, or the value itself.
static llvm::ArrayRef<json::Value> elementsOf(const json::Value &value) {
  if (const json::Array *list = value.getAsArray())
    return llvm::ArrayRef(list->data(), list->size());
  return value;
}

llvm::Error Reader::read(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return fail("", "expected an object");
  if (llvm::Error error = checkMembers(*object))
    return error;
  if (llvm::Error error = readHooks(*object))
    return error;
  if (object->getString("action") == "set")
    return readSetting(*object);
  if (llvm::Error error = readAction(*object))
    return error;
  if (llvm::Error error = readSelection(*object))
    return error;
  if (const json::Value *variable = object->get("variable"))
    if (llvm::Error error = readVariables(*variable))
      return error;
  if (const json::Value *from = object->get("from"))
    if (llvm::Error error = readReferences(*from))
      return error;
  if (variables.empty())
    return llvm::Error::success();
  auto selected = selectVariables(result, variables, *map, model.numLayers());
  if (!selected)
    return fail("variable", llvm::toString(selected.takeError()));
  settings = std::move(*selected);
  return llvm::Error::success();
}

llvm::Error Reader::checkMembers(const json::Object &object) {
  std::vector<llvm::StringRef> known = {"hook", "action", "value", "variable",
                                        "from"};
  for (const AxisName &axis : axisNames)
    known.push_back(axis.name);
  for (const auto &[key, value] : object) {
    llvm::StringRef name = key;
    if (llvm::is_contained(known, name))
      continue;
    auto nearest =
        llvm::min_element(known, [&](llvm::StringRef a, llvm::StringRef b) {
          return name.edit_distance(a) < name.edit_distance(b);
        });
    return fail("", "unknown member `" + name + "`; did you mean `" + *nearest +
                        "`?");
  }
  return llvm::Error::success();
}

llvm::Error Reader::readHooks(const json::Object &object) {
  const json::Value *hooks = object.get("hook");
  if (!hooks) {
    if (!object.get("variable"))
      return fail("", "expected a `hook`, or a `variable`, which stands for "
                      "all of the residual stream");
    result.points = table.residualStream();
    return llvm::Error::success();
  }
  for (const json::Value &element : elementsOf(*hooks)) {
    std::optional<llvm::StringRef> name = element.getAsString();
    if (!name || name->empty())
      return fail("hook", "expected a name or a list of names");
    llvm::Expected<std::vector<HookPoint>> points = table.select(*name);
    if (!points)
      return fail("hook", llvm::toString(points.takeError()));
    for (const HookPoint &point : *points)
      if (!llvm::is_contained(result.points, point))
        result.points.push_back(point);
  }
  if (result.points.empty())
    return fail("hook", "expected at least one name");
  for (const HookPoint &point : result.points)
    if (point.kind == HookKind::Tokens)
      return fail("hook", "`hook_tokens` can be read, not changed; run the "
                          "model on other inputs instead");
  return llvm::Error::success();
}

llvm::Error Reader::readAction(const json::Object &object) {
  std::optional<llvm::StringRef> name = object.getString("action");
  const auto *action =
      llvm::find_if(actionNames, [&](const ActionName &candidate) {
        return name && candidate.name == *name;
      });
  if (action == std::end(actionNames))
    return fail("action", "expected \"replace\", \"add\", \"zero\", "
                          "\"mean\", \"resample\" or \"set\"");
  result.action = action->action;
  const json::Value *value = object.get("value");
  if (action->takesValue != (value != nullptr))
    return fail("value", "\"" + action->name + "\" takes " +
                             (action->takesValue ? "a value, which is missing"
                                                 : "no value"));
  bool refers = result.action == Intervention::Action::Mean ||
                result.action == Intervention::Action::Resample;
  if (object.get("from") && !refers)
    return fail("from", "\"" + action->name + "\" takes no other inputs");
  if (!value)
    return llvm::Error::success();
  result.value.data.clear();
  return readValue(*value, 0);
}

llvm::Error Reader::readValue(const json::Value &value, size_t depth) {
  auto &shape = result.value.shape;
  const json::Array *list = value.getAsArray();
  bool isFirst = result.value.data.empty();
  if (!list) {
    std::optional<double> number = value.getAsNumber();
    if (!number || depth != shape.size())
      return fail("value", "expected a number, or lists of numbers that have "
                           "one length at every depth");
    result.value.data.push_back(*number);
    return llvm::Error::success();
  }
  if (isFirst && depth == shape.size())
    shape.push_back(list->size());
  if (depth >= shape.size() || shape[depth] != list->size() || list->empty())
    return fail("value", "expected a number, or lists of numbers that have one "
                         "length at every depth");
  for (const json::Value &element : *list)
    if (llvm::Error error = readValue(element, depth + 1))
      return error;
  return llvm::Error::success();
}

llvm::Error Reader::readSelection(const json::Object &object) {
  for (const AxisName &axis : axisNames)
    if (const json::Value *value = object.get(axis.name))
      if (llvm::Error error = readIndices(axis, *value))
        return error;
  return llvm::Error::success();
}

/// The coordinate of a direction, which has to have it at all hooks.
llvm::Expected<int64_t> Reader::findLabel(llvm::StringRef label) const {
  if (!map || !map->isShared()) {
    auto found = llvm::find(model.residualLabels, label);
    if (found != model.residualLabels.end())
      return found - model.residualLabels.begin();
    return ::fail("no direction has the label `" + label + "`");
  }
  std::string problem = ("no direction has the label `" + label + "`").str();
  for (const Subspace &space : map->subspaces())
    for (unsigned at = space.begin; at < space.end; ++at) {
      if (space.labelOf(at) != label)
        continue;
      auto wrong = llvm::find_if(result.points, [&](auto &point) {
        unsigned half = halfLayerAround(point, model.numLayers());
        const Subspace *own = map->find(at, half);
        return (own && own != &space) ||
               (point.kind == HookKind::MlpOut && map->isClearedIn(at, half));
      });
      if (wrong == result.points.end())
        return at;
      problem = ("`" + label + "` does not have its place to itself at `" +
                 wrong->name() + "`")
                    .str();
    }
  return ::fail(problem);
}

llvm::Error Reader::readIndices(const AxisName &axis,
                                const json::Value &value) {
  std::vector<int64_t> indices;
  for (const json::Value &element : elementsOf(value)) {
    std::optional<int64_t> index = element.getAsInteger();
    std::optional<llvm::StringRef> label = element.getAsString();
    if (label && axis.axis == Axis::Direction) {
      llvm::Expected<int64_t> found = findLabel(*label);
      if (!found)
        return fail(axis.name, llvm::toString(found.takeError()));
      index = *found;
    }
    if (!index)
      return fail(axis.name, "expected an integer or a list of integers");
    if (axis.axis == Axis::Sequence && *index < 0)
      return fail(axis.name, "inputs are counted from 0");
    if (llvm::is_contained(indices, *index))
      return fail(axis.name, llvm::Twine(*index) + " is there twice");
    indices.push_back(*index);
  }
  if (indices.empty())
    return fail(axis.name, "expected at least one");
  for (const HookPoint &point : result.points) {
    // Queries are the positions of attention.
    bool isAttention = llvm::is_contained(axesOf(point.kind), Axis::Query);
    Axis own =
        isAttention && axis.axis == Axis::Position ? Axis::Query : axis.axis;
    if (!llvm::is_contained(axesOf(point.kind), own))
      return fail(axis.name,
                  "`" + point.name() + "` has no axis of " + axis.name);
    result.selected[own] = indices;
  }
  return llvm::Error::success();
}

llvm::Error Reader::readVariables(const json::Value &value) {
  if (!map)
    return fail("variable", "the file does not say which directions hold "
                            "which variable");
  for (const json::Value &element : elementsOf(value)) {
    std::optional<llvm::StringRef> name = element.getAsString();
    if (!name)
      return fail("variable", "expected a name or a list of names");
    variables.push_back(name->str());
  }
  if (variables.empty())
    return fail("variable", "expected at least one");
  for (const HookPoint &point : result.points)
    if (!llvm::is_contained(axesOf(point.kind), Axis::Direction))
      return fail("variable", "`" + point.name() +
                                  "` is not of the residual stream, where "
                                  "variables are");
  return llvm::Error::success();
}

llvm::Error Reader::readSetting(const json::Object &object) {
  for (llvm::StringRef member : {"from", "directions"})
    if (object.get(member))
      return fail(member, "\"set\" takes none");
  std::optional<llvm::StringRef> name = object.getString("variable");
  if (!name)
    return fail("variable", "\"set\" takes the name of one variable");
  const json::Value *json = object.get("value");
  std::optional<Atom> value = json ? atomFromJSON(*json) : std::nullopt;
  if (!value)
    return fail("value", "expected the value that `" + *name +
                             "` is to have: a string, a number, true or false");
  llvm::Expected<VariableDecoder> decoder = VariableDecoder::make(model);
  if (!decoder)
    return fail("variable", llvm::toString(decoder.takeError()));
  if (llvm::Expected<std::vector<unsigned>> own = map->coordinatesOf(*name);
      !own)
    return fail("variable", llvm::toString(own.takeError()));
  size_t variable =
      llvm::find(decoder->variables(), *name) - decoder->variables().begin();
  if (variable == decoder->variables().size())
    return fail("variable", "`" + *name + "` has no values");

  if (llvm::Error error = readSelection(object))
    return error;
  auto positions = result.selected.find(Axis::Position);
  if (positions != result.selected.end() &&
      llvm::is_contained(positions->second, 0))
    return fail("positions", "at position 0, BOS, variables have no values");
  result.sparesBos = true;
  for (const HookPoint &point : result.points)
    if (llvm::Error error =
            setAt(point, *decoder, variable, *value, object.get("hook")))
      return error;
  return llvm::Error::success();
}

/// `isAsked`: someone named the hook point, so there must be something to set.
llvm::Error Reader::setAt(const HookPoint &point,
                          const VariableDecoder &decoder, size_t variable,
                          const Atom &value, bool isAsked) {
  std::optional<unsigned> half = halfLayerOf(point, model.numLayers());
  if (!half)
    return fail("hook", "`" + point.name() +
                            "` does not show the residual stream, where "
                            "variables are");
  if (!isAsked && !decoder.isThereAfter(variable, *half))
    return llvm::Error::success();
  llvm::Expected<EncodedValue> code =
      decoder.encode(decoder.variables()[variable], value, *half);
  if (!code)
    return fail("", "at `" + point.name() +
                        "`: " + llvm::toString(code.takeError()));
  Intervention setting = result;
  setting.points = {point};
  setting.selected[Axis::Direction].assign(code->directions.begin(),
                                           code->directions.end());
  setting.value.shape = {static_cast<unsigned>(code->numbers.size())};
  setting.value.data = std::move(code->numbers);
  settings.push_back(std::move(setting));
  return llvm::Error::success();
}

llvm::Error Reader::readReferences(const json::Value &value) {
  References &from = result.from;
  if (const json::Object *object = value.getAsObject()) {
    for (const auto &[key, member] : *object) {
      llvm::StringRef name = key;
      std::optional<int64_t> number = member.getAsInteger();
      if ((name != "random" && name != "seed") || !number || *number < 0)
        return fail("from", "expected a list of inputs, or "
                            "{\"random\": N, \"seed\": S}");
      if (name == "seed")
        from.seed = *number;
      else if (*number < 1 || *number > 100000)
        return fail("from", "expected `random` to be 1 to 100000");
      else
        from.random = *number;
    }
    return llvm::Error::success();
  }
  const json::Array *list = value.getAsArray();
  if (!list || list->empty())
    return fail("from", "expected a list of inputs, or "
                        "{\"random\": N, \"seed\": S}");
  for (const json::Value &element : *list) {
    llvm::Expected<std::vector<uint32_t>> ids = readInput(element);
    if (!ids)
      return fail("from", llvm::toString(ids.takeError()));
    from.inputs.push_back(std::move(*ids));
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<uint32_t>>
Reader::readInput(const json::Value &value) {
  Tokenizer tokenizer(model);
  if (std::optional<llvm::StringRef> text = value.getAsString())
    return tokenizer.encode(tokenizer.split(*text));
  const json::Array *list = value.getAsArray();
  if (!list)
    return ::fail("expected an input to be a string or a list of tokens");
  std::vector<Atom> atoms;
  for (const json::Value &element : *list) {
    std::optional<Atom> atom = atomFromJSON(element);
    if (!atom)
      return ::fail("expected tokens to be strings, numbers, true or false");
    atoms.push_back(std::move(*atom));
  }
  return tokenizer.encode(atoms);
}

llvm::Expected<std::vector<Intervention>>
rasp::rt::parseInterventions(const json::Value &value, const Model &model) {
  const json::Object *object = value.getAsObject();
  const json::Array *list = object && object->size() == 1
                                ? object->getArray("interventions")
                                : nullptr;
  if (!list)
    return fail("expected {\"interventions\": [...]}");
  HookTable table(model);
  std::optional<ResidualMap> map = ResidualMap::makeIfKnown(model);
  std::vector<Intervention> interventions;
  for (auto [i, element] : llvm::enumerate(*list)) {
    if (std::optional<llvm::StringRef> spec = element.getAsString()) {
      auto ablation = parseAblation(*spec, model);
      if (!ablation)
        return ablation.takeError();
      llvm::append_range(interventions, std::move(*ablation));
      continue;
    }
    Intervention intervention;
    intervention.name = ("interventions[" + llvm::Twine(i) + "]").str();
    Reader reader(model, table, map, intervention);
    if (llvm::Error error = reader.read(element))
      return error;
    if (reader.settings.empty())
      interventions.push_back(std::move(intervention));
    else
      llvm::append_range(interventions, std::move(reader.settings));
  }
  return interventions;
}
