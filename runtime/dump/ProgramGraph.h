//===- runtime/dump/ProgramGraph.h - the program in a file ------*- C++ -*-===//
//
// The typed IR that a model file carries (`/program/ir_json`), in a form to
// work with: what each s-op and selector is made of.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DUMP_PROGRAMGRAPH_H
#define RASP_RUNTIME_DUMP_PROGRAMGRAPH_H

#include "runtime/dump/AtomOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

namespace rasp::rt {

struct ProgramNode {
  std::string name, op;
  llvm::SmallVector<unsigned, 3> operands; ///< of smaller number
  std::string compare;                     ///< of a `select`
  std::optional<Atom> constant;            ///< of a `const`
  std::optional<AtomTable> table;          ///< of a `lookup` or `in`
  std::vector<Atom> values;                ///< what it can be; may be empty
  std::vector<unsigned> sourceLines;       ///< from 1

  bool isSelector() const {
    return op == "select" || llvm::StringRef(op).starts_with("sel_");
  }
};

class ProgramGraph {
public:
  /// As much as the file has; a node that does not make sense ends it.
  explicit ProgramGraph(const Model &model);

  const std::vector<ProgramNode> &nodes() const { return all; }
  std::optional<unsigned> find(llvm::StringRef name) const;
  /// The s-op that was compiled.
  std::optional<unsigned> output() const;

  /// What a node is made of, as people write it. Of a selector, the condition
  /// under which a key is selected.
  std::string text(unsigned node) const;
  /// The name that the program gives it, else the same.
  std::string shortText(unsigned node) const { return expression(node, 1); }

private:
  std::string expression(unsigned node, unsigned depth) const;
  std::string condition(unsigned node, unsigned depth) const;

  std::vector<ProgramNode> all;
  llvm::StringMap<unsigned> byName;
  std::string outputName;
};

} // namespace rasp::rt

#endif
