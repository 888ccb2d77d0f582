//===- ir/passes/InferValueSets.cpp - value sets beside s-ops -------------===//
//
//   %b = mod %indices, 2 : value  ->  %b = mod %indices, 2 : value in {0, 1}
//
// What ValueSets.h finds; ops that no output depends on get no set. An s-op
// that is `kept` is a source for those that read it.
//
//===----------------------------------------------------------------------===//

#include "ir/Passes.h"
#include "ir/ValueSets.h"

using namespace rasp::ir;

void rasp::ir::showValues(Module &module, const ValueSets &sets,
                          const Node *output) {
  for (const Node *op : reachable(output)) {
    if (op->isSelector())
      continue;
    const NodeValues &values = sets.of(op);
    module.values[op] =
        values.known ? ShownValues::of(values.values) : ShownValues::tooMany();
  }
}

bool rasp::ir::inferValueSets(Module &module, PassContext &context) {
  if (!module.header.fixesInput()) {
    context.diags.emit({}, diag::InputNotFixed, "value-sets");
    return false;
  }
  llvm::DenseMap<const Node *, ShownValues> before = std::move(module.values);
  module.values.clear();
  for (const Node *output : module.outputs)
    showValues(
        module,
        ValueSets(output, module.header.domain(), context.diags, module.kept),
        output);
  if (before.size() != module.values.size())
    return true;
  for (const auto &[op, shown] : module.values)
    if (auto found = before.find(op);
        found == before.end() || found->second != shown)
      return true;
  return false;
}
