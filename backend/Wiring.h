//===- backend/Wiring.h - who writes and reads what -------------*- C++ -*-===//
//
// The components of a scheduled circuit as people name them, what each of them
// reads and writes, and which of its operands is there last.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_WIRING_H
#define RASP_BACKEND_WIRING_H

#include "backend/Circuit.h"
#include "ir/Printer.h"

namespace rasp::backend {

class Wiring {
public:
  Wiring(const Circuit &circuit, const ir::NodeNames &names);

  /// "head 1.0 (`flip`)", numbered within the layer.
  std::string nameOfHead(size_t head) const;
  /// "head 1.0 (`flip`)", "the MLP of layer 0", "the token embedding".
  std::string writerOf(DirId dir) const;
  /// The head that writes a direction.
  size_t headOf(DirId dir) const { return heads[static_cast<uint32_t>(dir)]; }
  /// The direction that is there last of those that a head reads, or hidden
  /// units do that write `dir`; `bos` if all are there from the beginning.
  DirId lastReadBy(const Head &head) const;
  DirId lastReadFor(DirId dir) const;
  /// The layers that these operands allow.
  unsigned earliestLayer(const Head &head) const {
    return (timeOf(lastReadBy(head)) + 1) / 2;
  }
  unsigned earliestLayerOfMlp(DirId dir) const {
    return timeOf(lastReadFor(dir)) / 2;
  }
  /// From a direction back to the embedding, always to what was there last.
  std::vector<DirId> chainTo(DirId dir) const;
  /// "`length`, by the MLP of layer 0 <- `length:1/(w+1)`, by head 0.0 (`s`)".
  std::string printChain(DirId dir) const;

  /// Hidden units that write a direction, as positions in the circuit.
  llvm::ArrayRef<size_t> unitsOf(DirId dir) const {
    return units[static_cast<uint32_t>(dir)];
  }
  size_t numHeads(unsigned layer) const;
  size_t numUnits(unsigned layer) const;

private:
  unsigned timeOf(DirId dir) const { return circuit[dir].time; }
  void takeLater(DirId &last, const View &view) const;

  const Circuit &circuit;
  std::vector<std::string> headNames;
  std::vector<size_t> heads;
  std::vector<std::vector<size_t>> units;
};

} // namespace rasp::backend

#endif
