//===- test/fuzz/Fuzz.h - what the fuzz targets share -----------*- C++ -*-===//
//
// A target is one file, Fuzz<Thing>.cpp, that defines LLVMFuzzerTestOneInput.
// libFuzzer feeds it bytes; whatever it does then must end in a message or an
// answer. A crash, a failed assertion, a sanitizer's report, an endless run and
// a call of `report` are findings.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_FUZZ_FUZZ_H
#define RASP_TEST_FUZZ_FUZZ_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

extern "C" {
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                               unsigned seed);
}

namespace rasp::fuzz {

/// An input that shows a mistake, and what the mistake is.
[[noreturn]] inline void report(const llvm::Twine &what) {
  llvm::errs() << "finding: " << what << "\n";
  abort();
}

inline llvm::StringRef textOf(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

/// The choices of one mutation.
class Choices {
public:
  explicit Choices(unsigned seed) : random(seed) {}
  /// From 0 to before `bound`, which is not 0.
  size_t below(size_t bound) { return random() % bound; }
  template <typename Range> auto &pick(Range &from) {
    return from[below(std::size(from))];
  }

private:
  std::minstd_rand random;
};

/// What libFuzzer's own mutations make of a text, at most `maxSize` long.
std::string mutateBytes(llvm::StringRef text, size_t maxSize);

/// Changes a text by its words: some go, come twice, change places, or become
/// other words of the same text; so do lines. Every other time it changes
/// bytes.
std::string mutateWords(llvm::StringRef text, size_t maxSize, Choices &choices);

/// Changes something in the tree of a JSON text: a number, a string, a member's
/// name, the place of a value. Every other time, and if it is none, it changes
/// bytes.
std::string mutateJSON(llvm::StringRef text, size_t maxSize, Choices &choices);

/// Writes a mutated text over `data`; the size that it has.
size_t store(llvm::StringRef text, uint8_t *data, size_t maxSize);

} // namespace rasp::fuzz

#endif
