//===- test/fuzz/FuzzCircuit.cpp - circuits as text -----------------------===//
//
// What parses and verifies must print, and parse to the same print. Every pass
// must leave it well-formed and say truly whether it changed anything, and do
// the same to what was printed and read. Then it is laid out and assembled.
//
//===----------------------------------------------------------------------===//

#include "backend/Assemble.h"
#include "backend/CircuitParser.h"
#include "backend/CircuitPasses.h"
#include "backend/HeadChain.h"
#include "test/fuzz/Fuzz.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;

static std::optional<backend::Circuit> read(llvm::StringRef text) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  unsigned id = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "fuzz.circuit"), {});
  backend::CircuitRanges ranges;
  std::optional<backend::Circuit> circuit =
      backend::parseCircuit(id, diags, &ranges);
  if (circuit.has_value() == diags.hasErrors())
    fuzz::report("errors, but a result; or neither");
  if (circuit && !backend::verify(*circuit, diags, &ranges))
    circuit.reset();
  std::string messages;
  llvm::raw_string_ostream os(messages);
  diags.printAll(os);
  diags.printJSON(os);
  return circuit;
}

static std::string print(const backend::Circuit &circuit) {
  std::string text;
  llvm::raw_string_ostream os(text);
  backend::print(os, circuit);
  return text;
}

/// As many tokens and positions as the tables have entries.
static ir::Domain domainOf(const backend::Circuit &circuit) {
  ir::Domain domain;
  size_t tokens = 1, positions = 1;
  for (const backend::Direction &direction : circuit.directions)
    if (direction.writer == backend::WriterKind::TokenEmbed)
      tokens = std::max<size_t>(1, direction.table.size());
    else if (direction.writer == backend::WriterKind::PosEmbed)
      positions = std::max<size_t>(1, direction.table.size());
  for (size_t i = 0; i < tokens; ++i)
    domain.vocabulary.push_back(ir::Value::integer(static_cast<int64_t>(i)));
  domain.maxSeqLen = static_cast<unsigned>(positions);
  return domain;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::optional<backend::Circuit> circuit = read(fuzz::textOf(data, size));
  if (!circuit)
    return 0;
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  ir::PassOptions options;
  options.verifyEach = true;
  ir::PassManager passes(options, "fuzz");
  for (llvm::StringRef pass :
       {"remove-dead", "schedule", "level-widths", "reuse-directions"}) {
    std::string printed = print(*circuit);
    std::optional<backend::Circuit> again = read(printed);
    if (!again || print(*again) != printed)
      fuzz::report("printed and read again, this differs:\n" + printed);
    auto *function = backend::findPass(pass)->function;
    if (!backend::runPass(pass, function, *circuit, diags, passes))
      fuzz::report(diags.all().back().message);
    function(*again);
    if (print(*again) != print(*circuit))
      fuzz::report("not the same after " + pass + ":\n" + printed);
  }
  backend::longestHeadChain(*circuit);
  ir::Domain domain = domainOf(*circuit);
  constexpr uint64_t mostParameters = 1 << 22;
  if (backend::countParameters(*circuit, domain) > mostParameters)
    return 0;
  backend::assemble(*circuit, backend::layOut(*circuit), domain,
                    rt::DType::Float32);
  return 0;
}
