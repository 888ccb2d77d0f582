//===- test/property/Compounds.cpp - operations by their type -------------===//

#include "test/property/Generator.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp::property;

Term Generator::compound(Type type, unsigned depth) {
  switch (type) {
  case Type::Int:
    return intCompound(depth);
  case Type::Float:
    return floatCompound(depth);
  case Type::Bool:
    return boolCompound(depth);
  case Type::String:
    return stringCompound(depth);
  default:
    return selector(depth);
  }
}

Term Generator::intCompound(unsigned depth) {
  double n = options.maxSeqLen;
  switch (random.below(20)) {
  case 0:
  case 1:
  case 2:
  case 3:
  case 4:
    return arithmetic(Type::Int, depth);
  case 5:
  case 6: {
    Term value = sop(Type::Float, depth);
    return map(Type::Int, "round($0)", {value}, std::floor(value.low),
               std::ceil(value.high));
  }
  case 7:
    return map(Type::Int, "indicator($0)",
               {random.percent(80) ? sop(Type::Bool, depth) : anything(depth)},
               0, 1);
  case 8:
    return ternary(Type::Int, depth);
  case 9:
    return lookup(Type::Int, depth);
  case 10:
  case 11:
    return moved(Type::Int, depth);
  case 12: {
    Term values = anything(depth);
    Term sought = random.percent(70) || values.type() == Type::Selector
                      ? atom(values.type())
                      : sop(values.type(), depth);
    return source(Type::Int, "count($0, $1)", {values, sought}, 0, n, n + 1);
  }
  default:
    return source(Type::Int, "selector_width($0)", {selector(depth)}, 0, n,
                  n + 1);
  }
}

Term Generator::floatCompound(unsigned depth) {
  switch (random.below(16)) {
  case 0:
  case 1:
  case 2:
  case 3:
    return arithmetic(Type::Float, depth);
  case 4:
    return ternary(Type::Float, depth);
  case 5:
    return lookup(Type::Float, depth);
  case 6:
    return moved(Type::Float, depth);
  case 7: {
    Term base = sop(Type::Float, depth);
    if (base.low >= 0 || random.percent(5))
      return map(Type::Float, "($0 ^ 0.5)", {base}, 0,
                 std::max(1.0, base.high));
    return map(Type::Float, "((($0 * $0) + 1) ^ -1)", {base}, 0, 1);
  }
  case 8: {
    // Each position sends its value elsewhere; several may arrive.
    Term values = sop(Type::Int, depth), distance = smallInt(depth, 3);
    return source(Type::Float, "shift($0, $1, 0)", {values, distance},
                  std::min(0.0, values.low), std::max(0.0, values.high),
                  countMeans(values, options.maxSeqLen));
  }
  default:
    return mean(depth);
  }
}

Term Generator::boolCompound(unsigned depth) {
  switch (random.below(20)) {
  case 0:
  case 1:
  case 2: {
    std::string pattern = random.of({"($0 and $1)", "($0 or $1)"});
    return map(Type::Bool, pattern,
               {sop(Type::Bool, depth),
                random.percent(90) ? sop(Type::Bool, depth) : anything(depth)},
               0, 1);
  }
  case 3:
    return map(Type::Bool, "(not $0)",
               {random.percent(85) ? sop(Type::Bool, depth) : anything(depth)},
               0, 1);
  case 4:
  case 5: {
    Term value = anything(depth);
    std::string list;
    for (int i = random.between(1, 3); i > 0; --i)
      list += (list.empty() ? "" : ", ") + atom(value.type()).expr->pattern;
    return map(Type::Bool, "($0 in [" + list + "])", {value}, 0, 1);
  }
  case 6: {
    Term value = anything(depth);
    return source(Type::Bool,
                  "(" + atom(value.type()).expr->pattern + " in $0)", {value},
                  0, 1, 2);
  }
  case 7:
  case 8:
    return source(Type::Bool, "has_focus($0)", {selector(depth)}, 0, 1, 2);
  case 9: {
    Term value = anything(depth);
    return source(Type::Bool, "contains($0, $1)", {value, atom(value.type())},
                  0, 1, 2);
  }
  case 10: {
    Term value = anything(depth);
    Term sought = random.percent(60) ? atom(value.type()) : value;
    return source(Type::Bool,
                  random.of({"mark_first_instance($0, $1)",
                             "mark_last_instance($0, $1)"}),
                  {value, sought}, 0, 1, 2);
  }
  case 11:
    return moved(Type::Bool, depth);
  case 12:
    return ternary(Type::Bool, depth);
  case 13:
    return lookup(Type::Bool, depth);
  default:
    return comparison(depth);
  }
}

Term Generator::stringCompound(unsigned depth) {
  switch (random.below(8)) {
  case 0: {
    Term a = sop(Type::String, depth);
    Term b = random.percent(50) ? atom(Type::String) : sop(Type::String, depth);
    if (random.percent(30))
      std::swap(a, b);
    Term sum = map(Type::String, "($0 + $1)", {a, b}, 0, 0);
    for (const std::string &left : a.strings)
      for (const std::string &right : b.strings)
        sum.strings.push_back(left + right);
    return withStrings(sum, {});
  }
  case 1:
    return ternary(Type::String, depth);
  case 2:
    return lookup(Type::String, depth);
  case 3: {
    Term index = smallInt(depth, 3);
    Term letter = map(Type::String, "\"xab\"[$0]", {index}, 0, 0);
    letter.strings = {"a", "b", "x"};
    return withStrings(letter, {});
  }
  default:
    return moved(Type::String, depth);
  }
}
