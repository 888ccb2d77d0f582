//===- backend/Lowering.h - from RASP IR to a circuit -----------*- C++ -*-===//
//
// Lowering works by demand, from the output backwards. It asks for *views*:
// affine functions of directions of the residual stream. What a view cannot
// give is materialised by a head or by neurons, as early as its operands allow.
//
// An elementwise s-op is a table over its sources (ir/ValueSets.h). How a
// source is read decides what a function of it costs:
//
//   token, position   any function is a direction of the embedding
//   moved aggregate   at most one key counts: the head moves any function of
//                     the values, one direction each
//   mean              one scalar direction; affine functions are views, others
//                     need neurons (a profile of one scalar)
//   width             the head gives 1/(width + 1); every function of the
//                     width is a profile of that
//   derived           an elementwise s-op that was cut out of a large table, or
//                     that is kept in the stream on demand
//
// The parts: Functions.cpp (functions of one source); Tables.cpp (functions of
// several), with Packing.cpp, LinearForms.cpp, Cells.cpp, SumCells.cpp and
// JoinedCells.cpp; Profile.cpp (piecewise-linear functions of a scalar);
// Neurons.cpp; Heads.cpp (what heads move); Selectors.cpp, Disjunctions.cpp,
// StepCodes.cpp, GeometricCodes.cpp and Penalties.cpp (scores); Counts.cpp
// (widths as sums of widths); Readout.cpp (unembedding).
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_LOWERING_H
#define RASP_BACKEND_LOWERING_H

#include "backend/Circuit.h"
#include "backend/FunctionTable.h"
#include "backend/Profile.h"
#include "backend/SelectorFormula.h"
#include "backend/SelectorTable.h"
#include "ir/Printer.h"
#include "ir/ValueSets.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <optional>

namespace rasp::backend {

struct LoweringOptions {
  /// Unit roundoff of the stored dtype: 2^-24 or 2^-53.
  double unitRoundoff = 0x1p-24;
  /// Keys that share a weight must have equal scores, exactly; otherwise they
  /// may differ by what the readers of the head can stand.
  bool exactTies = false;
  /// Strings are put out as numbers that their logits are made of, not as a 0/1
  /// direction each.
  bool numberedOutput = false;
  /// Equality of ints by squares even if a table would be there earlier.
  bool lateEqualities = false;
  /// Tables read a kept s-op with many values as a number, by profiles, and
  /// not by a direction for each value.
  bool keptAsNumbers = false;
  /// Comparisons of numbers that have errors by geometric codes.
  bool geometricCodes = true;
  /// Selectors with orders of exact numbers by geometric codes too, although
  /// keys then tie only nearly.
  std::vector<const ir::Node *> geometricOrders;
  /// Whether the circuit says why it is as it is.
  bool remarks = false;
};

/// Range and error of a view at positions from 1 on.
struct Reading {
  double low = 0, high = 0, error = 0;
  /// A power of two of which all exact values are multiples, if the actual
  /// ones are exact; else 0.
  double grid = 0;
  double magnitude() const { return std::max(std::fabs(low), std::fabs(high)); }
};

/// A weighted sum of the numbers that sources hold.
struct LinearForm {
  std::vector<std::pair<ir::Source, double>> coefficients;
  double constant = 0;
};

/// What a new direction is called.
struct Naming {
  const ir::Node *node = nullptr;
  std::string label;
  /// What the direction is a function of.
  std::optional<JointId> joint = std::nullopt;
  /// Whether it will hold hidden units down, whose slopes multiply its errors.
  bool isGate = false;
  /// What remarks are about if it is not `node`, and why a table is not read
  /// through one sum.
  const ir::Node *reader = nullptr;
  std::string notPacked = "";
};

class Lowering {
public:
  Lowering(ir::ValueSets &sets, const ir::NodeNames &names,
           const LoweringOptions &options, ir::Diagnostics &diags);

  /// The circuit that computes `output`, not yet scheduled; none after an
  /// error.
  std::optional<Circuit> run(const ir::Node *output);
  /// The op that an error was about.
  const ir::Node *refused() const { return culprit; }
  /// Whether keys share a weight although their scores may differ.
  bool hasNearTies() const { return nearTies; }
  /// Whether geometric codes were chosen somewhere.
  bool hasGeometricCodes() const { return geometricCodes; }

private:
  //===--- Views of s-ops ------------------------------------------------===//

