//===- backend/tools/rasp-opt.cpp - passes over texts ---------------------===//
//
// Reads RASP IR or a circuit as text, runs the passes that are asked for, in
// that order, and prints what there is then.
//
//===----------------------------------------------------------------------===//

#include "backend/CircuitParser.h"
#include "backend/CircuitPasses.h"
#include "backend/CircuitVerifier.h"
#include "backend/Lowering.h"
#include "backend/tools/DiagnosticOptions.h"
#include "backend/tools/PassCommandLine.h"
#include "frontend/LargeStack.h"
#include "ir/FailureChecks.h"
#include "ir/Lexer.h"
#include "ir/Parser.h"
#include "ir/Passes.h"
#include "ir/Printer.h"
#include "ir/Verifier.h"
#include "runtime/tools/ToolMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace rasp;
namespace cl = llvm::cl;

namespace {
/// Passes are told apart by the positions that they have in their tables.
struct PassId {
  enum Kind { IR, Lower, Circuit } kind;
  unsigned index;

  llvm::StringRef name() const {
    switch (kind) {
    case IR:
      return ir::allPasses()[index].name;
    case Lower:
      return lowerName;
    case Circuit:
      return backend::allPasses()[index].name;
    }
    llvm_unreachable("all kinds are listed");
  }
};

/// A pass as an option: its number in the order of `--list-passes`.
enum class PassOption : unsigned {};

PassId passOf(PassOption option) {
  auto index = static_cast<unsigned>(option);
  unsigned ofIR = ir::allPasses().size();
  if (index < ofIR)
    return {PassId::IR, index};
  if (index == ofIR)
    return {PassId::Lower, 0};
  return {PassId::Circuit, index - ofIR - 1};
}

/// Reads options such as `--cse`.
class PassParser : public cl::parser<PassOption> {
public:
  explicit PassParser(cl::Option &option) : cl::parser<PassOption>(option) {
    unsigned count = ir::allPasses().size() + 1 + backend::allPasses().size();
    for (unsigned i = 0; i < count; ++i) {
      PassId pass = passOf(PassOption(i));
      llvm::StringRef summary =
          pass.kind == PassId::IR
              ? llvm::StringRef(ir::allPasses()[pass.index].summary)
          : pass.kind == PassId::Lower
              ? llvm::StringRef(lowerSummary)
              : llvm::StringRef(backend::allPasses()[pass.index].summary);
      addLiteralOption(pass.name(), PassOption(i), summary);
    }
  }
};

struct CommandLine {
  cl::OptionCategory category{"rasp-opt options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("FILE.rir|FILE.circuit"),
                             cl::init("-"), cl::cat(category)};
  cl::list<PassOption, bool, PassParser> passes{
      cl::desc("Passes, in the order in which they run:"), cl::cat(category)};
  cl::opt<std::string> outputPath{
      "o", cl::desc("Where to print; default: stdout"), cl::value_desc("FILE"),
      cl::init("-"), cl::cat(category)};
  PassCommandLine seen{category};
  DiagnosticOptions diagnostics{category};
  cl::opt<bool> listOps{"list-ops", cl::desc("List all ops of the RASP IR"),
                        cl::cat(category)};
};

/// The text, as what it is by now.
class Optimizer {
public:
  Optimizer(ir::Diagnostics &diags, ir::PassManager &passes)
      : diags(diags), passes(passes) {}

  bool read(unsigned bufferId);
  bool run(PassId pass);
  bool verify();
  void print(llvm::raw_ostream &os) const;
  bool isCircuit() const { return circuit.has_value(); }

private:
  bool lower();

  ir::Diagnostics &diags;
  ir::PassManager &passes;
  ir::Program program;
  ir::Module module{program};
  std::optional<backend::Circuit> circuit;
};
} // namespace

bool Optimizer::read(unsigned bufferId) {
  ir::Lexer lexer(bufferId, diags);
  if (diags.hasErrors())
    return false;
  if (!lexer.peek().is("circuit"))
    return ir::parse(bufferId, module, diags);
  backend::CircuitRanges ranges;
  circuit = backend::parseCircuit(bufferId, diags, &ranges);
  return circuit && backend::verify(*circuit, diags, &ranges);
}

bool Optimizer::lower() {
  if (!module.header.fixesInput()) {
    diags.emit({}, ir::diag::InputNotFixed, "lower");
    return false;
  }
  if (module.outputs.size() != 1) {
    diags.emit({}, ir::diag::OneOutput, "lower");
    return false;
  }
  const ir::Node *output = module.outputs.front();
  ir::ValueSets sets(output, module.header.domain(), diags, module.kept);
  if (diags.hasErrors() || !ir::checkFailures(output, sets, diags))
    return false;
  ir::NodeNames names(output);
  circuit.emplace();
  return backend::runPass(
      "lower",
      [&](backend::Circuit &lowered) {
        std::optional<backend::Circuit> made =
            backend::Lowering(sets, names, {}, diags).run(output);
        if (!made)
          return false;
        lowered = std::move(*made);
        lowered.readout.name = module.header.name;
        return true;
      },
      *circuit, diags, passes);
}

