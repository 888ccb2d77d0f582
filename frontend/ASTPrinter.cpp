//===- frontend/ASTPrinter.cpp - the AST as indented text -----------------===//
//
// One node per line with line and column; operators are placed where they are
// written, everything else where it begins. A node whose operands are all
// leaves takes them on its own line, in parentheses.
//
//===----------------------------------------------------------------------===//

#include "frontend/AST.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace rasp;
using namespace rasp::ast;

llvm::StringRef ast::spelling(ir::OpKind op) {
  using ir::OpKind;
  switch (op) {
  case OpKind::Neg:
  case OpKind::Sub:
    return "-";
  case OpKind::Pos:
  case OpKind::Add:
    return "+";
  case OpKind::Mul:
    return "*";
  case OpKind::Div:
    return "/";
  case OpKind::Mod:
    return "%";
  case OpKind::Pow:
    return "^";
  case OpKind::Eq:
    return "==";
  case OpKind::Lt:
    return "<";
  case OpKind::Le:
    return "<=";
  case OpKind::Gt:
    return ">";
  case OpKind::Ge:
    return ">=";
  default:
    return ir::mnemonic(op); // not, and, or, in, round, indicator
  }
}

namespace {

class Printer {
public:
  Printer(llvm::StringRef text, llvm::raw_ostream &os) : os(os) {
    lineStarts.push_back(text.begin());
    for (const char &c : text)
      if (c == '\n')
        lineStarts.push_back(&c + 1);
  }

  void statement(const Statement *statement, unsigned depth);

private:
  /// Deeper lines are not indented further, so that the text of a long chain
  /// of operators stays proportional to the chain.
  static constexpr unsigned maxIndent = 100;

  llvm::raw_ostream &indent(unsigned depth) {
    return os.indent(2 * std::min(depth, maxIndent));
  }
  /// Not SourceMgr::getLineAndColumn, which walks along the line.
  void place(llvm::SMLoc location) {
    auto line = llvm::upper_bound(lineStarts, location.getPointer());
    os << " @" << line - lineStarts.begin() << ':'
       << location.getPointer() - line[-1] + 1;
  }
  void names(Identifiers identifiers) {
    llvm::interleave(
        identifiers, os, [&](const Identifier &id) { os << id.name; }, ", ");
  }
  void head(const Expression *expression);
  void expression(const Expression *expression, unsigned depth);
  void expressions(Expressions list, unsigned depth) {
    for (const Expression *item : list)
      expression(item, depth);
  }
  void block(Statements statements, unsigned depth) {
    for (const Statement *item : statements)
      statement(item, depth);
  }
  void shell(const Shell *command);

  std::vector<const char *> lineStarts;
  llvm::raw_ostream &os;
};

} // namespace

static bool isLeaf(const Expression *expression) {
  return llvm::isa<Name, Literal>(expression);
}

/// The operands in the order in which they are written.
static llvm::SmallVector<const Expression *>
operands(const Expression *expression) {
  switch (expression->kind) {
  case Kind::List:
    return llvm::SmallVector<const Expression *>(
        llvm::cast<List>(expression)->elements);
  case Kind::Dict: {
    auto *dict = llvm::cast<Dict>(expression);
    llvm::SmallVector<const Expression *> entries;
    for (auto [key, value] : llvm::zip_equal(dict->keys, dict->values))
      entries.append({key, value});
    return entries;
  }
  case Kind::ListComprehension: {
    auto *loop = llvm::cast<ListComprehension>(expression);
    return {loop->element, loop->iterable};
  }
  case Kind::DictComprehension: {
    auto *loop = llvm::cast<DictComprehension>(expression);
    return {loop->key, loop->value, loop->iterable};
  }
  case Kind::Unary:
    return {llvm::cast<Unary>(expression)->operand};
  case Kind::Binary: {
    auto *binary = llvm::cast<Binary>(expression);
    return {binary->left, binary->right};
  }
  case Kind::Ternary: {
    auto *ternary = llvm::cast<Ternary>(expression);
    return {ternary->whenTrue, ternary->condition, ternary->whenFalse};
  }
  case Kind::Index: {
    auto *index = llvm::cast<Index>(expression);
    return {index->container, index->index};
  }
  case Kind::Call: {
    auto *call = llvm::cast<Call>(expression);
    llvm::SmallVector<const Expression *> all{call->callee};
    llvm::append_range(all, call->arguments);
    return all;
  }
  case Kind::Select: {
    auto *select = llvm::cast<Select>(expression);
    return {select->key, select->query};
  }
  case Kind::Aggregate: {
    auto *aggregate = llvm::cast<Aggregate>(expression);
    llvm::SmallVector<const Expression *> all{aggregate->selector,
                                              aggregate->values};
    if (aggregate->defaultValue)
      all.push_back(aggregate->defaultValue);
    return all;
  }
  case Kind::Range:
    return llvm::SmallVector<const Expression *>(
        llvm::cast<Range>(expression)->arguments);
  case Kind::Zip:
    return llvm::SmallVector<const Expression *>(
        llvm::cast<Zip>(expression)->lists);
  case Kind::Len:
    return {llvm::cast<Len>(expression)->list};
  default:
    return {};
  }
}

