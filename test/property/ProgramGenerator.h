//===- test/property/ProgramGenerator.h - random RASP programs --*- C++ -*-===//
//
// Writes programs at random that are typed as people's programs are: numbers
// with numbers, strings with strings, tables that mostly cover what they are
// asked. Now and then something fails on some inputs: a divisor that may be
// zero, a key that may be missing, a mean of strings. The same seed gives the
// same program everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_PROPERTY_PROGRAMGENERATOR_H
#define RASP_TEST_PROPERTY_PROGRAMGENERATOR_H

#include "test/property/RandomProgram.h"

namespace rasp::property {

struct GeneratorOptions {
  unsigned maxOperations = 40;
  unsigned maxSeqLen = 5;
  /// How many combinations of source values an elementwise s-op may have by
  /// the generator's own, coarse estimate. Means of means of means would
  /// otherwise fill most of the programs.
  double maxCombinations = 2000;
};

RandomProgram generateProgram(uint64_t seed, const GeneratorOptions &options);

} // namespace rasp::property

#endif
