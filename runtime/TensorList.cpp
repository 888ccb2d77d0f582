//===- runtime/TensorList.cpp - a model as named tensors ------------------===//

#include "runtime/TensorList.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <bit>

using namespace rasp::rt;

uint64_t TensorInfo::size() const {
  uint64_t product = 1;
  for (uint64_t dim : dims)
    product *= dim;
  return product;
}

uint64_t rasp::rt::numTensors(uint64_t layers) { return 4 + 12 * layers; }

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

namespace {
enum class Part {
  WE,
  WPos,
  WU,
  BU,
  HeadMatrix,
  HeadVector,
  LayerMatrix,
  LayerVector
};

/// Where in a model a tensor's values are.
struct Member {
  Part part;
  size_t layer = 0;
  Matrix Head::*headMatrix = nullptr;
  Vector Head::*headVector = nullptr;
  Matrix Layer::*layerMatrix = nullptr;
  Vector Layer::*layerVector = nullptr;
};
} // namespace

static llvm::Error forEachMember(
    const FileSizes &s,
    llvm::function_ref<llvm::Error(const TensorInfo &, Member)> visit) {
  uint64_t d = s.directions;
  if (auto error = visit({"embed.W_E", {s.tokens, d}}, {Part::WE}))
    return error;
  if (auto error = visit({"pos_embed.W_pos", {s.positions, d}}, {Part::WPos}))
    return error;
  for (size_t l = 0; l < s.layers.size(); ++l) {
    uint64_t h = s.layers[l].heads, k = s.layers[l].headWidth,
             m = s.layers[l].hidden;
    std::string block = "blocks." + std::to_string(l) + ".";
    auto headMatrix = [&](const char *name, Matrix Head::*member, uint64_t rows,
                          uint64_t cols) {
      Member where{Part::HeadMatrix, l};
      where.headMatrix = member;
      return visit({block + "attn." + name, {h, rows, cols}}, where);
    };
    auto headVector = [&](const char *name, Vector Head::*member) {
      Member where{Part::HeadVector, l};
      where.headVector = member;
      return visit({block + "attn." + name, {h, k}}, where);
    };
    auto layerMatrix = [&](const char *name, Matrix Layer::*member,
                           uint64_t rows, uint64_t cols) {
      Member where{Part::LayerMatrix, l};
      where.layerMatrix = member;
      return visit({block + name, {rows, cols}}, where);
    };
    auto layerVector = [&](const char *name, Vector Layer::*member,
                           uint64_t size) {
      Member where{Part::LayerVector, l};
      where.layerVector = member;
      return visit({block + name, {size}}, where);
    };
    if (auto error = headMatrix("W_Q", &Head::wQ, d, k))
      return error;
    if (auto error = headMatrix("W_K", &Head::wK, d, k))
      return error;
    if (auto error = headMatrix("W_V", &Head::wV, d, k))
      return error;
    if (auto error = headMatrix("W_O", &Head::wO, k, d))
      return error;
    if (auto error = headVector("b_Q", &Head::bQ))
      return error;
    if (auto error = headVector("b_K", &Head::bK))
      return error;
    if (auto error = headVector("b_V", &Head::bV))
      return error;
    if (auto error = layerVector("attn.b_O", &Layer::bO, d))
      return error;
    if (auto error = layerMatrix("mlp.W_in", &Layer::wIn, d, m))
      return error;
    if (auto error = layerVector("mlp.b_in", &Layer::bIn, m))
      return error;
    if (auto error = layerMatrix("mlp.W_out", &Layer::wOut, m, d))
      return error;
    if (auto error = layerVector("mlp.b_out", &Layer::bOut, d))
      return error;
  }
  if (auto error = visit({"unembed.W_U", {d, s.outputs}}, {Part::WU}))
    return error;
  return visit({"unembed.b_U", {s.outputs}}, {Part::BU});
}

//===----------------------------------------------------------------------===//
// From a model
//===----------------------------------------------------------------------===//

static void collect(const Matrix &matrix, uint64_t first, uint64_t rowLength,
                    std::vector<Entry> &entries) {
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      if (it.value() != 0)
        entries.push_back({first + row * rowLength + it.col(), it.value()});
}

