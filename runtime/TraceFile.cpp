//===- runtime/TraceFile.cpp - activations on disk ------------------------===//

#include "runtime/TraceFile.h"

#include "runtime/HDF5Writer.h"
#include "runtime/OutputFile.h"

#include "llvm/ADT/STLExtras.h"

using namespace rasp::rt;

class TraceWriter::Impl : public HDF5Writer {
public:
  Impl(const char *path, const Model &model, const TraceContents &contents)
      : HDF5Writer(path, /*inMemory=*/false), table(model), contents(contents),
        dtype(model.config.dtype) {}

  /// Writes `values` into a dataset of the group, from `first` on along the
  /// axis of sequences.
  void writeRows(const char *name, hid_t memoryType, unsigned first,
                 llvm::ArrayRef<unsigned> shape, const void *values,
                 unsigned axis = 0) {
    Handle dataset(check(H5Dopen2(group, name, H5P_DEFAULT)), H5Dclose);
    Handle space(check(H5Dget_space(dataset)), H5Sclose);
    llvm::SmallVector<hsize_t, 4> start(shape.size(), 0);
    llvm::SmallVector<hsize_t, 4> count(shape.begin(), shape.end());
    start[axis] = first;
    check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr,
                              count.data(), nullptr));
    Handle memory =
        makeSpace(llvm::SmallVector<uint64_t, 4>(shape.begin(), shape.end()));
    check(H5Dwrite(dataset, memoryType, memory, space, H5P_DEFAULT, values));
  }

  /// `labels`: the first axis, of a decomposition.
  void makeActivation(const char *name, HookKind kind, unsigned batch,
                      unsigned length,
                      std::optional<size_t> labels = std::nullopt) {
    llvm::SmallVector<uint64_t, 4> shape;
    if (labels)
      shape.push_back(*labels);
    for (unsigned extent : table.shapeOf(kind, batch, length))
      shape.push_back(extent);
    Handle space = makeSpace(shape);
    makeDataset(group, name, storedType(dtype), space, propertiesFor(0));
  }

  HookTable table;
  const TraceContents &contents;
  DType dtype;
  Handle group;
};

TraceWriter::TraceWriter(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
TraceWriter::~TraceWriter() = default;

void TraceWriter::beginLength(unsigned length, llvm::ArrayRef<int64_t> inputs) {
  std::string name = "length_" + std::to_string(length);
  impl->group = impl->makeGroup(impl->file(), name.c_str());
  unsigned batch = inputs.size();
  impl->writeArray(impl->group, "input", H5T_STD_I64LE, H5T_NATIVE_INT64,
                   {batch}, inputs);
  Handle space = makeSpace({batch, length});
  impl->makeDataset(impl->group, "tokens", H5T_STD_I64LE, space,
                    impl->propertiesFor(0));
  for (const HookPoint &point : impl->contents.points)
    impl->makeActivation(point.name().c_str(), point.kind, batch, length);
  for (DecompositionKind kind : impl->contents.decompositions)
    impl->makeActivation(nameOf(kind).data(), HookKind::ResidPost, batch,
                         length, labelsFor(kind, impl->table).size());
  impl->makeActivation("logits", HookKind::UnembedOut, batch, length);
}

void TraceWriter::writeTokens(unsigned first,
                              llvm::ArrayRef<std::vector<uint32_t>> ids) {
  std::vector<int64_t> tokens;
  for (const std::vector<uint32_t> &sequence : ids)
    llvm::append_range(tokens, sequence);
  unsigned shape[] = {static_cast<unsigned>(ids.size()),
                      static_cast<unsigned>(ids.front().size())};
  impl->writeRows("tokens", H5T_NATIVE_INT64, first, shape, tokens.data());
}

template <typename T>
void TraceWriter::writeActivation(unsigned first, const HookPoint &point,
                                  const Tensor<T> &activation) {
  impl->writeRows(point.name().c_str(), nativeType(impl->dtype), first,
                  activation.shape, activation.data.data());
}

template <typename T>
void TraceWriter::writeDecomposition(unsigned first, DecompositionKind kind,
                                     const Decomposition<T> &decomposition) {
  impl->writeRows(nameOf(kind).data(), nativeType(impl->dtype), first,
                  decomposition.parts.shape, decomposition.parts.data.data(),
                  /*axis=*/1);
}

template <typename T>
void TraceWriter::writeLogits(unsigned first, const Tensor<T> &logits) {
  impl->writeRows("logits", nativeType(impl->dtype), first, logits.shape,
                  logits.data.data());
}

template void TraceWriter::writeActivation(unsigned, const HookPoint &,
                                           const Tensor<float> &);
template void TraceWriter::writeActivation(unsigned, const HookPoint &,
                                           const Tensor<double> &);
template void TraceWriter::writeDecomposition(unsigned, DecompositionKind,
                                              const Decomposition<float> &);
template void TraceWriter::writeDecomposition(unsigned, DecompositionKind,
                                              const Decomposition<double> &);
template void TraceWriter::writeLogits(unsigned, const Tensor<float> &);
template void TraceWriter::writeLogits(unsigned, const Tensor<double> &);

llvm::Error
TraceWriter::write(llvm::StringRef path, const Model &model,
                   const TraceContents &contents,
                   llvm::function_ref<std::string(TraceWriter &)> fill) {
  return replaceFile(path, [&](const char *temporary) -> llvm::Error {
    TraceWriter writer(std::make_unique<Impl>(temporary, model, contents));
    Impl &file = *writer.impl;
    file.writeAttribute(file.file(), "format", "raspc-trace");
    file.writeAttribute(file.file(), "format_version", int64_t(1));
    file.writeAttribute(file.file(), "model_name", model.config.modelName);
    std::vector<std::string> names;
    for (const HookPoint &point : contents.points)
      names.push_back(point.name());
    file.writeStrings(file.file(), "hooks", names);
    file.writeStrings(file.file(), "labels", model.residualLabels);
    if (!contents.decompositions.empty()) {
      Handle group = file.makeGroup(file.file(), "decomposition_labels");
      for (DecompositionKind kind : contents.decompositions)
        file.writeStrings(group, nameOf(kind).data(),
                          labelsFor(kind, file.table));
    }
    std::string answers = fill(writer);
    Handle inputs = file.makeGroup(file.file(), "inputs");
    file.writeText(inputs, "json", answers);
    file.group = Handle();
    return file.close();
  });
}