bool Optimizer::run(PassId pass) {
  switch (pass.kind) {
  case PassId::IR: {
    ir::PassContext context{diags};
    return ir::runPass(pass.name(), *ir::allPasses()[pass.index].function,
                       module, context, passes);
  }
  case PassId::Lower:
    return lower();
  case PassId::Circuit:
    return backend::runPass(pass.name(),
                            *backend::allPasses()[pass.index].function,
                            *circuit, diags, passes);
  }
  llvm_unreachable("all kinds are listed");
}

bool Optimizer::verify() {
  return circuit ? backend::verify(*circuit, diags) : ir::verify(module, diags);
}

void Optimizer::print(llvm::raw_ostream &os) const {
  if (circuit)
    backend::print(os, *circuit);
  else
    ir::print(os, module);
}

/// What stands in braces after the operands.
static llvm::StringRef describe(ir::Attribute attribute) {
  switch (attribute) {
  case ir::Attribute::None:
    return "";
  case ir::Attribute::Atom:
    return "{ value }";
  case ir::Attribute::Comparison:
    return "{ key == query }";
  case ir::Attribute::Default:
    return "{ default value }";
  case ir::Attribute::Container:
    return "{ list, string or dict }";
  case ir::Attribute::List:
    return "{ list }";
  }
  llvm_unreachable("all attributes are listed");
}

/// A line for each op: how it is written, what it gives, what it means.
static void printOps(llvm::raw_ostream &os) {
  for (ir::OpKind op : ir::allOps()) {
    std::string text = ir::mnemonic(op).str();
    for (unsigned i = 0; i < ir::arity(op); ++i)
      text += (i ? ", " : " ") +
              std::string(ir::operandType(op, i) == ir::ResultType::Sop
                              ? "value"
                              : "selector");
    if (llvm::StringRef attribute = describe(ir::attributeOf(op));
        !attribute.empty())
      text += " " + attribute.str();
    os << llvm::formatv("  {0,-44} : {1,-8}  {2}\n", text,
                        ir::resultType(op) == ir::ResultType::Sop ? "value"
                                                                  : "selector",
                        ir::summary(op));
  }
}

static int optimize(const CommandLine &command) {
  llvm::SmallVector<llvm::StringRef> running;
  for (PassOption option : command.passes)
    running.push_back(passOf(option).name());
  if (!command.seen.check(running))
    return commandIsWrong;
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFileOrSTDIN(command.input);
  if (!text) {
    toolError() << "'" << command.input << "': " << text.getError().message()
                << "\n";
    return commandIsWrong;
  }
  llvm::Expected<ir::DiagnosticPolicy> policy = command.diagnostics.policy();
  if (!policy) {
    toolError() << llvm::toString(policy.takeError()) << "\n";
    return commandIsWrong;
  }
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  diags.setPolicy(std::move(*policy));
  unsigned bufferId =
      sources.AddNewSourceBuffer(std::move(*text), llvm::SMLoc());
  ir::PassManager passes(command.seen.options(),
                         llvm::sys::path::stem(command.input));
  Optimizer optimizer(diags, passes);
  auto fail = [&] {
    command.diagnostics.print(diags);
    if (passes.fileTrouble().empty())
      return inputIsWrong;
    toolError() << passes.fileTrouble() << "\n";
    return commandIsWrong;
  };
  if (!optimizer.read(bufferId))
    return fail();
  for (PassOption option : command.passes) {
    PassId pass = passOf(option);
    bool wantsCircuit = pass.kind == PassId::Circuit;
    if (wantsCircuit != optimizer.isCircuit()) {
      toolError() << "--" << pass.name() << " wants "
                  << (wantsCircuit ? "a circuit, but this is RASP IR; --lower "
                                     "makes one of it\n"
                                   : "RASP IR, but this is a circuit\n");
      return commandIsWrong;
    }
    if (!optimizer.run(pass))
      return fail();
    if (passes.isStopped())
      break;
  }
  if (!optimizer.verify())
    return fail();
  command.diagnostics.print(diags);
  if (diags.hasErrors())
    return inputIsWrong;
  auto print = [&](llvm::raw_ostream &os) {
    optimizer.print(os);
    return llvm::Error::success();
  };
  if (command.outputPath == "-") {
    llvm::cantFail(print(llvm::outs()));
    return 0;
  }
  if (llvm::Error failure = llvm::writeToOutput(command.outputPath, print)) {
    toolError() << "'" << command.outputPath
                << "': " << llvm::toString(std::move(failure)) << "\n";
    return commandIsWrong;
  }
  return 0;
}

int main(int argc, char **argv) {
  static CommandLine command;
  const Tool tool{"rasp-opt",
                  "Runs passes over RASP IR or a circuit, as text.\n\n"
                  "  raspc --emit=ir program.rasp | rasp-opt - --cse\n",
                  command.category, frontend::largeStackSize};
  return toolMain(argc, argv, tool, [&]() -> int {
    int status = 0;
    if (command.seen.listPasses)
      printPasses(llvm::outs());
    else if (command.listOps)
      printOps(llvm::outs());
    else
      frontend::runWithLargeStack([&] { status = optimize(command); });
    return status;
  });
}
