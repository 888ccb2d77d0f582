//===- runtime/export/Safetensors.cpp - models as safetensors -------------===//

#include "runtime/export/Safetensors.h"

#include "runtime/export/Metadata.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/MathExtras.h"

using namespace rasp::rt;

static std::string describe(const Model &model,
                            llvm::ArrayRef<ExportTensor> tensors) {
  DType dtype = model.config.dtype;
  std::string header;
  llvm::raw_string_ostream os(header);
  llvm::json::OStream json(os);
  json.object([&] {
    json.attributeObject("__metadata__", [&] {
      for (const auto &[name, text] : exportMetadata(model))
        json.attribute(name, text);
    });
    uint64_t begin = 0;
    for (const ExportTensor &tensor : tensors)
      json.attributeObject(tensor.info.name, [&] {
        json.attribute("dtype", dtype == DType::Float32 ? "F32" : "F64");
        json.attribute("shape", llvm::json::Array(tensor.info.dims));
        uint64_t end = begin + tensor.numBytes(dtype);
        json.attribute("data_offsets", llvm::json::Array{begin, end});
        begin = end;
      });
  });
  // Spaces align the tensors.
  header.resize(llvm::alignTo(header.size(), 8), ' ');
  return header;
}

void rasp::rt::writeSafetensors(const Model &model, TensorLayout layout,
                                llvm::raw_ostream &os) {
  std::vector<ExportTensor> tensors = exportTensors(model, layout);
  std::string header = describe(model, tensors);
  llvm::support::endian::write<uint64_t>(os, header.size(),
                                         llvm::endianness::little);
  os << header;
  for (const ExportTensor &tensor : tensors) {
    std::vector<char> bytes = tensor.bytes(model.config.dtype);
    os.write(bytes.data(), bytes.size());
  }
}
