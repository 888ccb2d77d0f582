//===- backend/ReuseDirections.cpp - coordinates that serve twice ---------===//
//
// A direction that nothing reads any more can make room for one that is written
// later: hidden units subtract what it holds, relu(x) and, where it may be
// negative, relu(-x), and its coordinate is free. The sum x - relu(x) +
// relu(-x) is 0 whatever x is, rounding errors and all, at BOS too; so neither
// the values nor the errors of the new direction change.
//
// That is so where the new direction is written in a later half-layer. In the
// very MLP that clears, what it writes and what is cleared are added up before
// they reach the stream. Then all of it must be exact: multiples of one power
// of two that the significand of float32 holds.
//
// A clearing unit costs 2 d_model + 1 parameters per layer, but only where its
// layer is then the widest one; a coordinate less saves a row or a column in
// every matrix. How wide layers may become is tried from what they are.
//
//===----------------------------------------------------------------------===//

#include "backend/Circuit.h"
#include "backend/Layout.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace rasp;
using namespace rasp::backend;

bool rasp::backend::undoReuse(Circuit &circuit) {
  bool changed = false;
  for (Direction &direction : circuit.directions)
    changed |= std::exchange(direction.reuse, std::nullopt).has_value();
  return changed;
}

bool rasp::backend::mayBeNegative(const Direction &direction) {
  return direction.low - direction.error < 0 ||
         direction.atBos - direction.errorAtBos < 0;
}

std::vector<Clearing> rasp::backend::clearingsOf(const Circuit &circuit) {
  std::vector<Clearing> clearings;
  for (const Direction &direction : circuit.directions)
    if (direction.reuse)
      clearings.push_back({direction.reuse->of, direction.reuse->layer,
                           mayBeNegative(circuit[direction.reuse->of])});
  llvm::sort(clearings, [](const Clearing &a, const Clearing &b) {
    return std::pair(a.layer, a.dir) < std::pair(b.layer, b.dir);
  });
  return clearings;
}

std::vector<Neuron> rasp::backend::clearingUnits(const Clearing &clearing) {
  std::vector<Neuron> units;
  for (double sign : {1.0, -1.0}) {
    if (units.size() == clearing.numUnits())
      break;
    Neuron &unit = units.emplace_back();
    unit.input = View::of(clearing.dir, sign);
    unit.outputs = {{clearing.dir, -sign}};
    unit.layer = clearing.layer;
  }
  return units;
}

HalfLayers::HalfLayers(const Circuit &circuit)
    : lastRead(circuit.directions.size(), 0) {
  auto readAt = [&](const View &view, unsigned time) {
    for (const Term &term : view.terms) {
      unsigned &own = lastRead[static_cast<uint32_t>(term.dir)];
      own = std::max(own, time);
    }
  };
  for (const Direction &direction : circuit.directions)
    firstWrite.push_back(direction.time);
  for (const Head &head : circuit.heads) {
    for (const ScoreTerm &score : head.scores) {
      readAt(score.key, 2 * head.layer + 1);
      readAt(score.query, 2 * head.layer + 1);
    }
    for (const HeadOutput &output : head.outputs)
      readAt(output.value, 2 * head.layer + 1);
  }
  for (const Neuron &neuron : circuit.neurons) {
    unsigned time = 2 * neuron.layer + 2;
    readAt(neuron.input, time);
    for (const Term &term : neuron.outputs) {
      unsigned &own = firstWrite[static_cast<uint32_t>(term.dir)];
      own = std::min(own, time);
    }
  }
  for (const View &logit : circuit.readout.logits)
    readAt(logit, unembed);
}

namespace {

/// What is known of a sum that must not be rounded.
struct ExactSum {
  bool isExact = true;    ///< as far as its terms are
  double grid = HUGE_VAL; ///< a power of two of which all terms are multiples
  double largest = 0;     ///< what their sizes add up to

  void add(double weight, const ExactSum &term) {
    if (weight == 0)
      return;
    isExact &= term.isExact;
    grid = std::min(grid, gridOf({weight}) * term.grid);
    largest += std::fabs(weight) * term.largest;
  }
  /// Whether the significand of float32 holds the sum and all its parts.
  bool fits() const { return isExact && largest <= 0x1p24 * grid; }
};

} // namespace

