//===- ir/Parser.h - from text to RASP IR -----------------------*- C++ -*-===//
//
// Reads what Printer.h describes. The ops of the text become nodes as they
// stand there, equal ones too, with their places in the text as source ranges.
// A name that the printer would give to an op anyway (`opp_index.sub`) is no
// name of a variable and may change when the op does.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_PARSER_H
#define RASP_IR_PARSER_H

#include "ir/Diagnostics.h"
#include "ir/Module.h"

namespace rasp::ir {

/// Fills the empty `module` with the text of the buffer; false after errors,
/// which are all told.
bool parse(unsigned bufferId, Module &module, Diagnostics &diags);

} // namespace rasp::ir

#endif