  /// The numeric value of `sop`.
  View scalarOf(const ir::Node *sop);
  /// `byValue[i]` where `sop` has value number i; NaN where any number will
  /// do.
  View functionOf(const ir::Node *sop, llvm::ArrayRef<double> byValue,
                  llvm::StringRef label);
  /// The same, computed from what `sop` is a function of.
  View derivedFunction(const ir::Node *sop, llvm::ArrayRef<double> byValue,
                       llvm::StringRef label);
  /// The same for an affine s-op without a table: a profile of its scalar.
  View profileOfScalar(const ir::Node *sop, llvm::ArrayRef<double> byValue,
                       const Naming &naming);
  /// The sum of scaled operands that `sop` is, if it is affine by structure.
  std::optional<View> affineScalar(const ir::Node *sop);
  bool requireValues(const ir::Node *sop, llvm::StringRef reader);

  //===--- What components are functions of (Joints.cpp) ------------------===//

  JointId addJoint(Joint joint);
  /// A kept s-op may be a source beside those that it is a function of. What
  /// it is not with them does not matter.
  void excludeImpossible(Joint &joint) const;
  JointId jointOf(const FunctionTable &table);
  JointId jointOf(const SelectorSide &side);
  /// Of an s-op as its readers see it: its table, the sum that it is, or a
  /// source if it is kept.
  JointId jointOf(const ir::Node *sop);
  JointId jointOfOperands(const ir::Node *sop);
  /// What a view of `sop` is a function of: a sum, if it was read as one.
  JointId jointOfView(const View &view, const ir::Node *sop);
  JointId jointOfSource(ir::Source source);
  JointId jointOfPart(const ir::Node *width, unsigned part);
  /// Of a sum of functions of the joints; none if one is a sum itself or the
  /// combinations are many.
  std::optional<JointId> jointOfAll(llvm::ArrayRef<JointId> parts);
  /// Of an s-op that is read as the number that it is: its values, those for
  /// which `byValue` is not NaN.
  JointId jointOfValues(const ir::Node *sop, const View &scalar,
                        llvm::ArrayRef<double> byValue);
  /// Whether the combinations of a joint are the values of `sop`.
  bool isByValue(JointId joint, const ir::Node *sop) const;

  /// How keys that are selected together must score.
  enum class Ties : uint8_t {
    None, ///< there are none
    Near, ///< alike, as far as errors go
    Exact ///< the same
  };

  //===--- Functions of one source (Functions.cpp)
  //-------------------------===//

  enum class Access : uint8_t { Token, Position, Moved, Mean, Width, Derived };
  /// A term of a width: the number of keys that a formula selects, added or
  /// subtracted.
  struct Count {
    Formula formula;
    double sign;
  };
  struct SourceState {
    Access access = Access::Token;
    const ir::Node *node = nullptr;
    llvm::ArrayRef<ir::Value> values;
    /// Numeric value of each value; NaN for strings.
    std::vector<double> numbers;
    bool numeric = false; ///< no value is a string
    /// Functions that have a direction, and where they are by affine form.
    std::vector<std::pair<std::vector<double>, DirId>> functions;
    std::map<std::vector<double>, size_t> byForm;
    /// One direction per value, or empty.
    std::vector<DirId> oneHot;
    /// Mean, Width: the scalar that the head writes.
    std::optional<View> raw;
    /// Width: the counts that it is a sum of, if no one head counts it. The
    /// scalar is the width itself then.
    std::vector<Count> counts;
  };
  SourceState &stateOf(ir::Source source);
  /// Whether an aggregate hands values on unchanged on every input that has a
  /// result.
  bool moves(const ir::Node *aggregate);
  View functionOfSource(ir::Source source, std::vector<double> byValue,
                        const Naming &naming);
  void addFunction(SourceState &state, std::vector<double> function, DirId dir);
  /// An affine function of a direction that the source has.
  std::optional<View> findFunction(const SourceState &state,
                                   llvm::ArrayRef<double> known);
  /// What the head of a mean writes where nothing is selected.
  double emptyMean(const ir::Node *aggregate);
  /// Gives every value of the source a direction.
  /// `reader` tells so many classes of them apart.
  void makeOneHot(ir::Source source, llvm::StringRef reader, size_t classes);
  /// The scalar direction of a Mean or Width, and what it holds per value.
  View rawView(SourceState &state);
  std::vector<double> rawCoordinates(const SourceState &state);
  void refuseEqualNumbers(const SourceState &state, double number,
                          const ir::Node *reader);
  View profileOfSource(SourceState &state, llvm::ArrayRef<double> byValue,
                       const Naming &naming);
  bool isRaw(ir::Source source);
  /// The scalar of a source as the argument of a profile.
  Axis rawAxis(SourceState &state);
  /// How unequal the weights of a head may be for its readers to tell the
  /// values of the source apart.
  double weightTolerance(const SourceState &state) const;
  /// Whether its scalar is the share of BOS that a width leaves.
  bool isShare(ir::Source source);

