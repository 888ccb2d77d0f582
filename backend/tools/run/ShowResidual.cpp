//===- backend/tools/run/ShowResidual.cpp - the stream by direction -------===//

#include "backend/tools/run/Show.h"
#include "backend/tools/run/TextTable.h"
#include "runtime/ResidualMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;

template <typename T>
void rasp::showResidual(llvm::raw_ostream &os, const Inside<T> &inside) {
  std::optional<rt::ResidualMap> map =
      rt::ResidualMap::makeIfKnown(inside.model);
  auto labelOf = [&](unsigned d, unsigned half) {
    const rt::Subspace *space =
        map && map->isShared() ? map->find(d, half) : nullptr;
    return space ? space->labelOf(d) : inside.model.residualLabels[d];
  };
  std::vector<unsigned> positions =
      inside.options.positionsOf(inside.input.ids.size());
  for (unsigned half = 0; half <= inside.numHalfLayers(); ++half) {
    if (!inside.options.showsHalfLayer(half))
      continue;
    TextTable table(1);
    table.addRow(inside.header(positions, 1));
    bool any = false;
    for (unsigned d = 0; d < inside.model.config.dModel; ++d) {
      bool isChanged = llvm::any_of(positions, [&](unsigned position) {
        T before = half == 0 ? 0 : inside.stream(half - 1, position)[d];
        return inside.stream(half, position)[d] != before;
      });
      if (!isChanged)
        continue;
      any = true;
      std::vector<std::string> row{labelOf(d, half)};
      for (unsigned position : positions)
        row.push_back(shortNumber(inside.stream(half, position)[d]));
      table.addRow(std::move(row));
    }
    os << "residual stream after " << nameOfHalfLayer(half)
       << (any ? "" : ": no change") << "\n";
    if (any)
      table.print(os);
  }
}

template void rasp::showResidual(llvm::raw_ostream &, const Inside<float> &);
template void rasp::showResidual(llvm::raw_ostream &, const Inside<double> &);
