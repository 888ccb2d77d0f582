//===- runtime/dump/AtomOps.h - the program's operators ---------*- C++ -*-===//
//
// What the elementwise ops of the IR in a model file (`/program/ir_json`) do
// to atoms. A second definition of them, on purpose: what checks a model
// shares nothing with the compiler that made it.
//
// Where a program fails there is no result, and where an op is not known here
// neither: whoever asks then has nothing to compare with.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DUMP_ATOMOPS_H
#define RASP_RUNTIME_DUMP_ATOMOPS_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace rasp::rt {

/// The constant container of a `lookup` or `in`.
struct AtomTable {
  bool isDict = false;
  std::vector<Atom> keys; ///< of a dict
  std::vector<Atom> values;
};

/// Applies the elementwise op with a mnemonic such as "add";
/// `table` is needed by "lookup" and "in".
std::optional<Atom> applyOp(llvm::StringRef op, llvm::ArrayRef<Atom> operands,
                            const std::optional<AtomTable> &table);

/// Whether `key OP query` holds; `op` is spelled "==", "<=", ...
std::optional<bool> compareAtoms(llvm::StringRef op, const Atom &key,
                                 const Atom &query);

/// What a leaf such as "tokens_int" holds for an input token.
std::optional<Atom> tokenAs(llvm::StringRef leaf, const Atom &token);

} // namespace rasp::rt

#endif
