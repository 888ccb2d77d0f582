//===- backend/tools/Synthesis.cpp - what is tried before a refusal -------===//

#include "backend/Lowering.h"
#include "backend/tools/Compilation.h"
#include "ir/FailureChecks.h"
#include "llvm/ADT/STLExtras.h"
#include <deque>

using namespace rasp;
using ir::Node;

namespace {

/// How often at most an s-op loses its directions before all do.
constexpr unsigned maxReleases = 24;

/// One compilation with every choice made.
struct Attempt {
  explicit Attempt(llvm::SourceMgr &sources) : diags(sources) {}

  rt::DType dtype = rt::DType::Float32;
  bool observed = false;
  std::vector<const Node *> released;
  std::shared_ptr<ir::ValueSets> values;
  std::optional<backend::Circuit> circuit; ///< none if it was refused
  const Node *refused = nullptr;
  /// The program fails on every input, so there is nothing to compile.
  bool vacuous = false;
  ir::Diagnostics diags;

  bool isOfPrecision() const {
    return llvm::any_of(diags.all(), [](const ir::Diagnostic &diagnostic) {
      return llvm::is_contained({"TooNoisy", "SelectorTooNoisy", "OutOfRange"},
                                diagnostic.name);
    });
  }
};

/// The attempts at one greatest length.
class Search {
public:
  /// `given` are the value sets of the domain, if they are there already.
  Search(Compilation &compilation, const ir::Domain &domain, bool mayObserve,
         std::shared_ptr<ir::ValueSets> given = nullptr)
      : compilation(compilation), domain(domain), given(std::move(given)),
        triedToObserve(!mayObserve) {}

  /// Goes through the choices until one compiles; `first` is then what was
  /// refused before. With `wanted` the dtype is no choice.
  std::unique_ptr<Attempt> run(std::optional<rt::DType> wanted);
  std::unique_ptr<Attempt> first;

private:
  std::unique_ptr<Attempt> runIn(rt::DType dtype);
  std::unique_ptr<Attempt> attempt(rt::DType dtype, bool observed,
                                   llvm::ArrayRef<const Node *> released);
  const Node *nextToRelease(const Attempt &refused) const;
  /// Keeps again what need not have been released.
  std::unique_ptr<Attempt> keepMore(std::unique_ptr<Attempt> best);
  const ir::Observation *observe();

  Compilation &compilation;
  ir::Domain domain;
  std::shared_ptr<ir::ValueSets> given;
  std::optional<ir::Observation> observation;
  bool triedToObserve;
};

} // namespace

const ir::Observation *Search::observe() {
  if (!triedToObserve)
    observation = ir::Observation::make(compilation.compiled, domain);
  triedToObserve = true;
  return observation ? &*observation : nullptr;
}

std::unique_ptr<Attempt>
Search::attempt(rt::DType dtype, bool observed,
                llvm::ArrayRef<const Node *> released) {
  auto result = std::make_unique<Attempt>(compilation.sources);
  result->dtype = dtype;
  result->observed = observed;
  result->released = released.vec();
  if (given && !observed && released.empty()) {
    result->values = given;
  } else {
    ir::KeptNodes kept = compilation.required;
    for (const Node *node : compilation.wished)
      if (!llvm::is_contained(released, node))
        kept.insert(node);
    ir::Diagnostics unseen(compilation.sources); // `inferValues` told them
    result->values = std::make_shared<ir::ValueSets>(
        compilation.compiled, domain, unseen, std::move(kept),
        compilation.limits, observed ? observe() : nullptr);
    result->vacuous =
        unseen.hasErrors() ||
        !ir::checkFailures(compilation.compiled, *result->values, unseen);
    if (result->vacuous)
      return result;
  }
  backend::LoweringOptions options;
  if (dtype == rt::DType::Float64)
    options.unitRoundoff = 0x1p-53;
  auto lower = [&] {
    backend::Lowering lowering(*result->values, *compilation.names, options,
                               result->diags);
    result->circuit = lowering.run(compilation.compiled);
    result->refused = lowering.refused();
    return result->circuit || !lowering.hasNearTies();
  };
  // What reads weights that are not quite equal may stand less than it looked.
  if (!lower()) {
    options.exactTies = true;
    result->diags.clear();
    lower();
  }
  return result;
}

/// The wished s-op that is nearest to the refused one, on the way to the
/// inputs.
const Node *Search::nextToRelease(const Attempt &refused) const {
  if (!refused.refused)
    return nullptr;
  std::deque<const Node *> queue{refused.refused};
  llvm::DenseSet<const Node *> seen;
  while (!queue.empty()) {
    const Node *node = queue.front();
    queue.pop_front();
    if (!seen.insert(node).second)
      continue;
    if (compilation.wished.contains(node) &&
        !compilation.required.contains(node) &&
        !llvm::is_contained(refused.released, node))
      return node;
    llvm::append_range(queue, node->operands());
  }
  return nullptr;
}

std::unique_ptr<Attempt> Search::keepMore(std::unique_ptr<Attempt> best) {
  for (size_t i = 0; i < best->released.size() && best->released.size() > 1;) {
    std::vector<const Node *> released = best->released;
    released.erase(released.begin() + static_cast<std::ptrdiff_t>(i));
    auto next = attempt(best->dtype, best->observed, released);
    if (next->circuit)
      best = std::move(next);
    else
      ++i;
  }
  return best;
}

