//===- test/unit/ir/InterpreterTest.cpp -----------------------------------===//

#include "ir/Interpreter.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <map>
#include <random>

using namespace rasp::ir;

static Value i(int64_t value) { return Value::integer(value); }
static Value f(double value) { return Value::real(value); }
static Value s(llvm::StringRef value) { return Value::string(value); }

static std::vector<Value> letters(llvm::StringRef text) {
  std::vector<Value> values;
  for (char c : text)
    values.push_back(Value::string(llvm::StringRef(&c, 1)));
  return values;
}

namespace {
/// A program with the nodes that most tests need.
class InterpreterTest : public testing::Test {
protected:
  Program program;
  const Node *tokens = program.leaf(OpKind::TokensStr);
  const Node *indices = program.leaf(OpKind::Indices);
  const Node *one = program.constant(i(1));
  const Node *full = program.select(one, one, CompareOp::Eq);
  const Node *length = program.width(full);

  const Node *op(OpKind kind, std::initializer_list<const Node *> operands) {
    return program.elementwise(kind, operands);
  }
  const Node *mean(const Node *selector, const Node *values,
                   Value otherwise = Value::integer(0)) {
    return program.aggregate(selector, values, otherwise);
  }

  /// The values as one line, or the category of the failure.
  std::string run(const Node *root, llvm::ArrayRef<Value> input,
                  bool causal = false) {
    Interpreter interpreter(root, {causal});
    Interpreter::State state(interpreter);
    const RootResult &result = interpreter.run(input, state)[0];
    if (!result) {
      EXPECT_NE(result.failure->message(), "");
      return categoryName(result.failure->failure).str();
    }
    std::string line = kindName(result.kind).str();
    for (const Value &value : result.values)
      line += " " + value.str();
    return line;
  }
};
} // namespace

TEST_F(InterpreterTest, Reverse) {
  const Node *opposite =
      op(OpKind::Sub, {op(OpKind::Sub, {length, indices}), one});
  const Node *reverse =
      mean(program.select(indices, opposite, CompareOp::Eq), tokens);
  EXPECT_EQ(run(reverse, letters("abc")), "string \"c\" \"b\" \"a\"");
  EXPECT_EQ(run(reverse, letters("a")), "string \"a\"");
}

TEST_F(InterpreterTest, AggregateCountsWhatIsSelected) {
  const Node *earlier = program.select(indices, indices, CompareOp::Lt);
  EXPECT_EQ(run(mean(earlier, indices, i(-1)), letters("abcd")),
            "float -1 0 0.5 1.0");
  EXPECT_EQ(run(mean(earlier, tokens, s("-")), letters("ab")),
            "string \"-\" \"a\"");
  EXPECT_EQ(run(mean(earlier, tokens, s("-")), letters("aaa")),
            "average-of-non-numbers");
  EXPECT_EQ(run(mean(earlier, tokens), letters("ab")), "mixed-types");
  EXPECT_EQ(run(mean(earlier, tokens), letters("a")), "int 0");

  const Node *isA = op(OpKind::Eq, {tokens, program.constant(s("a"))});
  EXPECT_EQ(run(isA, letters("ab")), "bool True False");
  EXPECT_EQ(run(mean(full, isA), letters("ab")), "average-of-non-numbers");
  // Bools among ints count as ints.
  const Node *mixture = op(OpKind::Where, {isA, isA, program.constant(i(3))});
  EXPECT_EQ(run(mixture, letters("ab")), "int True 3");
  EXPECT_EQ(run(mean(full, mixture), letters("ab")), "float 2.0 2.0");
}

TEST_F(InterpreterTest, CausalSelectorsSeeNoLaterKeys) {
  const Node *none = program.selectorNot(full);
  const Node *later = program.select(indices, indices, CompareOp::Gt);
  EXPECT_EQ(run(length, letters("abc"), true), "int 1 2 3");
  EXPECT_EQ(run(program.width(program.selectorNot(none)), letters("abc"), true),
            "int 1 2 3");
  EXPECT_EQ(run(program.width(later), letters("abc"), true), "int 0 0 0");
  EXPECT_EQ(
      run(program.width(program.selectorNot(later)), letters("abc"), true),
      "int 1 2 3");
}

