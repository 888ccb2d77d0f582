//===- runtime/VariableDecoder.cpp - variables in the stream --------------===//

#include "runtime/VariableDecoder.h"

#include "runtime/Atom.h"
#include "runtime/NumberList.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

using namespace rasp::rt;
namespace json = llvm::json;

/// More values than this are taken for damage.
static constexpr size_t maxValues = 1 << 20;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

HookPoint rasp::rt::streamAfter(unsigned halfLayer) {
  if (halfLayer == 0)
    return {HookKind::ResidPre, 0};
  int layer = static_cast<int>((halfLayer - 1) / 2);
  return {halfLayer % 2 ? HookKind::ResidMid : HookKind::ResidPost, layer};
}

std::optional<unsigned> rasp::rt::halfLayerOf(const HookPoint &point,
                                              unsigned layers) {
  unsigned before = 2 * static_cast<unsigned>(std::max(point.layer, 0));
  switch (point.kind) {
  case HookKind::ResidPre:
  case HookKind::AttnIn:
  case HookKind::QInput:
  case HookKind::KInput:
  case HookKind::VInput:
    return before;
  case HookKind::ResidMid:
  case HookKind::MlpIn:
    return before + 1;
  case HookKind::ResidPost:
    return before + 2;
  case HookKind::UnembedIn:
    return 2 * layers;
  case HookKind::Tokens:
  case HookKind::Embed:
  case HookKind::PosEmbed:
  case HookKind::Q:
  case HookKind::K:
  case HookKind::V:
  case HookKind::AttnScores:
  case HookKind::Pattern:
  case HookKind::Z:
  case HookKind::Result:
  case HookKind::AttnOut:
  case HookKind::Pre:
  case HookKind::Post:
  case HookKind::MlpOut:
  case HookKind::UnembedOut:
    return std::nullopt;
  }
  llvm_unreachable("every hook is listed");
}

unsigned rasp::rt::halfLayerAround(const HookPoint &point, unsigned layers) {
  if (std::optional<unsigned> half = halfLayerOf(point, layers))
    return *half;
  unsigned before = 2 * static_cast<unsigned>(std::max(point.layer, 0));
  bool isAttention =
      point.kind == HookKind::Result || point.kind == HookKind::AttnOut;
  return isAttention                      ? before + 1
         : point.kind == HookKind::MlpOut ? before + 2
                                          : 0;
}

bool DecodedValue::admits(const Atom &value) const {
  switch (kind) {
  case Values:
    return llvm::any_of(
        values, [&](const Atom &own) { return isSameValue(own, value); });
  case Number:
    return std::fabs(numberOf(value) - number) <= error;
  case None:
    return false;
  case Absent:
  case Unknown:
    return true;
  }
  llvm_unreachable("every kind returns");
}

/// A quarter of the least distance between ranges that do not meet; 1/4 if
/// there are none.
static double quarterOfGap(llvm::ArrayRef<double> low,
                           llvm::ArrayRef<double> high) {
  std::vector<std::pair<double, double>> ranges;
  for (auto [l, h] : llvm::zip_equal(low, high))
    if (!std::isnan(l))
      ranges.emplace_back(l, h);
  llvm::sort(ranges);
  double gap = std::numeric_limits<double>::infinity(), reached = -gap;
  for (auto [l, h] : ranges) {
    if (l > reached && std::isfinite(reached))
      gap = std::min(gap, l - reached);
    reached = std::max(reached, h);
  }
  return std::isfinite(gap) ? gap / 4 : 0.25;
}

/// Reads `values` and their `types`; none if they do not fit each other.
static std::optional<std::vector<Atom>> readValues(const json::Object &object) {
  std::vector<Atom> values;
  const json::Array *list = object.getArray("values");
  if (!list)
    return values;
  const json::Value *types = object.get("types");
  const json::Array *each = types ? types->getAsArray() : nullptr;
  if (!types || (each && each->size() != list->size()) ||
      list->size() > maxValues)
    return std::nullopt;
  for (auto [i, value] : llvm::enumerate(*list)) {
    std::optional<llvm::StringRef> type =
        each ? (*each)[i].getAsString() : types->getAsString();
    std::optional<Atom> atom = atomFromJSON(value, type.value_or(""));
    if (!atom)
      return std::nullopt;
    values.push_back(std::move(*atom));
  }
  return values;
}