  //===--- Functions of several sources (Tables.cpp ...)
  //--------------------===//

  View realize(FunctionTable table, llvm::ArrayRef<LinearForm> forms,
               const Naming &naming);
  /// A linear form that decides the outcome, and the profile that reads it.
  struct Packing {
    View coordinate;
    Profile profile;
    unsigned time;
  };
  /// What a linear form is for each combination of values, and the combinations
  /// in the order of that.
  struct SortedSums {
    std::vector<double> key, sums;
    std::vector<uint32_t> order;
  };
  /// `axes[d][v]`: what value v of source d adds. Valid until the next call.
  const SortedSums &sortedSums(llvm::ArrayRef<uint32_t> sizes,
                               llvm::ArrayRef<std::vector<double>> axes,
                               double constant);
  std::optional<Packing> findPacking(const FunctionTable &table,
                                     llvm::ArrayRef<LinearForm> forms,
                                     const Naming &naming);
  View emitTable(const FunctionTable &table, llvm::ArrayRef<LinearForm> forms,
                 const Naming &naming);
  /// The 0/1 views of the classes of each source but the one that stays a
  /// scalar, and the table over those classes.
  struct Cells {
    FunctionTable table;
    std::vector<std::vector<View>> indicators;
    std::optional<size_t> rawDim;
    /// The scalar, and what it is for each index of dimension `rawDim`.
    View coordinate;
    std::vector<double> axis;
    double indicatorError = 0;
    /// Bound on the error of a sum of one indicator per source.
    double gateError = 0;
  };
  View emitCells(const FunctionTable &table, llvm::ArrayRef<LinearForm> forms,
                 const Naming &naming);
  /// A table, and the 0/1 views of the values of a dimension where there are
  /// any: where it stands for several sources.
  struct Gates {
    FunctionTable table;
    std::vector<std::vector<View>> indicators;
    explicit Gates(const FunctionTable &table)
        : table(table), indicators(table.sources.size()) {}
    bool isJoined() const {
      return llvm::any_of(indicators,
                          [](auto &views) { return !views.empty(); });
    }
  };
  /// The table with classes of joint values in place of sources of which only
  /// some sum matters (JoinedCells.cpp).
  Gates joinedGates(const FunctionTable &table,
                    llvm::ArrayRef<LinearForm> forms, const Naming &naming);
  /// Joins the dimensions of `group` if that takes fewer classes, and no more
  /// time, than each by itself.
  bool joinSources(Gates &gates, llvm::ArrayRef<size_t> group,
                   llvm::ArrayRef<LinearForm> forms, const Naming &naming);
  /// A sum of the raw sources of a table, and what each of them adds to it.
  struct RawSum {
    View coordinate;
    std::vector<std::vector<double>> axes; ///< by dimension; empty for others
    double constant = 0;
  };
  /// Sums that may stand for all raw sources, those that are there first first
  /// (SumCells.cpp).
  std::vector<RawSum> rawSums(const FunctionTable &table,
                              llvm::ArrayRef<LinearForm> forms);
  std::optional<View> emitSumCells(const FunctionTable &table,
                                   llvm::ArrayRef<LinearForm> forms,
                                   const Naming &naming);
  /// A way to make cells: the scalar that has profiles, or none, when all that
  /// is read will be there, and how many values the scalar has.
  struct CellPlan {
    const Gates *gates;
    std::optional<size_t> rawDim;
    unsigned time;
    size_t profileSize;
    /// Whether boxes of values of all sources would be there as soon.
    bool boxesInTime = false;
  };
  /// What may be tried, best first: what is there first, then profiles of what
  /// has most values.
  std::vector<CellPlan> cellPlans(llvm::ArrayRef<Gates> ways);
  /// What a source has profiles of: its scalar, or the number that it is.
  View scalarOfSource(ir::Source source);
  /// Whether it is better read as a number than by its many values.
  bool isLongScale(ir::Source source);
  Cells makeCells(const Gates &gates, std::optional<size_t> rawDim);
  std::optional<View>
  emitProfileCells(const Cells &cells, const Naming &naming,
                   size_t mostUnits = std::numeric_limits<size_t>::max());
  View emitBoxes(const Cells &cells, const Naming &naming);
  View worstIndicator(const Cells &cells) const;
  /// A direction of its own for what `view` holds.
  View copyView(const View &view, const Naming &naming, double low,
                double high);
  /// `argument` says what the coordinate is.
  /// The view with those of its directions that MLPs of one layer write as one
  /// direction, which their hidden units write too: what reads it has fewer
  /// sums to round. Only functions of what `reader` is a function of are taken.
  View gathered(const View &view, const ir::Node *sop, JointId reader);
  View emitProfile(const View &coordinate, const Profile &profile,
                   const Naming &naming, double low, double high,
                   llvm::StringRef argument);
  /// Adds a hidden unit, or a target to the equal one that there is.
  void addNeuron(View input, DirId target, double weight);
  View offAtBos(View input) const;
  /// `construction` says how hidden units will compute it.
  DirId newMlpDirection(const Naming &naming, llvm::StringRef construction);
  /// Sets range, error and grid once all neurons are there.
  void finishMlpDirection(DirId dir, double low, double high, double error,
                          double grid);
  /// Refuses what the stored precision cannot hold.
  void checkRange(const Direction &direction);
  using FormMemo = llvm::DenseMap<const ir::Node *, std::optional<LinearForm>>;
  std::optional<LinearForm> linearForm(const ir::Node *sop,
                                       llvm::ArrayRef<ir::Source> sources,
                                       FormMemo &memo);
  std::optional<LinearForm> computeForm(const ir::Node *sop,
                                        llvm::ArrayRef<ir::Source> sources,
                                        FormMemo &memo);
  std::vector<LinearForm> collectForms(const ir::Node *sop,
                                       llvm::ArrayRef<ir::Source> sources);

