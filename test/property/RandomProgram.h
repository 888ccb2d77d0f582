//===- test/property/RandomProgram.h - a program as trees -------*- C++ -*-===//
//
// A RASP program that can be printed, and taken apart by the reducer: one tree
// per statement. Trees are immutable and shared.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_TEST_PROPERTY_RANDOMPROGRAM_H
#define RASP_TEST_PROPERTY_RANDOMPROGRAM_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rasp::property {

/// What a tree stands for, s-op or atom alike. `Float` is any number.
enum class Type : uint8_t { Int, Float, Bool, String, Selector };

struct Expr;
using ExprRef = std::shared_ptr<const Expr>;

struct Expr {
  Type type = Type::Int;
  /// The text; `$0`, `$1`, ... stand for the operands.
  std::string pattern;
  std::vector<ExprRef> operands;
  /// The statement whose name this is, or -1.
  int statement = -1;
};

struct RandomProgram {
  std::string tokens = "str"; ///< type of the input
  std::vector<std::string> vocabulary;
  unsigned maxSeqLen = 1;
  /// Each assigns a name of its own; the last is the output.
  std::vector<ExprRef> statements;

  /// Which statements the output depends on.
  std::vector<bool> live() const;
  /// The name that a statement assigns.
  std::string nameOf(unsigned statement) const;
  /// Options and live statements as RASP text.
  std::string text() const;
  /// Number of operators, calls and look-ups in the live statements.
  unsigned operations() const;
};

} // namespace rasp::property

#endif
