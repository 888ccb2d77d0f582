//===- ir/Elementwise.cpp - what the operators do to atoms ----------------===//

#include "ir/Elementwise.h"
#include "ir/Mean.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include <cmath>
#include <limits>

using namespace rasp::ir;
using llvm::ArrayRef;
using llvm::StringRef;

StringRef rasp::ir::categoryName(Failure failure) {
  switch (failure) {
  case Failure::None:
    return "";
  case Failure::PythonType:
    return "python-type";
  case Failure::ZeroDivision:
    return "python-zero-division";
  case Failure::PythonValue:
    return "python-value";
  case Failure::Overflow:
    return "python-overflow";
  case Failure::RaspValue:
    return "rasp-value";
  case Failure::RaspType:
    return "rasp-type";
  case Failure::MixedTypes:
    return "mixed-types";
  case Failure::IllegalValueType:
    return "illegal-value-type";
  case Failure::AverageOfNonNumbers:
    return "average-of-non-numbers";
  }
  llvm_unreachable("all failures are listed");
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static EvalResult finiteReal(double d) {
  if (!std::isfinite(d))
    return Failure::Overflow;
  return Value::real(d);
}

static bool areInts(const Value &a, const Value &b) {
  return !a.isFloat() && !b.isFloat();
}

static bool areNumbers(const Value &a, const Value &b) {
  return a.isNumeric() && b.isNumeric();
}

static EvalResult negate(const Value &a) {
  if (a.isString())
    return Failure::PythonType;
  if (a.isFloat())
    return Value::real(-a.asFloat());
  int64_t result;
  if (__builtin_sub_overflow(int64_t(0), a.toInt(), &result))
    return Failure::Overflow;
  return Value::integer(result);
}

static EvalResult plus(const Value &a) {
  if (a.isString())
    return Failure::PythonType;
  return a.isFloat() ? a : Value::integer(a.toInt());
}

static EvalResult roundHalfEven(const Value &a) {
  if (!a.isFloat())
    return plus(a);
  double whole = std::nearbyint(a.asFloat());
  if (!(whole >= -0x1p63 && whole < 0x1p63))
    return Failure::Overflow;
  return Value::integer(static_cast<int64_t>(whole));
}

static EvalResult concatenate(StringRef a, StringRef b) {
  if (a.size() + b.size() > maxStringSize)
    return Failure::Overflow;
  llvm::SmallString<64> text(a);
  text += b;
  return Value::string(text);
}

static EvalResult repeat(StringRef text, int64_t times) {
  if (times <= 0 || text.empty())
    return Value::string("");
  if (uint64_t(times) > maxStringSize / text.size())
    return Failure::Overflow;
  std::string result;
  result.reserve(text.size() * times);
  for (int64_t i = 0; i < times; ++i)
    result += text;
  return Value::string(result);
}

static EvalResult add(const Value &a, const Value &b) {
  if (a.isString() && b.isString())
    return concatenate(a.asString(), b.asString());
  if (!areNumbers(a, b))
    return Failure::PythonType;
  if (!areInts(a, b))
    return finiteReal(a.toDouble() + b.toDouble());
  int64_t result;
  if (__builtin_add_overflow(a.toInt(), b.toInt(), &result))
    return Failure::Overflow;
  return Value::integer(result);
}

static EvalResult subtract(const Value &a, const Value &b) {
  if (!areNumbers(a, b))
    return Failure::PythonType;
  if (!areInts(a, b))
    return finiteReal(a.toDouble() - b.toDouble());
  int64_t result;
  if (__builtin_sub_overflow(a.toInt(), b.toInt(), &result))
    return Failure::Overflow;
  return Value::integer(result);
}

static EvalResult multiply(const Value &a, const Value &b) {
  if (a.isString() != b.isString()) {
    const Value &text = a.isString() ? a : b;
    const Value &times = a.isString() ? b : a;
    if (times.isFloat())
      return Failure::PythonType;
    return repeat(text.asString(), times.toInt());
  }
  if (a.isString())
    return Failure::PythonType;
  if (!areInts(a, b))
    return finiteReal(a.toDouble() * b.toDouble());
  int64_t result;
  if (__builtin_mul_overflow(a.toInt(), b.toInt(), &result))
    return Failure::Overflow;
  return Value::integer(result);
}

static EvalResult divide(const Value &a, const Value &b) {
  if (!areNumbers(a, b))
    return Failure::PythonType;
  if (!b.isTruthy())
    return Failure::ZeroDivision;
  if (areInts(a, b))
    return Value::real(quotient(a.toInt(), b.toInt()));
  return finiteReal(a.toDouble() / b.toDouble());
}

static EvalResult modulo(const Value &a, const Value &b) {
  if (a.isString())
    return formatString(a.asString(), b);
  if (b.isString())
    return Failure::PythonType;
  if (!b.isTruthy())
    return Failure::ZeroDivision;
  if (areInts(a, b)) {
    int64_t divisor = b.toInt();
    if (divisor == -1)
      return Value::integer(0);
    int64_t rest = a.toInt() % divisor;
    if (rest != 0 && (rest < 0) != (divisor < 0))
      rest += divisor;
    return Value::integer(rest);
  }
  double divisor = b.toDouble();
  double rest = std::fmod(a.toDouble(), divisor);
  if (rest != 0 && (rest < 0) != (divisor < 0))
    rest += divisor;
  return finiteReal(rest);
}

/// `base` to the power `exponent` >= 0.
static EvalResult intPower(int64_t base, int64_t exponent) {
  if (base == 0 || base == 1)
    return Value::integer(exponent == 0 ? 1 : base);
  if (base == -1)
    return Value::integer(exponent % 2 ? -1 : 1);
  // With a base of at least 2 in magnitude only 63 factors can fit.
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(result, base, &result))
      return Failure::Overflow;
  return Value::integer(result);
}

