//===- runtime/ModelJSON.cpp - JSON parts of a model file -----------------===//

#include "runtime/ModelJSON.h"

#include "runtime/Atom.h"
#include "runtime/WeightFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include <algorithm>
#include <cmath>

using namespace rasp::rt;

template <typename... Args>
static llvm::Error fail(const char *format, Args... args) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), format,
                                 args...);
}

/// The parser takes numbers beyond all floats for infinite ones.
static bool isFinite(const llvm::json::Value &value) {
  if (const llvm::json::Array *array = value.getAsArray())
    return llvm::all_of(*array, isFinite);
  if (const llvm::json::Object *object = value.getAsObject())
    return llvm::all_of(
        *object, [](const auto &member) { return isFinite(member.second); });
  std::optional<double> number = value.getAsNumber();
  return !number || std::isfinite(*number);
}

llvm::Expected<llvm::json::Value> rasp::rt::parseJSON(llvm::StringRef text) {
  constexpr unsigned deepest = 500;
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"')
      inString = !inString;
    else if (inString)
      i += c == '\\';
    else if (c == '[' || c == '{')
      depth += 1;
    else if (c == ']' || c == '}')
      depth -= depth > 0;
    if (depth > deepest)
      return fail("nested more than %u deep", deepest);
  }
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (value && !isFinite(*value))
    return fail("a number is too large for a float64");
  return value;
}

static std::string printText(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

const char *rasp::rt::nameOf(Padding padding) {
  return padding == Padding::Uniform ? "uniform" : "none";
}

static LayerSizes sizesOf(const Layer &layer) {
  LayerSizes sizes = {layer.heads.size(), 0, uint64_t(layer.wIn.cols())};
  for (const Head &head : layer.heads)
    sizes.headWidth = std::max<uint64_t>(sizes.headWidth, head.wQ.cols());
  return sizes;
}

FileSizes rasp::rt::fileSizesOf(const Model &model, Padding padding) {
  Shape shape = shapeOf(model);
  FileSizes sizes;
  sizes.directions = shape.dModel;
  sizes.positions = model.config.nCtx;
  sizes.tokens = shape.vocab;
  sizes.outputs = shape.outputs;
  sizes.widest = {shape.heads, shape.dHead, shape.dMlp};
  if (padding == Padding::None)
    for (const Layer &layer : model.layers)
      sizes.layers.push_back(sizesOf(layer));
  sizes.layers.resize(shape.layers, padding == Padding::Uniform ? sizes.widest
                                                                : LayerSizes{});
  return sizes;
}

std::string rasp::rt::hashOfSource(const Model &model) {
  return llvm::toHex(
      llvm::SHA256::hash(llvm::arrayRefFromStringRef(model.programText)),
      /*LowerCase=*/true);
}

llvm::ArrayRef<HookSwitchName> rasp::rt::hookSwitchNames() {
  static constexpr HookSwitchName names[] = {
      {"use_hook_tokens", &HookSwitches::useHookTokens},
      {"use_attn_in", &HookSwitches::useAttnIn},
      {"use_split_qkv_input", &HookSwitches::useSplitQkvInput},
      {"use_attn_result", &HookSwitches::useAttnResult},
      {"use_hook_mlp_in", &HookSwitches::useHookMlpIn}};
  return names;
}

/// Only members that the configuration of TransformerLens 1.14 knows: it
/// refuses others.
static llvm::json::Value configOf(const Model &model, const FileSizes &sizes) {
  llvm::json::Object object{
      {"n_layers", uint64_t(sizes.layers.size())},
      {"d_model", sizes.directions},
      {"n_ctx", sizes.positions},
      {"d_head", sizes.widest.headWidth},
      {"n_heads", sizes.widest.heads},
      {"d_mlp", sizes.widest.hidden},
      {"d_vocab", sizes.tokens},
      {"d_vocab_out", sizes.outputs},
      {"act_fn", "relu"},
      {"normalization_type", nullptr},
      {"attention_dir", model.config.causal ? "causal" : "bidirectional"},
      {"dtype", model.config.dtype == DType::Float32 ? "float32" : "float64"},
      {"device", "cpu"},
      {"init_weights", false},
      {"default_prepend_bos", false},
      {"model_name", model.config.modelName}};
  for (const HookSwitchName &hook : hookSwitchNames())
    if (model.config.hooks.*hook.member)
      object[hook.name] = true;
  return object;
}

Header rasp::rt::makeHeader(const Model &model, int formatVersion,
                            Padding padding) {
  Header header;
  header.formatVersion = formatVersion;
  header.createdBy = "raspc " RASP_VERSION;
  header.padding = padding;
  header.sizes = fileSizesOf(model, padding);
  header.config = printText(configOf(model, header.sizes));
  header.sourceHash = hashOfSource(model);
  return header;
}

std::string rasp::rt::printHeader(const Header &header, const Model &model) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\"format\":\"raspc-model\",\"format_version\":"
     << header.formatVersion
     << ",\n\"created_by\":" << llvm::json::Value(header.createdBy)
     << ",\n\"tl_config\":" << header.config
     << ",\n\"source_sha256\":" << llvm::json::Value(header.sourceHash)
     << ",\n\"state_sha256\":" << llvm::json::Value(header.stateHash)
     << ",\n\"padding\":\"" << nameOf(header.padding) << "\",\n";
  if (header.padding == Padding::None) {
    os << "\"layer_sizes\":[";
    llvm::interleave(
        header.sizes.layers, os,
        [&](const LayerSizes &layer) {
          os << llvm::json::Value(
              llvm::json::Object{{"n_heads", layer.heads},
                                 {"d_head", layer.headWidth},
                                 {"d_mlp", layer.hidden}});
        },
        ",");
    os << "],\n";
  }
  os << "\"residual_labels\":[";
  llvm::interleave(
      model.residualLabels, os,
      [&](const std::string &label) { os << llvm::json::Value(label); }, ",");
  os << "]}";
  return text;
}

