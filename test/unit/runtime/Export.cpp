//===- test/unit/runtime/Export.cpp - models in other formats -------------===//

#include "runtime/export/Onnx.h"
#include "runtime/export/Tensors.h"

#include <gtest/gtest.h>
#include <map>

using namespace rasp::rt;

/// One layer without heads, and nothing but zeros.
static Model emptyModel(unsigned tokens, unsigned directions) {
  Model model;
  model.config.dModel = directions;
  model.config.nCtx = 2;
  model.wE.resize(tokens, directions);
  model.wPos.resize(2, directions);
  model.wU.resize(directions, 1);
  model.bU = Vector::Zero(1);
  model.residualLabels.resize(directions);
  return model;
}

TEST(Export, OnnxFilesHaveALimit) {
  Model model = emptyModel(1 << 20, 1 << 10);
  std::string text;
  llvm::raw_string_ostream os(text);
  std::string message =
      llvm::toString(writeOnnx(model, GraphOutputs::Logits, os));
  EXPECT_NE(message.find("an ONNX file at most 2147483647"), std::string::npos)
      << message;
  EXPECT_TRUE(text.empty());
}

TEST(Export, EveryTensorHasAPlaceForABridge) {
  Model model = emptyModel(3, 4);
  Layer &layer = model.layers.emplace_back();
  // Two heads of widths 2 and 1.
  for (unsigned width : {2, 1}) {
    Head &head = layer.heads.emplace_back();
    for (Matrix *matrix : {&head.wQ, &head.wK, &head.wV})
      matrix->resize(4, width);
    head.wO.resize(width, 4);
    for (Vector *vector : {&head.bQ, &head.bK, &head.bV})
      *vector = Vector::Zero(width);
  }
  model.config.dHead = 2;
  layer.heads[1].wQ.insert(3, 0) = 5;
  layer.heads[0].wO.insert(1, 2) = 7;
  layer.heads[1].bV[0] = 9;

  std::map<std::string, ExportTensor> tensors;
  for (ExportTensor &tensor :
       exportTensors(model, TensorLayout::TransformerBridge))
    tensors[tensor.info.name] = std::move(tensor);
  auto only = [&](const char *name, std::initializer_list<uint64_t> dims) {
    const ExportTensor &tensor = tensors[name];
    EXPECT_EQ(llvm::ArrayRef(tensor.info.dims), llvm::ArrayRef(dims)) << name;
    EXPECT_EQ(tensor.entries.size(), 1u) << name;
    return tensor.entries.front();
  };
  // Head 1's first row is row 2; its direction is the column.
  Entry q = only("blocks.0.attn.q.weight", {4, 4});
  EXPECT_EQ(q.index, 2u * 4 + 3);
  EXPECT_EQ(q.value, 5);
  // Head 0's second row is column 1.
  Entry o = only("blocks.0.attn.o.weight", {4, 4});
  EXPECT_EQ(o.index, 2u * 4 + 1);
  EXPECT_EQ(o.value, 7);
  Entry v = only("blocks.0.attn.v.bias", {4});
  EXPECT_EQ(v.index, 2u);
  EXPECT_EQ(v.value, 9);
}
