//===- runtime/Model.h - a transformer and what it means --------*- C++ -*-===//
//
// The architecture is the one that TransformerLens calls HookedTransformer
// with no normalisation: token and position embedding, then per layer
// attention and a ReLU MLP, each added to the residual stream, then unembed.
// Every weight right-multiplies a row vector, as there.
//
// In memory a model is ragged and sparse: a layer has as many heads and hidden
// units as it uses, a head its own width. Files pad to common sizes.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_MODEL_H
#define RASP_RUNTIME_MODEL_H

#include "llvm/Support/JSON.h"
#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace rasp::rt {

using Matrix = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

/// A token or an output value. JSON values would not do: they have one kind of
/// number, and here -1 and -1.0 are two values.
using Atom = std::variant<bool, int64_t, double, std::string>;

/// One attention head; K is its own width, at most Config::dHead. Scores are
/// (x W_Q + b_Q) . (x W_K + b_K) / sqrt(Config::dHead): the writer of the
/// weights has multiplied W_Q and b_Q by that root.
struct Head {
  Matrix wQ, wK, wV; ///< [D, K]
  Vector bQ, bK, bV; ///< [K]
  Matrix wO;         ///< [K, D]
};

struct Layer {
  std::vector<Head> heads;
  Vector bO;   ///< [D]
  Matrix wIn;  ///< [D, M]; M is the layer's own number of hidden units
  Vector bIn;  ///< [M]
  Matrix wOut; ///< [M, D]
  Vector bOut; ///< [D]
};

enum class DType : uint8_t { Float32, Float64 };

/// Members of TransformerLens' configuration without which some of its hook
/// points never fire. They change no result.
struct HookSwitches {
  bool useHookTokens = false, useAttnIn = false;
  bool useSplitQkvInput = true, useAttnResult = true, useHookMlpIn = true;
};

struct Config {
  unsigned dModel = 0;
  unsigned dHead = 0; ///< what the scores are divided by the root of
  unsigned nCtx = 0;  ///< longest input, BOS counted
  /// Heads and hidden units per layer in the file that the model was read
  /// from, should no layer use so many.
  unsigned paddedHeads = 0, paddedHidden = 0;
  bool causal = false;
  DType dtype = DType::Float32;
  std::string modelName;
  HookSwitches hooks;
};

/// The tokens: ids are positions in `values`; BOS and PAD have ids of their
/// own.
struct InputVocab {
  std::vector<Atom> values;
  unsigned bosId = 0, padId = 0; ///< values.size() and the next
};

/// How the logits at a position become a value.
struct OutputVocab {
  enum Kind : uint8_t {
    Categorical, ///< the value with the largest logit
    Numerical,   ///< one logit, the number itself
  };
  Kind kind = Categorical;
  std::string label; ///< the RASP name of the output
  /// The word that the language uses for the sequence: int, float, bool,
  /// string.
  std::string type;
  /// Categorical: value of each logit. Numerical: every number that can occur,
  /// ascending, if there are few; the decoder takes the nearest.
  std::vector<Atom> values;
  /// Numerical: half the smallest distance of two values, or the largest
  /// error of the logit when the values are not listed.
  double tolerance = 0;
};

/// Everything a model file holds.
struct Model {
  Config config;
  Matrix wE;   ///< [V, D]; V counts BOS and PAD
  Matrix wPos; ///< [nCtx, D]; row 0 is BOS
  std::vector<Layer> layers;
  Matrix wU; ///< [D, O]
  Vector bU; ///< [O]

  InputVocab input;
  OutputVocab output;
  std::vector<std::string> residualLabels; ///< [D], "tokens:a"
  llvm::json::Value residual = nullptr;    ///< subspaces, see the format
  llvm::json::Value circuit = nullptr;     ///< components and edges
  llvm::json::Value ir = nullptr;          ///< typed IR and component map
  std::string programText;
  std::string programName; ///< file name of the program, no folders
  /// How the program is to be read again: output name, token type, ...
  llvm::json::Value options = nullptr;
  /// Why the model is exact, see Certificate.h; null if it has none.
  llvm::json::Value certificate = nullptr;
  /// Inputs, without BOS, that the file carries with their logits, so that a
  /// reader can test itself.
  std::vector<std::vector<Atom>> examples;
  /// Set by the reader: the weights or the program are no longer those that
  /// the writer took hashes of.
  bool edited = false;

  unsigned numLayers() const { return layers.size(); }
  /// Largest number of heads in a layer.
  unsigned numHeads() const;
  /// Largest number of hidden units in a layer.
  unsigned dMlp() const;
};

/// The counts that `raspc --stats` and readers ask for. The sizes are those of
/// the file: each at least 1.
struct Shape {
  unsigned layers, heads, dHead, dMlp, dModel, vocab, outputs;
  /// As a reader with padded layers counts: embeddings and biases included,
  /// unembedding not.
  uint64_t parameters;
  uint64_t parametersRagged;
  uint64_t nonzeros; ///< of the same tensors
};
Shape shapeOf(const Model &model);
/// `parameters` of a shape of which the sizes are there.
uint64_t paddedParameters(const Shape &shape, unsigned nCtx);

/// Rounds every weight to the precision that the file will have, so that the
/// model behaves as the file read back. Does nothing for float64.
void roundToDType(Model &model);

/// Calls `fn` with a zero of the type in which a model of `dtype` computes:
/// `withScalar(dtype, [&](auto zero) { Transformer<decltype(zero)> ... })`.
template <typename Fn> decltype(auto) withScalar(DType dtype, Fn &&fn) {
  return dtype == DType::Float32 ? fn(float()) : fn(double());
}

} // namespace rasp::rt

#endif
