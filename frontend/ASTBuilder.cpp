//===- frontend/ASTBuilder.cpp - from parse tree to AST -------------------===//
//
// The rules of the binary levels all have the shape `operand (op operand)*`,
// and most of them hold a single operand: a name passes through nine of them.
// `chain` walks down such a chain in a loop and makes a node only where there
// is an operator.
//
//===----------------------------------------------------------------------===//

#include "frontend/ParseTree.h"
#include <cmath>

using namespace rasp;
using namespace rasp::frontend;
using antlr4::Token;
using ir::OpKind;

using Tree = antlr4::ParserRuleContext;

static Tree *child(Tree *tree, size_t i) {
  return static_cast<Tree *>(tree->children[i]);
}

static Token *tokenAt(Tree *tree, size_t i) {
  return static_cast<antlr4::tree::TerminalNode *>(tree->children[i])
      ->getSymbol();
}

llvm::SMRange ASTBuilder::rangeOf(const Token *token) const {
  return source.range(token->getStartIndex(), token->getStopIndex() + 1);
}

llvm::SMRange ASTBuilder::rangeOf(::Tree *tree) const {
  return source.range(tree->getStart()->getStartIndex(),
                      tree->getStop()->getStopIndex() + 1);
}

llvm::StringRef ASTBuilder::text(const Token *token) const {
  llvm::SMRange range = rangeOf(token);
  return {range.Start.getPointer(),
          size_t(range.End.getPointer() - range.Start.getPointer())};
}

ast::Identifier ASTBuilder::identifier(const Token *token) {
  return {text(token), rangeOf(token)};
}

ast::Identifiers ASTBuilder::identifiers(RASPParser::NamesContext *tree) {
  llvm::SmallVector<ast::Identifier> names;
  if (tree)
    for (antlr4::tree::TerminalNode *name : tree->Identifier())
      names.push_back(identifier(name->getSymbol()));
  return context.copy(llvm::ArrayRef(names));
}

ast::Expressions ASTBuilder::expressions(RASPParser::ExpressionsContext *tree) {
  llvm::SmallVector<const ast::Expression *> result;
  if (tree)
    for (size_t i = 0; i < tree->children.size(); i += 2)
      result.push_back(expression(child(tree, i)));
  return context.copy(llvm::ArrayRef(result));
}

// ---- Operators ----

static OpKind binaryOp(size_t token) {
  switch (token) {
  case RASPLexer::In:
    return OpKind::In;
  case RASPLexer::And:
    return OpKind::And;
  case RASPLexer::Or:
    return OpKind::Or;
  case RASPLexer::Equal:
    return OpKind::Eq;
  case RASPLexer::LessEqual:
    return OpKind::Le;
  case RASPLexer::GreaterEqual:
    return OpKind::Ge;
  case RASPLexer::Less:
    return OpKind::Lt;
  case RASPLexer::Greater:
    return OpKind::Gt;
  case RASPLexer::Plus:
    return OpKind::Add;
  case RASPLexer::Minus:
    return OpKind::Sub;
  case RASPLexer::Percent:
    return OpKind::Mod;
  case RASPLexer::Star:
    return OpKind::Mul;
  case RASPLexer::Slash:
    return OpKind::Div;
  case RASPLexer::Caret:
    return OpKind::Pow;
  }
  llvm_unreachable("no binary operator");
}

static OpKind prefixOp(size_t token) {
  return token == RASPLexer::Not     ? OpKind::Not
         : token == RASPLexer::Minus ? OpKind::Neg
                                     : OpKind::Pos;
}

/// The level at or below `tree` that has an operator, or the prefixed operand.
static ::Tree *skipLevels(::Tree *tree) {
  while (tree->children.size() == 1 &&
         tree->getRuleIndex() != RASPParser::RulePrefixed)
    tree = child(tree, 0);
  return tree;
}

const ast::Expression *ASTBuilder::expression(::Tree *tree) {
  tree = skipLevels(tree);
  switch (tree->getRuleIndex()) {
  case RASPParser::RulePrefixed:
    return prefixed(static_cast<RASPParser::PrefixedContext *>(tree));
  case RASPParser::RuleTernary:
    return ternary(tree);
  default:
    return chain(tree);
  }
}

