//===- test/fuzz/Seeds.cpp - inputs to start from, made at run time -------===//
//
//   fuzz-seeds FOLDER
//
// Writes model files into FOLDER/model, the JSON texts that they hold into
// FOLDER/json, and the programs as IR and as circuits into FOLDER/ir and
// FOLDER/circuit.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/Compilation.h"
#include "frontend/LargeStack.h"
#include "runtime/WeightFile.h"
#include "test/fuzz/ModelTrial.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace rasp;

namespace {
struct Seed {
  const char *name, *text;
  bool smallest = false;
};
} // namespace

/// Small, and together with every kind of variable, component and output.
static constexpr Seed seeds[] = {
    {"reverse", "#@ vocab: a,b\n#@ max-seq-len: 3\n"
                "flip = select(indices, length - indices - 1, ==);\n"
                "reverse = aggregate(flip, tokens);\n"},
    {"hist", "#@ vocab: a,b\n#@ max-seq-len: 3\n"
             "hist = selector_width(select(tokens, tokens, ==));\n"},
    {"mean", "#@ tokens: int\n#@ vocab: -1..1\n#@ max-seq-len: 3\n"
             "#@ causal: true\n"
             "mean = aggregate(full_s, tokens_int);\n"},
    {"above", "#@ tokens: float\n#@ vocab: [0.5, 2.0]\n#@ max-seq-len: 3\n"
              "before = select(indices, indices, <=);\n"
              "above = aggregate(before, tokens_float) > 1;\n"},
    // Large enough for its weights to be stored in tiles.
    {"tiles", "#@ vocab: a..z\n#@ max-seq-len: 40\n"
              "flip = select(indices, length - indices - 1, ==);\n"
              "reverse = aggregate(flip, tokens);\n"},
    {"letter", "#@ vocab: a,b\n#@ max-seq-len: 2\nletter = tokens + \"!\";\n"},
    // Directions share coordinates.
    {"sort",
     "#@ vocab: a,b\n#@ max-seq-len: 3\nsorted = sort(tokens, tokens);\n",
     true}};

static void write(const std::string &path, llvm::StringRef text) {
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << text;
  if (error)
    llvm::report_fatal_error(llvm::Twine(path) + ": " + error.message());
}

static std::string print(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

static void writeSeed(const std::string &folder, const Seed &seed) {
  rt::Model model = fuzz::compileModel(seed.text, seed.smallest);
  for (rt::Padding padding : {rt::Padding::Uniform, rt::Padding::None})
    llvm::cantFail(rt::writeModel(
        model, folder + "/model/" + seed.name + "-" + rt::nameOf(padding),
        padding));
  auto writeJSON = [&](const std::string &kind, const std::string &text) {
    write(folder + "/json/" + kind + "-" + seed.name, kind + "\n" + text);
  };
  rt::Header header =
      rt::makeHeader(model, rt::formatVersion, rt::Padding::None);
  writeJSON("header", rt::printHeader(header, model));
  writeJSON("input-vocab", rt::printInputVocab(model.input));
  writeJSON("output-vocab", rt::printOutputVocab(model.output));
  writeJSON("options", print(model.options));
  writeJSON("certificate", print(model.certificate));
  writeJSON("residual", print(model.residual));
}

/// As IR with everything known of it, and as a circuit before and after it is
/// scheduled.
static void writeTexts(const std::string &folder, const Seed &seed) {
  ir::PassOptions options;
  options.dumpDir = folder + "/dumps";
  {
    ir::PassManager passes(options, seed.name);
    SynthesisOptions effort;
    effort.smallest = seed.smallest;
    Compilation compilation(&passes);
    compilation.setText(seed.text, "seed.rasp");
    if (!compilation.evaluate({}) || !compilation.inferValues() ||
        !compilation.synthesise(effort))
      llvm::report_fatal_error("a seed that does not compile");
  }
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(options.dumpDir, error), end;
       at != end && !error; at.increment(error)) {
    llvm::StringRef name = llvm::sys::path::filename(at->path());
    bool isCircuit = name.ends_with(".circuit");
    error = llvm::sys::fs::rename(
        at->path(), folder + (isCircuit ? "/circuit/" : "/ir/") + name);
  }
  if (error)
    llvm::report_fatal_error(llvm::Twine(folder) + ": " + error.message());
}

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: fuzz-seeds FOLDER\n";
    return 2;
  }
  std::string folder = argv[1];
  for (const char *part : {"/model", "/json", "/ir", "/circuit"})
    if (std::error_code error =
            llvm::sys::fs::create_directories(folder + part))
      llvm::report_fatal_error(llvm::Twine(folder) + ": " + error.message());
  for (const Seed &seed : seeds)
    writeSeed(folder, seed);
  for (const Seed &seed : seeds)
    writeTexts(folder, seed);
  return 0;
}
