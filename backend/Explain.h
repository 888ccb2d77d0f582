//===- backend/Explain.h - the story of one op ------------------*- C++ -*-===//
//
// What became of an s-op or selector, as text for people: where it is written,
// which values it takes, where it lives in the residual stream, what computes
// and reads it, what it costs and why it is not cheaper. Every number is one of
// the circuit, its layout and the value sets. For `--explain`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_EXPLAIN_H
#define RASP_BACKEND_EXPLAIN_H

#include "backend/Layout.h"
#include "ir/Printer.h"

namespace rasp::backend {

struct Explained {
  const Circuit &circuit; ///< scheduled
  const Layout &layout;
  const ir::Node *output;
  const ir::NodeNames &names;
  const ir::ValueSets &sets;
  const llvm::SourceMgr &sources;
  llvm::ArrayRef<ir::Remark> remarks;
};

/// `node` is one that the output depends on.
void explain(const Explained &compiled, const ir::Node *node,
             llvm::raw_ostream &os);

/// The lines of the source that `node` is written in, a line each.
void printSource(const ir::Node *node, const llvm::SourceMgr &sources,
                 llvm::raw_ostream &os);

/// How many parameters (see `countParameters`) there are because of directions:
/// with them go the hidden units and heads that write nothing else.
uint64_t countParametersOf(const Circuit &circuit,
                           llvm::ArrayRef<DirId> directions,
                           const ir::Domain &domain);

} // namespace rasp::backend

#endif
