//===- runtime/dump/Meanings.h - what a file says of its weights -*- C++
//-*-===//
//
// Everything that a model file claims, in one place: which directions hold
// which variable, by value; the joint values that components can meet; and
// what the program computes on them. The dump derives the same from the
// weights and compares.
//
// Of a model in which directions share coordinates the unfolded one is taken
// apart, see Unfolding.h: directions are counted there.
//
// Any part may be missing. Without labels directions have numbers for names;
// without a certificate nothing can be compared, since only that lists joint
// values.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DUMP_MEANINGS_H
#define RASP_RUNTIME_DUMP_MEANINGS_H

#include "runtime/CertificateTables.h"
#include "runtime/Unfolding.h"
#include "runtime/VariableDecoder.h"
#include "runtime/dump/ProgramGraph.h"
#include <map>

namespace rasp::rt {

/// A value of the program for each joint value of variables of the
/// certificate; values are numbered by Meanings.
struct ValueTable {
  static constexpr uint32_t none = ~0u;     ///< the program fails there
  llvm::SmallVector<unsigned, 3> variables; ///< the last one varies fastest
  std::vector<uint32_t> entries;
};

/// The numbers that a direction may hold.
struct NumberRange {
  double low, high;
  bool isExact() const { return low == high; }
};

class Meanings {
public:
  explicit Meanings(const Model &model, const Unfolding *unfolding = nullptr);

  const Model &model;
  /// How the model was unfolded; null if no coordinate is shared.
  const Unfolding *const unfolding;
  const ProgramGraph graph;
  std::optional<ResidualMap> residual;
  std::optional<VariableDecoder> decoder;
  std::optional<Certificate> certificate;
  /// What directions hold by joint value, filled in by those who derive it;
  /// empty entries are not known. Null without a certificate.
  std::unique_ptr<Tables> tables;
  /// Why there are no labels, or nothing to compare with; empty otherwise.
  std::string whyUnlabelled, whyUnchecked;

  /// `length:1/(w+1)`, or `[10]` where the file has no label.
  std::string nameOf(unsigned direction) const;
  /// The same in brackets.
  std::string bracketed(unsigned direction) const;
  /// Where a direction is in the residual stream of the file's model.
  unsigned coordinateOf(unsigned direction) const {
    return unfolding ? unfolding->coordinateOf[direction] : direction;
  }
  /// What happens to a direction that others follow, and what a hidden unit
  /// clears; null if nothing.
  const ClearedDirection *clearingOf(unsigned direction) const;
  const ClearedDirection *clearedBy(unsigned layer, unsigned unit) const;
  /// The variable that a direction belongs to; null if the file does not say.
  const Subspace *spaceOf(unsigned direction) const;
  /// What the file says that a direction holds; null if it does not.
  const DirectionCode *codeOf(unsigned direction) const;

  /// The values of a variable of the certificate; empty if not known.
  llvm::ArrayRef<Atom> valuesOf(unsigned variable) const {
    return variableValues[variable];
  }
  /// An s-op, by the name that it has in the IR or the stream, as a function
  /// of variables; null if it is none, or one of too many joint values.
  const ValueTable *valuesOf(llvm::StringRef name,
                             llvm::ArrayRef<unsigned> variables);
  const ValueTable *valuesOf(unsigned node, llvm::ArrayRef<unsigned> variables);
  const Atom &atom(uint32_t number) const { return *atoms[number]; }
  uint32_t numberOfAtom(const Atom &atom);
  /// What a direction holds where its variable has a value; none if that does
  /// not matter or the file does not say.
  std::optional<NumberRange> claim(unsigned direction, uint32_t value);
  /// The same where the program has to say more: also of what heads bring in
  /// beside `variables`.
  const ValueTable *valuesOfAny(llvm::StringRef name,
                                llvm::ArrayRef<unsigned> variables);
  /// By joint value, whether it can occur as far as that is known: an s-op is
  /// what it is made of, and no more keys are counted than there are. Empty
  /// for all.
  const std::vector<bool> &occurrence(llvm::ArrayRef<unsigned> variables);
  /// Position of a value among the values of a variable of the certificate.
  std::optional<size_t> placeOf(unsigned variable, const Atom &value) const;

  /// Lines of the program as `line 3: x = y;`, or `lines 3, 4`.
  std::string lineText(llvm::ArrayRef<unsigned> lines) const;

private:
  void readCertificate();
  std::vector<Atom> findValues(unsigned variable) const;
  std::optional<ValueTable> makeValues(unsigned node,
                                       llvm::ArrayRef<unsigned> variables);
  std::optional<ValueTable> identity(unsigned variable);
  std::vector<bool> findOccurrence(llvm::ArrayRef<unsigned> variables);
  /// Whether a variable counts all keys.
  bool isFullWidth(unsigned variable);

  using NodeKey = std::pair<unsigned, std::vector<unsigned>>;
  std::vector<std::vector<Atom>> variableValues;
  unsigned depth = 0; ///< of operands that are being tabulated
  std::map<Atom, uint32_t> numbers;
  std::vector<const Atom *> atoms; ///< the keys of `numbers`
  std::map<NodeKey, std::optional<ValueTable>> nodeValues;
  std::map<unsigned, std::optional<ValueTable>> identities;
  std::map<std::vector<unsigned>, std::vector<bool>> occurrences;
  /// By direction: the variable of the decoder and the code in it.
  std::vector<std::pair<size_t, const DirectionCode *>> codes;
  std::map<std::pair<size_t, uint32_t>, size_t> places;
  std::vector<llvm::StringRef> lines;
};

/// Tells which joint values of a walk over `variables` can occur.
class JointOccurrence {
public:
  JointOccurrence(Meanings &meanings, JointWalk &walk,
                  llvm::ArrayRef<unsigned> variables)
      : known(meanings.occurrence(variables)),
        filter(*meanings.tables, walk, variables) {}
  /// Whether joint value number `joint`, the present one, can.
  bool admits(size_t joint) const {
    return (known.empty() || known[joint]) && filter.admits();
  }

private:
  const std::vector<bool> &known;
  JointFilter filter;
};

} // namespace rasp::rt

#endif
