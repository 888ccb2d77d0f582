//===- backend/tools/Compilation.cpp - one program through all stages -----===//

#include "backend/tools/Compilation.h"
#include "backend/Assemble.h"
#include "backend/Certify.h"
#include "backend/GroundTruth.h"
#include "ir/FailureChecks.h"
#include "ir/NearestName.h"
#include "ir/UselessOps.h"
#include "runtime/TensorList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace rasp;

void Compilation::setText(llvm::StringRef text, llvm::StringRef name) {
  programName = llvm::sys::path::filename(name).str();
  bufferId = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, name), llvm::SMLoc());
}

const frontend::Binding *Compilation::findNamed(const std::string &name,
                                                llvm::SMRange range) {
  if (const frontend::Binding *binding = bindings.find(name))
    return binding;
  ir::NearestName nearest(name);
  for (const frontend::Binding &binding : bindings.bindings)
    if (binding.kind == frontend::BindingKind::Sop)
      nearest.consider(binding.name);
  diags.emit(range, ir::diag::UnknownOutput, name, nearest.question()).fixIt =
      nearest.name();
  return nullptr;
}

bool Compilation::evaluate(CompileOptions given,
                           const frontend::Options &frontendOptions) {
  options = std::move(given);
  options.addPragmas(frontend::readPragmas(sources, bufferId), diags);
  bindings =
      frontend::evaluateProgram(bufferId, program, diags, frontendOptions);
  if (diags.hasErrors())
    return false;

  const frontend::Binding *binding = nullptr;
  if (options.output) {
    binding = findNamed(*options.output, options.outputRange);
    if (!binding)
      return false;
    if (binding->kind != frontend::BindingKind::Sop) {
      diags.emit(binding->range, ir::diag::OutputIsNoSop, binding->name);
      return false;
    }
  } else {
    binding = bindings.lastSop();
    if (!binding) {
      diags.emit({}, ir::diag::NoOutput);
      return false;
    }
    options.output = binding->name;
  }
  output = binding->node;

  if (!options.vocabulary)
    diags.emit({}, ir::diag::MissingOption, "--vocab=LIST", "vocab: a,b,c");
  if (!options.maxSeqLen)
    diags.emit({}, ir::diag::MissingOption, "--max-seq-len=N",
               "max-seq-len: 8");
  if (diags.hasErrors())
    return false;
  domain.vocabulary = *options.vocabulary;
  domain.maxSeqLen = *options.maxSeqLen;
  domain.causal = options.causal.value_or(false);
  return true;
}

bool Compilation::chooseForm(llvm::ArrayRef<std::string> materialise,
                             bool plain) {
  for (const std::string &name : materialise) {
    const frontend::Binding *binding = findNamed(name, {});
    if (binding && binding->kind != frontend::BindingKind::Sop)
      diags.emit(binding->range, ir::diag::KeptIsNoSop, name);
    else if (binding)
      required.insert(binding->node);
  }
  materialised = materialise.vec();
  isPlain = plain;
  module.emplace(
      program, output,
      ir::ProgramHeader{*options.output, options.tokens.value_or("str"),
                        domain.vocabulary, domain.maxSeqLen, domain.causal});
  module->kept = required;
  ir::PassContext context{diags, makesRemarks ? &remarks : nullptr};
  for (llvm::StringRef pass : ir::pipeline(plain))
    if (!isStopped() && !ir::runPass(pass, *ir::findPass(pass)->function,
                                     *module, context, passes))
      return false;
  required = module->kept;
  compiled = module->outputs.front();
  names.emplace(compiled);
  return !diags.hasErrors();
}