const ast::Expression *ASTBuilder::chain(::Tree *tree) {
  llvm::SMLoc start = rangeOf(tree).Start;
  const ast::Expression *result = expression(child(tree, 0));
  for (size_t i = 1; i < tree->children.size(); i += 2) {
    Token *op = tokenAt(tree, i);
    ::Tree *operand = child(tree, i + 1);
    auto *node = context.create<ast::Binary>({start, rangeOf(operand).End});
    node->op = binaryOp(op->getType());
    node->opRange = rangeOf(op);
    node->left = result;
    node->right = expression(operand);
    result = node;
  }
  return result;
}

const ast::Expression *ASTBuilder::ternary(::Tree *tree) {
  llvm::SMLoc start = rangeOf(tree).Start;
  const ast::Expression *result = expression(child(tree, 0));
  for (size_t i = 1; i < tree->children.size(); i += 4) {
    ::Tree *last = child(tree, i + 3);
    auto *node = context.create<ast::Ternary>({start, rangeOf(last).End});
    node->whenTrue = result;
    node->opRange = rangeOf(tokenAt(tree, i));
    node->condition = expression(child(tree, i + 1));
    node->whenFalse = expression(last);
    result = node;
  }
  return result;
}

const ast::Expression *ASTBuilder::unary(OpKind op, Token *token, ::Tree *whole,
                                         const ast::Expression *operand) {
  auto *node =
      context.create<ast::Unary>({rangeOf(token).Start, rangeOf(whole).End});
  node->op = op;
  node->opRange = rangeOf(token);
  node->operand = operand;
  return node;
}

const ast::Expression *ASTBuilder::prefixed(RASPParser::PrefixedContext *tree) {
  const ast::Expression *result = postfixed(tree->postfixed());
  for (size_t i = tree->children.size() - 1; i-- > 0;) {
    Token *op = tokenAt(tree, i);
    result = unary(prefixOp(op->getType()), op, tree, result);
  }
  return result;
}

const ast::Expression *
ASTBuilder::postfixed(RASPParser::PostfixedContext *tree) {
  llvm::SMLoc start = rangeOf(tree).Start;
  const ast::Expression *result = primary(tree->primary());
  for (size_t i = 1; i < tree->children.size(); ++i) {
    ::Tree *suffix = child(tree, i);
    llvm::SMRange range(start, rangeOf(suffix).End);
    if (auto *index = dynamic_cast<RASPParser::IndexContext *>(suffix)) {
      auto *node = context.create<ast::Index>(range);
      node->container = result;
      node->index = expression(index->expression());
      result = node;
    } else {
      auto *call = static_cast<RASPParser::CallContext *>(suffix);
      auto *node = context.create<ast::Call>(range);
      node->callee = result;
      node->arguments = expressions(call->expressions());
      result = node;
    }
  }
  return result;
}

// ---- Primary expressions ----

const ast::Expression *ASTBuilder::integer(Token *token) {
  auto *node = context.create<ast::Literal>(rangeOf(token));
  int64_t value = 0;
  if (text(token).getAsInteger(10, value))
    diags.emit(node->range, ir::diag::NumberTooLarge, text(token),
               "64-bit ints");
  node->value = ir::Value::integer(value);
  return node;
}

const ast::Expression *ASTBuilder::floating(Token *token) {
  auto *node = context.create<ast::Literal>(rangeOf(token));
  double value = std::strtod(text(token).str().c_str(), nullptr);
  if (!std::isfinite(value)) {
    diags.emit(node->range, ir::diag::NumberTooLarge, text(token),
               "64-bit floats");
    value = 0;
  }
  node->value = ir::Value::real(value);
  return node;
}

const ast::Expression *ASTBuilder::list(RASPParser::ListContext *tree) {
  if (auto *loop = tree->comprehension()) {
    auto *node = context.create<ast::ListComprehension>(rangeOf(tree));
    node->element = expression(tree->expression(0));
    node->variables = identifiers(loop->names());
    node->iterable = expression(loop->expression());
    return node;
  }
  auto *node = context.create<ast::List>(rangeOf(tree));
  llvm::SmallVector<const ast::Expression *> elements;
  // `[` e `,` e `]`: the elements are every second child.
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2)
    elements.push_back(expression(child(tree, i)));
  node->elements = context.copy(llvm::ArrayRef(elements));
  return node;
}

