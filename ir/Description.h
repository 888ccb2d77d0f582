//===- ir/Description.h - what messages call an s-op ------------*- C++ -*-===//

#ifndef RASP_IR_DESCRIPTION_H
#define RASP_IR_DESCRIPTION_H

#include "ir/Program.h"
#include <string>

namespace rasp::ir {

/// In backticks: the name of an s-op, or else its text if that is short.
std::string describe(const Node *node);

} // namespace rasp::ir

#endif
