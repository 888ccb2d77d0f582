//===- frontend/Evaluator.h - the compile-time part of a program -*- C++
//-*-===//
//
// Walks the AST statement by statement. Atoms, lists, dicts and functions are
// computed here; s-ops and selectors become nodes of the program. The global
// environment lives as long as the evaluator, so statements can come from a
// file or, one by one, from a person.
//
// One cause, one error: what fails becomes the error value, and a message is
// given once for a place in the text however often a statement comes by.
//
// run() needs the stack of runWithLargeStack.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_EVALUATOR_H
#define RASP_FRONTEND_EVALUATOR_H

#include "frontend/Environment.h"
#include "frontend/Frontend.h"
#include "frontend/Host.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/FileSystem/UniqueID.h"
#include <deque>
#include <map>

namespace rasp::frontend {

class Evaluator {
public:
  /// With a host, a statement has all its effects or none, and each has the
  /// whole of the budgets to itself.
  Evaluator(ir::Program &program, ir::Diagnostics &diags, Options options,
            Host *host = nullptr);
  ~Evaluator();
  Evaluator(const Evaluator &) = delete;
  Evaluator &operator=(const Evaluator &) = delete;

  /// Runs a statement in the global environment; false if it had an error.
  bool run(const ast::Statement *statement);
  void run(const ast::Module &module);
  /// The value of an expression in the global environment; the error value if
  /// it has an error.
  Object value(const ast::Expression *expression);

  /// The global variables that statements have assigned.
  Evaluation result() const;
  /// The value of a name as a statement would see it, or null.
  std::optional<Object> lookup(llvm::StringRef name);
  /// Every name that is defined now, the library's included, sorted.
  std::vector<llvm::StringRef> names() const;

private:
  // ---- Limits ----

  static constexpr unsigned maxCalls = 5000;
  static constexpr unsigned maxDepth = 100000;
  static constexpr unsigned maxListNesting = 1000;
  static constexpr unsigned million = 1000000;
  static constexpr unsigned maxSteps = 20 * million;
  static constexpr unsigned maxNodes = million;
  static constexpr size_t maxElements = million;

  /// Counts `steps` units of work; false once the budget is spent.
  bool spend(size_t steps, llvm::SMRange range);

  // ---- The library (Evaluator.cpp) ----

  /// Reads what defines a variable of the library.
  void define(Variable &variable);

  // ---- Messages (Evaluator.cpp) ----

  /// Emits an error, unless this place has had one of its kind during the
  /// current statement. Returns whether it did, so that notes can follow.
  template <typename... Args>
  bool report(llvm::SMRange range, const ir::DiagKind<Args...> &kind,
              const std::type_identity_t<Args> &...args) {
    if (!isFirstReport(place(range), kind.name))
      return false;
    diags.emit(place(range), kind, args...);
    if (kind.severity == ir::Severity::Error)
      noteCalls();
    return true;
  }
  template <typename... Args>
  Object fail(llvm::SMRange range, const ir::DiagKind<Args...> &kind,
              const std::type_identity_t<Args> &...args) {
    report(range, kind, args...);
    return {};
  }
  /// The same about the value of an expression: kind's only argument names it,
  /// and a note says where it was defined.
  Object failOn(const ast::Expression *expression, const Object &object,
                const ir::DiagKind<std::string> &kind);
  bool isFirstReport(llvm::SMRange range, llvm::StringRef kind);
  void noteCalls();
  const ast::Expression *inUserText(const ast::Expression *expression) const;
  /// "selector `flip`" for a name, else "a selector".
  std::string subject(const ast::Expression *expression, const Object &object);
  void noteDefinition(const ast::Expression *expression, const Object &object);
  /// What a node made for `range` is said to come from: inside the library,
  /// the call in the user's text.
  llvm::SMRange place(llvm::SMRange range) const {
    return libraryCall.isValid() ? libraryCall : range;
  }

  // ---- Statements (EvaluateStatements.cpp) ----

  void startStatement();
  void nameLocals();
  void execute(const ast::Statement *statement);
  void perform(const ast::Statement *statement);
  void performForHost(const ast::Statement *statement);
  void execute(const ast::Assign *assign);
  void execute(const ast::Evaluate *evaluate);
  void execute(const ast::Define *define);
  void execute(const ast::Loop *loop);
  void execute(const ast::Load *load);
  void execute(const ast::Draw *draw);
  void execute(const ast::Shell *command);
  void execute(const ast::Broken *broken);
  /// Binds a name of the current scope.
  void assign(const ast::Identifier &target, Object value);
  /// Binds loop variables to an item; false if it can't be unpacked.
  bool assignItem(ast::Identifiers targets, const Object &item,
                  const ast::Expression *from);
  /// The parts of a value that `count` names take apart.
  std::optional<std::vector<Object>> unpack(const Object &object, size_t count,
                                            const ast::Expression *from);
  /// The items of a list or the keys of a dict.
  std::optional<std::vector<Object>> items(const ast::Expression *iterable);
  bool isReserved(const ast::Identifier &target);
  void setOut(const Object &value);
  const ast::Module *loadModule(const ast::Load *load,
                                llvm::sys::fs::UniqueID &file);

