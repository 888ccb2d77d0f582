//===- frontend/Environment.h - names and their values ----------*- C++ -*-===//

#ifndef RASP_FRONTEND_ENVIRONMENT_H
#define RASP_FRONTEND_ENVIRONMENT_H

#include "frontend/Object.h"
#include <vector>

namespace rasp::frontend {

struct Variable {
  llvm::StringRef name;
  Object value;
  llvm::SMRange range; ///< of the name where it was last assigned
  unsigned order = 0;  ///< grows with every assignment
  /// Names of the library are evaluated when they are used, so that a program
  /// holds no op that it does not need. Null for every other variable.
  const ast::Expression *deferred = nullptr;
  /// Text of the library that has not been read yet: only what a program uses
  /// is. Empty for every other variable.
  llvm::StringRef definition;
};

/// A scope: a file's, a function call's, or one round of a comprehension.
class Environment {
public:
  enum Kind : uint8_t { Library, File, Local };

  Environment(Kind kind, Environment *parent, std::string name = "")
      : kind(kind), parent(parent), name(std::move(name)) {}

  /// The console or the file where the scope is, and a `'` for each level of
  /// nesting in it.
  std::string displayName() const {
    return kind == Local ? parent->displayName() + "'" : name;
  }

  Kind kind;
  Environment *parent;
  std::string name; ///< of a file: the path as it was written
  /// Does a function refer to this scope? Then it outlives its block.
  bool captured = false;

  /// The variable of this scope, or null; valid until another is made.
  Variable *find(llvm::StringRef name) {
    if (!index.empty()) {
      auto at = index.find(name);
      return at == index.end() ? nullptr : &variables[at->second];
    }
    for (Variable &variable : variables)
      if (variable.name == name)
        return &variable;
    return nullptr;
  }

  /// The same here or in an enclosing scope.
  Variable *lookup(llvm::StringRef name) {
    for (Environment *scope = this; scope; scope = scope->parent)
      if (Variable *variable = scope->find(name))
        return variable;
    return nullptr;
  }

  /// The variable of this scope, made if there is none.
  Variable &get(llvm::StringRef name) {
    if (Variable *variable = find(name))
      return *variable;
    variables.push_back({name});
    if (variables.size() == maxUnindexed)
      for (unsigned i = 0; i < maxUnindexed; ++i)
        index[variables[i].name] = i;
    else if (variables.size() > maxUnindexed)
      index[name] = variables.size() - 1;
    return variables.back();
  }

  void clear() {
    variables.clear();
    index.clear();
  }

  const std::vector<Variable> &all() const { return variables; }

private:
  static constexpr unsigned maxUnindexed = 8;

  std::vector<Variable> variables;
  llvm::DenseMap<llvm::StringRef, unsigned> index;
};

} // namespace rasp::frontend

#endif
