//===- backend/Certify.h - the error certificate ----------------*- C++ -*-===//
//
// Writes down what lowering has shown: the meaning of every direction, the
// bounds on its error and on the scores of heads, and what their readers
// tolerate. runtime/Certificate.h says what a certificate claims.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CERTIFY_H
#define RASP_BACKEND_CERTIFY_H

#include "backend/Layout.h"
#include "ir/Printer.h"
#include "runtime/Certificate.h"

namespace rasp::backend {

/// The certificate of a circuit that was scheduled and laid out; whoever has
/// the weights adds their hash.
rt::Certificate certify(const Circuit &circuit, const Layout &layout,
                        const ir::NodeNames &names, const ir::ValueSets &sets,
                        double unitRoundoff);

} // namespace rasp::backend

#endif
