//===- test/bench/Programs.h - what benchmarks are about --------*- C++ -*-===//

#ifndef RASP_TEST_BENCH_PROGRAMS_H
#define RASP_TEST_BENCH_PROGRAMS_H

#include "backend/tools/Compilation.h"

namespace rasp::bench {

/// The text of an example; ends the process if there is none.
std::string exampleText(llvm::StringRef name);

/// A program taken through the stages up to the layout, at -O1 and in float32,
/// for inputs of up to `length` tokens. Ends the process if it is refused.
std::unique_ptr<Compilation> compile(llvm::StringRef text, unsigned length);

} // namespace rasp::bench

#endif
