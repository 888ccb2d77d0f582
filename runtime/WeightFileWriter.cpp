//===- runtime/WeightFileWriter.cpp - models to disk ----------------------===//
//
// The file is built in memory, written in one go under a temporary name and
// renamed. Padded tensors are never made: a tensor is stored as tiles, and
// tiles without a non-zero are left to the fill value.
//
//===----------------------------------------------------------------------===//

#include "runtime/HDF5Writer.h"
#include "runtime/OutputFile.h"
#include "runtime/TensorList.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"
#include "runtime/WeightFile.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <bit>
#include <cmath>
#include <numeric>

using namespace rasp::rt;

namespace {

/// Tiling of a tensor: [1, rows, cols] of the last two dimensions.
struct Tiling {
  uint64_t rows, cols;             ///< of a tile
  uint64_t tilesDown, tilesAcross; ///< tiles per matrix

  Tiling(uint64_t rows, uint64_t cols, uint64_t matrixRows, uint64_t matrixCols)
      : rows(rows), cols(cols), tilesDown(llvm::divideCeil(matrixRows, rows)),
        tilesAcross(llvm::divideCeil(matrixCols, cols)) {}
};

class Writer : HDF5Writer {
public:
  Writer(const Model &model, Padding padding, const char *path)
      : HDF5Writer(path, /*inMemory=*/true), model(model), padding(padding),
        realSize(model.config.dtype == DType::Float32 ? 4 : 8),
        realType(storedType(model.config.dtype)) {}

  llvm::Error write();

private:
  void writeTensor(hid_t parent, const TensorInfo &info,
                   llvm::ArrayRef<Entry> entries);
  void writeTiles(hid_t dataset, const TensorInfo &info, const Tiling &tiling,
                  llvm::ArrayRef<Entry> entries);
  llvm::Error writeExamples();

  void putReal(char *at, double value) const {
    if (realSize == 4)
      llvm::support::endian::write32le(at,
                                       std::bit_cast<uint32_t>(float(value)));
    else
      llvm::support::endian::write64le(at, std::bit_cast<uint64_t>(value));
  }

  const Model &model;
  Padding padding;
  unsigned realSize;
  hid_t realType;
};

} // namespace

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Calls `fn(entry, tile, offset in tile)`, tiles numbered in row-major order.
template <typename Fn>
static void forEachPlace(const TensorInfo &info, const Tiling &tiling,
                         llvm::ArrayRef<Entry> entries, Fn fn) {
  uint64_t cols = info.dims.back(), rows = info.dims[info.dims.size() - 2];
  for (const Entry &entry : entries) {
    uint64_t row = entry.index / cols, col = entry.index % cols;
    uint64_t matrix = row / rows;
    row %= rows;
    fn(entry,
       (matrix * tiling.tilesDown + row / tiling.rows) * tiling.tilesAcross +
           col / tiling.cols,
       row % tiling.rows * tiling.cols + col % tiling.cols);
  }
}

static uint64_t numTiles(const TensorInfo &info, const Tiling &tiling) {
  uint64_t matrices = info.dims.size() == 3 ? info.dims[0] : 1;
  return matrices * tiling.tilesDown * tiling.tilesAcross;
}

/// The tiling that stores fewest bytes, from columns over squares to rows.
static Tiling chooseTiling(const TensorInfo &info,
                           llvm::ArrayRef<Entry> entries, unsigned realSize) {
  uint64_t rows = info.dims[info.dims.size() - 2], cols = info.dims.back();
  // Every tile, stored or not, has 8 bytes in the index.
  uint64_t area = 512;
  while (area * (1 << 14) < info.size())
    area *= 4;
  std::optional<Tiling> best;
  uint64_t leastBytes = 0;
  for (uint64_t wanted = 1; wanted <= area; wanted *= 8) {
    uint64_t height = std::min(rows, wanted);
    uint64_t width = std::min(cols, area / height);
    height = std::min(rows, area / width);
    Tiling tiling(height, width, rows, cols);
    uint64_t tiles = numTiles(info, tiling);
    llvm::BitVector stored(tiles);
    forEachPlace(
        info, tiling, entries,
        [&](const Entry &, uint64_t tile, uint64_t) { stored.set(tile); });
    uint64_t bytes = stored.count() * height * width * realSize + tiles * 8;
    if (!best || bytes < leastBytes) {
      best = tiling;
      leastBytes = bytes;
    }
  }
  return *best;
}

