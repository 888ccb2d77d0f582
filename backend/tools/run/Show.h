//===- backend/tools/run/Show.h - a model's inside as text ------*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_RUN_SHOW_H
#define RASP_BACKEND_TOOLS_RUN_SHOW_H

#include "backend/tools/ProgramValues.h"
#include "runtime/ActivationCache.h"
#include "runtime/Inputs.h"
#include "runtime/VariableDecoder.h"

namespace rasp {

/// A choice of numbers such as `0,2-4`; without text, all.
class NumberChoice {
public:
  static llvm::Expected<NumberChoice> parse(llvm::StringRef text);

  bool isAll() const { return ranges.empty(); }
  bool contains(unsigned number) const;
  /// The greatest number that is named.
  unsigned last() const;

private:
  llvm::SmallVector<std::pair<unsigned, unsigned>, 2> ranges;
};

/// What of the inside of a model is printed.
struct ShowOptions {
  bool variables = false, residual = false, attention = false;
  NumberChoice layers, positions;

  bool any() const { return variables || residual || attention; }
  /// The activations that this takes.
  std::vector<rt::HookPoint> points(const rt::HookTable &table) const;
  /// Whether the stream after a half-layer is shown; the embedding belongs to
  /// layer 0.
  bool showsHalfLayer(unsigned halfLayer) const;
  /// The positions of an input of `length` tokens, BOS counted, that are shown:
  /// those that were asked for, or the first ones.
  std::vector<unsigned> positionsOf(unsigned length) const;
};

/// What there is to show of one input.
template <typename T> struct Inside {
  const rt::Model &model;
  const rt::Input &input; ///< with its output
  const rt::ActivationCache<T> &cache;
  unsigned sequence; ///< of the cache
  const ShowOptions &options;

  /// The stream at a position as a half-layer left it.
  const T *stream(unsigned halfLayer, unsigned position) const {
    return cache[rt::streamAfter(halfLayer)].at(sequence, position);
  }
  unsigned numHalfLayers() const { return 2 * std::max(1u, model.numLayers()); }
  /// "BOS" and the tokens at these positions, with `before` empty cells in
  /// front.
  std::vector<std::string> header(llvm::ArrayRef<unsigned> positions,
                                  unsigned before) const;
};

/// "the embedding", "the attention of layer 0", "the MLP of layer 0"
std::string nameOfHalfLayer(unsigned halfLayer);

/// After each half-layer: every variable that it has brought in or changed,
/// with its value at each position, and whether the program says the same.
template <typename T>
void showVariables(llvm::raw_ostream &os, const Inside<T> &inside,
                   const rt::VariableDecoder &decoder, ProgramValues *program);

/// After each half-layer: the directions that it has changed, one row each, a
/// column for each position.
template <typename T>
void showResidual(llvm::raw_ostream &os, const Inside<T> &inside);

/// The pattern of every head: a row for each query, a column for each key.
template <typename T>
void showAttention(llvm::raw_ostream &os, const Inside<T> &inside);

/// Every residual direction: what it holds, who writes and reads it, where that
/// is in the program. An error if the file does not say.
llvm::Error showDirections(llvm::raw_ostream &os, const rt::Model &model);

} // namespace rasp

#endif
