//===- runtime/CAPI.cpp - compiled models from other languages ------------===//

#include "runtime/Atom.h"
#include "runtime/Batches.h"
#include "runtime/Transformer.h"
#include "runtime/WeightFile.h"
#include "runtime/rasp.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <mutex>
#include <variant>

using namespace rasp::rt;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static std::string &lastError() {
  static thread_local std::string message;
  return message;
}

static void setError(llvm::Error error) {
  lastError() = llvm::toString(std::move(error));
}

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Calls `fn`, which returns an `llvm::Expected`; `failed` after an error. No
/// exception may leave a C function.
template <typename Result, typename Fn>
static Result guard(Result failed, Fn fn) try {
  auto result = fn();
  if (result)
    return std::move(*result);
  setError(result.takeError());
  return failed;
} catch (const std::exception &exception) {
  lastError() = exception.what();
  return failed;
}

//===----------------------------------------------------------------------===//
// What the handles stand for
//===----------------------------------------------------------------------===//

namespace {
template <typename T> struct Passes {
  explicit Passes(const Model &model) : fast(model), hooked(model) {}

  Transformer<T> fast;
  HookedPass<T> hooked;
};
} // namespace

struct rasp_model {
  explicit rasp_model(Model read) : model(std::move(read)), tokenizer(model) {
    if (model.config.dtype == DType::Float32)
      passes.emplace<Passes<float>>(model);
    else
      passes.emplace<Passes<double>>(model);
    makeTexts();
  }

  /// Calls `fn` with the passes of the type that the model computes in.
  template <typename Fn> decltype(auto) with(Fn fn) const {
    if (auto *floats = std::get_if<Passes<float>>(&passes))
      return fn(*floats);
    return fn(std::get<Passes<double>>(passes));
  }

  const HookTable &hooks() const {
    return with([](const auto &passes) -> const HookTable & {
      return passes.hooked.hooks();
    });
  }

  Model model;
  Tokenizer tokenizer;
  std::map<std::string, std::string, std::less<>> texts;

private:
  void makeTexts();

  std::variant<std::monostate, Passes<float>, Passes<double>> passes;
};

struct rasp_run {
  /// Activations and logits of an input, in one of the two types.
  template <typename T> struct Kept {
    std::map<HookPoint, Tensor<T>> activations;
    Tensor<T> logits;
  };

  const rasp_model *model;
  std::vector<Input> inputs;
  std::vector<std::variant<Kept<float>, Kept<double>>> kept;
  std::string answers;
};

