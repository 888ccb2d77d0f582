//===- backend/tools/Verify.cpp - model against interpreter ---------------===//

#include "backend/tools/Verify.h"
#include "backend/Assemble.h"
#include "ir/Interpreter.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>

using namespace rasp;
using ir::Value;

namespace {

/// A sequence of token ids, BOS not among them.
using Input = std::vector<uint32_t>;

/// Numbers all inputs: shorter ones first, those of a length in the order of
/// the vocabulary.
class InputSpace {
public:
  InputSpace(uint64_t tokens, unsigned maxLen) : tokens(tokens) {
    uint64_t power = 1, sum = 0;
    starts.push_back(0);
    for (unsigned length = 1; length <= maxLen; ++length) {
      bool overflows = __builtin_mul_overflow(power, tokens, &power) ||
                       __builtin_add_overflow(sum, power, &sum);
      if (overflows) {
        sum = std::numeric_limits<uint64_t>::max();
        break;
      }
      starts.push_back(sum);
    }
    theSize = sum;
  }

  /// How many there are; the largest number if there are more.
  uint64_t size() const { return theSize; }

  /// Input number `index` of a space that is not too large.
  void get(uint64_t index, Input &input) const {
    unsigned length = 1;
    while (starts[length] <= index)
      ++length;
    uint64_t rest = index - starts[length - 1];
    input.resize(length);
    for (unsigned i = length; i-- > 0;) {
      input[i] = static_cast<uint32_t>(rest % tokens);
      rest /= tokens;
    }
  }

private:
  uint64_t tokens, theSize;
  std::vector<uint64_t> starts; ///< first number of length i + 1
};

/// SplitMix64: each sample draws from a stream of its own, so samples do not
/// depend on which thread takes them.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }

private:
  uint64_t state;
};

/// Lengths take turns. Most samples are uniform; some use few tokens, so that
/// repetitions and ties occur, and some are sorted or one token throughout.
void sampleInput(uint64_t index, uint64_t seed, uint64_t tokens,
                 unsigned maxLen, Input &input) {
  Random random(seed * 0x9e3779b97f4a7c15 + index);
  // Longer inputs are more and get more samples, but every length has its
  // turn.
  unsigned length =
      index % 2
          ? 1 + static_cast<unsigned>(index / 2 % maxLen)
          : maxLen - static_cast<unsigned>(random.below((maxLen + 3) / 4));
  input.resize(length);
  uint64_t kind = index % 8;
  uint64_t few = kind == 5   ? 1
                 : kind >= 6 ? std::min<uint64_t>(2, tokens)
                             : tokens;
  std::vector<uint32_t> alphabet;
  for (uint64_t i = 0; i < few && few < tokens; ++i)
    alphabet.push_back(static_cast<uint32_t>(random.below(tokens)));
  for (uint32_t &token : input)
    token = alphabet.empty() ? static_cast<uint32_t>(random.below(tokens))
                             : alphabet[random.below(alphabet.size())];
  if (kind == 4)
    std::sort(input.begin(), input.end());
}

/// Whether the decoded output is the interpreter's value.
bool agrees(const rt::Model &model, const rt::Atom &got,
            const Value &expected) {
  Value value = backend::toValue(got);
  if (model.output.kind == rt::OutputVocab::Numerical && expected.isNumeric()) {
    double distance = std::fabs(value.toDouble() - expected.toDouble());
    // Listed values are snapped to; what remains is the interpreter's own
    // rounding.
    double tolerance =
        model.output.values.empty()
            ? model.output.tolerance
            : 1e-9 * std::max(1.0, std::fabs(expected.toDouble()));
    return distance <= tolerance;
  }
  return ir::pythonEqual(value, expected);
}

