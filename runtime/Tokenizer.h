//===- runtime/Tokenizer.h - values to token ids and back -------*- C++ -*-===//

#ifndef RASP_RUNTIME_TOKENIZER_H
#define RASP_RUNTIME_TOKENIZER_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace rasp::rt {

/// Turns input values into the ids of a model, and logits into output values.
/// Refers to the model.
class Tokenizer {
public:
  explicit Tokenizer(const Model &model);

  /// Ids of a sequence, BOS first. Values match by type: "1" is no int, but
  /// the float 1.0 is the int 1. An unknown token, an empty sequence and one
  /// longer than the model takes are errors.
  llvm::Expected<std::vector<uint32_t>>
  encode(llvm::ArrayRef<Atom> values) const;

  /// The code points of `text` as tokens, each read in the vocabulary's type:
  /// where it has ints, "12" is 1 and 2.
  std::vector<Atom> split(llvm::StringRef text) const;

  /// Does the vocabulary have this token?
  bool has(const Atom &value) const { return ids.count(keyOf(value)); }

  /// The output at a position (0 is BOS, whose output means nothing).
  /// `logits(position, output, sequence)` is a logit.
  template <typename LogitsT>
  Atom decode(const LogitsT &logits, unsigned position,
              unsigned sequence = 0) const {
    if (model.output.kind == OutputVocab::Numerical)
      return numberAt(logits(position, 0, sequence));
    return model.output.values[argmax(logits, position, sequence)];
  }

  /// Index of the largest logit, the first of equals.
  template <typename LogitsT>
  unsigned argmax(const LogitsT &logits, unsigned position,
                  unsigned sequence = 0) const {
    unsigned best = 0;
    for (unsigned output = 1; output < model.output.values.size(); ++output)
      if (logits(position, output, sequence) > logits(position, best, sequence))
        best = output;
    return best;
  }

  /// The value that a numerical logit stands for: the nearest that is listed.
  Atom numberAt(double logit) const;

private:
  static std::string keyOf(const Atom &value);

  const Model &model;
  llvm::StringMap<uint32_t> ids;
  std::vector<double> numbers; ///< the listed numerical outputs
};

} // namespace rasp::rt

#endif
