//===- frontend/Parser.cpp - from text to AST -----------------------------===//

#include "frontend/Parser.h"
#include "frontend/ParseTree.h"

using namespace rasp;
using namespace rasp::frontend;

namespace {

/// ANTLR's input made of code points that are decoded already.
class CodePoints : public antlr4::ANTLRInputStream {
public:
  explicit CodePoints(const std::u32string &points) {
    _data = points;
    p = 0;
  }
};

/// The generated parser with a limit on nesting.
class LimitedParser : public RASPParser {
public:
  LimitedParser(Tokens &tokens, const std::shared_ptr<ErrorStrategy> &strategy)
      : RASPParser(&tokens), strategy(strategy.get()) {
    setErrorHandler(strategy);
    removeErrorListeners();
    getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(
        antlr4::atn::PredictionMode::SLL);
  }

  void enterRule(antlr4::ParserRuleContext *tree, size_t state,
                 size_t rule) override {
    RASPParser::enterRule(tree, state, rule);
    if (!nests(rule))
      return;
    // Nothing is called when a rule ends; so what is not above this one in the
    // tree has ended.
    antlr4::tree::ParseTree *outer = tree->parent;
    while (
        outer &&
        !nests(static_cast<antlr4::ParserRuleContext *>(outer)->getRuleIndex()))
      outer = outer->parent;
    while (!open.empty() && open.back() != outer)
      open.pop_back();
    if (open.size() == maxNesting)
      strategy->tooDeep(getCurrentToken());
    open.push_back(tree);
  }

  /// A labelled alternative puts another node in the place of the rule's.
  void enterOuterAlt(antlr4::ParserRuleContext *tree, size_t alt) override {
    if (!open.empty() && open.back() == getContext())
      open.back() = tree;
    RASPParser::enterOuterAlt(tree, alt);
  }

  /// Forgets the tree of the last statement.
  void startStatement() {
    getTreeTracker().reset();
    setContext(nullptr);
    open.clear();
  }

private:
  static bool nests(size_t rule) {
    return rule == RuleExpression || rule == RuleStatement;
  }

  ErrorStrategy *strategy;
  /// The expressions and statements around the current token.
  std::vector<const antlr4::tree::ParseTree *> open;
};

class FileParser {
public:
  FileParser(const Source &source, ir::Diagnostics &diags,
             ast::Context &context)
      : diags(diags), context(context), builder(source, diags, context),
        input(source.codePoints()), lexer(&input), tokens(silenced(lexer)),
        strategy(std::make_shared<ErrorStrategy>(source, tokens, diags)),
        parser(tokens, strategy) {}

  void run(ast::Module &module);

private:
  static antlr4::TokenSource *silenced(RASPLexer &lexer) {
    lexer.removeErrorListeners();
    return &lexer;
  }

  /// What the statement at the current token says, or null after an error.
  const ast::Statement *statement();
  /// What the line at the current token says, Broken after an error.
  const ast::Statement *shellCommand();

  /// Calls a rule of the parser; null after an error.
  template <typename Tree> Tree *tryRule(Tree *(RASPParser::*rule)());

  bool startsShellCommand(size_t index) const;
  size_t endOfLine(size_t index) const;

  /// After an error in the statement that began at `start`: moves to where
  /// the next can begin, reporting further errors of the same block.
  void resynchronise(size_t start);
  void followBraces(size_t begin, size_t end);
  size_t skip(size_t start, size_t index);
  const ast::Statement *broken(size_t begin, size_t end);

  enum class Brace : uint8_t { Dict, Block };

  ir::Diagnostics &diags;
  ast::Context &context;
  ASTBuilder builder;
  CodePoints input;
  RASPLexer lexer;
  Tokens tokens;
  std::shared_ptr<ErrorStrategy> strategy;
  LimitedParser parser;
  /// Braces open around the current token; used during recovery alone.
  std::vector<Brace> braces;
};

} // namespace

