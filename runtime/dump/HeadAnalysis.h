//===- runtime/dump/HeadAnalysis.h - what one head does ---------*- C++ -*-===//

#ifndef RASP_RUNTIME_DUMP_HEADANALYSIS_H
#define RASP_RUNTIME_DUMP_HEADANALYSIS_H

#include "runtime/dump/Analysis.h"

namespace rasp::rt {

/// Derives what a head selects and moves, and compares. The tables of
/// `meanings` must have all that it reads, and get what it writes;
/// `directions` gets what came of each target.
HeadReport analyseHead(Meanings &meanings, unsigned layer, unsigned number,
                       std::vector<Verdict> &directions);

} // namespace rasp::rt

#endif