  //===--- Heads (Heads.cpp)
  //-----------------------------------------------===//

  /// Whether BOS is one of the selected keys (so that its share shows their
  /// number), or only what remains when nothing is selected.
  enum class BosMode : uint8_t { Counted, Default };
  /// What a number is compared with: a direction that is exactly 0 on one side
  /// of a gap, and on the other 1 if it is whole, else at least that.
  struct StepDirection {
    DirId dir;
    Step step;
    View second;      ///< the input of the unit that makes it whole
    double error = 0; ///< then
    bool whole = false;
  };
  struct Pattern {
    std::vector<ScoreTerm> scores;
    std::vector<double> conjunctScores;
    bool proportional = false;
    double selected = 0, scoreError = 0, scoreTolerance = 0, tieError = 0;
    std::vector<JointId> keyJoints, queryJoints;
    unsigned time = 0;
    double step = 256;
    /// Relative error of the weights of selected keys, and what all others
    /// weigh together.
    double weightError = 0, leak = 0;
    std::string name, construction;
    /// When the scores are too wrong to be used: their error, what would do,
    /// and what for.
    double tooNoisy = 0, tolerance = 0;
    llvm::StringRef sensitive;
    const ir::Node *selector = nullptr;
    std::vector<StepDirection *> steps; ///< must be whole
    ir::Remarks told;
    std::map<unsigned, size_t> headByTime;
  };
  struct Scores {
    std::vector<ScoreTerm> terms;
    std::vector<double> conjunctScores; ///< of selected keys, see Head
    double selected = 0;                ///< their sum
    double error = 0;                   ///< largest error of a score
    double tieError = 0;                ///< the same among selected keys
    /// What the sizes of the terms of a selected pair add up to.
    double magnitude = 0;
    bool proportional = false; ///< selected score varies with the query, and
                               ///< everything else is at least 1 below it
    std::vector<StepDirection *> steps; ///< must be whole
    std::string construction;
    std::string remarks; ///< what was made of the formula before
    ir::Remarks told;
    /// Takes in the terms of one more conjunct, what it scores and what the
    /// sizes of its terms add up to.
    void addConjunct(std::vector<ScoreTerm> conjunct, double score,
                     double size);
    /// Makes terms with the same key or the same query view one rank; the
    /// conjuncts that they belong to become one.
    void mergeTerms();
    void remark(llvm::StringRef text) { remarks += text.str() + ": "; }
    void note(llvm::StringRef text) {
      construction += (construction.empty() ? "" : " and ") + text.str();
    }
  };
  static constexpr double unequalWeights =
      std::numeric_limits<double>::infinity();
  /// `tolerance` is how unequal the weights of keys that are selected together
  /// may be.
  Pattern &patternOf(const ir::Node *selector, BosMode mode,
                     double tolerance = 0);
  Pattern makePattern(const ir::Node *selector, BosMode mode, Ties ties);
  Pattern makePattern(const Formula &formula, Scores scores,
                      const ir::Node *selector, const ir::SelectorFacts &facts,
                      BosMode mode, Ties ties);
  /// Chooses the step and says how unequal weights are. What gets no weight
  /// should score `gap` less than what gets some, but for `noise`.
  void sharpen(Pattern &pattern, double gap, double noise, Ties ties) const;
  /// How far apart geometric codes may score pairs that are selected.
  double geometricTolerance(bool single) const;
  /// Says that the scores are too wrong, if they are.
  void checkNoise(const Pattern &pattern);
  /// How far scores may be from what they should be because of what BOS holds:
  /// its own as a key, or all those that it gives as a query.
  double noiseOfBos(llvm::ArrayRef<ScoreTerm> terms,
                    View ScoreTerm::*side) const;
  /// How wrong a view may be at position 0.
  double errorAtBos(const View &view) const;
  /// A direction that holds the mean of `value`, and `empty` where nothing is
  /// selected.
  DirId moveValue(Pattern &pattern, View value, double empty,
                  const Naming &naming, double low, double high, bool averages);
  /// 1/(w+1), with w the number of keys that count for a width, or for one of
  /// the parts that it is added up from.
  DirId moveShareOfBos(Pattern &pattern, const Naming &naming, double low,
                       double high, unsigned part);
  /// Says what the values that a head moves are meant to be, by value of the
  /// s-op that is moved.
  void setIntended(DirId target, const ir::Node *value,
                   llvm::ArrayRef<double> byInput);
  DirId moveFunction(const ir::Node *aggregate, llvm::ArrayRef<double> byValue,
                     const Naming &naming);

