//===- test/unit/ir/ParserTest.cpp ----------------------------------------===//

#include "ir/Parser.h"
#include "ir/Printer.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

namespace {
class ParserTest : public testing::Test {
protected:
  llvm::SourceMgr sources;
  Diagnostics diags{sources};
  Program program;
  Module module{program};

  bool parseText(llvm::StringRef text) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "test.rir"), {});
    return parse(id, module, diags);
  }
  std::string printed() const {
    std::string text;
    llvm::raw_string_ostream os(text);
    print(os, module);
    return text;
  }
};
} // namespace

TEST_F(ParserTest, WhatTheTextSaysIsThere) {
  ASSERT_TRUE(parseText(R"(
program @"an odd name"(tokens = int, vocab = [1, 2, -3], max_seq_len = 7, causal = true) {
  %tokens = tokens_int : value in {-3, 1, 2} kept @3:11
  %same = select %tokens, %tokens { key == query } : selector
  %mean = aggregate %same, %tokens { default -0.5 } : value in too many values
  %high = lookup %tokens { {1: "a", 2.5: True} } : value in {"a", ... 12 values}
  output %mean, %high
})"));
  EXPECT_EQ(module.header.name, "an odd name");
  EXPECT_EQ(module.header.tokens, "int");
  EXPECT_EQ(module.header.vocabulary,
            (std::vector<Value>{Value::integer(1), Value::integer(2),
                                Value::integer(-3)}));
  EXPECT_EQ(module.header.maxSeqLen, 7u);
  EXPECT_TRUE(module.header.causal);
  ASSERT_EQ(module.ops.size(), 4u);
  const Node *tokens = module.ops[0];
  EXPECT_EQ(tokens->name(), "tokens");
  EXPECT_TRUE(module.kept.contains(tokens));
  EXPECT_EQ(module.places.at(tokens).line, 3u);
  EXPECT_EQ(module.places.at(tokens).column, 11u);
  EXPECT_EQ(module.values.at(tokens).items.size(), 3u);
  EXPECT_EQ(module.ops[2]->value(), Value::real(-0.5));
  EXPECT_FALSE(module.values.at(module.ops[2]).known);
  EXPECT_EQ(module.ops[3]->table().keys[1], Value::real(2.5));
  EXPECT_EQ(module.values.at(module.ops[3]).count, 12u);
  EXPECT_EQ(module.outputs.size(), 2u);
}

TEST_F(ParserTest, RangesAreThoseOfTheText) {
  ASSERT_TRUE(parseText("program () {\n  %x = indices : value\n"
                        "  %y = neg %x : value\n  output %y\n}"));
  auto [line, column] =
      sources.getLineAndColumn(module.ops[1]->ranges().front().Start);
  EXPECT_EQ(line, 3u);
  EXPECT_EQ(column, 8u);
}

TEST_F(ParserTest, EqualOpsStayApart) {
  llvm::StringRef text = R"(program () {
  %x = indices : value
  %a = neg %x  : value
  %b = neg %x  : value
  %c = add %a, %b : value
  output %c
}
)";
  ASSERT_TRUE(parseText(text));
  EXPECT_EQ(module.ops.size(), 4u);
  EXPECT_NE(module.ops[1], module.ops[2]);
  // Equal ops that are made later are the first one.
  EXPECT_EQ(program.elementwise(OpKind::Neg, module.ops[0]), module.ops[1]);
}

TEST_F(ParserTest, NamesOfVariablesAreToldFromOthers) {
  llvm::StringRef text = R"(program() {
  %indices = indices      : value
  %x.neg   = neg %indices : value
  %x.neg.1 = neg %x.neg   : value
  %x       = neg %x.neg.1 : value
  %x.1     = add %x, %x   : value
  output %x.1
}
)";
  ASSERT_TRUE(parseText(text));
  EXPECT_EQ(module.ops[1]->name(), "");
  EXPECT_EQ(module.ops[3]->name(), "x");
  EXPECT_EQ(module.ops[4]->name(), "x");
  EXPECT_EQ(printed(), text.str());
}

TEST_F(ParserTest, OtherNamesStayAsTheyAre) {
  llvm::StringRef text = R"(program () {
  %0     = indices     : value
  %some  = neg %0      : value
  %a.b.c = neg %some   : value
  %x.7   = mul %a.b.c, 2 : value
  output %x.7
}
)";
  ASSERT_TRUE(parseText(text));
  for (llvm::StringRef name : {"%0 ", "%some ", "%a.b.c ", "%x.7 "})
    EXPECT_NE(printed().find(name), std::string::npos) << name.str();
}

TEST_F(ParserTest, LiteralsAreNotTheConstantsThatVariablesHold) {
  llvm::StringRef text = R"(program () {
  %one     = const { 1 }  : value
  %indices = indices      : value
  %a       = add %indices, 1 : value
  %b       = add %a, %one : value
  %c       = add %b, 1.0  : value
  output %c
}
)";
  ASSERT_TRUE(parseText(text));
  EXPECT_NE(printed().find("add %indices, 1 "), std::string::npos);
  EXPECT_NE(printed().find("add %a, %one "), std::string::npos);
  EXPECT_NE(printed().find("add %b, 1.0 "), std::string::npos);
}

TEST_F(ParserTest, BytesThatAreNoUtf8AreNamedWhereTheyAre) {
  auto errorOf = [&](llvm::StringRef text) {
    diags.clear();
    EXPECT_FALSE(parseText(text));
    std::string found;
    for (const Diagnostic &diagnostic : diags.all())
      found += std::to_string(
                   sources.getLineAndColumn(diagnostic.range.Start).second) +
               ": " + diagnostic.message + " [" + diagnostic.name.str() + "]";
    return found;
  };
  EXPECT_EQ(errorOf("program @\"a\xe9\"() {"),
            "12: byte 0xe9 begins no UTF-8 character [NotUtf8]");
  EXPECT_EQ(errorOf("program @\"\xc3\xa9\xed\xa0\x80\"() {"),
            "13: byte 0xed begins no UTF-8 character [NotUtf8]");
  EXPECT_EQ(errorOf("\x89HDF\r\n"),
            "1: byte 0x89 begins no UTF-8 character [NotUtf8]");
  EXPECT_EQ(errorOf(llvm::StringRef("program @\"\0\"() {", 16)),
            "11: byte 0x00 must be written as `\\u0000` in a string "
            "[ControlCharacter]");
}
