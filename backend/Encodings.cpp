//===- backend/Encodings.cpp - how the stream holds s-ops -----------------===//

#include "backend/Encodings.h"
#include "backend/Codes.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

static bool isToken(const ir::Node *sop) {
  return ir::isLeaf(sop->kind()) && sop->kind() != ir::OpKind::Indices &&
         sop->kind() != ir::OpKind::Const;
}

llvm::SmallVector<DirId> rasp::backend::directionsOf(const Circuit &circuit,
                                                     const ir::NodeNames &names,
                                                     const ir::Node *sop) {
  llvm::StringRef space = isToken(sop) ? "tokens" : names.of(sop);
  llvm::SmallVector<DirId> result;
  for (uint32_t i = 1; i < circuit.directions.size(); ++i)
    if (circuit.directions[i].space == space)
      result.push_back(DirId(i));
  return result;
}

void rasp::backend::showEncodings(ir::Module &module, const Circuit &circuit,
                                  const ir::Node *output,
                                  const ir::NodeNames &names,
                                  const ir::ValueSets &sets) {
  Codes codes(circuit, output, names, sets);
  for (const ir::Node *op : module.ops) {
    if (!op->isSop())
      continue;
    llvm::SmallVector<std::optional<Code>> own;
    for (DirId dir : directionsOf(circuit, names, op))
      own.push_back(codes.codeOf(dir));
    bool isNumber = llvm::any_of(own, [](const std::optional<Code> &code) {
      return code && code->affine;
    });
    module.encodings[op] = own.empty() ? ir::Encoding::View
                           : isNumber  ? ir::Encoding::Scalar
                           : encodingOf(own) == "categorical"
                               ? ir::Encoding::OneHot
                               : ir::Encoding::Code;
  }
}
