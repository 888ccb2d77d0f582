//===- backend/HeadChain.h - why a circuit is not less deep -----*- C++ -*-===//
//
// A head that reads what another one found, through views and hidden units,
// must be in a later layer. So the longest chain of such heads bounds the depth
// from below, whatever the order and the construction of everything else:
// layers beyond its length are owed to hidden units that need each other.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_HEADCHAIN_H
#define RASP_BACKEND_HEADCHAIN_H

#include "backend/Circuit.h"

namespace rasp::backend {

/// The heads of a longest chain, as positions in `circuit.heads`, first first.
/// The circuit may be scheduled or not.
std::vector<size_t> longestHeadChain(const Circuit &circuit);

} // namespace rasp::backend

#endif
