//===- runtime/CertificateChecker.h - certificates, checked -----*- C++ -*-===//
//
// Derives the bounds of a certificate again, from the weights of the model and
// the certificate alone; nothing here knows the compiler. Layer by layer every
// component is evaluated on each joint value of its variables, in real
// arithmetic and with a bound on the error of the stored precision:
//
// * hidden units that are surely off add nothing; the others are added up, as
//   slopes in the inputs that they have in common, before the errors of those
//   are counted. A unit near its threshold counts as on or off, whichever is
//   worse;
// * scores of a head fall apart into sums over pairs of key and query
//   variables. Each must be either what selected keys score, or so much less
//   that the softmax gives exactly 0; BOS likewise;
// * what a head hands on is as wrong as what it moves, plus what unequal
//   weights of selected keys make of it.
//
// At the end every decoded output must be the right one, with the error left
// over.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_CERTIFICATECHECKER_H
#define RASP_RUNTIME_CERTIFICATECHECKER_H

#include "runtime/CertificateTables.h"

namespace rasp::rt {

struct CertificateReport {
  size_t directions = 0, heads = 0, hiddenUnits = 0;
  /// Joint values that hidden units were evaluated on.
  uint64_t combinations = 0;
  /// Largest ratio of a bound derived here and the one in the certificate.
  double largestShare = 0;
  /// Derived for the output: the largest error of a logit, and the least
  /// distance of the right logit from the next one.
  double outputError = 0, outputMargin = 0;
  /// What does not hold, for people; empty for a good certificate.
  std::vector<std::string> problems;
};

/// `model` must have the weights as they are stored. With `tables`, hands over
/// what was derived for each direction.
CertificateReport
checkCertificate(const Model &model, const Certificate &certificate,
                 std::vector<DirectionTable> *tables = nullptr);

} // namespace rasp::rt

#endif
