//===- ir/Module.h - a program with what is known of it ---------*- C++ -*-===//
//
// What a `.rir` text holds, and what passes work on: the ops of a program in
// order, its outputs, the compile options that fix the input, and facts about
// ops that are printed beside them. The ops themselves belong to a Program.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_MODULE_H
#define RASP_IR_MODULE_H

#include "ir/Observation.h"
#include "ir/Program.h"
#include "ir/ShownValues.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/SourceMgr.h"

namespace rasp::ir {

/// The compile options that the text carries; what is empty is not printed.
struct ProgramHeader {
  std::string name;
  std::string tokens; ///< str, int, float or bool
  std::vector<Value> vocabulary;
  unsigned maxSeqLen = 0;
  bool causal = false;
  /// Where the vocabulary stands, if there is a text.
  llvm::SMRange vocabularyRange = {};

  /// Whether the input is fixed, as most analyses need it.
  bool fixesInput() const { return !vocabulary.empty() && maxSeqLen != 0; }
  Domain domain() const { return {vocabulary, maxSeqLen, causal}; }
};

/// A place in the program's text, both from 1.
struct Place {
  unsigned line, column;
};

/// How the residual stream holds an s-op.
enum class Encoding : uint8_t {
  View,   ///< not at all: readers see a sum of what others are held as
  OneHot, ///< a direction for each value, 0 or 1
  Scalar, ///< a direction that is a multiple of the value, plus a constant
  Code,   ///< directions that tell the values apart in another way
};
/// "view", "onehot", "scalar", "code"
llvm::StringRef spelling(Encoding encoding);

struct Module {
  explicit Module(Program &program) : program(program) {}
  /// The ops that `outputs` depend on.
  Module(Program &program, llvm::ArrayRef<const Node *> outputs,
         ProgramHeader header = {});

  Program &program;
  ProgramHeader header;
  /// In the order of their creation, so operands come before their users.
  std::vector<const Node *> ops;
  std::vector<const Node *> outputs;
  /// S-ops that get directions of their own.
  llvm::DenseSet<const Node *> kept;
  llvm::DenseMap<const Node *, ShownValues> values;
  llvm::DenseMap<const Node *, Encoding> encodings;
  llvm::DenseMap<const Node *, Place> places;
  /// By op that the module was made with, what stands in its place by now.
  llvm::DenseMap<const Node *, const Node *> replaced;

  /// Puts other nodes in the place of ops; those that are not in
  /// `replacements` stay. Ops that are new come along, and what is known of an
  /// op goes over to the one that takes its place, but for value sets and
  /// encodings, which have to be found again. Returns whether anything changed.
  bool replace(const llvm::DenseMap<const Node *, const Node *> &replacements);
  /// Fills in `places` with where ops begin in these buffers.
  void addPlaces(const llvm::SourceMgr &sources);
};

} // namespace rasp::ir

#endif