llvm::Error VariableDecoder::readCode(const json::Value &json,
                                      llvm::ArrayRef<Atom> values,
                                      Part &part) const {
  part.hasCode = true;
  const json::Object *object = json.getAsObject();
  if (object && object->get("scale")) {
    part.scale = object->getNumber("scale").value_or(0);
    part.offset = object->getNumber("offset").value_or(0);
    if (part.scale == 0)
      return fail("has a `scale` that is no number but 0");
    for (const Atom &value : values)
      part.low.push_back(part.scale * numberOf(value) + part.offset);
    part.high = part.low;
    return llvm::Error::success();
  }
  bool isRange = object && object->get("low") && object->get("high");
  for (auto [name, numbers] :
       {std::pair("low", &part.low), std::pair("high", &part.high)}) {
    llvm::Expected<std::vector<double>> read =
        numbersFromJSON(isRange ? *object->get(name) : json, maxValues);
    if (!read)
      return read.takeError();
    if (values.empty() || read->size() != values.size())
      return fail("has not one number for each value");
    *numbers = std::move(*read);
  }
  return llvm::Error::success();
}

llvm::Error VariableDecoder::readSubspace(const Subspace &space,
                                          const json::Object &object) {
  auto bad = [&](const llvm::Twine &what) {
    return fail("in /residual/json: of `" + space.variable + "`, " + what);
  };
  std::optional<std::vector<Atom>> values = readValues(object);
  if (!values)
    return bad("`types` do not fit `values`");
  size_t index = llvm::find(names, space.variable) - names.begin();
  if (index == names.size()) {
    names.push_back(space.variable);
    all.emplace_back().values = *values;
  }
  Variable &variable = all[index];
  if (variable.values != *values)
    return bad("`values` differ between its subspaces");
  const json::Array *codes = object.getArray("codes");
  if (codes && codes->size() != space.end - space.begin)
    return bad("`codes` do not fit the range");
  for (unsigned at = space.begin; at < space.end; ++at) {
    Part &part = variable.parts.emplace_back();
    part.direction = at;
    part.number = space.first + at - space.begin;
    part.liveFrom = space.liveFrom;
    part.clearedIn = space.clearedIn;
    if (!codes || (*codes)[at - space.begin].getAsNull())
      continue;
    if (llvm::Error error = readCode((*codes)[at - space.begin], *values, part))
      return bad("a code " + llvm::toString(std::move(error)));
  }
  return llvm::Error::success();
}

void VariableDecoder::setTolerances(const Model &model) {
  const json::Object *certificate = model.certificate.getAsObject();
  const json::Array *directions =
      certificate ? certificate->getArray("directions") : nullptr;
  auto errorOf = [&](unsigned direction) {
    const json::Object *entry = directions && direction < directions->size()
                                    ? (*directions)[direction].getAsObject()
                                    : nullptr;
    return entry ? entry->getNumber("error").value_or(0) : 0;
  };
  for (Variable &variable : all)
    for (Part &part : variable.parts) {
      part.error = errorOf(part.number);
      part.tolerance = std::max(part.error, quarterOfGap(part.low, part.high));
    }
}

llvm::Expected<VariableDecoder> VariableDecoder::make(const Model &model) {
  llvm::Expected<ResidualMap> map = ResidualMap::make(model);
  if (!map)
    return map.takeError();
  VariableDecoder decoder;
  const json::Array &list =
      *model.residual.getAsObject()->getArray("subspaces");
  for (auto [space, value] : llvm::zip_equal(map->subspaces(), list))
    if (space.role != "bookkeeping")
      if (llvm::Error error = decoder.readSubspace(space, *value.getAsObject()))
        return error;
  decoder.setTolerances(model);
  return decoder;
}

bool VariableDecoder::isThereAfter(size_t variable, unsigned halfLayer) const {
  return llvm::any_of(all[variable].parts, [&](const Part &part) {
    return part.isThereAfter(halfLayer);
  });
}

