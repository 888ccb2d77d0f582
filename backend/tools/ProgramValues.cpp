//===- backend/tools/ProgramValues.cpp - what a program means -------------===//

#include "backend/tools/ProgramValues.h"
#include "backend/Assemble.h"

using namespace rasp;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Takes the program to the form that was compiled, on which the names of
/// variables depend.
static bool chooseForm(Compilation &compilation,
                       const llvm::json::Value &options) {
  std::vector<std::string> names;
  const llvm::json::Object *object = options.getAsObject();
  if (const llvm::json::Array *list =
          object ? object->getArray("materialize") : nullptr)
    for (const llvm::json::Value &name : *list)
      names.push_back(name.getAsString().value_or("").str());
  bool isPlain = object && object->getBoolean("plain").value_or(false);
  return compilation.chooseForm(names, isPlain);
}

llvm::Expected<ProgramValues>
ProgramValues::make(const rt::Model &model,
                    const std::vector<std::string> &includeDirs) {
  llvm::Expected<CompileOptions> options =
      CompileOptions::fromJSON(model.options);
  if (!options)
    return options.takeError();
  if (model.programText.empty())
    return fail("the file carries no program");
  ProgramValues program;
  program.compilation = std::make_unique<Compilation>();
  Compilation &compilation = *program.compilation;
  compilation.setText(model.programText, model.programName);
  frontend::Options frontendOptions;
  frontendOptions.includeDirs = includeDirs;
  if (!compilation.evaluate(std::move(*options), frontendOptions) ||
      !chooseForm(compilation, model.options)) {
    std::string messages;
    llvm::raw_string_ostream os(messages);
    compilation.diags.printAll(os);
    return fail("the program of the file cannot be evaluated:\n" + messages);
  }
  std::vector<const ir::Node *> nodes{compilation.output};
  for (const ir::Node *node : ir::reachable(compilation.compiled))
    if (node->isSop()) {
      program.roots[compilation.names->of(node)] = nodes.size();
      nodes.push_back(node);
    }
  ir::Interpreter::Options semantics;
  semantics.causal = compilation.domain.causal;
  program.interpreter = std::make_unique<ir::Interpreter>(nodes, semantics);
  program.state =
      std::make_unique<ir::Interpreter::State>(*program.interpreter);
  return program;
}

bool ProgramValues::run(llvm::ArrayRef<rt::Atom> input) {
  tokens = input.vec();
  std::vector<ir::Value> values;
  for (const rt::Atom &token : input)
    values.push_back(backend::toValue(token));
  results = interpreter->run(values, *state);
  return static_cast<bool>(results[0]);
}

std::vector<rt::Atom> ProgramValues::valuesOf(size_t root) const {
  std::vector<rt::Atom> values;
  if (results[root])
    for (const ir::Value &value : results[root].values)
      values.push_back(backend::toAtom(value));
  return values;
}

std::vector<rt::Atom> ProgramValues::of(llvm::StringRef variable) const {
  auto root = roots.find(variable);
  if (root != roots.end())
    return valuesOf(root->second);
  return variable == "tokens" ? tokens : std::vector<rt::Atom>();
}

std::vector<rt::Atom> ProgramValues::output() const { return valuesOf(0); }
