//===- backend/tools/shell/ReferenceRules.cpp - odd syntax rules ----------===//

#include "backend/tools/shell/ReferenceRules.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::shell;
using llvm::StringRef;

namespace {

struct Bracket {
  size_t token; ///< the one that opens it
  /// Parentheses that only group, brackets of an index, braces of a block.
  bool isSpecial;
};

/// Looks at the tokens one after the other.
class Scanner {
public:
  explicit Scanner(StringRef text) : rest(text) {}
  std::optional<BrokenRule> run();

private:
  bool next();
  StringRef before(size_t back) const {
    return back < tokens.size() ? tokens[tokens.size() - 1 - back] : "";
  }
  static bool endsValue(StringRef token);
  std::optional<BrokenRule> open();
  std::optional<BrokenRule> close();
  std::optional<BrokenRule> startStatement();

  StringRef rest;
  llvm::SmallVector<StringRef> tokens;
  llvm::SmallVector<Bracket> brackets;
  /// Of the bracket that was closed last: was it a group, and where.
  std::optional<size_t> group;
  const char *statementEnd = nullptr;
};

} // namespace

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

bool Scanner::next() {
  for (;;) {
    rest = rest.ltrim(" \t\r\n");
    if (rest.empty())
      return false;
    if (rest.front() != '#')
      break;
    rest = rest.drop_until([](char c) { return c == '\n'; });
  }
  size_t size = 1;
  if (rest.front() == '"')
    size = rest.find('"', 1) + 1;
  else if (isWord(rest.front()))
    size = rest.take_while(isWord).size();
  tokens.push_back(rest.take_front(size));
  rest = rest.drop_front(size);
  return true;
}

bool Scanner::endsValue(StringRef token) {
  static constexpr llvm::StringLiteral operators[] = {
      "in", "if", "else", "and", "or", "not", "return"};
  return !token.empty() &&
         (StringRef(")]}\"").contains(token.back()) ||
          (isWord(token.back()) && !llvm::is_contained(operators, token)));
}

std::optional<BrokenRule> Scanner::open() {
  StringRef token = before(0), previous = before(1);
  bool afterValue = endsValue(previous);
  if (token == "(" && previous.end() != token.begin() &&
      llvm::is_contained({"select", "aggregate", "range", "zip", "len"},
                         previous))
    return BrokenRule{previous, "a blank stands between `" + previous.str() +
                                    "` and its parenthesis"};
  if (token == "[" && afterValue && previous == ")" && group)
    return BrokenRule{tokens[*group],
                      "parentheses stand around what is indexed"};
  brackets.push_back(
      {tokens.size() - 1, token == "(" ? !afterValue : afterValue});
  return std::nullopt;
}

std::optional<BrokenRule> Scanner::close() {
  if (brackets.empty())
    return std::nullopt;
  Bracket bracket = brackets.pop_back_val();
  StringRef token = before(0);
  if (token == "]" && bracket.isSpecial && before(1) == ")" && group &&
      *group == bracket.token + 1)
    return BrokenRule{tokens[*group], "parentheses stand around an index"};
  group.reset();
  if (token == ")" && bracket.isSpecial)
    group = bracket.token;
  if (token == "}" && bracket.isSpecial && brackets.empty())
    statementEnd = token.end();
  return std::nullopt;
}

std::optional<BrokenRule> Scanner::startStatement() {
  StringRef between(statementEnd, before(0).begin() - statementEnd);
  statementEnd = nullptr;
  if (between.contains('\n'))
    return std::nullopt;
  return BrokenRule{before(0), "a second statement stands on the line"};
}

std::optional<BrokenRule> Scanner::run() {
  while (next()) {
    std::optional<BrokenRule> broken;
    if (statementEnd)
      if ((broken = startStatement()))
        return broken;
    StringRef token = before(0);
    if (token == "(" || token == "[" || token == "{")
      broken = open();
    else if (token == ")" || token == "]" || token == "}")
      broken = close();
    else if (token == ";" && brackets.empty())
      statementEnd = token.end();
    if (broken)
      return broken;
  }
  return std::nullopt;
}

std::optional<BrokenRule> rasp::shell::findBrokenRule(StringRef text) {
  return Scanner(text).run();
}
