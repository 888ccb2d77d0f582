//===- test/unit/backend/CompileOptionsTest.cpp ---------------------------===//

#include "backend/tools/CompileOptions.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace rasp;
using ir::Value;

/// The vocabulary as RASP literals, or the error.
static std::string parse(llvm::StringRef text, llvm::StringRef tokens = "str") {
  llvm::Expected<std::vector<Value>> values = parseVocabulary(text, tokens);
  if (!values)
    return llvm::toString(values.takeError());
  std::string shown;
  for (const Value &value : *values)
    shown += (shown.empty() ? "" : " ") + value.str();
  return shown;
}

TEST(Vocabulary, Items) {
  EXPECT_EQ(parse("a,b"), "\"a\" \"b\"");
  EXPECT_EQ(parse(" ab , c "), "\"ab\" \"c\"");
  EXPECT_EQ(parse("3,-1", "int"), "3 -1");
  EXPECT_EQ(parse("3,0.5", "float"), "3.0 0.5");
  EXPECT_EQ(parse("true,False", "bool"), "True False");
  EXPECT_EQ(parse("1,0", "bool"), "True False");
  EXPECT_EQ(parse("1,2"), "\"1\" \"2\"");
}

TEST(Vocabulary, Ranges) {
  EXPECT_EQ(parse("a..c"), "\"a\" \"b\" \"c\"");
  EXPECT_EQ(parse("a..b,x,0..1"), "\"a\" \"b\" \"x\" \"0\" \"1\"");
  EXPECT_EQ(parse("8..11"), "\"8\" \"9\" \"10\" \"11\"");
  EXPECT_EQ(parse("-1..1", "int"), "-1 0 1");
  EXPECT_EQ(parse("1..2", "float"), "1.0 2.0");
  EXPECT_EQ(parse("\xCE\xB1..\xCE\xB2"), "\"\xCE\xB1\" \"\xCE\xB2\"");
  EXPECT_EQ(parse("a..a"), "\"a\"");
  // Dots that join nothing are a token.
  EXPECT_EQ(parse(".."), "\"..\"");
}

TEST(Vocabulary, RangesThatAreNone) {
  EXPECT_EQ(parse("c..a"), "the range `c..a` ends before it begins");
  EXPECT_EQ(parse("0..9999999", "int"),
            "the range `0..9999999` has more than 1048576 tokens, which is the "
            "limit");
  EXPECT_EQ(parse("aa..b"),
            "the range `aa..b` needs two numbers or two characters");
  EXPECT_EQ(parse("a..b", "int"),
            "the range `a..b` needs two numbers or two characters");
}

TEST(Vocabulary, JSON) {
  EXPECT_EQ(parse("[\"a\", \"b,c\", \" \"]"), "\"a\" \"b,c\" \" \"");
  EXPECT_EQ(parse("[1, 2]", "int"), "1 2");
  EXPECT_EQ(parse("[1, 2.5]", "float"), "1.0 2.5");
  EXPECT_EQ(parse("[true]", "bool"), "True");
  EXPECT_EQ(parse("[1]"), "the token 1 is of another type than `--tokens=str`");
  EXPECT_EQ(parse("[1.0]", "int"),
            "the token 1.0 is of another type than `--tokens=int`");
  EXPECT_EQ(parse("[\"1\"]", "int"),
            "the token \"1\" is of another type than `--tokens=int`");
  EXPECT_NE(parse("[\"a\""), "\"a\"");
}

TEST(Vocabulary, Errors) {
  EXPECT_EQ(parse("a,,b"), "an empty token; write a JSON list for tokens with "
                           "blanks or commas");
  EXPECT_EQ(parse("[]"), "a vocabulary needs at least one token");
  EXPECT_EQ(parse("a,b,a"), "the token \"a\" occurs twice");
  EXPECT_EQ(parse("a..c,b"), "the token \"b\" occurs twice");
  EXPECT_EQ(parse("1,1.0", "float"), "the token 1.0 occurs twice");
  EXPECT_EQ(parse("x", "int"), "`x` is no int");
  EXPECT_EQ(parse("2", "bool"), "`2` is no bool; write `true` or `false`");
  EXPECT_EQ(parse("x", "float"), "`x` is no number");
  EXPECT_EQ(parse("inf", "float"), "`inf` is no number");
}

static std::string set(CompileOptions &options, llvm::StringRef key,
                       llvm::StringRef value) {
  llvm::Error error = options.set(key, value);
  return llvm::toString(std::move(error));
}

TEST(CompileOptions, AreSetByName) {
  CompileOptions options;
  EXPECT_EQ(set(options, "tokens", "int"), "");
  EXPECT_EQ(set(options, "vocab", "0..2"), "");
  EXPECT_EQ(set(options, "max-seq-len", " 7 "), "");
  EXPECT_EQ(set(options, "causal", "true"), "");
  EXPECT_EQ(set(options, "output", "x"), "");
  EXPECT_EQ(options.vocabulary->size(), 3u);
  EXPECT_TRUE(options.vocabulary->at(0).isInt());
  EXPECT_EQ(options.maxSeqLen, 7u);
  EXPECT_EQ(options.causal, true);
  EXPECT_EQ(options.output, "x");
}