/// What one thread needs, and what it found.
template <typename T> class Worker {
public:
  Worker(const rt::Model &model, const rt::Transformer<T> &transformer,
         const ir::Interpreter &interpreter)
      : model(model), transformer(transformer), interpreter(interpreter),
        state(interpreter), tokenizer(model) {
    for (const rt::Atom &atom : model.input.values)
      vocabulary.push_back(backend::toValue(atom));
  }

  /// Queues an input; those of one length run together.
  void add(uint64_t index, const Input &input) {
    constexpr size_t most = 8 * rt::Transformer<T>::batchSize;
    if (!queue.empty() &&
        (queue.size() == most || queue.front().size() != input.size() + 1))
      flush();
    indices.push_back(index);
    queue.emplace_back(1, model.input.bosId);
    llvm::append_range(queue.back(), input);
  }

  void flush() {
    transformer.forwardEach(
        queue, workspace,
        [&](size_t i, const rt::Logits<T> &logits, unsigned sequence) {
          compare(indices[i], llvm::ArrayRef(queue[i]).drop_front(), logits,
                  sequence);
        });
    indices.clear();
    queue.clear();
  }

  /// Whether the model is wrong on `input`; fills in `example` if so.
  bool isWrong(const Input &input, Counterexample *example = nullptr) {
    if (!interpret(input))
      return false;
    ids.assign(1, model.input.bosId);
    ids.insert(ids.end(), input.begin(), input.end());
    rt::Logits<T> logits = transformer.forward(ids, workspace);
    bool wrong = false;
    Counterexample found;
    for (unsigned i = 0; i < input.size(); ++i) {
      found.input.push_back(model.input.values[input[i]]);
      found.expected.push_back(backend::toAtom(expected[i]));
      found.got.push_back(tokenizer.decode(logits, i + 1));
      wrong |= !agrees(model, found.got.back(), expected[i]);
    }
    if (wrong && example)
      *example = std::move(found);
    return wrong;
  }

  uint64_t inputs = 0, excluded = 0, mismatches = 0;
  double maxError = 0;
  uint64_t firstWrong = std::numeric_limits<uint64_t>::max();

private:
  bool interpret(llvm::ArrayRef<uint32_t> input) {
    items.clear();
    for (uint32_t id : input)
      items.push_back(vocabulary[id]);
    const ir::RootResult &result = interpreter.run(items, state)[0];
    if (!result)
      return false;
    expected = result.values;
    return true;
  }

  void compare(uint64_t index, llvm::ArrayRef<uint32_t> input,
               const rt::Logits<T> &logits, unsigned sequence) {
    if (!interpret(input)) {
      ++excluded;
      return;
    }
    ++inputs;
    bool wrong = false;
    for (unsigned i = 0; i < input.size(); ++i) {
      wrong |= !std::isfinite(logits(i + 1, 0, sequence));
      wrong |= !agrees(model, tokenizer.decode(logits, i + 1, sequence),
                       expected[i]);
      if (model.output.kind == rt::OutputVocab::Numerical &&
          expected[i].isNumeric())
        maxError =
            std::max(maxError,
                     std::fabs(static_cast<double>(logits(i + 1, 0, sequence)) -
                               expected[i].toDouble()));
    }
    if (wrong) {
      ++mismatches;
      firstWrong = std::min(firstWrong, index);
    }
  }

  const rt::Model &model;
  const rt::Transformer<T> &transformer;
  const ir::Interpreter &interpreter;
  ir::Interpreter::State state;
  rt::Tokenizer tokenizer;
  typename rt::Transformer<T>::Workspace workspace;
  std::vector<Value> vocabulary, items;
  llvm::ArrayRef<Value> expected;
  std::vector<uint32_t> ids;
  std::vector<uint64_t> indices;            ///< of the inputs in the queue
  std::vector<std::vector<uint32_t>> queue; ///< BOS first
};