static ExactSum sumOf(const Direction &direction) {
  ExactSum sum;
  sum.isExact = direction.error == 0 && direction.errorAtBos == 0;
  sum.grid = direction.grid;
  sum.largest = std::max({std::fabs(direction.low), std::fabs(direction.high),
                          std::fabs(direction.atBos)});
  if (sum.largest == 0)
    sum.grid = HUGE_VAL;
  return sum;
}

/// What the MLP of a layer writes into a direction.
static ExactSum writtenBy(const Circuit &circuit,
                          llvm::ArrayRef<const Neuron *> units, DirId next,
                          unsigned layer) {
  ExactSum sum;
  for (const Neuron *neuron : units) {
    if (neuron->layer != layer)
      continue;
    ExactSum input;
    input.add(neuron->input.constant, {true, 1, 1});
    for (const Term &term : neuron->input.terms)
      input.add(term.weight, sumOf(circuit[term.dir]));
    input.isExact = input.fits();
    for (const Term &term : neuron->outputs)
      if (term.dir == next)
        sum.add(term.weight, input);
  }
  return sum;
}

/// Whether one MLP may clear the one and write the other, sums of both exact.
static bool isExactSwap(const ExactSum &old, const ExactSum &next) {
  ExactSum both = next;
  both.add(1, old);
  return both.fits();
}

bool rasp::backend::maySwap(const Circuit &circuit, DirId old, DirId next,
                            unsigned layer) {
  std::vector<const Neuron *> units;
  for (const Neuron &neuron : circuit.neurons)
    if (llvm::any_of(neuron.outputs,
                     [&](const Term &term) { return term.dir == next; }))
      units.push_back(&neuron);
  return isExactSwap(sumOf(circuit[old]),
                     writtenBy(circuit, units, next, layer));
}

namespace {

class Reuser {
public:
  explicit Reuser(Circuit &circuit);
  void run();

private:
  /// Which direction takes over which, for layers of at most `width` units.
  struct Plan {
    std::vector<std::optional<Reuse>> reuse; ///< by direction
    unsigned saved = 0, width = 0;
  };

  Plan planFor(unsigned width);
  unsigned unitsFor(uint32_t old) const { return isTwoSided[old] ? 2 : 1; }
  /// The first layer whose MLP may clear `old` for `next`, if that has `free`
  /// units left.
  std::optional<unsigned> layerFor(uint32_t old, uint32_t next,
                                   llvm::ArrayRef<unsigned> free) const;

  Circuit &circuit;
  /// What is never to be cleared counts as read until the end.
  HalfLayers times;
  /// By direction: what it holds, and what the MLP writes that writes it first.
  std::vector<ExactSum> held, written;
  std::vector<bool> isTwoSided;
  std::vector<unsigned> widths; ///< by layer
  /// In the order in which they are written.
  std::vector<uint32_t> order;
  size_t pairs = 0; ///< that were looked at
  static constexpr unsigned never = HalfLayers::unembed;
};

} // namespace

Reuser::Reuser(Circuit &circuit)
    : circuit(circuit), times(circuit), widths(circuit.layers) {
  std::vector<std::vector<const Neuron *>> unitsOf(circuit.directions.size());
  for (auto [i, direction] : llvm::enumerate(circuit.directions))
    if (direction.stays || i == 0)
      times.lastRead[i] = never;
  for (const Neuron &neuron : circuit.neurons) {
    ++widths[neuron.layer];
    for (const Term &term : neuron.outputs)
      unitsOf[static_cast<uint32_t>(term.dir)].push_back(&neuron);
  }
  for (auto [i, direction] : llvm::enumerate(circuit.directions)) {
    held.push_back(sumOf(direction));
    isTwoSided.push_back(mayBeNegative(direction));
    unsigned first = times.firstWrite[i];
    bool isOfMlp = first > 0 && first % 2 == 0;
    written.push_back(isOfMlp ? writtenBy(circuit, unitsOf[i],
                                          DirId(static_cast<uint32_t>(i)),
                                          first / 2 - 1)
                              : ExactSum());
  }
  for (DirId dir : layOut(circuit).order)
    order.push_back(static_cast<uint32_t>(dir));
}

