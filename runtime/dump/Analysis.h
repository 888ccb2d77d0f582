//===- runtime/dump/Analysis.h - what weights implement ---------*- C++ -*-===//
//
// Takes a model apart: what each head selects and moves, which function each
// group of hidden units is, what every logit reads. All of it is derived from
// the weights, component by component, on every joint value of the variables
// that a component reads; what it reads is taken to hold what the file says,
// so that a weight that is wrong shows where it is. The result is compared
// with what the file says of the component: its labels, by value, and the
// program's own condition or function.
//
// This is real arithmetic on the stored weights. What rounding does to it the
// certificate bounds, and `rasp-verify --check-certificate` derives.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DUMP_ANALYSIS_H
#define RASP_RUNTIME_DUMP_ANALYSIS_H

#include "runtime/dump/Meanings.h"

#include <array>

namespace rasp::rt {

/// What came of a comparison.
struct Verdict {
  enum Kind : uint8_t { AsLabelled, Unchecked, Wrong };
  Kind kind = AsLabelled;
  std::string reason; ///< why not, for people; the first one

  /// Keeps what is worse.
  void lower(Kind to, const llvm::Twine &why);
  void lower(const Verdict &other) { lower(other.kind, other.reason); }
};

/// An affine function of directions, as a column of W_Q or W_in is one.
struct Affine {
  std::vector<std::pair<unsigned, double>> terms; ///< direction, weight
  double constant = 0;
};

/// What directions hold as a function of variables of the certificate.
struct FunctionReport {
  std::string variable; ///< that the directions belong to
  std::vector<unsigned> directions;
  llvm::SmallVector<unsigned, 3> inputs; ///< the last one varies fastest
  std::vector<bool> occurs;              ///< by joint value; empty for all
  /// By direction and joint value, from the weights; empty if not known.
  std::vector<std::vector<double>> numbers;
  /// By joint value, the only value of the variable that these numbers can
  /// stand for (see Meanings::atom); empty if they do not tell.
  std::vector<uint32_t> decoded;
  Verdict verdict;
};

/// Hidden units that compute one variable, or several together.
struct UnitGroup {
  std::vector<unsigned> units, reads;
  std::vector<FunctionReport> functions;
  Verdict verdict;
};

/// Which keys a head selects, against one selector of the program.
struct SelectionReport {
  std::string selector, condition;
  std::vector<unsigned> sourceLines;
  Verdict verdict;
  /// How many different keys and queries were looked at.
  size_t keys = 0, queries = 0;
  /// What the selector compares, on either side, and the joint values of these
  /// that occur, ascending.
  std::vector<std::string> keyTitles, queryTitles;
  std::vector<std::vector<uint32_t>> keyValues, queryValues;
  /// [query][key], from the weights: whether all, none or some of the keys
  /// with these values are selected.
  enum Cell : char { All = '#', None = '.', Some = '?' };
  std::vector<std::vector<Cell>> cells;
};

struct MoveReport {
  unsigned target = 0;
  Affine value; ///< of the key
  bool averages = false;
  Verdict verdict;
};

struct HeadReport {
  unsigned layer = 0, number = 0;
  std::string name, construction; ///< as the certificate has them
  std::vector<unsigned> keyReads, queryReads, sourceLines;
  unsigned rank = 0; ///< columns of W_Q that matter
  /// One for each selector that its outputs name.
  std::vector<SelectionReport> selections;
  /// Least distances in logits, infinite where nothing is to be told apart:
  /// of selected keys from others, of those from BOS, of BOS from others.
  double lead = HUGE_VAL, overBos = HUGE_VAL, bosOver = HUGE_VAL;
  bool isMeasured = false; ///< whether these are known
  /// BOS shares the weight of selected keys.
  bool bosCounts = false;
  /// Every query selects a key, so that BOS is never needed.
  bool neverEmpty = false;
  std::vector<MoveReport> moves;
  Verdict verdict; ///< of all that it does
};

struct LogitReport {
  std::string value; ///< "" for a number
  Affine input;
};

struct LayerReport {
  std::vector<HeadReport> heads;
  std::vector<UnitGroup> groups;
};

struct Analysis {
  std::vector<FunctionReport> embeddings;
  std::vector<LayerReport> layers;
  std::vector<LogitReport> logits;
  double margin = HUGE_VAL; ///< least lead of the right logit, derived
  Verdict output;
  std::vector<Verdict> directions; ///< by coordinate
  size_t hiddenUnits = 0, wrongUnits = 0, uncheckedUnits = 0;

  /// How many heads have this verdict.
  size_t countHeads(Verdict::Kind kind) const;
  size_t countDirections(Verdict::Kind kind) const;
  bool isAsLabelled() const;
};

/// Fills in the tables of `meanings` as it goes.
Analysis analyse(Meanings &meanings);

/// A column of a matrix that reads the stream, and its bias.
Affine columnOf(const Matrix &weights, const Vector &bias, unsigned column);
/// A matrix of a head that reads the stream, and its bias.
struct NamedWeights {
  const char *name;
  const Matrix &matrix;
  const Vector &bias;
};
/// W_Q, W_K and W_V.
std::array<NamedWeights, 3> readingWeights(const Head &head);
/// What a head adds to a direction, of a key's stream.
Affine movedInto(const Head &head, unsigned direction);

/// `2*[length] - 1`, with the names of directions.
std::string textOf(const Affine &affine, const Meanings &meanings,
                   size_t mostTerms = ~size_t(0));
/// "1 head", "2 heads".
std::string counted(size_t count, llvm::StringRef noun);
/// A few digits, for people.
std::string shortText(double number);
/// As short as reads back in the model's precision.
std::string exactText(double number, DType dtype);

} // namespace rasp::rt

#endif
