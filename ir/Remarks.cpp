//===- ir/Remarks.cpp - what was decided, and why -------------------------===//

#include "ir/Remarks.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::ir;

/// Whether the text is a name: its op is written elsewhere.
static bool isName(llvm::SMRange range) {
  llvm::StringRef text(range.Start.getPointer(),
                       range.End.getPointer() - range.Start.getPointer());
  return llvm::all_of(text,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

void rasp::ir::remarkOnSameOps(const Node *root, const llvm::SourceMgr &sources,
                               Remarks &remarks) {
  for (const Node *node : reachable(root)) {
    if (isLeaf(node->kind()))
      continue;
    unsigned first = 0;
    for (llvm::SMRange range : node->ranges()) {
      if (!range.isValid() || isName(range))
        continue;
      if (first)
        remarks.push_back({node, makeDiagnostic(range, diag::SameOp, first)});
      else
        first = sources.getLineAndColumn(range.Start).first;
    }
  }
}
