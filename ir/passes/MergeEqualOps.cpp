//===- ir/passes/MergeEqualOps.cpp - common subexpressions ----------------===//
//
//   %a = add %x, 1                      %a = add %x, 1
//   %b = add %x, 1               ->     %c = mul %a, %a
//   %c = mul %a, %b
//
// What is evaluated from a program has no equal ops: they are made once. Text
// may have them. The first of equal ops stays, with its name; ops whose
// operands become equal are merged as well.
//
//===----------------------------------------------------------------------===//

#include "ir/Passes.h"

using namespace rasp::ir;

bool rasp::ir::mergeEqualOps(Module &module, PassContext &) {
  llvm::DenseMap<const Node *, const Node *> merged;
  for (const Node *op : module.ops) {
    llvm::SmallVector<const Node *, 3> operands;
    for (const Node *operand : op->operands())
      operands.push_back(merged.at(operand));
    merged[op] =
        module.program.firstEqual(module.program.withOperands(op, operands));
  }
  return module.replace(merged);
}
