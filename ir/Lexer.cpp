//===- ir/Lexer.cpp - tokens of the textual forms -------------------------===//

#include "ir/Lexer.h"
#include "ir/QuotedText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <charconv>
#include <cmath>
#include <limits>

using namespace rasp::ir;
using llvm::StringRef;

static bool isWordChar(char c) { return llvm::isAlnum(c) || c == '_'; }
static bool isNameChar(char c) { return isWordChar(c) || c == '.'; }

Lexer::Lexer(unsigned bufferId, Diagnostics &diags, Brackets brackets)
    : theDiags(diags), brackets(brackets) {
  StringRef text = diags.sourceMgr().getMemoryBuffer(bufferId)->getBuffer();
  position = lastEnd = text.begin();
  end = text.end();
  next = lex();
}

Token Lexer::make(Token::Kind kind, const char *tokenEnd) {
  Token token{kind, StringRef(position, tokenEnd - position)};
  position = tokenEnd;
  return token;
}

Token Lexer::makeError(const char *tokenEnd) {
  reported = position;
  return make(Token::Error, tokenEnd);
}

Token Lexer::lexString() {
  bool isSymbol = *position == '@';
  QuotedText string = quotedAt(position + isSymbol, end);
  if (!checkQuoted(string, theDiags))
    return makeError(string.text.end());
  return make(isSymbol ? Token::Symbol : Token::String, string.text.end());
}

/// Up to the first bracket outside of strings.
Token Lexer::lexLabel() {
  const char *at = position + 1;
  while (at != end && *at != '\n' && *at != ']') {
    if (*at != '"') {
      ++at;
      continue;
    }
    QuotedText string = quotedAt(at, end);
    at = string.text.end();
    if (!checkQuoted(string, theDiags))
      return makeError(at);
  }
  if (at != end && *at == ']')
    return make(Token::Label, at + 1);
  Token token = makeError(at);
  theDiags.emit(token.range(), diag::UnterminatedLabel);
  return token;
}

Token Lexer::lex() {
  while (position != end) {
    StringRef rest(position, end - position);
    if (llvm::isSpace(*position))
      ++position;
    else if (rest.starts_with("//"))
      position += std::min(rest.find('\n'), rest.size());
    else
      break;
  }
  if (position == end)
    return make(Token::End, end);

  StringRef rest(position, end - position);
  auto until = [&](size_t skipped, auto holds) {
    StringRef tail = rest.drop_front(skipped);
    return position + skipped + tail.take_while(holds).size();
  };
  char first = rest.front(), second = rest.size() > 1 ? rest[1] : '\0';
  if (first == '"' || (first == '@' && second == '"'))
    return lexString();
  if (first == '[' && brackets == Brackets::Label)
    return lexLabel();
  if (first == '%' && isNameChar(second))
    return make(Token::ValueName, until(1, isNameChar));
  if (first == '@' && llvm::isDigit(second))
    return make(Token::Place,
                until(1, [](char c) { return llvm::isDigit(c) || c == ':'; }));
  if (first == '@' && isWordChar(second))
    return make(Token::Symbol, until(1, isNameChar));
  if (llvm::isDigit(first)) {
    auto digits = [&](const char *at) {
      while (at != end && llvm::isDigit(*at))
        ++at;
      return at;
    };
    const char *at = digits(position);
    // `0..3` is a range, `0.3` a number.
    if (at != end && *at == '.' && at + 1 != end && llvm::isDigit(at[1]))
      at = digits(at + 1);
    if (at != end && (*at == 'e' || *at == 'E')) {
      const char *exponent = at + 1;
      if (exponent != end && (*exponent == '+' || *exponent == '-'))
        ++exponent;
      if (exponent != end && llvm::isDigit(*exponent))
        at = digits(exponent);
    }
    return make(Token::Number, at);
  }
  if (isWordChar(first))
    return make(Token::Word, until(0, isWordChar));
  for (StringRef spelling : {"...", "..", "->", "==", "!=", "<=", ">="})
    if (rest.starts_with(spelling))
      return make(Token::Punctuation, position + spelling.size());
  if (StringRef("(){}[],:=+-*<>").contains(first))
    return make(Token::Punctuation, position + 1);

  size_t size = 1;
  while (size < rest.size() && (rest[size] & 0xc0) == 0x80)
    ++size;
  Token token = makeError(position + size);
  if (!llvm::json::isUTF8(token.text))
    theDiags.emit(token.range(), diag::NotUtf8, hexByte(first), "");
  else
    theDiags.emit(token.range(), diag::UnknownTextToken,
                  llvm::isPrint(first) || (first & 0x80)
                      ? ("`" + token.text + "`").str()
                      : "the byte 0x" + hexByte(first));
  return token;
}