void Writer::writeTiles(hid_t dataset, const TensorInfo &info,
                        const Tiling &tiling, llvm::ArrayRef<Entry> entries) {
  // Entries by tile: a counting sort.
  std::vector<uint32_t> begins(numTiles(info, tiling) + 1);
  forEachPlace(
      info, tiling, entries,
      [&](const Entry &, uint64_t tile, uint64_t) { begins[tile + 1]++; });
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::pair<uint64_t, double>> places(entries.size());
  std::vector<uint32_t> next(begins.begin(), begins.end() - 1);
  forEachPlace(info, tiling, entries,
               [&](const Entry &entry, uint64_t tile, uint64_t offset) {
                 places[next[tile]++] = {offset, entry.value};
               });

  std::vector<char> buffer(tiling.rows * tiling.cols * realSize);
  for (uint64_t tile = 0; tile + 1 < begins.size(); ++tile) {
    if (begins[tile] == begins[tile + 1])
      continue;
    std::fill(buffer.begin(), buffer.end(), 0);
    for (uint32_t i = begins[tile]; i < begins[tile + 1]; ++i)
      putReal(&buffer[places[i].first * realSize], places[i].second);
    uint64_t perMatrix = tiling.tilesDown * tiling.tilesAcross;
    hsize_t offset[3] = {tile / perMatrix,
                         tile % perMatrix / tiling.tilesAcross * tiling.rows,
                         tile % tiling.tilesAcross * tiling.cols};
    check(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0,
                         offset + (3 - info.dims.size()), buffer.size(),
                         buffer.data()));
  }
}

void Writer::writeTensor(hid_t parent, const TensorInfo &info,
                         llvm::ArrayRef<Entry> entries) {
  Handle space = makeSpace(info.dims);
  uint64_t bytes = info.size() * realSize;
  bool isMatrix = llvm::StringRef(info.name).contains(".W_");
  if (entries.empty() || bytes <= compactLimit || !isMatrix) {
    // A contiguous dataset that is never written takes no space and reads as
    // zeros.
    Handle dataset = makeDataset(parent, info.name.c_str(), realType, space,
                                 propertiesFor(entries.empty() ? 0 : bytes));
    if (entries.empty())
      return;
    std::vector<char> buffer(bytes);
    for (const Entry &entry : entries)
      putReal(&buffer[entry.index * realSize], entry.value);
    check(H5Dwrite(dataset, realType, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   buffer.data()));
    return;
  }
  Tiling tiling = chooseTiling(info, entries, realSize);
  Handle properties = makeProperties(H5P_DATASET_CREATE);
  hsize_t tile[3] = {1, tiling.rows, tiling.cols};
  H5Pset_chunk(properties, info.dims.size(), tile + (3 - info.dims.size()));
  H5Pset_alloc_time(properties, H5D_ALLOC_TIME_INCR);
  Handle dataset =
      makeDataset(parent, info.name.c_str(), realType, space, properties);
  writeTiles(dataset, info, tiling, entries);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

llvm::Error Writer::writeExamples() {
  Handle group = makeGroup(file(), "examples");
  Tokenizer tokenizer(model);
  std::vector<std::vector<uint32_t>> sequences;
  size_t longest = 1;
  for (const std::vector<Atom> &example : model.examples) {
    llvm::Expected<std::vector<uint32_t>> ids = tokenizer.encode(example);
    if (!ids)
      return ids.takeError();
    longest = std::max(longest, ids->size());
    sequences.push_back(std::move(*ids));
  }

  uint64_t count = sequences.size(), outputs = model.wU.cols();
  std::vector<int64_t> tokens(count * longest, model.input.padId), lengths;
  for (auto [i, ids] : llvm::enumerate(sequences)) {
    llvm::copy(ids, tokens.begin() + i * longest);
    lengths.push_back(ids.size());
  }
  writeArray(group, "tokens", H5T_STD_I64LE, H5T_NATIVE_INT64, {count, longest},
             llvm::ArrayRef(tokens));
  writeArray(group, "length", H5T_STD_I64LE, H5T_NATIVE_INT64, {count},
             llvm::ArrayRef(lengths));
  withScalar(model.config.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> logits(count * longest * outputs);
    Transformer<T> transformer(model);
    typename Transformer<T>::Workspace workspace;
    for (auto [i, ids] : llvm::enumerate(sequences)) {
      Logits<T> result = transformer.forward(ids, workspace);
      T *row = &logits[i * longest * outputs];
      for (size_t t = 0; t < ids.size(); ++t)
        for (uint64_t o = 0; o < outputs; ++o)
          *row++ = result(t, o);
    }
    writeArray(group, "logits", realType, nativeType(model.config.dtype),
               {count, longest, outputs}, llvm::ArrayRef(logits));
  });
  return llvm::Error::success();
}

