//===- runtime/export/Onnx.cpp - models as ONNX graphs --------------------===//

#include "runtime/export/Onnx.h"

#include "runtime/export/Metadata.h"
#include "runtime/export/Tensors.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <limits>
#include <onnx/onnx_pb.h>

using namespace rasp::rt;

namespace {

/// Name of a value in the graph.
using Value = std::string;

/// Axes of an activation: batch, length (twice for attention), heads, d_model,
/// d_head, d_mlp, d_vocab_out.
enum class Axis : uint8_t { B, T, H, D, K, M, O };

class GraphWriter {
public:
  GraphWriter(const Model &model, GraphOutputs outputs, onnx::GraphProto &graph)
      : model(model), sizes(fileSizesOf(model)), outputs(outputs),
        real(model.config.dtype == DType::Float32 ? onnx::TensorProto::FLOAT
                                                  : onnx::TensorProto::DOUBLE),
        graph(graph) {}

  void write(llvm::ArrayRef<ExportTensor> tensors);

private:
  void writeWeights(llvm::ArrayRef<ExportTensor> tensors);
  void writeEmbedding();
  void writeMask();
  void writeAttention();
  Value writeProjection(char name, const Value &heads);
  void writeMLP();

  /// Adds a node under the name of the value that it computes.
  onnx::NodeProto &compute(const Value &value, const char *op,
                           llvm::ArrayRef<Value> inputs);
  void transpose(const Value &value, const Value &input,
                 std::initializer_list<int64_t> order);
  void constant(const Value &name, double number);
  void constant(const Value &name, llvm::ArrayRef<int64_t> dims,
                llvm::ArrayRef<int64_t> numbers);
  /// Makes an activation an output, if they are wanted.
  void expose(const Value &value, llvm::ArrayRef<Axis> axes);
  void addOutput(const Value &value, llvm::ArrayRef<Axis> axes);
  bool withHooks() const { return outputs == GraphOutputs::Hooks; }
  /// Name of a value or weight of the present layer.
  Value here(const llvm::Twine &name) const {
    return ("blocks." + llvm::Twine(layer) + "." + name).str();
  }

  const Model &model;
  FileSizes sizes;
  GraphOutputs outputs;
  onnx::TensorProto::DataType real;
  onnx::GraphProto &graph;
  uint64_t layer = 0;
  Value stream; ///< the residual stream so far
};

} // namespace

//===----------------------------------------------------------------------===//
// Parts of a graph
//===----------------------------------------------------------------------===//

onnx::NodeProto &GraphWriter::compute(const Value &value, const char *op,
                                      llvm::ArrayRef<Value> inputs) {
  onnx::NodeProto &node = *graph.add_node();
  node.set_name(value);
  node.set_op_type(op);
  for (const Value &input : inputs)
    node.add_input(input);
  node.add_output(value);
  return node;
}

void GraphWriter::transpose(const Value &value, const Value &input,
                            std::initializer_list<int64_t> order) {
  onnx::AttributeProto &attribute =
      *compute(value, "Transpose", {input}).add_attribute();
  attribute.set_name("perm");
  attribute.set_type(onnx::AttributeProto::INTS);
  for (int64_t axis : order)
    attribute.add_ints(axis);
}

void GraphWriter::constant(const Value &name, double number) {
  onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(real);
  if (real == onnx::TensorProto::FLOAT)
    tensor.add_float_data(float(number));
  else
    tensor.add_double_data(number);
}

void GraphWriter::constant(const Value &name, llvm::ArrayRef<int64_t> dims,
                           llvm::ArrayRef<int64_t> numbers) {
  onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (int64_t dim : dims)
    tensor.add_dims(dim);
  for (int64_t number : numbers)
    tensor.add_int64_data(number);
}

void GraphWriter::addOutput(const Value &value, llvm::ArrayRef<Axis> axes) {
  onnx::ValueInfoProto &info = *graph.add_output();
  info.set_name(value);
  onnx::TypeProto::Tensor &type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(real);
  for (Axis axis : axes) {
    onnx::TensorShapeProto::Dimension &dim = *type.mutable_shape()->add_dim();
    switch (axis) {
    case Axis::B:
      dim.set_dim_param("batch");
      break;
    case Axis::T:
      dim.set_dim_param("length");
      break;
    case Axis::H:
      dim.set_dim_value(sizes.widest.heads);
      break;
    case Axis::D:
      dim.set_dim_value(sizes.directions);
      break;
    case Axis::K:
      dim.set_dim_value(sizes.widest.headWidth);
      break;
    case Axis::M:
      dim.set_dim_value(sizes.widest.hidden);
      break;
    case Axis::O:
      dim.set_dim_value(sizes.outputs);
      break;
    }
  }
}

void GraphWriter::expose(const Value &value, llvm::ArrayRef<Axis> axes) {
  if (withHooks())
    addOutput(value, axes);
}

