//===- ir/Format.cpp - Python's printf formatting of one atom -------------===//
//
// `"%05.2f" % x` as Python does it. Flags, width and precision go to the C
// library, whose conversions d, e, f, g, o, x agree with Python's.
//
//===----------------------------------------------------------------------===//

#include "ir/Elementwise.h"
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

/// Pads a piece of text to the width, which counts code points.
static std::string pad(std::string text, const Conversion &conversion) {
  size_t length =
      llvm::count_if(text, [](char c) { return (c & 0xc0) != 0x80; });
  if (length >= conversion.width)
    return text;
  std::string padding(conversion.width - length, ' ');
  bool left = conversion.flags.find('-') != std::string::npos;
  return left ? text + padding : padding + text;
}

/// Formats a number by the C library; `length` is its modifier, such as "ll".
template <typename T>
static std::string formatNumber(const Conversion &conversion, StringRef length,
                                char letter, T number) {
  std::string spec = "%" + conversion.flags + "*.*" + length.str() + letter;
  int width = conversion.width;
  int precision = conversion.precision ? int(*conversion.precision) : -1;
  int size = std::snprintf(nullptr, 0, spec.c_str(), width, precision, number);
  std::string text(size + 1, '\0');
  std::snprintf(text.data(), text.size(), spec.c_str(), width, precision,
                number);
  text.pop_back();
  return text;
}

/// Python writes hexadecimal and octal numbers with a sign, C as unsigned.
static std::string formatUnsigned(const Conversion &conversion,
                                  int64_t number) {
  Conversion plain = conversion;
  bool negative = number < 0;
  uint64_t magnitude = negative ? -static_cast<uint64_t>(number) : number;
  llvm::erase_if(plain.flags, [](char c) { return c == '+' || c == ' '; });
  StringRef sign = negative                                          ? "-"
                   : conversion.flags.find('+') != std::string::npos ? "+"
                   : conversion.flags.find(' ') != std::string::npos ? " "
                                                                     : "";
  if (sign.empty())
    return formatNumber(plain, "ll", conversion.letter,
                        static_cast<unsigned long long>(magnitude));
  bool zeros = plain.flags.find('0') != std::string::npos;
  plain.width = zeros && plain.width > 0 ? plain.width - 1 : 0;
  std::string digits = formatNumber(plain, "ll", conversion.letter,
                                    static_cast<unsigned long long>(magnitude));
  return pad(sign.str() + digits, conversion);
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
    EvalResult whole = tokenLeaf(OpKind::TokensInt, argument);
    if (!whole)
      return whole;
    return Value::string(formatNumber(
        conversion, "ll", 'd', static_cast<long long>(whole.value.asInt())));
  }
  case 'x':
  case 'X':
  case 'o':
    if (argument.isString() || argument.isFloat())
      return Failure::PythonType;
    return Value::string(formatUnsigned(conversion, argument.toInt()));
  case 'e':
  case 'E':
  case 'f':
  case 'F':
  case 'g':
  case 'G':
    if (argument.isString())
      return Failure::PythonType;
    return Value::string(
        formatNumber(conversion, "", conversion.letter, argument.toDouble()));
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
