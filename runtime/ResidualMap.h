//===- runtime/ResidualMap.h - what residual directions hold ----*- C++ -*-===//
//
// The file says which directions of the residual stream hold which variable of
// the program (`/residual/json`, FORMAT.md). This is that part of a model in a
// form to work with.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_RESIDUALMAP_H
#define RASP_RUNTIME_RESIDUALMAP_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace rasp::rt {

/// Neighbouring directions that hold one variable, or functions of it.
struct Subspace {
  std::string variable;
  unsigned begin = 0, end = 0;
  /// By direction: the value that it stands for, or the function; "" for the
  /// variable itself.
  std::vector<std::string> labels;
  std::string role;      ///< "bookkeeping", "input" or "variable"
  std::string encoding;  ///< "categorical", "scalar", "code" or "constant"
  unsigned liveFrom = 0; ///< half-layer after which it is complete
  /// Hooks of the components that write and read it: `hook_embed`,
  /// `blocks.0.attn.hook_result[1]`, `blocks.1.hook_q_input[0]`, `unembed`.
  std::vector<std::string> writers, readers;
  std::vector<unsigned> sourceLines; ///< of the program, counted from 1
  std::string construction; ///< of the hidden units that write it, in words
};

class ResidualMap {
public:
  /// The map of a model; an error if its file describes the stream in a way
  /// that does not fit.
  static llvm::Expected<ResidualMap> make(const Model &model);
  /// The same for those who can do without.
  static std::optional<ResidualMap> makeIfKnown(const Model &model);

  llvm::ArrayRef<Subspace> subspaces() const { return all; }
  /// What a direction belongs to; null if the file does not say.
  const Subspace *find(unsigned direction) const;
  /// The directions of a variable, ascending. The error for an unknown one
  /// says which there are.
  llvm::Expected<std::vector<unsigned>>
  directionsOf(llvm::StringRef variable) const;

private:
  std::vector<Subspace> all;
};

} // namespace rasp::rt

#endif
