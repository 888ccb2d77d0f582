//===- test/unit/ir/ElementwiseTest.cpp -----------------------------------===//

#include "ir/Elementwise.h"
#include "gtest/gtest.h"
#include <limits>

using namespace rasp::ir;

static Value b(bool value) { return Value::boolean(value); }
static Value i(int64_t value) { return Value::integer(value); }
static Value f(double value) { return Value::real(value); }
static Value s(const char *value) { return Value::string(value); }

static constexpr int64_t intMax = std::numeric_limits<int64_t>::max();
static constexpr int64_t intMin = std::numeric_limits<int64_t>::min();

namespace {
struct Case {
  OpKind kind;
  std::vector<Value> operands;
  EvalResult expected;
};
} // namespace

static void check(std::initializer_list<Case> cases) {
  for (const Case &c : cases) {
    EvalResult result = evaluate(c.kind, c.operands);
    std::string call = mnemonic(c.kind).str();
    for (const Value &operand : c.operands)
      call += " " + operand.str();
    EXPECT_EQ(categoryName(result.failure), categoryName(c.expected.failure))
        << call;
    if (c.expected)
      EXPECT_EQ(result.value, c.expected.value)
          << call << " gives " << result.value.str();
    else
      EXPECT_NE(explain(result.failure, c.kind, c.operands), "") << call;
  }
}

TEST(Elementwise, Unary) {
  check({{OpKind::Neg, {b(true)}, i(-1)},
         {OpKind::Neg, {f(0.5)}, f(-0.5)},
         {OpKind::Neg, {i(intMin)}, Failure::Overflow},
         {OpKind::Neg, {s("a")}, Failure::PythonType},
         {OpKind::Pos, {b(true)}, i(1)},
         {OpKind::Pos, {s("a")}, Failure::PythonType},
         {OpKind::Not, {s("")}, b(true)},
         {OpKind::Not, {s("0")}, b(false)},
         {OpKind::Not, {f(0)}, b(true)},
         {OpKind::Indicator, {s("False")}, i(1)},
         {OpKind::Indicator, {i(0)}, i(0)},
         {OpKind::Round, {f(0.5)}, i(0)},
         {OpKind::Round, {f(1.5)}, i(2)},
         {OpKind::Round, {f(2.5)}, i(2)},
         {OpKind::Round, {f(-1.5)}, i(-2)},
         {OpKind::Round, {f(-0.5)}, i(0)},
         {OpKind::Round, {b(true)}, i(1)},
         {OpKind::Round, {f(1e300)}, Failure::Overflow},
         {OpKind::Round, {s("a")}, Failure::PythonType}});
}

TEST(Elementwise, Arithmetic) {
  check({{OpKind::Add, {b(true), b(true)}, i(2)},
         {OpKind::Add, {i(1), f(0.5)}, f(1.5)},
         {OpKind::Add, {i(intMax), i(1)}, Failure::Overflow},
         {OpKind::Add, {f(1e308), f(1e308)}, Failure::Overflow},
         {OpKind::Add, {s("ab"), s("c")}, s("abc")},
         {OpKind::Add, {s("ab"), i(1)}, Failure::PythonType},
         {OpKind::Sub, {s("ab"), s("b")}, Failure::PythonType},
         {OpKind::Sub, {i(3), i(5)}, i(-2)},
         {OpKind::Mul, {s("ab"), i(2)}, s("abab")},
         {OpKind::Mul, {b(true), s("ab")}, s("ab")},
         {OpKind::Mul, {s("ab"), i(-1)}, s("")},
         {OpKind::Mul, {s("ab"), f(2)}, Failure::PythonType},
         {OpKind::Mul, {s("ab"), i(1 << 20)}, Failure::Overflow},
         {OpKind::Mul, {i(intMax), i(2)}, Failure::Overflow},
         {OpKind::Div, {i(4), i(2)}, f(2)},
         {OpKind::Div, {i(1), i(3)}, f(1.0 / 3)},
         {OpKind::Div, {i(intMax), i(intMax)}, f(1)},
         {OpKind::Div, {i(intMin), i(-1)}, f(0x1p63)},
         {OpKind::Div, {i(1), b(false)}, Failure::ZeroDivision},
         {OpKind::Div, {f(1), f(0)}, Failure::ZeroDivision},
         {OpKind::Div, {s("a"), i(0)}, Failure::PythonType}});
}

