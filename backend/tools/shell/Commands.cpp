//===- backend/tools/shell/Commands.cpp - `:type` and the like ------------===//
//
// What the language has no statement for: questions about an expression, and
// its compilation. Values and costs depend on the input, which is what the
// running example suggests unless the user says otherwise.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/Compilation.h"
#include "backend/tools/shell/Session.h"
#include "ir/Printer.h"
#include "runtime/WeightFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp;
using namespace rasp::shell;
using frontend::Object;

struct Session::Command {
  llvm::StringLiteral name, arguments, help;
  void (Session::*run)(llvm::StringRef arguments);
};

llvm::ArrayRef<Session::Command> Session::commands() {
  static const Command all[] = {
      {"causal", "true|false", "selectors see only keys at or before the query",
       &Session::setCausal},
      {"compile", "x FILE", "write the model of an s-op", &Session::compile},
      {"cost", "x", "layers, heads and parameters of the model",
       &Session::costOf},
      {"help", "", "this list", &Session::help},
      {"ir", "x", "the graph of an s-op or selector", &Session::irOf},
      {"maxlen", "N", "longest input of models", &Session::setMaxLen},
      {"options", "", "what models are made for", &Session::showOptions},
      {"tokens", "str|int|float|bool", "type of the tokens of models",
       &Session::setTokens},
      {"type", "x", "kind and type of an expression", &Session::typeOf},
      {"values", "x", "every value that an s-op can take", &Session::valuesOf},
      {"vocab", "a,b,c", "tokens of models; as for raspc",
       &Session::setVocabulary},
  };
  return all;
}

std::vector<llvm::StringRef> Session::commandNames() {
  std::vector<llvm::StringRef> names;
  for (const Command &command : commands())
    names.push_back(command.name);
  return names;
}

void Session::colonCommand(llvm::StringRef line) {
  auto [name, arguments] = line.split(' ');
  name = name.trim();
  arguments = arguments.trim();
  arguments.consume_back(";");
  for (const Command &command : commands()) {
    if (command.name != name)
      continue;
    if (arguments.empty() != command.arguments.empty())
      return fail(command.arguments.empty()
                      ? "`:" + name + "` takes no argument"
                      : "usage: `:" + name + " " + command.arguments + "`");
    return (this->*command.run)(arguments);
  }
  fail("no command `:" + name + "`; `:help` lists them");
}

void Session::fail(const llvm::Twine &message) {
  anyErrors = true;
  os << "\t " << message << '\n';
}

void Session::help(llvm::StringRef) {
  os << "\t Statements end with `;`. Commands of the language:\n"
        "\t   set example E, set s-op example E, set selector example E\n"
        "\t   show example, show s-op example, show selector example\n"
        "\t   examples on, s-op examples on, selector examples on; off\n"
        "\t   full seq display on; off\n"
        "\t   draw(s); draw(s, input); s(input); load \"path\"; exit\n"
        "\t Further ones:\n";
  for (const Command &command : commands())
    os << "\t   :"
       << llvm::left_justify((command.name + " " + command.arguments).str(), 26)
       << ' ' << command.help << '\n';
}

// ---- Questions about an expression ----

Object Session::valueOf(llvm::StringRef text) {
  ast::Module module = parse((text + ";").str(), "<console>");
  if (module.hasErrors || module.statements.size() != 1 ||
      !llvm::isa<ast::Evaluate>(module.statements.front())) {
    if (!module.hasErrors)
      fail("`" + text + "` is no expression");
    flush();
    return {};
  }
  auto *evaluate = llvm::cast<ast::Evaluate>(module.statements.front());
  Object value = evaluator.value(evaluate->value);
  flush();
  return value;
}

const ir::Node *Session::nodeOf(llvm::StringRef text) {
  Object value = valueOf(text);
  if (value.isError())
    return nullptr;
  if (value.isAtom())
    return program.constant(value.atom());
  if (value.isSop() || value.isSelector())
    return value.node();
  fail("`" + text + "` is " + value.describe() +
       "; an s-op or selector is needed");
  return nullptr;
}

std::optional<CompileOptions> Session::completeOptions() {
  CompileOptions options = compileOptions;
  const std::vector<ir::Value> &items = settings.sopExample.items;
  if (!options.tokens) {
    std::optional<ir::ValueKind> kind = ir::sequenceKind(items);
    if (!kind) {
      fail("the example mixes types; set `:tokens` and `:vocab`");
      return std::nullopt;
    }
    options.tokens =
        *kind == ir::ValueKind::String ? "str" : ir::kindName(*kind).str();
  }
  if (!options.vocabulary) {
    std::vector<ir::Value> vocabulary;
    for (ir::Value item : items) {
      if (*options.tokens == "float" && item.isNumeric())
        item = ir::Value::real(item.toDouble());
      else if (*options.tokens == "int" && item.isBool())
        item = ir::Value::integer(item.toInt());
      if ((*options.tokens == "str") != item.isString()) {
        fail("the example has no tokens of type " + *options.tokens +
             "; set `:vocab`");
        return std::nullopt;
      }
      if (!llvm::is_contained(vocabulary, item))
        vocabulary.push_back(item);
    }
    if (vocabulary.empty()) {
      fail("the example is empty; set `:vocab`");
      return std::nullopt;
    }
    options.vocabulary = std::move(vocabulary);
  }
  if (!options.maxSeqLen)
    options.maxSeqLen = std::max<size_t>(1, items.size());
  return options;
}

std::optional<ir::Domain> Session::domain() {
  std::optional<CompileOptions> options = completeOptions();
  if (!options)
    return std::nullopt;
  return ir::Domain{*options->vocabulary, *options->maxSeqLen,
                    options->causal.value_or(false)};
}

