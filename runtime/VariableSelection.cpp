//===- runtime/VariableSelection.cpp - where variables are changed --------===//

#include "runtime/Interventions.h"
#include "runtime/ResidualMap.h"
#include "runtime/VariableDecoder.h"

#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace rasp::rt;

llvm::Expected<std::vector<Intervention>>
rasp::rt::selectVariables(Intervention intervention,
                          llvm::ArrayRef<std::string> variables,
                          const ResidualMap &map, unsigned layers) {
  std::set<int64_t> always;
  for (int64_t direction : intervention.selected[Axis::Direction])
    always.insert(direction);
  std::set<int64_t> ever = always;
  for (llvm::StringRef variable : variables) {
    llvm::Expected<std::vector<unsigned>> own = map.coordinatesOf(variable);
    if (!own)
      return own.takeError();
    ever.insert(own->begin(), own->end());
  }
  if (!map.isShared()) {
    intervention.selected[Axis::Direction].assign(ever.begin(), ever.end());
    return std::vector<Intervention>{std::move(intervention)};
  }
  std::vector<Intervention> result;
  for (const HookPoint &point : intervention.points) {
    std::set<int64_t> now = always;
    for (llvm::StringRef variable : variables) {
      unsigned half = halfLayerAround(point, layers);
      for (unsigned at : map.coordinatesOf(variable, half))
        // There the MLP takes away what was there before.
        if (point.kind != HookKind::MlpOut || !map.isClearedIn(at, half))
          now.insert(at);
    }
    if (now.empty())
      continue;
    std::vector<int64_t> selected(now.begin(), now.end());
    if (result.empty() || result.back().selected[Axis::Direction] != selected) {
      result.push_back(intervention);
      result.back().points.clear();
      result.back().selected[Axis::Direction] = std::move(selected);
    }
    result.back().points.push_back(point);
  }
  if (result.empty())
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        "at none of these hooks is there anything of `" + variables.front() +
            "` in the residual stream");
  return result;
}
