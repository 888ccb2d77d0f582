//===- runtime/Inputs.h - what a model is to answer -------------*- C++ -*-===//

#ifndef RASP_RUNTIME_INPUTS_H
#define RASP_RUNTIME_INPUTS_H

#include "runtime/Tokenizer.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace rasp::rt {

/// One input and what became of it.
struct Input {
  std::string location;      ///< "lines:2: " for inputs of a file
  std::string shown;         ///< `"hello"` or `[1, 2]`
  std::vector<uint32_t> ids; ///< BOS first; empty if the input was refused
  std::string refusal;
  std::vector<Atom> output;

  bool isRefused() const { return !refusal.empty(); }
};

bool anyRefused(llvm::ArrayRef<Input> inputs);

/// Reads inputs in the order in which they were given. Those that the model
/// cannot take are in the list too, with the reason.
class InputReader {
public:
  explicit InputReader(const Tokenizer &tokenizer) : tokenizer(tokenizer) {}

  /// Reads what stands on the command line: a JSON list if it starts with `[`,
  /// else one-character tokens. Where `[` is itself a token, text that is no
  /// JSON list, or an empty one, is taken for tokens.
  void readArgument(llvm::StringRef text);
  /// Reads the lines of a file, each a JSON list or `{"input": list}`.
  void readLines(llvm::StringRef text, llvm::StringRef path);
  /// Reads a list of tokens, or a string of one-character ones.
  void readValue(const llvm::json::Value &value);

  std::vector<Input> inputs;

private:
  void readLine(llvm::StringRef line);
  void readText(llvm::StringRef text);
  /// `source` is what the user wrote.
  void readJSON(llvm::StringRef source, const llvm::json::Value &value);
  void add(std::string shown, llvm::ArrayRef<Atom> values);
  void refuse(llvm::StringRef shown, const llvm::Twine &reason);

  const Tokenizer &tokenizer;
  std::string location;
};

/// The tokens as the model knows them, so that their types are right.
std::vector<Atom> tokensOf(const Model &model, const Input &input);

/// `{"input":[...],"output":[...]}`, or `{"error":"..."}`.
void printAnswer(llvm::raw_ostream &os, const Model &model, const Input &input);

} // namespace rasp::rt

#endif
