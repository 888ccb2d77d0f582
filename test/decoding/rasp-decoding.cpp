//===- test/decoding/rasp-decoding.cpp - variables against the program ----===//
//
//   rasp-decoding [--most=N] MODEL.h5...
//
// Runs models, on every input where there are at most N and on N samples
// elsewhere, reads every variable from the residual stream after every
// half-layer, and compares with the interpreter: what the stream says must
// admit the value. Prints a line for each model and a sum; fails if a value is
// not admitted.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/ProgramValues.h"
#include "runtime/ActivationCache.h"
#include "runtime/Atom.h"
#include "runtime/VariableDecoder.h"
#include "runtime/WeightFile.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include <random>

using namespace rasp;
namespace cl = llvm::cl;

static cl::list<std::string> paths(cl::Positional, cl::OneOrMore,
                                   cl::desc("MODEL.h5..."));
static cl::opt<uint64_t> most("most", cl::desc("Inputs per model"),
                              cl::init(300));

namespace {
struct Counts {
  uint64_t inputs = 0;
  uint64_t compared = 0; ///< values of variables, at a position
  uint64_t certain = 0;  ///< of them, those that are known in the end
  uint64_t partial = 0;  ///< those of which something is known
  uint64_t wrong = 0;

  void operator+=(const Counts &other) {
    inputs += other.inputs;
    compared += other.compared;
    certain += other.certain;
    partial += other.partial;
    wrong += other.wrong;
  }
};

template <typename T> class Comparison {
public:
  Comparison(const rt::Model &model, const rt::VariableDecoder &decoder,
             ProgramValues &program)
      : model(model), decoder(decoder), program(program), pass(model),
        cache(pass.hooks().residualStream()) {}

  /// Runs an input, ids without BOS.
  void run(llvm::ArrayRef<uint32_t> tokens) {
    std::vector<rt::Atom> input;
    for (uint32_t id : tokens)
      input.push_back(model.input.values[id]);
    if (!program.run(input))
      return; // has no meaning
    std::vector<uint32_t> ids(1, model.input.bosId);
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    pass.run({ids}, &cache);
    ++counts.inputs;
    for (size_t v = 0; v < decoder.variables().size(); ++v) {
      std::vector<rt::Atom> meant = program.of(decoder.variables()[v]);
      for (size_t i = 0; i < meant.size(); ++i)
        compare(v, i + 1, meant[i], input);
    }
  }

  Counts counts;
  llvm::StringSet<> neverCertain;

private:
  void compare(size_t variable, unsigned position, const rt::Atom &meant,
               llvm::ArrayRef<rt::Atom> input) {
    ++counts.compared;
    rt::DecodedValue value;
    for (unsigned half = 0; half <= 2 * pass.numLayers(); ++half) {
      value = decoder.decode(
          variable, cache[rt::streamAfter(half)].at(0, position), half);
      if (value.admits(meant))
        continue;
      if (counts.wrong++ == 0)
        complain(variable, position, half, value, meant, input);
    }
    bool isPartial = value.kind == rt::DecodedValue::Values;
    counts.certain += value.isCertain();
    counts.partial += !value.isCertain() && isPartial;
    if (!value.isCertain())
      neverCertain.insert(decoder.variables()[variable]);
  }

  void complain(size_t variable, unsigned position, unsigned half,
                const rt::DecodedValue &value, const rt::Atom &meant,
                llvm::ArrayRef<rt::Atom> input) const {
    llvm::raw_ostream &os = llvm::outs();
    os << "  `" << decoder.variables()[variable] << "` at position " << position
       << " after half-layer " << half << ": ";
    rt::printJSON(os, meant);
    os << " is not admitted by ";
    rt::printJSON(os, value.values);
    if (value.kind == rt::DecodedValue::Number)
      os << value.number << " +- " << value.error;
    os << " on ";
    rt::printJSON(os, input);
    os << "\n";
  }

  const rt::Model &model;
  const rt::VariableDecoder &decoder;
  ProgramValues &program;
  rt::HookedPass<T> pass;
  rt::ActivationCache<T> cache;
};
} // namespace

/// Calls `fn` with every input, shorter ones first, or with samples of all
/// lengths.
template <typename Fn>
static void forEachInput(unsigned tokens, unsigned maxLen, Fn fn) {
  uint64_t count = 0, ofLength = 1;
  for (unsigned length = 1; length <= maxLen && count <= most; ++length)
    count += ofLength = std::min<uint64_t>(ofLength * tokens, 2 * most);
  std::vector<uint32_t> ids;
  if (count > most) {
    std::mt19937_64 engine(1);
    for (uint64_t i = 0; i < most; ++i) {
      ids.resize(1 + i % maxLen);
      for (uint32_t &id : ids)
        id = engine() % tokens;
      fn(ids);
    }
    return;
  }
  for (unsigned length = 1; length <= maxLen; ++length) {
    ids.assign(length, 0);
    for (;;) {
      fn(ids);
      size_t at = length;
      while (at > 0 && ++ids[at - 1] == tokens)
        ids[--at] = 0;
      if (at == 0)
        break;
    }
  }
}

static llvm::Expected<Counts> compareModel(llvm::StringRef path) {
  llvm::Expected<rt::Model> model = rt::readModel(path.str());
  if (!model)
    return model.takeError();
  auto decoder = rt::VariableDecoder::make(*model);
  if (!decoder)
    return decoder.takeError();
  auto program = ProgramValues::make(*model, {});
  if (!program)
    return program.takeError();
  return rt::withScalar(model->config.dtype, [&](auto zero) {
    Comparison<decltype(zero)> comparison(*model, *decoder, *program);
    forEachInput(model->input.values.size(), model->config.nCtx - 1,
                 [&](const auto &ids) { comparison.run(ids); });
    std::string open;
    for (const std::string &name : decoder->variables())
      if (comparison.neverCertain.contains(name))
        open += " " + name;
    const Counts &counts = comparison.counts;
    llvm::outs() << llvm::formatv(
        "{0}: {1} inputs, {2} values, {3} known, {4} in part, {5} wrong{6}\n",
        path, counts.inputs, counts.compared, counts.certain, counts.partial,
        counts.wrong, open.empty() ? "" : "; not always known:" + open);
    return counts;
  });
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Compares decoded variables.\n");
  Counts sum;
  for (const std::string &path : paths) {
    llvm::Expected<Counts> counts = compareModel(path);
    if (!counts) {
      llvm::errs() << path << ": " << llvm::toString(counts.takeError())
                   << "\n";
      return 2;
    }
    sum += *counts;
  }
  llvm::outs() << llvm::formatv(
      "{0} models, {1} inputs, {2} values, {3} known, "
      "{4} in part, {5} wrong\n",
      paths.size(), sum.inputs, sum.compared, sum.certain, sum.partial,
      sum.wrong);
  return sum.wrong != 0 || sum.compared == 0;
}
