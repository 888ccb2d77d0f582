//===- backend/Encodings.cpp - how the stream holds s-ops -----------------===//

#include "backend/Encodings.h"
#include "backend/Codes.h"
#include "llvm/ADT/StringSwitch.h"

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
    llvm::StringRef word = own.empty() ? "view" : encodingOf(own);
    module.encodings[op] = llvm::StringSwitch<ir::Encoding>(word)
                               .Case("view", ir::Encoding::View)
                               .Case("categorical", ir::Encoding::OneHot)
                               .Case("scalar", ir::Encoding::Scalar)
                               .Default(ir::Encoding::Code);
  }
}
