//===- test/property/CertifiedErrors.h - bounds against reality -*- C++ -*-===//
//
// A model's certificate bounds the error of every direction. Here the bounds
// are derived again by the checker, and activations of the running model are
// compared with what they are meant to be, which the interpreter knows.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_PROPERTY_CERTIFIEDERRORS_H
#define RASP_TEST_PROPERTY_CERTIFIEDERRORS_H

#include "backend/tools/Compilation.h"
#include "runtime/Model.h"

namespace rasp::property {

struct CertifiedErrors {
  std::string problem; ///< empty if the certificate holds
  /// The checker does not accept the certificate, so nothing was measured.
  bool isRefused = false;
  uint64_t measured = 0;
  /// Largest measured error as a share of the certified one.
  double largestShare = 0;
};

CertifiedErrors measureErrors(const Compilation &compilation,
                              const rt::Model &model);

} // namespace rasp::property

#endif
