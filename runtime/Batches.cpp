//===- runtime/Batches.cpp - inputs of any lengths ------------------------===//

#include "runtime/Batches.h"

#include "llvm/ADT/STLExtras.h"

using namespace rasp::rt;

std::map<size_t, std::vector<int64_t>>
rasp::rt::groupByLength(llvm::ArrayRef<Input> inputs) {
  std::map<size_t, std::vector<int64_t>> groups;
  for (auto [i, input] : llvm::enumerate(inputs))
    if (!input.isRefused())
      groups[input.ids.size()].push_back(static_cast<int64_t>(i));
  return groups;
}

template <typename T>
void rasp::rt::refuseMisfits(const Intervener<T> &intervener,
                             llvm::MutableArrayRef<Input> inputs) {
  for (auto [i, input] : llvm::enumerate(inputs))
    if (!input.isRefused())
      input.refusal =
          llvm::toString(intervener.check(input.ids.size(), int64_t(i)));
}

template <typename T>
void rasp::rt::runBatches(const HookedPass<T> &pass, Intervener<T> &intervener,
                          const Tokenizer &tokenizer,
                          llvm::MutableArrayRef<Input> inputs,
                          llvm::ArrayRef<HookPoint> points,
                          llvm::function_ref<void(const Batch<T> &)> take) {
  for (const auto &[length, numbers] : groupByLength(inputs))
    for (size_t first = 0; first < numbers.size(); first += batchSize) {
      llvm::ArrayRef<int64_t> some = llvm::ArrayRef(numbers).slice(
          first, std::min(batchSize, numbers.size() - first));
      std::vector<std::vector<uint32_t>> ids;
      for (int64_t number : some)
        ids.push_back(inputs[number].ids);
      ActivationCache<T> cache(points);
      HookVisitors<T> visitors;
      visitors.add(intervener);
      visitors.add(cache);
      intervener.begin(length, some);
      Tensor<T> logits = pass.run(ids, &visitors);
      for (auto [sequence, number] : llvm::enumerate(some))
        for (unsigned position = 1; position < length; ++position)
          inputs[number].output.push_back(
              tokenizer.decode(LogitsOf<T>(logits), position, sequence));
      take({some, unsigned(length), first, std::move(ids), cache, logits});
    }
}

#define INSTANTIATE(T)                                                         \
  template void rasp::rt::refuseMisfits(const Intervener<T> &,                 \
                                        llvm::MutableArrayRef<Input>);         \
  template void rasp::rt::runBatches(                                          \
      const HookedPass<T> &, Intervener<T> &, const Tokenizer &,               \
      llvm::MutableArrayRef<Input>, llvm::ArrayRef<HookPoint>,                 \
      llvm::function_ref<void(const Batch<T> &)>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE
