//===- frontend/Library.h - what every program can use ----------*- C++ -*-===//

#ifndef RASP_FRONTEND_LIBRARY_H
#define RASP_FRONTEND_LIBRARY_H

#include "frontend/Object.h"

namespace rasp::frontend {

/// The text of Library.rasp.
extern const llvm::StringRef libraryText;

/// The built-in s-ops and atoms; they can't be assigned. (`tokens` can, and
/// starts as `tokens_str`.)
inline constexpr llvm::StringLiteral constantNames[] = {
    "False",       "True",         "indices",    "tokens_asis",
    "tokens_bool", "tokens_float", "tokens_int", "tokens_str"};

} // namespace rasp::frontend

#endif
