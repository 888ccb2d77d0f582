//===- runtime/Unfolding.h - a coordinate per direction ---------*- C++ -*-===//
//
// The smallest models write directions of the residual stream into coordinates
// that nothing reads any more (ResidualMap.h). Hidden units clear such a
// coordinate before: relu(x) takes away what it holds, relu(-x) adds it, and
// x - relu(x) + relu(-x) is 0, whatever x is. So the model computes what it
// would compute with a coordinate for every direction and without these units,
// and what is known of one of the two is known of the other.
//
// That other model is made here. Whoever looks at directions as a whole, such
// as the checker of certificates and rasp-dump, looks at it.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_UNFOLDING_H
#define RASP_RUNTIME_UNFOLDING_H

#include "runtime/ResidualMap.h"

namespace rasp::rt {

/// How a direction of the unfolded model is cleared in the other one.
struct ClearedDirection {
  unsigned direction; ///< by number, see Subspace::first
  unsigned next;      ///< that takes over its coordinate
  unsigned layer;     ///< whose MLP does it
  std::vector<unsigned> units;
  /// Whether the same MLP writes `next`.
  bool isSwap = false;
};

struct Unfolding {
  /// Its residual map has a coordinate for each direction, by number.
  Model model;
  /// By direction, the coordinate of the folded model.
  std::vector<unsigned> coordinateOf;
  std::vector<ClearedDirection> cleared;
};

/// An error if coordinates are not cleared as the file says, or are read or
/// written while they belong to nobody. The model must be shared
/// (ResidualMap::isShared).
llvm::Expected<Unfolding> unfold(const Model &model, const ResidualMap &map);

} // namespace rasp::rt

#endif
