//===- test/fuzz/HDF5Datasets.h - where a file holds its data ---*- C++ -*-===//
//
// As much of the layout of HDF5 1.10 as it takes to change what datasets hold
// and nothing else: object headers of version 2 with data inside or in one
// piece.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_FUZZ_HDF5DATASETS_H
#define RASP_TEST_FUZZ_HDF5DATASETS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rasp::fuzz {

/// The bytes of a dataset.
struct HDF5Dataset {
  size_t begin = 0, size = 0;
  /// Its object's header, with the checksum at its end, if the bytes are part
  /// of it; else empty.
  size_t header = 0, headerSize = 0;
};

/// All datasets of objects whose headers are whole.
std::vector<HDF5Dataset> findDatasets(llvm::ArrayRef<uint8_t> file);

/// Makes the header right again after a change of the dataset.
void updateChecksum(llvm::MutableArrayRef<uint8_t> file,
                    const HDF5Dataset &dataset);

} // namespace rasp::fuzz

#endif
