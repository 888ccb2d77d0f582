//===- runtime/export/Metadata.cpp - what a model means, as texts ---------===//

#include "runtime/export/Metadata.h"

#include "runtime/WeightFile.h"
#include "runtime/export/Tensors.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp::rt;

static std::string print(const llvm::json::Value &value) {
  return llvm::formatv("{0}", value).str();
}

std::vector<std::pair<std::string, std::string>>
rasp::rt::exportMetadata(const Model &model) {
  Header header = makeHeader(model, formatVersion, Padding::Uniform);
  WeightHash hash(header);
  for (const ExportTensor &tensor :
       exportTensors(model, TensorLayout::HookedTransformer))
    hash.add(tensor.info, tensor.entries);
  std::string input = llvm::formatv(
      "{{\"bos_id\":{0},\"pad_id\":{1},\"tokens\":{2}}", model.input.bosId,
      model.input.padId, printInputVocab(model.input));
  return {
      {"format", "raspc-model"},
      {"format_version", std::to_string(header.formatVersion)},
      {"created_by", header.createdBy},
      {"tl_config", header.config},
      {"labels", print(model.residualLabels)},
      {"vocab", llvm::formatv("{{\"input\":{0},\"output\":{1}}", input,
                              printOutputVocab(model.output))},
      {"residual", print(model.residual)},
      {"circuit", print(model.circuit)},
      {"program", model.programText},
      {"source_sha256", header.sourceHash},
      {"state_sha256", hash.hex()},
  };
}
