//===- frontend/SyntaxErrors.cpp - what the parser says -------------------===//

#include "frontend/ParseTree.h"
#include "frontend/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace rasp;
using namespace rasp::frontend;
using antlr4::Token;
using antlr4::misc::IntervalSet;

llvm::SMRange frontend::rangeOf(const Source &source, const Tokens &tokens,
                                const Token *token) {
  if (token->getType() != Token::EOF)
    return source.range(token->getStartIndex(), token->getStopIndex() + 1);
  // The end is reported where the text ends, not after the last empty line.
  size_t index = token->getTokenIndex();
  size_t end = index == 0 ? 0 : tokens.get(index - 1)->getStopIndex() + 1;
  return source.range(end, end);
}

static bool isKeyword(size_t type) {
  return type >= RASPLexer::If && type <= RASPLexer::FullSeqDisplay;
}

bool frontend::startsStatement(const Tokens &tokens, size_t index) {
  switch (tokens.type(index)) {
  case RASPLexer::Def:
  case RASPLexer::LoadWord:
  case RASPLexer::DrawWord:
  case RASPLexer::Return:
  case RASPLexer::Set:
  case RASPLexer::Show:
  case RASPLexer::Examples:
    return true;
  case RASPLexer::For:
    return tokens.startsLine(index);
  case RASPLexer::Identifier:
    while (tokens.type(index) == RASPLexer::Identifier &&
           tokens.type(index + 1) == RASPLexer::Comma)
      index += 2;
    return tokens.type(index) == RASPLexer::Identifier &&
           tokens.type(index + 1) == RASPLexer::Assign;
  default:
    return false;
  }
}

static std::string inBackticks(llvm::StringRef text) {
  return ("`" + text + "`").str();
}

/// How a kind of token is called in messages.
static std::string nameOf(const antlr4::dfa::Vocabulary &vocabulary,
                          size_t type) {
  switch (type) {
  case RASPLexer::Identifier:
    return "a name";
  case RASPLexer::Integer:
  case RASPLexer::Float:
    return "a number";
  case RASPLexer::String:
    return "a string";
  case Token::EOF:
    return "the end of the line";
  default:
    // ANTLR's literals stand in single quotes.
    return inBackticks(
        llvm::StringRef(vocabulary.getLiteralName(type)).trim('\''));
  }
}

std::string ErrorStrategy::describe(const Token *token) const {
  if (token->getType() == Token::EOF)
    return tokens.endsEarly() ? "the end of the line" : "the end of the file";
  llvm::SMRange range = rangeOf(source, tokens, token);
  llvm::StringRef text(range.Start.getPointer(),
                       range.End.getPointer() - range.Start.getPointer());
  if (text.size() == 1 && !llvm::isPrint(text.front()))
    return llvm::formatv("the control character 0x{0:x-2}",
                         static_cast<unsigned char>(text.front()));
  if (text.size() > 40)
    return llvm::formatv("`{0}...`", text.take_front(36));
  return inBackticks(text);
}

/// Does the token touch digits?
bool ErrorStrategy::isPartOfNumber(const Token *token) const {
  const std::u32string &text = source.codePoints();
  auto isDigit = [&](size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  return isDigit(token->getStartIndex() - 1) ||
         isDigit(token->getStopIndex() + 1);
}

/// What to write instead, as the rest of a message, or nothing.
std::string ErrorStrategy::hintFor(const Token *token) const {
  size_t index = token->getTokenIndex();
  const Token *before = index > 0 ? tokens.get(index - 1) : nullptr;
  bool touches = before && before->getStopIndex() + 1 == token->getStartIndex();
  size_t previous = before ? before->getType() : 0;

  switch (token->getType()) {
  case RASPLexer::NotEqual:
    return "; outside `select` write `not (a == b)`";
  case RASPLexer::Assign:
    return "; equality is `==`";
  case RASPLexer::Star:
    if (touches && previous == RASPLexer::Star)
      return "; power is `^`";
    break;
  case RASPLexer::Slash:
    if (touches && previous == RASPLexer::Slash)
      return "; there is no integer division, `(a - a % b) / b` computes it";
    break;
  case RASPLexer::Identifier:
    if (touches && previous == RASPLexer::Integer)
      return "; numbers have digits and at most one point";
    break;
  case RASPLexer::CloseParen:
  case RASPLexer::CloseBracket:
  case RASPLexer::CloseBrace:
    if (previous == RASPLexer::Comma)
      return "; a list does not end in a comma";
    break;
  case RASPLexer::Return:
    return "; `return` stands at the end of a function's body alone";
  case RASPLexer::UnknownCharacter:
    return llvm::StringSwitch<std::string>(token->getText())
        .Case("'", "; strings stand in double quotes")
        .Case("&", "; write `and`")
        .Case("|", "; write `or`")
        .Case("!", "; write `not`")
        .Case(".", isPartOfNumber(token)
                       ? "; a float has digits on both sides of its point"
                       : "")
        .Default("");
  default:
    break;
  }
  return "";
}

/// Reports tokens that are wrong wherever they stand.
bool ErrorStrategy::reportBadToken(const Token *token) {
  llvm::SMRange range = rangeOf(source, tokens, token);
  switch (token->getType()) {
  case RASPLexer::UnterminatedString:
    diags.emit(range, ir::diag::UnterminatedString);
    return true;
  case RASPLexer::UnknownCharacter:
    diags.emit(range, ir::diag::UnknownCharacter, describe(token),
               hintFor(token));
    return true;
  default:
    return false;
  }
}

bool ErrorStrategy::missesSemicolon(const Token *token) const {
  size_t index = token->getTokenIndex();
  return token->getType() == Token::EOF ||
         token->getType() == RASPLexer::CloseBrace ||
         (index > 0 && tokens.startsLine(index)) ||
         startsStatement(tokens, index);
}

/// The `;` is missing after the token before this one.
void ErrorStrategy::reportMissingSemicolon(const Token *token) {
  size_t end = tokens.get(token->getTokenIndex() - 1)->getStopIndex() + 1;
  diags.emit(source.range(end, end), ir::diag::MissingSemicolon)
      .fixIt.push_back(';');
}

static bool opens(size_t type, size_t closer) {
  switch (type) {
  case RASPLexer::OpenBracket:
    return closer == RASPLexer::CloseBracket;
  case RASPLexer::OpenBrace:
    return closer == RASPLexer::CloseBrace;
  case RASPLexer::OpenParen:
  case RASPLexer::SelectOpen:
  case RASPLexer::AggregateOpen:
  case RASPLexer::RangeOpen:
  case RASPLexer::ZipOpen:
  case RASPLexer::LenOpen:
    return closer == RASPLexer::CloseParen;
  default:
    return false;
  }
}

static bool closes(size_t type) {
  return type == RASPLexer::CloseParen || type == RASPLexer::CloseBracket ||
         type == RASPLexer::CloseBrace;
}

/// Points at the innermost bracket that is open before `token`, if it is in
/// another place than the error.
void ErrorStrategy::noteOpenBracket(const Token *token) {
  std::vector<const Token *> open;
  for (size_t i = statementStart; i < token->getTokenIndex(); ++i) {
    size_t type = tokens.type(i);
    if (closes(type) && !open.empty())
      open.pop_back();
    else if (opens(type, RASPLexer::CloseParen) ||
             opens(type, RASPLexer::CloseBracket) ||
             opens(type, RASPLexer::CloseBrace))
      open.push_back(tokens.get(i));
  }
  if (!open.empty())
    diags.emit(rangeOf(source, tokens, open.back()), ir::diag::OpenedHere,
               describe(open.back()));
}

/// Could the bracket that is open hold more items?
static bool takesMore(antlr4::ParserRuleContext *tree) {
  if (auto *list = dynamic_cast<RASPParser::ListContext *>(tree))
    return !list->comprehension();
  if (auto *dict = dynamic_cast<RASPParser::DictContext *>(tree))
    return !dict->comprehension();
  if (auto *aggregate = dynamic_cast<RASPParser::AggregateContext *>(tree))
    return aggregate->expression().size() == 2;
  return dynamic_cast<RASPParser::CallContext *>(tree) ||
         dynamic_cast<RASPParser::RangeContext *>(tree) ||
         dynamic_cast<RASPParser::ZipContext *>(tree);
}

/// What the brackets of this expression take, as the rest of a message.
static std::string argumentsOf(antlr4::ParserRuleContext *tree) {
  if (dynamic_cast<RASPParser::SelectContext *>(tree))
    return "; `select` takes a key, a query and a comparison";
  if (dynamic_cast<RASPParser::AggregateContext *>(tree))
    return "; `aggregate` takes a selector, values and perhaps a default";
  return "";
}

void ErrorStrategy::report(antlr4::Parser *parser, const Token *token,
                           const IntervalSet &expected) {
  failedAt = token->getTokenIndex();
  if (reportBadToken(token))
    return;
  llvm::SMRange range = rangeOf(source, tokens, token);
  size_t rule = parser->getContext()->getRuleIndex();
  std::string found = describe(token);
  std::string hint = hintFor(token);
  auto unexpected = [&](const std::string &needed) {
    diags.emit(range, ir::diag::UnexpectedToken, needed, found, hint);
  };

  if (expected.contains(size_t(RASPLexer::Semicolon)) &&
      failedAt > statementStart && missesSemicolon(token) &&
      (hint.empty() || token->getType() == RASPLexer::Return))
    return reportMissingSemicolon(token);

  if (expected.size() == 1) {
    size_t needed = expected.getSingleElement();
    if (needed == RASPLexer::Identifier && isKeyword(token->getType())) {
      diags.emit(range, ir::diag::KeywordAsName, found);
      return;
    }
    if (needed == RASPLexer::Semicolon)
      return unexpected("an operator or `;`");
    if (needed == RASPLexer::Comma && closes(token->getType()))
      hint = argumentsOf(parser->getContext());
    if (needed == RASPLexer::CloseBrace &&
        dynamic_cast<RASPParser::DefinitionContext *>(parser->getContext())) {
      diags.emit(range, ir::diag::UnexpectedToken, "`}` after `return`", found,
                 "; `return` is the last statement of a function");
      return;
    }
    unexpected(llvm::formatv("{0}{1}",
                             takesMore(parser->getContext()) ? "`,` or " : "",
                             nameOf(parser->getVocabulary(), needed)));
    if (closes(needed))
      noteOpenBracket(token);
    return;
  }

  if (rule == RASPParser::RuleStatement && failedAt == statementStart) {
    if (isKeyword(token->getType()) && token->getType() != RASPLexer::Return &&
        tokens.type(failedAt + 1) == RASPLexer::Assign) {
      diags.emit(range, ir::diag::KeywordAsName, found);
      return;
    }
    if (token->getType() == RASPLexer::Semicolon)
      hint = "; statements end in one `;`, blocks in `}` alone";
    return unexpected("a statement");
  }
  if (rule == RASPParser::RuleStatement) // a name, then something strange
    return unexpected(expected.contains(size_t(RASPLexer::CloseBrace))
                          ? "a statement, `return` or `}`"
                          : "`=`, an operator or `;`");
  if (expected.contains(size_t(RASPLexer::String))) {
    if (isKeyword(token->getType()) && hint.empty())
      hint = "; it is a keyword";
    return unexpected("an expression");
  }

  std::vector<std::string> names;
  for (ssize_t type : expected.toList())
    names.push_back(nameOf(parser->getVocabulary(), type));
  unexpected(llvm::join(names, " or "));
}

Token *ErrorStrategy::recoverInline(antlr4::Parser *parser) {
  Token *token = parser->getCurrentToken();
  IntervalSet expected = parser->getExpectedTokens();
  report(parser, token, expected);
  if (expected.contains(size_t(RASPLexer::Semicolon)) &&
      missesSemicolon(token) &&
      diags.all().back().name == ir::diag::MissingSemicolon.name) {
    auto semicolon =
        std::make_unique<antlr4::CommonToken>(RASPLexer::Semicolon);
    semicolon->setText(";");
    size_t end = tokens.get(token->getTokenIndex() - 1)->getStopIndex();
    semicolon->setStartIndex(end);
    semicolon->setStopIndex(end);
    conjured.push_back(std::move(semicolon));
    return conjured.back().get();
  }
  throw antlr4::ParseCancellationException();
}

void ErrorStrategy::reportError(antlr4::Parser *parser,
                                const antlr4::RecognitionException &error) {
  report(parser, error.getOffendingToken(), parser->getExpectedTokens());
}

void ErrorStrategy::recover(antlr4::Parser *, std::exception_ptr) {
  throw antlr4::ParseCancellationException();
}

void ErrorStrategy::tooDeep(const Token *token) {
  failedAt = token->getTokenIndex();
  diags.emit(rangeOf(source, tokens, token), ir::diag::NestedTooDeep,
             maxNesting);
  throw antlr4::ParseCancellationException();
}

void ErrorStrategy::expectEndOfLine(const Token *token) {
  if (!reportBadToken(token))
    diags.emit(rangeOf(source, tokens, token), ir::diag::UnexpectedToken,
               "the end of the line", describe(token),
               "; a command of the shell ends with its line");
}