template <typename Tree>
Tree *FileParser::tryRule(Tree *(RASPParser::*rule)()) {
  parser.startStatement();
  strategy->startStatement(tokens.index());
  try {
    return (parser.*rule)();
  } catch (const antlr4::ParseCancellationException &) {
    return nullptr;
  }
}

void FileParser::run(ast::Module &module) {
  while (tokens.LA(1) != antlr4::Token::EOF) {
    size_t start = tokens.index();
    if (diags.errorCount() >= maxErrors) {
      diags.emit(builder.identifier(tokens.get(start)).range,
                 ir::diag::TooManyErrors, diags.errorCount());
      auto *rest = context.create<ast::Broken>({});
      rest->loads = true;
      module.statements.push_back(rest);
      return;
    }
    const ast::Statement *parsed =
        startsShellCommand(start) ? shellCommand() : statement();
    if (!parsed) {
      resynchronise(start);
      parsed = broken(start, tokens.index());
    }
    module.statements.push_back(parsed);
  }
}

const ast::Statement *FileParser::statement() {
  RASPParser::StatementContext *tree = tryRule(&RASPParser::statement);
  return tree ? builder.build(tree) : nullptr;
}

const ast::Statement *FileParser::shellCommand() {
  size_t start = tokens.index(), end = endOfLine(start);
  tokens.endAt(end);
  RASPParser::ShellCommandContext *tree = tryRule(&RASPParser::shellCommand);
  if (tree && tokens.LA(1) != antlr4::Token::EOF) {
    strategy->expectEndOfLine(tokens.LT(1));
    tree = nullptr;
  }
  tokens.endAtEnd();
  tokens.seek(end);
  return tree ? builder.build(tree) : broken(start, end);
}

bool FileParser::startsShellCommand(size_t index) const {
  switch (tokens.type(index)) {
  case RASPLexer::Set:
  case RASPLexer::Show:
  case RASPLexer::Examples:
  case RASPLexer::Selector:
  case RASPLexer::FullSeqDisplay:
  case RASPLexer::Exit:
  case RASPLexer::Quit:
    return true;
  case RASPLexer::Identifier:
    // `s-op examples on`
    return index + 3 < const_cast<Tokens &>(tokens).size() &&
           tokens.type(index + 1) == RASPLexer::Minus &&
           tokens.type(index + 2) == RASPLexer::Identifier &&
           tokens.type(index + 3) == RASPLexer::Examples;
  default:
    return false;
  }
}

static int bracketStep(size_t type) {
  switch (type) {
  case RASPLexer::OpenParen:
  case RASPLexer::OpenBracket:
  case RASPLexer::OpenBrace:
  case RASPLexer::SelectOpen:
  case RASPLexer::AggregateOpen:
  case RASPLexer::RangeOpen:
  case RASPLexer::ZipOpen:
  case RASPLexer::LenOpen:
    return 1;
  case RASPLexer::CloseParen:
  case RASPLexer::CloseBracket:
  case RASPLexer::CloseBrace:
    return -1;
  default:
    return 0;
  }
}

/// The index after the last token of the line, where open brackets continue it.
size_t FileParser::endOfLine(size_t index) const {
  int open = 0;
  do {
    open += bracketStep(tokens.type(index));
    ++index;
  } while (tokens.type(index) != antlr4::Token::EOF &&
           (open > 0 || !tokens.startsLine(index)));
  return index;
}

/// Can an expression end in such a token? An opening brace after it begins a
/// block, any other a dict.
static bool endsExpression(size_t type) {
  switch (type) {
  case RASPLexer::Identifier:
  case RASPLexer::Integer:
  case RASPLexer::Float:
  case RASPLexer::String:
  case RASPLexer::CloseParen:
  case RASPLexer::CloseBracket:
  case RASPLexer::CloseBrace:
    return true;
  default:
    return false;
  }
}

