//===- runtime/HiddenSum.h - hidden units, added up -------------*- C++ -*-===//
//
// What hidden units add to a direction, as a function of the tables that they
// read, with a bound on the error. Units that are surely off add nothing; the
// slopes of the others in the inputs that they have in common are added up
// before the errors of those are counted.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_HIDDENSUM_H
#define RASP_RUNTIME_HIDDENSUM_H

#include "runtime/CertificateTables.h"

namespace rasp::rt {

/// A weighted sum of hidden units, made ready to be evaluated often.
class HiddenSum {
public:
  HiddenSum(llvm::ArrayRef<TableTerm> neurons, llvm::ArrayRef<TableView> views,
            double unitRoundoff);

  /// The tables that are read, each once.
  std::vector<unsigned> inputs;

  /// `x` is parallel to `inputs`.
  Bound evaluate(llvm::ArrayRef<Bound> x);

private:
  llvm::ArrayRef<TableTerm> neurons;
  llvm::ArrayRef<TableView> views;
  double unit;
  /// By unit and term, the position in `inputs`.
  std::vector<llvm::SmallVector<unsigned, 4>> local;
  /// Least and greatest slope of the sum in each input, between its value and
  /// what it may be computed as.
  std::vector<double> least, greatest;
};

} // namespace rasp::rt

#endif