TEST(Elementwise, ModuloHasTheSignOfTheDivisor) {
  check({{OpKind::Mod, {i(-7), i(3)}, i(2)},
         {OpKind::Mod, {i(7), i(-3)}, i(-2)},
         {OpKind::Mod, {i(intMin), i(-1)}, i(0)},
         {OpKind::Mod, {f(-7), i(3)}, f(2)},
         {OpKind::Mod, {f(5.5), i(-2)}, f(-0.5)},
         {OpKind::Mod, {f(-4), i(2)}, f(0)},
         {OpKind::Mod, {i(1), i(0)}, Failure::ZeroDivision},
         {OpKind::Mod, {i(1), s("a")}, Failure::PythonType}});
}

TEST(Elementwise, Power) {
  check({{OpKind::Pow, {i(2), i(10)}, i(1024)},
         {OpKind::Pow, {i(-2), i(63)}, i(intMin)},
         {OpKind::Pow, {i(2), i(63)}, Failure::Overflow},
         {OpKind::Pow, {i(-1), i(intMax)}, i(-1)},
         {OpKind::Pow, {i(0), i(0)}, i(1)},
         {OpKind::Pow, {b(true), b(true)}, i(1)},
         {OpKind::Pow, {i(2), i(-1)}, f(0.5)},
         {OpKind::Pow, {f(2), i(3)}, f(8)},
         {OpKind::Pow, {i(0), i(-1)}, Failure::ZeroDivision},
         {OpKind::Pow, {f(0), f(-0.5)}, Failure::ZeroDivision},
         {OpKind::Pow, {i(-2), f(0.5)}, Failure::IllegalValueType},
         {OpKind::Pow, {i(-8), f(3)}, f(-512)},
         {OpKind::Pow, {f(10), i(400)}, Failure::Overflow},
         {OpKind::Pow, {s("a"), i(1)}, Failure::PythonType}});
}

TEST(Elementwise, Comparison) {
  check({{OpKind::Eq, {i(1), s("1")}, b(false)},
         {OpKind::Eq, {i(1), f(1)}, b(true)},
         {OpKind::Ne, {b(true), i(1)}, b(false)},
         {OpKind::Lt, {b(false), f(0.5)}, b(true)},
         {OpKind::Lt, {s("B"), s("a")}, b(true)},
         {OpKind::Ge, {s("a"), s("ab")}, b(false)},
         {OpKind::Le, {i(1), s("a")}, Failure::PythonType},
         // No double lies between these two.
         {OpKind::Gt, {i((1ll << 53) + 1), f(0x1p53)}, b(true)}});
}

TEST(Elementwise, Logic) {
  check({{OpKind::And, {s("0"), f(0.5)}, b(true)},
         {OpKind::And, {s(""), i(1)}, b(false)},
         {OpKind::Or, {i(0), s("")}, b(false)},
         {OpKind::Or, {i(0), b(true)}, b(true)},
         {OpKind::Where, {s("x"), i(1), s("b")}, i(1)},
         {OpKind::Where, {i(0), i(1), s("b")}, s("b")}});
}

TEST(Elementwise, Lookup) {
  Table list{Table::List, {}, {s("a"), s("b"), i(3)}};
  EXPECT_EQ(lookup(list, i(0)).value, s("a"));
  EXPECT_EQ(lookup(list, i(-1)).value, i(3));
  EXPECT_EQ(lookup(list, b(true)).value, s("b"));
  EXPECT_EQ(lookup(list, i(3)).failure, Failure::RaspValue);
  EXPECT_EQ(lookup(list, i(-4)).failure, Failure::RaspValue);
  EXPECT_EQ(lookup(list, f(0)).failure, Failure::RaspType);
  EXPECT_EQ(lookup(list, s("a")).failure, Failure::RaspType);

  Table dict{Table::Dict, {i(1), s("k")}, {s("one"), s("key")}};
  EXPECT_EQ(lookup(dict, b(true)).value, s("one"));
  EXPECT_EQ(lookup(dict, f(1)).value, s("one"));
  EXPECT_EQ(lookup(dict, s("k")).value, s("key"));
  EXPECT_EQ(lookup(dict, s("1")).failure, Failure::RaspValue);

  EXPECT_TRUE(contains(list, f(3)));
  EXPECT_FALSE(contains(list, s("3")));
}

