//===- test/property/Elementwise.cpp - operations of one position ---------===//

#include "test/property/Generator.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp::property;

Term Generator::arithmetic(Type type, unsigned depth) {
  auto operand = [&] {
    return type == Type::Int ? sop(Type::Int, depth) : number(depth);
  };
  Term a = operand();
  Term b = random.percent(35) ? atom(type) : operand();
  double low = 0, high = 0;
  auto hull = [&](std::initializer_list<double> corners) {
    low = std::min(corners);
    high = std::max(corners);
  };
  switch (random.below(type == Type::Int ? 9 : 11)) {
  case 0:
  case 1:
    return map(type, "($0 + $1)", {a, b}, a.low + b.low, a.high + b.high);
  case 2:
  case 3:
    if (random.percent(30))
      std::swap(a, b);
    return map(type, "($0 - $1)", {a, b}, a.low - b.high, a.high - b.low);
  case 4:
    hull({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
    return map(type, "($0 * $1)", {a, b}, low, high);
  case 5: {
    if (b.mayBeZero() && random.percent(85)) {
      int divisor = random.percent(80) ? random.between(2, 4) : -3;
      b = leafOf(Type::Int, std::to_string(divisor), divisor, divisor, 0, 1);
    }
    return map(type, "($0 % $1)", {a, b}, std::min(b.low, 0.0),
               std::max(b.high, 0.0));
  }
  case 6:
    return map(type, "(-$0)", {a}, -a.high, -a.low);
  case 7: {
    unsigned exponent = random.below(4);
    double bound =
        std::pow(std::max(std::fabs(a.low), std::fabs(a.high)), exponent);
    return map(type, "($0 ^ " + std::to_string(exponent) + ")", {a},
               a.low < 0 ? -bound : 0, std::max(bound, 1.0));
  }
  case 8:
    return map(type, random.of({"max($0, $1)", "min($0, $1)"}), {a, b},
               std::min(a.low, b.low), std::max(a.high, b.high));
  default:
    if (b.mayBeZero() && random.percent(90))
      b = map(Type::Int, "(($0 * $0) + 1)", {sop(Type::Int, 0)}, 1, 30);
    // Divisors nearer to zero than 1/4 are rare in these programs.
    hull({a.low * 4, a.high * 4, -a.low, -a.high});
    return map(Type::Float, "($0 / $1)", {a, b}, low, high);
  }
}

Term Generator::comparison(unsigned depth) {
  std::string op = random.of({" == ", " < ", " > ", " <= ", " >= "});
  unsigned kind = random.below(20);
  Terms sides;
  if (kind < 12)
    sides = {number(depth),
             random.percent(50) ? atom(Type::Float) : number(depth)};
  else if (kind < 17)
    sides = {sop(Type::String, depth), random.percent(60)
                                           ? atom(Type::String)
                                           : sop(Type::String, depth)};
  else if (kind < 19)
    sides = {sop(Type::Bool, depth), sop(Type::Bool, depth)};
  else {
    sides = {anything(depth), anything(depth)};
    op = " == ";
  }
  if (random.percent(15))
    std::swap(sides[0], sides[1]);
  return map(Type::Bool, "($0" + op + "$1)", sides, 0, 1);
}

Term Generator::ternary(Type type, unsigned depth) {
  auto branch = [&] {
    return random.percent(40) ? atom(type) : sop(type, depth);
  };
  Terms operands = {random.percent(90) ? sop(Type::Bool, depth)
                                       : anything(depth),
                    branch(), branch()};
  double low = std::min(operands[1].low, operands[2].low),
         high = std::max(operands[1].high, operands[2].high);
  return withStrings(map(type, "($1 if $0 else $2)", operands, low, high),
                     {operands[1], operands[2]});
}

/// A list, dict or string asked by an s-op.
Term Generator::lookup(Type type, unsigned depth) {
  Terms answers;
  std::string list;
  bool byString = random.percent(35);
  Term index = byString ? sop(Type::String, depth)
                        : smallInt(depth, random.between(2, 4));
  unsigned size =
      static_cast<unsigned>(byString ? index.strings.size() : index.high + 1);
  bool isDict = byString || random.percent(40);
  // A table with a hole: the look-up fails on some inputs.
  unsigned hole = random.percent(8) ? random.below(size) : size;
  for (unsigned i = 0; i < size; ++i) {
    Term answer = atom(type);
    if (i == hole && (isDict || i + 1 == size))
      continue;
    if (!list.empty())
      list += ", ";
    if (isDict)
      list += (byString ? "\"" + index.strings[i] + "\"" : std::to_string(i)) +
              ": ";
    list += answer.expr->pattern;
    answers.push_back(answer);
  }
  if (answers.empty())
    return ternary(type, depth);
  double low = answers[0].low, high = answers[0].high;
  for (const Term &answer : answers) {
    low = std::min(low, answer.low);
    high = std::max(high, answer.high);
  }
  list = isDict ? "{" + list + "}" : "[" + list + "]";
  return withStrings(map(type, list + "[$0]", {index}, low, high), answers);
}
