//===- backend/GroundTruth.h - which weight is which variable ---*- C++ -*-===//
//
// What the compiler knows about the model, as the JSON that the file carries:
// the subspaces of the residual stream with their writers and readers, the
// components with the variables and source lines that they implement, and the
// edges along which something is read.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_GROUNDTRUTH_H
#define RASP_BACKEND_GROUNDTRUTH_H

#include "backend/Layout.h"
#include "ir/Printer.h"
#include "ir/ValueSets.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"

namespace rasp::backend {

struct GroundTruth {
  llvm::json::Value residual = nullptr; ///< "/residual/json" of the file
  llvm::json::Value circuit = nullptr;  ///< "/circuit/json"
  llvm::json::Value ir = nullptr;       ///< "/program/ir_json"
};

GroundTruth describe(const Circuit &circuit, const Layout &layout,
                     const ir::Node *output, const ir::NodeNames &names,
                     const ir::ValueSets &sets, const llvm::SourceMgr &sources);

} // namespace rasp::backend

#endif
