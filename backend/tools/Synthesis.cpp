//===- backend/tools/Synthesis.cpp - what is tried before a refusal -------===//

#include "backend/Assemble.h"
#include "backend/Certify.h"
#include "backend/CircuitPasses.h"
#include "backend/HeadChain.h"
#include "backend/Layout.h"
#include "backend/Lowering.h"
#include "backend/tools/Compilation.h"
#include "ir/FailureChecks.h"
#include "runtime/CertificateChecker.h"
#include "runtime/TensorList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include <deque>

using namespace rasp;
using ir::Node;

namespace {

/// How often at most an s-op loses its directions before all do.
constexpr unsigned maxReleases = 24;

struct Choices {
  rt::DType dtype = rt::DType::Float32;
  bool observed = false;
  /// Wished s-ops without directions of their own, and others with.
  std::vector<const Node *> released, kept;
  backend::LoweringOptions lowering;
};

/// One compilation with every choice made.
struct Attempt : Choices {
  Attempt(llvm::SourceMgr &sources, Choices choices)
      : Choices(std::move(choices)), diags(sources) {}

  std::shared_ptr<ir::ValueSets> values;
  std::optional<backend::Circuit> circuit; ///< none if it was refused
  const Node *refused = nullptr;
  /// The program fails on every input, so there is nothing to compile.
  bool vacuous = false;
  ir::Diagnostics diags;
  /// On what was tried beside it.
  ir::Remarks remarks;

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
  /// Makes other choices as long as the model gets smaller.
  std::unique_ptr<Attempt> makeSmaller(std::unique_ptr<Attempt> best);
  std::unique_ptr<Attempt> first;

  /// The same with directions for named s-ops, if that is less deep or, where
  /// it is as deep, smaller.
  std::unique_ptr<Attempt> keepIfBetter(std::unique_ptr<Attempt> best);

  /// Lowers once more, with all choices made, so that the passes can be seen.
  bool showPasses(Attempt &made) const;

private:
  void runPipeline(backend::Circuit &circuit, ir::Diagnostics &diags,
                   ir::PassManager &passes) const;
  std::unique_ptr<Attempt> runIn(rt::DType dtype);
  std::unique_ptr<Attempt> attempt(Choices choices);
  /// Whether the bounds of the model can be derived from its weights alone.
  bool isCertified(const Attempt &attempt) const;
  /// Depth counts first, then size.
  std::pair<unsigned, uint64_t> costOf(const backend::Circuit &circuit) const {
    return {circuit.layers, backend::countParameters(circuit, domain)};
  }
  /// Tells of `best` that something else was tried, and what came of it.
  void tell(Attempt &best, const std::string &what,
            const std::optional<backend::Circuit> &before,
            const std::optional<backend::Circuit> &after, bool taken,
            const char *why = "refused") const;
  const Node *nextToRelease(const Attempt &refused) const;
  /// Keeps again what need not have been released.
  std::unique_ptr<Attempt> keepMore(std::unique_ptr<Attempt> best);
  const ir::Observation *observe();

  Compilation &compilation;
  ir::Domain domain;
  std::shared_ptr<ir::ValueSets> given;
  std::optional<ir::Observation> observation;
  bool triedToObserve;
  bool reusesDirections = false;
};

} // namespace

const ir::Observation *Search::observe() {
  if (!triedToObserve)
    observation = ir::Observation::make(compilation.compiled, domain);
  triedToObserve = true;
  return observation ? &*observation : nullptr;
}

void Search::tell(Attempt &best, const std::string &what,
                  const std::optional<backend::Circuit> &before,
                  const std::optional<backend::Circuit> &after, bool taken,
                  const char *why) const {
  if (!compilation.makesRemarks)
    return;
  if (taken && !before) {
    for (const ir::Diagnostic &message : best.diags.all())
      if (message.severity == ir::Severity::Error)
        best.remarks.push_back(
            ir::makeRemark(compilation.compiled, ir::diag::AttemptRefused,
                           "without " + what, message.message));
    return;
  }
  auto costs = [&](const std::optional<backend::Circuit> &circuit) {
    if (!circuit)
      return std::string(why);
    auto [layers, parameters] = costOf(*circuit);
    return ir::counted(layers, "layer") + " and " +
           ir::counted(parameters, "parameter");
  };
  best.remarks.push_back(
      taken ? ir::makeRemark(compilation.compiled, ir::diag::ChoiceTaken, what,
                             costs(after), costs(before))
            : ir::makeRemark(compilation.compiled, ir::diag::ChoiceNotTaken,
                             what, costs(after), costs(before)));
}

