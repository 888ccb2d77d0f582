//===- frontend/ASTSource.cpp - the AST as a program ----------------------===//
//
// The inverse of the parser: parentheses stand exactly where the tree needs
// them.
//
//===----------------------------------------------------------------------===//

#include "frontend/AST.h"
#include "llvm/ADT/STLExtras.h"
#include <charconv>

using namespace rasp;
using namespace rasp::ast;
using ir::OpKind;

namespace {

/// The rules of the grammar, loosest first.
enum Level {
  AnyLevel,
  InLevel,
  TernaryLevel,
  LogicalLevel,
  ComparisonLevel,
  SumLevel,
  RemainderLevel,
  ProductLevel,
  PowerLevel,
  PrefixLevel,
  PostfixLevel,
};

class Writer {
public:
  explicit Writer(llvm::raw_ostream &os) : os(os) {}
  void statement(const Statement *statement, unsigned depth);

private:
  /// Writes an operand where the grammar has `level`.
  void expression(const Expression *expression, Level level = AnyLevel);
  void bare(const Expression *expression);
  void binary(const Binary *binary, Level level);
  void callee(const Expression *callee);
  void literal(const ir::Value &value);
  void shell(const Shell *command);
  void names(Identifiers identifiers) {
    llvm::interleave(
        identifiers, os, [&](const Identifier &id) { os << id.name; }, ", ");
  }
  void list(Expressions items) {
    llvm::interleave(
        items, os, [&](const Expression *item) { expression(item); }, ", ");
  }
  void block(Statements statements, unsigned depth) {
    for (const Statement *item : statements)
      statement(item, depth);
  }

  llvm::raw_ostream &os;
};

} // namespace

static Level levelOf(OpKind op) {
  switch (op) {
  case OpKind::In:
    return InLevel;
  case OpKind::And:
  case OpKind::Or:
    return LogicalLevel;
  case OpKind::Add:
  case OpKind::Sub:
    return SumLevel;
  case OpKind::Mod:
    return RemainderLevel;
  case OpKind::Mul:
  case OpKind::Div:
    return ProductLevel;
  case OpKind::Pow:
    return PowerLevel;
  default:
    return ComparisonLevel;
  }
}

static Level levelOf(const Expression *expression) {
  switch (expression->kind) {
  case Kind::Binary:
    return levelOf(llvm::cast<Binary>(expression)->op);
  case Kind::Ternary:
    return TernaryLevel;
  case Kind::Unary: {
    OpKind op = llvm::cast<Unary>(expression)->op;
    return op == OpKind::Round || op == OpKind::Indicator ? PostfixLevel
                                                          : PrefixLevel;
  }
  default:
    return PostfixLevel;
  }
}

void Writer::expression(const Expression *expression, Level level) {
  if (levelOf(expression) >= level)
    return bare(expression);
  os << '(';
  bare(expression);
  os << ')';
}

/// Digits on both sides of the point, and no exponent.
void Writer::literal(const ir::Value &value) {
  if (value.isString()) {
    os << '"' << value.asString() << '"';
    return;
  }
  if (!value.isFloat()) {
    value.print(os);
    return;
  }
  char buffer[1100]; // more than any double needs
  auto end = std::to_chars(buffer, std::end(buffer), value.asFloat(),
                           std::chars_format::fixed);
  llvm::StringRef digits(buffer, end.ptr - buffer);
  os << digits << (digits.contains('.') ? "" : ".0");
}

/// All binary operators associate to the left.
void Writer::binary(const Binary *binary, Level level) {
  expression(binary->left, level);
  os << ' ' << spelling(binary->op) << ' ';
  expression(binary->right, Level(level + 1));
}

/// `select` and the like are operators before a parenthesis.
void Writer::callee(const Expression *callee) {
  auto *name = llvm::dyn_cast<Name>(callee);
  if (name && llvm::is_contained({"select", "aggregate", "range", "zip", "len"},
                                 name->name))
    os << '(' << name->name << ')';
  else
    expression(callee, PostfixLevel);
}

