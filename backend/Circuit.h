//===- backend/Circuit.h - heads and neurons over named directions -*- C++
//-*-===//
//
// Between the RASP IR and weights lies the circuit: directions of the residual
// stream with the variables that they hold, and the heads and neurons that
// read and write them. Everything is sparse and has names; matrices appear
// only in Assemble.cpp.
//
// Time is counted in half-layers: 0 is the embedding, 2l+1 the attention of
// layer l, 2l+2 its MLP. A component reads directions of smaller times only.
//
// Position 0 holds BOS, which attends to itself alone, so what any direction
// holds there is a constant, known here as `atBos`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CIRCUIT_H
#define RASP_BACKEND_CIRCUIT_H

#include "ir/Program.h"
#include "ir/Remarks.h"
#include "ir/ValueSets.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rasp::backend {

/// A direction of the residual stream, before layout gives it a coordinate.
enum class DirId : uint32_t {};

struct Term {
  DirId dir;
  double weight;
  bool operator==(const Term &) const = default;
};

/// An affine function of directions: what a component reads. Terms are sorted
/// by direction, without zeros.
struct View {
  llvm::SmallVector<Term, 4> terms;
  double constant = 0;

  static View ofConstant(double c) { return {{}, c}; }
  static View of(DirId dir, double weight = 1) { return {{{dir, weight}}, 0}; }
  bool isConstant() const { return terms.empty(); }

  View &operator+=(const View &other);
  View operator+(const View &other) const;
  View operator-(const View &other) const;
  View operator*(double factor) const;
  bool operator==(const View &) const = default;
  bool operator<(const View &other) const;
};

enum class WriterKind : uint8_t { TokenEmbed, PosEmbed, Head, Mlp };
llvm::StringRef writerName(WriterKind writer);

/// Joint values of the sources that a component is a function of, so that
/// what it computes can be checked value by value (Certify.h). Either a table
/// over sources, the last one varying fastest, or a weighted sum of directions
/// that takes too many values to be listed, from `low` to `high`.
struct Joint {
  llvm::SmallVector<ir::Source, 3> sources;
  llvm::SmallVector<uint32_t, 3> sizes;
  unsigned part = 0; ///< of the only source, see Direction
  /// Which combinations occur and matter; empty for all.
  std::vector<bool> matters;
  bool isSum = false;
  View sum;
  double low = 0, high = 0;
  bool operator<(const Joint &other) const;
};
using JointId = uint32_t;

/// A weighted sum of directions that is a function of an elementwise s-op:
/// what readers see of it where it has no direction of its own.
struct SourceForm {
  const ir::Node *source;
  View view;
  std::vector<double> byValue;
};

/// Why something was made as it is; told if all that `about` reads is there.
struct CircuitRemark {
  View about;
  ir::Remark remark;
};

/// Where a direction goes: into the coordinate of another one, which hidden
/// units of a layer have cleared before (ReuseDirections.cpp).
struct Reuse {
  DirId of;
  unsigned layer;
  bool operator==(const Reuse &) const = default;
};

struct Direction {
  WriterKind writer = WriterKind::TokenEmbed;
  /// The variable that the direction belongs to, and which of its values or
  /// functions it holds; the residual label is "space:label" or "space".
  std::string space, label;
  /// Embeddings: the entry by token id or position. The BOS row is `atBos`.
  std::vector<double> table;
  unsigned time = 0;
  /// Bounds at positions from 1 on.
  double low = 0, high = 0;
  /// Largest distance from the exact value, in the arithmetic of the stored
  /// dtype and for any order of summation.
  double error = 0;
  /// A power of two of which all exact values are multiples; 0 if unknown.
  double grid = 0;
  /// Where the exact value is 0, so is the actual one, whatever `error` says:
  /// no hidden unit that writes the direction is active there.
  bool exactZero = false;
  double atBos = 0;
  double errorAtBos = 0; ///< bound on the error of that
  /// The s-op whose value or function this is; null for BOS.
  const ir::Node *node = nullptr;
  /// How hidden units compute it, for people.
  std::string construction;
  /// Written by a head: the source that it belongs to, and what it holds for
  /// each of its values; empty where there are too many to be listed.
  const ir::Node *source = nullptr;
  /// A width that is added up from several counts: which of them, from 1 on.
  unsigned part = 0;
  std::vector<double> byValue;
  bool isMean = false; ///< of numbers that may differ
  /// Written by an MLP: what its hidden units are a function of.
  std::optional<JointId> joint;
  /// And how wrong the sums may be that they compare with their thresholds;
  /// no tolerance if they interpolate and hand errors on.
  double inputError = 0;
  std::optional<double> inputTolerance;
  /// None where the direction has a coordinate of its own from the beginning.
  std::optional<Reuse> reuse;
  /// Is to be seen until the end, whether or not anything reads it.
  bool stays = false;

  std::string residualLabel() const;
};

/// One rank of a head's scores: key view times query view.
struct ScoreTerm {
  View key, query;
  /// The conjunct of the selector that the term scores, and which of the
  /// conjunct's disjoint parts; terms of BOS belong to no conjunct.
  unsigned conjunct = 0, disjunct = 0;
  static constexpr unsigned ofBos = ~0u;
};

/// What a head moves: the mean of `value` over the selected keys is added to
/// `target`. `value` at BOS is what an empty selection gives.
struct HeadOutput {
  View value;
  DirId target;
  /// What `value` is a function of, and its intended values; none for the
  /// indicator of BOS.
  std::optional<JointId> joint;
  std::vector<double> intended;
  /// Whether several keys, or a key and BOS, may share the weight.
  bool averages = false;
};