bool Compilation::inferValues(llvm::ArrayRef<std::string> materialise,
                              bool everything) {
  if (!chooseForm(materialise, /*plain=*/everything))
    return false;
  if (isStopped())
    return true;
  if (everything)
    for (const ir::Node *node : ir::reachable(compiled))
      if (ir::isElementwise(node->kind()) && !node->name().empty())
        wished.insert(node);
  module->kept.insert(wished.begin(), wished.end());
  ir::PassContext context{diags};
  auto infer = [&](ir::Module &module, ir::PassContext &context) {
    values = std::make_shared<ir::ValueSets>(compiled, domain, context.diags,
                                             module.kept, limits);
    if (passes.options().observes())
      ir::showValues(module, *values, compiled);
    return true;
  };
  if (!ir::runPass("value-sets", infer, *module, context, passes) ||
      !ir::checkFailures(compiled, *values, diags, output))
    return false;
  ir::warnOfUselessOps(output, compiled, *values, diags);
  warnOfUnused();
  return !diags.hasErrors();
}

void Compilation::warnOfUnused() {
  std::vector<const ir::Node *> roots{output};
  roots.insert(roots.end(), required.begin(), required.end());
  llvm::DenseSet<const ir::Node *> used;
  for (const ir::Node *node : ir::reachable(roots))
    used.insert(node);
  for (const frontend::Binding &binding : bindings.bindings)
    if (binding.node && !used.contains(binding.node))
      diags.emit(binding.range, ir::diag::Unused, binding.name,
                 *options.output);
}

bool Compilation::layOut() {
  layout = backend::layOut(circuit);
  return true;
}

/// A few inputs of all lengths, for readers of the file to test themselves. The
/// file has `outputs` numbers for each of their tokens: where these are many,
/// inputs are fewer and shorter.
static std::vector<std::vector<rt::Atom>> makeExamples(const ir::Domain &domain,
                                                       size_t outputs) {
  constexpr size_t mostNumbers = 1 << 17, leastInputs = 3;
  constexpr unsigned longestInput = 64, mostInputs = 8;
  size_t most = std::max<size_t>(1, mostNumbers / std::max<size_t>(1, outputs));
  auto longest = static_cast<unsigned>(
      std::clamp<size_t>(most / leastInputs, 1, longestInput));
  auto count = static_cast<unsigned>(
      std::min<size_t>({mostInputs, domain.maxSeqLen + 3u,
                        std::max(leastInputs, most / longest)}));
  std::vector<std::vector<rt::Atom>> examples;
  size_t tokens = domain.vocabulary.size();
  uint64_t state = 1;
  for (unsigned e = 0; e < count; ++e) {
    // The longest first, then shorter and shorter ones.
    unsigned length =
        std::max(1u, domain.maxSeqLen - std::min(domain.maxSeqLen - 1,
                                                 e * domain.maxSeqLen / count));
    length = std::min(length, longest);
    std::vector<rt::Atom> example;
    for (unsigned i = 0; i < length; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      example.push_back(
          backend::toAtom(domain.vocabulary[(state >> 33) % tokens]));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

rt::Model Compilation::makeModel() {
  rt::Model model = backend::assemble(circuit, layout, domain, dtype);
  backend::GroundTruth truth =
      backend::describe(circuit, layout, compiled, *names, *values, sources);
  model.residual = std::move(truth.residual);
  model.circuit = std::move(truth.circuit);
  model.ir = std::move(truth.ir);
  rt::Certificate certificate =
      backend::certify(circuit, layout, *names, *values,
                       dtype == rt::DType::Float64 ? 0x1p-53 : 0x1p-24);
  certificate.program = programName;
  certificate.weightHash = rt::hashOfWeights(model);
  model.certificate = rt::toJSON(certificate);
  model.programText = sources.getMemoryBuffer(bufferId)->getBuffer().str();
  model.programName = programName;
  llvm::json::Value given = options.toJSON();
  if (!materialised.empty())
    (*given.getAsObject())["materialize"] = llvm::json::Array(materialised);
  if (isPlain)
    (*given.getAsObject())["plain"] = true;
  model.options = std::move(given);
  model.examples = makeExamples(domain, circuit.readout.logits.size());
  return model;
}