static EvalResult power(const Value &a, const Value &b) {
  if (!areNumbers(a, b))
    return Failure::PythonType;
  if (areInts(a, b) && b.toInt() >= 0)
    return intPower(a.toInt(), b.toInt());
  double base = a.toDouble(), exponent = b.toDouble();
  if (base == 0 && exponent < 0)
    return Failure::ZeroDivision;
  // Python gives a complex number here, which is no atom.
  if (base < 0 && exponent != std::floor(exponent))
    return Failure::IllegalValueType;
  return finiteReal(std::pow(base, exponent));
}

//===----------------------------------------------------------------------===//
// Comparison and look-up
//===----------------------------------------------------------------------===//

EvalResult rasp::ir::compare(CompareOp op, const Value &key,
                             const Value &query) {
  if (op == CompareOp::Eq)
    return Value::boolean(pythonEqual(key, query));
  if (op == CompareOp::Ne)
    return Value::boolean(!pythonEqual(key, query));
  if (key.isString() != query.isString())
    return Failure::PythonType;
  int order = key.isString() ? key.asString().compare(query.asString())
                             : compareNumbers(key, query);
  switch (op) {
  case CompareOp::Lt:
    return Value::boolean(order < 0);
  case CompareOp::Gt:
    return Value::boolean(order > 0);
  case CompareOp::Le:
    return Value::boolean(order <= 0);
  case CompareOp::Ge:
    return Value::boolean(order >= 0);
  case CompareOp::Eq:
  case CompareOp::Ne:
    break;
  }
  llvm_unreachable("equality is handled above");
}

EvalResult rasp::ir::lookup(const Table &table, const Value &index) {
  if (table.kind == Table::Dict) {
    for (size_t i = table.keys.size(); i-- > 0;)
      if (pythonEqual(table.keys[i], index))
        return table.values[i];
    return Failure::RaspValue;
  }
  if (!index.isInt() && !index.isBool())
    return Failure::RaspType;
  int64_t size = table.values.size(), i = index.toInt();
  if (i < -size || i >= size)
    return Failure::RaspValue;
  return table.values[i < 0 ? i + size : i];
}

