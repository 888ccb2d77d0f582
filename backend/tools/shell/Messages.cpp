//===- backend/tools/shell/Messages.cpp - errors at the console -----------===//
//
// The forms of section 14.2 of the language, and below them the place in the
// text, which the published interpreter doesn't show.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/shell/Session.h"
#include "frontend/ErrorCategory.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;
using namespace rasp::shell;

void Session::flush() {
  for (const ir::Diagnostic &diagnostic : diags.all())
    print(diagnostic);
  diags.clear();
}

static llvm::StringRef textOf(llvm::SMRange range) {
  return {range.Start.getPointer(),
          size_t(range.End.getPointer() - range.Start.getPointer())};
}

void Session::print(const ir::Diagnostic &diagnostic) {
  if (diagnostic.severity == ir::Severity::Error) {
    anyErrors = errorsInFile = true;
    if (os.has_colors())
      os.changeColor(llvm::raw_ostream::RED);
    llvm::StringRef category = frontend::categoryOf(diagnostic);
    llvm::StringRef message = diagnostic.message;
    if (category == "syntax") {
      os << "\t!! antlr exception: " << message << " \t-- ignoring input\n";
    } else if (category == "undefined-variable") {
      os << "\t\t!!ignoring input:\n\t Error: Undefined variable: "
         << textOf(diagnostic.range);
      if (!diagnostic.fixIt.empty() && !settings.strict)
        os << "; did you mean `" << diagnostic.fixIt << "`?";
      os << '\n';
    } else if (category == "reserved-name") {
      os << "\t\t!!ignoring input:\n\t Error: Cannot set reserved name: "
         << textOf(diagnostic.range) << '\n';
    } else if (category == "not-implemented") {
      os << "not implemented this command yet! ignoring\n";
    } else if (category.starts_with("python-") ||
               category == "average-of-non-numbers") {
      os << "something went wrong: " << message << '\n';
    } else {
      os << "\t\t!!ignoring input:\n\t " << message << '\n';
    }
    if (os.has_colors())
      os.resetColor();
  }
  if (!settings.strict && diagnostic.range.isValid())
    printText(diagnostic);
}

/// The text with a caret; the kind of message has been printed unless it is a
/// warning or a note.
void Session::printText(const ir::Diagnostic &diagnostic) {
  ir::Diagnostic plain = diagnostic;
  plain.fixIt.clear(); // the message says it
  std::string full;
  llvm::raw_string_ostream stream(full);
  diags.print(stream, plain);
  // Which file loads the one in question is plain to see.
  llvm::StringRef head, rest = full;
  do
    std::tie(head, rest) = rest.split('\n');
  while (head.starts_with("Included from ") && !rest.empty());

  unsigned buffer = sources.FindBufferContainingLoc(diagnostic.range.Start);
  llvm::StringRef file = sources.getMemoryBuffer(buffer)->getBufferIdentifier();
  bool isConsole = file == "<console>";
  if (diagnostic.severity != ir::Severity::Error) {
    llvm::StringRef word =
        diagnostic.severity == ir::Severity::Note ? "note: " : "warning: ";
    os << "\t " << (isConsole ? head.substr(head.find(word)) : head) << '\n';
  } else if (!isConsole) {
    os << "\t in " << head.take_front(head.find(": error: ")) << '\n';
  }
  while (!rest.empty()) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    os << "\t " << line << '\n';
  }
}
