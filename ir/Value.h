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
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rasp::ir {

enum class ValueKind : uint8_t { Bool, Int, Float, String };

/// The word the language uses for the kind: "bool", "int", "float", "string".
llvm::StringRef kindName(ValueKind kind);

/// One atom; 16 bytes, trivially copyable. Strings are interned for the life
/// of the process, so equal strings have equal addresses. A float zero has no
/// sign: nothing in the language could tell the two zeros apart but printing.
class Value {
public:
  Value() : intValue(0), theKind(ValueKind::Int) {}
  static Value boolean(bool b) {
    Value value;
    value.intValue = b;
    value.theKind = ValueKind::Bool;
    return value;
  }
  static Value integer(int64_t i) {
    Value value;
    value.intValue = i;
    return value;
  }
  static Value real(double d) {
    Value value;
    value.floatValue = d == 0 ? 0.0 : d;
    value.theKind = ValueKind::Float;
    return value;
  }
  static Value string(llvm::StringRef s);

  ValueKind kind() const { return theKind; }
  bool isBool() const { return theKind == ValueKind::Bool; }
  bool isInt() const { return theKind == ValueKind::Int; }
  bool isFloat() const { return theKind == ValueKind::Float; }
  bool isString() const { return theKind == ValueKind::String; }
  bool isNumeric() const { return theKind != ValueKind::String; }

  bool asBool() const {
    assert(isBool());
    return intValue != 0;
  }
  int64_t asInt() const {
    assert(isInt());
    return intValue;
  }
  double asFloat() const {
    assert(isFloat());
    return floatValue;
  }
  llvm::StringRef asString() const {
    assert(isString());
    return {stringValue->data, stringValue->size};
  }

  /// The integer that a bool or int stands for.
  int64_t toInt() const {
    assert(isBool() || isInt());
    return intValue;
  }
  /// The number that a bool, int or float stands for.
  double toDouble() const {
    assert(isNumeric());
    return isFloat() ? floatValue : static_cast<double>(intValue);
  }
  /// Python's truth: false are 0, 0.0, False and "".
  bool isTruthy() const {
    if (isFloat())
      return floatValue != 0;
    return isString() ? stringValue->size != 0 : intValue != 0;
  }

  /// Same kind and same payload: `1`, `1.0` and `True` are three values.
  bool operator==(const Value &other) const {
    return theKind == other.theKind && bits == other.bits;
  }
  bool operator!=(const Value &other) const { return !(*this == other); }
  /// A total order for sorted sets: numbers by value (exactly, also int
  /// against float), ties by kind, then strings by code point.
  bool operator<(const Value &other) const;

  friend llvm::hash_code hash_value(const Value &value) {
    return llvm::hash_combine(value.theKind, value.bits);
  }
  /// The payload as 64 bits: equal exactly for equal values of one kind. It
  /// differs from run to run for strings, so never let output depend on it.
  uint64_t payload() const { return bits; }

  /// As a literal of the RASP language: `"a"`, `3`, `0.5`, `True`; floats in
  /// shortest form that reads back, always with a `.` or an exponent. Quotes,
  /// backslashes and control characters inside strings are escaped as in JSON,
  /// so that the text is unambiguous (the language itself has no escapes).
  void print(llvm::raw_ostream &os) const;
  std::string str() const;
  /// As sequences show it: strings unquoted, bools `T`/`F`, floats rounded to
  /// three decimals.
  std::string display() const;

  /// As JSON that keeps the kind: ints without, floats with a decimal point or
  /// an exponent.
  void printJSON(llvm::raw_ostream &os) const;
  /// For JSON objects of LLVM, which print a float such as 2.0 as `2`.
  llvm::json::Value toJSON() const;
  /// Bool, number or string; anything else is none. A number without a
  /// fraction becomes an int, since LLVM's JSON doesn't tell 2.0 from 2; use
  /// `parseJSON` where kinds matter.
  static std::optional<Value> fromJSON(const llvm::json::Value &json);

private:
  struct Interned {
    const char *data;
    size_t size;
  };
  union {
    int64_t intValue; ///< also of bools: 0 or 1
    double floatValue;
    const Interned *stringValue;
    uint64_t bits;
  };
  static_assert(sizeof(const Interned *) == sizeof(uint64_t));
  ValueKind theKind;
};

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, const Value &value);

/// Reads one JSON scalar; a number is a float exactly if it is written with a
/// point or an exponent.
llvm::Expected<Value> parseJSON(llvm::StringRef text);
/// Reads a JSON list of scalars, kinds as in `parseJSON`.
llvm::Expected<std::vector<Value>> parseJSONList(llvm::StringRef text);

/// `text` in double quotes, escaped as in JSON; other than JSON's own writer it
/// leaves bytes alone that are no UTF-8.
void printQuoted(llvm::raw_ostream &os, llvm::StringRef text);

/// Number against number exactly, also int against float: negative, zero or
/// positive as `a` is less than, equal to or greater than `b`.
int compareNumbers(const Value &a, const Value &b);

/// Python's `==`: numbers by value whatever their kind, different kinds of
/// thing unequal.
bool pythonEqual(const Value &a, const Value &b);

/// Python's `str()` of a value: "1", "2.5", "True", strings as they are.
std::string pythonStr(const Value &value);
/// Python's `repr()` of a float: shortest digits that read back, "2.0",
/// "1e+16".
std::string pythonFloatRepr(double d);

} // namespace rasp::ir

#endif
