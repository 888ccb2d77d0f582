//===- runtime/export/Tensors.cpp - a model's tensors for others ----------===//

#include "runtime/export/Tensors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <bit>

using namespace rasp::rt;

static unsigned sizeOfReal(DType dtype) {
  return dtype == DType::Float32 ? 4 : 8;
}

uint64_t ExportTensor::numBytes(DType dtype) const {
  return info.size() * sizeOfReal(dtype);
}

std::vector<char> ExportTensor::bytes(DType dtype) const {
  namespace endian = llvm::support::endian;
  std::vector<char> result(numBytes(dtype));
  for (const Entry &entry : entries) {
    char *at = &result[entry.index * sizeOfReal(dtype)];
    if (dtype == DType::Float32)
      endian::write32le(at, std::bit_cast<uint32_t>(float(entry.value)));
    else
      endian::write64le(at, std::bit_cast<uint64_t>(entry.value));
  }
  return result;
}

namespace {
/// How a bridge names and shapes the tensor that a HookedTransformer has as
/// `part`, behind the last dot.
struct BridgePart {
  enum Shape : uint8_t {
    Same,
    Transposed,
    HeadsToRows,   ///< [H, D, K] to [H K, D]
    HeadsToColumns ///< [H, K, D] to [D, H K]
  };
  llvm::StringLiteral part, name;
  Shape shape;
};
} // namespace

static constexpr BridgePart bridgeParts[] = {
    {"W_E", "weight", BridgePart::Same},
    {"W_pos", "weight", BridgePart::Same},
    {"W_Q", "q.weight", BridgePart::HeadsToRows},
    {"W_K", "k.weight", BridgePart::HeadsToRows},
    {"W_V", "v.weight", BridgePart::HeadsToRows},
    {"W_O", "o.weight", BridgePart::HeadsToColumns},
    {"b_Q", "q.bias", BridgePart::HeadsToRows},
    {"b_K", "k.bias", BridgePart::HeadsToRows},
    {"b_V", "v.bias", BridgePart::HeadsToRows},
    {"b_O", "o.bias", BridgePart::Same},
    {"W_in", "in.weight", BridgePart::Transposed},
    {"b_in", "in.bias", BridgePart::Same},
    {"W_out", "out.weight", BridgePart::Transposed},
    {"b_out", "out.bias", BridgePart::Same},
    {"W_U", "weight", BridgePart::Transposed},
    {"b_U", "bias", BridgePart::Same},
};

/// Exchanges rows and columns of each of the matrices that a tensor holds.
static void transpose(std::vector<Entry> &entries, uint64_t rows,
                      uint64_t cols) {
  for (Entry &entry : entries) {
    uint64_t place = entry.index % (rows * cols);
    entry.index += place % cols * rows + place / cols - place;
  }
}

static void shapeForBridge(ExportTensor &tensor) {
  llvm::StringRef name = tensor.info.name;
  size_t dot = name.rfind('.');
  llvm::StringRef prefix = name.take_front(dot + 1),
                  part = name.drop_front(dot + 1);
  const BridgePart *bridge = llvm::find_if(
      bridgeParts, [&](const BridgePart &known) { return known.part == part; });
  llvm::SmallVector<uint64_t, 3> &dims = tensor.info.dims;
  switch (bridge->shape) {
  case BridgePart::Same:
    break;
  case BridgePart::Transposed:
    transpose(tensor.entries, dims[0], dims[1]);
    std::swap(dims[0], dims[1]);
    break;
  case BridgePart::HeadsToRows:
    if (dims.size() == 2) {
      dims = {dims[0] * dims[1]};
      break;
    }
    transpose(tensor.entries, dims[1], dims[2]);
    dims = {dims[0] * dims[2], dims[1]};
    break;
  case BridgePart::HeadsToColumns:
    transpose(tensor.entries, dims[0] * dims[1], dims[2]);
    dims = {dims[2], dims[0] * dims[1]};
    break;
  }
  tensor.info.name = (prefix + bridge->name).str();
}

std::vector<ExportTensor> rasp::rt::exportTensors(const Model &model,
                                                  TensorLayout layout) {
  std::vector<ExportTensor> tensors;
  llvm::cantFail(
      forEachTensor(model, fileSizesOf(model),
                    [&](const TensorInfo &info, std::vector<Entry> &entries) {
                      tensors.push_back({info, entries});
                      return llvm::Error::success();
                    }));
  if (layout == TensorLayout::TransformerBridge)
    llvm::for_each(tensors, shapeForBridge);
  return tensors;
}