void FileParser::followBraces(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    if (tokens.type(i) == RASPLexer::OpenBrace)
      braces.push_back(i > begin && endsExpression(tokens.type(i - 1))
                           ? Brace::Block
                           : Brace::Dict);
    else if (tokens.type(i) == RASPLexer::CloseBrace && !braces.empty())
      braces.pop_back();
  }
}

/// The index where a statement can begin after the error at `index` in the one
/// that began at `start`.
size_t FileParser::skip(size_t start, size_t index) {
  for (size_t i = index; tokens.type(i) != antlr4::Token::EOF; ++i) {
    if (i > start && tokens.startsLine(i) &&
        tokens.type(i - 1) != RASPLexer::Comma &&
        (startsStatement(tokens, i) || startsShellCommand(i))) {
      // A definition at the left margin is not part of an open block.
      if (tokens.type(i) == RASPLexer::Def &&
          tokens.get(i)->getCharPositionInLine() == 0)
        braces.clear();
      while (!braces.empty() && braces.back() == Brace::Dict)
        braces.pop_back();
      return i;
    }
    size_t openBefore = braces.size();
    bool closesBlock = tokens.type(i) == RASPLexer::CloseBrace &&
                       (braces.empty() || braces.back() == Brace::Block);
    followBraces(i, i + 1);
    if (braces.size() > openBefore && i > start &&
        endsExpression(tokens.type(i - 1)))
      braces.back() = Brace::Block;
    if (closesBlock)
      return i + 1;
    if (tokens.type(i) == RASPLexer::Semicolon) {
      while (!braces.empty() && braces.back() == Brace::Dict)
        braces.pop_back();
      return i + 1;
    }
  }
  braces.clear();
  return tokens.size() - 1;
}

void FileParser::resynchronise(size_t start) {
  braces.clear();
  for (;;) {
    if (diags.errorCount() >= maxErrors)
      return;
    size_t error = std::max(start, strategy->errorIndex());
    followBraces(start, error);
    tokens.seek(skip(start, error));
    for (;;) {
      if (braces.empty() || tokens.LA(1) == antlr4::Token::EOF)
        return;
      if (tokens.LA(1) == RASPLexer::CloseBrace) {
        tokens.consume();
        braces.pop_back();
        continue;
      }
      start = tokens.index();
      bool good = tokens.LA(1) == RASPLexer::Return
                      ? tryRule(&RASPParser::returned) != nullptr
                      : tryRule(&RASPParser::statement) != nullptr;
      if (!good)
        break;
    }
  }
}

/// Stands for tokens `begin` to `end`.
const ast::Statement *FileParser::broken(size_t begin, size_t end) {
  std::vector<ast::Identifier> targets;
  bool loads = false;
  for (size_t i = begin; i < end; ++i) {
    size_t type = tokens.type(i);
    loads |= type == RASPLexer::LoadWord;
    if (type != RASPLexer::Identifier)
      continue;
    // `def f`, `for a, b in` and `a, b =`
    size_t last = i;
    while (last + 2 < end && tokens.type(last + 1) == RASPLexer::Comma &&
           tokens.type(last + 2) == RASPLexer::Identifier)
      last += 2;
    size_t before = i > begin ? tokens.type(i - 1) : 0;
    if (before == RASPLexer::Def || before == RASPLexer::For ||
        (last + 1 < end && tokens.type(last + 1) == RASPLexer::Assign))
      for (size_t name = i; name <= last; name += 2)
        targets.push_back(builder.identifier(tokens.get(name)));
    i = last;
  }
  auto *statement =
      context.create<ast::Broken>(builder.identifier(tokens.get(begin)).range);
  statement->targets = context.copy(llvm::ArrayRef(targets));
  statement->loads = loads;
  return statement;
}

ast::Module frontend::parse(unsigned bufferId, ir::Diagnostics &diags,
                            ast::Context &context) {
  ast::Module module;
  unsigned before = diags.errorCount();
  if (std::optional<Source> source = Source::read(bufferId, diags))
    FileParser(*source, diags, context).run(module);
  module.hasErrors = diags.errorCount() != before;
  return module;
}
