//===- frontend/Object.cpp - what a RASP expression evaluates to ----------===//

#include "frontend/Object.h"
#include "llvm/Support/ConvertUTF.h"
#include <cmath>

using namespace rasp;
using namespace rasp::frontend;

llvm::StringRef Object::kindName() const {
  if (isAtom())
    return ir::kindName(atom().kind());
  if (isSop())
    return "s-op";
  if (isSelector())
    return "selector";
  if (isList())
    return "list";
  if (isDict())
    return "dict";
  return isFunction() ? "function" : "error";
}

std::string Object::describe() const {
  if (isAtom())
    return ("the " + kindName() + " `").str() + atom().str() + "`";
  return ((isSop() ? "an " : "a ") + kindName()).str();
}

unsigned Object::nesting() const {
  if (isList())
    return list().nesting;
  return isDict() ? dict().nesting : 0;
}

/// Equal for values that are equal as Python numbers: whole floats and bools
/// hash like ints.
size_t Dict::Hash::operator()(const ir::Value &value) const {
  if (value.isString())
    return hash_value(value);
  double number = value.toDouble();
  if (value.isFloat() &&
      (number != std::floor(number) || std::fabs(number) >= 0x1p62))
    return llvm::hash_value(llvm::bit_cast<uint64_t>(number));
  return llvm::hash_value(value.isFloat() ? int64_t(number) : value.toInt());
}

void Dict::set(const ir::Value &key, Object value) {
  nesting = std::max(nesting, value.nesting() + 1);
  auto [at, isNew] = positions.try_emplace(key, keys.size());
  if (!isNew) {
    values[at->second] = std::move(value);
    return;
  }
  keys.push_back(key);
  values.push_back(std::move(value));
}

const Object *Dict::find(const ir::Value &key) const {
  auto at = positions.find(key);
  return at == positions.end() ? nullptr : &values[at->second];
}

bool frontend::equal(const Object &a, const Object &b) {
  if (a.isAtom() && b.isAtom())
    return ir::pythonEqual(a.atom(), b.atom());
  if (a.isList() && b.isList())
    return std::equal(a.list().items.begin(), a.list().items.end(),
                      b.list().items.begin(), b.list().items.end(), equal);
  if (a.isDict() && b.isDict()) {
    const Dict &left = a.dict(), &right = b.dict();
    if (left.keys.size() != right.keys.size())
      return false;
    for (size_t i = 0; i < left.keys.size(); ++i) {
      const Object *other = right.find(left.keys[i]);
      if (!other || !equal(left.values[i], *other))
        return false;
    }
    return true;
  }
  if (a.isFunction() && b.isFunction())
    return &a.function() == &b.function();
  if ((a.isSop() && b.isSop()) || (a.isSelector() && b.isSelector()))
    return a.node() == b.node();
  return false;
}

bool frontend::isTruthy(const Object &object) {
  if (object.isAtom())
    return object.atom().isTruthy();
  if (object.isList())
    return !object.list().items.empty();
  if (object.isDict())
    return !object.dict().keys.empty();
  return true;
}

std::vector<llvm::StringRef> frontend::characters(llvm::StringRef text) {
  std::vector<llvm::StringRef> result;
  while (!text.empty()) {
    size_t length = llvm::getNumBytesForUTF8(text.front());
    result.push_back(text.take_front(length));
    text = text.drop_front(std::min(length, text.size()));
  }
  return result;
}
