//===- test/property/RandomProgram.cpp - a program as trees ---------------===//

#include "test/property/RandomProgram.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::property;

static void markLive(const RandomProgram &program, const Expr &expr,
                     std::vector<bool> &live) {
  if (expr.statement >= 0 && !live[expr.statement]) {
    live[expr.statement] = true;
    markLive(program, *program.statements[expr.statement], live);
  }
  for (const ExprRef &operand : expr.operands)
    markLive(program, *operand, live);
}

std::vector<bool> RandomProgram::live() const {
  std::vector<bool> live(statements.size());
  if (!live.empty()) {
    live.back() = true;
    markLive(*this, *statements.back(), live);
  }
  return live;
}

std::string RandomProgram::nameOf(unsigned statement) const {
  static constexpr char prefixes[] = {'i', 'f', 'b', 't', 's'};
  return prefixes[static_cast<unsigned>(statements[statement]->type)] +
         std::to_string(statement);
}

static void print(const RandomProgram &program, const Expr &expr,
                  std::string &text) {
  if (expr.statement >= 0) {
    text += program.nameOf(expr.statement);
    return;
  }
  for (size_t i = 0; i < expr.pattern.size(); ++i) {
    if (expr.pattern[i] == '$')
      print(program, *expr.operands[expr.pattern[++i] - '0'], text);
    else
      text += expr.pattern[i];
  }
}

std::string RandomProgram::text() const {
  std::vector<std::string> items;
  for (const std::string &token : vocabulary)
    items.push_back(tokens == "str" ? "\"" + token + "\"" : token);
  std::string text = "#@ tokens: " + tokens + "\n#@ vocab: [" +
                     llvm::join(items, ", ") +
                     "]\n#@ max-seq-len: " + std::to_string(maxSeqLen) + "\n";
  std::vector<bool> live = this->live();
  for (unsigned i = 0; i < statements.size(); ++i) {
    if (!live[i])
      continue;
    text += nameOf(i) + " = ";
    print(*this, *statements[i], text);
    text += ";\n";
  }
  return text;
}

static unsigned countOperations(const Expr &expr) {
  unsigned count = expr.operands.empty() ? 0 : 1;
  for (const ExprRef &operand : expr.operands)
    count += countOperations(*operand);
  return count;
}

unsigned RandomProgram::operations() const {
  unsigned count = 0;
  std::vector<bool> live = this->live();
  for (unsigned i = 0; i < statements.size(); ++i)
    if (live[i])
      count += countOperations(*statements[i]);
  return count;
}
