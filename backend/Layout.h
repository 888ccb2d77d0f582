//===- backend/Layout.h - coordinates of the residual stream ----*- C++ -*-===//
//
// Gives every direction of a scheduled circuit a coordinate. The order is part
// of what users see: BOS, then the embeddings, then what each layer adds,
// attention before MLP; within those by variable, in order of creation.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_LAYOUT_H
#define RASP_BACKEND_LAYOUT_H

#include "backend/Circuit.h"
#include "runtime/Model.h"

namespace rasp::backend {

/// Neighbouring coordinates that hold one variable.
struct Subspace {
  std::string name;
  unsigned begin, end; ///< coordinates
  /// Place of its first direction in Layout::order; the others follow.
  unsigned first;
  WriterKind writer;
  unsigned time;
  /// The layer whose MLP clears the coordinates for other directions.
  std::optional<unsigned> clearedIn;
  const ir::Node *node = nullptr;
};

struct Layout {
  /// All directions, those of the same subspace beside each other. This is the
  /// order of their coordinates, but for those that take over another one's.
  std::vector<DirId> order;
  /// By direction.
  std::vector<unsigned> placeOf, coordinateOf;
  unsigned dModel = 0; ///< number of coordinates
  std::vector<Subspace> subspaces;
  /// Each with the number of its first hidden unit, behind those that compute
  /// something.
  struct ClearingUnits : Clearing {
    unsigned first;
  };
  std::vector<ClearingUnits> clearings;
  /// What the scores are divided by the root of. Where a score may be large or
  /// uncertain it is a perfect square, so that the division is exact.
  unsigned dHead = 1;
  /// What query weights are multiplied with: the root of `dHead`, rounded up to
  /// an integer, so that products stay exact and logits are far enough apart.
  unsigned root = 1;

  unsigned coordinate(DirId dir) const {
    return coordinateOf[static_cast<uint32_t>(dir)];
  }
  unsigned place(DirId dir) const {
    return placeOf[static_cast<uint32_t>(dir)];
  }
  /// The directions of a subspace, one for each of its coordinates.
  llvm::ArrayRef<DirId> directionsOf(const Subspace &space) const {
    return llvm::ArrayRef(order).slice(space.first, space.end - space.begin);
  }
  /// The hidden units that clear a direction; null if it stays.
  const ClearingUnits *clearingOf(DirId dir) const;
};

Layout layOut(const Circuit &circuit);

/// The sizes that the model will have, but for its `nonzeros`.
rt::Shape shapeOf(const Circuit &circuit, const ir::Domain &domain);
/// How many parameters the model will have, as a reader with padded layers
/// counts them (rt::Shape).
uint64_t countParameters(const Circuit &circuit, const ir::Domain &domain);

void print(llvm::raw_ostream &os, const Circuit &circuit, const Layout &layout);

} // namespace rasp::backend

#endif
