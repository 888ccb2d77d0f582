//===- ir/passes/RemoveDeadOps.cpp - what no output depends on ------------===//
//
//   %a = add %x, 1
//   %b = add %x, 2               ->     %a = add %x, 1
//   output %a                           output %a
//
//===----------------------------------------------------------------------===//

#include "ir/Passes.h"

using namespace rasp::ir;

bool rasp::ir::removeDeadOps(Module &module, PassContext &) {
  std::vector<const Node *> live = reachable(module.outputs);
  bool changed = live.size() != module.ops.size();
  module.ops = std::move(live);
  return changed;
}
