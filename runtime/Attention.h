//===- runtime/Attention.h - one head on one or many sequences --*- C++ -*-===//
//
// Long sequences cost less than the square of their length times the width of
// the head: of a key only the terms that are not zero are read, of the values
// only those that have a weight and are not zero; and queries that are equal,
// as those that come from tokens often are, are answered once. None of this
// changes a bit of the result. Private to the forward pass.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_ATTENTION_H
#define RASP_RUNTIME_ATTENTION_H

#include "runtime/Lanes.h"
#include "runtime/Sparsity.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

namespace rasp::rt {

/// Where the activations of a head lie among those of its layer.
struct HeadRows {
  /// Rows of the projected activations whose products make the score.
  std::vector<std::pair<uint32_t, uint32_t>> queryKey;
  uint32_t query, key, value, end; ///< first row of each kind
  uint32_t mixed, width;           ///< rows of the weighted means of values
};

/// How the columns of a layer's activations are made up. Column t * batch + s
/// holds token t of sequence s.
struct Extent {
  unsigned length;
  size_t columns, stride;
};

/// Memory that is used again.
template <typename T> struct AttentionMemory {
  NonzeroRows keyTerms, values;
  EqualColumns groups;
  std::vector<T> queries, means; ///< of groups of equal queries
  std::vector<T> scores;
  std::vector<uint32_t> attended; ///< keys of one query
};

template <typename T, unsigned batch> class Attention {
public:
  /// Columns that one step works on: consecutive queries of one sequence, or
  /// the same query of a whole batch.
  static constexpr unsigned lanes = batch == 1 ? 8 : batch;
  using Pack = Lanes<T, lanes>;

  Attention(const HeadRows &head, unsigned headWidth, bool causal,
            const Extent &extent, AttentionMemory<T> &memory)
      : head(head), root(Pack::all(std::sqrt(T(headWidth)))), causal(causal),
        length(extent.length), columns(extent.columns), stride(extent.stride),
        memory(memory) {
    if (memory.scores.size() < length * lanes)
      memory.scores.resize(length * lanes);
  }

  /// Fills the rows of the head in `mixed`.
  void run(const T *projectedRows, T *mixed) {
    projected = projectedRows;
    auto isNonzero = [&](uint32_t row, unsigned position) {
      const T *at = projected + row * stride + position * batch;
      bool any = false;
      for (unsigned s = 0; s < batch; ++s)
        any |= at[s] != 0;
      return any;
    };
    fewTerms = memory.keyTerms.find(
        head.queryKey.size(), length, [&](unsigned term, unsigned position) {
          return isNonzero(head.queryKey[term].second, position);
        });
    fewValues = memory.values.find(
        head.width, length, [&](unsigned row, unsigned position) {
          return isNonzero(head.value + row, position);
        });
    T *means = mixed + head.mixed * stride;
    if (groupQueries())
      return runGroups(means);
    auto queryRow = [&](uint32_t term) {
      return projected + head.queryKey[term].first * stride;
    };
    for (size_t at = 0; at < columns; at += lanes)
      attend(queryRow, at, means, stride);
  }

private:
  /// Finds equal queries; false if there are few. Under a causal mask no two
  /// queries see the same keys.
  bool groupQueries() {
    constexpr unsigned longLength = 32;
    if (batch > 1 || causal || length < longLength)
      return false;
    memory.groups.find(length, head.queryKey.size(), [&](unsigned term) {
      return projected + head.queryKey[term].first * stride;
    });
    return memory.groups.representatives.size() * 2 <= length;
  }

  void runGroups(T *means) {
    llvm::ArrayRef<uint32_t> representatives = memory.groups.representatives;
    size_t groupStride = llvm::alignTo(representatives.size(), lanes);
    memory.queries.assign(head.queryKey.size() * groupStride, T(0));
    memory.means.resize(head.width * groupStride);
    for (size_t term = 0; term < head.queryKey.size(); ++term)
      for (size_t group = 0; group < representatives.size(); ++group)
        memory.queries[term * groupStride + group] =
            projected[head.queryKey[term].first * stride +
                      representatives[group]];
    auto queryRow = [&](uint32_t term) {
      return memory.queries.data() + term * groupStride;
    };
    for (size_t at = 0; at < groupStride; at += lanes)
      attend(queryRow, at, memory.means.data(), groupStride);
    for (uint32_t row = 0; row < head.width; ++row)
      for (unsigned t = 0; t < length; ++t)
        means[row * stride + t] =
            memory.means[row * groupStride + memory.groups.groupOf[t]];
  }

  /// Answers the queries from column `at` on; `queryRow(term)` is where the
  /// factors of a term of the score lie.
  template <typename QueryRow>
  void attend(QueryRow queryRow, size_t at, T *means, size_t meansStride) {
    unsigned first = at / batch;
    unsigned keys =
        causal ? std::min<unsigned>(length, first + lanes / batch) : length;
    Pack largest =
        fewTerms
            ? score(queryRow, at, keys,
                    [&](unsigned key, auto add) {
                      for (uint32_t term : memory.keyTerms.at(key))
                        add(term);
                    })
            : score(queryRow, at, keys, [&](unsigned, auto add) {
                for (uint32_t term = 0; term < head.queryKey.size(); ++term)
                  add(term);
              });
    weigh(keys, largest);
    if (fewValues)
      mixNonzeros(means + at, meansStride);
    else
      mix(means + at, meansStride);
  }

  /// sum += factor * (what a row holds for a key). A key is one number for all
  /// queries of a sequence.
  static void addKey(Pack &sum, const Pack &factor, const T *row,
                     unsigned key) {
    if constexpr (batch == 1)
      sum.addProduct(factor, row[key]);
    else
      sum.addProduct(factor, Pack::load(row + key * batch));
  }

  /// Leaves the scores in memory and returns the largest. `forEachTerm(key,
  /// add)` calls `add` for the terms of a key.
  template <typename QueryRow, typename ForEachTerm>
  Pack score(QueryRow queryRow, size_t at, unsigned keys,
             ForEachTerm forEachTerm) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    unsigned first = at / batch;
    Pack largest = Pack::all(-infinity);
    for (unsigned key = 0; key < keys; ++key) {
      Pack score;
      forEachTerm(key, [&](uint32_t term) {
        addKey(score, Pack::load(queryRow(term) + at),
               projected + head.queryKey[term].second * stride, key);
      });
      score /= root;
      if (batch == 1 && causal)
        for (unsigned lane = 0; first + lane < key && lane < lanes; ++lane)
          score.set(lane, -infinity);
      score.store(&memory.scores[key * lanes]);
      largest.takeLarger(score);
    }
    return largest;
  }

