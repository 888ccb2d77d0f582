//===- runtime/Sparsity.h - which activations are not zero ------*- C++ -*-===//
//
// Most activations of a compiled model are zeros: one-hot codes, hidden units
// that are off, keys and values of one token. What else there is, is listed
// here, so that long sequences cost what their non-zeros cost. Private to the
// forward pass.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_SPARSITY_H
#define RASP_RUNTIME_SPARSITY_H

#include "runtime/Lanes.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rasp::rt {

/// For each row of a matrix, the blocks of columns that are not all zero,
/// ascending.
class LiveBlocks {
public:
  /// Makes room for `rows`, each of at most `blocks`.
  void resize(size_t rows, size_t blocks) {
    most = blocks;
    if (counts.size() < rows)
      counts.resize(rows);
    if (numbers.size() < rows * blocks)
      numbers.resize(rows * blocks);
  }

  /// Looks at a row again.
  template <typename IsLive> void update(size_t row, IsLive isLive) {
    uint32_t *next = &numbers[row * most];
    for (uint32_t block = 0; block < most; ++block)
      if (isLive(block))
        *next++ = block;
    counts[row] = next - &numbers[row * most];
  }

  llvm::ArrayRef<uint32_t> operator[](size_t row) const {
    return llvm::ArrayRef(numbers).slice(row * most, counts[row]);
  }

private:
  size_t most = 0;
  std::vector<uint32_t> counts, numbers;
};

/// For each position, the rows of a matrix that are not zero there, ascending.
class NonzeroRows {
public:
  /// Looks at `rows` x `positions` places. Returns false, with no lists made,
  /// where so few are zero that reading lists would take longer.
  template <typename IsNonzero>
  bool find(unsigned rows, unsigned positions, IsNonzero isNonzero) {
    constexpr unsigned fewRows = 4;
    if (rows < fewRows)
      return false;
    places.clear();
    begins.assign(positions + 1, 0);
    for (unsigned row = 0; row < rows; ++row)
      for (unsigned position = 0; position < positions; ++position)
        if (isNonzero(row, position)) {
          places.push_back({position, row});
          ++begins[position + 1];
        }
    if (places.size() * 2 > size_t(rows) * positions)
      return false;

    for (unsigned position = 0; position < positions; ++position)
      begins[position + 1] += begins[position];
    sorted.resize(places.size());
    next.assign(begins.begin(), begins.end() - 1);
    for (auto [position, row] : places)
      sorted[next[position]++] = row;
    return true;
  }

  llvm::ArrayRef<uint32_t> at(unsigned position) const {
    return llvm::ArrayRef(sorted).slice(begins[position], begins[position + 1] -
                                                              begins[position]);
  }

private:
  std::vector<std::pair<uint32_t, uint32_t>> places; ///< position and row
  std::vector<uint32_t> begins, next, sorted;
};

/// Groups of positions at which some rows of a matrix are equal, to the bit.
class EqualColumns {
public:
  std::vector<uint32_t> groupOf;         ///< by position
  std::vector<uint32_t> representatives; ///< by group, its first position

  /// `rowAt(i)` is where row i of `rows` lies.
  template <typename RowAt>
  void find(unsigned positions, unsigned rows, RowAt rowAt) {
    using T = std::remove_cvref_t<decltype(*rowAt(0))>;
    hashes.assign(positions, 0);
    for (unsigned row = 0; row < rows; ++row) {
      const T *values = rowAt(row);
      for (unsigned position = 0; position < positions; ++position)
        hashes[position] =
            (hashes[position] ^ FloatTraits<T>::bitsOf(values[position])) *
                0x9e3779b97f4a7c15 +
            (hashes[position] >> 32);
    }
    auto isSame = [&](uint32_t a, uint32_t b) {
      for (unsigned row = 0; row < rows; ++row)
        if (FloatTraits<T>::bitsOf(rowAt(row)[a]) !=
            FloatTraits<T>::bitsOf(rowAt(row)[b]))
          return false;
      return true;
    };
    groupOf.resize(positions);
    representatives.clear();
    groups.clear();
    for (unsigned position = 0; position < positions; ++position) {
      auto [it, isNew] =
          groups.try_emplace(hashes[position], representatives.size());
      // Different columns with one hash are rare; the later ones stay alone.
      if (!isNew && isSame(representatives[it->second], position)) {
        groupOf[position] = it->second;
        continue;
      }
      groupOf[position] = representatives.size();
      representatives.push_back(position);
    }
  }

private:
  std::vector<uint64_t> hashes;
  std::unordered_map<uint64_t, uint32_t> groups;
};

} // namespace rasp::rt

#endif
