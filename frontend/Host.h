//===- frontend/Host.h - what a session adds to the evaluator ---*- C++ -*-===//
//
// A compiled program skips the commands of the interactive shell, applications
// and drawings. A session is told of them, sees what every statement binds,
// and may refuse a statement, which then has no effect.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_HOST_H
#define RASP_FRONTEND_HOST_H

#include "frontend/Environment.h"

namespace rasp::frontend {

/// What a statement of the console or of a loaded file has done.
struct Effects {
  const ast::Statement *statement;
  size_t firstNode; ///< ops from this number on are new
  /// The variables that it assigned, in that order.
  llvm::SmallVector<const Variable *, 2> assigned;
  /// The value of its expression, of several the list.
  Object out;
};

class Host {
public:
  virtual ~Host() = default;

  /// An assignment, an expression or a definition has run without an error.
  /// False if it must be undone; the error has been reported.
  virtual bool accept(const Effects &effects) = 0;
  /// `input` is the value of the command's expression, if it has one.
  virtual void command(const ast::Shell &command, const Object &input) = 0;
  /// `callee(input);` with an s-op or a selector.
  virtual void apply(const ast::Call &call, const Object &callee,
                     const Object &input) = 0;
  /// `draw(sop);` or `draw(sop, input);`
  virtual void draw(const ast::Draw &draw, const Object &sop,
                    const Object *input) = 0;
  /// A file was loaded by `load` and gave these variables.
  virtual void loaded(const ast::Load &load,
                      llvm::ArrayRef<const Variable *> exported) = 0;
};

} // namespace rasp::frontend

#endif
