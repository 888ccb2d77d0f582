//===- backend/tools/DiagnosticOptions.cpp - how messages are told --------===//

#include "backend/tools/DiagnosticOptions.h"

using namespace rasp;
namespace cl = llvm::cl;

DiagnosticOptions::DiagnosticOptions(cl::OptionCategory &category)
    : warnings("W", cl::Prefix,
               cl::desc("Tell a warning, or with no-NAME do not; `all` are "
                        "all; error and error=NAME make errors of them"),
               cl::value_desc("NAME"), cl::cat(category)),
      noWarnings("w", cl::desc("Tell no warnings"), cl::cat(category)),
      format("diagnostics", cl::desc("Form of messages about the program:"),
             cl::values(
                 clEnumValN(Format::Text, "text",
                            "with the line and a caret (default)"),
                 clEnumValN(Format::JSON, "json", "one JSON object per line")),
             cl::init(Format::Text), cl::cat(category)) {}

llvm::Expected<ir::DiagnosticPolicy> DiagnosticOptions::policy() const {
  ir::DiagnosticPolicy policy;
  for (const std::string &text : warnings)
    if (llvm::Error failure = policy.apply(text))
      return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                     "-W" + text + ": " +
                                         llvm::toString(std::move(failure)));
  if (noWarnings)
    policy.tellNothing();
  return policy;
}

void DiagnosticOptions::print(const ir::Diagnostics &diags) const {
  if (format == Format::JSON)
    diags.printJSON(llvm::errs());
  else
    diags.printAll(llvm::errs());
}
