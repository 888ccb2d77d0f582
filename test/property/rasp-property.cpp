//===- test/property/rasp-property.cpp - random programs, verified --------===//
//
// Every random program must compile to a model that is right on every input,
// or be refused for one of a few reasons. Programs are numbered by their seeds;
// a report does not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#include "runtime/Atom.h"
#include "test/property/ProgramGenerator.h"
#include "test/property/Reducer.h"
#include "test/property/Trial.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/ThreadPool.h"
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

using namespace rasp;
using namespace rasp::property;
namespace cl = llvm::cl;

static cl::OptionCategory category("rasp-property options");
static cl::opt<unsigned> programs("programs", cl::desc("How many programs"),
                                  cl::init(1000), cl::cat(category));
static cl::opt<uint64_t>
    firstSeed("seed", cl::desc("Seed of the first; each has the next number"),
              cl::init(0), cl::cat(category));
static cl::opt<uint64_t> oneSeed("one",
                                 cl::desc("Print and try this one program"),
                                 cl::value_desc("SEED"), cl::cat(category));
static cl::opt<bool> isolated(
    "isolated",
    cl::desc("Try each program in a process of its own, so that crashes and "
             "endless runs are counted and reduced as mismatches are; with "
             "sanitizers only for --jobs=1"),
    cl::cat(category));
static cl::opt<bool>
    reduceRefused("reduce-refused",
                  cl::desc("Print reduced programs for refusals, too"),
                  cl::cat(category));
static cl::opt<unsigned> jobs("jobs", cl::desc("Threads; default: all cores"),
                              cl::init(0), cl::cat(category));
static cl::opt<unsigned> maxOperations("max-ops",
                                       cl::desc("Operations of a program"),
                                       cl::init(40), cl::cat(category));
static cl::opt<unsigned> maxSeqLen("max-len", cl::desc("Longest input"),
                                   cl::init(5), cl::cat(category));
static cl::opt<double>
    maxCombinations("max-combinations",
                    cl::desc("Joint values of an s-op's sources, as the "
                             "generator estimates them"),
                    cl::init(2000), cl::cat(category));
static cl::opt<double> maxRefused("max-refused",
                                  cl::desc("Fail if more are refused"),
                                  cl::value_desc("PERCENT"), cl::init(100),
                                  cl::cat(category));
static cl::opt<unsigned>
    maxSeconds("max-seconds", cl::desc("Give up when one program takes longer"),
               cl::init(120), cl::cat(category));
static cl::opt<bool> listRefused("list-refused",
                                 cl::desc("Print the seed of every refusal"),
                                 cl::cat(category));
static cl::opt<bool> analysisOnly(
    "analysis-only",
    cl::desc("Never run a program to see which values occur, as if it had too "
             "many inputs for that"),
    cl::cat(category));
static cl::opt<size_t> mostValues(
    "most-values",
    cl::desc("Take larger sets of values for too large to be listed"),
    cl::init(0), cl::cat(category));
static cl::opt<bool> verbose("verbose",
                             cl::desc("Print each seed before it is tried"),
                             cl::cat(category));

/// Why a program may be refused: its tables would be too large, or its values
/// too close for the precision. All else is the compiler's fault, or the
/// generator's.
static const char *const acceptedReasons[] = {
    "EqualNumbers", "SelectorTooLarge", "SelectorTooNoisy",
    "TooNoisy",     "ValueSetTooLarge",
};

static RandomProgram generate(uint64_t seed) {
  GeneratorOptions options;
  options.maxOperations = std::max(1u, unsigned(maxOperations));
  options.maxSeqLen = std::max(1u, unsigned(maxSeqLen));
  options.maxCombinations = maxCombinations;
  return generateProgram(seed, options);
}

static std::vector<Variant> variantsOf(uint64_t seed) {
  std::vector<Variant> variants;
  for (bool everything : {false, true})
    for (bool causal : {false, true})
      variants.push_back({causal, std::nullopt, everything});
  // The smallest model takes many compilations, so it is tried with one mask.
  variants.push_back({seed % 2 != 0, std::nullopt, false, /*smallest=*/true});
  if (seed % 16 == 0)
    for (bool causal : {false, true})
      variants.push_back({causal, rt::DType::Float64, false});
  for (Variant &variant : variants) {
    variant.observe = !analysisOnly;
    if (mostValues)
      variant.limits = {mostValues, 16 * mostValues};
  }
  return variants;
}

static void printCounterexample(const VerifyResult &result) {
  if (!result.counterexample)
    return;
  const Counterexample &example = *result.counterexample;
  llvm::raw_ostream &os = llvm::outs();
  os << "# wrong on " << result.mismatches << " of " << result.inputs
     << " inputs\n# input    ";
  rt::printJSON(os, example.input);
  os << "\n# expected ";
  rt::printJSON(os, example.expected);
  os << "\n# got      ";
  rt::printJSON(os, example.got);
  os << "\n";
}

