//===- backend/tools/PassCommandLine.cpp - what is seen of passes ---------===//

#include "backend/tools/PassCommandLine.h"
#include "backend/CircuitPasses.h"
#include "ir/Passes.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp;
namespace cl = llvm::cl;

PassCommandLine::PassCommandLine(cl::OptionCategory &category)
    : printAfterAll("print-after-all",
                    cl::desc("Print the text after every pass, to stderr"),
                    cl::cat(category)),
      printChanged("print-changed",
                   cl::desc("Print the text after passes that changed it"),
                   cl::cat(category)),
      verifyEach("verify-each",
                 cl::desc("Check the text after every pass, and that passes "
                          "which say so have changed nothing"),
                 cl::cat(category)),
      timePasses("time-passes", cl::desc("Print how long passes took"),
                 cl::cat(category)),
      printAfter("print-after", cl::CommaSeparated,
                 cl::desc("Print the text after these passes"),
                 cl::value_desc("PASS,..."), cl::cat(category)),
      stopAfter("stop-after",
                cl::desc("Print what there is after this pass, and end"),
                cl::value_desc("PASS"), cl::cat(category)),
      dumpDir("dump-dir",
              cl::desc("Write the text after each pass into a file of this "
                       "folder"),
              cl::value_desc("DIR"), cl::cat(category)),
      listPasses("list-passes", cl::desc("List all passes, and end"),
                 cl::cat(category)) {}

ir::PassOptions PassCommandLine::options() const {
  ir::PassOptions options;
  options.printAfterAll = printAfterAll;
  options.printAfter.assign(printAfter.begin(), printAfter.end());
  options.printChanged = printChanged;
  options.verifyEach = verifyEach;
  options.timePasses = timePasses;
  options.stopAfter = stopAfter;
  options.dumpDir = dumpDir;
  return options;
}

bool PassCommandLine::check(llvm::ArrayRef<llvm::StringRef> running) const {
  std::vector<std::string> named(printAfter.begin(), printAfter.end());
  if (!stopAfter.empty())
    named.push_back(stopAfter);
  for (const std::string &name : named) {
    if (llvm::is_contained(running, name))
      continue;
    if (!ir::findPass(name) && !backend::findPass(name) && name != lowerName)
      toolError() << "no pass is called `" << name
                  << "`; --list-passes has all\n";
    else
      toolError() << "`" << name << "` is not among the passes that run here: "
                  << llvm::join(running, ", ") << "\n";
    return false;
  }
  return true;
}

void rasp::printPasses(llvm::raw_ostream &os) {
  os << "over RASP IR:\n";
  for (const ir::PassInfo &pass : ir::allPasses())
    os << llvm::formatv("  --{0,-18} {1}\n", pass.name, pass.summary);
  os << "from RASP IR to a circuit:\n";
  os << llvm::formatv("  --{0,-18} {1}\n", lowerName, lowerSummary);
  os << "over circuits:\n";
  for (const backend::PassInfo &pass : backend::allPasses())
    os << llvm::formatv("  --{0,-18} {1}\n", pass.name, pass.summary);
}
