//===- test/property/ProgramGenerator.cpp - random RASP programs ----------===//

#include "test/property/ProgramGenerator.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>

using namespace rasp::property;

namespace {

/// SplitMix64, so that programs do not depend on a library's distributions.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  unsigned below(unsigned bound) {
    return static_cast<unsigned>(next() % bound);
  }
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<unsigned>(high - low + 1)));
  }
  bool percent(unsigned chance) { return below(100) < chance; }
  template <typename T> const T &of(const std::vector<T> &items) {
    return items[below(static_cast<unsigned>(items.size()))];
  }
  std::string of(std::initializer_list<const char *> items) {
    return items.begin()[below(static_cast<unsigned>(items.size()))];
  }

private:
  uint64_t state;
};

/// A tree and what is estimated of its values.
struct Term {
  ExprRef expr;
  double low = 0, high = 1; ///< of numbers and bools
  /// The inputs, positions and aggregates that it is a function of: a number
  /// for each, and how many values that may have.
  std::vector<std::pair<unsigned, double>> sources;
  double size = 1;                  ///< how many values it may have
  std::vector<std::string> strings; ///< all that it may be, if a string

  Type type() const { return expr->type; }
  double combinations() const {
    double product = 1;
    for (auto [source, size] : sources)
      product *= size;
    return product;
  }
  bool mayBeZero() const { return low <= 0 && high >= 0; }
};

using Terms = std::vector<Term>;

class Generator {
public:
  Generator(uint64_t seed, const GeneratorOptions &options)
      : random(seed), options(options) {}

  RandomProgram generate();

private:
  static constexpr unsigned tokenSource = 0, indexSource = 1;

  void chooseInput();
  void addStatement(bool isOutput);
  void dropStatement();

  /// `pattern` applied position by position.
  Term map(Type type, std::string pattern, const Terms &operands, double low,
           double high);
  /// A new source: an aggregate, or something made of several.
  Term source(Type type, std::string pattern, const Terms &operands, double low,
              double high, double size);
  /// A string s-op gets the strings of all `from` that are strings.
  Term withStrings(Term term, const Terms &from);
  Term leafOf(Type type, std::string text, double low, double high,
              unsigned source, double size);
  Term atom(Type type);
  bool fits(const Term &term) const;

  Term sop(Type type, unsigned depth);
  Term number(unsigned depth);
  Term anything(unsigned depth);
  Term leaf(Type type);
  std::optional<Term> named(Type type);
  Term compound(Type type, unsigned depth);
  Term arithmetic(Type type, unsigned depth);
  Term intCompound(unsigned depth);
  Term floatCompound(unsigned depth);
  Term boolCompound(unsigned depth);
  Term stringCompound(unsigned depth);
  Term comparison(unsigned depth);
  Term ternary(Type type, unsigned depth);
  Term lookup(Type type, unsigned depth);
  Term mean(unsigned depth);
  Term moved(Type type, unsigned depth);
  Term smallInt(unsigned depth, int size);

  Term selector(unsigned depth);
  Term elementarySelector(unsigned depth);
  Term uniqueSelector(unsigned depth);

  Random random;
  GeneratorOptions options;
  RandomProgram program;
  Terms names; ///< by statement
  std::vector<bool> used;
  unsigned sources = 2;
};

} // namespace

static std::string number(int value) { return std::to_string(value); }

Term Generator::leafOf(Type type, std::string text, double low, double high,
                       unsigned source, double size) {
  Term term;
  term.expr = std::make_shared<Expr>(Expr{type, std::move(text), {}, -1});
  term.low = low;
  term.high = high;
  if (size > 1)
    term.sources.emplace_back(source, size);
  term.size = size;
  return term;
}

