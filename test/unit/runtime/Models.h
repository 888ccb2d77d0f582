//===- test/unit/runtime/Models.h - small models made by hand ---*- C++ -*-===//

#ifndef RASP_TEST_UNIT_RUNTIME_MODELS_H
#define RASP_TEST_UNIT_RUNTIME_MODELS_H

#include "runtime/Model.h"

namespace rasp::test {

/// Reverses sequences of exactly `length` tokens "a" and "b". One head.
rt::Model makeReverse(unsigned length, rt::DType dtype);

/// The share of "x" among the tokens that a position sees, vocabulary "x",
/// "y"; numerical. One head that attends to all but BOS.
rt::Model makeShare(unsigned maxLength, bool causal, rt::DType dtype);

/// Ints 0 and 1 to the bools that negate them, by an MLP. No heads.
rt::Model makeNot();

/// The tokens themselves; no layers at all.
rt::Model makeIdentity(std::vector<rt::Atom> vocabulary);

/// Random sparse weights of the given sizes.
rt::Model makeRandom(unsigned seed, unsigned layers, unsigned heads,
                     unsigned directions, unsigned width, unsigned hidden,
                     bool causal, rt::DType dtype);

} // namespace rasp::test

#endif