std::unique_ptr<Attempt> Search::runIn(rt::DType dtype) {
  auto best = attempt(dtype, false, {});
  if (best->circuit || best->vacuous)
    return best;
  bool observed = observe() != nullptr;
  auto next = [&](llvm::ArrayRef<const Node *> released) {
    if (!first)
      first = std::move(best);
    best = attempt(dtype, observed, released);
    return best->circuit.has_value();
  };
  if (observed && next({}))
    return best;
  for (unsigned i = 0; i < maxReleases; ++i) {
    const Node *node = nextToRelease(*best);
    if (!node)
      return best;
    std::vector<const Node *> released = best->released;
    released.push_back(node);
    if (next(released))
      return keepMore(std::move(best));
  }
  std::vector<const Node *> all;
  for (const Node *node : ir::reachable(compilation.compiled))
    if (compilation.wished.contains(node) &&
        !compilation.required.contains(node))
      all.push_back(node);
  next(all);
  return best;
}

std::unique_ptr<Attempt> Search::run(std::optional<rt::DType> wanted) {
  auto best = runIn(wanted.value_or(rt::DType::Float32));
  if (!best->circuit && !wanted && best->isOfPrecision()) {
    auto wider = runIn(rt::DType::Float64);
    if (!first)
      first = std::move(best);
    if (wider->circuit || !best)
      return wider;
  }
  return best;
}

/// The greatest length below the domain's for which there is a circuit, found
/// by doubling and bisection; 0 if there is none. Takes for granted that what
/// compiles for a length does so for smaller ones.
static unsigned largestLength(Compilation &compilation,
                              std::optional<rt::DType> wanted) {
  unsigned works = 0, largest = 0, fails = compilation.domain.maxSeqLen;
  auto compiles = [&](unsigned length) {
    ir::Domain domain = compilation.domain;
    domain.maxSeqLen = length;
    auto best = Search(compilation, domain, true).run(wanted);
    if (best->circuit)
      largest = std::max(largest, length);
    return best->circuit || best->vacuous;
  };
  for (unsigned length = 1; length < fails; length *= 2) {
    if (compiles(length))
      works = length;
    else
      fails = length;
  }
  while (fails - works > 1) {
    unsigned middle = works + (fails - works) / 2;
    (compiles(middle) ? works : fails) = middle;
  }
  return largest;
}

rt::Certificate::Reach Compilation::findReach() {
  // Twice the length may take four times as long, and more where the number of
  // directions grows with it.
  constexpr unsigned longestTried = 4096;
  constexpr size_t largestDoubled = 5000, mostEntries = 1 << 19;
  rt::Certificate::Reach reach;
  reach.longest = domain.maxSeqLen;
  size_t size = circuit.directions.size() + circuit.neurons.size();
  size_t entries = circuit.directions.size() * reach.longest;
  auto compiles = [&](unsigned length) {
    ir::Domain longer = domain;
    longer.maxSeqLen = length;
    auto best = Search(*this, longer, false).run(dtype);
    if (!best->circuit) {
      for (const ir::Diagnostic &diagnostic : best->diags.all())
        if (diagnostic.severity == ir::Severity::Error)
          reach.limitedBy = diagnostic.name.str();
      return false;
    }
    size = best->circuit->directions.size() + best->circuit->neurons.size();
    entries = best->circuit->directions.size() * length;
    reach.longest = length;
    return true;
  };
  unsigned fails = 0;
  while (!fails) {
    unsigned next = std::min(2 * reach.longest, longestTried);
    if (next <= reach.longest || size > largestDoubled ||
        entries > mostEntries) {
      reach.unlimited = true;
      return reach;
    }
    if (!compiles(next))
      fails = next;
  }
  while (fails - reach.longest > 1) {
    unsigned middle = reach.longest + (fails - reach.longest) / 2;
    if (!compiles(middle))
      fails = middle;
  }
  return reach;
}

bool Compilation::synthesise(const SynthesisOptions &effort) {
  std::optional<rt::DType> wanted = effort.dtype;
  Search search(*this, domain, effort.observe, values);
  std::unique_ptr<Attempt> best = search.run(wanted);
  auto rangeOf = [](const Node *node) {
    return node && !node->ranges().empty() ? node->ranges().front()
                                           : llvm::SMRange();
  };
  auto nameOf = [&](const Node *node) {
    return node && node->isSop() ? names->of(node).str()
                                 : std::string("a selector");
  };
  if (!best->circuit) {
    const Attempt &refused = search.first ? *search.first : *best;
    diags.append(refused.diags);
    if (effort.explain) {
      if (refused.isOfPrecision() && wanted != rt::DType::Float64) {
        bool compiles = wanted && Search(*this, domain, true, values)
                                      .run(rt::DType::Float64)
                                      ->circuit;
        diags.emit({}, compiles ? ir::diag::Float64Compiles
                                : ir::diag::Float64Refused);
      }
      if (unsigned length = largestLength(*this, wanted))
        diags.emit({}, ir::diag::CompilesUpTo, length);
      else
        diags.emit({}, ir::diag::CompilesAtNoLength);
    }
    return false;
  }
  dtype = best->dtype;
  if (!wanted && dtype == rt::DType::Float64)
    diags.emit(rangeOf(search.first->refused), ir::diag::NeedsFloat64,
               nameOf(search.first->refused));
  for (const Node *node : best->released)
    diags.emit(rangeOf(node), ir::diag::NotKept, nameOf(node),
               nameOf(search.first->refused));
  observed = best->observed;
  released = std::move(best->released);
  values = std::move(best->values);
  circuit = std::move(*best->circuit);
  circuit.readout.name = *options.output;
  backend::schedule(circuit);
  return true;
}
