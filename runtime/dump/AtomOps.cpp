//===- runtime/dump/AtomOps.cpp - the program's operators -----------------===//

#include "runtime/dump/AtomOps.h"
#include "runtime/Atom.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace rasp::rt;
using Result = std::optional<Atom>;

static bool isString(const Atom &a) {
  return std::holds_alternative<std::string>(a);
}

static bool isTruthy(const Atom &a) {
  if (const auto *text = std::get_if<std::string>(&a))
    return !text->empty();
  return numberOf(a) != 0;
}

/// The integer that a bool or int is.
static std::optional<int64_t> integerOf(const Atom &a) {
  if (const auto *flag = std::get_if<bool>(&a))
    return *flag;
  if (const auto *integer = std::get_if<int64_t>(&a))
    return *integer;
  return std::nullopt;
}

static Result integer(int64_t i) { return Atom(i); }
static Result truth(bool b) { return Atom(b); }
static Result real(double d) {
  return std::isfinite(d) ? Result(Atom(d == 0 ? 0.0 : d)) : std::nullopt;
}

std::optional<bool> rasp::rt::compareAtoms(llvm::StringRef op, const Atom &key,
                                           const Atom &query) {
  if (op == "==")
    return isSameValue(key, query);
  if (op == "!=")
    return !isSameValue(key, query);
  if (isString(key) != isString(query))
    return std::nullopt;
  auto compare = [&](const auto &a, const auto &b) -> std::optional<bool> {
    return llvm::StringSwitch<std::optional<bool>>(op)
        .Case("<", a < b)
        .Case(">", a > b)
        .Case("<=", a <= b)
        .Case(">=", a >= b)
        .Default(std::nullopt);
  };
  auto i = integerOf(key), j = integerOf(query);
  if (i && j)
    return compare(*i, *j);
  return isString(key)
             ? compare(std::get<std::string>(key), std::get<std::string>(query))
             : compare(numberOf(key), numberOf(query));
}

static Result repeat(const std::string &text, int64_t times) {
  constexpr size_t longest = 1 << 20;
  std::string result;
  if (times > 0 && text.size() * times > longest)
    return std::nullopt;
  for (int64_t i = 0; i < times; ++i)
    result += text;
  return result;
}

static Result power(const Atom &a, const Atom &b) {
  auto base = integerOf(a), exponent = integerOf(b);
  if (base && exponent && *exponent >= 0) {
    if (*base == 0 || *base == 1)
      return integer(*exponent == 0 ? 1 : *base);
    if (*base == -1)
      return integer(*exponent % 2 ? -1 : 1);
    int64_t result = 1;
    for (int64_t i = 0; i < *exponent; ++i)
      if (__builtin_mul_overflow(result, *base, &result))
        return std::nullopt;
    return integer(result);
  }
  return real(std::pow(numberOf(a), numberOf(b)));
}

/// Python's remainder has the sign of the divisor.
template <typename T> static T withSignOf(T divisor, T rest) {
  return rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest;
}

static Result arithmetic(llvm::StringRef op, const Atom &a, const Atom &b) {
  if (isString(a) && isString(b))
    return op == "add"
               ? Result(std::get<std::string>(a) + std::get<std::string>(b))
               : std::nullopt;
  auto i = integerOf(a), j = integerOf(b);
  if (isString(a) || isString(b)) {
    const Atom &text = isString(a) ? a : b;
    auto times = isString(a) ? j : i;
    return op == "mul" && times ? repeat(std::get<std::string>(text), *times)
                                : std::nullopt;
  }
  double x = numberOf(a), y = numberOf(b);
  if (op == "div")
    return y == 0 ? std::nullopt : real(x / y);
  if (op == "pow")
    return power(a, b);
  if (op == "mod" && y == 0)
    return std::nullopt;
  if (!i || !j)
    return llvm::StringSwitch<Result>(op)
        .Case("add", real(x + y))
        .Case("sub", real(x - y))
        .Case("mul", real(x * y))
        .Case("mod", real(withSignOf(y, std::fmod(x, y))))
        .Default(std::nullopt);
  if (op == "mod")
    return integer(*j == -1 ? 0 : withSignOf(*j, *i % *j));
  int64_t result = 0;
  bool overflows = op == "add"   ? __builtin_add_overflow(*i, *j, &result)
                   : op == "sub" ? __builtin_sub_overflow(*i, *j, &result)
                   : op == "mul" ? __builtin_mul_overflow(*i, *j, &result)
                                 : true;
  return overflows ? std::nullopt : integer(result);
}

