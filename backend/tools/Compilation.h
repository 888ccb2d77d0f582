//===- backend/tools/Compilation.h - one program through all stages -*- C++
//-*-===//
//
// Holds what the stages hand to each other, in order: text, IR, value sets,
// circuit, layout, model. Each step needs the ones before it and returns
// whether it succeeded; messages collect in `diags`.
//
// Synthesis does not give up at the first refusal (Synthesis.cpp). It tries, in
// this order and as far as the caller leaves it the choice:
//
// 1. value sets by analysis, float32;
// 2. value sets as they occur on all inputs, where these are few;
// 3. at -O0, fewer s-ops with directions of their own: those that the refused
//    one depends on most closely lose them first;
// 4. float64, and then 2 and 3 again.
//
// Where the smallest model is wanted, it then makes other choices, one after
// the other, and keeps those that take parameters away.
//
// What it chose, it says in a warning. If everything is refused, it reports the
// first refusal, and notes whether the other dtype would do and up to which
// length the program compiles, both found by compiling.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_BACKEND_TOOLS_COMPILATION_H
#define RASP_BACKEND_TOOLS_COMPILATION_H

#include "backend/Layout.h"
#include "backend/tools/CompileOptions.h"
#include "ir/Passes.h"
#include "ir/Printer.h"
#include "runtime/Certificate.h"
#include "runtime/WeightFile.h"

namespace rasp {

/// A gigabyte of float32.
inline constexpr uint64_t defaultMaxParameters = uint64_t(1) << 28;

/// How far synthesis goes to avoid a refusal.
struct SynthesisOptions {
  /// None to take float32, and float64 where only that is exact.
  std::optional<rt::DType> dtype;
  /// Whether a refusal is followed by notes on what would compile. They cost at
  /// most as many compilations as twice the logarithm of the length.
  bool explain = true;
  /// Whether the program may be run to see which values occur.
  bool observe = true;
  /// Whether other choices are tried until the model gets no smaller; layers do
  /// not count.
  bool smallest = false;
  /// A larger model is refused; counted are the numbers of the file, padded or
  /// not.
  uint64_t maxParameters = defaultMaxParameters;
  rt::Padding padding = rt::Padding::Uniform;
};

class Compilation {
public:
  /// `passes` sees the passes that run; none wants to, if it is null.
  explicit Compilation(ir::PassManager *passes = nullptr)
      : diags(sources), unseen({}, ""), passes(passes ? *passes : unseen) {}

  /// Reads the program; `name` is what messages call it.
  void setText(llvm::StringRef text, llvm::StringRef name);
  /// Text to IR: evaluates the program, settles the options, finds the output.
  bool evaluate(CompileOptions given, const frontend::Options &options = {});
  /// Finds the form of the output that is compiled, and names its nodes. The
  /// s-ops named in `materialise` get directions of their own; `plain` leaves
  /// conditions as they are written.
  bool chooseForm(llvm::ArrayRef<std::string> materialise, bool plain);
  /// That, and value sets of everything that the output depends on. With
  /// `everything` all named s-ops get directions, as far as that compiles.
  bool inferValues(llvm::ArrayRef<std::string> materialise = {},
                   bool everything = false);
  /// Whether the pass to stop after has run.
  bool isStopped() const { return passes.isStopped(); }
  /// Heads and neurons, placed in layers.
  bool synthesise(const SynthesisOptions &effort = {});
  bool layOut();
  rt::Model makeModel();
  /// Up to which length the program compiles in the chosen precision. Doubles
  /// the length until it is refused, and then bisects; gives up where models
  /// become large.
  rt::Certificate::Reach findReach();

  /// What the program assigns to a name; null after a message, which is about
  /// `range`.
  const frontend::Binding *findNamed(const std::string &name,
                                     llvm::SMRange range);

  /// Warns of s-ops and selectors that the output does not depend on.
  void warnOfUnused();

  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  unsigned bufferId = 0;
  std::string programName;
  CompileOptions options; ///< complete after `evaluate`
  ir::Domain domain;
  ir::ValueSetLimits limits;
  ir::Program program;
  frontend::Evaluation bindings;
  const ir::Node *output = nullptr;
  /// What passes over IR work on; there from `chooseForm` on.
  std::optional<ir::Module> module;
  /// The same function of the input, in the form that is compiled; there from
  /// `chooseForm` on.
  const ir::Node *compiled = nullptr;
  std::optional<ir::NodeNames> names;
  std::shared_ptr<ir::ValueSets> values;
  /// Whether remarks are made from here on, and those on the form and on the
  /// choices; the circuit has others.
  bool makesRemarks = false;
  ir::Remarks remarks;
  /// What `chooseForm` was given.
  std::vector<std::string> materialised;
  bool isPlain = false;
  ir::KeptNodes required; ///< get directions of their own
  ir::KeptNodes wished;   ///< the same, if that compiles
  /// The choices of `synthesise`.
  rt::DType dtype = rt::DType::Float32;
  bool observed = false; ///< `values` is what occurs on all inputs
  std::vector<const ir::Node *> released; ///< wished, but not kept
  backend::Circuit circuit;
  backend::Layout layout;

private:
  ir::PassManager unseen;

public:
  ir::PassManager &passes;
};

} // namespace rasp

#endif
