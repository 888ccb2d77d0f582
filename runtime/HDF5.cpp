//===- runtime/HDF5.cpp - handles of the HDF5 library ---------------------===//

#include "runtime/HDF5.h"
#include "llvm/Support/Compiler.h"

using namespace rasp::rt;

#if LLVM_ADDRESS_SANITIZER_BUILD
/// What the library loses when it refuses a damaged file, or the system refuses
/// its own, is not ours: it gives up in the middle of a structure, or of
/// closing the file, and keeps what it took for that.
extern "C" const char *__lsan_default_suppressions() {
  return "leak:H5FL__malloc\n"
         "leak:H5FD__core_open\n"
         "leak:H5MM_realloc\n"
         "leak:H5MM_xstrdup\n";
}
#endif

HDF5Session::HDF5Session() {
  static const bool started = [] {
    H5open();
    H5PLset_loading_state(0);
    return H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  }();
  (void)started;
}

std::string rasp::rt::reasonOfHDF5() {
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t *error, void *data) -> herr_t {
        if (error->desc)
          *static_cast<std::string *>(data) = error->desc;
        return 1;
      },
      &reason);
  return reason.empty() ? "unknown reason" : reason;
}
