//===- ir/QuotedText.cpp - strings of the textual forms -------------------===//

#include "ir/QuotedText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace rasp::ir;
using llvm::StringRef;

static llvm::SMRange rangeOf(StringRef text) {
  return {llvm::SMLoc::getFromPointer(text.begin()),
          llvm::SMLoc::getFromPointer(text.end())};
}

std::string rasp::ir::hexByte(char byte) {
  return llvm::toHex(StringRef(&byte, 1), /*LowerCase=*/true);
}

QuotedText rasp::ir::quotedAt(const char *quote, const char *endOfText) {
  const char *at = quote + 1;
  while (at != endOfText && *at != '"' && *at != '\n')
    at += *at == '\\' && at + 1 != endOfText && at[1] != '\n' ? 2 : 1;
  bool isClosed = at != endOfText && *at == '"';
  return {{quote, static_cast<size_t>(at - quote) + isClosed}, isClosed};
}

/// The code unit that four hexadecimal digits are.
static std::optional<unsigned> codeUnit(StringRef digits) {
  unsigned unit;
  if (digits.size() != 4 || digits.getAsInteger(16, unit))
    return std::nullopt;
  return unit;
}

/// How long the escape at the front of `text` is; 0 after an error.
static size_t checkEscape(StringRef text, Diagnostics &diags) {
  auto report = [&](size_t size, StringRef problem) {
    StringRef escape = text.take_front(size);
    diags.emit(rangeOf(escape), diag::BadEscape, escape.str(), problem);
    return 0;
  };
  char kind = text[1];
  if (StringRef("\"\\/bfnrt").contains(kind))
    return 2;
  if (kind != 'u')
    return report(1 + llvm::getNumBytesForUTF8(static_cast<uint8_t>(kind)),
                  "is no escape; a backslash itself is written `\\\\`");
  std::optional<unsigned> unit = codeUnit(text.substr(2, 4));
  if (!unit)
    return report(2 + text.substr(2, 4).take_while(llvm::isHexDigit).size(),
                  "is no escape; `\\u` takes four hexadecimal digits");
  auto isFirstHalf = [](unsigned own) { return own >> 10 == 0xd800 >> 10; };
  auto isSecondHalf = [](unsigned own) { return own >> 10 == 0xdc00 >> 10; };
  if (isSecondHalf(*unit))
    return report(6, "is the second half of a character, without the first");
  if (!isFirstHalf(*unit))
    return 6;
  StringRef rest = text.drop_front(6);
  if (!rest.consume_front("\\u") ||
      !isSecondHalf(codeUnit(rest.take_front(4)).value_or(0)))
    return report(6, "is the first half of a character, without the second");
  return 12;
}

/// How a control character is written in a string.
static std::string escapeOf(char control) {
  switch (control) {
  case '\t':
    return "\\t";
  case '\r':
    return "\\r";
  default:
    return "\\u00" + hexByte(control);
  }
}

bool rasp::ir::checkQuoted(const QuotedText &string, Diagnostics &diags) {
  StringRef text = string.text;
  if (!string.isClosed) {
    diags.emit(rangeOf(text), diag::UnterminatedString);
    return false;
  }
  if (size_t bad; !llvm::json::isUTF8(text, &bad)) {
    diags.emit(rangeOf(text.substr(bad, 1)), diag::NotUtf8, hexByte(text[bad]),
               "");
    return false;
  }
  for (size_t at = 1; at + 1 < text.size();) {
    if (text[at] == '\\') {
      size_t size = checkEscape(text.drop_front(at), diags);
      if (size == 0)
        return false;
      at += size;
      continue;
    }
    if (static_cast<uint8_t>(text[at]) < ' ') {
      std::string escape = escapeOf(text[at]);
      diags
          .emit(rangeOf(text.substr(at, 1)), diag::ControlCharacter,
                hexByte(text[at]), escape)
          .fixIt = escape;
      return false;
    }
    ++at;
  }
  return true;
}