Term Generator::map(Type type, std::string pattern, const Terms &operands,
                    double low, double high) {
  Expr expr{type, std::move(pattern), {}, -1};
  Term term;
  for (const Term &operand : operands) {
    expr.operands.push_back(operand.expr);
    for (auto source : operand.sources)
      if (!llvm::is_contained(term.sources, source))
        term.sources.push_back(source);
  }
  term.expr = std::make_shared<Expr>(std::move(expr));
  term.low = low;
  term.high = high;
  term.size = term.combinations();
  if (type == Type::Int)
    term.size = std::min(term.size, high - low + 1);
  if (type == Type::Bool)
    term.size = std::min(term.size, 2.0);
  return term;
}

Term Generator::source(Type type, std::string pattern, const Terms &operands,
                       double low, double high, double size) {
  Term term = map(type, std::move(pattern), operands, low, high);
  term.size = size;
  term.sources = {{sources++, size}};
  return term;
}

Term Generator::withStrings(Term term, const Terms &from) {
  for (const Term &other : from)
    if (other.type() == Type::String)
      llvm::append_range(term.strings, other.strings);
  llvm::sort(term.strings);
  term.strings.erase(std::unique(term.strings.begin(), term.strings.end()),
                     term.strings.end());
  if (term.type() == Type::String)
    term.size = std::min(term.size, static_cast<double>(term.strings.size()));
  return term;
}

bool Generator::fits(const Term &term) const {
  return term.combinations() <= options.maxCombinations &&
         std::max(std::fabs(term.low), std::fabs(term.high)) <= 1000 &&
         term.strings.size() <= 16;
}

Term Generator::atom(Type type) {
  switch (type) {
  case Type::Int: {
    int value = random.between(-2, 5);
    return leafOf(type, ::number(value), value, value, 0, 1);
  }
  case Type::Float: {
    if (random.percent(40))
      return atom(Type::Int);
    std::string text = random.of(
        {"0.5", "1.5", "0.25", "2.0", "0.1", "3.75", "-0.5", "-1.2", "0.3333"});
    double value = std::stod(text);
    return leafOf(type, text, value, value, 0, 1);
  }
  case Type::Bool:
    return leafOf(type, random.of({"True", "False"}), 0, 1, 0, 1);
  default: {
    std::string text = random.percent(60) && program.tokens == "str"
                           ? random.of(program.vocabulary)
                           : random.of({"-", "x", "yz", ""});
    Term term = leafOf(Type::String, "\"" + text + "\"", 0, 0, 0, 1);
    term.strings = {text};
    return term;
  }
  }
}

// --- Leaves: names assigned before, and what the language brings. ------------

std::optional<Term> Generator::named(Type type) {
  std::vector<unsigned> fresh, all;
  for (unsigned i = 0; i < names.size(); ++i) {
    bool matches = names[i].type() == type ||
                   (type == Type::Float && names[i].type() == Type::Int);
    if (!matches)
      continue;
    all.push_back(i);
    if (!used[i])
      fresh.push_back(i);
  }
  if (all.empty())
    return std::nullopt;
  unsigned index =
      random.of(!fresh.empty() && random.percent(75) ? fresh : all);
  used[index] = true;
  Term term = names[index];
  term.expr = std::make_shared<Expr>(
      Expr{term.type(), {}, {}, static_cast<int>(index)});
  return term;
}

