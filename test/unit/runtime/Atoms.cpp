//===- test/unit/runtime/Atoms.cpp - tokens and values as text ------------===//

#include "Models.h"
#include "runtime/Atom.h"
#include "runtime/Tokenizer.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace rasp;
using namespace rasp::rt;

static std::string json(const Atom &atom) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printJSON(os, atom);
  return text;
}

static std::string sequence(std::vector<Atom> atoms) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printSequence(os, atoms);
  return text;
}

static std::string python(std::vector<Atom> atoms) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printPython(os, atoms);
  return text;
}

static Atom string(const char *text) { return std::string(text); }
static Atom integer(int64_t value) { return value; }

TEST(Atom, JSONKeepsTheType) {
  EXPECT_EQ(json(1.0), "1.0");
  EXPECT_EQ(json(-1.0), "-1.0");
  EXPECT_EQ(json(0.1), "0.1");
  EXPECT_EQ(json(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(json(1e16), "1e+16");
  EXPECT_EQ(json(123456789012345.0), "123456789012345.0");
  EXPECT_EQ(json(0.0001), "0.0001");
  EXPECT_EQ(json(0.00001), "1e-05");
  EXPECT_EQ(json(integer(-7)), "-7");
  EXPECT_EQ(json(true), "true");
  EXPECT_EQ(json(string("a\"\n")), "\"a\\\"\\n\"");
}

TEST(Atom, LargeNumbersReadBack) {
  for (double number : {0x1p63, -0x1p63, 0x1p64, 0x1p53, -1.5}) {
    llvm::Expected<llvm::json::Value> value = llvm::json::parse(json(number));
    ASSERT_TRUE(bool(value));
    EXPECT_EQ(atomFromJSON(*value, "float"), Atom(number)) << number;
  }
  EXPECT_EQ(atomFromJSON(*llvm::json::parse("9223372036854775807")),
            Atom(integer(INT64_MAX)));
  EXPECT_EQ(atomFromJSON(*llvm::json::parse("-9223372036854775808")),
            Atom(integer(INT64_MIN)));
}

TEST(Atom, SequencesAsTheShellShowsThem) {
  EXPECT_EQ(sequence({string("a"), string("b")}), "[a, b] (strings)");
  EXPECT_EQ(sequence({1.0 / 3, 0.5, 1.0}), "[0.333, 0.5, 1.0] (floats)");
  EXPECT_EQ(sequence({true, false}), "[T, F] (bools)");
  EXPECT_EQ(sequence({integer(2), true, true}), "[2, T, T] (ints)");
  EXPECT_EQ(sequence({integer(0), 0.5}), "[0, 0.5] (floats)");
  EXPECT_EQ(sequence({integer(4), integer(4), integer(4)}), "[4]*3 (ints)");
  EXPECT_EQ(sequence({integer(4)}), "[4] (ints)");
  // As Python rounds: the exact value, ties to even.
  EXPECT_EQ(sequence({0.0625, 0.1875, -0.0004}),
            "[0.062, 0.188, -0.0] (floats)");
  EXPECT_EQ(sequence({2.675, 2.6749}), "[2.675, 2.675] (floats)");
}

TEST(Atom, PythonNotation) {
  EXPECT_EQ(python({string("a"), integer(1), 1.0, true, string("it's"),
                    string("'\"")}),
            R"(['a', 1, 1.0, True, "it's", '\'"'])");
}

TEST(Tokenizer, MatchesByType) {
  Model model = test::makeIdentity({integer(1), 2.0, string("1"), true});
  Tokenizer tokenizer(model);
  auto ids = [&](std::vector<Atom> input) {
    llvm::Expected<std::vector<uint32_t>> result = tokenizer.encode(input);
    if (result)
      return *result;
    llvm::consumeError(result.takeError());
    return std::vector<uint32_t>();
  };
  using Ids = std::vector<uint32_t>;
  EXPECT_EQ(ids({1.0, integer(2), string("1")}), (Ids{4, 0, 1, 2}));
  EXPECT_EQ(ids({true}), (Ids{4, 3}));
  EXPECT_EQ(ids({string("2")}), Ids());
  EXPECT_EQ(ids({false}), Ids());
  EXPECT_EQ(ids({1.5}), Ids());
  EXPECT_EQ(ids({}), Ids());
  EXPECT_EQ(ids(std::vector<Atom>(4, true)), Ids()) << "longer than n_ctx - 1";
}

TEST(Tokenizer, SplitsTextInTheVocabularysType) {
  Model strings = test::makeIdentity({string("1"), string("\xc3\xa9")});
  EXPECT_EQ(Tokenizer(strings).split("1\xc3\xa9"),
            (std::vector<Atom>{string("1"), string("\xc3\xa9")}));
  Model ints = test::makeIdentity({integer(0), integer(1)});
  EXPECT_EQ(Tokenizer(ints).split("10x"),
            (std::vector<Atom>{integer(1), integer(0), string("x")}));
  Model bools = test::makeIdentity({false, true});
  EXPECT_EQ(Tokenizer(bools).split("TF10"),
            (std::vector<Atom>{true, false, true, false}));
}

TEST(Tokenizer, NearestListedNumber) {
  Model model = test::makeShare(3, false, DType::Float32);
  model.output.values = {integer(0), 0.5, integer(1)};
  Tokenizer tokenizer(model);
  EXPECT_EQ(tokenizer.numberAt(-3), Atom(integer(0)));
  EXPECT_EQ(tokenizer.numberAt(0.2), Atom(integer(0)));
  EXPECT_EQ(tokenizer.numberAt(0.3), Atom(0.5));
  EXPECT_EQ(tokenizer.numberAt(0.74), Atom(0.5));
  EXPECT_EQ(tokenizer.numberAt(9), Atom(integer(1)));
  EXPECT_EQ(tokenizer.numberAt(NAN), Atom(integer(0)));

  model.output.values.clear();
  Tokenizer unlisted(model);
  EXPECT_EQ(unlisted.numberAt(0.25), Atom(0.25));
  model.output.type = "int";
  EXPECT_EQ(unlisted.numberAt(2.9999), Atom(integer(3)));
}
