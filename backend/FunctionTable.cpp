//===- backend/FunctionTable.cpp - a number per combination -------------===//

#include "backend/FunctionTable.h"
#include <algorithm>
#include <cmath>
#include <map>

using namespace rasp::backend;

size_t FunctionTable::stride(size_t dim) const {
  size_t result = 1;
  for (size_t k = dim + 1; k < sizes.size(); ++k)
    result *= sizes[k];
  return result;
}

std::pair<double, double> FunctionTable::range() const {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double entry : entries)
    if (!std::isnan(entry)) {
      low = std::min(low, entry);
      high = std::max(high, entry);
    }
  return low <= high ? std::pair(low, high) : std::pair(0.0, 0.0);
}

size_t FunctionTable::exceptions() const {
  std::map<double, size_t> outcomes;
  size_t known = 0, commonest = 0;
  for (double entry : entries)
    if (!std::isnan(entry)) {
      ++known;
      commonest = std::max(commonest, ++outcomes[entry]);
    }
  return known - commonest;
}

void Odometer::next() {
  for (size_t k = sizes.size(); k-- > 0;) {
    if (++at[k] < sizes[k])
      return;
    at[k] = 0;
  }
}

ValueClasses rasp::backend::mergeValues(FunctionTable &table, size_t dim,
                                        size_t mostClasses) {
  size_t stride = table.stride(dim), count = table.sizes[dim];
  size_t outer = table.entries.size() / (stride * count);
  size_t slice = outer * stride;
  std::vector<std::vector<double>> merged;
  ValueClasses classes;
  std::vector<double> own(slice);
  for (uint32_t value = 0; value < count; ++value) {
    for (size_t o = 0; o < outer; ++o)
      for (size_t i = 0; i < stride; ++i)
        own[o * stride + i] = table.entries[(o * count + value) * stride + i];
    size_t chosen = merged.size();
    for (size_t c = 0; c < merged.size() && chosen == merged.size(); ++c) {
      bool agrees = true;
      for (size_t i = 0; i < slice && agrees; ++i)
        agrees = std::isnan(own[i]) || std::isnan(merged[c][i]) ||
                 own[i] == merged[c][i];
      if (agrees)
        chosen = c;
    }
    if (chosen == merged.size()) {
      if (merged.size() >= mostClasses)
        return {};
      merged.push_back(own);
      classes.representative.push_back(value);
    } else {
      for (size_t i = 0; i < slice; ++i)
        if (std::isnan(merged[chosen][i]))
          merged[chosen][i] = own[i];
    }
    classes.classOf.push_back(static_cast<uint32_t>(chosen));
  }
  table.sizes[dim] = static_cast<uint32_t>(merged.size());
  table.entries.resize(slice * merged.size());
  for (size_t o = 0; o < outer; ++o)
    for (size_t c = 0; c < merged.size(); ++c)
      for (size_t i = 0; i < stride; ++i)
        table.entries[(o * merged.size() + c) * stride + i] =
            merged[c][o * stride + i];
  return classes;
}

void rasp::backend::shareEqualNumbers(FunctionTable &table, size_t dim,
                                      llvm::ArrayRef<double> numbers) {
  size_t stride = table.stride(dim), count = table.sizes[dim];
  for (size_t first = 0, last; first < count; first = last) {
    last = first + 1;
    while (last < count && numbers[last] == numbers[first])
      ++last;
    if (last - first == 1)
      continue;
    for (size_t outer = 0; outer < table.entries.size();
         outer += stride * count)
      for (size_t i = 0; i < stride; ++i) {
        double known = anyNumber;
        for (size_t v = first; v < last && std::isnan(known); ++v)
          known = table.entries[outer + v * stride + i];
        for (size_t v = first; v < last; ++v)
          if (double &entry = table.entries[outer + v * stride + i];
              std::isnan(entry))
            entry = known;
      }
  }
}