  //===--- Selectors (Selectors.cpp)
  //---------------------------------------===//

  bool buildScores(const Formula &formula, const ir::Node *selector,
                   const ir::SelectorFacts &facts, BosMode mode, Ties ties,
                   Scores &scores);
  /// The table of a formula, or a message that there is none.
  std::optional<SelectorTable> selectorTable(const Formula &formula);
  /// The 0/1 function of a side that is 1 on some of its tuples.
  View sideIndicator(const SelectorSide &side, const std::vector<bool> &isTrue,
                     llvm::StringRef label);
  bool addTabular(const Formula &formula, Scores &scores);
  //===--- Disjunctions (Disjunctions.cpp)
  //---------------------------------===//

  /// Joint values that hidden units have to tell apart for the table of a
  /// formula, on its larger side; 0 if none.
  double productSize(const Formula &formula) const;
  /// The parts of an `or`, joined so far that no two hold together.
  std::vector<Formula> disjointParts(const Formula &disjunction);
  /// The largest product that the scores of a formula take.
  double disjunctionSize(const Formula &formula);
  /// An `or` as an `and` of smaller ones, where that is cheaper.
  Formula distributed(Formula formula, Scores &scores);
  bool addDisjunction(const Formula &formula, Scores &scores);

  /// When the operands of scores are there.
  unsigned timeOfTerms(llvm::ArrayRef<ScoreTerm> terms) const;
  /// Before which time those of a table cannot be: that of what it reads.
  unsigned earliestTable(const Formula &comparison);
  /// When those of the table of a comparison would be; none if there is none.
  std::optional<unsigned> timeOfTable(const Formula &comparison);
  bool addEquality(const Formula &comparison, const ir::SelectorFacts &facts,
                   bool alone, Ties ties, Scores &scores);

