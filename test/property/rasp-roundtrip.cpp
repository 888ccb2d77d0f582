//===- test/property/rasp-roundtrip.cpp - texts of random programs --------===//
//
// The RASP IR and the circuit of every random program are printed, read and
// printed again; both texts must be the same, and what was read well-formed.
//
//===----------------------------------------------------------------------===//

#include "backend/CircuitParser.h"
#include "backend/CircuitVerifier.h"
#include "backend/tools/Compilation.h"
#include "ir/Parser.h"
#include "ir/Verifier.h"
#include "test/property/ProgramGenerator.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;
using namespace rasp::property;
namespace cl = llvm::cl;

static cl::OptionCategory category("rasp-roundtrip options");
static cl::opt<unsigned> programs("programs", cl::desc("How many programs"),
                                  cl::init(1000), cl::cat(category));
static cl::opt<uint64_t>
    firstSeed("seed", cl::desc("Seed of the first; each has the next number"),
              cl::init(0), cl::cat(category));

namespace {
struct Tally {
  uint64_t texts = 0, differ = 0;
};
} // namespace

static std::string
printed(llvm::function_ref<void(llvm::raw_ostream &)> print) {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

/// Reads `text` and prints it again.
static std::string again(const std::string &text, bool isCircuit) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  unsigned buffer = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "text"), {});
  std::string result;
  llvm::raw_string_ostream os(result);
  if (isCircuit) {
    if (std::optional<backend::Circuit> circuit =
            backend::parseCircuit(buffer, diags);
        circuit && backend::verify(*circuit, diags))
      backend::print(os, *circuit);
  } else {
    ir::Program program;
    ir::Module module(program);
    if (ir::parse(buffer, module, diags))
      ir::print(os, module);
  }
  diags.printAll(os);
  return result;
}

static void compare(uint64_t seed, const std::string &text, bool isCircuit,
                    Tally &tally) {
  ++tally.texts;
  std::string read = again(text, isCircuit);
  if (read == text)
    return;
  ++tally.differ;
  llvm::outs() << "# seed " << seed << " differs\n" << text << read;
}

static void tryProgram(uint64_t seed, Tally &tally) {
  RandomProgram program = generateProgram(seed, GeneratorOptions());
  for (bool everything : {false, true}) {
    // Passes are verified, and say truly whether they changed anything.
    ir::PassOptions options;
    options.verifyEach = true;
    ir::PassManager passes(options, "random");
    Compilation compilation(&passes);
    compilation.setText(program.text(), "random.rasp");
    CompileOptions given;
    given.causal = seed % 2 != 0;
    bool good = compilation.evaluate(std::move(given)) &&
                compilation.inferValues({}, everything);
    if (compilation.values) {
      ir::showValues(*compilation.module, *compilation.values,
                     compilation.compiled);
      compilation.module->addPlaces(compilation.sources);
      compare(seed,
              printed([&](auto &os) { ir::print(os, *compilation.module); }),
              false, tally);
    }
    SynthesisOptions effort;
    effort.explain = false;
    if (good && compilation.synthesise(effort))
      compare(seed, printed([&](auto &os) {
                backend::print(os, compilation.circuit);
              }),
              true, tally);
    for (const ir::Diagnostic &diagnostic : compilation.diags.all())
      if (diagnostic.name == ir::diag::PassFailed.name ||
          diagnostic.name == ir::diag::BrokenIR.name) {
        ++tally.differ;
        llvm::outs() << "# seed " << seed << ": " << diagnostic.message << "\n";
      }
  }
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "Prints, reads and prints random programs.\n");
  Tally tally;
  for (uint64_t seed = firstSeed; seed < firstSeed + programs; ++seed)
    tryProgram(seed, tally);
  llvm::outs() << llvm::formatv("{0} programs, {1} texts, {2} differ\n",
                                programs.getValue(), tally.texts, tally.differ);
  return tally.differ ? 1 : 0;
}
