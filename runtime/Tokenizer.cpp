//===- runtime/Tokenizer.cpp - values to token ids and back ---------------===//

#include "runtime/Tokenizer.h"

#include "runtime/Atom.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include <algorithm>
#include <cctype>
#include <cmath>

using namespace rasp::rt;

static double toDouble(const Atom &atom) {
  if (auto *flag = std::get_if<bool>(&atom))
    return *flag;
  if (auto *integer = std::get_if<int64_t>(&atom))
    return double(*integer);
  auto *number = std::get_if<double>(&atom);
  return number ? *number : 0;
}

Tokenizer::Tokenizer(const Model &model) : model(model) {
  for (auto [id, value] : llvm::enumerate(model.input.values))
    ids.try_emplace(keyOf(value), id);
  if (model.output.kind == OutputVocab::Numerical)
    for (const Atom &value : model.output.values)
      numbers.push_back(toDouble(value));
}

/// A text that two atoms share exactly if they are the same token.
std::string Tokenizer::keyOf(const Atom &value) {
  if (auto *number = std::get_if<double>(&value))
    if (*number == std::floor(*number) && std::fabs(*number) < 0x1p62)
      return keyOf(Atom(int64_t(*number)));
  std::string key;
  llvm::raw_string_ostream os(key);
  if (auto *text = std::get_if<std::string>(&value))
    os << '"' << *text;
  else
    printJSON(os, value);
  return key;
}

llvm::Expected<std::vector<uint32_t>>
Tokenizer::encode(llvm::ArrayRef<Atom> values) const {
  std::string message;
  llvm::raw_string_ostream os(message);
  if (values.empty()) {
    os << "the input is empty, expected 1 to " << model.config.nCtx - 1
       << " tokens";
  } else if (values.size() > model.config.nCtx - 1) {
    os << "the input has " << values.size()
       << " tokens, the model takes at most " << model.config.nCtx - 1;
  } else {
    std::vector<uint32_t> sequence = {model.input.bosId};
    for (const Atom &value : values) {
      auto it = ids.find(keyOf(value));
      if (it == ids.end()) {
        os << "token ";
        printJSON(os, value);
        os << " is not in the vocabulary (";
        constexpr size_t shown = 20;
        llvm::interleave(
            llvm::ArrayRef(model.input.values).take_front(shown), os,
            [&](const Atom &token) { printJSON(os, token); }, ", ");
        os << (model.input.values.size() > shown ? ", ...)" : ")");
        break;
      }
      sequence.push_back(it->second);
    }
    if (message.empty())
      return sequence;
  }
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Reads one code point in the type of a vocabulary.
static Atom readCharacter(llvm::StringRef character, bool isBool) {
  if (isBool && (character == "T" || character == "1"))
    return true;
  if (isBool && (character == "F" || character == "0"))
    return false;
  if (!isBool && character.size() == 1 &&
      std::isdigit(static_cast<unsigned char>(character[0])))
    return int64_t(character[0] - '0');
  return character.str();
}

std::vector<Atom> Tokenizer::split(llvm::StringRef text) const {
  std::vector<Atom> tokens;
  while (!text.empty()) {
    size_t size = std::clamp<size_t>(
        llvm::getNumBytesForUTF8(llvm::UTF8(text.front())), 1, text.size());
    Atom token = text.take_front(size).str();
    for (bool isBool : {false, true}) {
      Atom typed = readCharacter(text.take_front(size), isBool);
      if (!has(token) && has(typed))
        token = typed;
    }
    tokens.push_back(std::move(token));
    text = text.drop_front(size);
  }
  return tokens;
}

Atom Tokenizer::numberAt(double logit) const {
  if (!numbers.empty()) {
    auto above = std::lower_bound(numbers.begin(), numbers.end(), logit);
    if (above == numbers.end() ||
        (above != numbers.begin() && logit - above[-1] <= *above - logit))
      --above;
    return model.output.values[above - numbers.begin()];
  }
  if (model.output.type == "int" && std::fabs(logit) < 0x1p62)
    return int64_t(std::llround(logit));
  if (model.output.type == "bool")
    return logit > 0.5;
  return logit;
}