/// Shortens the input and moves its tokens to the front of the vocabulary as
/// long as the model stays wrong on it.
template <typename T> Input minimise(Worker<T> &worker, Input input) {
  for (bool progress = true; progress;) {
    progress = false;
    for (size_t i = 0; i < input.size() && input.size() > 1; ++i) {
      Input shorter = input;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      if (worker.isWrong(shorter)) {
        input = std::move(shorter);
        progress = true;
        break;
      }
    }
    if (progress)
      continue;
    for (uint32_t &token : input) {
      uint32_t old = token;
      for (uint32_t smaller = 0; smaller < old; ++smaller) {
        token = smaller;
        if (worker.isWrong(input)) {
          progress = true;
          break;
        }
        token = old;
      }
    }
  }
  return input;
}

template <typename T>
VerifyResult run(const rt::Model &model, const ir::Node *output,
                 const VerifyOptions &options) {
  unsigned maxLen = model.config.nCtx - 1;
  if (options.maxLen)
    maxLen = std::min(maxLen, options.maxLen);
  uint64_t tokens = model.input.values.size();
  InputSpace space(tokens, maxLen);
  VerifyResult result;
  result.exhaustive = options.mode == VerifyOptions::Exhaustive ||
                      (options.mode == VerifyOptions::Automatic &&
                       space.size() <= options.exhaustiveLimit);
  uint64_t total = result.exhaustive ? space.size() : options.samples;

  rt::Transformer<T> transformer(model);
  ir::Interpreter::Options semantics;
  semantics.causal = model.config.causal;
  ir::Interpreter interpreter(output, semantics);

  auto makeInput = [&](uint64_t index, Input &input) {
    if (result.exhaustive)
      space.get(index, input);
    else
      sampleInput(index, options.seed, tokens, maxLen, input);
  };

  constexpr uint64_t chunk = 4096;
  std::atomic<uint64_t> next{0}, done{0};
  uint64_t firstWrong = std::numeric_limits<uint64_t>::max();
  std::mutex mutex;
  llvm::DefaultThreadPool pool(options.jobs
                                   ? llvm::hardware_concurrency(options.jobs)
                                   : llvm::hardware_concurrency());
  for (unsigned job = 0; job < pool.getMaxConcurrency(); ++job)
    pool.async([&, job] {
      Worker<T> worker(model, transformer, interpreter);
      Input input;
      for (;;) {
        uint64_t begin = next.fetch_add(chunk);
        if (begin >= total)
          break;
        uint64_t end = total - begin > chunk ? begin + chunk : total;
        // Samples of one length are not neighbours: sort a chunk by length.
        std::vector<std::pair<uint64_t, Input>> inputs;
        for (uint64_t index = begin; index < end; ++index) {
          makeInput(index, input);
          inputs.emplace_back(index, input);
        }
        std::stable_sort(inputs.begin(), inputs.end(),
                         [](const auto &a, const auto &b) {
                           return a.second.size() < b.second.size();
                         });
        for (auto &[index, own] : inputs)
          worker.add(index, own);
        worker.flush();
        uint64_t finished = done.fetch_add(end - begin) + (end - begin);
        if (job == 0 && options.progress)
          options.progress(static_cast<double>(finished) /
                           static_cast<double>(total));
      }
      std::lock_guard<std::mutex> lock(mutex);
      result.inputs += worker.inputs;
      result.excluded += worker.excluded;
      result.mismatches += worker.mismatches;
      result.maxError = std::max(result.maxError, worker.maxError);
      firstWrong = std::min(firstWrong, worker.firstWrong);
    });
  pool.wait();
  if (result.mismatches) {
    Worker<T> worker(model, transformer, interpreter);
    Input input;
    makeInput(firstWrong, input);
    result.counterexample.emplace();
    // In a batch and alone a model does the same; if it did not, the input
    // itself would be the best witness there is.
    if (worker.isWrong(input))
      input = minimise(worker, input);
    worker.isWrong(input, &*result.counterexample);
  }
  return result;
}

} // namespace

VerifyResult rasp::verify(const rt::Model &model, const ir::Node *output,
                          const VerifyOptions &options) {
  return rt::withScalar(model.config.dtype, [&](auto zero) {
    return run<decltype(zero)>(model, output, options);
  });
}