  /// The same by numbers that the values get (IdEquality.cpp).
  bool addIdEquality(const ir::Node *key, const ir::Node *query,
                     const ir::SelectorFacts &facts, bool alone,
                     Scores &scores);

  //===--- Counts (Counts.cpp)
  //-----------------------------------------------===//

  /// The counts that the width of a disjunction is a sum of, if that is better
  /// than to count it by one head; else none.
  std::vector<Count> countsOf(const ir::Node *width);
  /// The number of keys that a formula selects.
  View viewOfCount(const Formula &formula, const ir::Node *width);

  //===--- Step codes (StepCodes.cpp)
  //-----------------------------------------===//

  /// The values of an s-op along a scalar.
  struct OrderedValues {
    View coordinate;
    JointId joint = 0;
    Axis axis;
    /// Coordinates, ascending, and the numbers of the values there.
    std::vector<std::pair<double, size_t>> points;
  };
  /// Along the scalar of a head if the s-op is a function of that alone, or
  /// along its own; none if values are no numbers.
  std::optional<OrderedValues> orderedValues(const ir::Node *sop);
  /// Whether a scalar of the s-op or of what it is a function of has errors.
  bool isInexact(const ir::Node *sop);
  struct StepCode {
    std::optional<OrderedValues> values;
    std::vector<double> xs; ///< of the points
  };
  StepCode &stepCodeOf(const ir::Node *sop);
  /// The direction that differs from 0 above the gap below a point, or below
  /// it; none if the scalar is too noisy.
  StepDirection *stepAt(const ir::Node *sop, size_t at, bool rises);
  /// Adds the second units, for a pattern that is used.
  void makeWhole(llvm::ArrayRef<StepDirection *> steps);
  /// A view that is 1 for one value of an s-op and 0 for others, with bounds on
  /// its error for this value and for others.
  struct ClassCode {
    View view;
    double own = 0, others = 0;
    llvm::SmallVector<StepDirection *, 2> steps;
  };
  std::optional<ClassCode> classCode(const ir::Node *sop, size_t value);
  /// Equality of numbers that have errors, by codes that nearly have none.
  bool addStepEquality(const ir::Node *key, const ir::Node *query,
                       Scores &scores);

  //===--- Geometric codes (GeometricCodes.cpp)
  //-------------------------------------===//

