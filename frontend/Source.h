//===- frontend/Source.h - from code points back to bytes -------*- C++ -*-===//
//
// ANTLR counts in code points, llvm::SMLoc points at bytes. A Source holds a
// buffer in both forms and converts between them; nothing else does.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_SOURCE_H
#define RASP_FRONTEND_SOURCE_H

#include "ir/Diagnostics.h"
#include <optional>
#include <string>
#include <vector>

namespace rasp::frontend {

class Source {
public:
  /// The text of the buffer, or nothing, with a diagnostic, if it is not
  /// UTF-8.
  static std::optional<Source> read(unsigned bufferId, ir::Diagnostics &diags);

  llvm::StringRef text() const { return bytes; }
  const std::u32string &codePoints() const { return points; }

  /// Where code point `index` stands; the end of the text for larger ones.
  llvm::SMLoc location(size_t index) const;
  /// From code point `begin` up to but not including `end`.
  llvm::SMRange range(size_t begin, size_t end) const {
    return {location(begin), location(end)};
  }

private:
  llvm::StringRef bytes;
  std::u32string points;
  /// Byte offset of every code point; empty when the text is all ASCII.
  std::vector<uint32_t> offsets;
};

} // namespace rasp::frontend

#endif