namespace {

/// What came of all programs.
struct Tally {
  struct Case {
    uint64_t seed;
    Variant variant;
    std::string reason;
  };
  uint64_t compilations = 0, exact = 0, vacuous = 0;
  uint64_t inputs = 0, excluded = 0;
  uint64_t operations = 0;
  uint64_t measured = 0;
  double maxError = 0, largestShare = 0;
  std::vector<Case> refused, failed;
  std::pair<double, uint64_t> slowest{0, 0}; ///< seconds and seed
  /// What compiles only because the compiler tries more than once.
  uint64_t inFloat64 = 0, observed = 0, released = 0;

  void add(uint64_t seed, const Variant &variant, const Outcome &outcome) {
    ++compilations;
    slowest = std::max(slowest, {outcome.seconds, seed});
    inputs += outcome.result.inputs;
    excluded += outcome.result.excluded;
    maxError = std::max(maxError, outcome.result.maxError);
    measured += outcome.measured;
    largestShare = std::max(largestShare, outcome.largestShare);
    inFloat64 += outcome.inFloat64 && !variant.dtype;
    observed += outcome.observed;
    released += outcome.released;
    if (outcome.kind == Outcome::Refused)
      refused.push_back({seed, variant, outcome.describe()});
    else if (outcome.isFailure())
      failed.push_back({seed, variant, outcome.describe()});
    else
      ++(outcome.kind == Outcome::Vacuous ? vacuous : exact);
  }

  void add(const Tally &other) {
    compilations += other.compilations;
    exact += other.exact;
    vacuous += other.vacuous;
    inputs += other.inputs;
    excluded += other.excluded;
    operations += other.operations;
    maxError = std::max(maxError, other.maxError);
    measured += other.measured;
    largestShare = std::max(largestShare, other.largestShare);
    llvm::append_range(refused, other.refused);
    llvm::append_range(failed, other.failed);
    slowest = std::max(slowest, other.slowest);
    inFloat64 += other.inFloat64;
    observed += other.observed;
    released += other.released;
  }

  void sort() {
    auto before = [](const Case &a, const Case &b) {
      return a.seed != b.seed ? a.seed < b.seed
                              : a.variant.name() < b.variant.name();
    };
    llvm::sort(refused, before);
    llvm::sort(failed, before);
  }
};

/// Ends the process when a program takes too long: a thread that does not end
/// cannot be stopped otherwise.
class Watchdog {
public:
  explicit Watchdog(unsigned threads) : slots(threads) {
    guard = std::thread([this] {
      while (!finished) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        for (Slot &slot : slots)
          // Read once: the program may end right now.
          if (int64_t since = slot.since; since && now() - since > maxSeconds) {
            llvm::outs() << "program " << slot.seed.load()
                         << " takes longer than " << maxSeconds << " s:\n\n"
                         << generate(slot.seed).text();
            llvm::outs().flush();
            _exit(1);
          }
      }
    });
  }
  ~Watchdog() {
    finished = true;
    guard.join();
  }
  void begin(unsigned thread, uint64_t seed) {
    slots[thread].seed = seed;
    slots[thread].since = now();
  }
  void end(unsigned thread) { slots[thread].since = 0; }

private:
  struct Slot {
    std::atomic<uint64_t> seed{0};
    std::atomic<int64_t> since{0}; ///< in seconds; 0 while idle
  };
  static int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  std::vector<Slot> slots;
  std::atomic<bool> finished{false};
  std::thread guard;
};

} // namespace

static Outcome attempt(const std::string &text, const Variant &variant) {
  return isolated ? tryIsolated(text, variant, maxSeconds)
                  : tryProgram(text, variant);
}

static Tally tryAll() {
  Tally tally;
  std::mutex mutex;
  std::atomic<uint64_t> next{0};
  llvm::DefaultThreadPool pool(jobs ? llvm::hardware_concurrency(jobs)
                                    : llvm::hardware_concurrency());
  unsigned threads = pool.getMaxConcurrency();
  Watchdog watchdog(threads);
  for (unsigned thread = 0; thread < threads; ++thread)
    pool.async([&, thread] {
      Tally own;
      for (uint64_t i; (i = next++) < programs;) {
        uint64_t seed = firstSeed + i;
        llvm::PrettyStackTraceFormat trace("random program %llu",
                                           (unsigned long long)seed);
        RandomProgram program = generate(seed);
        std::string text = program.text();
        own.operations += program.operations();
        if (verbose) {
          std::lock_guard<std::mutex> lock(mutex);
          llvm::errs() << "program " << seed << "\n";
        }
        for (const Variant &variant : variantsOf(seed)) {
          // A process of its own ends by itself.
          if (!isolated)
            watchdog.begin(thread, seed);
          Outcome outcome = attempt(text, variant);
          watchdog.end(thread);
          own.add(seed, variant, outcome);
        }
      }
      std::lock_guard<std::mutex> lock(mutex);
      tally.add(own);
    });
  pool.wait();
  tally.sort();
  return tally;
}