  /// How an order is scored with fewer ranks than it has levels.
  struct GeometricPlan {
    unsigned levels = 0;
    unsigned block = 0;   ///< levels per rank
    unsigned missing = 0; ///< levels that the first rank has less
    int base = 0;         ///< log2 of the ratio from level to level
    int scale = 0;        ///< log2 of the factor of every product
    double tie = 0;       ///< most that a selected pair scores below 0
    unsigned ranks() const { return (levels + missing + block - 1) / block; }
    /// The levels of a rank are those above `first` up to `last`.
    unsigned first(unsigned rank) const {
      return rank == 0 ? 0 : rank * block - missing;
    }
    unsigned last(unsigned rank) const {
      return std::min((rank + 1) * block - missing, levels);
    }
    /// log2 of what a level weighs as a key or as a query.
    int weightOf(unsigned level, unsigned rank, bool isKey) const;
  };
  /// One side of an order.
  struct GeometricSide {
    const ir::Node *sop = nullptr;
    bool isKey = true;
    /// By value, from 0 on; as queries, values that reject no key have a level
    /// above all others.
    std::vector<unsigned> levels;
    unsigned count = 0;
    /// Of a number with errors: its values, and by level, from 1 on, the unit
    /// that is on from there up (keys) or down (queries); none for one that is
    /// always on.
    const OrderedValues *values = nullptr;
    std::vector<std::optional<Step>> steps;
  };
  /// The sides of `key OP query` for an order; none if one of them has no code.
  std::optional<std::pair<GeometricSide, GeometricSide>>
  geometricSides(const ir::Node *key, const ir::Node *query, ir::CompareOp op);
  /// Finds the units of a number that has errors.
  bool findUnits(GeometricSide &side);
  /// By rank and level, bounds on what is computed.
  using GeometricBounds = std::vector<std::vector<std::pair<double, double>>>;
  GeometricBounds boundsOf(const GeometricSide &side,
                           const GeometricPlan &plan) const;
  std::optional<GeometricPlan> planOf(const GeometricSide &key,
                                      const GeometricSide &query,
                                      double tolerance, bool mirrored) const;
  std::optional<View> geometricCode(const GeometricSide &side,
                                    const GeometricPlan &plan, unsigned rank);
  bool addGeometricOrder(const GeometricSide &key, const GeometricSide &query,
                         const GeometricPlan &plan, Scores &scores);
  /// A comparison with `<`, `<=`, `==`, `>=` or `>`, with selected pairs that
  /// score at most `tolerance` apart.
  bool addGeometric(const Formula &comparison, double tolerance,
                    Scores &scores);
  /// Whether that may be better than a table for one of the conjuncts of a
  /// selector; `single` if no two keys are selected together.
  bool prefersGeometric(const Formula &comparison,
                        llvm::ArrayRef<Formula> conjuncts,
                        const ir::Node *selector, bool single);

  //===--- Penalties (Penalties.cpp)
  //---------------------------------------===//

  /// Scores that are exactly 0 for selected keys and at most -1 for others,
  /// although the values that are compared have errors.
  bool addPenalties(const Formula &formula, Scores &scores);
  bool addPenaltyConjunct(const Formula &formula, Scores &scores,
                          double &largestError, llvm::StringRef reason);
  /// Whether a comparison reads functions of several scalars and more: a
  /// threshold is one hidden unit, a class of values would be many.
  bool prefersPenalties(const Formula &formula);
  /// A view that is exactly 0 off a set, and at least `atLeast` on it.
  struct ExactSet {
    View view;
    double atLeast = 1;
  };
  ExactSet exactIndicator(const SelectorSide &side,
                          const std::vector<bool> &isIn, llvm::StringRef label);
  /// An up-set or down-set of a number, as one hidden unit.
  std::optional<ExactSet> exactThreshold(const ir::Node *sop,
                                         const std::vector<bool> &isIn);
  bool addOrderPenalties(const Formula &comparison, const SelectorTable &table,
                         Scores &scores);
  void penalise(const SelectorTable &table, const std::vector<bool> &keySet,
                const std::vector<bool> &querySet, llvm::StringRef keyLabel,
                llvm::StringRef queryLabel, Scores &scores);

  //===--- Output (Readout.cpp)
  //--------------------------------------------===//

  bool buildReadout(const ir::Node *output);
  /// Logits, and the values that they stand for.
  bool chooseReadout(const ir::Node *output);
  bool readStrings(const ir::Node *output);
  /// 2vs - v^2 for each of the numbers v, largest for the one that is nearest
  /// to s.
  void readNearest(const View &scalar, llvm::ArrayRef<double> numbers);
  /// Which of the decoder's values each combination should give.
  void setExpected(const ir::Node *output);

  //===--- Shared ------------------------------------------------------------//