static Result lookUp(const AtomTable &table, const Atom &index) {
  if (table.isDict) {
    for (size_t i = std::min(table.keys.size(), table.values.size()); i-- > 0;)
      if (isSameValue(table.keys[i], index))
        return table.values[i];
    return std::nullopt;
  }
  auto i = integerOf(index);
  auto size = static_cast<int64_t>(table.values.size());
  if (!i || *i < -size || *i >= size)
    return std::nullopt;
  return table.values[*i < 0 ? *i + size : *i];
}

static Result roundHalfEven(const Atom &a) {
  if (auto i = integerOf(a))
    return integer(*i);
  double whole = std::nearbyint(numberOf(a));
  return whole >= -0x1p63 && whole < 0x1p63 ? integer(int64_t(whole))
                                            : std::nullopt;
}

static Result applyUnary(llvm::StringRef op, const Atom &a,
                         const std::optional<AtomTable> &table) {
  if (op == "not")
    return truth(!isTruthy(a));
  if (op == "indicator")
    return integer(isTruthy(a));
  if (op == "lookup")
    return table ? lookUp(*table, a) : std::nullopt;
  if (op == "in")
    return table ? truth(llvm::any_of(
                       table->values,
                       [&](const Atom &own) { return isSameValue(own, a); }))
                 : std::nullopt;
  if (isString(a))
    return std::nullopt;
  if (op == "round")
    return roundHalfEven(a);
  if (op == "pos")
    return integerOf(a) ? integer(*integerOf(a)) : Result(a);
  if (op == "neg")
    return integerOf(a) ? arithmetic("sub", int64_t(0), a) : real(-numberOf(a));
  return std::nullopt;
}

Result rasp::rt::applyOp(llvm::StringRef op, llvm::ArrayRef<Atom> operands,
                         const std::optional<AtomTable> &table) {
  if (operands.size() == 3)
    return op == "where" ? Result(operands[isTruthy(operands[0]) ? 1 : 2])
                         : std::nullopt;
  if (operands.size() == 1)
    return applyUnary(op, operands[0], table);
  if (operands.size() != 2)
    return std::nullopt;
  const Atom &a = operands[0], &b = operands[1];
  if (op == "and")
    return truth(isTruthy(a) && isTruthy(b));
  if (op == "or")
    return truth(isTruthy(a) || isTruthy(b));
  auto comparison = llvm::StringSwitch<llvm::StringRef>(op)
                        .Case("eq", "==")
                        .Case("ne", "!=")
                        .Case("lt", "<")
                        .Case("gt", ">")
                        .Case("le", "<=")
                        .Case("ge", ">=")
                        .Default("");
  if (comparison.empty())
    return arithmetic(op, a, b);
  std::optional<bool> holds = compareAtoms(comparison, a, b);
  return holds ? truth(*holds) : std::nullopt;
}

Result rasp::rt::tokenAs(llvm::StringRef leaf, const Atom &token) {
  if (leaf == "tokens_asis")
    return token;
  if (leaf == "tokens_bool")
    return truth(isTruthy(token));
  const auto *text = std::get_if<std::string>(&token);
  if (leaf == "tokens_str") {
    if (text)
      return token;
    std::string written;
    llvm::raw_string_ostream os(written);
    printPython(os, token);
    return written;
  }
  double number = 0;
  if (text && llvm::StringRef(*text).trim().getAsDouble(number))
    return std::nullopt;
  if (leaf == "tokens_float")
    return real(text ? number : numberOf(token));
  if (leaf != "tokens_int")
    return std::nullopt;
  if (!text)
    return integerOf(token) ? integer(*integerOf(token))
                            : roundHalfEven(std::trunc(numberOf(token)));
  int64_t whole = 0;
  llvm::StringRef digits = llvm::StringRef(*text).trim();
  digits.consume_front("+");
  return digits.getAsInteger(10, whole) ? std::nullopt : integer(whole);
}
