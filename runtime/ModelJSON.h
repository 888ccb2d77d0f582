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

/// Arguments for the constructor of TransformerLens' configuration.
std::string printConfig(const Model &model);

/// The sizes that a configuration states.
struct FileSizes {
  uint64_t layers, directions, positions, headWidth, heads, hidden, tokens,
      outputs;
};
llvm::Error parseConfig(llvm::StringRef text, Config &config, FileSizes &sizes);

std::string printInputVocab(const InputVocab &vocab);
/// Fills in the values; BOS and PAD are attributes in the file.
llvm::Error parseInputVocab(llvm::StringRef text, InputVocab &vocab);

std::string printOutputVocab(const OutputVocab &vocab);
llvm::Error parseOutputVocab(llvm::StringRef text, OutputVocab &vocab);

} // namespace rasp::rt

#endif
