//===- backend/tools/PassCommandLine.cpp - what is seen of passes ---------===//

#include "backend/tools/PassCommandLine.h"
#include "backend/CircuitPasses.h"
#include "ir/Passes.h"
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

std::optional<std::string> PassCommandLine::unknownPass() const {
  auto isKnown = [](llvm::StringRef name) {
    return ir::findPass(name) || backend::findPass(name) || name == "lower";
  };
  for (const std::string &name : printAfter)
    if (!isKnown(name))
      return name;
  if (!stopAfter.empty() && !isKnown(stopAfter))
    return stopAfter;
  return std::nullopt;
}

void rasp::printPasses(llvm::raw_ostream &os) {
  os << "over RASP IR:\n";
  for (const ir::PassInfo &pass : ir::allPasses())
    os << llvm::formatv("  --{0,-18} {1}\n", pass.name, pass.summary);
  os << "from RASP IR to a circuit:\n";
  os << llvm::formatv("  --{0,-18} {1}\n", "lower",
                      "heads and hidden units that compute the output");
  os << "over circuits:\n";
  for (const backend::PassInfo &pass : backend::allPasses())
    os << llvm::formatv("  --{0,-18} {1}\n", pass.name, pass.summary);
}