TEST_F(InterpreterTest, FailuresNamePlaceAndReason) {
  const Node *number = program.leaf(OpKind::TokensInt);
  const Node *quotient = op(OpKind::Div, {one, number});
  Interpreter interpreter({quotient, tokens});
  Interpreter::State state(interpreter);
  auto results = interpreter.run({s("1"), s("0")}, state);
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].failure->node, quotient);
  EXPECT_EQ(results[0].failure->position, 1u);
  EXPECT_EQ(results[0].failure->failure, Failure::ZeroDivision);
  EXPECT_TRUE(bool(results[1]));

  results = interpreter.run({s("1"), s("x")}, state);
  EXPECT_EQ(results[0].failure->node, number);
  EXPECT_EQ(results[0].failure->message(),
            "`tokens_int` cannot read \"x\" as a number");

  // Nothing of a failure stays behind.
  results = interpreter.run({s("1"), s("2")}, state);
  ASSERT_TRUE(bool(results[0]));
  EXPECT_EQ(results[0].values[1], f(0.5));
}

TEST_F(InterpreterTest, FailuresThatDependOnTheLengthAlone) {
  const Node *two = program.constant(i(2));
  const Node *quotient =
      op(OpKind::Div, {one, op(OpKind::Sub, {indices, two})});
  Interpreter interpreter({quotient, op(OpKind::Eq, {tokens, quotient})});
  Interpreter::State state(interpreter);
  for (llvm::StringRef text : {"ab", "abc", "xyz", "xy", "abcd"}) {
    auto results = interpreter.run(letters(text), state);
    EXPECT_EQ(bool(results[0]), text.size() == 2) << text.str();
    EXPECT_EQ(bool(results[1]), text.size() == 2) << text.str();
  }
}

TEST_F(InterpreterTest, SelectComparesEveryKind) {
  const Node *asis = program.leaf(OpKind::TokensAsis);
  auto widths = [&](CompareOp compare, const Node *query) {
    return program.width(program.select(asis, query, compare));
  };
  std::vector<Value> numbers = {i(1), f(1.0), f(0.5), Value::boolean(true)};
  EXPECT_EQ(run(widths(CompareOp::Eq, asis), numbers), "int 3 3 1 3");
  EXPECT_EQ(run(widths(CompareOp::Lt, asis), numbers), "int 1 1 0 1");
  EXPECT_EQ(run(widths(CompareOp::Eq, tokens), numbers), "int 0 0 0 0");
  EXPECT_EQ(run(widths(CompareOp::Ne, tokens), numbers), "int 4 4 4 4");
  EXPECT_EQ(run(widths(CompareOp::Lt, tokens), numbers), "python-type");

  int64_t big = int64_t(1) << 53;
  std::vector<Value> large = {i(big), i(big + 1), f(0x1p53)};
  EXPECT_EQ(run(widths(CompareOp::Eq, asis), large), "int 2 1 2");
  EXPECT_EQ(run(widths(CompareOp::Lt, asis), large), "int 0 2 0");

  std::vector<Value> words = {s(""),         s("a"),
                              s("a\0b"),     s("ab"),
                              s("\xc3\xa9"), s(llvm::StringRef("a\0", 2))};
  EXPECT_EQ(run(widths(CompareOp::Lt, asis), words), "int 0 1 1 4 5 3");
  words.push_back(s("abcdefghij"));
  EXPECT_EQ(run(widths(CompareOp::Lt, asis), words), "int 0 1 1 4 6 3 5");
}

TEST_F(InterpreterTest, LongInputsFillSeveralWords) {
  std::vector<Value> input;
  for (int k = 0; k < 200; ++k)
    input.push_back(i(k % 7));
  const Node *same = program.select(tokens, tokens, CompareOp::Eq);
  const Node *before = program.select(indices, indices, CompareOp::Le);
  Interpreter interpreter(
      {program.width(same), program.width(program.selectorNot(same)),
       program.selectorAnd(same, before), mean(before, indices)});
  Interpreter::State state(interpreter);
  auto results = interpreter.run(input, state);
  for (int q = 0; q < 200; ++q) {
    int64_t count = 28 + (q % 7 < 4);
    EXPECT_EQ(results[0].values[q], i(count));
    EXPECT_EQ(results[1].values[q], i(200 - count));
    for (int k = 0; k < 200; ++k)
      EXPECT_EQ(results[2].matrix.get(q, k), q % 7 == k % 7 && k <= q);
    EXPECT_EQ(results[3].values[q], q == 0 ? i(0) : f(q / 2.0));
  }
}

