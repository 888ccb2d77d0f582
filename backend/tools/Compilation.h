//===- backend/tools/Compilation.h - one program through all stages -*- C++
//-*-===//
//
// Holds what the stages hand to each other, in order: text, IR, value sets,
// circuit, layout, model. Each step needs the ones before it and returns
// whether it succeeded; messages collect in `diags`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_COMPILATION_H
#define RASP_BACKEND_TOOLS_COMPILATION_H

#include "backend/Layout.h"
#include "backend/tools/CompileOptions.h"
#include "ir/Printer.h"

namespace rasp {

class Compilation {
public:
  Compilation() : diags(sources) {}

  /// Reads the program; `name` is what messages call it.
  void setText(llvm::StringRef text, llvm::StringRef name);
  /// Text to IR: evaluates the program, settles the options, finds the output.
  bool evaluate(CompileOptions given, const frontend::Options &options = {});
  /// Value sets of everything that the output depends on. The s-ops named in
  /// `materialise` - with `everything`, all named ones - get directions of
  /// their own.
  bool inferValues(llvm::ArrayRef<std::string> materialise = {},
                   bool everything = false);
  /// Heads and neurons, placed in layers.
  bool synthesise(rt::DType dtype);
  bool layOut();
  rt::Model makeModel(rt::DType dtype);

  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  unsigned bufferId = 0;
  std::string programName;
  CompileOptions options; ///< complete after `evaluate`
  ir::Domain domain;
  ir::Program program;
  frontend::Evaluation bindings;
  const ir::Node *output = nullptr;
  std::optional<ir::NodeNames> names;
  std::unique_ptr<ir::ValueSets> values;
  backend::Circuit circuit;
  backend::Layout layout;
};

} // namespace rasp

#endif
