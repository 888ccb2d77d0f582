//===- ir/Value.cpp - the atoms of RASP -----------------------------------===//

#include "ir/Value.h"
#include "llvm/ADT/CachedHashString.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/xxhash.h"
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <mutex>

using namespace rasp::ir;
using llvm::StringRef;

StringRef rasp::ir::kindName(ValueKind kind) {
  switch (kind) {
  case ValueKind::Bool:
    return "bool";
  case ValueKind::Int:
    return "int";
  case ValueKind::Float:
    return "float";
  case ValueKind::String:
    return "string";
  }
  llvm_unreachable("all kinds are listed");
}

//===----------------------------------------------------------------------===//
// Interning
//===----------------------------------------------------------------------===//

namespace {
/// A part of the global table of strings; a string belongs to the part that
/// its hash names, so threads seldom wait for each other.
struct InternShard {
  std::mutex mutex;
  llvm::BumpPtrAllocator allocator;
  llvm::DenseMap<llvm::CachedHashStringRef, const void *> strings;
};
} // namespace

static constexpr unsigned shardCount = 16;
static constexpr unsigned cacheSize = 256;

/// Lives for the whole process, since values of static duration may outlive
/// every destructor order.
static std::array<InternShard, shardCount> &internShards() {
  static auto *shards = new std::array<InternShard, shardCount>;
  return *shards;
}

