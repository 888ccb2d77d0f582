//===- runtime/ActivationCache.h - activations by name ----------*- C++ -*-===//

#ifndef RASP_RUNTIME_ACTIVATIONCACHE_H
#define RASP_RUNTIME_ACTIVATIONCACHE_H

#include "runtime/HookedPass.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

namespace rasp::rt {

/// Keeps copies of the activations of some hook points. Pass it to a
/// `HookedPass`, behind whatever changes activations.
template <typename T> class ActivationCache : public HookVisitor<T> {
public:
  explicit ActivationCache(llvm::ArrayRef<HookPoint> points) {
    for (const HookPoint &point : points)
      activations[point];
  }

  bool wants(const HookPoint &point) const override {
    return activations.count(point);
  }
  bool visit(const HookPoint &point, Tensor<T> &activation) override {
    activations[point] = activation;
    return false;
  }

  /// Null if the cache was not made for the point. Empty before a pass, and
  /// where the pass did not come by.
  const Tensor<T> *find(const HookPoint &point) const {
    auto it = activations.find(point);
    return it == activations.end() ? nullptr : &it->second;
  }
  const Tensor<T> &operator[](const HookPoint &point) const {
    const Tensor<T> *activation = find(point);
    assert(activation && "the cache was not made for this point");
    return *activation;
  }

private:
  std::map<HookPoint, Tensor<T>> activations;
};

} // namespace rasp::rt

#endif
