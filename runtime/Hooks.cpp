//===- runtime/Hooks.cpp - names and shapes of activations ----------------===//

#include "runtime/Hooks.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/GlobPattern.h"
#include <algorithm>

using namespace rasp::rt;

namespace {

enum class AxesOf : uint8_t {
  Tokens,
  Residual,
  HeadResidual,
  HeadVector,
  Attention,
  Hidden,
  Logits,
};

struct HookInfo {
  HookKind kind;
  llvm::StringRef name, module;
  AxesOf axes;
  bool isInLayer;
  bool HookSwitches::*gate; ///< null if it always fires
};

constexpr HookInfo infos[] = {
#define HOOK(kind, name, module, axes, gate)                                   \
  {HookKind::kind, name, module, AxesOf::axes, false, gate},
#define BLOCK_HOOK(kind, name, module, axes, gate)                             \
  {HookKind::kind, name, module, AxesOf::axes, true, gate},
#include "runtime/Hooks.def"
};

/// Other words that TransformerLens' caches take.
struct Alias {
  llvm::StringRef alias, name;
};
constexpr Alias aliases[] = {
    {"attn", "pattern"}, {"attn_logits", "attn_scores"},
    {"key", "k"},        {"query", "q"},
    {"value", "v"},      {"mlp_pre", "pre"},
    {"mlp_post", "post"}};

} // namespace

static const HookInfo &infoOf(HookKind kind) {
  const HookInfo &info = infos[static_cast<size_t>(kind)];
  assert(info.kind == kind && "the table is in the order of the kinds");
  return info;
}

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

bool rasp::rt::isInLayer(HookKind kind) { return infoOf(kind).isInLayer; }

std::string HookPoint::name() const {
  const HookInfo &info = infoOf(kind);
  std::string name;
  if (info.isInLayer)
    name = "blocks." + std::to_string(layer) + ".";
  if (!info.module.empty())
    name += info.module.str() + ".";
  return name + "hook_" + info.name.str();
}

llvm::ArrayRef<Axis> rasp::rt::axesOf(HookKind kind) {
  using enum Axis;
  static constexpr Axis tokens[] = {Sequence, Position};
  static constexpr Axis residual[] = {Sequence, Position, Direction};
  static constexpr Axis headResidual[] = {Sequence, Position, Head, Direction};
  static constexpr Axis headVector[] = {Sequence, Position, Head, Column};
  static constexpr Axis attention[] = {Sequence, Head, Query, Key};
  static constexpr Axis hidden[] = {Sequence, Position, Unit};
  static constexpr Axis logits[] = {Sequence, Position, Output};
  switch (infoOf(kind).axes) {
  case AxesOf::Tokens:
    return tokens;
  case AxesOf::Residual:
    return residual;
  case AxesOf::HeadResidual:
    return headResidual;
  case AxesOf::HeadVector:
    return headVector;
  case AxesOf::Attention:
    return attention;
  case AxesOf::Hidden:
    return hidden;
  case AxesOf::Logits:
    return logits;
  }
  llvm_unreachable("every shape has axes");
}

llvm::StringRef rasp::rt::nameOf(Axis axis) {
  switch (axis) {
  case Axis::Sequence:
    return "sequence";
  case Axis::Position:
    return "position";
  case Axis::Head:
    return "head";
  case Axis::Query:
    return "query";
  case Axis::Key:
    return "key";
  case Axis::Direction:
    return "direction";
  case Axis::Column:
    return "column";
  case Axis::Unit:
    return "unit";
  case Axis::Output:
    return "output";
  }
  llvm_unreachable("every axis has a name");
}

HookTable::HookTable(const Model &model)
    : theSizes(fileSizesOf(model)), switches(model.config.hooks) {
  auto add = [&](const HookInfo &info, int layer) {
    if (fires(info.kind))
      all.push_back({info.kind, layer});
  };
  llvm::ArrayRef<HookInfo> table(infos);
  auto isOfLayers = [](const HookInfo &info) { return info.isInLayer; };
  const HookInfo *block = llvm::find_if(table, isOfLayers);
  const HookInfo *blockEnd = std::find_if_not(block, table.end(), isOfLayers);
  for (const HookInfo &info : llvm::make_range(table.begin(), block))
    add(info, -1);
  for (unsigned layer = 0; layer < theSizes.layers.size(); ++layer)
    for (const HookInfo &info : llvm::make_range(block, blockEnd))
      add(info, layer);
  for (const HookInfo &info : llvm::make_range(blockEnd, table.end()))
    add(info, -1);
}

bool HookTable::fires(HookKind kind) const {
  auto gate = infoOf(kind).gate;
  return !gate || switches.*gate;
}

std::vector<HookPoint> HookTable::residualStream() const {
  std::vector<HookPoint> points;
  for (const HookPoint &point : all)
    if (point.kind == HookKind::ResidPre || point.kind == HookKind::ResidMid ||
        point.kind == HookKind::ResidPost)
      points.push_back(point);
  return points;
}

