//===- test/property/Reducer.h - a smaller program with a flaw --*- C++ -*-===//

#ifndef RASP_TEST_PROPERTY_REDUCER_H
#define RASP_TEST_PROPERTY_REDUCER_H

#include "test/property/RandomProgram.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace rasp::property {

/// Drops statements, puts operands and leaves in place of operations, and
/// shrinks the input, as long as `persists` holds; asks at most `maxTrials`
/// times. `persists` must be false of programs that do not compile for other
/// reasons.
RandomProgram reduce(RandomProgram program,
                     llvm::function_ref<bool(const RandomProgram &)> persists,
                     unsigned maxTrials);

} // namespace rasp::property

#endif
