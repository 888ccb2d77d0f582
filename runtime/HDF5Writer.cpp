//===- runtime/HDF5Writer.cpp - what all our HDF5 files share -------------===//

#include "runtime/HDF5Writer.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include <cerrno>
#include <system_error>

using namespace rasp::rt;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

Handle rasp::rt::makeProperties(hid_t kind) {
  Handle properties(H5Pcreate(kind), H5Pclose);
  if (kind != H5P_FILE_ACCESS)
    H5Pset_obj_track_times(properties, false);
  return properties;
}

Handle rasp::rt::makeSpace(llvm::ArrayRef<uint64_t> dims) {
  llvm::SmallVector<hsize_t, 4> sizes(dims.begin(), dims.end());
  return Handle(sizes.empty()
                    ? H5Screate(H5S_SCALAR)
                    : H5Screate_simple(sizes.size(), sizes.data(), nullptr),
                H5Sclose);
}

hid_t rasp::rt::storedType(DType dtype) {
  return dtype == DType::Float32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
}

hid_t rasp::rt::nativeType(DType dtype) {
  return dtype == DType::Float32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
}

static Handle makeStringType(size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, size);
  H5Tset_cset(type, H5T_CSET_UTF8);
  if (size != H5T_VARIABLE)
    H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

HDF5Writer::HDF5Writer(const char *path, bool inMemory) {
  errno = 0;
  Handle access = makeProperties(H5P_FILE_ACCESS);
  if (inMemory)
    H5Pset_fapl_core(access, 1 << 16, /*backing_store=*/true);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  Handle creation = makeProperties(H5P_FILE_CREATE);
  theFile =
      Handle(check(H5Fcreate(path, H5F_ACC_TRUNC, creation, access)), H5Fclose);
  vlenString = makeStringType(H5T_VARIABLE);
  groupProperties = makeProperties(H5P_GROUP_CREATE);
  compact = makeProperties(H5P_DATASET_CREATE);
  H5Pset_layout(compact, H5D_COMPACT);
  contiguous = makeProperties(H5P_DATASET_CREATE);
  H5Pset_layout(contiguous, H5D_CONTIGUOUS);
}

llvm::Error HDF5Writer::close() {
  check(H5Fclose(theFile.release()));
  return failure.empty() ? llvm::Error::success() : fail(failure);
}

/// What the system says if it is what failed, and the library if not.
static std::string explainFailure(int systemError) {
  std::string reason = reasonOfHDF5(); // ends the process if memory is used up
  bool ofSystem =
      llvm::is_contained({ENOSPC, EFBIG, EDQUOT, EIO, EACCES}, systemError);
  return ofSystem
             ? std::error_code(systemError, std::generic_category()).message()
             : "HDF5: " + reason;
}

hid_t HDF5Writer::check(hid_t id) {
  if (id < 0 && failure.empty())
    failure = explainFailure(errno);
  return id;
}

Handle HDF5Writer::makeGroup(hid_t parent, const char *name) {
  return Handle(check(H5Gcreate2(parent, name, H5P_DEFAULT, groupProperties,
                                 H5P_DEFAULT)),
                H5Gclose);
}

Handle HDF5Writer::makeDataset(hid_t parent, const char *name, hid_t type,
                               hid_t space, hid_t properties) {
  return Handle(check(H5Dcreate2(parent, name, type, space, H5P_DEFAULT,
                                 properties, H5P_DEFAULT)),
                H5Dclose);
}

void HDF5Writer::writeText(hid_t parent, const char *name,
                           llvm::StringRef text) {
  std::string padded = text.empty() ? std::string(1, '\0') : text.str();
  Handle type = makeStringType(padded.size());
  Handle space = makeSpace({});
  Handle dataset =
      makeDataset(parent, name, type, space, propertiesFor(padded.size()));
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()));
}

void HDF5Writer::writeAttribute(hid_t object, const char *name,
                                llvm::StringRef text) {
  std::string terminated = text.str();
  const char *pointer = terminated.c_str();
  Handle space = makeSpace({});
  Handle attribute(check(H5Acreate2(object, name, vlenString, space,
                                    H5P_DEFAULT, H5P_DEFAULT)),
                   H5Aclose);
  check(H5Awrite(attribute, vlenString, &pointer));
}

void HDF5Writer::writeAttribute(hid_t object, const char *name, int64_t value) {
  Handle space = makeSpace({});
  Handle attribute(check(H5Acreate2(object, name, H5T_STD_I64LE, space,
                                    H5P_DEFAULT, H5P_DEFAULT)),
                   H5Aclose);
  check(H5Awrite(attribute, H5T_NATIVE_INT64, &value));
}

void HDF5Writer::writeStrings(hid_t parent, const char *name,
                              llvm::ArrayRef<std::string> strings) {
  std::vector<const char *> pointers;
  for (const std::string &text : strings)
    pointers.push_back(text.c_str());
  Handle space = makeSpace({pointers.size()});
  Handle dataset = makeDataset(parent, name, vlenString, space, contiguous);
  // The library's own buffer is cleared for every use and has a megabyte.
  Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  H5Pset_buffer(transfer, 1 << 14, nullptr, nullptr);
  check(H5Dwrite(dataset, vlenString, H5S_ALL, H5S_ALL, transfer,
                 pointers.data()));
}

void HDF5Writer::writeBytes(hid_t parent, const char *name, hid_t fileType,
                            hid_t memoryType, llvm::ArrayRef<uint64_t> dims,
                            const void *values, uint64_t bytes) {
  Handle space = makeSpace(dims);
  Handle dataset =
      makeDataset(parent, name, fileType, space, propertiesFor(bytes));
  if (bytes > 0)
    check(H5Dwrite(dataset, memoryType, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
}
