//===- test/fuzz/FuzzIR.cpp - RASP IR as text -----------------------------===//
//
// What parses must verify, print, and parse to the same print. Every pass must
// leave it well-formed and say truly whether it changed anything, and the
// outputs must be the same on all inputs of at most three tokens, of a
// vocabulary of at most three. What can be lowered becomes a circuit that is
// well-formed, too.
//
//===----------------------------------------------------------------------===//

#include "backend/CircuitVerifier.h"
#include "backend/Lowering.h"
#include "frontend/LargeStack.h"
#include "ir/FailureChecks.h"
#include "ir/Interpreter.h"
#include "ir/Parser.h"
#include "ir/Passes.h"
#include "ir/Printer.h"
#include "test/fuzz/Fuzz.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;

static constexpr unsigned longestInput = 3, mostTokens = 3;

namespace {
/// A text that was read.
struct Reading {
  explicit Reading(llvm::StringRef text) : diags(sources), module(program) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "fuzz.rir"), {});
    isGood = ir::parse(id, module, diags);
    if (isGood == diags.hasErrors())
      fuzz::report("errors, but a result; or neither");
    std::string messages;
    llvm::raw_string_ostream os(messages);
    diags.printAll(os);
    diags.printJSON(os);
  }
  std::string print() const {
    std::string text;
    llvm::raw_string_ostream os(text);
    ir::print(os, module);
    return text;
  }

  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  ir::Program program;
  ir::Module module;
  bool isGood;
};
} // namespace

/// What the outputs are on every input, failures without their words.
static std::vector<std::string> outcomes(const ir::Module &module) {
  ir::Domain domain = module.header.domain();
  ir::Interpreter::Options semantics;
  semantics.causal = domain.causal;
  ir::Interpreter interpreter(module.outputs, semantics);
  ir::Interpreter::State state(interpreter);
  std::vector<std::string> all;
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    std::vector<size_t> tokens(length);
    for (size_t carry = 0; carry < length;) {
      std::vector<ir::Value> input;
      for (size_t token : tokens)
        input.push_back(domain.vocabulary[token]);
      for (const ir::RootResult &result : interpreter.run(input, state)) {
        std::string text = result ? "" : "fails";
        if (result)
          for (const ir::Value &value : result.values)
            text += value.str() + " ";
        all.push_back(std::move(text));
      }
      for (carry = 0; carry < length; ++carry) {
        if (++tokens[carry] < domain.vocabulary.size())
          break;
        tokens[carry] = 0;
      }
    }
  }
  return all;
}

static void lower(Reading &reading) {
  ir::Module &module = reading.module;
  const ir::Node *output = module.outputs.front();
  ir::ValueSetLimits limits{/*values=*/128, /*combinations=*/2048};
  ir::ValueSets sets(output, module.header.domain(), reading.diags, module.kept,
                     limits);
  if (reading.diags.hasErrors() ||
      !ir::checkFailures(output, sets, reading.diags))
    return;
  ir::NodeNames names(output);
  std::optional<backend::Circuit> circuit =
      backend::Lowering(sets, names, {}, reading.diags).run(output);
  if (circuit && !backend::verify(*circuit, reading.diags))
    fuzz::report(reading.diags.all().back().message);
}

static void tryText(llvm::StringRef text) {
  Reading reading(text);
  if (!reading.isGood)
    return;
  std::string printed = reading.print();
  Reading again(printed);
  if (!again.isGood || again.print() != printed)
    fuzz::report("printed and read again, this differs:\n" + printed);

  ir::Module &module = reading.module;
  ir::ProgramHeader &header = module.header;
  if (header.vocabulary.size() > mostTokens)
    header.vocabulary.resize(mostTokens);
  header.maxSeqLen = std::min(header.maxSeqLen, longestInput);
  if (!header.fixesInput())
    return;
  std::vector<std::string> before = outcomes(module);
  ir::PassOptions options;
  options.verifyEach = true;
  ir::PassManager passes(options, "fuzz");
  ir::PassContext context{reading.diags};
  for (llvm::StringRef pass :
       {"cse", "count-sums", "split-quantifiers", "dce"}) {
    if (!ir::runPass(pass, ir::findPass(pass)->function, module, context,
                     passes))
      fuzz::report(reading.diags.all().back().message);
    if (outcomes(module) != before)
      fuzz::report("another result after " + pass + "\n" + reading.print());
  }
  lower(reading);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  frontend::runWithLargeStack([&] { tryText(fuzz::textOf(data, size)); });
  return 0;
}
