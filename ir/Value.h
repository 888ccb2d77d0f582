//===- ir/Value.h - the atoms of RASP ---------------------------*- C++ -*-===//
//
// The values that an s-op holds at a position: bool, int, float and string.
// The same type serves the compile-time evaluator, the interpreter, the value
// sets and the tables from which weights are made.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_VALUE_H
#define RASP_IR_VALUE_H

#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <optional>
#include <string>

namespace rasp::ir {

enum class ValueKind : uint8_t { Bool, Int, Float, String };

/// The word the language uses for the kind: "bool", "int", "float", "string".
llvm::StringRef kindName(ValueKind kind);

/// One atom; 16 bytes, trivially copyable. Strings are interned for the life
/// of the process, so equal strings have equal addresses.
class Value {
public:
  Value() : Value(integer(0)) {}
  static Value boolean(bool b);
  static Value integer(int64_t i);
  static Value real(double d);
  static Value string(llvm::StringRef s);

  ValueKind kind() const { return theKind; }
  bool isBool() const { return theKind == ValueKind::Bool; }
  bool isInt() const { return theKind == ValueKind::Int; }
  bool isFloat() const { return theKind == ValueKind::Float; }
  bool isString() const { return theKind == ValueKind::String; }
  bool isNumeric() const { return theKind != ValueKind::String; }

  bool asBool() const;
  int64_t asInt() const;
  double asFloat() const;
  llvm::StringRef asString() const;

  /// The integer that a bool or int stands for.
  int64_t toInt() const;
  /// The number that a bool, int or float stands for.
  double toDouble() const;
  /// Python's truth: false are 0, 0.0, False and "".
  bool isTruthy() const;

  /// Same kind and same payload: `1`, `1.0` and `True` are three values.
  bool operator==(const Value &other) const;
  bool operator!=(const Value &other) const { return !(*this == other); }
  /// A total order for sorted sets: numbers by value (exactly, also int
  /// against float), ties by kind, then strings by code point.
  bool operator<(const Value &other) const;

  friend llvm::hash_code hash_value(const Value &value);

  /// As a literal of the RASP language: `"a"`, `3`, `0.5`, `True`; floats in
  /// shortest form that reads back, always with a `.` or an exponent.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
  /// As sequences show it: strings unquoted, bools `T`/`F`, floats rounded to
  /// three decimals.
  std::string display() const;

  llvm::json::Value toJSON() const;
  /// Bool, integer, double or string; anything else is none.
  static std::optional<Value> fromJSON(const llvm::json::Value &json);

private:
  struct Interned {
    const char *data;
    size_t size;
  };
  union {
    bool boolValue;
    int64_t intValue;
    double floatValue;
    const Interned *stringValue;
  };
  ValueKind theKind;
};

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const Value &value);

/// Python's `==`: numbers by value whatever their kind, different kinds of
/// thing unequal.
bool pythonEqual(const Value &a, const Value &b);

/// Python's `str()` of a value: "1", "2.5", "True", strings as they are.
std::string pythonStr(const Value &value);
/// Python's `repr()` of a float: shortest digits that read back, "2.0", "1e+16".
std::string pythonFloatRepr(double d);

} // namespace rasp::ir

#endif
