//===- runtime/HDF5Writer.h - what all our HDF5 files share -----*- C++ -*-===//
//
// Files in the layout of HDF5 1.10 (small, with checksums, and the newest that
// Debian's h5py reads), without time stamps: the same content gives the same
// bytes. For the sources that write files only.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_HDF5WRITER_H
#define RASP_RUNTIME_HDF5WRITER_H

#include "runtime/HDF5.h"
#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace rasp::rt {

/// Makes groups, datasets and attributes. A failure is remembered, so it is
/// enough to ask for it at the end.
class HDF5Writer {
public:
  /// Datasets up to this many bytes lie in their object's header.
  static constexpr uint64_t compactLimit = 4096;

  /// `inMemory`: the file is built in memory and written in one go.
  HDF5Writer(const char *path, bool inMemory);

  hid_t file() const { return theFile; }
  /// Closes the file; an error if anything has failed so far.
  llvm::Error close();

  hid_t check(hid_t id);

  Handle makeGroup(hid_t parent, const char *name);
  Handle makeDataset(hid_t parent, const char *name, hid_t type, hid_t space,
                     hid_t properties);
  /// Texts have a fixed length, their own: nothing then depends on the heap for
  /// variable lengths, the one part of such a file without a checksum.
  void writeText(hid_t parent, const char *name, llvm::StringRef text);
  void writeAttribute(hid_t object, const char *name, llvm::StringRef text);
  void writeAttribute(hid_t object, const char *name, int64_t value);
  /// Strings of variable length, which h5py gives as `str`.
  void writeStrings(hid_t parent, const char *name,
                    llvm::ArrayRef<std::string> strings);
  template <typename Element>
  void writeArray(hid_t parent, const char *name, hid_t fileType,
                  hid_t memoryType, llvm::ArrayRef<uint64_t> dims,
                  llvm::ArrayRef<Element> values) {
    writeBytes(parent, name, fileType, memoryType, dims, values.data(),
               values.size() * sizeof(Element));
  }

  /// A dataset in its object's header, or in one piece.
  hid_t propertiesFor(uint64_t bytes) const {
    return bytes > 0 && bytes <= compactLimit ? compact : contiguous;
  }

private:
  void writeBytes(hid_t parent, const char *name, hid_t fileType,
                  hid_t memoryType, llvm::ArrayRef<uint64_t> dims,
                  const void *values, uint64_t bytes);

  HDF5Session session;
  std::string failure; ///< why it failed first, or empty
  Handle theFile, vlenString, compact, contiguous, groupProperties;
};

/// Properties without time stamps, which would make every file different.
Handle makeProperties(hid_t kind);
/// The extent of a dataset; no dimensions for a scalar.
Handle makeSpace(llvm::ArrayRef<uint64_t> dims);
/// How numbers of a model are stored, and how they lie in memory.
hid_t storedType(DType dtype);
hid_t nativeType(DType dtype);

} // namespace rasp::rt

#endif
