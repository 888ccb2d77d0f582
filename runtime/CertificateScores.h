//===- runtime/CertificateScores.h - scores of one head ---------*- C++ -*-===//
//
// Shows that a head's softmax is uniform over the selected keys and exactly
// zero elsewhere. Key and query columns are sums over groups of variables, so
// a score is a sum over pairs of groups; where groups share no column, their
// parts are looked at one by one.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_CERTIFICATESCORES_H
#define RASP_RUNTIME_CERTIFICATESCORES_H

#include "runtime/CertificateTables.h"
#include "llvm/Support/Error.h"

namespace rasp::rt {

struct ScoreBounds {
  /// Largest difference between scores of keys that share a query's weight,
  /// BOS included where it counts as one.
  double tieError = 0;
  /// Least distance of what is selected from what is not, errors taken off; and
  /// of BOS from what it must not see.
  double distance = HUGE_VAL, ofBos = HUGE_VAL;
  bool bosCounts = false;
};

/// Scores in units of the head's step.
llvm::Expected<ScoreBounds> boundScores(Tables &tables, const Head &weights,
                                        const Certificate::Head &head,
                                        unsigned dHead);

} // namespace rasp::rt

#endif
