//===- backend/tools/Explanation.h - what became of a program ---*- C++ -*-===//
//
// For `--remarks` and `--explain`: the remarks on a whole compilation, and the
// op that a name of the program or of its IR stands for.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_EXPLANATION_H
#define RASP_BACKEND_TOOLS_EXPLANATION_H

#include "backend/tools/Compilation.h"

namespace llvm {
class Regex;
}

namespace rasp {

/// All remarks, in the order of the source; those on the whole come last. The
/// program has been compiled with `makesRemarks`, at least up to its values.
ir::Remarks remarksOn(const Compilation &compilation);

/// Adds them to the messages of the compilation, each with the name of its op
/// as `--emit=ir` has it. With `filter` only those whose kind it matches.
void addRemarks(Compilation &compilation, const llvm::Regex *filter);

/// Tells the story of what `name` stands for, on `os`; false after an error.
/// The program has been compiled with `makesRemarks` and laid out.
bool explain(Compilation &compilation, llvm::StringRef name,
             llvm::raw_ostream &os);

} // namespace rasp

#endif