/// Reads a text that must be an object.
static llvm::Expected<llvm::json::Object> parseObject(llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> value = parseJSON(text);
  if (!value)
    return value.takeError();
  if (llvm::json::Object *object = value->getAsObject())
    return std::move(*object);
  return fail("expected an object");
}

static llvm::Error parseConfig(const llvm::json::Object &object, Config &config,
                               FileSizes &sizes) {
  // Sizes beyond these are taken for damage.
  constexpr int64_t manyLayers = 1 << 16, many = 1 << 24;
  uint64_t layers = 0;
  struct Size {
    const char *name;
    uint64_t &size;
    int64_t limit;
  };
  for (const Size &size : {Size{"n_layers", layers, manyLayers},
                           Size{"d_model", sizes.directions, many},
                           Size{"n_ctx", sizes.positions, many},
                           Size{"d_head", sizes.widest.headWidth, many},
                           Size{"n_heads", sizes.widest.heads, many},
                           Size{"d_mlp", sizes.widest.hidden, many},
                           Size{"d_vocab", sizes.tokens, many},
                           Size{"d_vocab_out", sizes.outputs, many}}) {
    std::optional<int64_t> value = object.getInteger(size.name);
    if (!value)
      return fail("expected an integer `%s`", size.name);
    if (*value < 1 || *value > size.limit)
      return fail("`%s` is %lld, expected 1 to %lld", size.name,
                  static_cast<long long>(*value),
                  static_cast<long long>(size.limit));
    size.size = *value;
  }
  sizes.layers.assign(layers, sizes.widest);

  auto oneOf = [&](const char *name, const char *no,
                   const char *yes) -> llvm::Expected<bool> {
    std::optional<llvm::StringRef> value = object.getString(name);
    if (value && (*value == no || *value == yes))
      return *value == yes;
    return fail("expected `%s` to be \"%s\" or \"%s\"", name, no, yes);
  };
  llvm::Expected<bool> causal =
      oneOf("attention_dir", "bidirectional", "causal");
  if (!causal)
    return causal.takeError();
  llvm::Expected<bool> isDouble = oneOf("dtype", "float32", "float64");
  if (!isDouble)
    return isDouble.takeError();
  if (object.getString("act_fn") != llvm::StringRef("relu"))
    return fail("expected `act_fn` to be \"relu\"");
  if (const llvm::json::Value *value = object.get("normalization_type");
      value && !value->getAsNull())
    return fail("expected `normalization_type` to be null");

  config.causal = *causal;
  config.dtype = *isDouble ? DType::Float64 : DType::Float32;
  config.dModel = sizes.directions;
  config.dHead = sizes.widest.headWidth;
  config.nCtx = sizes.positions;
  config.paddedHeads = sizes.widest.heads;
  config.paddedHidden = sizes.widest.hidden;
  config.modelName = object.getString("model_name").value_or("").str();
  for (const HookSwitchName &hook : hookSwitchNames())
    config.hooks.*hook.member = object.getBoolean(hook.name).value_or(false);
  return llvm::Error::success();
}

