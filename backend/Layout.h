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
  WriterKind writer;
  unsigned time;
  const ir::Node *node = nullptr;
};

struct Layout {
  /// Direction of each coordinate, and the inverse.
  std::vector<DirId> order;
  std::vector<unsigned> coordinateOf;
  std::vector<Subspace> subspaces;
  /// What the scores are divided by the root of. Where a score may be large or
  /// uncertain it is a perfect square, so that the division is exact.
  unsigned dHead = 1;
  /// What query weights are multiplied with: the root of `dHead`, rounded up to
  /// an integer, so that products stay exact and logits are far enough apart.
  unsigned root = 1;

  unsigned coordinate(DirId dir) const {
    return coordinateOf[static_cast<uint32_t>(dir)];
  }
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
