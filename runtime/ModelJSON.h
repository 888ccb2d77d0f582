//===- runtime/ModelJSON.h - the JSON parts of a model file -----*- C++ -*-===//
//
// The configuration and the vocabularies are JSON texts in the file; FORMAT.md
// lists their members.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_MODELJSON_H
#define RASP_RUNTIME_MODELJSON_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace rasp::rt {

/// Parses a text that may be hostile: nesting is limited, since the parser
/// recurses, and numbers are finite.
llvm::Expected<llvm::json::Value> parseJSON(llvm::StringRef text);

/// Whether the layers of a file have a common size.
enum class Padding : uint8_t {
  Uniform, ///< all as wide as the widest, which is what most readers expect
  None,    ///< each as wide as it is
};

/// "uniform" or "none".
const char *nameOf(Padding padding);

/// The sizes of the tensors of one layer; all may be 0.
struct LayerSizes {
  uint64_t heads, headWidth, hidden;
};

/// The sizes of the tensors of a file.
struct FileSizes {
  uint64_t directions = 0, positions = 0, tokens = 0, outputs = 0;
  LayerSizes widest = {}; ///< what the configuration states, each at least 1
  std::vector<LayerSizes> layers; ///< at least one
};
FileSizes fileSizesOf(const Model &model, Padding padding = Padding::Uniform);

/// The name of a hook switch in the configuration.
struct HookSwitchName {
  const char *name;
  bool HookSwitches::*member;
};
llvm::ArrayRef<HookSwitchName> hookSwitchNames();

/// Hash of the program's text.
std::string hashOfSource(const Model &model);

/// What the file says about itself.
struct Header {
  int64_t formatVersion = 0;
  std::string createdBy;
  std::string config; ///< arguments of TransformerLens' configuration, JSON
  std::string sourceHash, stateHash;
  Padding padding = Padding::Uniform;
  FileSizes sizes;
};
/// All but the hash of the weights.
Header makeHeader(const Model &model, int formatVersion, Padding padding);
std::string printHeader(const Header &header, const Model &model);
/// Fills in the model's configuration and residual labels too.
llvm::Error parseHeader(llvm::StringRef text, Header &header, Model &model);

std::string printInputVocab(const InputVocab &vocab);
/// Fills in the values; BOS and PAD are attributes in the file.
llvm::Error parseInputVocab(llvm::StringRef text, InputVocab &vocab);

std::string printOutputVocab(const OutputVocab &vocab);
llvm::Error parseOutputVocab(llvm::StringRef text, OutputVocab &vocab);

} // namespace rasp::rt

#endif
