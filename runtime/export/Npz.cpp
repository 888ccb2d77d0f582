//===- runtime/export/Npz.cpp - models as NumPy archives ------------------===//

#include "runtime/export/Npz.h"

#include "runtime/export/Metadata.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/MathExtras.h"
#include <zip.h>

using namespace rasp::rt;

/// Magic, version, length of the rest, and that: a Python dictionary, which
/// spaces and a line end fill up so that the elements begin at a multiple of
/// 64.
static std::string npyHeader(llvm::StringRef type,
                             llvm::ArrayRef<uint64_t> dims) {
  std::string shape;
  for (uint64_t dim : dims)
    shape += llvm::utostr(dim) + ",";
  std::string dictionary = "{'descr': '" + type.str() +
                           "', 'fortran_order': False, 'shape': (" + shape +
                           "), }";
  constexpr size_t before = 10;
  size_t end = llvm::alignTo(before + dictionary.size() + 1, 64);
  dictionary.resize(end - before - 1, ' ');
  std::string header("\x93NUMPY\x01\x00", 8);
  llvm::raw_string_ostream os(header);
  llvm::support::endian::write<uint16_t>(os, dictionary.size() + 1,
                                         llvm::endianness::little);
  os << dictionary << '\n';
  return header;
}

static std::vector<char> npyOf(const ExportTensor &tensor, DType dtype) {
  std::string header =
      npyHeader(dtype == DType::Float32 ? "<f4" : "<f8", tensor.info.dims);
  std::vector<char> file(header.begin(), header.end());
  llvm::append_range(file, tensor.bytes(dtype));
  return file;
}

/// An array of strings, each padded with zeros to the longest.
static std::vector<char> npyOf(llvm::ArrayRef<std::string> strings,
                               llvm::ArrayRef<uint64_t> dims) {
  std::vector<std::vector<llvm::UTF32>> decoded;
  size_t longest = 1;
  for (const std::string &string : strings) {
    std::vector<llvm::UTF32> codes(string.size());
    auto *source = reinterpret_cast<const llvm::UTF8 *>(string.data());
    llvm::UTF32 *target = codes.data();
    llvm::ConvertUTF8toUTF32(&source, source + string.size(), &target,
                             target + codes.size(), llvm::lenientConversion);
    codes.resize(target - codes.data());
    longest = std::max(longest, codes.size());
    decoded.push_back(std::move(codes));
  }
  std::string file = npyHeader("<U" + llvm::utostr(longest), dims);
  llvm::raw_string_ostream os(file);
  for (std::vector<llvm::UTF32> &codes : decoded) {
    codes.resize(longest);
    for (llvm::UTF32 code : codes)
      llvm::support::endian::write<uint32_t>(os, code,
                                             llvm::endianness::little);
  }
  return {file.begin(), file.end()};
}

namespace {

/// A zip archive, built in memory.
class Archive {
public:
  Archive()
      : buffer(zip_source_buffer_create(nullptr, 0, 0, nullptr)),
        zip(buffer ? zip_open_from_source(buffer, ZIP_TRUNCATE, nullptr)
                   : nullptr) {
    if (zip)
      zip_source_keep(buffer);
  }
  ~Archive() {
    if (zip)
      zip_discard(zip);
    zip_source_free(buffer);
  }
  Archive(const Archive &) = delete;
  Archive &operator=(const Archive &) = delete;

  void add(llvm::StringRef name, std::vector<char> content);
  /// Ends the archive and writes it to `os`.
  llvm::Error write(llvm::raw_ostream &os);

private:
  bool copyTo(llvm::raw_ostream &os);

  zip_source_t *buffer;
  zip_t *zip;
  bool failed = false;
  /// libzip reads them when the archive is ended.
  std::vector<std::vector<char>> contents;
};

} // namespace

void Archive::add(llvm::StringRef name, std::vector<char> content) {
  if (!zip)
    return;
  contents.push_back(std::move(content));
  zip_source_t *source =
      zip_source_buffer(zip, contents.back().data(), contents.back().size(), 0);
  zip_int64_t index = zip_file_add(zip, (name + ".npy").str().c_str(), source,
                                   ZIP_FL_ENC_UTF_8);
  if (index < 0)
    zip_source_free(source);
  // The first day that a zip archive can name: the same model gives the same
  // bytes.
  constexpr zip_uint16_t midnight = 0, january1st1980 = 1 << 5 | 1;
  failed |= index < 0 ||
            zip_set_file_compression(zip, index, ZIP_CM_STORE, 0) != 0 ||
            zip_file_set_dostime(zip, index, midnight, january1st1980, 0) != 0;
}

llvm::Error Archive::write(llvm::raw_ostream &os) {
  if (zip && !failed && zip_close(zip) == 0) {
    zip = nullptr;
    if (copyTo(os))
      return llvm::Error::success();
  }
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "cannot make the zip archive: %s",
                                 zip ? zip_strerror(zip) : "out of memory");
}

bool Archive::copyTo(llvm::raw_ostream &os) {
  if (zip_source_open(buffer) != 0)
    return false;
  std::vector<char> piece(1 << 16);
  zip_int64_t size;
  while ((size = zip_source_read(buffer, piece.data(), piece.size())) > 0)
    os.write(piece.data(), size);
  zip_source_close(buffer);
  return size == 0;
}

llvm::Error rasp::rt::writeNpz(const Model &model, TensorLayout layout,
                               llvm::raw_ostream &os) {
  Archive archive;
  for (const ExportTensor &tensor : exportTensors(model, layout))
    archive.add(tensor.info.name, npyOf(tensor, model.config.dtype));
  const std::vector<std::string> &labels = model.residualLabels;
  for (const auto &[name, text] : exportMetadata(model))
    archive.add(name, name == "labels" ? npyOf(labels, {labels.size()})
                                       : npyOf(text, {}));
  return archive.write(os);
}