const ast::Expression *ASTBuilder::dict(RASPParser::DictContext *tree) {
  if (auto *loop = tree->comprehension()) {
    auto *node = context.create<ast::DictComprehension>(rangeOf(tree));
    RASPParser::EntryContext *entry = tree->entry(0);
    node->key = expression(entry->expression(0));
    node->value = expression(entry->expression(1));
    node->variables = identifiers(loop->names());
    node->iterable = expression(loop->expression());
    return node;
  }
  auto *node = context.create<ast::Dict>(rangeOf(tree));
  llvm::SmallVector<const ast::Expression *> keys, values;
  for (size_t i = 1; i + 1 < tree->children.size(); i += 2) {
    ::Tree *entry = child(tree, i);
    keys.push_back(expression(child(entry, 0)));
    values.push_back(expression(child(entry, 2)));
  }
  node->keys = context.copy(llvm::ArrayRef(keys));
  node->values = context.copy(llvm::ArrayRef(values));
  return node;
}

const ast::Expression *ASTBuilder::select(RASPParser::SelectContext *tree) {
  auto *node = context.create<ast::Select>(rangeOf(tree));
  node->key = expression(tree->expression(0));
  node->query = expression(tree->expression(1));
  // select( key , query , OP )
  switch (tokenAt(tree, 5)->getType()) {
  case RASPLexer::Equal:
    node->compare = ir::CompareOp::Eq;
    break;
  case RASPLexer::NotEqual:
    node->compare = ir::CompareOp::Ne;
    break;
  case RASPLexer::LessEqual:
    node->compare = ir::CompareOp::Le;
    break;
  case RASPLexer::GreaterEqual:
    node->compare = ir::CompareOp::Ge;
    break;
  case RASPLexer::Less:
    node->compare = ir::CompareOp::Lt;
    break;
  default:
    node->compare = ir::CompareOp::Gt;
    break;
  }
  return node;
}

const ast::Expression *ASTBuilder::range(RASPParser::RangeContext *tree) {
  auto *node = context.create<ast::Range>(rangeOf(tree));
  node->arguments = expressions(tree->expressions());
  if (node->arguments.size() > 3) {
    diags.emit(node->range, ir::diag::ArgumentCount, "`range`",
               std::to_string(node->arguments.size()) + " arguments", "1 to 3");
    node->arguments = node->arguments.take_front(3);
  }
  return node;
}

const ast::Expression *ASTBuilder::primary(RASPParser::PrimaryContext *tree) {
  Token *first = tree->getStart();
  switch (first->getType()) {
  case RASPLexer::OpenParen:
    return expression(child(tree, 1));
  case RASPLexer::Identifier: {
    auto *node = context.create<ast::Name>(rangeOf(first));
    node->name = text(first);
    return node;
  }
  case RASPLexer::Integer:
    return integer(first);
  case RASPLexer::Float:
    return floating(first);
  case RASPLexer::String: {
    auto *node = context.create<ast::Literal>(rangeOf(first));
    node->value = ir::Value::string(text(first).drop_front().drop_back());
    return node;
  }
  case RASPLexer::OpenBracket:
    return list(static_cast<RASPParser::ListContext *>(tree));
  case RASPLexer::OpenBrace:
    return dict(static_cast<RASPParser::DictContext *>(tree));
  case RASPLexer::RoundWord:
  case RASPLexer::IndicatorWord:
    return unary(first->getType() == RASPLexer::RoundWord ? OpKind::Round
                                                          : OpKind::Indicator,
                 first, tree, expression(child(tree, 2)));
  case RASPLexer::SelectOpen:
    return select(static_cast<RASPParser::SelectContext *>(tree));
  case RASPLexer::AggregateOpen: {
    auto *aggregate = static_cast<RASPParser::AggregateContext *>(tree);
    auto *node = context.create<ast::Aggregate>(rangeOf(tree));
    node->selector = expression(aggregate->expression(0));
    node->values = expression(aggregate->expression(1));
    RASPParser::ExpressionContext *third = aggregate->expression(2);
    node->defaultValue = third ? expression(third) : nullptr;
    return node;
  }
  case RASPLexer::RangeOpen:
    return range(static_cast<RASPParser::RangeContext *>(tree));
  case RASPLexer::ZipOpen: {
    auto *node = context.create<ast::Zip>(rangeOf(tree));
    node->lists =
        expressions(static_cast<RASPParser::ZipContext *>(tree)->expressions());
    return node;
  }
  case RASPLexer::LenOpen: {
    auto *node = context.create<ast::Len>(rangeOf(tree));
    node->list = expression(child(tree, 1));
    return node;
  }
  }
  llvm_unreachable("every alternative of `primary` begins with its own token");
}

// ---- Statements ----

ast::Statements ASTBuilder::statements(
    const std::vector<RASPParser::StatementContext *> &trees) {
  llvm::SmallVector<const ast::Statement *> result;
  for (RASPParser::StatementContext *tree : trees)
    result.push_back(build(tree));
  return context.copy(llvm::ArrayRef(result));
}

const ast::Statement *ASTBuilder::loop(RASPParser::LoopContext *tree) {
  auto *node = context.create<ast::Loop>(rangeOf(tree));
  node->variables = identifiers(tree->names());
  node->iterable = expression(tree->expression());
  node->body = statements(tree->statement());
  if (node->body.empty()) {
    // A comment makes a body, too; it is no token, but it stands in the text.
    const char *begin =
        rangeOf(tree->OpenBrace()->getSymbol()).End.getPointer();
    llvm::StringRef inside(begin, node->range.End.getPointer() - begin);
    if (!inside.contains('#'))
      diags.emit(node->range, ir::diag::EmptyLoop);
  }
  return node;
}

const ast::Statement *ASTBuilder::build(RASPParser::StatementContext *tree) {
  if (auto *assign = dynamic_cast<RASPParser::AssignmentContext *>(tree)) {
    auto *node = context.create<ast::Assign>(rangeOf(tree));
    node->targets = identifiers(assign->names());
    node->values = expressions(assign->expressions());
    return node;
  }
  if (auto *value = dynamic_cast<RASPParser::EvaluationContext *>(tree)) {
    auto *node = context.create<ast::Evaluate>(rangeOf(tree));
    node->value = expression(value->expression());
    return node;
  }
  if (auto *define = dynamic_cast<RASPParser::DefinitionContext *>(tree)) {
    auto *node = context.create<ast::Define>(rangeOf(tree));
    node->function = identifier(define->Identifier()->getSymbol());
    node->parameters = identifiers(define->names());
    node->body = statements(define->statement());
    node->results = expressions(define->returned()->expressions());
    return node;
  }
  if (auto *forLoop = dynamic_cast<RASPParser::LoopContext *>(tree))
    return loop(forLoop);
  if (auto *load = dynamic_cast<RASPParser::LoadContext *>(tree)) {
    auto *node = context.create<ast::Load>(rangeOf(tree));
    Token *path = load->String()->getSymbol();
    node->path = text(path).drop_front().drop_back();
    node->pathRange = rangeOf(path);
    return node;
  }
  auto *draw = static_cast<RASPParser::DrawContext *>(tree);
  auto *node = context.create<ast::Draw>(rangeOf(tree));
  node->value = expression(draw->expression(0));
  node->input = draw->expression(1) ? expression(draw->expression(1)) : nullptr;
  return node;
}

const ast::Statement *ASTBuilder::build(RASPParser::ShellCommandContext *tree) {
  auto *node = context.create<ast::Shell>(rangeOf(tree));
  auto example = [&](RASPParser::ExampleKindContext *kind) {
    if (!kind)
      return ast::Shell::Both;
    if (kind->children.size() == 1)
      return ast::Shell::Selector;
    llvm::SMRange range = rangeOf(kind);
    llvm::StringRef written(range.Start.getPointer(),
                            range.End.getPointer() - range.Start.getPointer());
    if (written != "s-op")
      diags.emit(range, ir::diag::UnknownExampleKind, written);
    return ast::Shell::Sop;
  };
  if (auto *set = dynamic_cast<RASPParser::SetExampleContext *>(tree)) {
    node->command = ast::Shell::SetExample;
    node->example = example(set->exampleKind());
    node->input = expression(set->expression());
  } else if (auto *show =
                 dynamic_cast<RASPParser::ShowExampleContext *>(tree)) {
    node->command = ast::Shell::ShowExample;
    node->example = example(show->exampleKind());
  } else if (auto *examples =
                 dynamic_cast<RASPParser::ToggleExamplesContext *>(tree)) {
    node->command = ast::Shell::ToggleExamples;
    node->example = example(examples->exampleKind());
    node->on = examples->On() != nullptr;
  } else if (auto *display =
                 dynamic_cast<RASPParser::ToggleDisplayContext *>(tree)) {
    node->command = ast::Shell::ToggleFullDisplay;
    node->on = display->On() != nullptr;
  } else {
    node->command = ast::Shell::Leave;
  }
  return node;
}