  /// Makes weights of scores, and lists the keys that have any.
  void weigh(unsigned keys, const Pack &largest) {
    memory.attended.clear();
    Pack total;
    for (unsigned key = 0; key < keys; ++key) {
      Pack weight = Pack::load(&memory.scores[key * lanes]);
      weight -= largest;
      if (weight.allVanish())
        continue;
      weight.expNonPositive();
      weight.store(&memory.scores[key * lanes]);
      total += weight;
      memory.attended.push_back(key);
    }
    for (uint32_t key : memory.attended) {
      Pack weight = Pack::load(&memory.scores[key * lanes]);
      weight /= total;
      weight.store(&memory.scores[key * lanes]);
    }
  }

  /// Weighted means of the values.
  void mix(T *means, size_t meansStride) {
    for (uint32_t row = 0; row < head.width; ++row) {
      const T *value = projected + (head.value + row) * stride;
      Pack mean;
      for (uint32_t key : memory.attended)
        addKey(mean, Pack::load(&memory.scores[key * lanes]), value, key);
      mean.store(means + row * meansStride);
    }
  }

  /// The same from the values that are not zero.
  void mixNonzeros(T *means, size_t meansStride) {
    const T *values = projected + head.value * stride;
    for (uint32_t row = 0; row < head.width; ++row)
      Pack().store(means + row * meansStride);
    for (uint32_t key : memory.attended) {
      const Pack weight = Pack::load(&memory.scores[key * lanes]);
      for (uint32_t row : memory.values.at(key)) {
        Pack mean = Pack::load(means + row * meansStride);
        addKey(mean, weight, values + row * stride, key);
        mean.store(means + row * meansStride);
      }
    }
  }

  const HeadRows &head;
  const Pack root;
  const bool causal;
  const unsigned length;
  const size_t columns, stride;
  AttentionMemory<T> &memory;
  const T *projected = nullptr;
  bool fewTerms = false, fewValues = false;
};

} // namespace rasp::rt

#endif
