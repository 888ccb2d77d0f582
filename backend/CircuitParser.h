//===- backend/CircuitParser.h - circuits from text -------------*- C++ -*-===//
//
// Reads what `print` of Circuit.h writes, and gives the same circuit back, so
// that passes over circuits can be tried alone:
//
//   circuit @starts(layers = 1) {
//     dir [bos] embed time 0 in 0..0 bos 1 { grid 1, table {0, 0} }
//     dir [tokens:a] embed time 0 in 0..1 bos 0 { grid 1, table {1, 0} }
//     dir [w:1/(w+1)] head time 1 in 0.25..1 error 1e-07 bos 1
//     dir [w] mlp time 2 in 0..3 error 2e-06 bos 0 by "polygon of a width"
//     layer 0 {
//       head @first step 256 by "key classes 1" { tie_error 1e-07 }
//         score key([tokens:a]) query(-[bos] + 1)
//         score key([bos]) query(1) { of_bos }
//         move [bos] -> [w:1/(w+1)]
//       relu(-4*[w:1/(w+1)] + 2) -> 1.5*[w]
//       relu(-6*[w:1/(w+1)] + 2) -> 1*[w]
//     }
//     output float { error 2e-06, tolerance 0.5 }
//     logit number = 2*[w]
//   }
//
// In full, with `?` after what may be left out and `*` after what repeats:
//
//   circuit    circuit @name (layers = N)? { dir* layer* output logit* }
//   dir        dir LABEL WRITER time N in NUMBER .. NUMBER
//                (error NUMBER)? bos NUMBER (by STRING)? {attributes}?
//   WRITER     embed, pos_embed, head or mlp
//   layer      layer N { head* unit* }, with N from 0 on
//   head       head @name step NUMBER (by STRING)? {attributes}? score* move*
//   score      score key(sum) query(sum) {attributes}?
//   move       move sum -> LABEL
//   unit       relu(sum) -> (NUMBER * LABEL) and more of these
//   output     output TYPE {attributes}?
//   TYPE       int, float, bool or string
//   logit      logit VALUE = sum, once for each value; or logit number = sum
//   sum        terms `2*[w]`, `[w]` and at most one constant, with + and -
//
// Without `(layers = N)` the circuit is not scheduled: every component has the
// first layer that its operands allow. LABEL is described in DirectionNames.h,
// NUMBER may be `inf`, TABLE is a list of numbers in braces, in which `0 x 3`
// is `0, 0, 0` and `2..4` is `2, 3, 4`.
//
// Attributes, separated by commas; what is left out is 0 or false but for
// `conjuncts` and `selected`:
//
//   dir        grid NUMBER, exact_zero, bos_error NUMBER, stays,
//              reuses LABEL cleared N, with the layer; table TABLE
//   head       conjuncts TABLE (1 for each that has scores),
//              selected NUMBER (the sum of these), proportional,
//              score_error NUMBER, tie_error NUMBER, leak NUMBER
//   score      of_bos or conjunct N, disjunct N
//   output     error NUMBER, tolerance NUMBER, values {VALUE, ...} of a number
//
// What they mean stands beside the members of Direction, Head, ScoreTerm and
// Readout. References to the RASP IR are not in the text: the s-ops that
// directions and selectors belong to, joint values, forms, and what else only
// the ground truth and the certificate need. So a circuit from text can be
// transformed, laid out and assembled, but not certified.
//
// Terms may stand in any order; printed they are sorted. Nothing is checked
// that verify (CircuitVerifier.h) checks: verify what has been parsed before
// anything else is done with it. To count parameters, print the layout and
// assemble, the circuit must be scheduled (isScheduled); assembly also takes a
// domain, which must have as many tokens and positions as the tables.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_CIRCUITPARSER_H
#define RASP_BACKEND_CIRCUITPARSER_H

#include "backend/CircuitVerifier.h"

namespace rasp::backend {

/// None after an error. `ranges` gets the place of each line.
std::optional<Circuit> parseCircuit(unsigned bufferId, ir::Diagnostics &diags,
                                    CircuitRanges *ranges = nullptr);

} // namespace rasp::backend

#endif
