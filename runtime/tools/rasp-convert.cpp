//===- runtime/tools/rasp-convert.cpp - models for other programs ---------===//

#include "runtime/OutputFile.h"
#include "runtime/WeightFile.h"
#include "runtime/export/Npz.h"
#include "runtime/export/Onnx.h"
#include "runtime/export/Safetensors.h"
#include "runtime/tools/ToolMain.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"

using namespace rasp::rt;
namespace cl = llvm::cl;

namespace {
enum class Format : uint8_t { ByEnding, Safetensors, Npz, Onnx };
} // namespace

static cl::OptionCategory category("rasp-convert options");
static cl::opt<std::string> modelPath(cl::Positional, cl::Required,
                                      cl::desc("MODEL.h5"), cl::cat(category));
static cl::opt<std::string> outputPath("o", cl::Required,
                                       cl::desc("The file to write"),
                                       cl::value_desc("FILE"),
                                       cl::cat(category));
static cl::opt<Format> formatOption(
    "format", cl::desc("Format of the file; otherwise its name's ending says"),
    cl::values(clEnumValN(Format::Safetensors, "safetensors",
                          "tensors, and the rest as texts in the header"),
               clEnumValN(Format::Npz, "npz",
                          "NumPy: an array per tensor, texts as strings"),
               clEnumValN(Format::Onnx, "onnx",
                          "ONNX: the graph, named as TransformerLens' hooks")),
    cl::cat(category));
static cl::opt<TensorLayout> layoutOption(
    "layout", cl::desc("Names and shapes of the tensors (safetensors, npz)"),
    cl::values(
        clEnumValN(TensorLayout::HookedTransformer, "tl",
                   "TransformerLens' HookedTransformer, as in the model file "
                   "(default)"),
        clEnumValN(TensorLayout::TransformerBridge, "tl-bridge",
                   "TransformerLens' TransformerBridge")),
    cl::cat(category));
static cl::opt<GraphOutputs> outputsOption(
    "outputs", cl::desc("What the graph gives back (onnx)"),
    cl::values(clEnumValN(GraphOutputs::Logits, "logits",
                          "the logits (default)"),
               clEnumValN(GraphOutputs::Hooks, "hooks",
                          "the logits and every activation, by hook name")),
    cl::cat(category));

static int fail(const llvm::Twine &message) {
  rasp::toolError() << message << "\n";
  return rasp::commandIsWrong;
}

static Format formatOf(llvm::StringRef path) {
  if (formatOption != Format::ByEnding)
    return formatOption;
  return llvm::StringSwitch<Format>(llvm::sys::path::extension(path))
      .Case(".safetensors", Format::Safetensors)
      .Case(".npz", Format::Npz)
      .Case(".onnx", Format::Onnx)
      .Default(Format::ByEnding);
}

static llvm::Error write(const Model &model, Format format,
                         llvm::raw_ostream &os) {
  switch (format) {
  case Format::Safetensors:
    writeSafetensors(model, layoutOption, os);
    return llvm::Error::success();
  case Format::Npz:
    return writeNpz(model, layoutOption, os);
  case Format::Onnx:
    return writeOnnx(model, outputsOption, os);
  case Format::ByEnding:
    break;
  }
  llvm_unreachable("the format is known by now");
}

static int convert() {
  Format format = formatOf(outputPath);
  if (format == Format::ByEnding)
    return fail("'" + outputPath +
                "': expected a name that ends in .safetensors, .npz or .onnx, "
                "or --format=");
  if (format == Format::Onnx && layoutOption.getNumOccurrences())
    return fail("--layout is for safetensors and npz; the tensors of an ONNX "
                "graph are those of a HookedTransformer");
  if (format != Format::Onnx && outputsOption.getNumOccurrences())
    return fail("--outputs is for onnx; other formats have weights only");

  llvm::Expected<Model> model = readModel(modelPath);
  if (!model)
    return fail(llvm::toString(model.takeError()));
  if (model->edited)
    rasp::toolWarning()
        << "'" << modelPath
        << "': weights or program were edited after the file was written\n";
  if (llvm::Error error = replaceFile(outputPath, [&](llvm::raw_ostream &os) {
        return write(*model, format, os);
      }))
    return fail(llvm::toString(std::move(error)));
  return 0;
}

int main(int argc, char **argv) {
  const rasp::Tool tool{
      "rasp-convert",
      "Writes a model that raspc has compiled in another format.\n\n"
      "  The ending of the file's name says which: .safetensors, .npz or "
      ".onnx.\n",
      category};
  return rasp::toolMain(argc, argv, tool, convert);
}
