//===- backend/Remarks.h - what a circuit is like, and why ------*- C++ -*-===//
//
// The remarks on a circuit: those that were made with its parts, and what its
// wiring shows - which s-ops are views, which heads serve several, what a
// component waits for.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_REMARKS_H
#define RASP_BACKEND_REMARKS_H

#include "backend/Circuit.h"
#include "ir/Printer.h"

namespace rasp::backend {

/// Of a scheduled circuit that computes `output`. Each remark once.
ir::Remarks collectRemarks(const Circuit &circuit, const ir::Node *output,
                           const ir::NodeNames &names,
                           const ir::ValueSets &sets);

/// How readers see an s-op that has no direction of its own: as an affine
/// function of directions. None if none of them does.
std::optional<std::string> printForm(const Circuit &circuit,
                                     const ir::Node *sop,
                                     const ir::ValueSets &sets);

} // namespace rasp::backend

#endif
