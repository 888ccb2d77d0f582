//===- ir/Printer.h - the textual form of RASP IR ---------------*- C++ -*-===//
//
// One op per line, in creation order:
//
//   program @reverse(tokens = str, vocab = ["a", "b"], max_seq_len = 5) {
//     %tokens      = tokens_str                          : value
//     %length.full = select 1, 1 { key == query }        : selector
//     %length      = width %length.full                  : value
//     ...
//     output %reverse
//   }
//
// Operands are names or, for constants that no variable holds, literals.
// Attributes stand in braces:
//
//   const { "x" }                     the atom
//   select %k, %q { key <= query }    the comparison
//   aggregate %s, %v { default 0 }    the value where nothing is selected
//   lookup %i { ["a", "b"] }          the list, string or dict
//   lookup %i { "ab" }
//   lookup %i { {1: "a", 2: "b"} }
//   in %x { [1, 2] }                  the list
//
// Strings are escaped as in JSON; comments begin with `//`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_PRINTER_H
#define RASP_IR_PRINTER_H

#include "ir/Program.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SourceMgr.h"

namespace rasp::ir {

/// A unique name for every node that `roots` depend on: the variable's; or,
/// for a node that no variable holds, that of the first variable that it
/// serves and its op, `opp_index.sub`; or that of the leaf. Clashes get `.1`,
/// `.2`. Names don't depend on how many nodes there are elsewhere, so a small
/// change of the source makes a small change of every dump.
class NodeNames {
public:
  explicit NodeNames(llvm::ArrayRef<const Node *> roots);

  /// Without the `%`.
  llvm::StringRef of(const Node *node) const { return names.at(node); }

private:
  void assign(const Node *node, llvm::StringRef wanted);

  llvm::DenseMap<const Node *, llvm::StringRef> names;
  llvm::StringSet<> taken;
  llvm::StringMap<unsigned> clashes;
};

/// The compile options that the text carries; what is empty is not printed.
struct ProgramHeader {
  std::string name;
  std::string tokens; ///< str, int, float or bool
  std::vector<Value> vocabulary;
  unsigned maxSeqLen = 0;
  bool causal = false;
};

struct PrintOptions {
  /// What to append to the type of an s-op, such as ` in {0..2}`.
  llvm::function_ref<std::string(const Node *)> annotation = nullptr;
  /// Adds the place of each op, `@line:column`, from these buffers.
  const llvm::SourceMgr *sources = nullptr;
};

/// Prints everything that `roots` depend on.
void print(llvm::raw_ostream &os, llvm::ArrayRef<const Node *> roots,
           const ProgramHeader &header, const PrintOptions &options = {});

} // namespace rasp::ir

#endif
