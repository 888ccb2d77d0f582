//===- test/bench/Programs.cpp - what benchmarks are about ----------------===//

#include "test/bench/Programs.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;

std::string bench::exampleText(llvm::StringRef name) {
  auto buffer = llvm::MemoryBuffer::getFile(
      (llvm::Twine(RASP_EXAMPLES_DIR "/") + name + ".rasp").str());
  if (!buffer) {
    llvm::errs() << name << ": " << buffer.getError().message() << "\n";
    exit(1);
  }
  return (*buffer)->getBuffer().str();
}

std::unique_ptr<Compilation> bench::compile(llvm::StringRef text,
                                            unsigned length) {
  auto compilation = std::make_unique<Compilation>();
  compilation->setText(text, "bench.rasp");
  CompileOptions options;
  options.maxSeqLen = length;
  if (compilation->evaluate(std::move(options)) && compilation->inferValues() &&
      compilation->synthesise({rt::DType::Float32}) && compilation->layOut())
    return compilation;
  compilation->diags.printAll(llvm::errs());
  exit(1);
}