static std::string print(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

void rasp_model::makeTexts() {
  Header header = makeHeader(model, formatVersion, Padding::Uniform);
  texts["config"] = header.config;
  texts["input_vocab"] = printInputVocab(model.input);
  texts["output_vocab"] = printOutputVocab(model.output);
  texts["residual"] = print(model.residual);
  texts["circuit"] = print(model.circuit);
  texts["ir"] = print(model.ir);
  texts["options"] = print(model.options);
  texts["certificate"] = print(model.certificate);
  texts["program"] = model.programText;
  texts["labels"] = print(llvm::json::Array(model.residualLabels));
  llvm::json::Array names;
  for (const HookPoint &point : hooks().points())
    names.push_back(point.name());
  texts["hooks"] = print(std::move(names));
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

const char *rasp_version(void) { return RASP_VERSION; }

const char *rasp_error(void) { return lastError().c_str(); }

rasp_model *rasp_model_load(const char *path) {
  return guard<rasp_model *>(nullptr, [&]() -> llvm::Expected<rasp_model *> {
    // The library for the file is not made for threads.
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    llvm::Expected<Model> model = readModel(path);
    if (!model)
      return model.takeError();
    return new rasp_model(std::move(*model));
  });
}

void rasp_model_free(rasp_model *model) { delete model; }

const char *rasp_model_text(const rasp_model *model, const char *part) {
  return guard<const char *>(nullptr, [&]() -> llvm::Expected<const char *> {
    auto it = model->texts.find(llvm::StringRef(part).str());
    if (it != model->texts.end())
      return it->second.c_str();
    return fail("a model has no part `" + llvm::Twine(part) + "`, but " +
                llvm::join(llvm::make_first_range(model->texts), ", "));
  });
}

rasp_dtype rasp_model_dtype(const rasp_model *model) {
  return model->model.config.dtype == DType::Float32 ? RASP_FLOAT32
                                                     : RASP_FLOAT64;
}

size_t rasp_model_outputs(const rasp_model *model) {
  return model->model.wU.cols();
}

size_t rasp_model_max_length(const rasp_model *model) {
  return model->model.config.nCtx;
}

int rasp_model_is_edited(const rasp_model *model) {
  return model->model.edited;
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

size_t rasp_encode(const rasp_model *model, const char *input, uint32_t *ids,
                   size_t capacity) {
  return guard<size_t>(0, [&]() -> llvm::Expected<size_t> {
    InputReader reader(model->tokenizer);
    reader.readArgument(input);
    const Input &read = reader.inputs.front();
    if (read.isRefused())
      return fail("input " + read.shown + ": " + read.refusal);
    std::copy_n(read.ids.begin(), std::min(capacity, read.ids.size()), ids);
    return read.ids.size();
  });
}

/// Whether a model can run `length` ids.
static llvm::Error checkIds(const Model &model, llvm::ArrayRef<uint32_t> ids,
                            size_t length) {
  if (length == 0 || length > model.config.nCtx)
    return fail("the inputs have " + llvm::Twine(length) +
                " ids, expected 1 to " + llvm::Twine(model.config.nCtx));
  for (uint32_t id : ids)
    if (id >= model.wE.rows())
      return fail("there is no token with id " + llvm::Twine(id) +
                  ", they are below " + llvm::Twine(model.wE.rows()));
  return llvm::Error::success();
}

int rasp_forward(const rasp_model *model, const uint32_t *ids, size_t count,
                 size_t length, void *logits) {
  return guard<int>(RASP_FAILED, [&]() -> llvm::Expected<int> {
    if (count == 0)
      return RASP_OK;
    llvm::ArrayRef<uint32_t> all(ids, count * length);
    if (llvm::Error error = checkIds(model->model, all, length))
      return error;
    return model->with([&]<typename T>(const Passes<T> &passes) -> int {
      unsigned outputs = passes.fast.numOutputs();
      typename Transformer<T>::Workspace workspace;
      std::vector<std::vector<uint32_t>> sequences;
      for (size_t i = 0; i < count; ++i)
        sequences.push_back(all.slice(i * length, length).vec());
      passes.fast.forwardEach(
          sequences, workspace,
          [&](size_t i, const Logits<T> &result, unsigned sequence) {
            T *to = static_cast<T *>(logits) + i * length * outputs;
            for (unsigned position = 0; position < length; ++position)
              for (unsigned output = 0; output < outputs; ++output)
                *to++ = result(position, output, sequence);
          });
      return RASP_OK;
    });
  });
}

char *rasp_decode(const rasp_model *model, const void *logits, size_t length) {
  return guard<char *>(nullptr, [&]() -> llvm::Expected<char *> {
    std::vector<Atom> values;
    model->with([&]<typename T>(const Passes<T> &passes) {
      unsigned outputs = passes.fast.numOutputs();
      auto at = [&](unsigned position, unsigned output, unsigned) {
        return static_cast<const T *>(logits)[position * outputs + output];
      };
      for (unsigned position = 1; position < length; ++position)
        values.push_back(model->tokenizer.decode(at, position));
    });
    std::string text;
    llvm::raw_string_ostream os(text);
    printJSON(os, values);
    char *copy = new char[text.size() + 1];
    std::copy_n(text.c_str(), text.size() + 1, copy);
    return copy;
  });
}

void rasp_text_free(char *text) { delete[] text; }

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// One sequence's part of a tensor whose first axis is that of the batch.
template <typename T>
static Tensor<T> partOf(const Tensor<T> &batch, size_t sequence) {
  Tensor<T> part(llvm::ArrayRef(batch.shape).drop_front());
  const T *from = batch.at(sequence);
  std::copy_n(from, part.data.size(), part.data.begin());
  return part;
}

/// Runs the inputs of `run` that were not refused.
template <typename T>
static void runInputs(rasp_run &run, const Passes<T> &passes,
                      llvm::ArrayRef<HookPoint> points,
                      llvm::ArrayRef<Intervention> interventions) {
  run.kept.resize(run.inputs.size(), rasp_run::Kept<T>());
  Intervener<T> intervener(passes.hooked, interventions);
  refuseMisfits<T>(intervener, run.inputs);
  runBatches<T>(passes.hooked, intervener, run.model->tokenizer, run.inputs,
                points, [&](const Batch<T> &batch) {
                  for (auto [i, number] : llvm::enumerate(batch.numbers)) {
                    auto &kept = std::get<rasp_run::Kept<T>>(run.kept[number]);
                    kept.logits = partOf(batch.logits, i);
                    for (const HookPoint &point : points)
                      kept.activations.emplace(point,
                                               partOf(batch.cache[point], i));
                  }
                });
}

static llvm::Expected<std::unique_ptr<rasp_run>>
makeRun(const rasp_model *model, const char *inputs, const char *hooks,
        const char *interventionsText) {
  auto run = std::make_unique<rasp_run>();
  run->model = model;
  llvm::Expected<llvm::json::Value> list = parseJSON(inputs);
  if (!list || !list->getAsArray()) {
    std::string why = list ? "" : ": " + llvm::toString(list.takeError());
    return fail("expected a JSON list of inputs" + why);
  }
  InputReader reader(model->tokenizer);
  for (const llvm::json::Value &input : *list->getAsArray())
    reader.readValue(input);
  run->inputs = std::move(reader.inputs);

  std::vector<HookPoint> points;
  if (hooks) {
    llvm::Expected<std::vector<HookPoint>> selected =
        model->hooks().select(hooks);
    if (!selected)
      return selected.takeError();
    points = std::move(*selected);
  }
  std::vector<Intervention> interventions;
  if (interventionsText) {
    llvm::Expected<llvm::json::Value> json = parseJSON(interventionsText);
    if (!json)
      return fail("interventions: " + llvm::toString(json.takeError()));
    llvm::Expected<std::vector<Intervention>> read =
        parseInterventions(*json, model->model);
    if (!read)
      return read.takeError();
    interventions = std::move(*read);
  }

  model->with([&]<typename T>(const Passes<T> &passes) {
    runInputs(*run, passes, points, interventions);
  });
  llvm::raw_string_ostream os(run->answers);
  os << '[';
  llvm::interleave(
      run->inputs, os,
      [&](const Input &input) { printAnswer(os, model->model, input); }, ",\n");
  os << ']';
  return run;
}

rasp_run *rasp_run_inputs(const rasp_model *model, const char *inputs,
                          const char *hooks, const char *interventions) {
  return guard<rasp_run *>(nullptr, [&]() -> llvm::Expected<rasp_run *> {
    llvm::Expected<std::unique_ptr<rasp_run>> run =
        makeRun(model, inputs, hooks, interventions);
    if (!run)
      return run.takeError();
    return run->release();
  });
}

void rasp_run_free(rasp_run *run) { delete run; }

const char *rasp_run_answers(const rasp_run *run) {
  return run->answers.c_str();
}

template <typename T>
static void describe(const Tensor<T> &tensor, rasp_tensor *result) {
  result->data = tensor.data.data();
  result->dtype = sizeof(T) == sizeof(float) ? RASP_FLOAT32 : RASP_FLOAT64;
  result->rank = tensor.shape.size();
  llvm::copy(tensor.shape, result->shape);
}

/// Calls `fn` with what was kept of an input that was run.
template <typename Fn>
static int withKept(const rasp_run *run, size_t input, Fn fn) {
  return guard<int>(RASP_FAILED, [&]() -> llvm::Expected<int> {
    if (input >= run->inputs.size())
      return fail("there is no input " + llvm::Twine(input) +
                  ", they are below " + llvm::Twine(run->inputs.size()));
    if (run->inputs[input].isRefused())
      return fail("input " + llvm::Twine(input) +
                  " was refused: " + run->inputs[input].refusal);
    if (llvm::Error error = std::visit(fn, run->kept[input]))
      return error;
    return RASP_OK;
  });
}

int rasp_run_activation(const rasp_run *run, size_t input, const char *hook,
                        rasp_tensor *tensor) {
  return withKept(run, input, [&](const auto &kept) -> llvm::Error {
    llvm::Expected<HookPoint> point = run->model->hooks().find(hook);
    if (!point)
      return point.takeError();
    auto it = kept.activations.find(*point);
    if (it == kept.activations.end())
      return fail("the run did not keep " + point->name());
    describe(it->second, tensor);
    return llvm::Error::success();
  });
}

int rasp_run_logits(const rasp_run *run, size_t input, rasp_tensor *tensor) {
  return withKept(run, input, [&](const auto &kept) -> llvm::Error {
    describe(kept.logits, tensor);
    return llvm::Error::success();
  });
}
