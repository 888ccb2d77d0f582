//===- frontend/Frontend.h - from text to RASP IR ---------------*- C++ -*-===//
//
// The only header of the frontend that other folders need.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_FRONTEND_H
#define RASP_FRONTEND_FRONTEND_H

#include "ir/Diagnostics.h"
#include "ir/Program.h"
#include <string>
#include <vector>

namespace rasp::frontend {

/// A line `#@ key: value` of the program.
struct Pragma {
  std::string key, value;
  llvm::SMRange range;    ///< of the value
  llvm::SMRange keyRange; ///< of the key
};

enum class BindingKind : uint8_t { Sop, Selector, Atom, List, Dict, Function };

/// A top-level name of the program after its last statement.
struct Binding {
  std::string name;
  BindingKind kind = BindingKind::Atom;
  const ir::Node *node = nullptr; ///< of an s-op or selector
  ir::Value atom;                 ///< of an atom
  llvm::SMRange range;            ///< of the name where it was last assigned
};

struct Options {
  /// Where `load` looks after the working directory and the loading file's.
  std::vector<std::string> includeDirs;
};

/// What a program defines.
struct Evaluation {
  /// Ordered by last assignment, so the last s-op is the default output.
  /// Names of the library and of the built-ins are not listed.
  std::vector<Binding> bindings;

  const Binding *find(llvm::StringRef name) const;
  /// The s-op assigned last, or null.
  const Binding *lastSop() const;
};

/// The pragma lines of a buffer.
std::vector<Pragma> readPragmas(const llvm::SourceMgr &sources,
                                unsigned bufferId);

/// Parses and evaluates the program in buffer `bufferId` of the diagnostics'
/// SourceMgr, adding its graph to `program`. Emits every error it can find;
/// the result is complete only if there were none.
Evaluation evaluateProgram(unsigned bufferId, ir::Program &program,
                           ir::Diagnostics &diags, const Options &options = {});

/// The AST of the buffer as indented text; nothing after a syntax error.
void printAST(unsigned bufferId, ir::Diagnostics &diags, llvm::raw_ostream &os);

} // namespace rasp::frontend

#endif
