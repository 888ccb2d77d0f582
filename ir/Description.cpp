//===- ir/Description.cpp - what messages call an s-op --------------------===//

#include "ir/Description.h"

using namespace rasp::ir;

std::string rasp::ir::describe(const Node *node) {
  constexpr size_t longestText = 40;
  if (!node->name().empty())
    return ("`" + node->name() + "`").str();
  if (!node->ranges().empty() && !isLeaf(node->kind())) {
    llvm::SMRange range = node->ranges().front();
    llvm::StringRef text(
        range.Start.getPointer(),
        static_cast<size_t>(range.End.getPointer() - range.Start.getPointer()));
    if (text.size() <= longestText && !text.contains('\n'))
      return ("`" + text + "`").str();
  }
  return ("`" + mnemonic(node->kind()) + "`").str();
}