/// Reads the sizes of layers that are not padded.
static llvm::Error parseLayerSizes(const llvm::json::Array *list,
                                   FileSizes &sizes) {
  if (!list || list->size() != sizes.layers.size())
    return fail("expected `layer_sizes` to be a list of %zu",
                sizes.layers.size());
  struct Size {
    const char *name;
    uint64_t LayerSizes::*member;
  };
  for (const Size &size : {Size{"n_heads", &LayerSizes::heads},
                           Size{"d_head", &LayerSizes::headWidth},
                           Size{"d_mlp", &LayerSizes::hidden}}) {
    auto most = static_cast<unsigned long long>(sizes.widest.*size.member);
    uint64_t largest = 1;
    for (auto [l, value] : llvm::enumerate(*list)) {
      const llvm::json::Object *object = value.getAsObject();
      std::optional<int64_t> number =
          object ? object->getInteger(size.name) : std::nullopt;
      if (!number || *number < 0 || uint64_t(*number) > most)
        return fail("expected `%s` of layer %zu to be 0 to %llu", size.name, l,
                    most);
      sizes.layers[l].*size.member = *number;
      largest = std::max<uint64_t>(largest, *number);
    }
    // Scores are divided by the root of `d_head`, whatever the widths are.
    if (largest != most && size.member != &LayerSizes::headWidth)
      return fail("expected a layer whose `%s` is that of `tl_config`, %llu",
                  size.name, most);
  }
  return llvm::Error::success();
}

llvm::Error rasp::rt::parseHeader(llvm::StringRef text, Header &header,
                                  Model &model) {
  llvm::Expected<llvm::json::Object> object = parseObject(text);
  auto inHeader = [](llvm::Error error) {
    return fail("in /header/json: %s",
                llvm::toString(std::move(error)).c_str());
  };
  if (!object)
    return inHeader(object.takeError());
  if (object->getString("format") != llvm::StringRef("raspc-model"))
    return inHeader(fail("expected `format` to be \"raspc-model\""));
  std::optional<int64_t> version = object->getInteger("format_version");
  if (!version || *version < 1)
    return inHeader(fail("expected `format_version` to be 1 or more"));
  header.formatVersion = *version;
  if (header.formatVersion > formatVersion)
    return llvm::Error::success();

  auto copyText = [&](const char *name, std::string &text) {
    std::optional<llvm::StringRef> value = object->getString(name);
    text = value.value_or("").str();
    return value.has_value();
  };
  if (!copyText("created_by", header.createdBy) ||
      !copyText("source_sha256", header.sourceHash) ||
      !copyText("state_sha256", header.stateHash))
    return inHeader(fail("expected strings `created_by`, `source_sha256` and "
                         "`state_sha256`"));
  const llvm::json::Object *config = object->getObject("tl_config");
  if (!config)
    return inHeader(fail("expected an object `tl_config`"));
  if (llvm::Error error = parseConfig(*config, model.config, header.sizes))
    return inHeader(std::move(error));
  header.config = printText(llvm::json::Object(*config));
  llvm::StringRef padding =
      object->getString("padding").value_or(nameOf(Padding::Uniform));
  if (padding == nameOf(Padding::None)) {
    header.padding = Padding::None;
    if (llvm::Error error =
            parseLayerSizes(object->getArray("layer_sizes"), header.sizes))
      return inHeader(std::move(error));
  } else if (padding != nameOf(Padding::Uniform)) {
    return inHeader(fail("expected `padding` to be \"uniform\" or \"none\""));
  }
  const llvm::json::Array *labels = object->getArray("residual_labels");
  if (!labels || labels->size() != header.sizes.directions)
    return inHeader(fail("expected `residual_labels` to be %u strings",
                         model.config.dModel));
  for (const llvm::json::Value &label : *labels) {
    std::optional<llvm::StringRef> text = label.getAsString();
    if (!text)
      return inHeader(fail("expected `residual_labels` to be strings"));
    model.residualLabels.push_back(text->str());
  }
  return llvm::Error::success();
}