//===----------------------------------------------------------------------===//
// Random programs against the plainest possible evaluation
//===----------------------------------------------------------------------===//

namespace {
/// Evaluates nodes one by one, straight from the definitions.
struct PlainEvaluation {
  struct Result {
    std::vector<Value> values;
    std::vector<std::vector<bool>> matrix;
    Failure failure = Failure::None;
  };

  PlainEvaluation(const std::vector<Value> &input, bool causal)
      : input(input), causal(causal) {}

  const Result &of(const Node *node) {
    auto [entry, isNew] = results.try_emplace(node);
    if (isNew)
      entry->second = evaluateNode(node);
    return entry->second;
  }

  Result evaluateNode(const Node *node) {
    std::vector<Result> in;
    for (const Node *operand : node->operands()) {
      in.push_back(of(operand));
      if (in.back().failure != Failure::None)
        return {{}, {}, in.back().failure};
    }
    Result out;
    size_t n = input.size();
    if (node->isSelector()) {
      out.matrix.assign(n, std::vector<bool>(n));
      for (size_t q = 0; q < n; ++q)
        for (size_t k = 0; k < n; ++k) {
          bool bit = false;
          switch (node->kind()) {
          case OpKind::Select: {
            EvalResult cell =
                compare(node->compare(), in[0].values[k], in[1].values[q]);
            if (!cell)
              return {{}, {}, cell.failure};
            bit = cell.value.asBool();
            break;
          }
          case OpKind::SelAnd:
            bit = in[0].matrix[q][k] && in[1].matrix[q][k];
            break;
          case OpKind::SelOr:
            bit = in[0].matrix[q][k] || in[1].matrix[q][k];
            break;
          default:
            bit = !in[0].matrix[q][k];
          }
          out.matrix[q][k] = bit && !(causal && k > q);
        }
      return out;
    }
    for (size_t q = 0; q < n; ++q) {
      EvalResult value = element(node, in, q);
      if (!value)
        return {{}, {}, value.failure};
      out.values.push_back(value.value);
    }
    if (!sequenceKind(out.values))
      return {{}, {}, Failure::MixedTypes};
    return out;
  }

  EvalResult element(const Node *node, std::vector<Result> &in, size_t q) {
    switch (node->kind()) {
    case OpKind::Indices:
      return Value::integer(q);
    case OpKind::Const:
      return node->value();
    case OpKind::TokensStr:
    case OpKind::TokensInt:
    case OpKind::TokensFloat:
    case OpKind::TokensBool:
    case OpKind::TokensAsis:
      return tokenLeaf(node->kind(), input[q]);
    case OpKind::Width:
      return Value::integer(llvm::count(in[0].matrix[q], true));
    case OpKind::Aggregate: {
      std::vector<Value> selected;
      for (size_t k = 0; k < input.size(); ++k)
        if (in[0].matrix[q][k])
          selected.push_back(in[1].values[k]);
      if (selected.empty())
        return node->value();
      if (selected.size() == 1)
        return selected[0];
      ValueKind kind = *sequenceKind(in[1].values);
      if (kind == ValueKind::String || kind == ValueKind::Bool)
        return Failure::AverageOfNonNumbers;
      return Value::real(mean(selected));
    }
    default: {
      std::vector<Value> operands;
      for (Result &operand : in)
        operands.push_back(operand.values[q]);
      return evaluate(node, operands);
    }
    }
  }

  const std::vector<Value> &input;
  bool causal;
  std::map<const Node *, Result> results;
};

/// Builds programs of random ops, biased towards ones that succeed.
class RandomProgram {
public:
  RandomProgram(Program &program, std::mt19937 &random)
      : program(program), random(random) {
    for (OpKind leaf :
         {OpKind::TokensStr, OpKind::TokensInt, OpKind::TokensFloat,
          OpKind::TokensBool, OpKind::TokensAsis, OpKind::Indices})
      sops.push_back(program.leaf(leaf));
    for (Value value : {i(0), i(1), i(-2), f(0.5), s("a"), s("1")})
      sops.push_back(program.constant(value));
    selectors.push_back(program.select(sops[5], sops[5], CompareOp::Le));
  }

