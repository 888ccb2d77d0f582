//===- test/unit/ir/PrinterTest.cpp ---------------------------------------===//

#include "ir/Printer.h"
#include "gtest/gtest.h"

using namespace rasp::ir;

static Value i(int64_t value) { return Value::integer(value); }
static Value s(const char *value) { return Value::string(value); }

static std::string printed(const Module &module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os, module);
  return text;
}

TEST(Printer, Reverse) {
  Program program;
  const Node *one = program.constant(i(1));
  const Node *tokens = program.leaf(OpKind::TokensStr);
  program.setName(tokens, "tokens");
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *length = program.width(program.select(one, one, CompareOp::Eq));
  program.setName(length, "length");
  const Node *opposite = program.elementwise(
      OpKind::Sub, {program.elementwise(OpKind::Sub, {length, indices}), one});
  program.setName(opposite, "opp_index");
  const Node *flip = program.select(indices, opposite, CompareOp::Eq);
  program.setName(flip, "flip");
  const Node *reverse = program.aggregate(flip, tokens, i(0));
  program.setName(reverse, "reverse");

  Module module(program, reverse,
                {"reverse", "str", {s("a"), s("b")}, 3, true});
  module.values[indices] = ShownValues::of({i(0), i(1), i(2)});
  module.kept.insert(length);
  EXPECT_EQ(
      printed(module),
      R"(program @reverse(tokens = str, vocab = ["a", "b"], max_seq_len = 3, causal = true) {
  %tokens        = tokens_str                                   : value
  %indices       = indices                                      : value in {0..2}
  %length.select = select 1, 1 { key == query }                 : selector
  %length        = width %length.select                         : value kept
  %opp_index.sub = sub %length, %indices                        : value
  %opp_index     = sub %opp_index.sub, 1                        : value
  %flip          = select %indices, %opp_index { key == query } : selector
  %reverse       = aggregate %flip, %tokens { default 0 }       : value
  output %reverse
}
)");
}

TEST(Printer, NamesAreUnique) {
  Program program;
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *a = program.elementwise(OpKind::Neg, {indices});
  const Node *b = program.elementwise(OpKind::Neg, {a});
  const Node *c = program.elementwise(OpKind::Neg, {b});
  const Node *d = program.elementwise(OpKind::Neg, {c});
  const Node *e = program.elementwise(OpKind::Add, {c, d});
  program.setName(a, "x");
  program.setName(d, "x");
  NodeNames names(e);
  EXPECT_EQ(names.of(indices), "indices");
  EXPECT_EQ(names.of(a), "x");
  EXPECT_EQ(names.of(b), "x.neg");
  EXPECT_EQ(names.of(c), "x.neg.1");
  EXPECT_EQ(names.of(d), "x.1");
  EXPECT_EQ(names.of(e), "out.add");
}

TEST(Printer, Attributes) {
  Program program;
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *constant = program.constant(s("q\"\\"));
  const Node *in =
      program.in(indices, {Table::List, {}, {i(1), Value::real(2)}});
  const Node *list = program.lookup(indices, {Table::List, {}, {s("a")}});
  const Node *string =
      program.lookup(indices, {Table::String, {}, {s("a"), s("b")}});
  const Node *dict = program.lookup(
      indices, {Table::Dict, {i(1), s("k")}, {Value::boolean(true), i(2)}});
  const Node *moved =
      program.aggregate(program.select(constant, indices, CompareOp::Ne),
                        indices, Value::real(-0.5));
  Module module(program, {constant, in, list, string, dict, moved},
                {"odd name"});
  EXPECT_EQ(printed(module),
            R"(program @"odd name"() {
  %indices       = indices                                          : value
  %out.const     = const { "q\"\\" }                                : value
  %out.in        = in %indices { [1, 2.0] }                         : value
  %out.lookup    = lookup %indices { ["a"] }                        : value
  %out.lookup.1  = lookup %indices { "ab" }                         : value
  %out.lookup.2  = lookup %indices { {1: True, "k": 2} }            : value
  %out.select    = select %out.const, %indices { key != query }     : selector
  %out.aggregate = aggregate %out.select, %indices { default -0.5 } : value
  output %out.const, %out.in, %out.lookup, %out.lookup.1, %out.lookup.2, %out.aggregate
}
)");
}

TEST(Printer, Places) {
  llvm::SourceMgr sources;
  unsigned id = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer("x =\n  indices;"), llvm::SMLoc());
  const char *text = sources.getMemoryBuffer(id)->getBufferStart();
  Program program;
  const Node *indices = program.leaf(
      OpKind::Indices, llvm::SMRange(llvm::SMLoc::getFromPointer(text + 6),
                                     llvm::SMLoc::getFromPointer(text + 13)));
  Module module(program, indices);
  module.addPlaces(sources);
  EXPECT_EQ(printed(module), "program() {\n  %indices = indices : value @2:3\n"
                             "  output %indices\n}\n");
}
