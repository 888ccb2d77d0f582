//===- runtime/ResidualMap.cpp - what residual directions hold ------------===//

#include "runtime/ResidualMap.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

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
                  llvm::Twine(model.config.dModel) + " directions");
    map.all.push_back(std::move(*space));
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

const Subspace *ResidualMap::find(unsigned direction) const {
  for (const Subspace &space : all)
    if (space.begin <= direction && direction < space.end)
      return &space;
  return nullptr;
}

llvm::Expected<std::vector<unsigned>>
ResidualMap::directionsOf(llvm::StringRef variable) const {
  std::vector<unsigned> directions;
  for (const Subspace &space : all)
    if (space.variable == variable)
      for (unsigned d = space.begin; d < space.end; ++d)
        directions.push_back(d);
  if (!directions.empty()) {
    llvm::sort(directions);
    return directions;
  }
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
