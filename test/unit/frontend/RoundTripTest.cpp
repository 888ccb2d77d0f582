//===- RoundTripTest.cpp - trees written as programs ----------------------===//
//
// A program that is written from a tree parses to the same tree.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"
#include "frontend/LargeStack.h"
#include "frontend/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace rasp;

namespace {

/// What the parser makes of a text.
struct Parsed {
  explicit Parsed(const std::string &text) : diags(sources) {
    unsigned buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "p.rasp"), {});
    module = frontend::parse(buffer, diags, context);
    if (module.hasErrors)
      return;
    llvm::raw_string_ostream os(source);
    ast::writeSource(module, os);
    std::string placed;
    llvm::raw_string_ostream placedOs(placed);
    ast::print(module, *sources.getMemoryBuffer(buffer), placedOs);
    tree = withoutPlaces(placed);
  }

  /// Drops ` @line:column`.
  static std::string withoutPlaces(llvm::StringRef text) {
    std::string result;
    while (!text.empty()) {
      if (text.starts_with(" @") && text.size() > 2 && llvm::isDigit(text[2])) {
        text = text.drop_front(2).drop_while(
            [](char c) { return llvm::isDigit(c) || c == ':'; });
        continue;
      }
      result += text.front();
      text = text.drop_front();
    }
    return result;
  }

  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  ast::Context context;
  ast::Module module;
  std::string source, tree;
};

void expectRoundTrip(const std::string &text) {
  Parsed first(text);
  if (first.module.hasErrors)
    return;
  Parsed second(first.source);
  std::string messages;
  llvm::raw_string_ostream os(messages);
  second.diags.printAll(os);
  EXPECT_FALSE(second.module.hasErrors) << first.source << messages;
  EXPECT_EQ(first.tree, second.tree) << text << "\n" << first.source;
  EXPECT_EQ(first.source, second.source);
}

TEST(RoundTrip, Programs) {
  std::vector<std::string> programs = allPrograms();
  ASSERT_GT(programs.size(), 300u);
  frontend::runWithLargeStack([&] {
    for (const std::string &program : programs)
      expectRoundTrip(program);
  });
}

TEST(RoundTrip, Parentheses) {
  // Written as little as the tree allows.
  const std::pair<const char *, const char *> cases[] = {
      {"((a + b)) * c;", "(a + b) * c;\n"},
      {"(a * b) + c;", "a * b + c;\n"},
      {"a - (b - c);", "a - (b - c);\n"},
      {"(a - b) - c;", "a - b - c;\n"},
      {"(-a) ^ b;", "-a ^ b;\n"},
      {"-(a ^ b);", "-(a ^ b);\n"},
      {"a ^ (-b);", "a ^ -b;\n"},
      {"not (a == b);", "not (a == b);\n"},
      {"(not a) == b;", "not a == b;\n"},
      {"a % (b * c);", "a % b * c;\n"},
      {"a * (b % c);", "a * (b % c);\n"},
      {"a or (b and c);", "a or (b and c);\n"},
      {"(x if p else y) if q else z;", "x if p else y if q else z;\n"},
      {"x if p else (y if q else z);", "x if p else (y if q else z);\n"},
      {"x if (y if q else z) else w;", "x if y if q else z else w;\n"},
      {"(a in l) and b;", "(a in l) and b;\n"},
      {"(x if c else a) in l;", "x if c else a in l;\n"},
      {"a in (b in c);", "a in (b in c);\n"},
      {"x if a in l else y;", "x if a in l else y;\n"},
      {"(a + b)[(0)];", "(a + b)[0];\n"},
      {"(-a)[0];", "(-a)[0];\n"},
      {"-(a[0]);", "-a[0];\n"},
      {"(f)(x)(y)[0];", "f(x)(y)[0];\n"},
      {"(len)(x);", "(len)(x);\n"},
      {"1000000000000000000000.0; 0.000001;",
       "1000000000000000000000.0;\n0.000001;\n"},
      {"set s-op example [1, 2]\nfull seq display on\nexit()",
       "set s-op example [1, 2]\nfull seq display on\nexit\n"},
  };
  for (auto [text, written] : cases) {
    EXPECT_EQ(Parsed(text).source, written);
    expectRoundTrip(text);
  }
}

} // namespace
