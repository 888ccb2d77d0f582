//===- frontend/Object.h - what a RASP expression evaluates to --*- C++ -*-===//
//
// While a program is read, its expressions have values of six kinds: atoms,
// lists, dicts and functions, which exist only then, and s-ops and selectors,
// which are nodes of the IR. A seventh kind stands for what could not be
// evaluated: the error has been reported, and whatever uses the value accepts
// it silently.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_FRONTEND_OBJECT_H
#define RASP_FRONTEND_OBJECT_H

#include "frontend/AST.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <unordered_map>
#include <variant>

namespace rasp::frontend {

struct List;
struct Dict;
struct Function;
class Environment;

/// An immutable value; copying is cheap.
class Object {
public:
  Object() = default; ///< the error value
  Object(ir::Value atom) : data(atom) {}
  Object(const ir::Node *node) : data(node) {}
  Object(std::shared_ptr<const List> list) : data(std::move(list)) {}
  Object(std::shared_ptr<const Dict> dict) : data(std::move(dict)) {}
  Object(const Function *function) : data(function) {}

  bool isError() const { return is<std::monostate>(); }
  bool isAtom() const { return is<ir::Value>(); }
  bool isSop() const { return is<const ir::Node *>() && node()->isSop(); }
  bool isSelector() const {
    return is<const ir::Node *>() && node()->isSelector();
  }
  bool isList() const { return is<std::shared_ptr<const List>>(); }
  bool isDict() const { return is<std::shared_ptr<const Dict>>(); }
  bool isFunction() const { return is<const Function *>(); }

  const ir::Value &atom() const { return std::get<ir::Value>(data); }
  const ir::Node *node() const { return std::get<const ir::Node *>(data); }
  const List &list() const {
    return *std::get<std::shared_ptr<const List>>(data);
  }
  const Dict &dict() const {
    return *std::get<std::shared_ptr<const Dict>>(data);
  }
  const Function &function() const { return *std::get<const Function *>(data); }

  /// "s-op", "selector", "list", "dict", "function", or the kind of the atom.
  llvm::StringRef kindName() const;
  /// "an s-op", "a list", "the int 5", ...
  std::string describe() const;
  /// Lists in lists, counted; 0 for what holds nothing.
  unsigned nesting() const;

private:
  template <typename T> bool is() const {
    return std::holds_alternative<T>(data);
  }

  std::variant<std::monostate, ir::Value, const ir::Node *,
               std::shared_ptr<const List>, std::shared_ptr<const Dict>,
               const Function *>
      data;
};

struct List {
  std::vector<Object> items;
  unsigned nesting = 1;
};

/// Insertion-ordered; `1`, `1.0` and `True` are one key.
struct Dict {
  std::vector<ir::Value> keys;
  std::vector<Object> values;
  unsigned nesting = 1;

  /// Adds a pair; a key that is there keeps its place and gets the new value.
  void set(const ir::Value &key, Object value);
  /// The value, or null.
  const Object *find(const ir::Value &key) const;

private:
  struct Hash {
    size_t operator()(const ir::Value &value) const;
  };
  struct Equal {
    bool operator()(const ir::Value &a, const ir::Value &b) const {
      return ir::pythonEqual(a, b);
    }
  };
  std::unordered_map<ir::Value, unsigned, Hash, Equal> positions;
};

/// Functions that the library needs but RASP cannot express.
enum class Native : uint8_t {
  None,
  SelectorWidth, ///< the op `width`
  IsAtom,        ///< is the argument an atom, not an s-op?
};

/// A function and the environment that it was defined in.
struct Function {
  llvm::StringRef name;
  const ast::Define *definition = nullptr; ///< null for a native one
  Environment *scope = nullptr;
  bool fromLibrary = false;
  Native native = Native::None;
};

/// Python's `==` and truth.
bool equal(const Object &a, const Object &b);
bool isTruthy(const Object &object);

/// The characters of a string, each of them a string.
std::vector<llvm::StringRef> characters(llvm::StringRef text);

} // namespace rasp::frontend

#endif
