//===- test/fuzz/FuzzModel.cpp - model files ------------------------------===//
//
// The bytes are a model file. If it can be read, the model runs, is shown and
// its certificate checked.
//
// HDF5 guards its own structures by checksums, and changes of these are seldom
// more than that. So the mutations keep to what datasets hold: the JSON texts,
// in which they change a tree, and the numbers.
//
//===----------------------------------------------------------------------===//

#include "runtime/WeightFile.h"
#include "test/fuzz/Fuzz.h"
#include "test/fuzz/HDF5Datasets.h"
#include "test/fuzz/ModelTrial.h"
#include <unistd.h>

using namespace rasp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // In memory, but with a path, which HDF5 wants to see.
  std::string path = "/dev/shm/rasp-fuzz-" + std::to_string(getpid()) + ".h5";
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << fuzz::textOf(data, size);
  if (error)
    fuzz::report(path + ": " + error.message());
  llvm::Expected<rt::Model> model = rt::readModel(path);
  // The next file must be another one, lest HDF5 takes it for this.
  unlink(path.c_str());
  if (!model)
    llvm::consumeError(model.takeError());
  else if (fuzz::isSmall(*model))
    fuzz::tryModel(*model);
  return 0;
}

/// As many bytes again; JSON is filled up with blanks.
static std::string mutateInPlace(llvm::StringRef old, fuzz::Choices &choices) {
  bool isJSON = old.starts_with("{") || old.starts_with("[");
  if (!isJSON || choices.below(8) == 0) {
    std::string bytes = fuzz::mutateBytes(old, old.size());
    bytes.resize(old.size(), ' ');
    return bytes;
  }
  std::string text = fuzz::mutateJSON(old.rtrim(), old.size(), choices);
  text.resize(old.size(), ' ');
  return text;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  fuzz::Choices choices(seed);
  std::vector<fuzz::HDF5Dataset> datasets = fuzz::findDatasets({data, size});
  if (datasets.empty() || choices.below(16) == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  const fuzz::HDF5Dataset &dataset = choices.pick(datasets);
  std::string bytes =
      mutateInPlace(fuzz::textOf(data + dataset.begin, dataset.size), choices);
  fuzz::store(bytes, data + dataset.begin, dataset.size);
  fuzz::updateChecksum({data, size}, dataset);
  return size;
}