template <typename T>
DecodedValue VariableDecoder::decode(size_t index, const T *residual,
                                     unsigned halfLayer) const {
  const Variable &variable = all[index];
  llvm::SmallVector<const Part *> parts;
  DecodedValue result;
  for (const Part &part : variable.parts) {
    if (!part.isThereAfter(halfLayer))
      continue;
    result.kind = DecodedValue::Unknown;
    if (part.hasCode)
      parts.push_back(&part);
  }
  if (parts.empty())
    return result;
  if (variable.values.empty()) {
    const Part &part = *parts.front();
    result.kind = DecodedValue::Number;
    result.number = (residual[part.direction] - part.offset) / part.scale;
    // The division rounds, too.
    result.error =
        part.error / std::fabs(part.scale) + 1e-12 * std::fabs(result.number);
    return result;
  }
  std::vector<std::pair<double, size_t>> fitting; // by distance
  for (size_t v = 0; v < variable.values.size(); ++v) {
    double distance = 0;
    for (const Part *part : parts) {
      double number = residual[part->direction];
      // Away from the range, or NaN.
      bool fits = number >= part->low[v] - part->tolerance &&
                  number <= part->high[v] + part->tolerance;
      if (std::isnan(part->low[v]))
        continue;
      if (!fits)
        distance = std::numeric_limits<double>::infinity();
      else
        distance =
            std::max({distance, part->low[v] - number, number - part->high[v]});
    }
    if (std::isfinite(distance))
      fitting.emplace_back(distance, v);
  }
  llvm::sort(fitting);
  result.kind = fitting.empty() ? DecodedValue::None : DecodedValue::Values;
  for (auto [distance, v] : fitting)
    if (!result.admits(variable.values[v]))
      result.values.push_back(variable.values[v]);
  return result;
}

template DecodedValue VariableDecoder::decode(size_t, const float *,
                                              unsigned) const;
template DecodedValue VariableDecoder::decode(size_t, const double *,
                                              unsigned) const;

static std::string show(const Atom &value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printJSON(os, value);
  return text;
}

llvm::Expected<EncodedValue> VariableDecoder::encode(llvm::StringRef name,
                                                     const Atom &value,
                                                     unsigned halfLayer) const {
  auto known = llvm::find(names, name);
  if (known == names.end())
    return fail("no variable `" + name + "` in the residual stream");
  const Variable &variable = all[known - names.begin()];
  size_t place =
      llvm::find_if(variable.values,
                    [&](const Atom &own) { return isSameValue(own, value); }) -
      variable.values.begin();
  bool isListed = !variable.values.empty();
  if (isListed && place == variable.values.size()) {
    constexpr size_t maxShown = 20;
    std::string others;
    for (const Atom &own :
         llvm::ArrayRef(variable.values).take_front(std::min(maxShown, place)))
      others += (others.empty() ? "" : ", ") + show(own);
    return fail("`" + name + "` is never " + show(value) + "; its values are " +
                others + (place > maxShown ? ", ..." : ""));
  }
  if (!isListed && std::isnan(numberOf(value)))
    return fail("`" + name + "` is a number, not " + show(value));
  std::map<unsigned, double> coded;
  bool isThere = false;
  for (const Part &part : variable.parts) {
    if (!part.isThereAfter(halfLayer))
      continue;
    isThere = true;
    if (!part.hasCode)
      return fail("the file does not say what direction " +
                  llvm::Twine(part.direction) + " of `" + name +
                  "` holds for " + show(value));
    double number =
        isListed ? part.low[place] : part.scale * numberOf(value) + part.offset;
    if (!std::isnan(number))
      coded[part.direction] = number;
  }
  if (!isThere)
    return fail("nothing of `" + name + "` is in the residual stream " +
                (llvm::any_of(variable.parts,
                              [&](const Part &part) {
                                return part.clearedIn <= halfLayer;
                              })
                     ? "any more"
                     : "yet"));
  EncodedValue result;
  for (auto [direction, number] : coded) {
    result.directions.push_back(direction);
    result.numbers.push_back(number);
  }
  return result;
}