std::unique_ptr<Attempt> Search::attempt(Choices choices) {
  auto result =
      std::make_unique<Attempt>(compilation.sources, std::move(choices));
  bool observed = result->observed;
  if (given && !observed && result->released.empty() && result->kept.empty()) {
    result->values = given;
  } else {
    ir::KeptNodes kept = compilation.required;
    kept.insert(result->kept.begin(), result->kept.end());
    for (const Node *node : compilation.wished)
      if (!llvm::is_contained(result->released, node))
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
  backend::LoweringOptions &options = result->lowering;
  options.remarks = compilation.makesRemarks;
  options.unitRoundoff =
      result->dtype == rt::DType::Float64 ? 0x1p-53 : 0x1p-24;
  bool isPlain = !compilation.wished.empty() || compilation.isPlain;
  options.geometricCodes &= !isPlain;
  options.keptAsNumbers |= isPlain;
  bool nearTies = false, geometric = false;
  ir::PassManager unseen({}, "");
  auto lower = [&](ir::Diagnostics &diags) {
    backend::Lowering lowering(*result->values, *compilation.names, options,
                               diags);
    std::optional<backend::Circuit> circuit =
        lowering.run(compilation.compiled);
    nearTies = lowering.hasNearTies();
    geometric = lowering.hasGeometricCodes();
    if (!circuit)
      result->refused = lowering.refused();
    else
      runPipeline(*circuit, diags, unseen);
    return circuit;
  };
  result->circuit = lower(result->diags);
  // Another choice, where the first one is refused or the model is no larger.
  auto tryWith = [&](const char *what, bool backend::LoweringOptions::*option,
                     bool value, bool preferred) {
    backend::LoweringOptions before = options;
    options.*option = value;
    bool nearBefore = nearTies;
    ir::Diagnostics own(compilation.sources);
    std::optional<backend::Circuit> other = lower(own);
    bool taken = other && (!result->circuit || preferred ||
                           costOf(*other) <= costOf(*result->circuit));
    tell(*result, what, result->circuit, other, taken);
    if (!result->circuit) {
      result->circuit = std::move(other);
      result->diags.clear();
      result->diags.append(own);
    } else if (taken) {
      result->circuit = std::move(other);
    } else {
      options = before;
      nearTies = nearBefore;
    }
  };
  // Directions for each value may be needed by others.
  if (isPlain && options.keptAsNumbers)
    tryWith("a direction for each value of what is kept",
            &backend::LoweringOptions::keptAsNumbers, false, false);
  // Directions of a table may be there anyway.
  if (geometric)
    tryWith("tables in place of geometric codes",
            &backend::LoweringOptions::geometricCodes, false, false);
  // What reads weights that are not quite equal may stand less than it looked,
  // or be larger for it. Who asks for float64 wants numbers that are exact to
  // the last bits, which such weights are not.
  if (nearTies)
    tryWith("exact ties", &backend::LoweringOptions::exactTies, true,
            result->dtype == rt::DType::Float64);
  return result;
}

void Search::runPipeline(backend::Circuit &circuit, ir::Diagnostics &diags,
                         ir::PassManager &passes) const {
  for (backend::Direction &direction : circuit.directions)
    direction.stays =
        direction.node && compilation.required.contains(direction.node);
  for (llvm::StringRef name :
       backend::pipeline(compilation.isPlain, reusesDirections))
    if (!passes.isStopped() &&
        !backend::runPass(name, backend::findPass(name)->function, circuit,
                          diags, passes))
      return;
}

bool Search::showPasses(Attempt &made) const {
  backend::Circuit circuit;
  auto lower = [&](backend::Circuit &lowered) {
    ir::Diagnostics unseen(compilation.sources);
    backend::Lowering lowering(*made.values, *compilation.names, made.lowering,
                               unseen);
    lowered = *lowering.run(compilation.compiled);
    return true;
  };
  if (!backend::runPass("lower", lower, circuit, compilation.diags,
                        compilation.passes))
    return false;
  runPipeline(circuit, compilation.diags, compilation.passes);
  made.circuit = std::move(circuit);
  return !compilation.diags.hasErrors();
}

bool Search::isCertified(const Attempt &attempt) const {
  // Where a direction is does not change its errors; what clears coordinates
  // is written in labels, which are made for the model that is kept.
  backend::Circuit circuit = *attempt.circuit;
  backend::undoReuse(circuit);
  backend::Layout layout = backend::layOut(circuit);
  rt::Model model = backend::assemble(circuit, layout, domain, attempt.dtype);
  rt::Certificate certificate =
      backend::certify(circuit, layout, *compilation.names, *attempt.values,
                       attempt.lowering.unitRoundoff);
  certificate.weightHash = rt::hashOfWeights(model);
  return rt::checkCertificate(model, certificate).problems.empty();
}

std::unique_ptr<Attempt> Search::makeSmaller(std::unique_ptr<Attempt> best) {
  reusesDirections = true;
  backend::reuseDirections(*best->circuit);
  uint64_t size = backend::countParameters(*best->circuit, domain);
  auto tryWith = [&](const std::string &what, auto change) {
    Choices choices = *best;
    change(choices);
    std::unique_ptr<Attempt> next = attempt(std::move(choices));
    if (!next->circuit) {
      tell(*best, what, best->circuit, std::nullopt, false);
      return false;
    }
    uint64_t own = backend::countParameters(*next->circuit, domain);
    // What is kept may be related to other s-ops in ways that a certificate
    // does not tell.
    bool keepsMore = next->kept.size() > best->kept.size();
    if (own >= size) {
      tell(*best, what, best->circuit, next->circuit, false);
      return false;
    }
    if (keepsMore && !isCertified(*next)) {
      tell(*best, what, best->circuit, std::nullopt, false,
           "its errors cannot be checked from the weights alone");
      return false;
    }
    size = own;
    next->remarks = best->remarks;
    tell(*next, what, best->circuit, next->circuit, true);
    best = std::move(next);
    return true;
  };
  // Heads share the width of the widest one, so all of them are tried first.
  auto tryWithGeometricOrders = [&] {
    constexpr size_t mostSelectors = 16;
    llvm::SmallSetVector<const Node *, 8> selectors;
    for (const backend::Head &head : best->circuit->heads)
      if (selectors.size() < mostSelectors)
        selectors.insert(head.selector);
    auto tryFor = [&](llvm::ArrayRef<const Node *> chosen) {
      return tryWith("geometric codes of orders", [&](Choices &choices) {
        choices.lowering.geometricOrders = chosen.vec();
        choices.lowering.geometricCodes = true;
      });
    };
    bool all = tryFor(selectors.getArrayRef());
    for (const Node *selector : selectors) {
      std::vector<const Node *> chosen = best->lowering.geometricOrders;
      if (all)
        llvm::erase(chosen, selector);
      else
        chosen.push_back(selector);
      tryFor(chosen);
    }
  };
  using Options = backend::LoweringOptions;
  const std::pair<bool Options::*, const char *> switches[] = {
      {&Options::numberedOutput, "strings put out as numbers"},
      {&Options::lateEqualities, "equality by squares a layer later"},
      {&Options::exactTies, "the other choice of ties"}};
  for (auto [option, what] : switches)
    tryWith(what, [&, option = option](Choices &choices) {
      choices.lowering.*option ^= true;
    });
  tryWithGeometricOrders();
  // What is kept in the stream takes a layer perhaps, but those that read it
  // need no table of all that it is made of.
  constexpr size_t mostTried = 32, mostDirections = 4096, mostJoint = 1 << 18;
  size_t tried = 0, joint = 0;
  for (const backend::Joint &own : best->circuit->joints) {
    size_t combinations = 1;
    for (uint32_t size : own.sizes)
      combinations *= size;
    joint += combinations;
  }
  if (joint > mostJoint)
    return best;
  for (const Node *node : ir::reachable(compilation.compiled)) {
    if (!ir::isElementwise(node->kind()) || !best->values->of(node).known ||
        best->values->isKept(node))
      continue;
    if (++tried > mostTried ||
        best->circuit->directions.size() > mostDirections)
      break;
    tryWith("directions for `" + compilation.names->of(node).str() + "`",
            [&](Choices &choices) { choices.kept.push_back(node); });
  }
  tryWith("what is kept read as numbers",
          [&](Choices &choices) { choices.lowering.keptAsNumbers = true; });
  return best;
}

/// Whether another choice of what is materialised might be better: there are
/// layers that no chain of heads accounts for, or most of a layer is its MLP.
static bool mayBeImproved(const backend::Circuit &circuit) {
  llvm::SmallVector<size_t> hidden(circuit.layers, 0);
  for (const backend::Neuron &neuron : circuit.neurons)
    ++hidden[neuron.layer];
  return circuit.layers >
             std::max<size_t>(1, backend::longestHeadChain(circuit).size()) ||
         llvm::any_of(hidden, [&](size_t units) {
           return 2 * units > circuit.directions.size();
         });
}

std::unique_ptr<Attempt> Search::keepIfBetter(std::unique_ptr<Attempt> best) {
  // S-ops that are combined from several others; what is a function of one is
  // read where that one is.
  std::vector<const Node *> named;
  for (const Node *node : ir::reachable(compilation.compiled)) {
    if (!ir::isElementwise(node->kind()) || node->name().empty() ||
        node == compilation.compiled || compilation.required.contains(node))
      continue;
    const ir::NodeValues &values = best->values->of(node);
    if (values.known && (!values.hasTable || values.table.sources.size() > 1))
      named.push_back(node);
  }
  if (named.empty() || !mayBeImproved(*best->circuit))
    return best;
  Choices choices = *best;
  choices.kept = std::move(named);
  auto other = attempt(std::move(choices));
  // What is kept may be related to other s-ops in ways that a certificate does
  // not tell.
  bool better = other->circuit &&
                costOf(*other->circuit) < costOf(*best->circuit) &&
                isCertified(*other);
  tell(better ? *other : *best, "directions for all named s-ops", best->circuit,
       other->circuit, better);
  return better ? std::move(other) : std::move(best);
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
    Choices choices = *best;
    choices.released = std::move(released);
    auto next = attempt(std::move(choices));
    if (next->circuit)
      best = std::move(next);
    else
      ++i;
  }
  return best;
}

