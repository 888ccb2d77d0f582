//===- test/unit/runtime/Decoder.cpp - variables in the stream ------------===//

#include "Models.h"
#include "runtime/VariableDecoder.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace rasp;
using namespace rasp::rt;

/// A model of six directions that are described like this. Direction 0 is BOS;
/// `n` is 1, 2 or 3: a class in 1 (complete after half-layer 1), the square in
/// 2 (after 2); `s` is a string, one-hot in 3 and 4; `m` is a mean, doubled.
static const char *description = R"({"d_model": 6, "subspaces": [
  {"name": "bos", "range": [0, 1], "role": "bookkeeping"},
  {"name": "n", "range": [1, 2], "live_from_half_layer": 1,
   "values": [1, 2, 3], "types": "int",
   "codes": [{"low": [0, 2, 2], "high": [0, 5, 5]}]},
  {"name": "n", "range": [2, 3], "live_from_half_layer": 2,
   "values": [1, 2, 3], "types": "int", "codes": [[1, 4, 9]]},
  {"name": "s", "range": [3, 5], "values": ["a", "b", "c"], "types": "string",
   "codes": [[1, 0, null], {"runs": [0, 1, 1, 1, 0, 1]}]},
  {"name": "m", "range": [5, 6], "codes": [{"scale": 2, "offset": 1}]}]})";

static Model describe(llvm::StringRef text) {
  Model model = test::makeRandom(1, 2, 1, 6, 2, 2, false, DType::Float64);
  model.residual = llvm::cantFail(llvm::json::parse(text));
  return model;
}

/// The message for a description in which `from` has become `to`.
static std::string refusalOf(llvm::StringRef from, llvm::StringRef to) {
  std::string text = description;
  size_t at = text.find(from);
  EXPECT_NE(at, text.npos);
  text.replace(at, from.size(), to);
  auto decoder = VariableDecoder::make(describe(text));
  return decoder ? "none" : llvm::toString(decoder.takeError());
}

namespace {
class DecoderTest : public testing::Test {
protected:
  VariableDecoder decoder =
      llvm::cantFail(VariableDecoder::make(describe(description)));

  DecodedValue decode(size_t variable, std::vector<double> stream,
                      unsigned halfLayer = 2) {
    return decoder.decode(variable, stream.data(), halfLayer);
  }
};
constexpr size_t n = 0, s = 1, m = 2;
} // namespace

TEST_F(DecoderTest, DirectionsThatTellClassesApartLeaveASet) {
  EXPECT_EQ(decode(n, {0, 0, 0, 0, 0, 0}, 0).kind, DecodedValue::Absent);
  EXPECT_EQ(decode(n, {0, 3.5, 0, 0, 0, 0}, 1).values,
            (std::vector<Atom>{int64_t(2), int64_t(3)}));
  DecodedValue value = decode(n, {0, 3.5, 9, 0, 0, 0});
  EXPECT_EQ(value.values, (std::vector<Atom>{int64_t(3)}));
  EXPECT_TRUE(value.isCertain());
  EXPECT_TRUE(value.admits(3.0));
  EXPECT_FALSE(value.admits(int64_t(2)));
}

TEST_F(DecoderTest, NumbersNearALevelStandForIt) {
  EXPECT_EQ(decode(n, {0, 0, 1.7, 0, 0, 0}).values,
            (std::vector<Atom>{int64_t(1)}));
  // Between levels, contradicting, and not a number.
  EXPECT_EQ(decode(n, {0, 0, 2.5, 0, 0, 0}).kind, DecodedValue::None);
  EXPECT_EQ(decode(n, {0, 0, 4, 0, 0, 0}).kind, DecodedValue::None);
  EXPECT_EQ(decode(n, {0, 0, NAN, 0, 0, 0}).kind, DecodedValue::None);
}

TEST_F(DecoderTest, WhatDoesNotMatterFitsEverything) {
  auto c = [&](double first) { return decode(s, {0, 0, 0, first, 0, 0}); };
  EXPECT_EQ(c(7).values, (std::vector<Atom>{std::string("c")}));
  EXPECT_EQ(c(0).values, (std::vector<Atom>{std::string("c")}));
  EXPECT_EQ(c(1).values,
            (std::vector<Atom>{std::string("a"), std::string("c")}));
}

TEST_F(DecoderTest, ValuesThatAreNotListedAreNumbers) {
  DecodedValue value = decode(m, {0, 0, 0, 0, 0, 4});
  EXPECT_EQ(value.kind, DecodedValue::Number);
  EXPECT_EQ(value.number, 1.5);
  EXPECT_TRUE(value.admits(1.5));
  EXPECT_FALSE(value.admits(1.6));
}

TEST_F(DecoderTest, WhatIsEncodedIsDecoded) {
  auto encode = [&](const char *name, const Atom &value, unsigned halfLayer) {
    return llvm::cantFail(decoder.encode(name, value, halfLayer));
  };
  EncodedValue code = encode("n", int64_t(3), 2);
  EXPECT_EQ(code.directions, (std::vector<unsigned>{1, 2}));
  EXPECT_EQ(code.numbers, (std::vector<double>{2, 9}));
  EXPECT_EQ(encode("n", 3.0, 1).directions, (std::vector<unsigned>{1}));
  EXPECT_EQ(encode("s", std::string("c"), 0).directions,
            (std::vector<unsigned>{4}));
  EXPECT_EQ(encode("m", 1.5, 0).numbers, (std::vector<double>{4}));
  auto refusal = [&](const char *name, const Atom &value, unsigned halfLayer) {
    return llvm::toString(decoder.encode(name, value, halfLayer).takeError());
  };
  EXPECT_EQ(refusal("n", int64_t(4), 2),
            "`n` is never 4; its values are 1, 2, 3");
  EXPECT_EQ(refusal("n", int64_t(3), 0),
            "nothing of `n` is in the residual stream yet");
  EXPECT_EQ(refusal("m", std::string("a"), 0), "`m` is a number, not \"a\"");
}

TEST(Decoder, DescriptionsThatDoNotFitAreRefused) {
  EXPECT_EQ(refusalOf("[1, 4, 9]", "[1, 4]"),
            "in /residual/json: of `n`, a code has not one number for each "
            "value");
  EXPECT_EQ(refusalOf("[1, 4, 9]", "[1, 4, \"9\"]"),
            "in /residual/json: of `n`, a code has an element that is no "
            "number");
  EXPECT_EQ(refusalOf("[[1, 4, 9]]", "[[1, 4, 9], null]"),
            "in /residual/json: of `n`, `codes` do not fit the range");
  EXPECT_EQ(refusalOf("\"scale\": 2", "\"scale\": 0"),
            "in /residual/json: of `m`, a code has a `scale` that is no number "
            "but 0");
  EXPECT_EQ(refusalOf("[\"a\", \"b\", \"c\"], \"types\": \"string\"",
                      "[\"a\", \"b\", \"c\"], \"types\": \"int\""),
            "in /residual/json: of `s`, `types` do not fit `values`");
  EXPECT_EQ(refusalOf("{\"runs\": [0, 1, 1, 1, 0, 1]}",
                      "{\"runs\": [0, 1, 1, 4000000000000]}"),
            "in /residual/json: of `s`, a code is longer than 1048576");
  EXPECT_EQ(refusalOf("\"range\": [5, 6], \"codes\"",
                      "\"range\": [5, 6], \"values\": [], \"types\": [1], "
                      "\"codes\""),
            "in /residual/json: of `m`, `types` do not fit `values`");
}
