//===- runtime/WeightFileReader.cpp - models from disk --------------------===//
//
// A file may be damaged or made to do harm, so everything that it states is
// compared with what the file can hold before it is believed. The library
// checks the structure of the file by checksums, but for the heap of
// variable-length strings: a wrong bit there makes HDF5 1.10 write past its
// buffers. So nothing of variable length is read here; /header/json repeats
// what such attributes and labels say.
//
//===----------------------------------------------------------------------===//

#include "runtime/HDF5.h"
#include "runtime/TensorList.h"
#include "runtime/Tokenizer.h"
#include "runtime/WeightFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <limits>
#include <optional>

using namespace rasp::rt;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {

class Reader {
public:
  explicit Reader(llvm::StringRef bytes) : fileSize(bytes.size()) {}

  llvm::Expected<Model> read(const std::string &path);

private:
  struct Dataset {
    Handle id, space, type, properties;
    llvm::SmallVector<hsize_t, 3> dims;
  };

  llvm::Error checkLink(hid_t parent, const std::string &name,
                        const std::string &where);
  llvm::Expected<Handle> openGroup(hid_t parent, const std::string &name);
  llvm::Expected<Dataset> openDataset(hid_t parent, const std::string &name);
  llvm::Expected<std::string> readText(hid_t parent, const std::string &name);
  llvm::Expected<llvm::json::Value> readJSON(hid_t parent,
                                             const std::string &name);
  llvm::Expected<int64_t> readIntAttribute(hid_t object, const char *name);
  llvm::Expected<std::vector<int64_t>>
  readInts(hid_t parent, const std::string &name,
           llvm::SmallVectorImpl<hsize_t> &dims, unsigned rank);

  llvm::Error readHeader(hid_t file, Model &model);
  llvm::Error checkSizes() const;
  llvm::Error readWeights(hid_t file, Model &model);
  llvm::Error readTensor(hid_t parent, const TensorInfo &info,
                         std::vector<Entry> &entries);
  llvm::Error readTiles(const Dataset &dataset, const TensorInfo &info,
                        std::vector<Entry> &entries);
  llvm::Error addEntries(llvm::ArrayRef<double> values, const TensorInfo &info,
                         llvm::ArrayRef<hsize_t> start,
                         llvm::ArrayRef<hsize_t> count,
                         std::vector<Entry> &entries);
  llvm::Error readVocabularies(hid_t file, Model &model);
  llvm::Error readExamples(hid_t file, Model &model);

  uint64_t fileSize;
  Header header;
  const FileSizes &sizes = header.sizes;
  unsigned realSize = 4;
  uint64_t entriesSeen = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Groups, datasets, attributes
//===----------------------------------------------------------------------===//

/// The name of an object in the file, for messages.
static std::string nameOf(hid_t object) {
  char buffer[256];
  ssize_t size = H5Iget_name(object, buffer, sizeof(buffer));
  if (size <= 0)
    return "?";
  return std::string(buffer, std::min<size_t>(size, sizeof(buffer) - 1));
}

static std::string join(hid_t parent, const std::string &name) {
  std::string path = nameOf(parent);
  return path == "/" ? path + name : path + "/" + name;
}

/// Links that lead to other files are a way to make a reader open them.
llvm::Error Reader::checkLink(hid_t parent, const std::string &name,
                              const std::string &where) {
  if (H5Lexists(parent, name.c_str(), H5P_DEFAULT) <= 0)
    return fail("expected " + where + ", which is missing");
  H5L_info_t info;
  if (H5Lget_info(parent, name.c_str(), &info, H5P_DEFAULT) < 0 ||
      info.type != H5L_TYPE_HARD)
    return fail("expected " + where + " in the file itself, found a link");
  return llvm::Error::success();
}

llvm::Expected<Handle> Reader::openGroup(hid_t parent,
                                         const std::string &name) {
  std::string where = join(parent, name);
  if (llvm::Error error = checkLink(parent, name, where))
    return error;
  Handle group(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose);
  if (!group)
    return fail("expected a group " + where + " (" + reasonOfHDF5() + ")");
  return group;
}

llvm::Expected<Reader::Dataset> Reader::openDataset(hid_t parent,
                                                    const std::string &name) {
  std::string where = join(parent, name);
  if (llvm::Error error = checkLink(parent, name, where))
    return error;
  Dataset dataset;
  dataset.id = Handle(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.id)
    return fail("expected a dataset " + where + " (" + reasonOfHDF5() + ")");
  dataset.space = Handle(H5Dget_space(dataset.id), H5Sclose);
  dataset.type = Handle(H5Dget_type(dataset.id), H5Tclose);
  dataset.properties = Handle(H5Dget_create_plist(dataset.id), H5Pclose);
  if (!dataset.space || !dataset.type || !dataset.properties)
    return fail("cannot read " + where + " (" + reasonOfHDF5() + ")");
  H5D_layout_t layout = H5Pget_layout(dataset.properties);
  if ((layout != H5D_COMPACT && layout != H5D_CONTIGUOUS &&
       layout != H5D_CHUNKED) ||
      H5Pget_external_count(dataset.properties) != 0)
    return fail("expected the values of " + where + " in the file itself");
  int rank = H5Sget_simple_extent_ndims(dataset.space);
  if (rank < 0 || rank > 3 ||
      H5Sget_simple_extent_type(dataset.space) == H5S_NULL)
    return fail("expected 0 to 3 dimensions in " + where);
  dataset.dims.resize(rank);
  H5Sget_simple_extent_dims(dataset.space, dataset.dims.data(), nullptr);
  return dataset;
}

llvm::Expected<std::string> Reader::readText(hid_t parent,
                                             const std::string &name) {
  llvm::Expected<Dataset> dataset = openDataset(parent, name);
  if (!dataset)
    return dataset.takeError();
  std::string where = join(parent, name);
  size_t size = H5Tget_size(dataset->type);
  if (!dataset->dims.empty() || H5Tget_class(dataset->type) != H5T_STRING ||
      H5Tis_variable_str(dataset->type) > 0)
    return fail("expected " + where + " to be one string of fixed length");
  if (size > fileSize)
    return fail("expected " + where + " to fit into the file");
  Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_cset(memory, H5Tget_cset(dataset->type));
  H5Tset_size(memory, size);
  H5Tset_strpad(memory, H5T_STR_NULLPAD);
  std::string text(size, '\0');
  if (H5Dread(dataset->id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) <
      0)
    return fail("cannot read " + where + " (" + reasonOfHDF5() + ")");
  return llvm::StringRef(text).rtrim('\0').str();
}

llvm::Expected<llvm::json::Value> Reader::readJSON(hid_t parent,
                                                   const std::string &name) {
  llvm::Expected<std::string> text = readText(parent, name);
  if (!text)
    return text.takeError();
  llvm::Expected<llvm::json::Value> value = parseJSON(*text);
  if (!value)
    return fail("expected JSON in " + join(parent, name) + ": " +
                llvm::toString(value.takeError()));
  return value;
}

static Handle openAttribute(hid_t object, const char *name) {
  if (H5Aexists(object, name) <= 0)
    return Handle();
  return Handle(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
}

static bool isScalar(hid_t attribute) {
  Handle space(H5Aget_space(attribute), H5Sclose);
  return space && H5Sget_simple_extent_type(space) == H5S_SCALAR;
}

llvm::Expected<int64_t> Reader::readIntAttribute(hid_t object,
                                                 const char *name) {
  Handle attribute = openAttribute(object, name);
  Handle type(attribute ? H5Aget_type(attribute) : H5I_INVALID_HID, H5Tclose);
  int64_t value = 0;
  if (!type || !isScalar(attribute) || H5Tget_class(type) != H5T_INTEGER ||
      H5Aread(attribute, H5T_NATIVE_INT64, &value) < 0)
    return fail("expected an integer attribute `" + llvm::Twine(name) +
                "` of " + nameOf(object));
  return value;
}

llvm::Expected<std::vector<int64_t>>
Reader::readInts(hid_t parent, const std::string &name,
                 llvm::SmallVectorImpl<hsize_t> &dims, unsigned rank) {
  llvm::Expected<Dataset> dataset = openDataset(parent, name);
  if (!dataset)
    return dataset.takeError();
  std::string where = join(parent, name);
  if (H5Tget_class(dataset->type) != H5T_INTEGER ||
      dataset->dims.size() != rank)
    return fail("expected integers of rank " + llvm::Twine(rank) + " in " +
                where);
  uint64_t size = 1;
  for (hsize_t dim : dataset->dims)
    size = llvm::SaturatingMultiply<uint64_t>(size, dim);
  if (size > fileSize)
    return fail("expected " + where + " to fit into the file");
  dims.assign(dataset->dims.begin(), dataset->dims.end());
  std::vector<int64_t> values(size);
  if (size && H5Dread(dataset->id, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL,
                      H5P_DEFAULT, values.data()) < 0)
    return fail("cannot read " + where + " (" + reasonOfHDF5() + ")");
  return values;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static llvm::Error isNewer(int64_t version) {
  return fail("written by a newer raspc (format version " +
              llvm::Twine(version) + ", this one reads up to " +
              llvm::Twine(formatVersion) + ")");
}

llvm::Error Reader::readHeader(hid_t file, Model &model) {
  llvm::Expected<Handle> group = openGroup(file, "header");
  if (!group) {
    llvm::consumeError(group.takeError());
    return fail("an HDF5 file, but not a model of raspc (there is no /header)");
  }
  llvm::Expected<std::string> text = readText(*group, "json");
  if (!text)
    return text.takeError();
  if (llvm::Error error = parseHeader(*text, header, model))
    return error;
  if (header.formatVersion > formatVersion)
    return isNewer(header.formatVersion);
  realSize = model.config.dtype == DType::Float32 ? 4 : 8;
  return checkSizes();
}

/// A model in memory has an index entry per row of each matrix, whether or not
/// the file holds a value for it.
llvm::Error Reader::checkSizes() const {
  auto times = [](uint64_t a, uint64_t b) {
    return llvm::SaturatingMultiply(a, b);
  };
  auto [heads, headWidth, hidden] = sizes.widest;
  uint64_t head = 3 * sizes.directions + headWidth;
  uint64_t layer = times(heads, head) + 3 * sizes.directions + 2 * hidden;
  uint64_t rows = times(sizes.layers.size(), layer) + sizes.tokens +
                  sizes.positions + sizes.directions;
  uint64_t largest = times(times(heads, sizes.directions), headWidth);
  if (rows > uint64_t(1) << 27 || largest > uint64_t(1) << 48 ||
      sizes.layers.size() > fileSize / 64)
    return fail(
        "the sizes in /header/json are larger than a model in a file of "
        "this size can have");
  return llvm::Error::success();
}

llvm::Error Reader::addEntries(llvm::ArrayRef<double> values,
                               const TensorInfo &info,
                               llvm::ArrayRef<hsize_t> start,
                               llvm::ArrayRef<hsize_t> count,
                               std::vector<Entry> &entries) {
  llvm::SmallVector<hsize_t, 3> at(start.size());
  for (double value : values) {
    if (value != 0) {
      if (!std::isfinite(value))
        return fail("expected finite weights, /state_dict/" + info.name +
                    " has an infinity or NaN");
      uint64_t index = 0;
      for (size_t d = 0; d < at.size(); ++d)
        index = index * info.dims[d] + start[d] + at[d];
      entries.push_back({index, value});
    }
    for (size_t d = at.size(); d-- > 0;) {
      if (++at[d] < count[d])
        break;
      at[d] = 0;
    }
  }
  entriesSeen += values.size();
  return llvm::Error::success();
}

/// Visits the stored tiles only; the others hold the fill value, 0.
llvm::Error Reader::readTiles(const Dataset &dataset, const TensorInfo &info,
                              std::vector<Entry> &entries) {
  std::string where = "/state_dict/" + info.name;
  unsigned rank = info.dims.size();
  llvm::SmallVector<hsize_t, 3> tile(rank), tiles(rank);
  if (H5Pget_chunk(dataset.properties, rank, tile.data()) != int(rank))
    return fail("cannot read the chunks of " + where);
  uint64_t tileSize = realSize, slots = 1;
  for (unsigned d = 0; d < rank; ++d) {
    tiles[d] = llvm::divideCeil(info.dims[d], tile[d]);
    tileSize = llvm::SaturatingMultiply<uint64_t>(tileSize, tile[d]);
    slots = llvm::SaturatingMultiply<uint64_t>(slots, tiles[d]);
  }
  constexpr uint64_t largestTile = 64 << 20, mostSteps = 1 << 26;
  hsize_t stored = 0;
  if (H5Dget_num_chunks(dataset.id, dataset.space, &stored) < 0)
    return fail("cannot read the chunks of " + where + " (" + reasonOfHDF5() +
                ")");
  // Asking for the n-th stored chunk costs n steps, asking at a place one.
  bool byPlace =
      slots <= std::max<uint64_t>(
                   64, llvm::SaturatingMultiply<uint64_t>(stored, stored / 2));
  uint64_t steps =
      byPlace ? slots : llvm::SaturatingMultiply<uint64_t>(stored, stored);
  if (tileSize > largestTile || steps > mostSteps)
    return fail("the chunks of " + where + " are too large or too many");

  std::vector<double> values;
  llvm::SmallVector<hsize_t, 3> start(rank), count(rank);
  Handle selected(H5Scopy(dataset.space), H5Sclose);
  for (uint64_t i = 0, end = byPlace ? slots : stored; i < end; ++i) {
    hsize_t bytes = 0;
    if (byPlace) {
      uint64_t rest = i;
      for (unsigned d = rank; d-- > 0; rest /= tiles[d])
        start[d] = rest % tiles[d] * tile[d];
      if (H5Dget_chunk_storage_size(dataset.id, start.data(), &bytes) < 0)
        bytes = 0;
    } else {
      unsigned filters = 0;
      haddr_t address = 0;
      if (H5Dget_chunk_info(dataset.id, dataset.space, i, start.data(),
                            &filters, &address, &bytes) < 0)
        return fail("cannot read the chunks of " + where + " (" +
                    reasonOfHDF5() + ")");
    }
    if (bytes == 0)
      continue;
    uint64_t size = 1;
    for (unsigned d = 0; d < rank; ++d) {
      if (start[d] >= info.dims[d])
        return fail("expected the chunks of " + where + " inside its shape");
      count[d] = std::min<hsize_t>(tile[d], info.dims[d] - start[d]);
      size *= count[d];
    }
    if (entriesSeen + size > fileSize / realSize + (1 << 24))
      return fail("expected weights that a file of this size can hold");
    values.resize(size);
    Handle memory(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
    if (H5Sselect_hyperslab(selected, H5S_SELECT_SET, start.data(), nullptr,
                            count.data(), nullptr) < 0 ||
        H5Dread(dataset.id, H5T_NATIVE_DOUBLE, memory, selected, H5P_DEFAULT,
                values.data()) < 0)
      return fail("cannot read " + where + " (" + reasonOfHDF5() + ")");
    if (llvm::Error error = addEntries(values, info, start, count, entries))
      return error;
  }
  llvm::sort(entries,
             [](const Entry &a, const Entry &b) { return a.index < b.index; });
  return llvm::Error::success();
}

llvm::Error Reader::readTensor(hid_t parent, const TensorInfo &info,
                               std::vector<Entry> &entries) {
  llvm::Expected<Dataset> dataset = openDataset(parent, info.name);
  if (!dataset)
    return dataset.takeError();
  std::string where = "/state_dict/" + info.name;
  if (llvm::ArrayRef<hsize_t>(dataset->dims) !=
      llvm::ArrayRef<hsize_t>(
          llvm::SmallVector<hsize_t, 3>(info.dims.begin(), info.dims.end()))) {
    auto print = [](auto dims) {
      std::string text;
      llvm::raw_string_ostream os(text);
      llvm::interleaveComma(dims, os);
      return "[" + text + "]";
    };
    return fail("expected the shape " + print(info.dims) + " of " + where +
                ", found " + print(dataset->dims));
  }
  bool typed = realSize == 4 ? H5Tequal(dataset->type, H5T_IEEE_F32LE) > 0
                             : H5Tequal(dataset->type, H5T_IEEE_F64LE) > 0;
  if (!typed)
    return fail("expected little-endian float" + llvm::Twine(8 * realSize) +
                " in " + where);
  double fill = 0;
  H5D_fill_value_t defined;
  if (H5Pfill_value_defined(dataset->properties, &defined) < 0 ||
      (defined == H5D_FILL_VALUE_USER_DEFINED &&
       (H5Pget_fill_value(dataset->properties, H5T_NATIVE_DOUBLE, &fill) < 0 ||
        fill != 0)))
    return fail("expected the fill value 0 in " + where);

  if (H5Pget_layout(dataset->properties) == H5D_CHUNKED)
    return readTiles(*dataset, info, entries);
  hsize_t stored = H5Dget_storage_size(dataset->id);
  if (stored == 0)
    return llvm::Error::success();
  if (stored > fileSize || info.size() * realSize != stored)
    return fail("expected " + where + " to fit into the file");
  std::vector<double> values(info.size());
  if (H5Dread(dataset->id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
              values.data()) < 0)
    return fail("cannot read " + where + " (" + reasonOfHDF5() + ")");
  llvm::SmallVector<hsize_t, 3> start(info.dims.size());
  return addEntries(values, info, start, dataset->dims, entries);
}

llvm::Error Reader::readWeights(hid_t file, Model &model) {
  llvm::Expected<Handle> state = openGroup(file, "state_dict");
  if (!state)
    return state.takeError();
  H5G_info_t info;
  if (H5Gget_info(*state, &info) < 0)
    return fail("cannot read /state_dict (" + reasonOfHDF5() + ")");
  WeightHash hash(header);
  if (llvm::Error error = buildFromTensors(
          model, sizes,
          [&](const TensorInfo &tensor,
              std::vector<Entry> &entries) -> llvm::Error {
            if (llvm::Error error = readTensor(*state, tensor, entries))
              return error;
            hash.add(tensor, entries);
            return llvm::Error::success();
          }))
    return error;
  uint64_t expected = numTensors(sizes.layers.size());
  if (info.nlinks != expected)
    return fail("expected " + llvm::Twine(expected) +
                " tensors in /state_dict, found " + llvm::Twine(info.nlinks));
  model.edited |= header.stateHash != hash.hex();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

llvm::Error Reader::readVocabularies(hid_t file, Model &model) {
  llvm::Expected<Handle> vocab = openGroup(file, "vocab");
  if (!vocab)
    return vocab.takeError();
  llvm::Expected<Handle> input = openGroup(*vocab, "input");
  if (!input)
    return input.takeError();
  llvm::Expected<Handle> output = openGroup(*vocab, "output");
  if (!output)
    return output.takeError();

  llvm::Expected<std::string> text = readText(*input, "json");
  if (!text)
    return text.takeError();
  if (llvm::Error error = parseInputVocab(*text, model.input))
    return fail("in /vocab/input/json: " + llvm::toString(std::move(error)));
  struct Special {
    const char *name;
    unsigned &id;
  };
  for (const Special &special : {Special{"bos_id", model.input.bosId},
                                 Special{"pad_id", model.input.padId}}) {
    llvm::Expected<int64_t> id = readIntAttribute(*input, special.name);
    if (!id)
      return id.takeError();
    if (*id < int64_t(model.input.values.size()) ||
        *id >= int64_t(sizes.tokens))
      return fail("expected `" + llvm::Twine(special.name) +
                  "` of /vocab/input behind the tokens and below " +
                  llvm::Twine(sizes.tokens) + ", found " + llvm::Twine(*id));
    special.id = *id;
  }

  text = readText(*output, "json");
  if (!text)
    return text.takeError();
  if (llvm::Error error = parseOutputVocab(*text, model.output))
    return fail("in /vocab/output/json: " + llvm::toString(std::move(error)));
  if (model.output.kind == OutputVocab::Categorical
          ? model.output.values.size() != sizes.outputs
          : sizes.outputs != 1)
    return fail("expected as many logits as /vocab/output/json describes, "
                "found " +
                llvm::Twine(sizes.outputs));
  return llvm::Error::success();
}

llvm::Error Reader::readExamples(hid_t file, Model &model) {
  llvm::Expected<Handle> group = openGroup(file, "examples");
  if (!group)
    return group.takeError();
  llvm::SmallVector<hsize_t, 2> dims, lengthDims;
  llvm::Expected<std::vector<int64_t>> tokens =
      readInts(*group, "tokens", dims, 2);
  if (!tokens)
    return tokens.takeError();
  llvm::Expected<std::vector<int64_t>> lengths =
      readInts(*group, "length", lengthDims, 1);
  if (!lengths)
    return lengths.takeError();
  if (lengthDims[0] != dims[0])
    return fail("expected as many lengths as sequences in /examples");
  for (auto [i, length] : llvm::enumerate(*lengths)) {
    if (length < 1 ||
        length > int64_t(std::min<uint64_t>(dims[1], sizes.positions)))
      return fail("expected lengths that fit in /examples/length");
    std::vector<Atom> &example = model.examples.emplace_back();
    llvm::ArrayRef<int64_t> ids(&(*tokens)[i * dims[1]], length);
    for (int64_t id : ids.drop_front()) {
      if (id < 0 || id >= int64_t(model.input.values.size()))
        return fail("expected ids of tokens in /examples/tokens");
      example.push_back(model.input.values[id]);
    }
  }
  return llvm::Error::success();
}

llvm::Expected<Model> Reader::read(const std::string &path) {
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file)
    return fail("expected an HDF5 file that is whole, this one is truncated or "
                "damaged (" +
                reasonOfHDF5() + ")");
  // Where the version is whatever else will change.
  if (H5Aexists(file, "format_version") > 0) {
    llvm::Expected<int64_t> version = readIntAttribute(file, "format_version");
    if (!version)
      return version.takeError();
    if (*version > formatVersion)
      return isNewer(*version);
  }
  Model model;
  if (llvm::Error error = readHeader(file, model))
    return error;

  llvm::Expected<Handle> residual = openGroup(file, "residual");
  if (!residual)
    return residual.takeError();
  if (llvm::Error error = readVocabularies(file, model))
    return error;
  if (llvm::Error error = readWeights(file, model))
    return error;

  llvm::Expected<Handle> circuit = openGroup(file, "circuit");
  if (!circuit)
    return circuit.takeError();
  llvm::Expected<Handle> program = openGroup(file, "program");
  if (!program)
    return program.takeError();
  struct Part {
    hid_t group;
    const char *name;
    llvm::json::Value &value;
  };
  for (const Part &part : {Part{*residual, "json", model.residual},
                           Part{*circuit, "json", model.circuit},
                           Part{*program, "ir_json", model.ir},
                           Part{*program, "options_json", model.options}}) {
    llvm::Expected<llvm::json::Value> value = readJSON(part.group, part.name);
    if (!value)
      return value.takeError();
    part.value = std::move(*value);
  }
  // Files of people who assemble models by hand may have none.
  if (H5Lexists(file, "certificate", H5P_DEFAULT) > 0) {
    llvm::Expected<Handle> certificate = openGroup(file, "certificate");
    if (!certificate)
      return certificate.takeError();
    llvm::Expected<llvm::json::Value> value = readJSON(*certificate, "json");
    if (!value)
      return value.takeError();
    model.certificate = std::move(*value);
  }
  for (auto [name, text] : {std::pair("rasp", &model.programText),
                            std::pair("name", &model.programName)}) {
    llvm::Expected<std::string> value = readText(*program, name);
    if (!value)
      return value.takeError();
    *text = std::move(*value);
  }
  model.edited |= header.sourceHash != hashOfSource(model);
  if (llvm::Error error = readExamples(file, model))
    return error;
  return model;
}

llvm::Expected<Model> rasp::rt::readModel(llvm::StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createFileError(path, buffer.getError());
  llvm::StringRef bytes = (*buffer)->getBuffer();
  if (!bytes.starts_with("\x89HDF\r\n\x1a\n"))
    return llvm::createFileError(
        path,
        fail("expected an HDF5 file (a model of raspc), this is not one"));
  // Older layouts have no checksums, and HDF5 1.10 crashes on damage there.
  if (bytes.size() > 8 && uint8_t(bytes[8]) < 2)
    return llvm::createFileError(
        path, fail("expected the layout of HDF5 1.10 (superblock version 2 or "
                   "3, in h5py libver=\"latest\"), found version " +
                   llvm::Twine(unsigned(uint8_t(bytes[8])))));
  HDF5Session session;
  llvm::Expected<Model> model = Reader(bytes).read(path.str());
  if (!model)
    return llvm::createFileError(path, model.takeError());
  return model;
}