std::unique_ptr<Attempt> Search::runIn(rt::DType dtype) {
  Choices choices;
  choices.dtype = dtype;
  auto best = attempt(choices);
  if (best->circuit || best->vacuous)
    return best;
  choices.observed = observe() != nullptr;
  auto next = [&](llvm::ArrayRef<const Node *> released) {
    if (!first)
      first = std::move(best);
    choices.released = released.vec();
    best = attempt(choices);
    return best->circuit.has_value();
  };
  if (choices.observed && next({}))
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

/// How many numbers the file will have.
static uint64_t numbersOf(const backend::Circuit &circuit,
                          const ir::Domain &domain,
                          const SynthesisOptions &effort) {
  rt::Shape shape = backend::shapeOf(circuit, domain);
  uint64_t parameters = effort.padding == rt::Padding::Uniform
                            ? shape.parameters
                            : shape.parametersRagged;
  return parameters + uint64_t(shape.dModel) * shape.outputs;
}

/// The greatest length below the domain's for which there is a circuit, found
/// by doubling and bisection; 0 if there is none. Takes for granted that what
/// compiles for a length does so for smaller ones.
static unsigned largestLength(Compilation &compilation,
                              std::optional<rt::DType> wanted,
                              const SynthesisOptions &effort) {
  unsigned works = 0, largest = 0, fails = compilation.domain.maxSeqLen;
  auto compiles = [&](unsigned length) {
    ir::Domain domain = compilation.domain;
    domain.maxSeqLen = length;
    auto best = Search(compilation, domain, true).run(wanted);
    if (best->circuit &&
        numbersOf(*best->circuit, domain, effort) > effort.maxParameters)
      return false;
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

/// Says how large the model would be, and what is largest in it.
static void refuseSize(const backend::Circuit &circuit,
                       const ir::Domain &domain, uint64_t numbers,
                       const SynthesisOptions &effort, ir::Diagnostics &diags) {
  llvm::SMRange range;
  if (const Node *node = circuit.readout.node; node && !node->ranges().empty())
    range = node->ranges().front();
  diags.emit(range, ir::diag::ModelTooLarge, llvm::formatv("{0:N}", numbers),
             llvm::formatv("{0:N}", effort.maxParameters));
  rt::Shape shape = backend::shapeOf(circuit, domain);
  uint64_t d = shape.dModel, length = domain.maxSeqLen + uint64_t(1);
  std::string directions = ir::counted(d, "direction");
  std::string layers = ir::counted(shape.layers, "layer");
  std::pair<uint64_t, std::string> parts[] = {
      {(shape.vocab + length) * d,
       "embeddings of " + ir::counted(shape.vocab, "token") + " and " +
           ir::counted(length, "position") + " in " + directions},
      {4 * shape.layers * shape.heads * d * shape.dHead,
       layers + " of " + ir::counted(shape.heads, "head") + " of width " +
           std::to_string(shape.dHead) + " in " + directions},
      {2 * shape.layers * d * shape.dMlp,
       layers + " of " + ir::counted(shape.dMlp, "hidden unit") + " in " +
           directions},
      {d * shape.outputs, "an unembedding of " + directions + " to " +
                              ir::counted(shape.outputs, "logit")}};
  auto &[size, part] = *llvm::max_element(parts);
  diags.emit({}, ir::diag::LargestPart, llvm::formatv("{0:N}", size), part);
}

bool Compilation::synthesise(const SynthesisOptions &effort) {
  std::optional<rt::DType> wanted = effort.dtype;
  Search search(*this, domain, effort.observe, values);
  std::unique_ptr<Attempt> best = search.run(wanted);
  if (best->circuit && wished.empty())
    best = search.keepIfBetter(std::move(best));
  auto rangeOf = [](const Node *node) {
    return node && !node->ranges().empty() ? node->ranges().front()
                                           : llvm::SMRange();
  };
  auto nameOf = [&](const Node *node) {
    return node && node->isSop() ? "`" + names->of(node).str() + "`"
                                 : std::string("a selector");
  };
  auto noteLength = [&] {
    llvm::StringRef in = !wanted                         ? ""
                         : *wanted == rt::DType::Float32 ? " in float32"
                                                         : " in float64";
    if (unsigned length = largestLength(*this, wanted, effort))
      diags.emit({}, ir::diag::CompilesUpTo, length, in);
    else
      diags.emit({}, ir::diag::CompilesAtNoLength, in);
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
      noteLength();
    }
    return false;
  }
  if (effort.smallest)
    best = search.makeSmaller(std::move(best));
  if (uint64_t numbers = numbersOf(*best->circuit, domain, effort);
      numbers > effort.maxParameters) {
    refuseSize(*best->circuit, domain, numbers, effort, diags);
    noteLength();
    return false;
  }
  const ir::PassOptions &seen = passes.options();
  if ((seen.observes() || seen.timePasses) && !search.showPasses(*best))
    return false;
  dtype = best->dtype;
  if (!wanted && dtype == rt::DType::Float64)
    diags.emit(rangeOf(search.first->refused), ir::diag::NeedsFloat64,
               nameOf(search.first->refused));
  for (const Node *node : best->released)
    diags.emit(rangeOf(node), ir::diag::NotKept, names->of(node).str(),
               nameOf(search.first->refused));
  if (makesRemarks) {
    if (search.first)
      for (const ir::Diagnostic &message : search.first->diags.all())
        if (message.severity == ir::Severity::Error)
          remarks.push_back(ir::makeRemark(
              search.first->refused ? search.first->refused : compiled,
              ir::diag::AttemptRefused,
              dtype != rt::DType::Float32 ? "in float32"
              : !best->released.empty()   ? "with directions for all of them"
                                          : "with the values of the analysis",
              message.message));
    llvm::append_range(remarks, best->remarks);
  }
  observed = best->observed;
  released = std::move(best->released);
  values = std::move(best->values);
  circuit = std::move(*best->circuit);
  circuit.readout.name = *options.output;
  return true;
}