Term Generator::leaf(Type type) {
  if (random.percent(70))
    if (std::optional<Term> term = named(type))
      return *term;
  double n = options.maxSeqLen, v = program.vocabulary.size();
  bool hasNumbers =
      program.tokens != "str" || program.vocabulary.front() == "1";
  switch (type) {
  case Type::Float:
    if (program.tokens == "float" && random.percent(60))
      return leafOf(type, "tokens_float", -2, 3, tokenSource, v);
    return leaf(Type::Int);
  case Type::Int:
    if (hasNumbers && random.percent(50))
      return leafOf(type, "tokens_int", -2, 5, tokenSource, v);
    if (random.percent(65))
      return leafOf(type, "indices", 0, n - 1, indexSource, n);
    return source(type, "length", {}, 1, n, n);
  case Type::Bool:
    if (program.tokens == "bool" || program.tokens == "int")
      return leafOf(type, "tokens_bool", 0, 1, tokenSource, 2);
    return map(type, "($0 == $1)", {leaf(Type::String), atom(Type::String)}, 0,
               1);
  case Type::String: {
    Term term = leafOf(type, random.of({"tokens", "tokens", "tokens_str"}), 0,
                       0, tokenSource, v);
    term.strings = program.vocabulary;
    // The program sees ints and bools as Python writes them.
    if (program.tokens == "bool")
      term.strings = {"False", "True"};
    return term;
  }
  case Type::Selector:
    return leafOf(type,
                  random.percent(50)
                      ? "full_s"
                      : "select(indices, indices, " +
                            random.of({"<", "<=", "==", ">"}) + ")",
                  0, 0, 0, 1);
  }
  return {};
}

Term Generator::sop(Type type, unsigned depth) {
  for (unsigned attempt = 0; attempt < 6; ++attempt) {
    Term term = depth == 0 || random.percent(25) ? leaf(type)
                                                 : compound(type, depth - 1);
    if (fits(term))
      return term;
  }
  return leaf(type);
}

/// Mostly a number; sometimes a bool, which counts as one.
Term Generator::number(unsigned depth) {
  if (random.percent(4))
    return sop(Type::Bool, depth);
  return sop(random.percent(60) ? Type::Int : Type::Float, depth);
}

Term Generator::anything(unsigned depth) {
  unsigned choice = random.below(10);
  if (choice < 5)
    return number(depth);
  return sop(choice < 8 ? Type::String : Type::Bool, depth);
}

Term Generator::smallInt(unsigned depth, int size) {
  return map(Type::Int, "($0 % " + ::number(size) + ")",
             {sop(Type::Int, depth)}, 0, size - 1);
}

