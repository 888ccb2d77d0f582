//===- backend/CircuitPasses.cpp - passes by their names ------------------===//

#include "backend/CircuitPasses.h"
#include "backend/CircuitVerifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp;
using namespace rasp::backend;

llvm::ArrayRef<PassInfo> rasp::backend::allPasses() {
  static constexpr PassInfo passes[] = {
#define PASS(name, function, summary) {name, &function, summary},
#include "backend/CircuitPasses.def"
  };
  return passes;
}

const PassInfo *rasp::backend::findPass(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      allPasses(), [&](const PassInfo &pass) { return pass.name == name; });
  return found == allPasses().end() ? nullptr : found;
}

llvm::ArrayRef<llvm::StringLiteral> rasp::backend::pipeline(bool plain,
                                                            bool smallest) {
  static constexpr llvm::StringLiteral passes[] = {"schedule", "level-widths",
                                                   "reuse-directions"};
  return llvm::ArrayRef(passes).drop_back(plain ? 2 : smallest ? 0 : 1);
}

bool rasp::backend::runPass(llvm::StringRef name,
                            llvm::function_ref<bool(Circuit &)> pass,
                            Circuit &circuit, ir::Diagnostics &diags,
                            ir::PassManager &passes) {
  unsigned before = diags.errorCount();
  bool good = passes.run(
      name, "circuit", [&](llvm::raw_ostream &os) { print(os, circuit); },
      [&] { return verify(circuit, diags); },
      [&]() -> std::optional<bool> {
        bool changed = pass(circuit);
        if (diags.errorCount() != before)
          return std::nullopt;
        return changed;
      });
  if (!passes.failure().empty())
    diags.emit({}, ir::diag::PassFailed, passes.failure());
  return good && diags.errorCount() == before;
}