TEST(Elementwise, Tokens) {
  auto leaf = [](OpKind kind, Value item) { return tokenLeaf(kind, item); };
  EXPECT_EQ(leaf(OpKind::TokensStr, f(2.5)).value, s("2.5"));
  EXPECT_EQ(leaf(OpKind::TokensStr, b(true)).value, s("True"));
  EXPECT_EQ(leaf(OpKind::TokensInt, s(" +1_000 ")).value, i(1000));
  EXPECT_EQ(leaf(OpKind::TokensInt, s("-9223372036854775808")).value,
            i(intMin));
  EXPECT_EQ(leaf(OpKind::TokensInt, f(-2.7)).value, i(-2));
  EXPECT_EQ(leaf(OpKind::TokensInt, b(true)).value, i(1));
  EXPECT_EQ(leaf(OpKind::TokensInt, s("9223372036854775808")).failure,
            Failure::Overflow);
  for (const char *bad : {"", "a", "1.0", "_1", "1_", "1__0", "+-1", "0x1"})
    EXPECT_EQ(leaf(OpKind::TokensInt, s(bad)).failure, Failure::PythonValue)
        << bad;
  EXPECT_EQ(leaf(OpKind::TokensFloat, s("-1.5e1")).value, f(-15));
  EXPECT_EQ(leaf(OpKind::TokensFloat, s(".5")).value, f(0.5));
  EXPECT_EQ(leaf(OpKind::TokensFloat, s("5.")).value, f(5));
  EXPECT_EQ(leaf(OpKind::TokensFloat, i(3)).value, f(3));
  EXPECT_EQ(leaf(OpKind::TokensFloat, s("1e999")).failure, Failure::Overflow);
  EXPECT_EQ(leaf(OpKind::TokensFloat, s("inf")).failure, Failure::Overflow);
  for (const char *bad : {"", ".", "e1", "1e", "0x1p3", "1 2", "--1"})
    EXPECT_EQ(leaf(OpKind::TokensFloat, s(bad)).failure, Failure::PythonValue)
        << bad;
  EXPECT_EQ(leaf(OpKind::TokensBool, s("False")).value, b(true));
  EXPECT_EQ(leaf(OpKind::TokensAsis, f(1)).value, f(1));
}

TEST(Elementwise, StringFormatting) {
  check({{OpKind::Mod, {s("<%s>"), b(true)}, s("<True>")},
         {OpKind::Mod, {s("%d%%"), f(3.9)}, s("3%")},
         {OpKind::Mod, {s("%05.1f"), i(2)}, s("002.0")},
         {OpKind::Mod, {s("%-4s|"), s("\xc3\xa9")}, s("\xc3\xa9   |")},
         {OpKind::Mod, {s("%.2s"), s("abc")}, s("ab")},
         {OpKind::Mod, {s("%#x"), i(-255)}, s("-0xff")},
         {OpKind::Mod, {s("%06x"), i(-255)}, s("-000ff")},
         {OpKind::Mod, {s("%r"), s("a")}, s("'a'")},
         {OpKind::Mod, {s("%c"), i(97)}, s("a")},
         {OpKind::Mod, {s("plain"), i(1)}, Failure::PythonType},
         {OpKind::Mod, {s("%s%s"), i(1)}, Failure::PythonType},
         {OpKind::Mod, {s("%d"), s("1")}, Failure::PythonType},
         {OpKind::Mod, {s("%y"), i(1)}, Failure::PythonValue},
         {OpKind::Mod, {s("%"), i(1)}, Failure::PythonValue},
         {OpKind::Mod, {s("%999999999s"), i(1)}, Failure::Overflow}});
}