struct Head {
  std::string name; ///< of the selector, for people
  const ir::Node *selector = nullptr;
  /// Scores are 1 (or the number of conjuncts) for selected keys and at least
  /// `gap` less for others; logits are `step` times the score.
  std::vector<ScoreTerm> scores;
  /// What each conjunct scores where it holds: 1 where scores of 0/1 tables
  /// add up, 0 for penalties, a sum where several conjuncts share a term.
  std::vector<double> conjunctScores;
  /// The only conjunct is an equality scored 2kq - k^2: selected keys score
  /// q^2, others at least 1 less.
  bool proportional = false;
  double step = 256;
  double selected = 0; ///< the sum of `conjunctScores`
  /// Bounds on the errors of scores: of any, and between selected keys.
  double scoreError = 0, tieError = 0;
  /// How wrong scores may be for attention to stay as hard as it is.
  double scoreTolerance = 0;
  /// What all keys that are not selected weigh together, at most.
  double leak = 0;
  /// What the two sides of the scores are functions of.
  std::vector<JointId> keyJoints, queryJoints;
  std::vector<HeadOutput> outputs;
  unsigned layer = 0;
  /// How the selector was built, for `--emit=circuit`, and why.
  std::string construction;
  ir::Remarks remarks;

  /// What texts leave out: 1 for each conjunct that has scores.
  std::vector<double> usualConjunctScores() const;
};

/// One hidden unit: relu(input), added to each target with its weight.
struct Neuron {
  View input;
  llvm::SmallVector<Term, 2> outputs;
  unsigned layer = 0;
};

/// What the unembedding reads: one logit per value, or the number itself.
struct Readout {
  std::string name; ///< the output's
  bool numerical = false;
  std::vector<ir::Value> values; ///< of the logits; of a number, if few
  std::vector<View> logits;      ///< one for a number
  std::string type;              ///< int, float, bool or string
  double tolerance = 0;          ///< see rt::OutputVocab
  double error = 0;              ///< bound on the error of a logit
  const ir::Node *node = nullptr;
  /// What the output is a function of, and by combination the position of its
  /// value in `values`, or -1.
  std::optional<JointId> joint;
  std::vector<int32_t> expected;
};

struct Circuit {
  std::vector<Direction> directions; ///< 0 is `bos`
  std::vector<Head> heads;
  std::vector<Neuron> neurons;
  Readout readout;
  std::vector<Joint> joints;
  std::vector<SourceForm> forms;
  std::vector<CircuitRemark> remarks;
  unsigned layers = 0;

  static constexpr DirId bos{0};
  Direction &operator[](DirId id) {
    return directions[static_cast<uint32_t>(id)];
  }
  const Direction &operator[](DirId id) const {
    return directions[static_cast<uint32_t>(id)];
  }
};

/// The largest power of two that divides all of `numbers`; 0 if all are 0.
double gridOf(llvm::ArrayRef<double> numbers);

/// What `view` is at position 0.
double atBos(const Circuit &circuit, const View &view);
/// The half-layer after which all of `view` is there.
unsigned timeOf(const Circuit &circuit, const View &view);

/// Drops everything that the readout does not depend on, and directions that
/// nothing reads; renumbers directions. This and the passes below return
/// whether they changed anything (CircuitPasses.def).
bool removeDead(Circuit &circuit);

/// The half-layer in which each direction is read first; the largest number
/// where no component reads it.
std::vector<unsigned> firstReads(const Circuit &circuit);

/// When each direction is written first and read last; of what the unembedding
/// reads that is the largest number.
struct HalfLayers {
  explicit HalfLayers(const Circuit &circuit);
  std::vector<unsigned> firstWrite, lastRead;
  static constexpr unsigned unembed = ~0u;
};

/// Moves components within their slack so that heads with equal scores are
/// one head, and counts layers.
bool schedule(Circuit &circuit);

/// Whether every component is in one of the layers. That is so once the circuit
/// is scheduled; layout and assembly need it.
bool isScheduled(const Circuit &circuit);

/// Moves components of a scheduled circuit within their slack so that its
/// widest layer has fewer heads, or fewer hidden units.
bool levelWidths(Circuit &circuit);

/// Lets directions take the coordinates of others that nothing reads any more,
/// where the circuit gets smaller by it. Every pass above takes that back.
bool reuseDirections(Circuit &circuit);
/// Whether the MLP of `layer` may clear one direction and write another into
/// its coordinate: then both are added up first, which must not round anything.
bool maySwap(const Circuit &circuit, DirId old, DirId next, unsigned layer);
/// Gives every direction a coordinate of its own; whether one had none.
bool undoReuse(Circuit &circuit);

/// Whether what is computed for a direction may be below 0.
bool mayBeNegative(const Direction &direction);

/// The end of a direction whose coordinate another one takes over.
struct Clearing {
  DirId dir;
  unsigned layer;
  /// Whether the direction may be below 0: then it takes two hidden units.
  bool twoSided;

  unsigned numUnits() const { return twoSided ? 2 : 1; }
};
/// All of them, by layer, then by direction.
std::vector<Clearing> clearingsOf(const Circuit &circuit);
/// The hidden units that do it: relu(x) takes x away, relu(-x) adds it.
std::vector<Neuron> clearingUnits(const Clearing &clearing);

/// Whether two heads attend alike.
bool haveSameScores(const Head &a, const Head &b);

/// The form that parseCircuit reads, see CircuitParser.h.
void print(llvm::raw_ostream &os, const Circuit &circuit);
/// `2*[length] - [indices] + 1`, for people: of many terms the first ones
/// alone, numbers to six digits.
std::string toString(const Circuit &circuit, const View &view,
                     size_t mostTerms = 8);

} // namespace rasp::backend

#endif
