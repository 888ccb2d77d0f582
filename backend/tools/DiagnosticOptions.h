//===- backend/tools/DiagnosticOptions.h - how messages are told -*- C++
//-*-===//
//
// The options -W..., -w and --diagnostics= of the tools that read programs. A
// tool makes one of these before it reads its command line.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_DIAGNOSTICOPTIONS_H
#define RASP_BACKEND_TOOLS_DIAGNOSTICOPTIONS_H

#include "ir/Diagnostics.h"
#include "llvm/Support/CommandLine.h"

namespace rasp {

class DiagnosticOptions {
public:
  explicit DiagnosticOptions(llvm::cl::OptionCategory &category);

  /// What the options say of warnings; an error if there is no such warning.
  llvm::Expected<ir::DiagnosticPolicy> policy() const;
  /// Writes all messages to stderr in the form that is asked for.
  void print(const ir::Diagnostics &diags) const;

private:
  enum class Format : uint8_t { Text, JSON };

  llvm::cl::list<std::string> warnings;
  llvm::cl::opt<bool> noWarnings;
  llvm::cl::opt<Format> format;
};

} // namespace rasp

#endif
