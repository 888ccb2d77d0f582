//===- runtime/Tensor.h - an array with a shape -----------------*- C++ -*-===//

#ifndef RASP_RUNTIME_TENSOR_H
#define RASP_RUNTIME_TENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cassert>
#include <cstddef>
#include <vector>

namespace rasp::rt {

/// Dense, row major.
template <typename T> struct Tensor {
  llvm::SmallVector<unsigned, 4> shape;
  std::vector<T> data;

  Tensor() = default;
  explicit Tensor(llvm::ArrayRef<unsigned> shape)
      : shape(shape.begin(), shape.end()), data(sizeOf(shape)) {}

  /// A tensor without axes.
  static Tensor ofNumber(T number) {
    Tensor tensor;
    tensor.data = {number};
    return tensor;
  }

  /// Where the part with the given leading indices begins: `x.at(b, t)` is a
  /// row of a tensor with three axes.
  template <typename... Index> T *at(Index... index) {
    return data.data() + offset(index...);
  }
  template <typename... Index> const T *at(Index... index) const {
    return data.data() + offset(index...);
  }

  static size_t sizeOf(llvm::ArrayRef<unsigned> shape) {
    size_t size = 1;
    for (unsigned extent : shape)
      size *= extent;
    return size;
  }

private:
  template <typename... Index> size_t offset(Index... index) const {
    assert(sizeof...(index) <= shape.size() && "too many indices");
    size_t offset = 0, axis = 0;
    ((offset = offset * shape[axis++] + index), ...);
    for (; axis < shape.size(); ++axis)
      offset *= shape[axis];
    return offset;
  }
};

} // namespace rasp::rt

#endif
