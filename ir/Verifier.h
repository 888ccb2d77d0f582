//===- ir/Verifier.h - what holds of every module ---------------*- C++ -*-===//

#ifndef RASP_IR_VERIFIER_H
#define RASP_IR_VERIFIER_H

#include "ir/Diagnostics.h"
#include "ir/Module.h"

namespace rasp::ir {

/// Checks the invariants that every pass may rely on, and must leave behind:
///
/// - every op has the operands, the table and the types that Ops.def says;
/// - operands stand before their users, and every op stands there once;
/// - there is an output, and outputs are s-ops that stand there;
/// - only s-ops have value sets, directions of their own and encodings;
/// - the vocabulary has distinct tokens of the type of the input.
///
/// Tells everything that is wrong, with the place of the op.
bool verify(const Module &module, Diagnostics &diags);

} // namespace rasp::ir

#endif
