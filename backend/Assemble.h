//===- backend/Assemble.h - from circuit and layout to weights --*- C++ -*-===//

#ifndef RASP_BACKEND_ASSEMBLE_H
#define RASP_BACKEND_ASSEMBLE_H

#include "backend/Layout.h"
#include "ir/ValueSets.h"
#include "runtime/Model.h"

namespace rasp::backend {

rt::Atom toAtom(const ir::Value &value);
ir::Value toValue(const rt::Atom &atom);

/// Fills in configuration, weights, vocabularies and residual labels. The
/// weights are rounded to `dtype`.
rt::Model assemble(const Circuit &circuit, const Layout &layout,
                   const ir::Domain &domain, rt::DType dtype);

} // namespace rasp::backend

#endif