static std::string printJSON(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

static bool isFinite(const Atom &atom) {
  auto *number = std::get_if<double>(&atom);
  return !number || std::isfinite(*number);
}

llvm::Error Writer::write() {
  Header header = makeHeader(model, formatVersion, padding);
  WeightHash hash(header);
  Handle state = makeGroup(file(), "state_dict");
  llvm::Error error = forEachTensor(
      model, header.sizes,
      [&](const TensorInfo &info, std::vector<Entry> &entries) -> llvm::Error {
        for (Entry &entry : entries) {
          if (realSize == 4)
            entry.value = float(entry.value);
          if (!std::isfinite(entry.value))
            return fail("a weight of " + info.name + " is not a finite " +
                        (realSize == 4 ? "float32" : "float64"));
        }
        llvm::erase_if(entries,
                       [](const Entry &entry) { return entry.value == 0; });
        writeTensor(state, info, entries);
        hash.add(info, entries);
        return llvm::Error::success();
      });
  if (error)
    return error;

  header.stateHash = hash.hex();
  writeAttribute(file(), "format", "raspc-model");
  writeAttribute(file(), "format_version", header.formatVersion);
  writeAttribute(file(), "tl_config", header.config);
  writeAttribute(file(), "created_by", header.createdBy);
  writeAttribute(file(), "source_sha256", header.sourceHash);
  writeAttribute(file(), "state_sha256", header.stateHash);
  writeAttribute(file(), "padding", nameOf(header.padding));
  Handle headerGroup = makeGroup(file(), "header");
  writeText(headerGroup, "json", printHeader(header, model));

  Handle vocab = makeGroup(file(), "vocab");
  Handle input = makeGroup(vocab, "input");
  writeText(input, "json", printInputVocab(model.input));
  writeAttribute(input, "bos_id", model.input.bosId);
  writeAttribute(input, "pad_id", model.input.padId);
  Handle output = makeGroup(vocab, "output");
  writeText(output, "json", printOutputVocab(model.output));
  Handle residual = makeGroup(file(), "residual");
  writeStrings(residual, "labels", model.residualLabels);
  writeText(residual, "json", printJSON(model.residual));
  Handle circuit = makeGroup(file(), "circuit");
  writeText(circuit, "json", printJSON(model.circuit));
  Handle program = makeGroup(file(), "program");
  writeText(program, "rasp", model.programText);
  writeText(program, "name", model.programName);
  writeText(program, "ir_json", printJSON(model.ir));
  writeText(program, "options_json", printJSON(model.options));
  if (!model.certificate.getAsNull()) {
    Handle certificate = makeGroup(file(), "certificate");
    writeText(certificate, "json", printJSON(model.certificate));
  }
  if (llvm::Error error = writeExamples())
    return error;
  return close();
}

llvm::Error rasp::rt::writeModel(const Model &model, llvm::StringRef path,
                                 Padding padding) {
  return replaceFile(path, [&](const char *temporary) -> llvm::Error {
    if (model.residualLabels.size() != model.config.dModel)
      return fail("the model has " + llvm::Twine(model.config.dModel) +
                  " residual directions and " +
                  llvm::Twine(model.residualLabels.size()) + " labels");
    if (!llvm::all_of(model.input.values, isFinite) ||
        !llvm::all_of(model.output.values, isFinite))
      return fail("a vocabulary holds an infinity or NaN");
    return Writer(model, padding, temporary).write();
  });
}
