//===- ir/Remarks.h - what was decided, and why -----------------*- C++ -*-===//
//
// Remarks tell what was made of an op and what was not, and why. They are
// collected where a decision is made, if somebody asked for them, and change
// nothing.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_REMARKS_H
#define RASP_IR_REMARKS_H

#include "ir/Diagnostics.h"
#include "ir/Program.h"

namespace rasp::ir {

/// A message and the op that it is about, null for the whole program.
struct Remark {
  const Node *node = nullptr;
  Diagnostic diagnostic;
};
using Remarks = std::vector<Remark>;

/// At the first place of `node`.
template <typename... Args>
Remark makeRemark(const Node *node, const DiagKind<Args...> &kind,
                  const std::type_identity_t<Args> &...args) {
  llvm::SMRange range;
  if (node && !node->ranges().empty())
    range = node->ranges().front();
  return {node, makeDiagnostic(range, kind, args...)};
}

/// Ops that are written more than once, of all that `root` depends on.
void remarkOnSameOps(const Node *root, const llvm::SourceMgr &sources,
                     Remarks &remarks);

} // namespace rasp::ir

#endif