/// "ints", "strings, or ints", by the values that there can be.
static std::string typesOf(llvm::ArrayRef<ir::Value> values) {
  std::string types;
  for (ir::ValueKind kind : {ir::ValueKind::Bool, ir::ValueKind::Int,
                             ir::ValueKind::Float, ir::ValueKind::String})
    if (llvm::any_of(values, [&](const ir::Value &value) {
          return value.kind() == kind;
        }))
      types += (types.empty() ? "" : " and ") + typeWord(kind);
  return types;
}

void Session::typeOf(llvm::StringRef text) {
  Object value = valueOf(text);
  if (value.isError())
    return;
  os << "\t " << text << ": ";
  if (!value.isSop()) {
    os << value.kindName() << '\n';
    return;
  }
  std::optional<ir::Domain> input = domain();
  if (!input)
    return;
  ir::ValueSets sets(value.node(), *input, diags);
  if (diags.hasErrors()) {
    os << "s-op\n";
    return;
  }
  const ir::NodeValues &values = sets.of(value.node());
  os << "s-op of "
     << (values.known ? typesOf(values.values) : std::string("numbers"))
     << '\n';
}

void Session::valuesOf(llvm::StringRef text) {
  const ir::Node *node = nodeOf(text);
  std::optional<ir::Domain> input;
  if (node && node->isSelector())
    return fail("`" + text + "` is a selector; an s-op is needed");
  if (!node || !(input = domain()))
    return;
  ir::ValueSets sets(node, *input, diags);
  if (diags.hasErrors())
    return;
  const ir::NodeValues &values = sets.of(node);
  if (!values.known)
    return fail(llvm::formatv("too many values, from {0} to {1}", values.low,
                              values.high)
                    .str());
  os << "\t " << ir::printValueSet(values.values, ~size_t(0)) << '\n';
  if (values.partial)
    os << "\t fails for some inputs: "
       << ir::explain(values.failure, node->kind(), values.failingOperands)
       << '\n';
}

void Session::irOf(llvm::StringRef text) {
  const ir::Node *node = nodeOf(text);
  std::optional<ir::Domain> input;
  if (!node || !(input = domain()))
    return;
  ir::ValueSets sets(node, *input, diags);
  if (diags.hasErrors())
    return;
  ir::Module module(program, node,
                    {node->name().empty() ? "out" : node->name().str(),
                     *completeOptions()->tokens, input->vocabulary,
                     input->maxSeqLen, input->causal});
  ir::showValues(module, sets, node);
  ir::print(os, module);
}

// ---- Models ----

void Session::withModel(llvm::StringRef text,
                        llvm::function_ref<void(const rt::Model &)> use) {
  Object value = valueOf(text);
  if (value.isError())
    return;
  if (!value.isSop() && !value.isAtom())
    return fail("`" + text + "` is " + value.describe() +
                "; an s-op is needed");
  std::optional<CompileOptions> options = completeOptions();
  if (!options)
    return;

  // A variable is the output by its own name, anything else gets one.
  std::string source = programText;
  frontend::Evaluation bindings = evaluator.result();
  std::string name = text.str();
  if (!bindings.find(name)) {
    name = "result";
    while (bindings.find(name))
      name += '_';
    source += (name + " = " + text + ";\n").str();
  }
  options->output = name;
  Compilation compilation;
  compilation.setText(source, name + ".rasp");
  if (compilation.evaluate(std::move(*options), frontendOptions) &&
      compilation.inferValues() && compilation.synthesise()) {
    compilation.layOut();
    rt::Model model = compilation.makeModel();
    compilation.diags.printAll(os);
    return use(model);
  }
  anyErrors = true;
  compilation.diags.printAll(os);
}

void Session::costOf(llvm::StringRef text) {
  withModel(text, [&](const rt::Model &model) {
    rt::Shape shape = rt::shapeOf(model);
    os << llvm::formatv("\t layers {0}, heads {1}, d_model {2}, d_head {3}, "
                        "d_mlp {4}, parameters {5}, nonzero {6}\n",
                        shape.layers, shape.heads, shape.dModel, shape.dHead,
                        shape.dMlp, shape.parameters, shape.nonzeros);
  });
}

void Session::compile(llvm::StringRef text) {
  auto [expression, path] = text.rsplit(' ');
  if (path.empty())
    return fail("usage: `:compile x FILE`");
  withModel(expression.trim(), [&](const rt::Model &model) {
    if (llvm::Error failure = rt::writeModel(model, path))
      return fail(llvm::toString(std::move(failure)));
    os << "\t written to " << path << '\n';
  });
}

void Session::setOption(llvm::StringRef key, llvm::StringRef text) {
  CompileOptions options = compileOptions;
  if (key == "vocab" && !options.tokens)
    if (std::optional<ir::ValueKind> kind =
            ir::sequenceKind(settings.sopExample.items);
        kind && *kind != ir::ValueKind::String)
      options.tokens = ir::kindName(*kind).str();
  if (key == "tokens")
    options.vocabulary.reset();
  if (llvm::Error failure = options.set(key, text))
    return fail(llvm::toString(std::move(failure)));
  compileOptions = std::move(options);
  if (key == "causal") {
    settings.causal = *compileOptions.causal;
    tried.clear();
  }
}

void Session::showOptions(llvm::StringRef) {
  std::optional<CompileOptions> options = completeOptions();
  if (!options)
    return;
  os << "\t tokens " << *options->tokens << ", vocab "
     << ir::printValueSet(*options->vocabulary, 64) << ", maxlen "
     << *options->maxSeqLen << ", causal "
     << (options->causal.value_or(false) ? "true" : "false") << '\n';
}