static void collect(const Vector &vector, uint64_t first,
                    std::vector<Entry> &entries) {
  for (Eigen::Index i = 0; i < vector.size(); ++i)
    if (vector[i] != 0)
      entries.push_back({first + i, vector[i]});
}

llvm::Error rasp::rt::forEachTensor(
    const Model &model, const FileSizes &sizes,
    llvm::function_ref<llvm::Error(const TensorInfo &, std::vector<Entry> &)>
        fn) {
  std::vector<Entry> entries;
  static const Layer none;
  return forEachMember(sizes, [&](const TensorInfo &info, Member member) {
    const Layer &layer =
        member.layer < model.layers.size() ? model.layers[member.layer] : none;
    entries.clear();
    switch (member.part) {
    case Part::WE:
      collect(model.wE, 0, info.dims[1], entries);
      break;
    case Part::WPos:
      collect(model.wPos, 0, info.dims[1], entries);
      break;
    case Part::WU:
      collect(model.wU, 0, info.dims[1], entries);
      break;
    case Part::BU:
      collect(model.bU, 0, entries);
      break;
    case Part::HeadMatrix:
      for (auto [h, head] : llvm::enumerate(layer.heads))
        collect(head.*member.headMatrix, h * info.dims[1] * info.dims[2],
                info.dims[2], entries);
      break;
    case Part::HeadVector:
      for (auto [h, head] : llvm::enumerate(layer.heads))
        collect(head.*member.headVector, h * info.dims[1], entries);
      break;
    case Part::LayerMatrix:
      collect(layer.*member.layerMatrix, 0, info.dims[1], entries);
      break;
    case Part::LayerVector:
      collect(layer.*member.layerVector, 0, entries);
      break;
    }
    return fn(info, entries);
  });
}

//===----------------------------------------------------------------------===//
// To a model
//===----------------------------------------------------------------------===//

/// Entries from `begin` on that lie in the matrix of `rows` rows of
/// `rowLength` at `first`; moves `begin` behind them.
static Matrix makeMatrix(llvm::ArrayRef<Entry> entries, size_t &begin,
                         uint64_t first, uint64_t rows, uint64_t rowLength) {
  size_t end = begin;
  while (end < entries.size() && entries[end].index < first + rows * rowLength)
    ++end;
  Matrix matrix(rows, rowLength);
  matrix.reserve(end - begin);
  for (uint64_t row = 0; row < rows; ++row) {
    matrix.startVec(row);
    for (; begin < end && entries[begin].index < first + (row + 1) * rowLength;
         ++begin)
      matrix.insertBackByOuterInner(row, entries[begin].index - first -
                                             row * rowLength) =
          entries[begin].value;
  }
  matrix.finalize();
  return matrix;
}

static Vector makeVector(llvm::ArrayRef<Entry> entries, size_t &begin,
                         uint64_t first, uint64_t size) {
  Vector vector = Vector::Zero(size);
  for (; begin < entries.size() && entries[begin].index < first + size; ++begin)
    vector[entries[begin].index - first] = entries[begin].value;
  return vector;
}

static uint64_t usedColumns(const Matrix &matrix) {
  uint64_t used = 0;
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      used = std::max<uint64_t>(used, it.col() + 1);
  return used;
}

static uint64_t usedRows(const Matrix &matrix) {
  uint64_t used = 0;
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    if (Matrix::InnerIterator(matrix, row))
      used = row + 1;
  return used;
}

static uint64_t usedSize(const Vector &vector) {
  for (uint64_t size = vector.size(); size > 0; --size)
    if (vector[size - 1] != 0)
      return size;
  return 0;
}

