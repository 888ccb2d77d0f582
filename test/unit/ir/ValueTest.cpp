//===- test/unit/ir/ValueTest.cpp -----------------------------------------===//

#include "ir/Value.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <limits>
#include <thread>

using namespace rasp::ir;

static Value text(const char *s) { return Value::string(s); }

TEST(Value, KindsAreKeptApart) {
  EXPECT_NE(Value::integer(1), Value::real(1.0));
  EXPECT_NE(Value::integer(1), Value::boolean(true));
  EXPECT_EQ(Value(), Value::integer(0));
  EXPECT_EQ(Value::real(-0.0), Value::real(0.0));
  EXPECT_TRUE(pythonEqual(Value::integer(1), Value::real(1.0)));
  EXPECT_TRUE(pythonEqual(Value::boolean(true), Value::real(1.0)));
  EXPECT_FALSE(pythonEqual(Value::integer(1), text("1")));
}

TEST(Value, EqualStringsShareOneAddress) {
  std::string a = "token", b = "token";
  EXPECT_EQ(Value::string(a).asString().data(),
            Value::string(b).asString().data());
  EXPECT_EQ(text("").asString(), "");
}

TEST(Value, InterningIsThreadSafe) {
  std::vector<std::vector<Value>> results(4);
  std::vector<std::thread> threads;
  for (std::vector<Value> &result : results)
    threads.emplace_back([&result] {
      for (int i = 0; i < 5000; ++i)
        result.push_back(Value::string("thread" + std::to_string(i)));
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::vector<Value> &result : results)
    EXPECT_TRUE(result == results.front());
}

TEST(Value, OrderIsTotalAndExact) {
  int64_t big = (int64_t(1) << 53) + 1;
  std::vector<Value> sorted = {
      Value::integer(std::numeric_limits<int64_t>::min()),
      Value::real(-0.5),
      Value::boolean(false),
      Value::integer(0),
      Value::real(0.0),
      Value::real(0.5),
      Value::boolean(true),
      Value::integer(1),
      Value::real(1.0),
      Value::integer(big - 1),
      Value::real(9007199254740992.0),
      Value::integer(big),
      Value::integer(std::numeric_limits<int64_t>::max()),
      Value::real(9223372036854775808.0),
      text(""),
      text("Z"),
      text("a"),
      text("aa"),
      text("\xc3\xa9"),
  };
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = 0; j < sorted.size(); ++j)
      EXPECT_EQ(sorted[i] < sorted[j], i < j)
          << sorted[i].str() << " < " << sorted[j].str();
}

TEST(Value, FloatsPrintAsPythonDoes) {
  EXPECT_EQ(pythonFloatRepr(2), "2.0");
  EXPECT_EQ(pythonFloatRepr(0.1), "0.1");
  EXPECT_EQ(pythonFloatRepr(1e15), "1000000000000000.0");
  EXPECT_EQ(pythonFloatRepr(1e16), "1e+16");
  EXPECT_EQ(pythonFloatRepr(0.0001), "0.0001");
  EXPECT_EQ(pythonFloatRepr(0.00001), "1e-05");
  EXPECT_EQ(pythonFloatRepr(-1.5e300), "-1.5e+300");
  EXPECT_EQ(pythonFloatRepr(1.0 / 3), "0.3333333333333333");
}

TEST(Value, PrintsLiterals) {
  EXPECT_EQ(text("a").str(), "\"a\"");
  EXPECT_EQ(text("a\"\\\n\x01").str(), "\"a\\\"\\\\\\n\\u0001\"");
  EXPECT_EQ(Value::boolean(true).str(), "True");
  EXPECT_EQ(Value::integer(-3).str(), "-3");
  EXPECT_EQ(Value::real(3).str(), "3.0");
}

TEST(Value, DisplaysAsSequencesShowIt) {
  EXPECT_EQ(text("a").display(), "a");
  EXPECT_EQ(Value::boolean(false).display(), "F");
  EXPECT_EQ(Value::real(2.0 / 3).display(), "0.667");
  EXPECT_EQ(Value::real(1).display(), "1.0");
  EXPECT_EQ(Value::real(0.0625).display(), "0.062");
  EXPECT_EQ(Value::real(1e300).display(), "1e+300");
}

static Value readJSON(llvm::StringRef json) {
  return llvm::cantFail(parseJSON(json));
}

TEST(Value, JSONKeepsKinds) {
  EXPECT_EQ(readJSON("2"), Value::integer(2));
  EXPECT_EQ(readJSON(" 2.0 "), Value::real(2));
  EXPECT_EQ(readJSON("1e2"), Value::real(100));
  EXPECT_EQ(readJSON("true"), Value::boolean(true));
  EXPECT_EQ(readJSON("\"a\\u00e9\""), text("a\xc3\xa9"));
  for (Value value : {Value::integer(2), Value::real(2), Value::real(0.1),
                      Value::boolean(false), text("a\"b")}) {
    std::string json;
    llvm::raw_string_ostream os(json);
    value.printJSON(os);
    EXPECT_EQ(readJSON(json), value);
  }
}

TEST(Value, JSONRefusesWhatIsNoValue) {
  for (const char *json : {"", "null", "[1]", "{}", "1 2",
                           "9223372036854775808", "1e999", "'a'"}) {
    auto result = parseJSON(json);
    EXPECT_FALSE(bool(result)) << json;
    llvm::consumeError(result.takeError());
  }
}

TEST(Value, LargeNumbersOfJSON) {
  auto read = [](llvm::StringRef text) {
    return *Value::fromJSON(*llvm::json::parse(text));
  };
  EXPECT_EQ(read("9223372036854775808.0"), Value::real(0x1p63));
  EXPECT_EQ(read("9223372036854775807"), Value::integer(INT64_MAX));
  EXPECT_EQ(read("-9223372036854775808"), Value::integer(INT64_MIN));
}

TEST(Value, JSONLists) {
  std::vector<Value> list =
      llvm::cantFail(parseJSONList(R"( [1, 1.0, "a,]\"", true] )"));
  EXPECT_TRUE(list ==
              (std::vector<Value>{Value::integer(1), Value::real(1),
                                  text("a,]\""), Value::boolean(true)}));
  EXPECT_TRUE(llvm::cantFail(parseJSONList("[ ]")).empty());
  for (const char *json :
       {"", "[", "]", "[1", "[1,]", "[,]", "[[1]]", "1", "[1] [2]", "[\"a]"}) {
    auto result = parseJSONList(json);
    EXPECT_FALSE(bool(result)) << json;
    llvm::consumeError(result.takeError());
  }
}
