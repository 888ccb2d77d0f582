//===- test/unit/backend/Compiled.h - programs compiled in tests -*- C++
//-*-===//

#ifndef RASP_TEST_UNIT_BACKEND_COMPILED_H
#define RASP_TEST_UNIT_BACKEND_COMPILED_H

#include "backend/tools/Compilation.h"
#include "gtest/gtest.h"

namespace rasp {

/// The text, options as pragmas in it, taken through all stages, at -O0 with
/// directions for `everything`; null with a failure of the test if there are
/// errors.
inline std::unique_ptr<Compilation>
compileText(llvm::StringRef text, rt::DType dtype = rt::DType::Float32,
            bool everything = false, bool smallest = false) {
  auto compilation = std::make_unique<Compilation>();
  SynthesisOptions effort;
  effort.dtype = dtype;
  effort.smallest = smallest;
  compilation->setText(text, "test.rasp");
  if (compilation->evaluate({}) && compilation->inferValues({}, everything) &&
      compilation->synthesise(effort) && compilation->layOut())
    return compilation;
  std::string messages;
  llvm::raw_string_ostream os(messages);
  compilation->diags.printAll(os);
  ADD_FAILURE() << messages;
  return nullptr;
}

} // namespace rasp

#endif
