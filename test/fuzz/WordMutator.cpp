//===- test/fuzz/WordMutator.cpp - mutations of targets that read text ----===//

#include "test/fuzz/Fuzz.h"

using namespace rasp;

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  fuzz::Choices choices(seed);
  return fuzz::store(
      fuzz::mutateWords(fuzz::textOf(data, size), maxSize, choices), data,
      maxSize);
}
