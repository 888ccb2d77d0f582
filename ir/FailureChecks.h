//===- ir/FailureChecks.h - ops that fail, before they run ------*- C++ -*-===//
//
// A network has no errors: it answers something for every input. So what the
// value sets show to fail is said when a program is compiled.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_FAILURECHECKS_H
#define RASP_IR_FAILURECHECKS_H

#include "ir/ValueSets.h"

namespace rasp::ir {

/// Looks at every op that `root` depends on. One that fails for all values of
/// its operands is an error; one that fails for some gets a warning that names
/// them, with an input on which it does if one is found soon. (The sets may
/// hold more values than occur, so a warning without an input need not come
/// true; it is left out where all inputs were tried. Means of strings are told
/// of only with an input: that no query has two keys is often more than the
/// analysis can tell. An error does come true on every input.) Returns whether
/// there was no error. `program` is the function of `root` as it was written,
/// and fails where the messages say so; without it no inputs are tried.
bool checkFailures(const Node *root, ValueSets &values, Diagnostics &diags,
                   const Node *program = nullptr);

} // namespace rasp::ir

#endif