//===----------------------------------------------------------------------===//
// The transformer
//===----------------------------------------------------------------------===//

static constexpr Axis residual[] = {Axis::B, Axis::T, Axis::D};
static constexpr Axis perHead[] = {Axis::B, Axis::T, Axis::H, Axis::K};
static constexpr Axis residualPerHead[] = {Axis::B, Axis::T, Axis::H, Axis::D};
static constexpr Axis attention[] = {Axis::B, Axis::H, Axis::T, Axis::T};
static constexpr Axis hidden[] = {Axis::B, Axis::T, Axis::M};

void GraphWriter::write(llvm::ArrayRef<ExportTensor> tensors) {
  // A graph without a name is not valid.
  const std::string &name = model.config.modelName;
  graph.set_name(name.empty() ? "model" : name);
  onnx::ValueInfoProto &input = *graph.add_input();
  input.set_name("tokens");
  onnx::TypeProto::Tensor &type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::INT64);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  type.mutable_shape()->add_dim()->set_dim_param("length");
  addOutput("logits", {Axis::B, Axis::T, Axis::O});

  writeWeights(tensors);
  constant("axis0", {1}, {0});
  constant("axis1", {1}, {1});
  if (withHooks()) {
    constant("axis2", {1}, {2});
    constant("head_counts", {4}, {1, 1, int64_t(sizes.widest.heads), 1});
  }
  constant("sqrt_d_head", std::sqrt(double(sizes.widest.headWidth)));
  writeEmbedding();
  if (model.config.causal)
    writeMask();
  for (layer = 0; layer < sizes.layers.size(); ++layer) {
    compute(here("hook_resid_pre"), "Identity", {stream});
    expose(here("hook_resid_pre"), residual);
    stream = here("hook_resid_pre");
    writeAttention();
    writeMLP();
  }
  compute("unembed.hook_in", "Identity", {stream});
  expose("unembed.hook_in", residual);
  compute("unembed", "MatMul", {"unembed.hook_in", "unembed.W_U"});
  compute("unembed.hook_out", "Add", {"unembed", "unembed.b_U"});
  expose("unembed.hook_out", {Axis::B, Axis::T, Axis::O});
  compute("logits", "Identity", {"unembed.hook_out"});
}

void GraphWriter::writeWeights(llvm::ArrayRef<ExportTensor> tensors) {
  for (const ExportTensor &weights : tensors) {
    onnx::TensorProto &tensor = *graph.add_initializer();
    tensor.set_name(weights.info.name);
    tensor.set_data_type(real);
    for (uint64_t dim : weights.info.dims)
      tensor.add_dims(dim);
    std::vector<char> bytes = weights.bytes(model.config.dtype);
    tensor.set_raw_data(bytes.data(), bytes.size());
  }
}

void GraphWriter::writeEmbedding() {
  compute("hook_embed", "Gather", {"embed.W_E", "tokens"});
  expose("hook_embed", residual);
  compute("shape", "Shape", {"tokens"});
  compute("length", "Gather", {"shape", "axis1"});
  compute("positions", "Slice",
          {"pos_embed.W_pos", "axis0", "length", "axis0"});
  compute("residual_shape", "Shape", {"hook_embed"});
  compute("hook_pos_embed", "Expand", {"positions", "residual_shape"});
  expose("hook_pos_embed", residual);
  stream = "embedded";
  compute(stream, "Add", {"hook_embed", "hook_pos_embed"});
}

/// `visible` [query, key]: no key behind the query.
void GraphWriter::writeMask() {
  constant("minus_infinity", -std::numeric_limits<double>::infinity());
  constant("zero", {}, {0});
  constant("one", {}, {1});
  compute("number_of_keys", "Squeeze", {"length"});
  compute("key", "Range", {"zero", "number_of_keys", "one"});
  compute("query", "Unsqueeze", {"key", "axis1"});
  compute("visible", "LessOrEqual", {"key", "query"});
}

/// Adds `hook_q`, `hook_k` or `hook_v`.
Value GraphWriter::writeProjection(char name, const Value &heads) {
  std::string lower(1, name), upper(1, llvm::toUpper(name));
  Value product = here("attn." + lower), turned = here("attn." + lower + ".T"),
        hook = here("attn.hook_" + lower);
  compute(product, "MatMul", {heads, here("attn.W_" + upper)});
  transpose(turned, product, {0, 2, 1, 3});
  compute(hook, "Add", {turned, here("attn.b_" + upper)});
  expose(hook, perHead);
  return hook;
}