std::string rasp::rt::printInputVocab(const InputVocab &vocab) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  for (auto [id, value] : llvm::enumerate(vocab.values)) {
    os << (id ? ",\n" : "\n") << "{\"id\":" << id << ",\"value\":";
    printJSON(os, value);
    os << ",\"type\":\"" << typeName(value) << "\"}";
  }
  os << "\n]";
  return text;
}

llvm::Error rasp::rt::parseInputVocab(llvm::StringRef text, InputVocab &vocab) {
  llvm::Expected<llvm::json::Value> list = parseJSON(text);
  if (!list)
    return list.takeError();
  if (!list->getAsArray())
    return fail("expected a list");
  for (const llvm::json::Value &entry : *list->getAsArray()) {
    const llvm::json::Object *object = entry.getAsObject();
    const llvm::json::Value *value = object ? object->get("value") : nullptr;
    std::optional<llvm::StringRef> type =
        object ? object->getString("type") : std::nullopt;
    std::optional<Atom> atom =
        value && type ? atomFromJSON(*value, *type) : std::nullopt;
    size_t id = vocab.values.size();
    if (!atom || object->getInteger("id") != int64_t(id))
      return fail("expected entry %zu to have `id` %zu, a `value` and its "
                  "`type`",
                  id, id);
    vocab.values.push_back(std::move(*atom));
  }
  return llvm::Error::success();
}

std::string rasp::rt::printOutputVocab(const OutputVocab &vocab) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "{\"kind\":\""
     << (vocab.kind == OutputVocab::Categorical ? "categorical" : "numerical")
     << "\",\"label\":" << llvm::json::Value(vocab.label)
     << ",\"type\":" << llvm::json::Value(vocab.type) << ",\"values\":";
  printJSON(os, vocab.values);
  os << ",\"types\":[";
  llvm::interleave(
      vocab.values, os,
      [&](const Atom &atom) { os << '"' << typeName(atom) << '"'; }, ",");
  os << "],\"tolerance\":";
  printJSON(os, Atom(vocab.tolerance));
  os << '}';
  return text;
}

llvm::Error rasp::rt::parseOutputVocab(llvm::StringRef text,
                                       OutputVocab &vocab) {
  llvm::Expected<llvm::json::Object> object = parseObject(text);
  if (!object)
    return object.takeError();
  std::optional<llvm::StringRef> kind = object->getString("kind");
  if (!kind || (*kind != "categorical" && *kind != "numerical"))
    return fail("expected `kind` to be \"categorical\" or \"numerical\"");
  vocab.kind =
      *kind == "numerical" ? OutputVocab::Numerical : OutputVocab::Categorical;
  std::optional<llvm::StringRef> label = object->getString("label");
  std::optional<llvm::StringRef> type = object->getString("type");
  if (!label || !type)
    return fail("expected strings `label` and `type`");
  vocab.label = label->str();
  vocab.type = type->str();

  const llvm::json::Array *values = object->getArray("values");
  const llvm::json::Array *types = object->getArray("types");
  if (!values || !types || values->size() != types->size())
    return fail("expected lists `values` and `types` of one length");
  for (auto [value, type] : llvm::zip_equal(*values, *types)) {
    std::optional<Atom> atom =
        atomFromJSON(value, type.getAsString().value_or(""));
    if (!atom)
      return fail("value %zu is not of the type that `types` names",
                  vocab.values.size());
    if (vocab.kind == OutputVocab::Numerical &&
        std::holds_alternative<std::string>(*atom))
      return fail("a numerical output has the string value %zu",
                  vocab.values.size());
    vocab.values.push_back(std::move(*atom));
  }
  vocab.tolerance = object->getNumber("tolerance").value_or(0);
  return llvm::Error::success();
}
