//===- runtime/Interventions.cpp - changing activations -------------------===//

#include "runtime/Interventions.h"

#include "runtime/ActivationCache.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <numeric>
#include <random>

using namespace rasp::rt;

static llvm::Error fail(const Intervention &intervention,
                        const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 intervention.name + ": " + message);
}

static bool takesReferences(const Intervention &intervention) {
  return intervention.action == Intervention::Action::Mean ||
         intervention.action == Intervention::Action::Resample;
}

template <typename T> bool Intervener<T>::wants(const HookPoint &point) const {
  return llvm::any_of(interventions, [&](const Intervention &intervention) {
    return llvm::is_contained(intervention.points, point);
  });
}

/// The references of sequences of `length` tokens.
static std::vector<std::vector<uint32_t>>
referencesOf(const References &from, unsigned length, unsigned bos) {
  std::vector<std::vector<uint32_t>> references;
  if (from.inputs.empty()) {
    // Drawn, the same for every model with this many tokens.
    std::mt19937_64 engine(from.seed * 1000003 + length);
    references.assign(from.random, {bos});
    for (std::vector<uint32_t> &ids : references)
      while (ids.size() < length)
        ids.push_back(static_cast<uint32_t>(engine() % bos));
  }
  for (const std::vector<uint32_t> &ids : from.inputs)
    if (ids.size() == length)
      references.push_back(ids);
  return references;
}

/// Whether an intervention is made for an input.
static bool isFor(const Intervention &intervention, int64_t input) {
  auto it = intervention.selected.find(Axis::Sequence);
  return it == intervention.selected.end() ||
         llvm::is_contained(it->second, input);
}

template <typename T>
llvm::Error Intervener<T>::check(unsigned length, int64_t input) const {
  for (const Intervention &intervention : interventions) {
    if (!isFor(intervention, input))
      continue;
    for (const HookPoint &point : intervention.points)
      if (llvm::Error error = check(intervention, point, length))
        return error;
    if (takesReferences(intervention) &&
        referencesOf(intervention.from, length, pass.model().input.bosId)
            .empty())
      return fail(intervention, "no input of `from` has " +
                                    llvm::Twine(length - 1) +
                                    " tokens, as this one has");
  }
  return llvm::Error::success();
}

template <typename T>
void Intervener<T>::begin(unsigned newLength,
                          llvm::ArrayRef<int64_t> newInputs) {
  inputs.assign(newInputs.begin(), newInputs.end());
  if (newLength == length)
    return;
  length = newLength;
  references.clear();
  for (size_t i = 0; i < interventions.size(); ++i)
    if (takesReferences(interventions[i]))
      collectReferences(i);
}

/// Checks indices and the shape of the value.
template <typename T>
llvm::Error Intervener<T>::check(const Intervention &intervention,
                                 const HookPoint &point,
                                 unsigned length) const {
  llvm::ArrayRef<Axis> axes = axesOf(point.kind);
  auto shape = pass.hooks().shapeOf(point.kind, 1, length);
  llvm::SmallVector<unsigned, 4> block;
  for (auto [axis, extent] : llvm::drop_begin(llvm::zip(axes, shape))) {
    auto it = intervention.selected.find(axis);
    if (it == intervention.selected.end()) {
      block.push_back(extent);
      continue;
    }
    block.push_back(it->second.size());
    for (int64_t index : it->second)
      if (index >= extent || index < -int64_t(extent))
        return fail(intervention, nameOf(axis) + " " + llvm::Twine(index) +
                                      " of `" + point.name() + "`, which has " +
                                      llvm::Twine(extent) + " for inputs of " +
                                      llvm::Twine(length - 1) + " tokens");
  }
  const auto &value = intervention.value.shape;
  bool fits = value.size() <= block.size();
  for (size_t i = 1; fits && i <= value.size(); ++i)
    fits = value[value.size() - i] == 1 ||
           value[value.size() - i] == block[block.size() - i];
  if (fits)
    return llvm::Error::success();
  auto print = [](llvm::ArrayRef<unsigned> shape) {
    std::string text;
    for (unsigned extent : shape)
      text += (text.empty() ? "" : ", ") + std::to_string(extent);
    return "[" + text + "]";
  };
  return fail(intervention, "the value has the shape " + print(value) +
                                ", but what it replaces in `" + point.name() +
                                "` has " + print(block));
}

