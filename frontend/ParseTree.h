//===- frontend/ParseTree.h - what the ANTLR side shares --------*- C++ -*-===//
//
// Private to Parser.cpp, SyntaxErrors.cpp and ASTBuilder.cpp, the only files
// that see ANTLR.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_PARSETREE_H
#define RASP_FRONTEND_PARSETREE_H

#include "frontend/AST.h"
#include "frontend/Source.h"
#include "grammar/RASPLexer.h"
#include "grammar/RASPParser.h"

namespace rasp::frontend {

using grammar::RASPLexer;
using grammar::RASPParser;

/// All tokens of a file, which can be made to end early: a shell command ends
/// with its line.
class Tokens : public antlr4::CommonTokenStream {
public:
  explicit Tokens(antlr4::TokenSource *source) : CommonTokenStream(source) {
    fill();
    limit = size() - 1;
  }

  antlr4::Token *LT(ssize_t k) override {
    antlr4::Token *token = CommonTokenStream::LT(k);
    return token && token->getTokenIndex() > limit ? get(size() - 1) : token;
  }

  size_t type(size_t index) const { return get(index)->getType(); }
  /// Is this the first token of a line?
  bool startsLine(size_t index) const {
    return index == 0 || get(index)->getLine() != get(index - 1)->getLine();
  }

  /// Tokens from here on read as the end of the input.
  void endAt(size_t index) { limit = index - 1; }
  void endAtEnd() { limit = size() - 1; }
  bool endsEarly() const { return limit + 1 != _tokens.size(); }

private:
  size_t limit;
};

/// The bytes of a token; empty, after the token before it, for the end.
llvm::SMRange rangeOf(const Source &source, const Tokens &tokens,
                      const antlr4::Token *token);

/// Can the token begin a statement where it stands? Names do if an assignment
/// follows.
bool startsStatement(const Tokens &tokens, size_t index);

/// Says what is wrong, in our words, and gives up the statement by throwing
/// ParseCancellationException. Only a missing `;` is repaired on the spot.
class ErrorStrategy : public antlr4::ANTLRErrorStrategy {
public:
  ErrorStrategy(const Source &source, Tokens &tokens, ir::Diagnostics &diags)
      : source(source), tokens(tokens), diags(diags) {}

  /// Index of the token that stopped the last failed statement.
  size_t errorIndex() const { return failedAt; }
  /// A statement begins at this token.
  void startStatement(size_t index) { statementStart = index; }
  /// Emits and throws; for limits that the grammar does not know.
  [[noreturn]] void tooDeep(const antlr4::Token *token);

  /// Reports what follows a shell command on its line.
  void expectEndOfLine(const antlr4::Token *token);

  antlr4::Token *recoverInline(antlr4::Parser *parser) override;
  void reportError(antlr4::Parser *parser,
                   const antlr4::RecognitionException &error) override;
  [[noreturn]] void recover(antlr4::Parser *parser,
                            std::exception_ptr error) override;
  void reset(antlr4::Parser *) override {}
  void sync(antlr4::Parser *) override {}
  bool inErrorRecoveryMode(antlr4::Parser *) override { return false; }
  void reportMatch(antlr4::Parser *) override {}

private:
  /// Emits the error for `token` where one of `expected` is needed.
  void report(antlr4::Parser *parser, const antlr4::Token *token,
              const antlr4::misc::IntervalSet &expected);
  bool reportBadToken(const antlr4::Token *token);
  bool missesSemicolon(const antlr4::Token *token) const;
  void reportMissingSemicolon(const antlr4::Token *token);
  void noteOpenBracket(const antlr4::Token *token);
  std::string describe(const antlr4::Token *token) const;
  bool isPartOfNumber(const antlr4::Token *token) const;
  std::string hintFor(const antlr4::Token *token) const;

  const Source &source;
  Tokens &tokens;
  ir::Diagnostics &diags;
  size_t failedAt = 0;
  size_t statementStart = 0;
  std::vector<std::unique_ptr<antlr4::Token>> conjured;
};

/// Makes AST nodes from the parse tree of one statement.
class ASTBuilder {
public:
  ASTBuilder(const Source &source, ir::Diagnostics &diags,
             ast::Context &context)
      : source(source), diags(diags), context(context) {}

  const ast::Statement *build(RASPParser::StatementContext *tree);
  const ast::Statement *build(RASPParser::ShellCommandContext *tree);
  ast::Identifier identifier(const antlr4::Token *token);

private:
  using Tree = antlr4::ParserRuleContext;

  const ast::Expression *expression(Tree *tree);
  const ast::Expression *chain(Tree *tree);
  const ast::Expression *ternary(Tree *tree);
  const ast::Expression *prefixed(RASPParser::PrefixedContext *tree);
  const ast::Expression *postfixed(RASPParser::PostfixedContext *tree);
  const ast::Expression *primary(RASPParser::PrimaryContext *tree);
  const ast::Expression *integer(antlr4::Token *token);
  const ast::Expression *floating(antlr4::Token *token);
  const ast::Expression *list(RASPParser::ListContext *tree);
  const ast::Expression *dict(RASPParser::DictContext *tree);
  const ast::Expression *select(RASPParser::SelectContext *tree);
  const ast::Expression *range(RASPParser::RangeContext *tree);
  const ast::Expression *unary(ir::OpKind op, antlr4::Token *token, Tree *whole,
                               const ast::Expression *operand);

  const ast::Statement *loop(RASPParser::LoopContext *tree);

  ast::Expressions expressions(RASPParser::ExpressionsContext *tree);
  ast::Identifiers identifiers(RASPParser::NamesContext *tree);
  ast::Statements
  statements(const std::vector<RASPParser::StatementContext *> &trees);

  llvm::StringRef text(const antlr4::Token *token) const;
  llvm::SMRange rangeOf(const antlr4::Token *token) const;
  llvm::SMRange rangeOf(Tree *tree) const;

  const Source &source;
  ir::Diagnostics &diags;
  ast::Context &context;
};

} // namespace rasp::frontend

#endif
