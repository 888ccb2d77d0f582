//===- test/fuzz/HDF5Datasets.cpp - where a file holds its data -----------===//

#include "test/fuzz/HDF5Datasets.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace rasp;
using llvm::ArrayRef;

/// Bob Jenkins' lookup3, which HDF5 takes for its metadata.
static uint32_t checksum(ArrayRef<uint8_t> bytes) {
  uint32_t a = 0xdeadbeef + static_cast<uint32_t>(bytes.size()), b = a, c = a;
  auto rotate = [](uint32_t x, int k) { return llvm::rotl(x, k); };
  auto add = [&](ArrayRef<uint8_t> block) {
    uint8_t words[12] = {};
    std::memcpy(words, block.data(), block.size());
    a += llvm::support::endian::read32le(words);
    b += llvm::support::endian::read32le(words + 4);
    c += llvm::support::endian::read32le(words + 8);
  };
  for (; bytes.size() > 12; bytes = bytes.drop_front(12)) {
    add(bytes.take_front(12));
    a = (a - c) ^ rotate(c, 4), c += b;
    b = (b - a) ^ rotate(a, 6), a += c;
    c = (c - b) ^ rotate(b, 8), b += a;
    a = (a - c) ^ rotate(c, 16), c += b;
    b = (b - a) ^ rotate(a, 19), a += c;
    c = (c - b) ^ rotate(b, 4), b += a;
  }
  if (bytes.empty())
    return c;
  add(bytes);
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  return (c ^ b) - rotate(b, 24);
}

/// A little-endian number of `width` bytes; 0 where the file ends.
static uint64_t numberAt(ArrayRef<uint8_t> file, size_t at, unsigned width) {
  uint64_t number = 0;
  for (unsigned i = width; i-- > 0;)
    number = number << 8 | (at + i < file.size() ? file[at + i] : 0);
  return number;
}

/// Adds the dataset of the object whose header begins at `header`.
static void addDataset(ArrayRef<uint8_t> file, size_t header,
                       std::vector<fuzz::HDF5Dataset> &datasets) {
  constexpr uint8_t withOrder = 4, withPhases = 16, withTimes = 32;
  constexpr uint64_t layoutMessage = 8;
  uint64_t flags = numberAt(file, header + 5, 1);
  size_t at =
      header + 6 + (flags & withTimes ? 16 : 0) + (flags & withPhases ? 4 : 0);
  unsigned width = 1u << (flags & 3);
  uint64_t size = numberAt(file, at, width);
  at += width;
  if (size > file.size() || at + size + 4 > file.size())
    return;
  size_t end = at + size, headerSize = end + 4 - header;
  if (checksum(file.slice(header, headerSize - 4)) != numberAt(file, end, 4))
    return;
  size_t prefix = flags & withOrder ? 6 : 4;
  while (at + prefix <= end) {
    uint64_t type = numberAt(file, at, 1);
    uint64_t length = numberAt(file, at + 1, 2);
    at += prefix;
    if (length > end - at)
      return;
    uint64_t version = numberAt(file, at, 1), kind = numberAt(file, at + 1, 1);
    if (type == layoutMessage && version >= 3) {
      if (kind == 0 && length >= 4) {
        uint64_t own = numberAt(file, at + 2, 2);
        if (own > 0 && own <= length - 4)
          datasets.push_back({at + 4, own, header, headerSize});
      } else if (kind == 1) {
        uint64_t begin = numberAt(file, at + 2, 8);
        uint64_t own = numberAt(file, at + 10, 8);
        if (own > 0 && begin < file.size() && own <= file.size() - begin)
          datasets.push_back({begin, own, 0, 0});
      }
    }
    at += length;
  }
}

std::vector<fuzz::HDF5Dataset> fuzz::findDatasets(ArrayRef<uint8_t> file) {
  std::vector<HDF5Dataset> datasets;
  for (size_t at = 0; at + 8 <= file.size(); ++at)
    if (std::memcmp(&file[at], "OHDR\2", 5) == 0)
      addDataset(file, at, datasets);
  return datasets;
}

void fuzz::updateChecksum(llvm::MutableArrayRef<uint8_t> file,
                          const HDF5Dataset &dataset) {
  if (dataset.headerSize == 0)
    return;
  ArrayRef<uint8_t> covered =
      file.slice(dataset.header, dataset.headerSize - 4);
  llvm::support::endian::write32le(
      &file[dataset.header + dataset.headerSize - 4], checksum(covered));
}
