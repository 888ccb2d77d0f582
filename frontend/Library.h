//===- frontend/Library.h - what every program can use ----------*- C++ -*-===//

#ifndef RASP_FRONTEND_LIBRARY_H
#define RASP_FRONTEND_LIBRARY_H

#include "frontend/Object.h"

namespace rasp::frontend {

/// The text of Library.rasp. Every definition starts at the start of a line,
/// and no other line starts with a letter.
extern const llvm::StringRef libraryText;

/// A function or a variable of the library, with what defines it.
struct LibraryDefinition {
  llvm::StringRef name, text;
};
std::vector<LibraryDefinition> libraryDefinitions();

/// The built-in s-ops and atoms; they can't be assigned. (`tokens` can, and
/// starts as `tokens_str`.)
inline constexpr llvm::StringLiteral constantNames[] = {
    "False",       "True",         "indices",    "tokens_asis",
    "tokens_bool", "tokens_float", "tokens_int", "tokens_str"};

/// The leaf that a name starts as.
std::optional<ir::OpKind> leafCalled(llvm::StringRef name);

/// What a name is before a program assigns it.
enum class StandardKind : uint8_t { None, Leaf, Atom, Variable, Function };
StandardKind standardKind(llvm::StringRef name);

} // namespace rasp::frontend

#endif
