//===- ir/Module.cpp - a program with what is known of it -----------------===//

#include "ir/Module.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

llvm::StringRef rasp::ir::spelling(Encoding encoding) {
  switch (encoding) {
  case Encoding::View:
    return "view";
  case Encoding::OneHot:
    return "onehot";
  case Encoding::Scalar:
    return "scalar";
  case Encoding::Code:
    return "code";
  }
  llvm_unreachable("all encodings are listed");
}

Module::Module(Program &program, llvm::ArrayRef<const Node *> outputs,
               ProgramHeader header)
    : program(program), header(std::move(header)), ops(reachable(outputs)),
      outputs(outputs) {
  for (const Node *op : ops)
    replaced[op] = op;
}

bool Module::replace(
    const llvm::DenseMap<const Node *, const Node *> &replacements) {
  auto ownOf = [&](const Node *node) {
    auto found = replacements.find(node);
    return found == replacements.end() ? node : found->second;
  };
  bool changed = false;
  std::vector<const Node *> present;
  for (const Node *op : ops) {
    const Node *own = ownOf(op);
    present.push_back(own);
    if (own == op)
      continue;
    changed = true;
    if (kept.erase(op))
      kept.insert(own);
    if (auto found = places.find(op); found != places.end())
      places.try_emplace(own, found->second);
  }
  for (const Node *&output : outputs)
    output = ownOf(output);
  for (auto &[first, own] : replaced)
    own = ownOf(own);
  ops = reachable(present);
  return changed;
}

void Module::addPlaces(const llvm::SourceMgr &sources) {
  for (const Node *op : ops) {
    if (op->ranges().empty())
      continue;
    llvm::SMLoc start = op->ranges().front().Start;
    if (!sources.FindBufferContainingLoc(start))
      continue;
    auto [line, column] = sources.getLineAndColumn(start);
    places.try_emplace(op, Place{line, column});
  }
}