std::optional<unsigned> Reuser::layerFor(uint32_t old, uint32_t next,
                                         llvm::ArrayRef<unsigned> free) const {
  // Half-layer 2l + 2 is that of the MLP of layer l. It may read the direction
  // itself, but not write it.
  unsigned soonest =
      std::max({times.lastRead[old], circuit.directions[old].time + 1, 2u});
  for (unsigned layer = (soonest - 1) / 2;
       2 * layer + 2 <= times.firstWrite[next]; ++layer)
    if (free[layer] >= unitsFor(old) &&
        (2 * layer + 2 < times.firstWrite[next] ||
         isExactSwap(held[old], written[next])))
      return layer;
  return std::nullopt;
}

Reuser::Plan Reuser::planFor(unsigned width) {
  Plan plan;
  plan.reuse.resize(circuit.directions.size());
  plan.width = width;
  std::vector<unsigned> free;
  unsigned left = 0;
  for (unsigned used : widths)
    left += free.emplace_back(width - used);
  // Those that have been written so far and that no other one took over.
  std::vector<uint32_t> holders;
  for (uint32_t next : order) {
    uint32_t *taken = nullptr;
    if (times.firstWrite[next] > 0 && left > 0)
      for (uint32_t &old : holders) {
        ++pairs;
        // Two units where nothing cheaper is there.
        if (taken && isTwoSided[old])
          continue;
        std::optional<unsigned> layer = layerFor(old, next, free);
        if (!layer)
          continue;
        taken = &old;
        plan.reuse[next] = {DirId(old), *layer};
        if (!isTwoSided[old])
          break;
      }
    if (!taken) {
      if (times.lastRead[next] != never)
        holders.push_back(next);
      continue;
    }
    free[plan.reuse[next]->layer] -= unitsFor(*taken);
    left -= unitsFor(*taken);
    ++plan.saved;
    *taken = next;
    if (times.lastRead[next] == never)
      holders.erase(holders.begin() + (taken - holders.data()));
  }
  return plan;
}

void Reuser::run() {
  // As many tokens and positions as the tables show.
  ir::Domain domain;
  domain.maxSeqLen = 0;
  for (const Direction &direction : circuit.directions) {
    size_t size = direction.table.size();
    if (direction.writer == WriterKind::PosEmbed)
      domain.maxSeqLen = static_cast<unsigned>(size);
    else if (direction.writer == WriterKind::TokenEmbed)
      domain.vocabulary.resize(size);
  }
  rt::Shape shape = shapeOf(circuit, domain);
  unsigned width = *llvm::max_element(widths);
  auto costOf = [&](const Plan &plan) {
    rt::Shape own = shape;
    own.dModel -= plan.saved;
    own.dMlp = std::max(1u, plan.width);
    return rt::paddedParameters(own, domain.maxSeqLen + 1);
  };
  Plan best;
  best.width = width;
  uint64_t cost = costOf(best);
  // More units than directions to be cleared are of no use. Many choices are
  // tried with each circuit, so what one of them may take is bounded.
  constexpr size_t mostPairs = 1 << 22;
  size_t most = 2 * circuit.directions.size();
  for (size_t more = 0; more <= most && pairs < mostPairs;
       more += 1 + more / 4) {
    Plan plan = planFor(static_cast<unsigned>(width + more));
    if (uint64_t own = costOf(plan); own < cost) {
      cost = own;
      best = std::move(plan);
    }
  }
  for (size_t i = 0; i < best.reuse.size(); ++i)
    circuit.directions[i].reuse = best.reuse[i];
}

bool rasp::backend::reuseDirections(Circuit &circuit) {
  std::vector<std::optional<Reuse>> before;
  for (const Direction &direction : circuit.directions)
    before.push_back(direction.reuse);
  undoReuse(circuit);
  // Whom a direction may follow is looked for among all others.
  constexpr size_t mostDirections = 4096;
  if (circuit.layers > 0 && isScheduled(circuit) &&
      circuit.directions.size() <= mostDirections)
    Reuser(circuit).run();
  return !llvm::equal(before, circuit.directions,
                      [](const std::optional<Reuse> &old,
                         const Direction &own) { return old == own.reuse; });
}
