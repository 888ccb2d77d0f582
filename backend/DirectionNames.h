//===- backend/DirectionNames.h - what texts call a direction ---*- C++ -*-===//
//
// The residual label in brackets: `[tokens:a]`, `[length]`. A variable or a
// value that would be read as something else, or not at all, is quoted,
// `[tokens:"]"]`. Where several directions have the same label, all but the
// first get their number, `[mean#2]`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_DIRECTIONNAMES_H
#define RASP_BACKEND_DIRECTIONNAMES_H

#include "backend/Circuit.h"

namespace rasp::backend {

struct DirectionName {
  std::string space, label; ///< as in Direction
  uint64_t number = 1;      ///< among those with the same label

  /// Reads what `text` writes; none if it is no such name.
  static std::optional<DirectionName> parse(llvm::StringRef text);
  std::string text() const;
};

/// The names of all directions of a circuit, which must not change meanwhile.
class DirectionNames {
public:
  explicit DirectionNames(const Circuit &circuit);

  llvm::StringRef of(DirId dir) const {
    return names[static_cast<uint32_t>(dir)];
  }

private:
  std::vector<std::string> names;
};

} // namespace rasp::backend

#endif
