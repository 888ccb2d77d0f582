//===- runtime/dump/UnitSums.h - hidden units on every value ----*- C++ -*-===//
//
// What hidden units add to a direction, for every joint value of variables, in
// real arithmetic. Variables are given values one after the other; a unit that
// cannot become active whatever the others are is left out from there on, so
// that of many units that are each for a few joint values only those few are
// looked at.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_DUMP_UNITSUMS_H
#define RASP_RUNTIME_DUMP_UNITSUMS_H

#include "runtime/CertificateTables.h"

namespace rasp::rt {

/// The sum of `weights[i] * relu(inputs[i])` by joint value; `inputs` are
/// functions of `variables`, of which the last one varies fastest.
std::vector<double> sumUnits(const Tables &tables,
                             llvm::ArrayRef<unsigned> variables,
                             llvm::ArrayRef<double> weights,
                             llvm::ArrayRef<TableView> inputs);

} // namespace rasp::rt

#endif
