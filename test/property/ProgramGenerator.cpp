//===- test/property/ProgramGenerator.cpp - random RASP programs ----------===//

#include "test/property/Generator.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp::property;

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
    return leafOf(type, std::to_string(value), value, value, 0, 1);
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
  return map(Type::Int, "($0 % " + std::to_string(size) + ")",
             {sop(Type::Int, depth)}, 0, size - 1);
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