/// Prints a smaller program with the same outcome, and what is wrong with it.
static void explain(const RandomProgram &program, const Variant &variant,
                    const std::string &outcome) {
  RandomProgram smaller = reduce(
      program,
      [&](const RandomProgram &candidate) {
        return attempt(candidate.text(), variant).describe() == outcome;
      },
      3000);
  llvm::outs() << "# " << variant.name() << ", " << outcome << ", reduced:\n"
               << smaller.text();
  llvm::outs().flush();
  Outcome again = attempt(smaller.text(), variant);
  if (again.kind == Outcome::Mismatch || again.kind == Outcome::Refused ||
      again.kind == Outcome::Uncertified || again.kind == Outcome::NotReadBack)
    again = tryProgram(smaller.text(), variant);
  llvm::outs() << again.messages;
  printCounterexample(again.result);
  llvm::outs() << "\n";
  llvm::outs().flush();
}

static int runAll() {
  Tally tally = tryAll();
  llvm::raw_ostream &os = llvm::outs();
  auto row = [&](llvm::StringRef name, uint64_t count) {
    os << llvm::formatv("{0,-28} {1,10}\n", name, count);
  };
  row("programs", programs);
  row("operations", tally.operations);
  row("compilations", tally.compilations);
  row("exact", tally.exact);
  row("without any result", tally.vacuous);
  row("needed observed values", tally.observed);
  row("needed float64", tally.inFloat64);
  row("-O0 needed less apart", tally.released);
  row("refused", tally.refused.size());
  std::map<std::string, uint64_t> reasons;
  bool accepted = true;
  for (const Tally::Case &refusal : tally.refused) {
    ++reasons[refusal.reason];
    accepted &= llvm::any_of(acceptedReasons, [&](const char *name) {
      return refusal.reason == std::string("refused: ") + name;
    });
  }
  for (auto &[reason, count] : reasons)
    row("  " + reason, count);
  row("failed", tally.failed.size());
  std::map<std::string, uint64_t> failures;
  for (const Tally::Case &failure : tally.failed)
    ++failures[failure.reason];
  for (auto &[reason, count] : failures)
    row("  " + reason, count);
  row("inputs compared", tally.inputs);
  row("inputs excluded", tally.excluded);
  os << llvm::formatv("{0,-28} {1,10:e2}\n", "largest error", tally.maxError);
  row("activations compared", tally.measured);
  os << llvm::formatv("{0,-28} {1,10:f3}\n", "largest share of a bound",
                      tally.largestShare);
  os << llvm::formatv("{0,-28} {1,9:f2}s (program {2})\n", "slowest",
                      tally.slowest.first, tally.slowest.second);
  if (listRefused)
    for (const Tally::Case &refusal : tally.refused)
      os << llvm::formatv("refused: {0}, {1}, {2}\n", refusal.seed,
                          refusal.variant.name(), refusal.reason);

  int status = 0;
  if (!accepted) {
    os << "refused for a reason that is none of the accepted ones\n";
    status = 1;
  }
  double share =
      100.0 * tally.refused.size() / std::max<uint64_t>(1, tally.compilations);
  if (share > maxRefused) {
    os << llvm::formatv("{0:f2} % are refused, more than {1:f2} %\n", share,
                        double(maxRefused));
    status = 1;
  }
  // The rest can be had by --one.
  constexpr size_t maxExplained = 20;
  size_t explained = 0;
  auto explainAll = [&](llvm::ArrayRef<Tally::Case> cases) {
    for (const Tally::Case &found : cases) {
      os << "# program " << found.seed << "\n";
      if (explained++ < maxExplained)
        explain(generate(found.seed), found.variant, found.reason);
    }
  };
  explainAll(tally.failed);
  if (reduceRefused)
    explainAll(tally.refused);
  return tally.failed.empty() ? status : 1;
}

static int runOne() {
  RandomProgram program = generate(oneSeed);
  llvm::outs() << program.text();
  llvm::outs().flush();
  int status = 0;
  for (const Variant &variant : variantsOf(oneSeed)) {
    Outcome outcome = attempt(program.text(), variant);
    llvm::outs() << "# " << variant.name() << ": " << outcome.describe()
                 << "\n";
    if (outcome.isFailure() ||
        (outcome.kind == Outcome::Refused && reduceRefused))
      explain(program, variant, outcome.describe());
    else
      llvm::outs() << outcome.messages;
    status |= outcome.isFailure();
  }
  return status;
}

int main(int argc, char **argv) {
  llvm::sys::PrintStackTraceOnErrorSignal(argv[0]);
  llvm::EnablePrettyStackTrace();
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compiles random programs and verifies them on every input.\n");
  return oneSeed.getNumOccurrences() ? runOne() : runAll();
}
