//===- backend/tools/shell/Session.h - the state of the shell ---*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_SHELL_SESSION_H
#define RASP_BACKEND_TOOLS_SHELL_SESSION_H

#include "backend/tools/CompileOptions.h"
#include "backend/tools/shell/Display.h"
#include "frontend/Evaluator.h"
#include "ir/ValueSets.h"
#include "llvm/ADT/DenseSet.h"

namespace rasp::shell {

/// Runs inputs of the console one after the other and shows what they do. All
/// calls need the stack of frontend::runWithLargeStack.
class Session : frontend::Host {
public:
  Session(llvm::raw_ostream &os, Settings settings,
          frontend::Options options = {});

  /// Runs a file as `load` does.
  void load(llvm::StringRef path);
  /// Runs an input; false if it ended the session.
  bool run(llvm::StringRef text);
  /// Reports input that ended inside a statement.
  void runUnfinished(llvm::StringRef text);

  bool hadErrors() const { return anyErrors; }
  /// What can complete a word.
  std::vector<std::string> completions() const;

private:
  // ---- frontend::Host ----

  bool accept(const frontend::Effects &effects) override;
  void command(const ast::Shell &command,
               const frontend::Object &input) override;
  void apply(const ast::Call &call, const frontend::Object &callee,
             const frontend::Object &input) override;
  void draw(const ast::Draw &draw, const frontend::Object &sop,
            const frontend::Object *input) override;
  void loaded(const ast::Load &load,
              llvm::ArrayRef<const frontend::Variable *> exported) override;

  /// Runs a statement of the console; false if it ended the session.
  bool runStatement(const ast::Statement *statement);
  ast::Module parse(llvm::StringRef text, llvm::StringRef name);
  /// Reports what the published interpreter refuses, if we are to follow it.
  bool breaksReferenceRule(llvm::StringRef text);
  /// Runs ops on the example, which is how the language finds errors.
  bool tryOut(llvm::ArrayRef<const ir::Node *> roots);
  void reportFailure(const ir::EvalFailure &failure);
  std::optional<Input> inputFrom(const frontend::Object &object,
                                 llvm::SMRange range);
  /// Runs an s-op or selector on an input; none after a message.
  std::optional<Result> resultOn(const ir::Node *node, const Input &input,
                                 llvm::SMRange range);
  void showExamples(ast::Shell::Example which);

  // ---- Messages (Messages.cpp) ----

  /// Prints and forgets the messages.
  void flush();
  void print(const ir::Diagnostic &diagnostic);
  void printText(const ir::Diagnostic &diagnostic);

  // ---- `:type` and the like (Commands.cpp) ----

  struct Command;
  static llvm::ArrayRef<Command> commands();
  static std::vector<llvm::StringRef> commandNames();
  void colonCommand(llvm::StringRef line);
  void help(llvm::StringRef);
  void typeOf(llvm::StringRef text);
  void valuesOf(llvm::StringRef text);
  void irOf(llvm::StringRef text);
  void costOf(llvm::StringRef text);
  void compile(llvm::StringRef text);
  void setOption(llvm::StringRef key, llvm::StringRef text);
  void setTokens(llvm::StringRef text) { setOption("tokens", text); }
  void setVocabulary(llvm::StringRef text) { setOption("vocab", text); }
  void setMaxLen(llvm::StringRef text) { setOption("max-seq-len", text); }
  void setCausal(llvm::StringRef text) { setOption("causal", text); }
  void showOptions(llvm::StringRef);
  void fail(const llvm::Twine &message);
  /// The value of an expression; the error value after a message.
  frontend::Object valueOf(llvm::StringRef text);
  const ir::Node *nodeOf(llvm::StringRef text);
  /// The options with what the example says where they are silent.
  std::optional<CompileOptions> completeOptions();
  std::optional<ir::Domain> domain();
  /// Calls `use` with the model of an expression.
  void withModel(llvm::StringRef text,
                 llvm::function_ref<void(const rt::Model &)> use);

  llvm::raw_ostream &os;
  Settings settings;
  Display display;
  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  ir::Program program;
  ast::Context context;
  frontend::Options frontendOptions;
  frontend::Evaluator evaluator;

  const ast::Statement *current = nullptr; ///< of the console
  bool isLoading = false;
  bool wasApplied = false; ///< was the statement an application?
  bool anyErrors = false, errorsInFile = false;
  /// Every public variable that the file being loaded has assigned.
  std::vector<std::pair<std::string, frontend::Object>> history;
  /// Ops that are known to work on the example.
  llvm::DenseSet<const ir::Node *> tried;
  /// The statements so far that define something, as a program.
  std::string programText;
  CompileOptions compileOptions;
};

} // namespace rasp::shell

#endif
