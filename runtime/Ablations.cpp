//===- runtime/Ablations.cpp - interventions in a word --------------------===//

#include "runtime/Interventions.h"
#include "runtime/ResidualMap.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace rasp::rt;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {
/// A component of a model: `L1H0` and `A1.0` are heads, `M0` is an MLP, `L0N3`
/// a hidden unit.
struct Component {
  HookKind kind;
  int layer = -1;
  std::optional<Axis> axis;
  unsigned index = 0;
};
} // namespace

/// Reads `<letter><number>` at the beginning of `text`.
static bool consume(llvm::StringRef &text, llvm::StringRef letter,
                    unsigned &number) {
  return text.consume_front(letter) && !text.consumeInteger(10, number);
}

static std::optional<Component> parseComponent(llvm::StringRef text) {
  if (text == "E")
    return Component{HookKind::Embed};
  if (text == "P")
    return Component{HookKind::PosEmbed};
  unsigned layer = 0, index = 0;
  auto matches = [&](auto... parts) {
    llvm::StringRef rest = text;
    return (consume(rest, parts.first, *parts.second) && ...) && rest.empty();
  };
  auto part = [](const char *letter, unsigned &number) {
    return std::pair(llvm::StringRef(letter), &number);
  };
  if (matches(part("L", layer), part("H", index)) ||
      matches(part("A", layer), part(".", index)))
    return Component{HookKind::Z, int(layer), Axis::Head, index};
  if (matches(part("L", layer), part("N", index)))
    return Component{HookKind::Post, int(layer), Axis::Unit, index};
  if (matches(part("M", layer)))
    return Component{HookKind::MlpOut, int(layer)};
  return std::nullopt;
}

static llvm::Expected<Intervention::Action> parseAction(llvm::StringRef how) {
  if (how == "zero")
    return Intervention::Action::Replace;
  if (how == "mean")
    return Intervention::Action::Mean;
  if (how == "resample")
    return Intervention::Action::Resample;
  return fail("`" + how +
              "` is no kind of ablation; there are `zero`, `mean` "
              "and `resample`");
}

/// Without the spec in front of errors.
static llvm::Expected<std::vector<Intervention>> parse(llvm::StringRef spec,
                                                       const Model &model) {
  HookTable table(model);
  auto [target, how] = spec.split('=');
  target = target.trim();
  Intervention result;
  result.name = ("ablation `" + spec + "`").str();
  llvm::Expected<Intervention::Action> action =
      parseAction(spec.contains('=') ? how.trim() : "zero");
  if (!action)
    return action.takeError();
  result.action = *action;

  if (std::optional<Component> component = parseComponent(target)) {
    const FileSizes &sizes = table.sizes();
    if (component->layer >= int64_t(sizes.layers.size()))
      return fail("no layer " + llvm::Twine(component->layer) +
                  "; the layers are 0 to " +
                  llvm::Twine(sizes.layers.size() - 1));
    uint64_t count = component->axis == Axis::Head ? sizes.widest.heads
                                                   : sizes.widest.hidden;
    if (component->axis && component->index >= count)
      return fail("no " + nameOf(*component->axis) + " " +
                  llvm::Twine(component->index) + "; there are 0 to " +
                  llvm::Twine(count - 1) + " in a layer");
    result.points = {{component->kind, component->layer}};
    if (component->axis)
      result.selected[*component->axis] = {component->index};
    return std::vector<Intervention>{std::move(result)};
  }

  llvm::Expected<ResidualMap> map = ResidualMap::make(model);
  if (!map)
    return map.takeError();
  result.points = table.residualStream();
  auto ablations =
      selectVariables(std::move(result), target.str(), *map, model.numLayers());
  if (!ablations)
    return fail(llvm::toString(ablations.takeError()) +
                "; components are written as `L1H0`, `M0`, `L0N3`, `E`, `P`");
  return ablations;
}

llvm::Expected<std::vector<Intervention>>
rasp::rt::parseAblation(llvm::StringRef spec, const Model &model) {
  auto ablations = parse(spec, model);
  if (!ablations)
    return fail("ablation `" + spec +
                "`: " + llvm::toString(ablations.takeError()));
  return ablations;
}