TEST(CompileOptions, Errors) {
  CompileOptions options;
  EXPECT_EQ(set(options, "tokens", "string"),
            "`tokens` is `string`, but must be str, int, float or bool");
  for (const char *length : {"0", "-1", "x", "1048577", "99999999999"})
    EXPECT_EQ(set(options, "max-seq-len", length),
              std::string("`max-seq-len` is `") + length +
                  "`, but must be a number from 1 to 1048576");
  EXPECT_EQ(set(options, "causal", "yes"),
            "`causal` is `yes`, but must be true or false");
  EXPECT_EQ(set(options, "vocabulary", "a"),
            "there is no option `vocabulary`; there are tokens, vocab, "
            "max-seq-len, causal and output");
}

TEST(CompileOptions, PragmasFillInWhatIsNotSet) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  CompileOptions options;
  options.maxSeqLen = 3;
  // The type counts although it comes last.
  options.addPragmas(
      {{"vocab", "1,2", {}}, {"max-seq-len", "9", {}}, {"tokens", "int", {}}},
      diags);
  EXPECT_FALSE(diags.hasErrors());
  EXPECT_EQ(options.maxSeqLen, 3u);
  EXPECT_TRUE(options.vocabulary->at(0).isInt());
  options.addPragmas({{"causal", "maybe", {}}, {"colour", "red", {}}}, diags);
  ASSERT_EQ(diags.all().size(), 2u);
  EXPECT_EQ(diags.all()[0].name, "UnknownPragma");
  EXPECT_EQ(diags.all()[1].name, "BadOption");
}

TEST(CompileOptions, AVocabularyThatIsGivenNeedsNoPragma) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  CompileOptions options;
  options.tokens = "int";
  options.vocabulary.emplace();
  options.vocabulary->push_back(Value::integer(4));
  // Written for strings; never read.
  options.addPragmas({{"vocab", "a,b", {}}}, diags);
  EXPECT_FALSE(diags.hasErrors());
  EXPECT_EQ(options.vocabulary->size(), 1u);
}

TEST(CompileOptions, SurviveTheModelFile) {
  for (const auto &[tokens, vocabulary] :
       {std::pair("str", "[\"a\", \"\\u00e9\", \"1\"]"),
        std::pair("int", "[1, -9007199254740993]"),
        std::pair("float", "[1, 0.1, -2.5]"), std::pair("bool", "true")}) {
    CompileOptions options;
    ASSERT_EQ(set(options, "tokens", tokens), "");
    ASSERT_EQ(set(options, "vocab", vocabulary), "");
    options.maxSeqLen = 5;
    options.output = "x";
    std::string text;
    llvm::raw_string_ostream(text) << options.toJSON();
    llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
    ASSERT_TRUE(!!json);
    llvm::Expected<CompileOptions> again = CompileOptions::fromJSON(*json);
    ASSERT_TRUE(!!again) << llvm::toString(again.takeError());
    EXPECT_EQ(*again->vocabulary, *options.vocabulary);
    EXPECT_EQ(again->tokens, tokens);
    EXPECT_EQ(again->maxSeqLen, 5u);
    EXPECT_EQ(again->causal, false);
  }
}

TEST(CompileOptions, DamagedJSONIsRefused) {
  auto read = [](llvm::StringRef text) {
    llvm::Expected<CompileOptions> options =
        CompileOptions::fromJSON(llvm::cantFail(llvm::json::parse(text)));
    return options ? "" : llvm::toString(options.takeError());
  };
  EXPECT_EQ(read("3"), "the compile options are no JSON object");
  EXPECT_EQ(read("{}"), "the compile options are incomplete");
  const char *rest = R"("max_seq_len":3,"causal":false,"output":"x"})";
  EXPECT_EQ(read(std::string(R"({"tokens":"str","vocab":["a"],)") + rest), "");
  EXPECT_EQ(read(std::string(R"({"tokens":"str","vocab":[[]],)") + rest),
            "a token must be a string, a number or a bool");
  EXPECT_EQ(read(std::string(R"({"tokens":"str","vocab":[1],)") + rest),
            "the token 1 is of another type than `--tokens=str`");
  EXPECT_EQ(read(std::string(R"({"tokens":"str","vocab":[],)") + rest),
            "a vocabulary needs at least one token");
  EXPECT_EQ(read(std::string(R"({"tokens":"str","vocab":["a","a"],)") + rest),
            "the token \"a\" occurs twice");
  // 2^32 is no 0.
  EXPECT_EQ(read(R"({"tokens":"str","vocab":["a"],"max_seq_len":4294967296,)"
                 R"("causal":false,"output":"x"})"),
            "`max_seq_len` is 4294967296, but must be a number from 1 to "
            "1048576");
}
