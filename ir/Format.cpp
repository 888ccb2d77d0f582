//===- ir/Format.cpp - Python's printf formatting of one atom -------------===//
//
// `"%05.2f" % x` as Python does it. Floats are left to the C library, which
// agrees with Python on them.
//
//===----------------------------------------------------------------------===//

#include "ir/Elementwise.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include <cmath>
#include <cstdio>

using namespace rasp::ir;
using llvm::StringRef;

/// The widest field and the highest precision: enough for every double.
static constexpr unsigned maxFieldWidth = 1024;

namespace {
/// `%[flags][width][.precision]conversion`
struct Conversion {
  std::string flags;
  unsigned width = 0;
  std::optional<unsigned> precision;
  char letter = 0;
};
} // namespace

/// Takes decimal digits off `text`; none if the number is beyond all use.
static std::optional<unsigned> takeNumber(StringRef &text) {
  unsigned number = 0;
  StringRef digits = text.take_while(llvm::isDigit);
  text = text.drop_front(digits.size());
  if (!digits.empty() &&
      (digits.getAsInteger(10, number) || number > maxFieldWidth))
    return std::nullopt;
  return number;
}

static bool hasFlag(const Conversion &conversion, char flag) {
  return conversion.flags.find(flag) != std::string::npos;
}

/// Pads a piece of text to the width, which counts code points.
static std::string pad(std::string text, const Conversion &conversion) {
  size_t length =
      llvm::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
  if (length >= conversion.width)
    return text;
  std::string padding(conversion.width - length, ' ');
  return hasFlag(conversion, '-') ? text + padding : padding + text;
}

/// Formats a float by the C library.
static std::string formatReal(const Conversion &conversion, double number) {
  std::string spec = "%" + conversion.flags + "*.*" + conversion.letter;
  int width = conversion.width;
  int precision = conversion.precision ? int(*conversion.precision) : -1;
  int size = std::snprintf(nullptr, 0, spec.c_str(), width, precision, number);
  std::string text(size + 1, '\0');
  std::snprintf(text.data(), text.size(), spec.c_str(), width, precision,
                number);
  text.pop_back();
  return text;
}

/// The digits of the magnitude.
static std::string digitsOf(int64_t number, unsigned radix) {
  llvm::APInt wide(65, number, /*isSigned=*/true);
  return llvm::toString(wide.abs(), radix, /*Signed=*/false);
}

/// Formats an int, given by its sign and digits. Unlike C, Python signs
/// hexadecimal numbers, writes octal ones as `0o7`, and fills up with zeros
/// even where there is a precision.
static std::string formatInteger(const Conversion &conversion, bool negative,
                                 std::string digits) {
  std::string start = negative                   ? "-"
                      : hasFlag(conversion, '+') ? "+"
                      : hasFlag(conversion, ' ') ? " "
                                                 : "";
  char letter = conversion.letter;
  if (hasFlag(conversion, '#') && StringRef("oxX").contains(letter))
    start += {'0', letter};
  auto fill = [&](size_t size) {
    if (digits.size() < size)
      digits.insert(0, size - digits.size(), '0');
  };
  fill(conversion.precision.value_or(0));
  if (hasFlag(conversion, '0') && !hasFlag(conversion, '-') &&
      conversion.width > start.size())
    fill(conversion.width - start.size());
  return pad(start + digits, conversion);
}

/// The first `count` code points of `text`.
static StringRef takeCodePoints(StringRef text, unsigned count) {
  size_t end = 0;
  for (; end < text.size(); ++end)
    if ((text[end] & 0xc0) != 0x80 && count-- == 0)
      break;
  return text.take_front(end);
}

/// One character: a string of one code point, or the code point's number.
static EvalResult character(const Value &argument) {
  if (argument.isString()) {
    StringRef text = argument.asString();
    if (text.empty() || takeCodePoints(text, 1).size() != text.size())
      return Failure::PythonType;
    return argument;
  }
  if (argument.isFloat())
    return Failure::PythonType;
  int64_t codePoint = argument.toInt();
  if (codePoint < 0 || codePoint > 0x10ffff)
    return Failure::Overflow;
  char buffer[4], *end = buffer;
  if (!llvm::ConvertCodePointToUTF8(static_cast<unsigned>(codePoint), end))
    return Failure::PythonValue;
  return Value::string({buffer, static_cast<size_t>(end - buffer)});
}

