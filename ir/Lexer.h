//===- ir/Lexer.h - tokens of the textual forms -----------------*- C++ -*-===//
//
// The texts of the RASP IR (ir/Parser.h) and of circuits share their tokens:
//
//   word        aggregate, True, max_seq_len
//   value name  %length, %opp_index.sub, %sorted.select.2
//   symbol      @reverse, @flip.sel_and, @"a name with spaces"
//   place       @3:11, line and column of the program's text
//   number      12, 0.5, 1e-07; a sign is a token of its own
//   string      "a", with the escapes of JSON
//   punctuation ( ) { } [ ] , : = + - * < > <= >= == != .. ... ->
//
// In circuits, brackets hold the label of a direction
// (backend/CircuitParser.h):
//
//   label       [tokens:a], [h:>=2], [tokens:"]"], [length#2]
//
// A comment begins with `//` and ends with its line.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_LEXER_H
#define RASP_IR_LEXER_H

#include "ir/Diagnostics.h"
#include "ir/Value.h"

namespace rasp::ir {

struct Token {
  enum Kind : uint8_t {
    Word,
    ValueName,
    Symbol,
    Place,
    Number,
    String,
    Label,
    Punctuation,
    End,
    Error, ///< something that is no token; the lexer has said so
  };
  Kind kind = End;
  /// The text as it stands in the buffer.
  llvm::StringRef text;

  bool is(llvm::StringRef spelling) const {
    return (kind == Word || kind == Punctuation) && text == spelling;
  }
  llvm::SMRange range() const {
    return {llvm::SMLoc::getFromPointer(text.begin()),
            llvm::SMLoc::getFromPointer(text.end())};
  }
};

/// Cuts a buffer into tokens, one ahead of the reader. Everything that is
/// common to the parsers above it stands here: what was expected, literals.
class Lexer {
public:
  /// What a bracket begins.
  enum class Brackets : uint8_t { List, Label };

  Lexer(unsigned bufferId, Diagnostics &diags,
        Brackets brackets = Brackets::List);

  const Token &peek() const { return next; }
  Token take();
  /// Whether the next token is the first of its line.
  bool startsLine() const;
  /// Takes the next token if it is `spelling`.
  bool consume(llvm::StringRef spelling);
  /// The same, and an error otherwise.
  bool expect(llvm::StringRef spelling);
  /// Reports that something else stands here; one error for each place.
  void unexpected(llvm::StringRef wanted);

  /// What a String token, or a quoted Symbol, stands for.
  std::string unquote(const Token &token) const;
  /// Of a ValueName or Symbol: the name without its sigil.
  std::string nameOf(const Token &token) const;

  /// `True`, `-1`, `0.5`, `"a"`; none after an error.
  std::optional<Value> parseValue();
  /// A finite number or `inf`, with its sign.
  std::optional<double> parseNumber();
  /// A number without sign, point and exponent, up to `most`.
  std::optional<uint64_t> parseCount(uint64_t most);
  /// Values with commas between them; the next token is `close` afterwards.
  bool parseValues(std::vector<Value> &values, llvm::StringRef close);

  Diagnostics &diags() { return theDiags; }
  /// From the begin of `first` to the end of the last token taken.
  llvm::SMRange rangeFrom(const Token &first) const;

private:
  Token lex();
  Token make(Token::Kind kind, const char *end);
  Token lexString();
  Token lexLabel();
  /// What is no token; the message is up to the caller.
  Token makeError(const char *end);

  Diagnostics &theDiags;
  Brackets brackets;
  const char *position, *end;
  const char *lastEnd;
  const char *reported = nullptr;
  Token next;
};

/// Writes `@name`, in quotes where the name needs them.
void printSymbol(llvm::raw_ostream &os, llvm::StringRef name);

} // namespace rasp::ir

#endif
