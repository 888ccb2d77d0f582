//===- runtime/ResidualMap.h - what residual directions hold ----*- C++ -*-===//
//
// The file says which directions of the residual stream hold which variable of
// the program (`/residual/json`, FORMAT.md). This is that part of a model in a
// form to work with.
//
// A direction has one coordinate of the stream. Of the smallest models, several
// may have the same one, one after the other: an MLP clears the one before the
// next is written.
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
  unsigned begin = 0, end = 0; ///< coordinates
  /// Number of the first direction, of all in the map; the same as `begin`
  /// where each has a coordinate of its own.
  unsigned first = 0;
  /// By direction: the value that it stands for, or the function; "" for the
  /// variable itself.
  std::vector<std::string> labels;
  std::string role;      ///< "bookkeeping", "input" or "variable"
  std::string encoding;  ///< "categorical", "scalar", "code" or "constant"
  unsigned liveFrom = 0; ///< half-layer after which it is complete
  /// The half-layer that clears the coordinates for others; the largest number
  /// where the directions stay.
  unsigned clearedIn = ~0u;
  /// By direction, the hidden units that do it.
  std::vector<std::vector<unsigned>> clearingUnits;
  /// Hooks of the components that write and read it: `hook_embed`,
  /// `blocks.0.attn.hook_result[1]`, `blocks.1.hook_q_input[0]`, `unembed`.
  std::vector<std::string> writers, readers;
  std::vector<unsigned> sourceLines; ///< of the program, counted from 1
  std::string construction; ///< of the hidden units that write it, in words

  /// `variable:value`, or the variable alone.
  std::string labelOf(unsigned coordinate) const {
    const std::string &label = labels[coordinate - begin];
    return label.empty() ? variable : variable + ":" + label;
  }
};

class ResidualMap {
public:
  /// The map of a model; an error if its file describes the stream in a way
  /// that does not fit.
  static llvm::Expected<ResidualMap> make(const Model &model);
  /// The same for those who can do without.
  static std::optional<ResidualMap> makeIfKnown(const Model &model);

  llvm::ArrayRef<Subspace> subspaces() const { return all; }
  /// Whether directions have coordinates in common.
  bool isShared() const { return shared; }
  /// What a coordinate belongs to after a half-layer; null if the file does not
  /// say.
  const Subspace *find(unsigned coordinate, unsigned halfLayer) const;
  /// Whether a half-layer clears a coordinate, for another direction.
  bool isClearedIn(unsigned coordinate, unsigned halfLayer) const;
  /// The coordinates that a variable has at some time, ascending. The error for
  /// an unknown one says which there are.
  llvm::Expected<std::vector<unsigned>>
  coordinatesOf(llvm::StringRef variable) const;
  /// Those that it has after a half-layer, empty if it has none then.
  std::vector<unsigned> coordinatesOf(llvm::StringRef variable,
                                      unsigned halfLayer) const;

private:
  std::vector<Subspace> all;
  bool shared = false;
};

} // namespace rasp::rt

#endif
