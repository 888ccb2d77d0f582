//===- ir/Printer.h - the textual form of RASP IR ---------------*- C++ -*-===//
//
// One op per line, operands before their users:
//
//   program @reverse(tokens = str, vocab = ["a", "b"], max_seq_len = 5) {
//     %tokens      = tokens_str                   : value in {"a", "b"}
//     %length.full = select 1, 1 { key == query } : selector
//     %length      = width %length.full           : value in {0..5}
//     ...
//     output %reverse
//   }
//
// Grammar, with tokens as in Lexer.h; what stands in brackets may be missing:
//
//   text      = "program" [symbol] "(" [option {"," option}] ")"
//               "{" {op} "output" name {"," name} "}"
//   option    = "tokens" "=" ("str" | "int" | "float" | "bool")
//             | "vocab" "=" list | "max_seq_len" "=" number
//             | "causal" "=" "true"
//   op        = name "=" mnemonic [operand {"," operand}] ["{" attribute "}"]
//               ":" ("value" | "selector") {fact}
//   operand   = name | value
//   attribute = value | "key" comparison "query" | "default" value
//             | list | string | "{" [value ":" value {"," ...}] "}"
//   fact      = "in" set | "kept" | place
//             | "as" ("view" | "onehot" | "scalar" | "code")
//   set       = "too" "many" "values"
//             | "{" [item {"," item}] ["," "..." number "values"] "}"
//   item      = value [".." value]
//
// Facts may be missing: the value set of an s-op, that it is to have
// directions of its own, how the residual stream holds it, and its place in the
// program's text. Operands are
// names or, for constants that no variable holds, literals. Attributes stand in
// braces:
//
//   const { "x" }                     the atom
//   select %k, %q { key <= query }    the comparison
//   aggregate %s, %v { default 0 }    the value where nothing is selected
//   lookup %i { ["a", "b"] }          the list, string or dict
//   lookup %i { "ab" }
//   lookup %i { {1: "a", 2: "b"} }
//   in %x { [1, 2] }                  the list
//
// Printing what was parsed (Parser.h) gives the same text, byte for byte, but
// for comments, alignment, and compiler-made names that a pass has made idle.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_PRINTER_H
#define RASP_IR_PRINTER_H

#include "ir/Module.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace rasp::ir {

/// A unique name for every node that `roots` depend on: the variable's; or,
/// for a node that no variable holds, that of the first variable that it
/// serves and its op, `opp_index.sub`; or that of the leaf. Clashes get `.1`,
/// `.2`. Names don't depend on how many nodes there are elsewhere, so a small
/// change of the source makes a small change of every dump.
class NodeNames {
public:
  explicit NodeNames(llvm::ArrayRef<const Node *> roots);
  /// Of these nodes, operands before their users.
  static NodeNames ofOps(llvm::ArrayRef<const Node *> ops);

  /// Without the `%`.
  llvm::StringRef of(const Node *node) const { return names.at(node); }

private:
  NodeNames() = default;
  void name(llvm::ArrayRef<const Node *> ops);
  void assign(const Node *node, llvm::StringRef wanted);

  llvm::DenseMap<const Node *, llvm::StringRef> names;
  llvm::StringSet<> taken;
  llvm::StringMap<unsigned> clashes;
};

/// Prints `module`; a constant that no variable holds stands where it is used.
void print(llvm::raw_ostream &os, const Module &module);

} // namespace rasp::ir

#endif
