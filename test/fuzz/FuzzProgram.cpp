//===- test/fuzz/FuzzProgram.cpp - program text ---------------------------===//
//
// The text goes through the whole compiler, in small: at most three tokens and
// inputs of at most three. A model that comes out must answer all of them as
// the interpreter does, and no activation may be outside of the bounds of a
// certificate that the checker accepts. The number of lines of the text, modulo
// three, chooses between -O1, -O0 and -Os.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/Compilation.h"
#include "backend/tools/Verify.h"
#include "frontend/LargeStack.h"
#include "ir/Interpreter.h"
#include "runtime/Atom.h"
#include "test/fuzz/Fuzz.h"
#include "test/property/CertifiedErrors.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp;

static constexpr unsigned longestInput = 3, mostTokens = 3;

/// What the text asks for, in small.
static CompileOptions chooseOptions(Compilation &compilation) {
  ir::Diagnostics unseen(compilation.sources);
  CompileOptions options;
  options.addPragmas(
      frontend::readPragmas(compilation.sources, compilation.bufferId), unseen);
  options.maxSeqLen =
      std::min(options.maxSeqLen.value_or(longestInput), longestInput);
  if (!options.vocabulary) {
    bool numbers = options.tokens == "int" || options.tokens == "float";
    options.vocabulary =
        llvm::cantFail(parseVocabulary(numbers                    ? "0..2"
                                       : options.tokens == "bool" ? "true,false"
                                                                  : "a,b,1",
                                       options.tokens.value_or("str")));
  }
  if (options.vocabulary->size() > mostTokens)
    options.vocabulary->resize(mostTokens);
  return options;
}

/// Whether the interpreter has a result for some input; it is run on all.
static bool hasResult(const Compilation &compilation) {
  const ir::Domain &domain = compilation.domain;
  ir::Interpreter::Options semantics;
  semantics.causal = domain.causal;
  ir::Interpreter interpreter(compilation.output, semantics);
  ir::Interpreter::State state(interpreter);
  bool found = false;
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    std::vector<size_t> tokens(length);
    for (size_t carry = 0; carry < length;) {
      std::vector<ir::Value> input;
      for (size_t token : tokens)
        input.push_back(domain.vocabulary[token]);
      ir::RootResult result = interpreter.run(input, state)[0];
      found |= bool(result);
      if (!result && result.failure->message().empty())
        fuzz::report("a failure without a message");
      for (carry = 0; carry < length; ++carry) {
        if (++tokens[carry] < domain.vocabulary.size())
          break;
        tokens[carry] = 0;
      }
    }
  }
  return found;
}

/// Messages are about the text that was given.
static void checkMessages(const Compilation &compilation) {
  for (const ir::Diagnostic &diagnostic : compilation.diags.all())
    if (diagnostic.range.isValid() &&
        (compilation.sources.FindBufferContainingLoc(diagnostic.range.Start) ==
             0 ||
         diagnostic.range.End.getPointer() <
             diagnostic.range.Start.getPointer()))
      fuzz::report("no place for the message: " + diagnostic.message);
  std::string text;
  llvm::raw_string_ostream os(text);
  compilation.diags.printAll(os);
}

static std::string describe(const Counterexample &example) {
  std::string text;
  llvm::raw_string_ostream os(text);
  rt::printJSON(os, example.input);
  os << " gives ";
  rt::printJSON(os, example.got);
  os << " and should give ";
  rt::printJSON(os, example.expected);
  return text;
}

static void checkModel(const Compilation &compilation, const rt::Model &model) {
  VerifyOptions verification;
  verification.mode = VerifyOptions::Exhaustive;
  verification.jobs = 1;
  VerifyResult result = verify(model, compilation.output, verification);
  if (result.mismatches)
    fuzz::report(describe(*result.counterexample));
  // The checker takes joint values for possible that long chains of
  // conditionals never have. It refuses such a certificate; the model is right.
  property::CertifiedErrors errors =
      property::measureErrors(compilation, model);
  if (!errors.problem.empty() && !errors.isRefused)
    fuzz::report("the certificate does not hold: " + errors.problem);
}

static void compile(Compilation &compilation, unsigned level) {
  compilation.limits = {/*values=*/128, /*combinations=*/2048};
  if (!compilation.evaluate(chooseOptions(compilation)))
    return;
  bool answers = hasResult(compilation);
  SynthesisOptions effort;
  effort.explain = false;
  effort.smallest = level == 2;
  if (compilation.inferValues({}, /*everything=*/level == 1) &&
      compilation.synthesise(effort) && compilation.layOut()) {
    checkModel(compilation, compilation.makeModel());
    return;
  }
  for (const ir::Diagnostic &diagnostic : compilation.diags.all())
    if (diagnostic.name == "AlwaysFails" && answers)
      fuzz::report("refused as failing always, but it has answers: " +
                   diagnostic.message);
}

static void tryText(llvm::StringRef text) {
  Compilation compilation;
  compilation.setText(text, "fuzz.rasp");
  ir::Diagnostics ofTree(compilation.sources);
  std::string tree;
  llvm::raw_string_ostream os(tree);
  frontend::printAST(compilation.bufferId, ofTree, os);
  compile(compilation, text.count('\n') % 3);
  checkMessages(compilation);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  frontend::runWithLargeStack([&] { tryText(fuzz::textOf(data, size)); });
  return 0;
}