  void grow() {
    static constexpr OpKind ops[] = {
#define ELEMENTWISE(Kind, mnemonic, operands, attribute, summary) OpKind::Kind,
#include "ir/Ops.def"
    };
    auto sop = [&] { return sops[random() % sops.size()]; };
    auto selector = [&] { return selectors[random() % selectors.size()]; };
    switch (random() % 8) {
    case 0:
    case 1:
      selectors.push_back(
          program.select(sop(), sop(), CompareOp(random() % 6)));
      return;
    case 2:
      switch (random() % 3) {
      case 0:
        selectors.push_back(program.selectorNot(selector()));
        return;
      case 1:
        selectors.push_back(program.selectorAnd(selector(), selector()));
        return;
      default:
        selectors.push_back(program.selectorOr(selector(), selector()));
        return;
      }
    case 3:
      sops.push_back(program.width(selector()));
      return;
    case 4:
      sops.push_back(program.aggregate(selector(), sop(), i(random() % 3)));
      return;
    default:
      OpKind kind = ops[random() % std::size(ops)];
      Table list{Table::List, {}, {i(1), f(2), s("a")}};
      if (kind == OpKind::In) {
        sops.push_back(program.in(sop(), list));
      } else if (kind == OpKind::Lookup) {
        if (random() % 2)
          list = {Table::Dict, {i(0), i(1), f(0.5)}, {f(1.5), i(2), i(3)}};
        sops.push_back(program.lookup(sop(), list));
      } else {
        std::vector<const Node *> operands;
        for (unsigned k = 0; k < arity(kind); ++k)
          operands.push_back(sop());
        sops.push_back(program.elementwise(kind, operands));
      }
    }
  }

  std::vector<const Node *> sops, selectors;

private:
  Program &program;
  std::mt19937 &random;
};
} // namespace

TEST(InterpreterRandom, AgreesWithPlainEvaluation) {
  std::mt19937 random(1);
  std::vector<std::vector<Value>> alphabets = {
      {s("a"), s("b"), s("1")},
      {s("0"), s("1"), s("2.5"), s("12")},
      {i(0), i(1), i(-1), i(5)},
      {f(0.5), i(1), f(1), f(3e10), Value::boolean(true)},
      {s("abcdefgh"), s("abcdefgi"), s("")},
  };
  size_t successes = 0, failures = 0;
  for (int round = 0; round < 1500; ++round) {
    Program program;
    RandomProgram generator(program, random);
    for (int k = 0; k < 30; ++k)
      generator.grow();
    std::vector<const Node *> roots;
    for (int k = 0; k < 6; ++k) {
      roots.push_back(generator.sops[random() % generator.sops.size()]);
      roots.push_back(
          generator.selectors[random() % generator.selectors.size()]);
    }
    bool causal = round % 2;
    Interpreter interpreter(roots, {causal});
    Interpreter::State state(interpreter);
    const std::vector<Value> &alphabet = alphabets[round % alphabets.size()];
    for (size_t length : {3, 3, 1, 5, 5, 70}) {
      std::vector<Value> input;
      while (input.size() < length)
        input.push_back(alphabet[random() % alphabet.size()]);
      auto results = interpreter.run(input, state);
      PlainEvaluation plain(input, causal);
      for (auto [root, result] : llvm::zip_equal(roots, results)) {
        const PlainEvaluation::Result &expected = plain.of(root);
        ASSERT_EQ(bool(result), expected.failure == Failure::None);
        if (!result) {
          ++failures;
          continue;
        }
        ++successes;
        if (root->isSelector()) {
          for (size_t q = 0; q < length; ++q)
            for (size_t k = 0; k < length; ++k)
              ASSERT_EQ(result.matrix.get(q, k), expected.matrix[q][k]);
        } else {
          ASSERT_TRUE(result.values == llvm::ArrayRef(expected.values));
          ASSERT_EQ(result.kind, *sequenceKind(expected.values));
        }
      }
    }
  }
  EXPECT_GT(successes, failures);
}