  /// Says why what `about` reads was made, if that was asked for.
  template <typename... Args>
  void remark(const View &about, const ir::Node *node,
              const ir::DiagKind<Args...> &kind,
              const std::type_identity_t<Args> &...args) {
    if (options.remarks && !failed)
      circuit.remarks.push_back(
          {about, ir::makeRemark(node ? node : tokenLeaf, kind, args...)});
  }
  /// The same of the selector that is being built.
  template <typename... Args>
  void remark(Scores &scores, const ir::DiagKind<Args...> &kind,
              const std::type_identity_t<Args> &...args) const {
    if (options.remarks)
      scores.told.push_back(ir::makeRemark(scored, kind, args...));
  }
  /// "`a`, `b` and `c`", for remarks.
  std::string listNames(llvm::ArrayRef<ir::Source> sources) const;
  /// Combinations of values that a joint lists.
  uint64_t countCombinations(JointId joint) const;

  /// Ends the lowering with an error about `node`; only the first counts.
  template <typename... Args>
  void refuse(const ir::Node *node, const ir::DiagKind<Args...> &kind,
              const std::type_identity_t<Args> &...args) {
    if (failed)
      return;
    diags.emit(node ? rangeOf(node) : llvm::SMRange(), kind, args...);
    culprit = node;
    failed = true;
  }
  /// Remembers the two values of `node` that are so close that an `error` in
  /// them makes `dir` uncertain.
  void noteCloseValues(DirId dir, const ir::Node *node,
                       std::vector<double> axis, llvm::ArrayRef<double> byValue,
                       double error);
  /// `TooNoisy`, with the close values behind `view`, if that is why.
  void refuseNoise(const ir::Node *node, double error, double tolerance,
                   const View &view);

  Reading read(const View &view) const;
  /// The view as the argument of a profile.
  Axis axisOf(const View &view) const;
  /// The view, minus what it holds at BOS there: exactly zero at position 0.
  View zeroAtBos(const View &view) const;
  DirId newDirection(Direction direction);
  /// The variable that the s-op is, or `tokens` for null.
  std::string spaceName(const ir::Node *node) const;
  llvm::SMRange rangeOf(const ir::Node *node) const;
  /// Largest root of d_head that exactness of scores is shown for.
  static constexpr double widestRoot = 64;
  static unsigned nextAttention(unsigned time) { return time + 1 + time % 2; }
  static unsigned nextMlp(unsigned time) { return time + 2 - time % 2; }

  ir::ValueSets &sets;
  LoweringOptions options;
  ir::Diagnostics &diags;
  Circuit circuit;
  std::map<unsigned, SourceState> states;
  std::map<std::tuple<const ir::Node *, BosMode, Ties>, Pattern> patterns;
  std::map<const ir::Node *, StepCode> stepCodes;
  /// By scalar, what that is a function of, the ends of the gap, and whether
  /// the step rises.
  std::map<std::tuple<View, JointId, double, double, bool>, StepDirection>
      stepDirections;
  /// By scalar, what that is a function of, and the units.
  std::map<std::tuple<View, JointId, std::vector<double>>, DirId>
      geometricDirections;
  std::vector<std::pair<Formula, View>> counted;
  std::map<std::pair<std::vector<const ir::Node *>, std::vector<bool>>,
           ExactSet>
      exactSets;
  llvm::DenseMap<const ir::Node *, View> scalars;
  /// NaN is no key of a map: a number that no table holds stands for it.
  static constexpr double noEntry = -0x1.23456789abcdep+1000;
  std::map<std::pair<const ir::Node *, std::vector<double>>, View> profiled;
  std::deque<SortedSums> recentSums;
  std::map<View, size_t> neurons;
  std::map<Joint, JointId> joints;
  std::map<std::pair<std::vector<const ir::Node *>, std::vector<double>>, View>
      realized;
  /// Directions that make little of their range certain: two values of what
  /// they are functions of, as close as they are.
  struct CloseValues {
    const ir::Node *node;
    std::string first, second;
    double error;
  };
  std::map<DirId, CloseValues> closeValues;
  const ir::NodeNames &names;
  const ir::Node *culprit = nullptr;
  /// For remarks: a leaf that is the token, and the selector of the pattern
  /// that is being made.
  const ir::Node *tokenLeaf = nullptr;
  const ir::Node *scored = nullptr;
  bool failed = false;
  bool nearTies = false;
  bool geometricCodes = false;
};

} // namespace rasp::backend

#endif
