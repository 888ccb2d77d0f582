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
/// them. (The sets may hold more values than occur, so a warning need not come
/// true; an error does on every input.) Returns whether there was no error.
bool checkFailures(const Node *root, const ValueSets &values,
                   Diagnostics &diags);

} // namespace rasp::ir

#endif
