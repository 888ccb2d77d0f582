//===- backend/CircuitVerifier.h - what holds of every circuit --*- C++ -*-===//
//
// What passes, layout and assembly rely on:
//
// - The first direction is `bos`: embedded, 1 at BOS and 0 elsewhere.
// - Embeddings have time 0 and tables, all of tokens and all of positions with
//   as many entries as each other and none outside of their bounds. Heads write
//   at odd times, hidden units at even ones from 2 on. Bounds are in order.
// - What a component reads was there before its own half-layer. Sums are sorted
//   by direction, their weights are finite and not 0.
// - A direction of `head` is written by one head, at its time; one of `mlp` by
//   hidden units up to its time, the last of them at its time; an embedding by
//   nobody.
// - A direction takes over another one's coordinate once that has been read for
//   the last time: the MLP that clears it comes after what writes it, and not
//   after what writes the new one; if it writes that itself, no sum is rounded.
//   Nobody takes over `bos`, what stays, or what somebody else does.
// - Components write something, and are in one of the layers, unless there are
//   0 layers: then the circuit is not scheduled.
// - There is one logit for each value of the output, or one for a number.
//
// Whether bounds are true, and outputs right, is no question of form: that is
// what the certificate and rasp-verify are for.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CIRCUITVERIFIER_H
#define RASP_BACKEND_CIRCUITVERIFIER_H

#include "backend/Circuit.h"
#include "ir/Diagnostics.h"

namespace rasp::backend {

/// The places of a circuit's parts in a text, as long as no pass has changed
/// their order.
struct CircuitRanges {
  std::vector<llvm::SMRange> directions, heads, neurons, logits;
  llvm::SMRange output;
};

/// Reports everything that does not hold; true if all does.
bool verify(const Circuit &circuit, ir::Diagnostics &diags,
            const CircuitRanges *ranges = nullptr);

} // namespace rasp::backend

#endif
