//===- runtime/ResidualMap.cpp - what residual directions hold ------------===//

#include "runtime/ResidualMap.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include <set>

using namespace rasp::rt;
namespace json = llvm::json;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static std::vector<std::string> stringsOf(const json::Object &object,
                                          llvm::StringRef key) {
  std::vector<std::string> strings;
  if (const json::Array *list = object.getArray(key))
    for (const json::Value &element : *list)
      strings.push_back(element.getAsString().value_or("").str());
  return strings;
}

/// One or two hidden units for each direction.
static bool parseUnits(const json::Array *list, Subspace &space) {
  if (!list || list->size() != space.end - space.begin)
    return false;
  for (const json::Value &value : *list) {
    const json::Array *numbers = value.getAsArray();
    if (!numbers || numbers->empty() || numbers->size() > 2)
      return false;
    std::vector<unsigned> &units = space.clearingUnits.emplace_back();
    for (const json::Value &element : *numbers) {
      std::optional<int64_t> number = element.getAsInteger();
      if (!number || *number < 0 || *number > UINT32_MAX)
        return false;
      units.push_back(*number);
    }
  }
  return true;
}

static std::optional<Subspace> parse(const json::Value &value,
                                     unsigned directions) {
  const json::Object *object = value.getAsObject();
  std::optional<llvm::StringRef> name =
      object ? object->getString("name") : std::nullopt;
  const json::Array *range = object ? object->getArray("range") : nullptr;
  if (!name || !range || range->size() != 2)
    return std::nullopt;
  std::optional<int64_t> begin = (*range)[0].getAsInteger();
  std::optional<int64_t> end = (*range)[1].getAsInteger();
  if (!begin || !end || *begin < 0 || *begin >= *end || *end > directions)
    return std::nullopt;
  Subspace space;
  space.variable = name->str();
  space.begin = *begin;
  space.end = *end;
  space.role = object->getString("role").value_or("").str();
  space.liveFrom = object->getInteger("live_from_half_layer").value_or(0);
  space.encoding = object->getString("encoding").value_or("").str();
  if (std::optional<int64_t> half =
          object->getInteger("cleared_in_half_layer")) {
    if (*half < 2 || *half > UINT32_MAX || *half % 2 != 0)
      return std::nullopt;
    space.clearedIn = *half;
    if (!parseUnits(object->getArray("clearing_units"), space))
      return std::nullopt;
  }
  space.construction = object->getString("construction").value_or("").str();
  space.labels = stringsOf(*object, "labels");
  space.labels.resize(space.end - space.begin);
  space.writers = stringsOf(*object, "writers");
  space.readers = stringsOf(*object, "readers");
  if (const json::Array *lines = object->getArray("source_lines"))
    for (const json::Value &line : *lines)
      space.sourceLines.push_back(line.getAsInteger().value_or(0));
  return space;
}

llvm::Expected<ResidualMap> ResidualMap::make(const Model &model) {
  ResidualMap map;
  // An MLP can make room once in each coordinate.
  uint64_t most = uint64_t(model.config.dModel) * (model.numLayers() + 1);
  uint64_t directions = 0;
  const json::Object *object = model.residual.getAsObject();
  const json::Array *list = object ? object->getArray("subspaces") : nullptr;
  if (!list)
    return fail("the file does not say what the residual directions hold: "
                "/residual/json has no `subspaces`");
  for (auto [i, value] : llvm::enumerate(*list)) {
    std::optional<Subspace> space = parse(value, model.config.dModel);
    if (!space)
      return fail("in /residual/json: subspace " + llvm::Twine(i) +
                  " has no `name` and `range` within " +
                  llvm::Twine(model.config.dModel) +
                  " directions, or is cleared in a way that cannot be");
    directions += space->end - space->begin;
    if (directions > most)
      return fail("in /residual/json: the subspaces have more directions than "
                  "a model of this size can have");
    map.shared |= !space->clearingUnits.empty();
    map.all.push_back(std::move(*space));
  }
  unsigned first = 0;
  for (Subspace &space : map.all) {
    space.first = map.shared ? first : space.begin;
    first += space.end - space.begin;
  }
  return map;
}

std::optional<ResidualMap> ResidualMap::makeIfKnown(const Model &model) {
  llvm::Expected<ResidualMap> map = make(model);
  if (map)
    return std::move(*map);
  llvm::consumeError(map.takeError());
  return std::nullopt;
}

const Subspace *ResidualMap::find(unsigned coordinate,
                                  unsigned halfLayer) const {
  const Subspace *found = nullptr;
  for (const Subspace &space : all)
    if (space.begin <= coordinate && coordinate < space.end &&
        space.clearedIn > halfLayer &&
        (!found || space.clearedIn < found->clearedIn))
      found = &space;
  return found;
}

bool ResidualMap::isClearedIn(unsigned coordinate, unsigned halfLayer) const {
  return llvm::any_of(all, [&](const Subspace &space) {
    return space.begin <= coordinate && coordinate < space.end &&
           space.clearedIn == halfLayer;
  });
}

std::vector<unsigned> ResidualMap::coordinatesOf(llvm::StringRef variable,
                                                 unsigned halfLayer) const {
  std::vector<unsigned> coordinates;
  for (const Subspace &space : all)
    if (space.variable == variable)
      for (unsigned at = space.begin; at < space.end; ++at)
        if (find(at, halfLayer) == &space)
          coordinates.push_back(at);
  llvm::sort(coordinates);
  return coordinates;
}

llvm::Expected<std::vector<unsigned>>
ResidualMap::coordinatesOf(llvm::StringRef variable) const {
  std::set<unsigned> coordinates;
  for (const Subspace &space : all)
    if (space.variable == variable)
      for (unsigned at = space.begin; at < space.end; ++at)
        coordinates.insert(at);
  if (!coordinates.empty())
    return std::vector<unsigned>(coordinates.begin(), coordinates.end());
  std::string names, nearest;
  unsigned distance = 2 + variable.size() / 3;
  for (const Subspace &space : all) {
    if (llvm::StringRef(names).contains("`" + space.variable + "`"))
      continue;
    names += (names.empty() ? "`" : ", `") + space.variable + "`";
    unsigned own = variable.edit_distance(space.variable);
    if (own < distance) {
      distance = own;
      nearest = "did you mean `" + space.variable + "`? There";
    }
  }
  return fail("no variable `" + variable + "` in the residual stream; " +
              (nearest.empty() ? "there" : nearest) + " are " + names);
}
