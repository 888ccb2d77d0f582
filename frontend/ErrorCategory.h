//===- frontend/ErrorCategory.h - kinds of errors -----------------*- C++
//-*-===//
//
// The language sorts errors into categories; tools that print JSON name them,
// and the shell prints a form for each.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_ERRORCATEGORY_H
#define RASP_FRONTEND_ERRORCATEGORY_H

#include "ir/Diagnostics.h"

namespace rasp::frontend {

/// "syntax", "undefined-variable", "rasp-type", "python-zero-division", ...
llvm::StringRef categoryOf(const ir::Diagnostic &diagnostic);

} // namespace rasp::frontend

#endif
