//===- backend/Constructions.h - how a circuit is made ----------*- C++ -*-===//
//
// One line per head, and one per s-op that an MLP computes in one way: which
// construction was chosen, and what it costs; and why the circuit is not less
// deep. For `--stats`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CONSTRUCTIONS_H
#define RASP_BACKEND_CONSTRUCTIONS_H

#include "backend/Circuit.h"
#include "ir/Printer.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"

namespace rasp::backend {

struct ConstructionUse {
  unsigned layer = 0;
  bool isHead = false;
  std::string name;  ///< of the selector, or of the s-op
  unsigned line = 0; ///< where it is in the program; 0 if that is not known
  std::string construction;
  size_t rank = 0;        ///< of a head's scores
  size_t hiddenUnits = 0; ///< of an MLP; shared ones count for each that reads
  size_t directions = 0;  ///< that are written
};

/// By layer: its heads, then what its MLP computes. The circuit must have been
/// scheduled.
std::vector<ConstructionUse> listConstructions(const Circuit &circuit,
                                               const llvm::SourceMgr &sources,
                                               const ir::NodeNames &names);
llvm::json::Value toJSON(const ConstructionUse &use);

/// A head of the chain that bounds the depth from below (HeadChain.h).
struct ChainLink {
  std::string name;
  unsigned line = 0; ///< of the selector; 0 if that is not known
};
std::vector<ChainLink> describeHeadChain(const Circuit &circuit,
                                         const llvm::SourceMgr &sources);
llvm::json::Value toJSON(const ChainLink &link);

} // namespace rasp::backend

#endif
