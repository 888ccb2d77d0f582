//===- test/unit/ir/DiagnosticsTest.cpp -----------------------------------===//

#include "ir/Diagnostics.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

static constexpr DiagKind<std::string> testKind{"TestKind", Severity::Error,
                                                "{0}"};
static constexpr DiagKind<> testNote{"TestNote", Severity::Note, "as here"};

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
  // A wide letter, and two bytes that would continue one: what is printed is
  // text, with a replacement for each.
  diags.emit(range("x = \xea\x8c\x9a\x93\x9a;\n", "\x93"), testKind, "seen");
  EXPECT_EQ(printed(), "t.rasp:1:6: error: seen [TestKind]\n"
                       "x = \xea\x8c\x9a\xef\xbf\xbd\xef\xbf\xbd;\n"
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

TEST_F(DiagnosticsTest, ThePolicyDecidesOnWarningsAndTheirNotes) {
  auto tell = [&](std::vector<const char *> options, bool silent = false) {
    DiagnosticPolicy policy;
    for (const char *option : options)
      EXPECT_EQ(llvm::toString(policy.apply(option)), "") << option;
    if (silent)
      policy.tellNothing();
    diags.clear();
    diags.setPolicy(policy);
    diags.emit({}, diag::EmptySelector);
    diags.emit({}, testNote);
    diags.emit({}, diag::Unused, "x", "y");
    diags.emit({}, testNote);
    std::string text;
    for (const Diagnostic &diagnostic : diags.all())
      text += "EWN"[static_cast<int>(diagnostic.severity)];
    return text;
  };
  EXPECT_EQ(tell({}), "WN");
  EXPECT_EQ(tell({"unused"}), "WNWN");
  EXPECT_EQ(tell({"Unused", "no-empty-selector"}), "WN");
  EXPECT_EQ(tell({"all"}), "WNWN");
  EXPECT_EQ(tell({"all", "no-unused"}), "WN");
  EXPECT_EQ(tell({"no-all"}), "");
  EXPECT_EQ(tell({"all", "no-all"}), "");
  EXPECT_EQ(tell({"no-all", "all"}), "WNWN");
  EXPECT_EQ(tell({"unused", "no-all"}), "WN");
  EXPECT_EQ(tell({"no-EmptySelector"}), "");
  EXPECT_EQ(tell({"error"}), "EN");
  EXPECT_TRUE(diags.hasErrors());
  EXPECT_EQ(printed(), "error: this selector selects nothing on any input "
                       "[EmptySelector,-Werror]\nnote: as here [TestNote]\n");
  EXPECT_EQ(tell({"error", "no-error"}), "WN");
  EXPECT_EQ(tell({"no-error=empty-selector", "error", "unused"}), "WNEN");
  EXPECT_EQ(tell({"error=all"}), "ENEN");
  EXPECT_EQ(tell({"no-unused", "error=all"}), "EN");
  EXPECT_EQ(tell({"no-all", "error"}), "");
  EXPECT_EQ(tell({"all", "error", "no-error=all"}), "WNWN");
  EXPECT_EQ(tell({"error=unused"}), "WNEN");
  EXPECT_EQ(tell({"error=unused", "no-unused"}), "WN");
  EXPECT_EQ(tell({"error", "all"}, /*silent=*/true), "");
  EXPECT_FALSE(diags.hasErrors());
}

TEST_F(DiagnosticsTest, NotesOfWhatIsTakenOverStay) {
  diags.emit({}, diag::Unused, "x", "y"); // left out
  Diagnostics attempt(sources);
  attempt.emit({}, testKind, "seen");
  diags.append(attempt);
  diags.emit({}, testNote);
  EXPECT_EQ(printed(), "error: seen [TestKind]\nnote: as here [TestNote]\n");
}

TEST_F(DiagnosticsTest, UnknownWarningsHaveANearestOne) {
  DiagnosticPolicy policy;
  EXPECT_EQ(llvm::toString(policy.apply("no-error=may-fial")),
            "there is no warning `may-fial`; did you mean `may-fail`?");
  EXPECT_EQ(llvm::toString(policy.apply("colour")),
            "there is no warning `colour`");
  // Errors are no warnings.
  EXPECT_EQ(llvm::toString(policy.apply("no-UnknownName")),
            "there is no warning `UnknownName`");
}

TEST_F(DiagnosticsTest, JSONCountsCodePointsAndBytes) {
  diags
      .emit(range("x = 1;\n\xc3\xa9\xe4\xb8\xad = bar;\n", "bar"), testKind,
            "\"seen\"")
      .fixIt = "baz";
  diags.emit({}, testNote);
  diags.emit({}, testKind, "nowhere");
  std::string text;
  llvm::raw_string_ostream os(text);
  diags.printJSON(os);
  std::string place = R"({"start":{"line":2,"column":6,"offset":15},)"
                      R"("end":{"line":2,"column":9,"offset":18}})";
  EXPECT_EQ(text, R"({"file":"t.rasp","severity":"error","name":"TestKind",)"
                  R"("message":"\"seen\"","range":)" +
                      place + R"(,"fixits":[{"range":)" + place +
                      R"(,"text":"baz"}],"notes":[{"file":null,)"
                      R"("severity":"note","name":"TestNote",)"
                      R"("message":"as here","range":null,"fixits":[]}]})"
                      "\n"
                      R"({"file":null,"severity":"error","name":"TestKind",)"
                      R"("message":"nowhere","range":null,"fixits":[],)"
                      R"("notes":[]})"
                      "\n");
}
