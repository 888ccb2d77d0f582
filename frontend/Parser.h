//===- frontend/Parser.h - from text to AST ---------------------*- C++ -*-===//
//
// Drives the ANTLR parser one statement at a time, so that each statement
// recovers by itself and the parse tree of one is freed before the next is
// read. No ANTLR type and no exception leaves Parser.cpp and ASTBuilder.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_PARSER_H
#define RASP_FRONTEND_PARSER_H

#include "frontend/AST.h"
#include "ir/Diagnostics.h"

namespace rasp::frontend {

/// Deepest nesting of brackets and blocks. Reading needs some kilobytes of
/// stack for each level; callers provide it with runWithLargeStack.
inline constexpr unsigned maxNesting = 20000;

/// Reading stops after so many errors.
inline constexpr unsigned maxErrors = 100;

/// Parses a whole buffer. Every syntax error is emitted; the module then holds
/// the statements that are right, and Broken ones in place of the others.
ast::Module parse(unsigned bufferId, ir::Diagnostics &diags,
                  ast::Context &context);

} // namespace rasp::frontend

#endif
