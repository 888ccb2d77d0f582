//===- test/unit/ir/DiagnosticsTest.cpp -----------------------------------===//

#include "ir/Diagnostics.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

static constexpr DiagKind<std::string> testKind{"TestKind", Severity::Error,
                                                "{0}"};

namespace {
/// A buffer, and what the diagnostic about a part of it prints.
class DiagnosticsTest : public testing::Test {
protected:
  llvm::SMRange range(llvm::StringRef text, llvm::StringRef part) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "t.rasp"), llvm::SMLoc());
    llvm::StringRef buffer = sources.getMemoryBuffer(id)->getBuffer();
    llvm::StringRef found = buffer.substr(buffer.find(part), part.size());
    return {llvm::SMLoc::getFromPointer(found.begin()),
            llvm::SMLoc::getFromPointer(found.end())};
  }
  std::string printed() {
    std::string text;
    llvm::raw_string_ostream os(text);
    diags.printAll(os);
    return text;
  }

  llvm::SourceMgr sources;
  Diagnostics diags{sources};
};
} // namespace

TEST_F(DiagnosticsTest, CaretRangeAndFixIt) {
  diags.emit(range("x = 1;\nb = bar + 1;\n", "bar"), testKind, "seen").fixIt =
      "baz";
  EXPECT_EQ(printed(), "t.rasp:2:5: error: seen [TestKind]\n"
                       "b = bar + 1;\n"
                       "    ^~~\n"
                       "    baz\n");
  EXPECT_TRUE(diags.hasErrors());
}

TEST_F(DiagnosticsTest, LinesWithOtherLettersHaveACaretToo) {
  diags.emit(range("\ta = \"h\xc3\xa9\xe4\xb8\xad\" + foo;\n", "foo"), testKind,
             "seen");
  EXPECT_EQ(printed(), "t.rasp:1:14: error: seen [TestKind]\n"
                       "        a = \"h\xc3\xa9\xe4\xb8\xad\" + foo;\n"
                       "                     ^~~\n");
}

TEST_F(DiagnosticsTest, BytesThatAreNoText) {
  // A wide letter, and two bytes that would continue one.
  diags.emit(range("x = \xea\x8c\x9a\x93\x9a;\n", "\x93"), testKind, "seen");
  EXPECT_EQ(printed(), "t.rasp:1:6: error: seen [TestKind]\n"
                       "x = \xea\x8c\x9a\x93\x9a;\n"
                       "      ^\n");
}

TEST_F(DiagnosticsTest, LongLinesAreCut) {
  std::string text = std::string(1000, 'x') + " bar " + std::string(1000, 'y');
  diags.emit(range(text, "bar"), testKind, "seen");
  std::string x(59, 'x'), y(59, 'y');
  EXPECT_EQ(printed(), "t.rasp:1:1002: error: seen [TestKind]\n..." + x +
                           " bar " + y + "...\n" + std::string(63, ' ') +
                           "^~~\n");
}

TEST_F(DiagnosticsTest, EndOfFileAndNoPlace) {
  diags.emit(range("a = \xc3\xa9", ""), testKind, "here");
  llvm::StringRef buffer = sources.getMemoryBuffer(1)->getBuffer();
  auto end = llvm::SMLoc::getFromPointer(buffer.end());
  diags.emit({end, end}, testKind, "at the end");
  diags.emit({}, testKind, "nowhere");
  EXPECT_EQ(printed(), "t.rasp:1:1: error: here [TestKind]\n"
                       "a = \xc3\xa9\n"
                       "^\n"
                       "t.rasp:1:6: error: at the end [TestKind]\n"
                       "a = \xc3\xa9\n"
                       "     ^\n"
                       "error: nowhere [TestKind]\n");
}