bool rasp::ir::contains(const Table &list, const Value &element) {
  return llvm::any_of(list.values, [&](const Value &value) {
    return pythonEqual(value, element);
  });
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

EvalResult rasp::ir::evaluate(OpKind kind, ArrayRef<Value> operands,
                              const Table *table) {
  assert(operands.size() == arity(kind));
  const Value *a = operands.data();
  const Value *b = a + 1;
  switch (kind) {
  case OpKind::Neg:
    return negate(*a);
  case OpKind::Pos:
    return plus(*a);
  case OpKind::Not:
    return Value::boolean(!a->isTruthy());
  case OpKind::Round:
    return roundHalfEven(*a);
  case OpKind::Indicator:
    return Value::integer(a->isTruthy());
  case OpKind::Add:
    return add(*a, *b);
  case OpKind::Sub:
    return subtract(*a, *b);
  case OpKind::Mul:
    return multiply(*a, *b);
  case OpKind::Div:
    return divide(*a, *b);
  case OpKind::Mod:
    return modulo(*a, *b);
  case OpKind::Pow:
    return power(*a, *b);
  case OpKind::Eq:
    return compare(CompareOp::Eq, *a, *b);
  case OpKind::Ne:
    return compare(CompareOp::Ne, *a, *b);
  case OpKind::Lt:
    return compare(CompareOp::Lt, *a, *b);
  case OpKind::Le:
    return compare(CompareOp::Le, *a, *b);
  case OpKind::Gt:
    return compare(CompareOp::Gt, *a, *b);
  case OpKind::Ge:
    return compare(CompareOp::Ge, *a, *b);
  case OpKind::And:
    return Value::boolean(a->isTruthy() && b->isTruthy());
  case OpKind::Or:
    return Value::boolean(a->isTruthy() || b->isTruthy());
  case OpKind::Where:
    return a->isTruthy() ? operands[1] : operands[2];
  case OpKind::Lookup:
    return lookup(*table, *a);
  case OpKind::In:
    return Value::boolean(contains(*table, *a));
  case OpKind::TokensStr:
  case OpKind::TokensInt:
  case OpKind::TokensFloat:
  case OpKind::TokensBool:
  case OpKind::TokensAsis:
  case OpKind::Indices:
  case OpKind::Const:
  case OpKind::Select:
  case OpKind::SelAnd:
  case OpKind::SelOr:
  case OpKind::SelNot:
  case OpKind::Aggregate:
  case OpKind::Width:
    break;
  }
  llvm_unreachable("not an elementwise op");
}

EvalResult rasp::ir::evaluate(const Node *node, ArrayRef<Value> operands) {
  bool hasTable = node->kind() == OpKind::Lookup || node->kind() == OpKind::In;
  return evaluate(node->kind(), operands, hasTable ? &node->table() : nullptr);
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

/// Strips what Python strips around a number and its `_` between digits;
/// false if an `_` stands elsewhere.
static bool cleanNumber(StringRef text, llvm::SmallVectorImpl<char> &clean) {
  text = text.trim(" \t\n\v\f\r");
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_')
      clean.push_back(text[i]);
    else if (i == 0 || i + 1 == text.size() || !llvm::isDigit(text[i - 1]) ||
             !llvm::isDigit(text[i + 1]))
      return false;
  }
  return true;
}

static EvalResult parseInt(StringRef text) {
  llvm::SmallString<32> clean;
  if (!cleanNumber(text, clean))
    return Failure::PythonValue;
  StringRef digits = clean;
  bool negative = digits.consume_front("-");
  if (!negative)
    digits.consume_front("+");
  if (digits.empty() || !llvm::all_of(digits, llvm::isDigit))
    return Failure::PythonValue;
  int64_t result = 0;
  for (char c : digits) {
    int64_t digit = c - '0';
    if (__builtin_mul_overflow(result, int64_t(10), &result) ||
        __builtin_add_overflow(result, negative ? -digit : digit, &result))
      return Failure::Overflow;
  }
  return Value::integer(result);
}

/// digits [. digits] [e [sign] digits], with digits on at least one side of
/// the point.
static bool isDecimal(StringRef text) {
  auto digits = [&text] {
    size_t count = text.take_while(llvm::isDigit).size();
    text = text.drop_front(count);
    return count;
  };
  size_t mantissa = digits();
  if (text.consume_front("."))
    mantissa += digits();
  if (mantissa == 0)
    return false;
  if (text.consume_front_insensitive("e")) {
    if (!text.consume_front("+"))
      text.consume_front("-");
    if (digits() == 0)
      return false;
  }
  return text.empty();
}

static EvalResult parseFloat(StringRef text) {
  llvm::SmallString<32> clean;
  if (!cleanNumber(text, clean))
    return Failure::PythonValue;
  StringRef number = clean;
  bool negative = number.consume_front("-");
  if (!negative)
    number.consume_front("+");
  if (number.equals_insensitive("inf") ||
      number.equals_insensitive("infinity") || number.equals_insensitive("nan"))
    return Failure::Overflow;
  double magnitude;
  if (!isDecimal(number) || number.getAsDouble(magnitude))
    return Failure::PythonValue;
  return finiteReal(negative ? -magnitude : magnitude);
}

static EvalResult toInt(const Value &item) {
  if (item.isString())
    return parseInt(item.asString());
  if (!item.isFloat())
    return Value::integer(item.toInt());
  return roundHalfEven(Value::real(std::trunc(item.asFloat())));
}

EvalResult rasp::ir::tokenLeaf(OpKind leaf, const Value &item) {
  switch (leaf) {
  case OpKind::TokensStr:
    return item.isString() ? item : Value::string(pythonStr(item));
  case OpKind::TokensInt:
    return toInt(item);
  case OpKind::TokensFloat:
    return item.isString() ? parseFloat(item.asString())
                           : Value::real(item.toDouble());
  case OpKind::TokensBool:
    return Value::boolean(item.isTruthy());
  case OpKind::TokensAsis:
    return item;
  default:
    llvm_unreachable("not a leaf that reads the input");
  }
}

//===----------------------------------------------------------------------===//
// Explanations
//===----------------------------------------------------------------------===//

static std::string described(const Value &value) {
  return (kindName(value.kind()) + " `" + value.str() + "`").str();
}

/// How people write the op: `+`, `round`, `in a list`.
static StringRef operatorName(OpKind kind) {
  switch (kind) {
  case OpKind::Neg:
  case OpKind::Sub:
    return "-";
  case OpKind::Pos:
  case OpKind::Add:
    return "+";
  case OpKind::Mul:
    return "*";
  case OpKind::Div:
    return "/";
  case OpKind::Mod:
    return "%";
  case OpKind::Pow:
    return "^";
  case OpKind::Eq:
    return "==";
  case OpKind::Ne:
    return "!=";
  case OpKind::Lt:
    return "<";
  case OpKind::Le:
    return "<=";
  case OpKind::Gt:
    return ">";
  case OpKind::Ge:
    return ">=";
  default:
    return mnemonic(kind);
  }
}

static std::string explainType(OpKind kind, ArrayRef<Value> operands) {
  std::string text = ("`" + operatorName(kind) + "` does not take ").str();
  if (kind == OpKind::Mod && !operands.empty() && operands[0].isString())
    text = "the format does not fit its argument: `%` does not take ";
  llvm::interleave(
      operands, [&](const Value &value) { text += described(value); },
      [&] { text += " and "; });
  return text;
}

std::string rasp::ir::explain(Failure failure, OpKind kind,
                              ArrayRef<Value> operands) {
  switch (failure) {
  case Failure::None:
    return "";
  case Failure::PythonType:
    return explainType(kind, operands);
  case Failure::ZeroDivision:
    return kind == OpKind::Pow ? "zero raised to a negative power"
                               : "division by zero";
  case Failure::PythonValue:
    if (kind == OpKind::Mod)
      return "the format " + operands[0].str() + " is not understood";
    return ("`" + mnemonic(kind) + "` cannot read " + operands[0].str() +
            " as a number")
        .str();
  case Failure::Overflow:
    return ("the result of `" + operatorName(kind) +
            "` does not fit: ints have 64 bits, floats are finite, strings "
            "have at most " +
            llvm::Twine(maxStringSize) + " bytes")
        .str();
  case Failure::RaspValue:
    return "no element for the index or key " + operands[0].str();
  case Failure::RaspType:
    return "the index is the " + described(operands[0]) + ", not an int";
  case Failure::MixedTypes:
    return "strings stand beside numbers in one sequence";
  case Failure::IllegalValueType:
    return "a negative number raised to a fractional power is no real number";
  case Failure::AverageOfNonNumbers:
    return "several positions are selected, but strings and bools have no mean";
  }
  llvm_unreachable("all failures are listed");
}
