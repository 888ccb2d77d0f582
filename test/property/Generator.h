//===- test/property/Generator.h - writes one program -----------*- C++ -*-===//
//
// The insides of ProgramGenerator.h.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_PROPERTY_GENERATOR_H
#define RASP_TEST_PROPERTY_GENERATOR_H

#include "test/property/ProgramGenerator.h"
#include <initializer_list>
#include <optional>

namespace rasp::property {

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

/// How many means there are of up to n of the values of `term`, roughly.
double countMeans(const Term &term, unsigned n);

} // namespace rasp::property

#endif
