//===- test/fuzz/Mutations.cpp - changes that keep a structure ------------===//

#include "test/fuzz/Fuzz.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstring>
#include <vector>

using namespace rasp;
namespace json = llvm::json;

size_t fuzz::store(llvm::StringRef text, uint8_t *data, size_t maxSize) {
  size_t size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}

std::string fuzz::mutateBytes(llvm::StringRef text, size_t maxSize) {
  std::string bytes = text.take_front(maxSize).str();
  size_t size = bytes.size();
  bytes.resize(std::max<size_t>(maxSize, 1));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size,
                                maxSize));
  return bytes;
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// A text in pieces: names, numbers, strings, blanks, single characters.
static std::vector<std::string> split(llvm::StringRef text) {
  std::vector<std::string> words;
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  auto isBlank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty()) {
    size_t size = 1;
    if (isWord(text[0]))
      size = text.take_while(isWord).size();
    else if (isBlank(text[0]))
      size = text.take_while(isBlank).size();
    else if (text[0] == '"')
      size = std::min(text.size(), text.find_first_of("\"\n", 1)) + 1;
    else if (text.size() > 1 && text[1] == '=')
      size = 2;
    words.push_back(text.take_front(size).str());
    text = text.drop_front(words.back().size());
  }
  return words;
}

static void changeWords(std::vector<std::string> &words,
                        fuzz::Choices &choices) {
  static const char *const others[] = {"0",   "1",   "-1",      "2",
                                       "0.5", "3.0", "\"a\"",   "\"\"",
                                       "-",   "not", "indices", "tokens"};
  auto at = [&](size_t i) {
    return words.begin() + static_cast<std::ptrdiff_t>(i);
  };
  size_t i = choices.below(words.size());
  size_t count = std::min(words.size() - i, 1 + choices.below(8));
  std::vector<std::string> piece(at(i), at(i + count));
  switch (choices.below(6)) {
  case 0: // a piece goes
    words.erase(at(i), at(i + count));
    break;
  case 1: // comes again somewhere
    words.insert(at(choices.below(words.size())), piece.begin(), piece.end());
    break;
  case 2: // two words change places
    std::swap(words[i], choices.pick(words));
    break;
  case 3: // one becomes another of the text
    words[i] = choices.pick(words);
    break;
  case 4: // or something that may do anywhere
    words[i] = choices.pick(others);
    break;
  case 5: // in brackets
    words[i] = "(" + words[i] + ")";
    break;
  }
}

static void changeLines(std::string &text, fuzz::Choices &choices) {
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n');
  std::vector<std::string> changed;
  for (llvm::StringRef line : lines)
    changed.push_back(line.str());
  size_t i = choices.below(changed.size());
  std::string line = changed[i];
  auto place = [&] {
    return changed.begin() +
           static_cast<std::ptrdiff_t>(choices.below(changed.size()));
  };
  switch (choices.below(3)) {
  case 0:
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  case 1:
    changed.insert(place(), line);
    break;
  case 2:
    std::swap(changed[i], *place());
    break;
  }
  text = llvm::join(changed, "\n");
}

