//===- runtime/ModelJSON.h - the JSON parts of a model file -----*- C++ -*-===//
//
// The configuration and the vocabularies are JSON texts in the file; FORMAT.md
// lists their members.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_MODELJSON_H
#define RASP_RUNTIME_MODELJSON_H

#include "runtime/Model.h"
#include "llvm/Support/Error.h"

namespace rasp::rt {

/// Parses a text that may be hostile: nesting is limited, since the parser
/// recurses.
llvm::Expected<llvm::json::Value> parseJSON(llvm::StringRef text);

/// The sizes that a configuration states.
struct FileSizes {
  uint64_t layers, directions, positions, headWidth, heads, hidden, tokens,
      outputs;
};
FileSizes fileSizesOf(const Model &model);

/// Hash of the program's text.
std::string hashOfSource(const Model &model);

/// What the file says about itself.
struct Header {
  int64_t formatVersion = 0;
  std::string createdBy;
  std::string config; ///< arguments of TransformerLens' configuration, JSON
  std::string sourceHash, stateHash;
  FileSizes sizes = {};
};
Header makeHeader(const Model &model, int formatVersion, std::string stateHash);
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
