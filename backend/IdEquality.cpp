//===- backend/IdEquality.cpp - equality of numbered values ---------------===//
//
// Values of any kind that both sides of an equality take are numbered, and
//
//   1 - (k - q)^2
//
// of the numbers is the score: three ranks and two directions per s-op instead
// of one for each value. Where the selector is never empty, 2kq - k^2 will do,
// since softmax ignores what depends on the query alone; numbers begin with 1
// then, so that the selected key scores 1 or more and BOS needs no term.
//
// Scores are exact as long as the significand holds the largest of them times
// the factor that the logits get. Of more values than that the numbers have
// two digits, each with a square of its own.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Source;

namespace {
/// The number of each value of an s-op, from 0.
using Numbers = std::vector<unsigned>;

struct Numbering {
  Numbers keys, queries;
  unsigned common = 0; ///< values that both sides take
  unsigned count = 0;  ///< numbers in use
};
} // namespace

/// Equal values get the same number. What one side alone takes equals nothing,
/// so one number does for all of it.
static Numbering numberValues(llvm::ArrayRef<ir::Value> keys,
                              llvm::ArrayRef<ir::Value> queries) {
  Numbering result;
  auto before = [](const ir::Value &a, const ir::Value &b) {
    return a < b && !ir::pythonEqual(a, b);
  };
  std::vector<ir::Value> both;
  for (const ir::Value &key : keys)
    if (std::binary_search(queries.begin(), queries.end(), key, before) &&
        (both.empty() || !ir::pythonEqual(both.back(), key)))
      both.push_back(key);
  result.common = static_cast<unsigned>(both.size());
  bool alone = false, keysAlone = false;
  auto number = [&](llvm::ArrayRef<ir::Value> values, Numbers &numbers) {
    alone = false;
    for (const ir::Value &value : values) {
      auto it = llvm::lower_bound(both, value, before);
      bool found = it != both.end() && ir::pythonEqual(*it, value);
      alone |= !found;
      numbers.push_back(found ? static_cast<unsigned>(it - both.begin())
                              : result.common + keysAlone);
    }
  };
  number(keys, result.keys);
  keysAlone = alone;
  number(queries, result.queries);
  result.count = result.common + keysAlone + alone;
  return result;
}

bool Lowering::addIdEquality(const Node *key, const Node *query,
                             const ir::SelectorFacts &facts, bool alone,
                             Scores &scores) {
  for (const Node *side : {key, query}) {
    const ir::NodeValues &values = sets.of(side);
    if (!values.known || !values.hasTable)
      return false;
    // Of heads that average and of counts, numbers are not exact.
    for (Source source : values.table.sources) {
      Access access = stateOf(source).access;
      if (access != Access::Token && access != Access::Position &&
          access != Access::Moved)
        return false;
    }
  }
  Numbering ids = numberValues(sets.of(key).values, sets.of(query).values);
  constexpr unsigned ranks = 3;
  if (ids.common <= ranks)
    return false;

  bool shifted = alone && facts.neverEmpty;
  double first = shifted ? 1 : 0;
  auto isExact = [&](unsigned digits, unsigned base) {
    double reach = base - 1 + first;
    return (4 * digits * reach * reach + 1) * widestRoot <=
           0.5 / options.unitRoundoff;
  };
  unsigned digits = 1, base = ids.count;
  if (!isExact(digits, base)) {
    digits = 2;
    base = static_cast<unsigned>(std::ceil(std::sqrt(ids.count)));
    if (!isExact(digits, base))
      return false;
  }
  struct Side {
    llvm::SmallVector<View, 2> digits;
    View square;
  };
  auto numbersOf = [&](const Node *sop, const Numbers &numbers) {
    Side side;
    std::vector<double> squares(numbers.size());
    for (unsigned d = 0, unit = 1; d < digits && !failed; ++d, unit *= base) {
      std::vector<double> digit;
      for (unsigned number : numbers)
        digit.push_back(number / unit % base + first);
      for (auto [square, x] : llvm::zip(squares, digit))
        square += x * x;
      side.digits.push_back(functionOf(sop, digit,
                                       digits == 1 ? "id"
                                       : d         ? "id/"
                                                   : "id%"));
    }
    side.square = functionOf(sop, squares, "id^2");
    return side;
  };
  Side k = numbersOf(key, ids.keys), q = numbersOf(query, ids.queries);
  if (failed)
    return false;
  double error = read(k.square).error + read(q.square).error;
  std::vector<ScoreTerm> terms;
  for (auto [own, other] : llvm::zip(k.digits, q.digits)) {
    error += read(own).error + read(other).error;
    terms.push_back({zeroAtBos(own), zeroAtBos(other * 2)});
  }
  if (error > 0)
    return false;
  View one = View::ofConstant(1);
  terms.push_back(
      {zeroAtBos(k.square), shifted ? one * -1 : zeroAtBos(one * -1)});
  if (!shifted)
    terms.push_back({zeroAtBos(one), zeroAtBos(one - q.square)});
  remark(scores, ir::diag::EqualityByIds, ids.common, terms.size());
  double reach = base - 1 + first;
  scores.addConjunct(std::move(terms), 1, 4 * digits * reach * reach + 1);
  scores.proportional = shifted;
  scores.note(shifted ? "ids, 2kq - k^2, never empty" : "ids, 1 - (k - q)^2");
  return true;
}