static llvm::StringRef nameOf(Kind kind) {
  switch (kind) {
#define EXPRESSION(Name)                                                       \
  case Kind::Name:                                                             \
    return #Name;
#define STATEMENT(Name) EXPRESSION(Name)
#include "frontend/ASTKinds.def"
  }
  llvm_unreachable("unknown kind of AST node");
}

/// The node without its operands.
void Printer::head(const Expression *expression) {
  os << nameOf(expression->kind);
  llvm::SMLoc location = expression->range.Start;
  switch (expression->kind) {
  case Kind::Name:
    os << ' ' << llvm::cast<Name>(expression)->name;
    break;
  case Kind::Literal:
    os << ' ' << llvm::cast<Literal>(expression)->value;
    break;
  case Kind::Unary:
    os << ' ' << spelling(llvm::cast<Unary>(expression)->op);
    break;
  case Kind::Binary:
    os << ' ' << spelling(llvm::cast<Binary>(expression)->op);
    location = llvm::cast<Binary>(expression)->opRange.Start;
    break;
  case Kind::Ternary:
    location = llvm::cast<Ternary>(expression)->opRange.Start;
    break;
  case Kind::Select:
    os << ' ' << ir::spelling(llvm::cast<Select>(expression)->compare);
    break;
  case Kind::ListComprehension:
    os << ' ';
    names(llvm::cast<ListComprehension>(expression)->variables);
    break;
  case Kind::DictComprehension:
    os << ' ';
    names(llvm::cast<DictComprehension>(expression)->variables);
    break;
  default:
    break;
  }
  place(location);
}

void Printer::expression(const Expression *expression, unsigned depth) {
  // The left operands of a long chain of operators are not recursed into.
  llvm::SmallVector<const Binary *> pending;
  for (;;) {
    indent(depth);
    head(expression);
    auto *binary = llvm::dyn_cast<Binary>(expression);
    if (!binary)
      break;
    os << '\n';
    pending.push_back(binary);
    expression = binary->left;
    ++depth;
  }

  llvm::SmallVector<const Expression *> inner = operands(expression);
  if (!inner.empty() && llvm::all_of(inner, isLeaf)) {
    os << " (";
    llvm::interleave(
        inner, os, [&](const Expression *leaf) { head(leaf); }, ", ");
    os << ')';
    inner.clear();
  }
  os << '\n';
  for (const Expression *operand : inner)
    this->expression(operand, depth + 1);

  while (!pending.empty())
    this->expression(pending.pop_back_val()->right, depth--);
}

void Printer::shell(const Shell *command) {
  switch (command->command) {
  case Shell::SetExample:
    os << " set";
    break;
  case Shell::ShowExample:
    os << " show";
    break;
  case Shell::ToggleExamples:
    os << " examples";
    break;
  case Shell::ToggleFullDisplay:
    os << " full-display";
    break;
  case Shell::Leave:
    os << " leave";
    break;
  }
  switch (command->example) {
  case Shell::Both:
    break;
  case Shell::Sop:
    os << " s-op";
    break;
  case Shell::Selector:
    os << " selector";
    break;
  }
  if (command->command == Shell::ToggleExamples ||
      command->command == Shell::ToggleFullDisplay)
    os << (command->on ? " on" : " off");
}

void Printer::statement(const Statement *statement, unsigned depth) {
  indent(depth) << nameOf(statement->kind);
  switch (statement->kind) {
  case Kind::Assign:
    os << ' ';
    names(llvm::cast<Assign>(statement)->targets);
    break;
  case Kind::Define: {
    auto *define = llvm::cast<Define>(statement);
    os << ' ' << define->function.name << '(';
    names(define->parameters);
    os << ')';
    break;
  }
  case Kind::Loop:
    os << ' ';
    names(llvm::cast<Loop>(statement)->variables);
    break;
  case Kind::Load:
    os << " \"" << llvm::cast<Load>(statement)->path << '"';
    break;
  case Kind::Shell:
    shell(llvm::cast<Shell>(statement));
    break;
  default:
    break;
  }
  place(statement->range.Start);
  os << '\n';

  switch (statement->kind) {
  case Kind::Assign:
    expressions(llvm::cast<Assign>(statement)->values, depth + 1);
    break;
  case Kind::Evaluate:
    expression(llvm::cast<Evaluate>(statement)->value, depth + 1);
    break;
  case Kind::Define: {
    auto *define = llvm::cast<Define>(statement);
    block(define->body, depth + 1);
    indent(depth + 1) << "Return\n";
    expressions(define->results, depth + 2);
    break;
  }
  case Kind::Loop: {
    auto *loop = llvm::cast<Loop>(statement);
    indent(depth + 1) << "In\n";
    expression(loop->iterable, depth + 2);
    block(loop->body, depth + 1);
    break;
  }
  case Kind::Draw: {
    auto *draw = llvm::cast<Draw>(statement);
    expression(draw->value, depth + 1);
    if (draw->input)
      expression(draw->input, depth + 1);
    break;
  }
  case Kind::Shell:
    if (const Expression *input = llvm::cast<Shell>(statement)->input)
      expression(input, depth + 1);
    break;
  default:
    break;
  }
}

void ast::print(const Module &module, llvm::MemoryBufferRef file,
                llvm::raw_ostream &os) {
  os << "Program \"" << llvm::sys::path::filename(file.getBufferIdentifier())
     << "\"\n";
  Printer printer(file.getBuffer(), os);
  for (const Statement *statement : module.statements)
    printer.statement(statement, 1);
}
