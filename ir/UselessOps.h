//===- ir/UselessOps.h - ops whose result is no news ------------*- C++ -*-===//
//
// Comparisons that have one outcome, selectors that select nothing, defaults
// that are never taken: programs that do what they say, but hardly what was
// meant. Told are those for which it is certain, of ops that the program has in
// so many words; an op in a loop or a function only if it holds for every turn.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_USELESSOPS_H
#define RASP_IR_USELESSOPS_H

#include "ir/ValueSets.h"

namespace rasp::ir {

/// Warns of ops on which `written` depends, as far as they are among those that
/// `values` knows of `analysed`, the same function in another form.
void warnOfUselessOps(const Node *written, const Node *analysed,
                      ValueSets &values, Diagnostics &diags);

} // namespace rasp::ir

#endif
