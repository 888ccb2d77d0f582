//===- MalformedTest.cpp - programs that nobody would write ---------------===//
//
// Mutations of right programs: each is read to the end, quickly, and either
// has a meaning or gives messages at places that are in the text.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "frontend/Frontend.h"
#include "llvm/Support/MemoryBuffer.h"
#include <chrono>
#include <gtest/gtest.h>
#include <random>

using namespace rasp;

namespace {

class Mutator {
public:
  explicit Mutator(std::vector<std::string> programs)
      : programs(std::move(programs)) {}

  std::string next() {
    std::string text = pick(programs);
    for (unsigned changes = 1 + below(3); changes; --changes)
      change(text);
    return text;
  }

private:
  // Not std::uniform_int_distribution, which differs between libraries.
  size_t below(size_t bound) { return bound ? random() % bound : 0; }
  const std::string &pick(const std::vector<std::string> &from) {
    return from[below(from.size())];
  }

  void change(std::string &text) {
    static const std::vector<std::string> fragments = {";",
                                                       "(",
                                                       ")",
                                                       "[",
                                                       "]",
                                                       "{",
                                                       "}",
                                                       ",",
                                                       "=",
                                                       "==",
                                                       "!=",
                                                       "\"",
                                                       "#",
                                                       "\n",
                                                       " ",
                                                       "-",
                                                       "^",
                                                       "if",
                                                       "else",
                                                       " for ",
                                                       " in ",
                                                       "def ",
                                                       "return ",
                                                       "load \"x\";",
                                                       "select(",
                                                       "range(",
                                                       "not ",
                                                       "1",
                                                       "0.5",
                                                       "99999999999999999999",
                                                       "1.",
                                                       ".",
                                                       "@",
                                                       "'",
                                                       "\\",
                                                       "\t",
                                                       "\r",
                                                       std::string(1, '\0'),
                                                       "\xff",
                                                       "\xc3\xa9",
                                                       "\xe2\x80\xa8",
                                                       "set example ",
                                                       "s-op",
                                                       "full seq display on",
                                                       "exit",
                                                       "length",
                                                       "indices",
                                                       "tokens",
                                                       "\xef\xbb\xbf",
                                                       "((((((((((",
                                                       "]]]]",
                                                       "^9^9^9",
                                                       "*\"ab\""};
    size_t at = below(text.size() + 1);
    size_t length = std::min<size_t>(below(12), text.size() - at);
    switch (below(7)) {
    case 0: // leave a piece out
      text.erase(at, length);
      break;
    case 1: // write a piece twice
      text.insert(at, text.substr(at, length));
      break;
    case 2: // put something in
      text.insert(at, pick(fragments));
      break;
    case 3: // put something in the place of a piece
      text.replace(at, length, pick(fragments));
      break;
    case 4: // a character that can be anything
      text.insert(at, 1, static_cast<char>(below(256)));
      break;
    case 5: // end early
      text.resize(at);
      break;
    case 6: { // go on with another program
      const std::string &other = pick(programs);
      text = text.substr(0, at) + other.substr(below(other.size()));
      break;
    }
    }
  }

  std::vector<std::string> programs;
  std::mt19937_64 random{20240607};
};

TEST(Malformed, AThousandMutations) {
  Mutator mutator(allPrograms());
  unsigned wrong = 0;
  for (unsigned i = 0; i < 1000; ++i) {
    std::string text = mutator.next();
    auto start = std::chrono::steady_clock::now();
    llvm::SourceMgr sources;
    unsigned buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "p.rasp"), {});
    ir::Diagnostics diags(sources);
    ir::Program program;
    frontend::evaluateProgram(buffer, program, diags);
    for (const ir::Diagnostic &diagnostic : diags.all()) {
      ASSERT_TRUE(diagnostic.range.isValid()) << diagnostic.message << text;
      EXPECT_EQ(sources.FindBufferContainingLoc(diagnostic.range.Start), buffer)
          << diagnostic.message << '\n'
          << text;
      EXPECT_LE(diagnostic.range.Start.getPointer(),
                diagnostic.range.End.getPointer());
    }
    wrong += diags.hasErrors();
    std::string messages;
    llvm::raw_string_ostream os(messages);
    diags.printAll(os);
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - start;
    EXPECT_LT(seconds.count(), 1) << text;
  }
  // Most changes are no improvement.
  EXPECT_GT(wrong, 500u);
}

} // namespace
