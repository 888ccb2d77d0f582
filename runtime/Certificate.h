//===- runtime/Certificate.h - why a model is exact -------------*- C++ -*-===//
//
// A certificate says, for a model's weights, what every direction of the
// residual stream means and how far its value may be from that in the
// arithmetic of the stored precision, for any order of summation. It speaks of
//
// * variables: the token, the position, and everything that a head brings in,
//   each with finitely many values. What an MLP writes is a function of
//   variables, which the weights themselves define;
// * domains: the joint values of variables that a component can meet. That
//   other combinations do not occur follows from the program, not from the
//   weights: the certificate takes it from the compiler, as it does the
//   values of means, and that some selectors never select two keys;
// * bounds: an error for every direction and every head's scores, and the
//   margin that is left when the output is decoded.
//
// CertificateChecker.h derives the bounds again from the weights alone.
// FORMAT.md describes the JSON form.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_CERTIFICATE_H
#define RASP_RUNTIME_CERTIFICATE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rasp::rt {

struct Certificate {
  enum class VariableKind : uint8_t {
    Token,    ///< the token's id
    Position, ///< 0 for the first token
    Moved,    ///< a head moves one of its values, or several equal ones
    Mean,     ///< a head averages numbers
    Width,    ///< a head gives BOS the share 1/(width + 1)
    Derived,  ///< an elementwise s-op that readers see as a whole
    Sum,      ///< a weighted sum of directions
  };
  struct Variable {
    std::string name;
    VariableKind kind = VariableKind::Token;
    uint32_t size = 0;
    /// Of a sum or mean with more values than are listed: any number from
    /// `low` to `high`; its `size` is then 2, for the two ends.
    bool interval = false;
    double low = 0, high = 0;
  };
  /// A weighted sum of directions that is `values[i]` where a variable has
  /// value number i.
  struct Form {
    unsigned variable = 0;
    std::vector<std::pair<unsigned, double>> terms; ///< direction, weight
    double constant = 0;
    std::vector<double> values;
  };
  /// Joint values of variables, the last one varying fastest.
  struct Domain {
    std::vector<unsigned> variables;
    /// The combinations that never occur or do not matter; empty for none.
    std::vector<bool> excluded;
  };
  struct Direction {
    std::string label, writer;
    /// Bound on the distance from what is meant, on the whole domain.
    double error = 0;
    double low = 0, high = 0, atBos = 0;
    /// Written by a head: the variable, and what is meant for each value.
    std::optional<unsigned> variable;
    std::vector<double> values;
    /// Written by an MLP: what its hidden units are a function of.
    std::optional<unsigned> domain;
    /// How wrong the sums of inputs that its hidden units compare with their
    /// thresholds may be, and how wrong they could be without harm; without a
    /// tolerance they interpolate and hand errors on.
    double inputError = 0;
    std::optional<double> inputTolerance;
  };
  /// What a head writes into one direction.
  struct Move {
    unsigned target = 0;
    /// What the moved values are a function of, and what they are meant to be
    /// (NaN where it does not matter); none for the share of BOS.
    std::optional<unsigned> domain;
    std::vector<double> values;
    /// Several keys, or a key and BOS, may share the weight.
    bool averages = false;
  };
  struct Head {
    unsigned layer = 0, head = 0;
    std::string selector, construction;
    double step = 0;     ///< logits are scores times this
    double selected = 0; ///< score of selected keys
    /// Selected keys have the largest score of their query, and every query
    /// has one.
    bool proportional = false;
    double scoreError = 0, scoreTolerance = 0, tieError = 0;
    /// What all keys that are not selected weigh together, at most.
    double leak = 0;
    std::vector<unsigned> keys, queries; ///< domains of the two sides
    std::vector<Move> moves;
  };
  struct Output {
    bool numerical = false;
    std::optional<unsigned> domain;
    /// By combination, the position of the right value; -1 where none is.
    std::vector<int32_t> expected;
    double error = 0; ///< of a logit
    /// Twice the error must stay below it (categorical), or the error
    /// (numerical).
    double margin = 0;
  };
  /// The longest inputs for which the program compiles exactly; it stands
  /// beside the certificate, as "exact_length".
  struct Reach {
    unsigned longest = 0;
    bool unlimited = false; ///< longer ones were not tried
    std::string limitedBy;  ///< the refusal of the next length
  };

  std::string program, output;
  std::string weightHash;
  bool causal = false;
  double unitRoundoff = 0;
  unsigned maxSeqLen = 0;
  std::vector<Variable> variables;
  std::vector<Form> forms;
  std::vector<Domain> domains;
  std::vector<Direction> directions; ///< by coordinate
  std::vector<Head> heads;
  Output readout;

  /// Number of combinations of a domain; at most `limit`.
  uint64_t sizeOf(const Domain &domain, uint64_t limit) const;
};

llvm::json::Value toJSON(const Certificate &certificate);
llvm::json::Value toJSON(const Certificate::Reach &reach);

/// Checks that all numbers fit together; the text may be hostile.
llvm::Expected<Certificate> certificateFromJSON(const llvm::json::Value &json);

} // namespace rasp::rt

#endif
