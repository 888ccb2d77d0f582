//===- ir/QuotedText.h - strings of the textual forms -----------*- C++ -*-===//
//
// Strings stand in texts as JSON has them, on one line. What JSON does not
// allow is reported where it is, not as a string that is wrong somewhere.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_QUOTEDTEXT_H
#define RASP_IR_QUOTEDTEXT_H

#include "ir/Diagnostics.h"

namespace rasp::ir {

/// From a quote to the next one, or to the end of the line.
struct QuotedText {
  llvm::StringRef text; ///< with its quotes
  bool isClosed = false;
};
QuotedText quotedAt(const char *quote, const char *endOfText);

/// Whether JSON allows the string; reports the first reason why not.
bool checkQuoted(const QuotedText &string, Diagnostics &diags);

/// "0a", for messages about bytes.
std::string hexByte(char byte);

} // namespace rasp::ir

#endif