llvm::SmallVector<unsigned, 4> HookTable::shapeOf(HookKind kind, unsigned batch,
                                                  unsigned length) const {
  llvm::SmallVector<unsigned, 4> shape;
  for (Axis axis : axesOf(kind))
    switch (axis) {
    case Axis::Sequence:
      shape.push_back(batch);
      break;
    case Axis::Position:
    case Axis::Query:
    case Axis::Key:
      shape.push_back(length);
      break;
    case Axis::Head:
      shape.push_back(theSizes.widest.heads);
      break;
    case Axis::Direction:
      shape.push_back(theSizes.directions);
      break;
    case Axis::Column:
      shape.push_back(theSizes.widest.headWidth);
      break;
    case Axis::Unit:
      shape.push_back(theSizes.widest.hidden);
      break;
    case Axis::Output:
      shape.push_back(theSizes.outputs);
      break;
    }
  return shape;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

static std::string switchName(bool HookSwitches::*gate) {
  for (const HookSwitchName &entry : hookSwitchNames())
    if (entry.member == gate)
      return entry.name;
  llvm_unreachable("every switch has a name");
}

static llvm::Error switchedOff(llvm::StringRef name, const HookInfo &info) {
  return fail("`" + name +
              "` never fires in this model: its tl_config does "
              "not set `" +
              switchName(info.gate) + "`");
}

llvm::Error HookTable::unknown(llvm::StringRef name) const {
  if (name.contains("ln1.") || name.contains("ln2.") ||
      name.starts_with("ln_final"))
    return fail("no hook point `" + name +
                "`: the model has no layer norm (`normalization_type` null)");
  std::string best;
  unsigned distance = 2 + name.size() / 3;
  auto consider = [&](const std::string &candidate) {
    unsigned own = name.edit_distance(candidate);
    if (own < distance) {
      distance = own;
      best = candidate;
    }
  };
  for (const HookPoint &point : all) {
    consider(point.name());
    const HookInfo &info = infoOf(point.kind);
    if (info.isInLayer)
      consider(info.name.str() + std::to_string(point.layer));
    else if (info.module.empty())
      consider(info.name.str());
  }
  return fail("no hook point `" + name + "`" +
              (best.empty() ? ", see runtime/TRACE.md"
                            : "; did you mean `" + best + "`?"));
}

llvm::Expected<HookPoint> HookTable::find(llvm::StringRef name) const {
  llvm::StringRef rest = name;
  int layer = -1;
  bool inLayer = rest.consume_front("blocks.");
  if (inLayer && (rest.consumeInteger(10, layer) || !rest.consume_front(".")))
    return unknown(name);
  for (const HookInfo &info : infos) {
    std::string own = HookPoint{info.kind, layer}.name();
    if (info.isInLayer != inLayer || own != name)
      continue;
    if (inLayer && (layer < 0 || uint64_t(layer) >= theSizes.layers.size()))
      return fail("no hook point `" + name + "`: the layers are 0 to " +
                  llvm::Twine(theSizes.layers.size() - 1));
    if (!fires(info.kind))
      return switchedOff(name, info);
    return HookPoint{info.kind, layer};
  }
  return findShort(name);
}

llvm::Expected<HookPoint> HookTable::findShort(llvm::StringRef name) const {
  // A word, a layer and the module: `q_input3`, `pattern-1attn`.
  size_t digits = name.find_first_of("-0123456789");
  llvm::StringRef word = name.take_front(digits);
  llvm::StringRef rest = name.drop_front(word.size());
  int layer = 0;
  bool hasLayer = !rest.empty();
  if (hasLayer && rest.consumeInteger(10, layer))
    return unknown(name);
  for (const Alias &alias : aliases)
    if (alias.alias == word)
      word = alias.name;
  for (const HookInfo &info : infos) {
    bool isModule = rest.empty() || rest == info.module ||
                    rest == info.module.take_front(1);
    if (info.name != word || info.module == "unembed" || !isModule ||
        info.isInLayer != hasLayer)
      continue;
    if (!fires(info.kind))
      return switchedOff(name, info);
    if (!hasLayer)
      return HookPoint{info.kind};
    int layers = theSizes.layers.size();
    if (layer >= layers || layer < -layers)
      return fail("no hook point `" + name + "`: the layers are 0 to " +
                  llvm::Twine(layers - 1));
    return HookPoint{info.kind, layer < 0 ? layer + layers : layer};
  }
  return unknown(name);
}

llvm::Expected<std::vector<HookPoint>>
HookTable::select(llvm::StringRef list) const {
  if (list.trim().empty())
    return all;
  llvm::SmallVector<llvm::StringRef> names;
  list.split(names, ',', -1, /*KeepEmpty=*/false);
  std::vector<bool> chosen(all.size());
  for (llvm::StringRef name : names) {
    name = name.trim();
    if (!name.contains_insensitive("*") && !name.contains('?') &&
        !name.contains('[')) {
      llvm::Expected<HookPoint> point = find(name);
      if (!point)
        return point.takeError();
      chosen[llvm::find(all, *point) - all.begin()] = true;
      continue;
    }
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(name);
    if (!pattern)
      return fail("hook pattern `" + name +
                  "`: " + llvm::toString(pattern.takeError()));
    bool any = false;
    for (auto [i, point] : llvm::enumerate(all))
      if (pattern->match(point.name())) {
        chosen[i] = true;
        any = true;
      }
    if (!any)
      return fail("no hook point fits `" + name + "`");
  }
  std::vector<HookPoint> points;
  for (auto [point, isChosen] : llvm::zip(all, chosen))
    if (isChosen)
      points.push_back(point);
  return points;
}