std::string fuzz::mutateWords(llvm::StringRef text, size_t maxSize,
                              Choices &choices) {
  if (text.empty() || choices.below(2))
    return mutateBytes(text, maxSize);
  std::string changed = text.str();
  for (size_t rounds = 1 + choices.below(3); rounds && !changed.empty();
       --rounds) {
    if (choices.below(4) == 0) {
      changeLines(changed, choices);
      continue;
    }
    std::vector<std::string> words = split(changed);
    changeWords(words, choices);
    changed = llvm::join(words, "");
  }
  changed.resize(std::min(changed.size(), maxSize));
  return changed;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// All values of a tree, in an order that does not depend on hashes.
static void collect(json::Value &value, std::vector<json::Value *> &all) {
  all.push_back(&value);
  if (json::Array *array = value.getAsArray())
    for (json::Value &element : *array)
      collect(element, all);
  if (json::Object *object = value.getAsObject()) {
    std::vector<std::pair<std::string, json::Value *>> members;
    for (auto &member : *object)
      members.emplace_back(member.first.str(), &member.second);
    llvm::sort(members);
    for (auto &member : members)
      collect(*member.second, all);
  }
}

static json::Value someNumber(const json::Value &old, fuzz::Choices &choices) {
  static const int64_t ints[] = {0,
                                 1,
                                 2,
                                 -1,
                                 3,
                                 255,
                                 65536,
                                 1 << 20,
                                 INT64_C(0x7fffffff),
                                 INT64_C(0x80000000),
                                 INT64_C(0xffffffff),
                                 INT64_C(0x100000000),
                                 INT64_C(1) << 53,
                                 INT64_MAX,
                                 INT64_MIN};
  static const double reals[] = {0.5,
                                 -0.0,
                                 1e-320,
                                 1e300,
                                 -1e38,
                                 1.0e6,
                                 1.0 / 3,
                                 0x1p-24,
                                 0x1p62,
                                 0x1p63,
                                 18446744073709551615.0,
                                 1e-7};
  std::optional<int64_t> integer = old.getAsInteger();
  switch (choices.below(4)) {
  case 0:
    return choices.pick(reals);
  case 1:
    if (integer && *integer<INT64_MAX && * integer> INT64_MIN)
      return choices.below(2) ? *integer + 1 : *integer - 1;
    [[fallthrough]];
  default:
    return choices.pick(ints);
  }
}

static void changeArray(json::Array &array, fuzz::Choices &choices) {
  size_t i = choices.below(array.size());
  switch (choices.below(3)) {
  case 0:
    std::rotate(array.begin() + static_cast<std::ptrdiff_t>(i),
                array.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                array.end());
    array.pop_back();
    break;
  case 1:
    array.insert(array.begin() + static_cast<std::ptrdiff_t>(i),
                 json::Value(array[i]));
    break;
  case 2:
    std::swap(array[i], array[choices.below(array.size())]);
    break;
  }
}

static void changeObject(json::Object &object, fuzz::Choices &choices) {
  std::vector<std::string> keys;
  for (auto &member : object)
    keys.push_back(member.first.str());
  llvm::sort(keys);
  std::string chosen = choices.pick(keys), other = choices.pick(keys);
  size_t change = choices.below(3);
  // Made anew: a json::Object from which something was erased cannot be copied
  // in LLVM 19.
  json::Object changed;
  for (const std::string &key : keys) {
    if (key != chosen)
      changed.try_emplace(key, *object.get(key));
    else if (change == 1) // another name
      changed.try_emplace(key + "x", *object.get(key));
    else if (change == 2) // another's value
      changed.try_emplace(key, *object.get(other));
  }
  object = std::move(changed);
}

static void changeTree(json::Value &root, fuzz::Choices &choices) {
  std::vector<json::Value *> all;
  collect(root, all);
  json::Value &value = *choices.pick(all);
  json::Array *array = value.getAsArray();
  json::Object *object = value.getAsObject();
  switch (choices.below(8)) {
  case 0: { // a copy of any other value
    json::Value copy = *choices.pick(all);
    value = std::move(copy);
    return;
  }
  case 1: {
    static const json::Value others[] = {
        nullptr, true,           false,           "",
        0,       json::Array(),  json::Object(),  "a",
        1.5,     json::Array{0}, json::Array{"a"}};
    value = choices.pick(others);
    return;
  }
  default:
    break;
  }
  if (array && !array->empty())
    changeArray(*array, choices);
  else if (object && !object->empty())
    changeObject(*object, choices);
  else if (std::optional<llvm::StringRef> text = value.getAsString())
    value = json::fixUTF8(fuzz::mutateBytes(*text, text->size() + 4));
  else
    value = someNumber(value, choices);
}

std::string fuzz::mutateJSON(llvm::StringRef text, size_t maxSize,
                             Choices &choices) {
  // The parser recurses.
  constexpr size_t deepest = 1000;
  size_t depth = text.count('[') + text.count('{');
  if (depth < deepest && choices.below(3)) {
    llvm::Expected<json::Value> value = json::parse(text);
    if (value) {
      for (size_t rounds = 1 + choices.below(3); rounds; --rounds)
        changeTree(*value, choices);
      std::string changed;
      llvm::raw_string_ostream(changed) << *value;
      if (changed.size() <= maxSize)
        return changed;
    } else {
      llvm::consumeError(value.takeError());
    }
  }
  return mutateBytes(text, maxSize);
}