void GraphWriter::writeAttention() {
  if (withHooks()) {
    // What the heads read: the residual stream, once for each.
    compute(here("one_head"), "Unsqueeze", {stream, "axis2"});
    for (char name : {'q', 'k', 'v'}) {
      Value hook = here("hook_" + std::string(1, name) + "_input");
      compute(hook, "Expand", {here("one_head"), "head_counts"});
      expose(hook, residualPerHead);
    }
  }
  // The heads are an axis before the positions where matrices are multiplied,
  // and behind them in the hooks.
  Value input = here("attn.in");
  compute(input, "Unsqueeze", {stream, "axis1"});
  Value q = writeProjection('q', input), k = writeProjection('k', input),
        v = writeProjection('v', input);
  Value queries = here("attn.queries"), keys = here("attn.keys"),
        values = here("attn.values");
  transpose(queries, q, {0, 2, 1, 3});
  transpose(keys, k, {0, 2, 3, 1});
  transpose(values, v, {0, 2, 1, 3});

  Value scores = here("attn.hook_attn_scores");
  Value unmasked = model.config.causal ? here("attn.unmasked") : scores;
  compute(here("attn.products"), "MatMul", {queries, keys});
  compute(unmasked, "Div", {here("attn.products"), "sqrt_d_head"});
  if (model.config.causal)
    compute(scores, "Where", {"visible", unmasked, "minus_infinity"});
  expose(scores, attention);

  Value pattern = here("attn.hook_pattern");
  onnx::AttributeProto &axis =
      *compute(pattern, "Softmax", {scores}).add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(-1);
  expose(pattern, attention);

  Value z = here("attn.z"), result = here("attn.result");
  compute(z, "MatMul", {pattern, values});
  compute(result, "MatMul", {z, here("attn.W_O")});
  if (withHooks()) {
    transpose(here("attn.hook_z"), z, {0, 2, 1, 3});
    expose(here("attn.hook_z"), perHead);
    transpose(here("attn.hook_result"), result, {0, 2, 1, 3});
    expose(here("attn.hook_result"), residualPerHead);
  }
  onnx::AttributeProto &keep =
      *compute(here("attn.sum"), "ReduceSum", {result, "axis1"})
           .add_attribute();
  keep.set_name("keepdims");
  keep.set_type(onnx::AttributeProto::INT);
  keep.set_i(0);
  compute(here("hook_attn_out"), "Add", {here("attn.sum"), here("attn.b_O")});
  expose(here("hook_attn_out"), residual);
  compute(here("hook_resid_mid"), "Add", {stream, here("hook_attn_out")});
  stream = here("hook_resid_mid");
  expose(stream, residual);
}

void GraphWriter::writeMLP() {
  compute(here("hook_mlp_in"), "Identity", {stream});
  expose(here("hook_mlp_in"), residual);
  compute(here("mlp.in"), "MatMul", {here("hook_mlp_in"), here("mlp.W_in")});
  compute(here("mlp.hook_pre"), "Add", {here("mlp.in"), here("mlp.b_in")});
  expose(here("mlp.hook_pre"), hidden);
  compute(here("mlp.hook_post"), "Relu", {here("mlp.hook_pre")});
  expose(here("mlp.hook_post"), hidden);
  compute(here("mlp.out"), "MatMul",
          {here("mlp.hook_post"), here("mlp.W_out")});
  compute(here("hook_mlp_out"), "Add", {here("mlp.out"), here("mlp.b_out")});
  expose(here("hook_mlp_out"), residual);
  compute(here("hook_resid_post"), "Add", {stream, here("hook_mlp_out")});
  stream = here("hook_resid_post");
  expose(stream, residual);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

llvm::Error rasp::rt::writeOnnx(const Model &model, GraphOutputs outputs,
                                llvm::raw_ostream &os) {
  std::vector<ExportTensor> tensors =
      exportTensors(model, TensorLayout::HookedTransformer);
  // Protocol buffers, and so ONNX files, count their bytes in 31 bits.
  auto tooLarge = [](uint64_t size) {
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        "the model has " + llvm::Twine(size) +
            " bytes, an ONNX file at most 2147483647; safetensors has no such "
            "limit");
  };
  constexpr uint64_t most = std::numeric_limits<int32_t>::max();
  uint64_t size = 0;
  for (const ExportTensor &tensor : tensors)
    size += tensor.numBytes(model.config.dtype);
  if (size > most)
    return tooLarge(size);

  onnx::ModelProto file;
  file.set_ir_version(8);
  file.add_opset_import()->set_version(15);
  file.set_producer_name("raspc");
  file.set_producer_version(RASP_VERSION);
  for (const auto &[name, text] : exportMetadata(model)) {
    onnx::StringStringEntryProto &entry = *file.add_metadata_props();
    entry.set_key(name);
    entry.set_value(text);
  }
  GraphWriter(model, outputs, *file.mutable_graph()).write(tensors);
  if (file.ByteSizeLong() > most)
    return tooLarge(file.ByteSizeLong());
  os << file.SerializeAsString();
  return llvm::Error::success();
}