Token Lexer::take() {
  Token taken = next;
  if (taken.kind == Token::End)
    return taken;
  lastEnd = taken.text.end();
  next = lex();
  return taken;
}

bool Lexer::startsLine() const {
  return StringRef(lastEnd, next.text.begin() - lastEnd).contains('\n');
}

bool Lexer::consume(StringRef spelling) {
  if (!next.is(spelling))
    return false;
  take();
  return true;
}

bool Lexer::expect(StringRef spelling) {
  if (consume(spelling))
    return true;
  unexpected(("`" + spelling + "`").str());
  return false;
}

void Lexer::unexpected(StringRef wanted) {
  if (next.text.begin() == reported)
    return;
  reported = next.text.begin();
  theDiags.emit(next.range(), diag::UnexpectedTextToken, wanted.str(),
                next.kind == Token::End
                    ? "the end of the text"
                    : ("`" + next.text.take_front(40) + "`").str());
}

std::string Lexer::unquote(const Token &token) const {
  StringRef quoted = token.text;
  quoted.consume_front("@");
  return llvm::cantFail(parseJSON(quoted)).asString().str();
}

std::string Lexer::nameOf(const Token &token) const {
  StringRef name = token.text.drop_front();
  return name.starts_with("\"") ? unquote(token) : name.str();
}

std::optional<Value> Lexer::parseValue() {
  if (next.kind == Token::String)
    return Value::string(unquote(take()));
  if (next.is("True") || next.is("False"))
    return Value::boolean(take().text == "True");
  Token first = next;
  bool negative = consume("-");
  if (next.kind != Token::Number) {
    unexpected("a value");
    return std::nullopt;
  }
  std::string text = ((negative ? "-" : "") + take().text).str();
  llvm::Expected<Value> value = parseJSON(text);
  if (value)
    return *value;
  llvm::consumeError(value.takeError());
  theDiags.emit(rangeFrom(first), diag::NumberTooLarge, text, "a value");
  return std::nullopt;
}

std::optional<double> Lexer::parseNumber() {
  bool negative = consume("-");
  double number = 0;
  if (next.is("inf")) {
    number = std::numeric_limits<double>::infinity();
  } else if (next.kind == Token::Number) {
    auto result = std::from_chars(next.text.begin(), next.text.end(), number);
    if (result.ec != std::errc()) {
      theDiags.emit(next.range(), diag::NumberTooLarge, next.text, "a number");
      return std::nullopt;
    }
  } else {
    unexpected("a number");
    return std::nullopt;
  }
  take();
  return negative ? -number : number;
}

std::optional<uint64_t> Lexer::parseCount(uint64_t most) {
  uint64_t count;
  if (next.kind != Token::Number || next.text.getAsInteger(10, count)) {
    unexpected("a count");
    return std::nullopt;
  }
  if (count > most) {
    theDiags.emit(next.range(), diag::NumberTooLarge, next.text,
                  ("a count, which is at most " + llvm::Twine(most)).str());
    return std::nullopt;
  }
  take();
  return count;
}

bool Lexer::parseValues(std::vector<Value> &values, StringRef close) {
  while (!next.is(close)) {
    if (!values.empty() && !expect(","))
      return false;
    std::optional<Value> value = parseValue();
    if (!value)
      return false;
    values.push_back(*value);
  }
  return true;
}

llvm::SMRange Lexer::rangeFrom(const Token &first) const {
  return {llvm::SMLoc::getFromPointer(first.text.begin()),
          llvm::SMLoc::getFromPointer(std::max(first.text.end(), lastEnd))};
}

void rasp::ir::printSymbol(llvm::raw_ostream &os, StringRef name) {
  os << '@';
  // What begins with a digit is a place.
  if (!name.empty() && isWordChar(name.front()) &&
      !llvm::isDigit(name.front()) && llvm::all_of(name, isNameChar))
    os << name;
  else
    printQuoted(os, name);
}