/// Python's repr() of an atom: strings in single quotes where possible.
static std::string pythonRepr(const Value &value) {
  if (!value.isString())
    return pythonStr(value);
  StringRef text = value.asString();
  char quote = text.contains('\'') && !text.contains('"') ? '"' : '\'';
  std::string result(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\')
      result += '\\';
    result += c;
  }
  return result + quote;
}

static EvalResult convert(const Conversion &conversion, const Value &argument) {
  switch (conversion.letter) {
  case 's':
  case 'r': {
    std::string text =
        conversion.letter == 's' ? pythonStr(argument) : pythonRepr(argument);
    if (conversion.precision)
      text = takeCodePoints(text, *conversion.precision).str();
    return Value::string(pad(std::move(text), conversion));
  }
  case 'c': {
    EvalResult result = character(argument);
    if (!result)
      return result;
    return Value::string(pad(result.value.asString().str(), conversion));
  }
  case 'd':
  case 'i':
  case 'u': {
    if (argument.isString())
      return Failure::PythonType;
    if (!argument.isFloat())
      return Value::string(formatInteger(conversion, argument.toInt() < 0,
                                         digitsOf(argument.toInt(), 10)));
    double whole = std::trunc(argument.asFloat());
    if (!std::isfinite(whole))
      return Failure::Overflow;
    Conversion plain{"", 0, 0, 'f'};
    return Value::string(formatInteger(conversion, whole < 0,
                                       formatReal(plain, std::fabs(whole))));
  }
  case 'x':
  case 'X':
  case 'o': {
    if (argument.isString() || argument.isFloat())
      return Failure::PythonType;
    std::string digits =
        digitsOf(argument.toInt(), conversion.letter == 'o' ? 8 : 16);
    if (conversion.letter == 'x')
      digits = StringRef(digits).lower();
    return Value::string(
        formatInteger(conversion, argument.toInt() < 0, std::move(digits)));
  }
  case 'e':
  case 'E':
  case 'f':
  case 'F':
  case 'g':
  case 'G':
    if (argument.isString())
      return Failure::PythonType;
    return Value::string(formatReal(conversion, argument.toDouble()));
  default:
    return Failure::PythonValue;
  }
}

EvalResult rasp::ir::formatString(StringRef format, const Value &argument) {
  std::string result;
  bool used = false;
  while (!format.empty()) {
    auto [text, rest] = format.split('%');
    result += text;
    if (text.size() == format.size())
      break;
    format = rest;
    Conversion conversion;
    while (!format.empty() && StringRef("-+ #0").contains(format.front())) {
      if (conversion.flags.find(format.front()) == std::string::npos)
        conversion.flags += format.front();
      format = format.drop_front();
    }
    std::optional<unsigned> width = takeNumber(format);
    std::optional<unsigned> precision = 0;
    if (format.consume_front(".")) {
      precision = takeNumber(format);
      conversion.precision = precision;
    }
    if (!width || !precision)
      return Failure::Overflow;
    conversion.width = *width;
    // A length modifier means nothing.
    if (!format.empty() && StringRef("hlL").contains(format.front()))
      format = format.drop_front();
    if (format.empty())
      return Failure::PythonValue;
    conversion.letter = format.front();
    format = format.drop_front();
    if (conversion.letter == '%') {
      result += '%';
      continue;
    }
    if (used)
      return Failure::PythonType;
    used = true;
    EvalResult converted = convert(conversion, argument);
    if (!converted)
      return converted;
    result += converted.value.asString();
  }
  if (!used)
    return Failure::PythonType;
  if (result.size() > maxStringSize)
    return Failure::Overflow;
  return Value::string(result);
}