// --- Elementwise. ------------------------------------------------------------

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
      b = leafOf(Type::Int, ::number(divisor), divisor, divisor, 0, 1);
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
    return map(type, "($0 ^ " + ::number(exponent) + ")", {a},
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
      list += (byString ? "\"" + index.strings[i] + "\"" : ::number(i)) + ": ";
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

// --- Aggregates. -------------------------------------------------------------

/// How many means there are of up to n of `size` values.
static double countMeans(const Term &term, unsigned n) {
  double total = 1, multisets = 1;
  for (unsigned c = 1; c <= n; ++c) {
    multisets *= (term.size + c - 1) / c;
    double sums =
        term.type() == Type::Int ? (term.high - term.low) * c + 1 : multisets;
    total += std::min(multisets, sums);
  }
  return total;
}

Term Generator::mean(unsigned depth) {
  Term values = number(depth);
  for (unsigned attempt = 0;
       attempt < 4 &&
       countMeans(values, options.maxSeqLen) > options.maxCombinations / 8;
       ++attempt)
    values = attempt < 3
                 ? number(attempt < 2 ? 1 : 0)
                 : map(Type::Int, "indicator($0)", {sop(Type::Bool, 0)}, 0, 1);
  double size = countMeans(values, options.maxSeqLen);
  if (values.type() == Type::Bool)
    values = map(Type::Int, "indicator($0)", {values}, 0, 1);
  if (random.percent(12))
    return source(Type::Float, "average($0)", {values}, values.low, values.high,
                  size);
  Terms operands = {selector(depth), values};
  if (random.percent(50))
    return source(Type::Float, "aggregate($0, $1)", operands,
                  std::min(0.0, values.low), std::max(0.0, values.high), size);
  Term fallback = atom(Type::Float);
  return source(Type::Float,
                "aggregate($0, $1, " + fallback.expr->pattern + ")", operands,
                std::min(fallback.low, values.low),
                std::max(fallback.high, values.high), size);
}

/// Values of one type from other places, at most one for each (mostly).
Term Generator::moved(Type type, unsigned depth) {
  Term values = sop(type, depth);
  Term fallback = atom(type);
  const std::string &filler = fallback.expr->pattern;
  double low = std::min({0.0, fallback.low, values.low}),
         high = std::max({0.0, fallback.high, values.high});
  double size = values.size + 1;
  auto build = [&](std::string pattern, Terms operands) {
    return withStrings(
        source(type, std::move(pattern), operands, low, high, size),
        {values, fallback});
  };
  switch (random.below(10)) {
  case 0:
    return build("sort($0, $1)", {values, anything(depth)});
  case 1:
    // Without a default, a miss gives the int 0.
    if (type != Type::String || random.percent(20))
      return build("load_from_location($0, $1)",
                   {values, sop(Type::Int, depth)});
    return build("aggregate(select(indices, $1, ==), $0, " + filler + ")",
                 {values, sop(Type::Int, depth)});
  case 2:
  case 3:
    return build("shift($0, " + ::number(random.between(-2, 2)) + ", " +
                     filler + ")",
                 {values});
  case 4:
    if (values.expr->statement >= 0)
      return build("$0[" + ::number(random.between(-2, 2)) + "]", {values});
    [[fallthrough]];
  default:
    if (random.percent(type == Type::String ? 5 : 30))
      return build("aggregate($1, $0)", {values, uniqueSelector(depth)});
    return build(
        "aggregate($1, $0, " + filler + ")",
        {values, random.percent(95) ? uniqueSelector(depth) : selector(depth)});
  }
}

// --- By type. ----------------------------------------------------------------

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
  case 2:
    return map(Type::Bool, random.of({"($0 and $1)", "($0 or $1)"}),
               {sop(Type::Bool, depth),
                random.percent(90) ? sop(Type::Bool, depth) : anything(depth)},
               0, 1);
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

// --- Selectors. --------------------------------------------------------------

Term Generator::elementarySelector(unsigned depth) {
  std::string op = random.of({"==", "==", "!=", "<", "<=", ">", ">="});
  unsigned kind = random.below(20);
  Terms sides;
  if (kind < 4)
    sides = {leafOf(Type::Int, "indices", 0, 4, indexSource, 5),
             random.percent(50)
                 ? leafOf(Type::Int, "indices", 0, 4, indexSource, 5)
                 : number(depth)};
  else if (kind < 13)
    sides = {number(depth),
             random.percent(35) ? atom(Type::Float) : number(depth)};
  else if (kind < 17)
    sides = {sop(Type::String, depth), random.percent(35)
                                           ? atom(Type::String)
                                           : sop(Type::String, depth)};
  else if (kind < 19)
    sides = {sop(Type::Bool, depth),
             random.percent(70) ? atom(Type::Bool) : sop(Type::Bool, depth)};
  else {
    sides = {anything(depth), anything(depth)};
    op = random.of({"==", "!="});
  }
  if (random.percent(25))
    std::swap(sides[0], sides[1]);
  return map(Type::Selector, "select($0, $1, " + op + ")", sides, 0, 0);
}

Term Generator::selector(unsigned depth) {
  if (random.percent(12))
    return leaf(Type::Selector);
  unsigned choice = depth == 0 ? random.below(8) : random.below(20);
  unsigned below = depth == 0 ? 0 : depth - 1;
  Term result;
  if (choice < 8) {
    result = elementarySelector(below);
  } else if (choice < 10) {
    result = uniqueSelector(below);
  } else if (choice < 12) {
    result = map(Type::Selector, "(not $0)", {selector(below)}, 0, 0);
  } else {
    Terms parts = {selector(below), selector(below)};
    result = map(Type::Selector,
                 random.of({"($0 and $1)", "($0 and $1)", "($0 or $1)"}), parts,
                 0, 0);
  }
  // Selectors are no sources; what they compare has been counted before.
  result.sources.clear();
  result.size = 1;
  return result;
}

/// At most one key for each query.
Term Generator::uniqueSelector(unsigned depth) {
  unsigned below = depth == 0 ? 0 : depth - 1;
  auto makeSelector = [&](std::string pattern, const Terms &operands) {
    Term term = map(Type::Selector, std::move(pattern), operands, 0, 0);
    term.sources.clear();
    term.size = 1;
    return term;
  };
  switch (random.below(10)) {
  case 0:
    return makeSelector("select((indices + $0), indices, ==)",
                        {atom(Type::Int)});
  case 1:
    return makeSelector("select(indices, $0, ==)", {number(below)});
  case 2:
  case 3: {
    Term value = anything(below);
    return makeSelector(
        random.of({"select_from_first($0, $1)", "select_from_last($0, $1)"}),
        {value, atom(value.type())});
  }
  case 4:
    return makeSelector("select_next_identical($0)", {anything(below)});
  case 5:
    return makeSelector("(select(indices, $0, ==) and $1)",
                        {sop(Type::Int, below), selector(below)});
  default:
    return makeSelector("select(indices, $0, ==)", {sop(Type::Int, below)});
  }
}

// --- The whole. --------------------------------------------------------------

void Generator::chooseInput() {
  program.maxSeqLen = static_cast<unsigned>(
      random.between(std::min(2, static_cast<int>(options.maxSeqLen)),
                     static_cast<int>(options.maxSeqLen)));
  options.maxSeqLen = program.maxSeqLen;
  unsigned size = 2 + random.below(3);
  unsigned kind = random.below(20);
  std::vector<std::string> tokens;
  if (kind < 9) {
    tokens = {"a", "b", "c", "d"};
  } else if (kind < 12) {
    tokens = {"1", "2", "0", "3"}; // strings that are numbers
  } else if (kind < 16) {
    program.tokens = "int";
    tokens = {"-1", "0", "2", "1"};
  } else if (kind < 18) {
    program.tokens = "float";
    tokens = {"0.5", "-1.25", "2.0", "0.1"};
  } else {
    program.tokens = "bool";
    tokens = {"false", "true"};
  }
  tokens.resize(std::min<size_t>(size, tokens.size()));
  program.vocabulary = tokens;
}

void Generator::addStatement(bool isOutput) {
  unsigned choice = random.below(isOutput ? 9 : 12);
  Type type = choice < 3   ? Type::Int
              : choice < 5 ? Type::Float
              : choice < 7 ? Type::Bool
              : choice < 9 ? Type::String
                           : Type::Selector;
  Term term = compound(type, random.below(3));
  for (unsigned attempt = 0; attempt < 8 && !fits(term); ++attempt)
    term = compound(type, random.below(2));
  program.statements.push_back(term.expr);
  names.push_back(std::move(term));
  used.push_back(false);
}

void Generator::dropStatement() {
  program.statements.pop_back();
  names.pop_back();
  used.pop_back();
}

RandomProgram Generator::generate() {
  chooseInput();
  unsigned target = 1 + random.below(options.maxOperations);
  // Not all statements are live in the end, so their number says little.
  for (unsigned attempt = 0; attempt < options.maxOperations; ++attempt) {
    addStatement(true);
    unsigned operations = program.operations();
    if (operations > options.maxOperations) {
      dropStatement();
      continue;
    }
    if (operations >= target)
      return std::move(program);
    if (random.percent(30))
      addStatement(false);
  }
  while (!program.statements.empty() &&
         program.statements.back()->type == Type::Selector)
    dropStatement();
  if (program.statements.empty())
    program.statements.push_back(leaf(Type::String).expr);
  return std::move(program);
}

RandomProgram rasp::property::generateProgram(uint64_t seed,
                                              const GeneratorOptions &options) {
  return Generator(seed, options).generate();
}