/// Leaves out what padding has added at the end of the layer.
static void trim(Layer &layer) {
  for (Head &head : layer.heads) {
    uint64_t width = usedRows(head.wO);
    for (const Matrix *matrix : {&head.wQ, &head.wK, &head.wV})
      width = std::max(width, usedColumns(*matrix));
    for (const Vector *vector : {&head.bQ, &head.bK, &head.bV})
      width = std::max(width, usedSize(*vector));
    for (Matrix *matrix : {&head.wQ, &head.wK, &head.wV})
      matrix->conservativeResize(matrix->rows(), width);
    for (Vector *vector : {&head.bQ, &head.bK, &head.bV})
      vector->conservativeResize(width);
    head.wO.conservativeResize(width, head.wO.cols());
  }
  while (!layer.heads.empty() && layer.heads.back().wQ.cols() == 0)
    layer.heads.pop_back();

  uint64_t hidden = std::max(
      {usedColumns(layer.wIn), usedSize(layer.bIn), usedRows(layer.wOut)});
  layer.wIn.conservativeResize(layer.wIn.rows(), hidden);
  layer.bIn.conservativeResize(hidden);
  layer.wOut.conservativeResize(hidden, layer.wOut.cols());
}

llvm::Error rasp::rt::buildFromTensors(
    Model &model, const FileSizes &sizes,
    llvm::function_ref<llvm::Error(const TensorInfo &, std::vector<Entry> &)>
        read) {
  std::vector<Entry> entries;
  uint64_t d = sizes.directions;
  model.layers.assign(sizes.layers.size(), Layer());
  return forEachMember(
      sizes, [&](const TensorInfo &info, Member member) -> llvm::Error {
        entries.clear();
        if (llvm::Error error = read(info, entries))
          return error;
        Layer &layer = model.layers[member.layer];
        size_t begin = 0;
        switch (member.part) {
        case Part::WE:
          model.wE = makeMatrix(entries, begin, 0, sizes.tokens, d);
          break;
        case Part::WPos:
          model.wPos = makeMatrix(entries, begin, 0, sizes.positions, d);
          break;
        case Part::WU:
          model.wU = makeMatrix(entries, begin, 0, d, sizes.outputs);
          break;
        case Part::BU:
          model.bU = makeVector(entries, begin, 0, sizes.outputs);
          break;
        case Part::HeadMatrix:
          layer.heads.resize(info.dims[0]);
          for (auto [h, head] : llvm::enumerate(layer.heads))
            head.*member.headMatrix =
                makeMatrix(entries, begin, h * info.dims[1] * info.dims[2],
                           info.dims[1], info.dims[2]);
          break;
        case Part::HeadVector:
          for (auto [h, head] : llvm::enumerate(layer.heads))
            head.*member.headVector =
                makeVector(entries, begin, h * info.dims[1], info.dims[1]);
          break;
        case Part::LayerMatrix:
          layer.*member.layerMatrix =
              makeMatrix(entries, begin, 0, info.dims[0], info.dims[1]);
          break;
        case Part::LayerVector:
          layer.*member.layerVector =
              makeVector(entries, begin, 0, info.dims[0]);
          // The last tensor of a layer; padding goes before the next is read.
          if (member.layerVector == &Layer::bOut)
            trim(layer);
          break;
        }
        return llvm::Error::success();
      });
}

//===----------------------------------------------------------------------===//
// Hash
//===----------------------------------------------------------------------===//

void WeightHash::add(const TensorInfo &tensor, llvm::ArrayRef<Entry> entries) {
  std::vector<uint8_t> bytes(8 * (tensor.dims.size() + 2 * entries.size()));
  uint8_t *at = bytes.data();
  auto put = [&](uint64_t word) {
    llvm::support::endian::write64le(at, word);
    at += 8;
  };
  for (uint64_t dim : tensor.dims)
    put(dim);
  for (const Entry &entry : entries) {
    put(entry.index);
    put(std::bit_cast<uint64_t>(entry.value));
  }
  hash.update(tensor.name);
  hash.update(bytes);
}

std::string WeightHash::hex() {
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string rasp::rt::hashOfWeights(const Model &model) {
  WeightHash hash;
  llvm::cantFail(
      forEachTensor(model, fileSizesOf(model),
                    [&](const TensorInfo &tensor, std::vector<Entry> &entries) {
                      llvm::erase_if(entries, [](const Entry &entry) {
                        return entry.value == 0;
                      });
                      hash.add(tensor, entries);
                      return llvm::Error::success();
                    }));
  return hash.hex();
}
