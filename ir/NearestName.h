//===- ir/NearestName.h - what a mistyped name was meant to be --*- C++ -*-===//
//
// For messages about names that there are not: the name to suggest, if there is
// one that looks like it.
//

#ifndef RASP_IR_NEARESTNAME_H
#define RASP_IR_NEARESTNAME_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace rasp::ir {

/// Finds the candidate that a name was likely meant to be: the first of those
/// that fewest edits lead to, if these are few for its length.
class NearestName {
public:
  explicit NearestName(llvm::StringRef written)
      : written(written),
        bestDistance(static_cast<unsigned>(written.size()) / 3 + 1) {}

  void consider(llvm::StringRef candidate) {
    unsigned distance = written.edit_distance(
        candidate, /*AllowReplacements=*/true, bestDistance);
    // A name of which nothing is left is another one.
    if (distance >= written.size())
      return;
    if (distance < bestDistance || (distance == bestDistance && best.empty())) {
      best = candidate.str();
      bestDistance = distance;
    }
  }

  /// Empty if nothing is near.
  const std::string &name() const { return best; }
  /// "; did you mean `tokens`?", or nothing.
  std::string question() const {
    return best.empty() ? "" : "; did you mean `" + best + "`?";
  }

private:
  llvm::StringRef written;
  std::string best;
  unsigned bestDistance;
};

} // namespace rasp::ir

#endif
