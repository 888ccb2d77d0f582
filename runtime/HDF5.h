//===- runtime/HDF5.h - handles of the HDF5 library -------------*- C++ -*-===//
//
// For the sources of the weight file only.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_HDF5_H
#define RASP_RUNTIME_HDF5_H

#include <hdf5.h>
#include <string>
#include <utility>

namespace rasp::rt {

/// Owns an identifier of the library; false if making it failed.
class Handle {
public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  Handle(hid_t id, Close close) : id(id), close(close) {}
  Handle(Handle &&other) noexcept
      : id(std::exchange(other.id, H5I_INVALID_HID)), close(other.close) {}
  Handle &operator=(Handle &&other) noexcept {
    std::swap(id, other.id);
    std::swap(close, other.close);
    return *this;
  }
  ~Handle() {
    if (id >= 0)
      close(id);
  }

  explicit operator bool() const { return id >= 0; }
  operator hid_t() const { return id; }
  /// Leaves closing to the caller.
  hid_t release() { return std::exchange(id, H5I_INVALID_HID); }

private:
  hid_t id = H5I_INVALID_HID;
  Close close = nullptr;
};

/// Starts the library; it keeps its own reports to itself and loads no filter
/// plugins, since a file could name any. At the end of the scope this thread's
/// report of failures is cleared: the library cannot close at the end of the
/// process while that of a thread which is gone still holds on to it.
class HDF5Session {
public:
  HDF5Session();
  ~HDF5Session() { H5Eclear2(H5E_DEFAULT); }
  HDF5Session(const HDF5Session &) = delete;
  HDF5Session &operator=(const HDF5Session &) = delete;
};

/// What the library says about its last failure, innermost reason first.
std::string reasonOfHDF5();

} // namespace rasp::rt

#endif
