//===- runtime/CertificateTables.h - directions by joint value --*- C++ -*-===//
//
// What the checker of certificates knows of a direction: for each joint value
// of the variables that it is a function of, its value in real arithmetic and
// how far the computed one may be from that. Everything that reads the stream
// reads affine functions of such tables.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_CERTIFICATETABLES_H
#define RASP_RUNTIME_CERTIFICATETABLES_H

#include "runtime/Certificate.h"
#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cmath>
#include <deque>
#include <vector>

namespace rasp::rt {

/// A number and how far the computed one may be from it.
struct Bound {
  double value = 0, error = 0;
  bool operator==(const Bound &) const = default;
};

struct DirectionTable {
  llvm::SmallVector<unsigned, 3> variables; ///< the last one varies fastest
  std::vector<Bound> entries;
  Bound atBos;
  bool complete = false; ///< no later component adds to it
};

/// A term of a sum: a table of `Tables` by number.
struct TableTerm {
  unsigned table;
  double weight;
};
/// An affine function of tables, as a column of W_Q or W_in is one.
struct TableView {
  std::vector<TableTerm> terms;
  Bound constant;
  /// The error of the constant has the rounding of the sum, whatever the terms
  /// hold, because one term stands for several.
  bool rounded = false;
};

/// The largest power of two that divides `value`; infinity for 0.
double gridOf(double value);

/// Adds up a sum's terms to bound its rounding error in any order: none if all
/// terms are multiples of a power of two and the significand holds their sum,
/// else a rounding per product and per addition. Two terms have one sum; its
/// rounding is relative to what comes out.
class RoundingBound {
public:
  explicit RoundingBound(double unitRoundoff) : unit(unitRoundoff) {}
  /// A term `weight * x`, x a multiple of `grid`.
  void addProduct(double weight, const Bound &x, double grid);
  void addProduct(double weight, const Bound &x) {
    addProduct(weight, x, gridOf(x.value));
  }
  void addTerm(const Bound &x) { addProduct(1, x); }
  double bound() const;

private:
  double unit;
  double sum = 0, spread = 0, magnitude = 0, products = 0, grid = HUGE_VAL;
  unsigned count = 0;
  bool exact = true;
};

class JointWalk;

/// The tables of all directions, and of forms once a reader needs them.
class Tables {
public:
  Tables(const Certificate &certificate);

  const Certificate &certificate;
  /// By coordinate; forms come behind. References stay valid.
  std::deque<DirectionTable> tables;

  uint32_t sizeOf(unsigned variable) const {
    return certificate.variables[variable].size;
  }
  size_t sizeOf(llvm::ArrayRef<unsigned> variables) const;

  /// Largest error over the combinations that count.
  double worstError(unsigned table) const;
  /// Largest size of what a table may hold.
  double largestOf(unsigned table) const;
  /// Largest rounding error of the sum, whatever the terms hold.
  double worstRounding(llvm::ArrayRef<TableTerm> terms,
                       const Bound &constant) const;

  /// The columns of `weights`, one view each.
  std::vector<TableView> columnsOf(const Matrix &weights,
                                   const Vector &bias) const;

  /// Makes the views functions of `variables`. Terms that make up a form of one
  /// of them become one term; what still depends on other variables becomes a
  /// constant with the spread as its error.
  void restrictTo(llvm::ArrayRef<unsigned> variables,
                  std::vector<TableView> &views);
  /// The first half of that.
  void useForms(llvm::ArrayRef<unsigned> variables,
                std::vector<TableView> &views);

  /// The value of a view at position 0.
  Bound atBos(const TableView &view) const;
  /// The value of a view at the present joint value of a walk that follows the
  /// view's tables.
  Bound evaluate(const TableView &view, const JointWalk &walk,
                 llvm::ArrayRef<unsigned> followed) const;

private:
  unsigned tableOfForm(size_t form);
  /// Before one term of a view comes to stand for several.
  void countRounding(TableView &view) const;
  /// Where directions cancel between forms of several variables, a view is a
  /// combination of them although it has the terms of none.
  void useCombinations(llvm::ArrayRef<unsigned> variables,
                       std::vector<TableView> &views);

  std::vector<unsigned> formTables; ///< by form; ~0u while there is none
};

/// Walks all joint values of variables and keeps, for each of some tables, the
/// position of its entry.
class JointWalk {
public:
  JointWalk(const Tables &tables, llvm::ArrayRef<unsigned> variables);

  /// Follows a table over some of the variables; returns its number.
  unsigned follow(llvm::ArrayRef<unsigned> variables);
  size_t at(unsigned followed) const { return offsets[followed]; }
  size_t size() const { return total; }
  void next();

private:
  const Tables &tables;
  llvm::SmallVector<unsigned, 3> variables;
  llvm::SmallVector<uint32_t, 3> sizes, counts;
  std::vector<size_t> offsets;
  /// strides[v][f]: by variable and followed table.
  std::vector<std::vector<size_t>> strides;
  size_t total = 1;
};

/// Tells which joint values can occur: where a form of one variable is a
/// function of others, they must agree.
class JointFilter {
public:
  JointFilter(const Tables &tables, JointWalk &walk,
              llvm::ArrayRef<unsigned> variables);
  /// Whether the present joint value of the walk can occur.
  bool admits() const;

private:
  struct Relation {
    const Certificate::Form *form;
    unsigned variable;              ///< followed by the walk
    std::vector<unsigned> followed; ///< parallel to the form's terms
  };
  const Tables &tables;
  const JointWalk &walk;
  std::vector<Relation> relations;
};

} // namespace rasp::rt

#endif