  // ---- Expressions (EvaluateExpressions.cpp) ----

  Object evaluate(const ast::Expression *expression);
  Object dispatch(const ast::Expression *expression);
  Object evaluate(const ast::Name *name);
  Object evaluate(const ast::List *list);
  Object evaluate(const ast::Dict *dict);
  Object evaluate(const ast::ListComprehension *loop);
  Object evaluate(const ast::DictComprehension *loop);
  Object evaluate(const ast::Ternary *ternary);
  Object evaluate(const ast::Index *index);
  Object evaluate(const ast::Call *call, bool asStatement);
  Object elementOf(const ast::Index *index, const Object &container,
                   const Object &position);
  Object elementOfSop(const ast::Index *index, const Object &container,
                      const Object &position);
  Object call(const Function &function, llvm::ArrayRef<Object> arguments,
              const ast::Call *site);
  Object callNative(Native native, llvm::ArrayRef<Object> arguments,
                    const ast::Call *site);
  Object unknownName(const ast::Name *name);
  Object makeList(std::vector<Object> items, llvm::SMRange range);
  /// Calls `body` in a scope of its own for each item; false if there are none
  /// to go through.
  bool forEach(ast::Identifiers variables, const ast::Expression *iterable,
               llvm::function_ref<void()> body);

  // ---- Operators (EvaluateOperators.cpp) ----

  Object evaluate(const ast::Unary *unary);
  Object evaluate(const ast::Binary *binary);
  Object apply(const ast::Binary *binary, const Object &left,
               const Object &right);
  Object logical(const ast::Binary *binary, const Object &left,
                 const Object &right);
  Object membership(const ast::Binary *binary, const Object &left,
                    const Object &right);
  Object onLists(const ast::Binary *binary, const Object &left,
                 const Object &right);
  Object onAtoms(ir::OpKind op, llvm::ArrayRef<ir::Value> operands,
                 llvm::SMRange range);

  // ---- Built-in functions (Builtins.cpp) ----

  Object evaluate(const ast::Select *select);
  Object evaluate(const ast::Aggregate *aggregate);
  Object evaluate(const ast::Range *range);
  Object evaluate(const ast::Zip *zip);
  Object evaluate(const ast::Len *len);
  /// Some position of `sop` equals `value`; the same at every position.
  Object contains(const ir::Node *sop, const ir::Value &value,
                  llvm::SMRange range);

  /// The node of an s-op or atom, or null after an error.
  const ir::Node *toSop(const ast::Expression *expression,
                        const Object &object);
  const ir::Node *toSelector(const ast::Expression *expression,
                             const Object &object);

  ir::Program &program;
  ir::Diagnostics &diags;
  Options options;
  Host *host; ///< or null

  ast::Context arena;
  llvm::SourceMgr librarySources;
  std::map<llvm::sys::fs::UniqueID, ast::Module> modules; ///< loaded files
  std::vector<llvm::sys::fs::UniqueID> loading; ///< files that are running

  std::deque<Function> functions;
  Environment base;     ///< the library
  Environment internal; ///< what only the library sees
  Environment global;   ///< the program's file, or the person's
  std::vector<std::unique_ptr<Environment>> kept;
  Environment *scope; ///< the current one

  struct Frame {
    const Function *function;
    llvm::SMRange call;
  };
  std::vector<Frame> frames;
  /// Where the user's text named what of the library is running.
  llvm::SMRange libraryCall;
  /// The call of the library that it is, if it is one.
  struct LibraryCall {
    const ast::Call *site = nullptr;
    Environment *scope = nullptr; ///< of the call
    size_t depth = 0;             ///< of the frames in it
  };
  LibraryCall library;

  unsigned order = 0; ///< of assignments
  size_t steps = 0;
  unsigned depth = 0;
  /// The current statement is given up, or all of them are.
  bool stopped = false, exhausted = false;
  /// Names may be missing because what defines them could not be read.
  bool incomplete = false;
  llvm::DenseSet<llvm::StringRef> unknownNames; ///< that have been reported
  llvm::DenseSet<std::pair<const char *, const char *>> reported;
  /// Names inside functions, given to nodes that got none from outside.
  std::vector<std::pair<const ir::Node *, llvm::StringRef>> localNames;
};

} // namespace rasp::frontend

#endif
