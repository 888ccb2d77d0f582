//===- test/fuzz/ModelTrial.h - everything that reads a model ---*- C++ -*-===//

#ifndef RASP_TEST_FUZZ_MODELTRIAL_H
#define RASP_TEST_FUZZ_MODELTRIAL_H

#include "runtime/Interventions.h"
#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"

namespace rasp::fuzz {

/// A model of `text`, which has to compile.
rt::Model compileModel(llvm::StringRef text, bool smallest = false);

/// Whether the tools would be done with the model in a moment. Sizes that files
/// may have are larger.
bool isSmall(const rt::Model &model);

/// Runs a small model on a few inputs, by both forward passes, shows its inside
/// and checks its certificate. Whatever the model holds, each of these must end
/// in a result or a message.
void tryModel(const rt::Model &model,
              llvm::ArrayRef<rt::Intervention> interventions = {});

/// Reads a certificate and checks it; it need not hold.
void tryCertificate(const rt::Model &model, const llvm::json::Value &json);

} // namespace rasp::fuzz

#endif