Value Value::string(StringRef s) {
  Value value;
  value.theKind = ValueKind::String;
  uint64_t hash = llvm::xxh3_64bits(s);

  // Programs use few different strings: most look-ups end here, unlocked.
  static thread_local std::array<const Interned *, cacheSize> cache{};
  const Interned *&cached = cache[hash % cacheSize];
  if (cached && s == StringRef(cached->data, cached->size)) {
    value.stringValue = cached;
    return value;
  }

  InternShard &shard = internShards()[(hash >> 32) % shardCount];
  std::lock_guard<std::mutex> lock(shard.mutex);
  llvm::CachedHashStringRef key(s, static_cast<uint32_t>(hash));
  auto found = shard.strings.find(key);
  if (found == shard.strings.end()) {
    StringRef copy = s.copy(shard.allocator);
    auto *interned = new (shard.allocator.Allocate<Interned>())
        Interned{copy.data(), copy.size()};
    found =
        shard.strings.try_emplace({copy, static_cast<uint32_t>(hash)}, interned)
            .first;
  }
  cached = static_cast<const Interned *>(found->second);
  value.stringValue = cached;
  return value;
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

static int sign(bool less, bool greater) { return int(greater) - int(less); }

/// Exact, whatever the magnitudes; not-a-number comes after every number.
static int compareIntFloat(int64_t i, double d) {
  if (std::isnan(d) || d >= 0x1p63)
    return -1;
  if (d < -0x1p63)
    return 1;
  double whole = std::trunc(d);
  int64_t j = static_cast<int64_t>(whole);
  if (i != j)
    return sign(i<j, i> j);
  return sign(whole<d, whole> d);
}

int rasp::ir::compareNumbers(const Value &a, const Value &b) {
  if (!a.isFloat() && !b.isFloat())
    return sign(a.toInt() < b.toInt(), a.toInt() > b.toInt());
  if (!a.isFloat())
    return compareIntFloat(a.toInt(), b.asFloat());
  if (!b.isFloat())
    return -compareIntFloat(b.toInt(), a.asFloat());
  double x = a.asFloat(), y = b.asFloat();
  if (std::isnan(x) || std::isnan(y))
    return int(std::isnan(x)) - int(std::isnan(y));
  return sign(x<y, x> y);
}

bool Value::operator<(const Value &other) const {
  if (isString() || other.isString()) {
    if (isString() != other.isString())
      return other.isString();
    // The order of UTF-8 bytes is that of code points.
    return bits != other.bits && asString() < other.asString();
  }
  if (int order = compareNumbers(*this, other))
    return order < 0;
  return theKind < other.theKind;
}

bool rasp::ir::pythonEqual(const Value &a, const Value &b) {
  if (a.kind() == b.kind())
    return a == b;
  return a.isNumeric() && b.isNumeric() && compareNumbers(a, b) == 0;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string rasp::ir::pythonFloatRepr(double d) {
  if (std::isnan(d))
    return "nan";
  if (std::isinf(d))
    return d < 0 ? "-inf" : "inf";
  // Python switches to an exponent where the decimal exponent is below -4 or
  // at least 16; std::to_chars decides otherwise, but its digits are the same.
  char buffer[32];
  double magnitude = std::fabs(d);
  bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16);
  auto end = exponent ? std::to_chars(buffer, std::end(buffer), d,
                                      std::chars_format::scientific)
                      : std::to_chars(buffer, std::end(buffer), d,
                                      std::chars_format::fixed);
  std::string text(buffer, end.ptr);
  if (!exponent && text.find('.') == std::string::npos)
    text += ".0";
  return text;
}

std::string rasp::ir::pythonStr(const Value &value) {
  switch (value.kind()) {
  case ValueKind::Bool:
    return value.asBool() ? "True" : "False";
  case ValueKind::Int:
    return llvm::itostr(value.asInt());
  case ValueKind::Float:
    return pythonFloatRepr(value.asFloat());
  case ValueKind::String:
    return value.asString().str();
  }
  llvm_unreachable("all kinds are listed");
}

void rasp::ir::printQuoted(llvm::raw_ostream &os, StringRef text) {
  os << '"';
  for (char c : text) {
    switch (c) {
    case '"':
    case '\\':
      os << '\\' << c;
      break;
    case '\n':
      os << "\\n";
      break;
    case '\r':
      os << "\\r";
      break;
    case '\t':
      os << "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        os << "\\u00" << llvm::hexdigit(c >> 4, /*LowerCase=*/true)
           << llvm::hexdigit(c & 15, /*LowerCase=*/true);
      else
        os << c;
    }
  }
  os << '"';
}

void Value::print(llvm::raw_ostream &os) const {
  if (isString())
    printQuoted(os, asString());
  else
    os << pythonStr(*this);
}

std::string Value::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

std::string Value::display() const {
  if (isBool())
    return asBool() ? "T" : "F";
  if (isFloat() && std::isfinite(asFloat())) {
    char buffer[400];
    auto end = std::to_chars(buffer, std::end(buffer), asFloat(),
                             std::chars_format::fixed, 3);
    double rounded = 0;
    std::from_chars(buffer, end.ptr, rounded);
    return pythonFloatRepr(rounded);
  }
  return pythonStr(*this);
}

llvm::raw_ostream &rasp::ir::operator<<(llvm::raw_ostream &os,
                                        const Value &value) {
  value.print(os);
  return os;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

void Value::printJSON(llvm::raw_ostream &os) const {
  if (isBool())
    os << (asBool() ? "true" : "false");
  else if (isString())
    os << llvm::json::Value(llvm::json::fixUTF8(asString()));
  else
    os << pythonStr(*this);
}

llvm::json::Value Value::toJSON() const {
  switch (theKind) {
  case ValueKind::Bool:
    return asBool();
  case ValueKind::Int:
    return asInt();
  case ValueKind::Float:
    return asFloat();
  case ValueKind::String:
    return llvm::json::fixUTF8(asString());
  }
  llvm_unreachable("all kinds are listed");
}

std::optional<Value> Value::fromJSON(const llvm::json::Value &json) {
  if (auto b = json.getAsBoolean())
    return boolean(*b);
  // Of the double 2^63, that is the least integer.
  if (auto i = json.getAsInteger(); i && (*i >= 0 || *json.getAsNumber() < 0))
    return integer(*i);
  if (auto d = json.getAsNumber())
    return real(*d);
  if (auto s = json.getAsString())
    return string(*s);
  return std::nullopt;
}

static llvm::Error jsonError(const llvm::Twine &message) {
  return llvm::createStringError(message);
}

llvm::Expected<Value> rasp::ir::parseJSON(StringRef text) {
  text = text.trim(" \t\r\n");
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return jsonError("`" + text +
                     "` is no JSON value: " + llvm::toString(json.takeError()));
  if (json->kind() == llvm::json::Value::Number) {
    double d = *json->getAsNumber();
    if (text.find_first_of(".eE") != StringRef::npos)
      return std::isfinite(d) ? llvm::Expected<Value>(Value::real(d))
                              : jsonError("`" + text + "` is too large");
    int64_t i;
    if (text.getAsInteger(10, i))
      return jsonError("`" + text + "` does not fit in 64 bits");
    return Value::integer(i);
  }
  if (std::optional<Value> value = Value::fromJSON(*json))
    return *value;
  return jsonError("`" + text +
                   "` is no bool, number or string, as a value must be");
}

/// The length of the first list element of `text`: up to a comma or closing
/// bracket outside of strings.
static size_t elementLength(StringRef text) {
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (inString && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inString = !inString;
    else if (!inString && (text[i] == ',' || text[i] == ']'))
      return i;
  }
  return text.size();
}

llvm::Expected<std::vector<Value>> rasp::ir::parseJSONList(StringRef text) {
  StringRef rest = text.trim(" \t\r\n");
  std::vector<Value> values;
  if (!rest.consume_front("[") || !rest.consume_back("]"))
    return jsonError("`" + text + "` is no JSON list");
  if (rest.trim(" \t\r\n").empty())
    return values;
  while (true) {
    size_t length = elementLength(rest);
    llvm::Expected<Value> value = parseJSON(rest.take_front(length));
    if (!value)
      return value.takeError();
    values.push_back(*value);
    if (length == rest.size())
      return values;
    if (rest[length] != ',')
      return jsonError("`" + text + "` is no flat JSON list");
    rest = rest.drop_front(length + 1);
  }
}