template <typename T> void Intervener<T>::collectReferences(size_t i) {
  const Intervention &intervention = interventions[i];
  auto batch =
      referencesOf(intervention.from, length, pass.model().input.bosId);
  if (batch.empty())
    return; // made for other inputs
  ActivationCache<T> cache(intervention.points);
  pass.run(batch, &cache);
  for (const HookPoint &point : intervention.points) {
    const Tensor<T> &all = cache[point];
    Tensor<T> &kept = references[{i, point}];
    if (intervention.action == Intervention::Action::Resample) {
      kept = all;
      continue;
    }
    kept = Tensor<T>(pass.hooks().shapeOf(point.kind, 1, length));
    size_t size = kept.data.size();
    for (size_t at = 0; at < size; ++at) {
      double sum = 0;
      for (size_t from = at; from < all.data.size(); from += size)
        sum += all.data[from];
      kept.data[at] = static_cast<T>(sum / batch.size());
    }
  }
}

template <typename T>
typename Intervener<T>::Selection
Intervener<T>::select(const Intervention &intervention, HookKind kind) const {
  Selection selection;
  auto shape = pass.hooks().shapeOf(kind, inputs.size(), length);
  for (auto [axis, extent] : llvm::zip(axesOf(kind), shape)) {
    std::vector<unsigned> &indices = selection.emplace_back();
    auto it = intervention.selected.find(axis);
    if (it == intervention.selected.end()) {
      unsigned first = axis == Axis::Position && intervention.sparesBos;
      indices.resize(extent - first);
      std::iota(indices.begin(), indices.end(), first);
    } else if (axis == Axis::Sequence) {
      for (auto [place, input] : llvm::enumerate(inputs))
        if (isFor(intervention, input))
          indices.push_back(place);
    } else {
      for (int64_t index : it->second)
        indices.push_back(index < 0 ? index + extent : index);
    }
  }
  return selection;
}

/// Calls `fn(index in the tensor, place in the selection)` for every selected
/// element; both are lists of indices by axis. No axis may be without any.
template <typename Fn>
static void forEachSelected(llvm::ArrayRef<std::vector<unsigned>> selection,
                            Fn fn) {
  llvm::SmallVector<unsigned, 4> places(selection.size(), 0);
  llvm::SmallVector<unsigned, 4> indices(selection.size(), 0);
  for (;;) {
    for (size_t axis = 0; axis < selection.size(); ++axis)
      indices[axis] = selection[axis][places[axis]];
    fn(indices, places);
    size_t axis = selection.size();
    while (axis > 0 && ++places[axis - 1] == selection[axis - 1].size())
      places[--axis] = 0;
    if (axis == 0)
      return;
  }
}

/// Where an element lies whose indices belong to the last axes of a larger
/// tensor; axes of extent 1 are repeated.
static size_t repeatedOffset(llvm::ArrayRef<unsigned> shape,
                             llvm::ArrayRef<unsigned> indices) {
  size_t offset = 0;
  indices = indices.take_back(shape.size());
  for (auto [extent, index] : llvm::zip_equal(shape, indices))
    offset = offset * extent + (extent == 1 ? 0 : index);
  return offset;
}

template <typename T>
bool Intervener<T>::visit(const HookPoint &point, Tensor<T> &activation) {
  bool changed = false;
  for (size_t i = 0; i < interventions.size(); ++i)
    if (llvm::is_contained(interventions[i].points, point))
      changed |= apply(i, point, activation);
  return changed;
}

template <typename T>
bool Intervener<T>::apply(size_t i, const HookPoint &point,
                          Tensor<T> &activation) {
  using Action = Intervention::Action;
  const Intervention &intervention = interventions[i];
  Selection selection = select(intervention, point.kind);
  if (llvm::any_of(selection, [](const auto &axis) { return axis.empty(); }))
    return false;
  const Tensor<T> *reference =
      takesReferences(intervention) ? &references.at({i, point}) : nullptr;
  forEachSelected(selection, [&](llvm::MutableArrayRef<unsigned> indices,
                                 llvm::ArrayRef<unsigned> places) {
    T &element = activation.data[repeatedOffset(activation.shape, indices)];
    if (reference) {
      indices[0] = inputs[indices[0]] % reference->shape[0];
      element = reference->data[repeatedOffset(reference->shape, indices)];
      return;
    }
    const Tensor<double> &value = intervention.value;
    T number = static_cast<T>(
        value.data[repeatedOffset(value.shape, places.drop_front())]);
    element = intervention.action == Action::Add ? element + number : number;
  });
  return true;
}

template class rasp::rt::Intervener<float>;
template class rasp::rt::Intervener<double>;