void Writer::bare(const Expression *expression) {
  switch (expression->kind) {
  case Kind::Name:
    os << llvm::cast<Name>(expression)->name;
    return;
  case Kind::Literal:
    return literal(llvm::cast<Literal>(expression)->value);
  case Kind::List:
    os << '[';
    list(llvm::cast<List>(expression)->elements);
    os << ']';
    return;
  case Kind::Dict: {
    auto *dict = llvm::cast<Dict>(expression);
    os << '{';
    for (size_t i = 0; i < dict->keys.size(); ++i) {
      os << (i ? ", " : "");
      this->expression(dict->keys[i]);
      os << ": ";
      this->expression(dict->values[i]);
    }
    os << '}';
    return;
  }
  case Kind::ListComprehension: {
    auto *loop = llvm::cast<ListComprehension>(expression);
    os << '[';
    this->expression(loop->element);
    os << " for ";
    names(loop->variables);
    os << " in ";
    this->expression(loop->iterable);
    os << ']';
    return;
  }
  case Kind::DictComprehension: {
    auto *loop = llvm::cast<DictComprehension>(expression);
    os << '{';
    this->expression(loop->key);
    os << ": ";
    this->expression(loop->value);
    os << " for ";
    names(loop->variables);
    os << " in ";
    this->expression(loop->iterable);
    os << '}';
    return;
  }
  case Kind::Unary: {
    auto *unary = llvm::cast<Unary>(expression);
    os << spelling(unary->op);
    if (levelOf(unary) == PostfixLevel) {
      os << '(';
      this->expression(unary->operand);
      os << ')';
      return;
    }
    os << (unary->op == OpKind::Not ? " " : "");
    return this->expression(unary->operand, PrefixLevel);
  }
  case Kind::Binary:
    return binary(llvm::cast<Binary>(expression), levelOf(expression));
  case Kind::Ternary: {
    auto *ternary = llvm::cast<Ternary>(expression);
    this->expression(ternary->whenTrue, TernaryLevel);
    os << " if ";
    this->expression(ternary->condition);
    os << " else ";
    return this->expression(ternary->whenFalse, LogicalLevel);
  }
  case Kind::Index: {
    auto *index = llvm::cast<Index>(expression);
    this->expression(index->container, PostfixLevel);
    os << '[';
    this->expression(index->index);
    os << ']';
    return;
  }
  case Kind::Call: {
    auto *call = llvm::cast<Call>(expression);
    callee(call->callee);
    os << '(';
    list(call->arguments);
    os << ')';
    return;
  }
  case Kind::Select: {
    auto *select = llvm::cast<Select>(expression);
    os << "select(";
    list({select->key, select->query});
    os << ", " << ir::spelling(select->compare) << ')';
    return;
  }
  case Kind::Aggregate: {
    auto *aggregate = llvm::cast<Aggregate>(expression);
    os << "aggregate(";
    list({aggregate->selector, aggregate->values});
    if (aggregate->defaultValue) {
      os << ", ";
      this->expression(aggregate->defaultValue);
    }
    os << ')';
    return;
  }
  case Kind::Range:
    os << "range(";
    list(llvm::cast<Range>(expression)->arguments);
    os << ')';
    return;
  case Kind::Zip:
    os << "zip(";
    list(llvm::cast<Zip>(expression)->lists);
    os << ')';
    return;
  case Kind::Len:
    os << "len(";
    this->expression(llvm::cast<Len>(expression)->list);
    os << ')';
    return;
  default:
    llvm_unreachable("no expression");
  }
}

void Writer::shell(const Shell *command) {
  static constexpr llvm::StringLiteral kinds[] = {"", "s-op ", "selector "};
  llvm::StringRef kind = kinds[command->example];
  switch (command->command) {
  case Shell::SetExample:
    os << "set " << kind << "example ";
    expression(command->input);
    break;
  case Shell::ShowExample:
    os << "show " << kind << "example";
    break;
  case Shell::ToggleExamples:
    os << kind << "examples " << (command->on ? "on" : "off");
    break;
  case Shell::ToggleFullDisplay:
    os << "full seq display " << (command->on ? "on" : "off");
    break;
  case Shell::Leave:
    os << "exit";
    break;
  }
  os << '\n';
}

void Writer::statement(const Statement *statement, unsigned depth) {
  os.indent(2 * depth);
  switch (statement->kind) {
  case Kind::Assign: {
    auto *assign = llvm::cast<Assign>(statement);
    names(assign->targets);
    os << " = ";
    list(assign->values);
    os << ";\n";
    return;
  }
  case Kind::Evaluate:
    expression(llvm::cast<Evaluate>(statement)->value);
    os << ";\n";
    return;
  case Kind::Define: {
    auto *define = llvm::cast<Define>(statement);
    os << "def " << define->function.name << '(';
    names(define->parameters);
    os << ") {\n";
    block(define->body, depth + 1);
    os.indent(2 * (depth + 1)) << "return ";
    list(define->results);
    os << ";\n";
    os.indent(2 * depth) << "}\n";
    return;
  }
  case Kind::Loop: {
    auto *loop = llvm::cast<Loop>(statement);
    os << "for ";
    names(loop->variables);
    os << " in ";
    expression(loop->iterable);
    os << " {\n";
    block(loop->body, depth + 1);
    os.indent(2 * depth) << "}\n";
    return;
  }
  case Kind::Load:
    os << "load \"" << llvm::cast<Load>(statement)->path << "\";\n";
    return;
  case Kind::Draw: {
    auto *draw = llvm::cast<Draw>(statement);
    os << "draw(";
    expression(draw->value);
    if (draw->input) {
      os << ", ";
      expression(draw->input);
    }
    os << ");\n";
    return;
  }
  case Kind::Shell:
    return shell(llvm::cast<Shell>(statement));
  default:
    llvm_unreachable("no statement, or one with an error");
  }
}

void ast::writeSource(const Module &module, llvm::raw_ostream &os) {
  for (const Statement *statement : module.statements)
    Writer(os).statement(statement, 0);
}
