//===- ir/Passes.cpp - passes by their names ------------------------------===//

#include "ir/Passes.h"
#include "ir/Printer.h"
#include "ir/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

llvm::ArrayRef<PassInfo> rasp::ir::allPasses() {
  static constexpr PassInfo passes[] = {
#define PASS(name, function, summary) {name, &function, summary},
#include "ir/Passes.def"
  };
  return passes;
}

const PassInfo *rasp::ir::findPass(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      allPasses(), [&](const PassInfo &pass) { return pass.name == name; });
  return found == allPasses().end() ? nullptr : found;
}

llvm::ArrayRef<llvm::StringLiteral> rasp::ir::pipeline(bool plain) {
  static constexpr llvm::StringLiteral plainForm[] = {"count-sums", "dce"};
  static constexpr llvm::StringLiteral form[] = {"count-sums",
                                                 "split-quantifiers", "dce"};
  if (plain)
    return plainForm;
  return form;
}

bool rasp::ir::runPass(llvm::StringRef name,
                       llvm::function_ref<PassFunction> pass, Module &module,
                       PassContext &context, PassManager &passes) {
  Diagnostics &diags = context.diags;
  unsigned before = diags.errorCount();
  bool good = passes.run(
      name, "rir", [&](llvm::raw_ostream &os) { print(os, module); },
      [&] { return verify(module, diags); },
      [&]() -> std::optional<bool> {
        bool changed = pass(module, context);
        if (diags.errorCount() != before)
          return std::nullopt;
        return changed;
      });
  if (!passes.failure().empty())
    diags.emit({}, diag::PassFailed, passes.failure());
  return good && diags.errorCount() == before;
}
