//===- ir/Passes.h - passes over RASP IR ------------------------*- C++ -*-===//

#ifndef RASP_IR_PASSES_H
#define RASP_IR_PASSES_H

#include "ir/Diagnostics.h"
#include "ir/Module.h"
#include "ir/PassManager.h"
#include "ir/Remarks.h"

namespace rasp::ir {

/// Whom passes tell what they do.
struct PassContext {
  Diagnostics &diags;
  /// Null where nobody wants to know what was done, what was not, and why.
  Remarks *remarks = nullptr;
};

/// Changes the module and returns whether it did; tells what keeps it from
/// doing so.
using PassFunction = bool(Module &module, PassContext &context);

#define PASS(name, function, summary) PassFunction function;
#include "ir/Passes.def"

struct PassInfo {
  llvm::StringLiteral name;
  PassFunction *function;
  llvm::StringLiteral summary;
};
llvm::ArrayRef<PassInfo> allPasses();
/// The pass with that name, or null.
const PassInfo *findPass(llvm::StringRef name);

/// The passes from what was evaluated to what is compiled, in order. A plain
/// form leaves conditions as they are written.
llvm::ArrayRef<llvm::StringLiteral> pipeline(bool plain);

class ValueSets;
/// Writes what is known of the s-ops that `output` depends on beside them.
void showValues(Module &module, const ValueSets &sets, const Node *output);

/// Runs a pass of that name, seen by `passes`; false after an error, also one
/// that `passes` found.
bool runPass(llvm::StringRef name, llvm::function_ref<PassFunction> pass,
             Module &module, PassContext &context, PassManager &passes);

} // namespace rasp::ir

#endif
