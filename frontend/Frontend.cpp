//===- frontend/Frontend.cpp - from text to RASP IR -----------------------===//

#include "frontend/Frontend.h"
#include "frontend/Evaluator.h"
#include "frontend/LargeStack.h"
#include "frontend/Parser.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;
using namespace rasp::frontend;

const Binding *Evaluation::find(llvm::StringRef name) const {
  for (const Binding &binding : bindings)
    if (binding.name == name)
      return &binding;
  return nullptr;
}

const Binding *Evaluation::lastSop() const {
  for (const Binding &binding : llvm::reverse(bindings))
    if (binding.kind == BindingKind::Sop)
      return &binding;
  return nullptr;
}

static llvm::SMRange rangeOf(llvm::StringRef text) {
  return {llvm::SMLoc::getFromPointer(text.begin()),
          llvm::SMLoc::getFromPointer(text.end())};
}

std::vector<Pragma> frontend::readPragmas(const llvm::SourceMgr &sources,
                                          unsigned bufferId) {
  std::vector<Pragma> pragmas;
  llvm::StringRef rest = sources.getMemoryBuffer(bufferId)->getBuffer();
  while (!rest.empty()) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    line = line.trim();
    if (!line.consume_front("#@"))
      continue;
    auto [key, value] = line.split(':');
    key = key.trim();
    value = value.trim();
    if (value.empty()) // point at the place where it is missing
      value = {line.end(), 0};
    pragmas.push_back({key.str(), value.str(), rangeOf(value), rangeOf(key)});
  }
  return pragmas;
}

Evaluation frontend::evaluateProgram(unsigned bufferId, ir::Program &program,
                                     ir::Diagnostics &diags,
                                     const Options &options) {
  Evaluation evaluation;
  runWithLargeStack([&] {
    Evaluator evaluator(program, diags, options);
    ast::Context context;
    evaluator.run(parse(bufferId, diags, context));
    evaluation = evaluator.result();
  });
  return evaluation;
}

void frontend::printAST(unsigned bufferId, ir::Diagnostics &diags,
                        llvm::raw_ostream &os) {
  runWithLargeStack([&] {
    ast::Context context;
    ast::Module module = parse(bufferId, diags, context);
    if (!module.hasErrors)
      ast::print(module, *diags.sourceMgr().getMemoryBuffer(bufferId), os);
  });
}
