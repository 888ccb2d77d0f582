//===- backend/tools/CompileOptions.cpp - what fixes the input ------------===//

#include "backend/tools/CompileOptions.h"
#include "ir/NearestName.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace rasp;
using ir::Value;

template <typename... Args>
static llvm::Error failure(const char *format, Args &&...args) {
  return llvm::createStringError(
      llvm::inconvertibleErrorCode(),
      llvm::formatv(format, std::forward<Args>(args)...).str());
}

/// The value that an item of the vocabulary stands for in the type of the
/// input.
static llvm::Expected<Value> parseItem(llvm::StringRef item,
                                       llvm::StringRef tokens) {
  if (tokens == "str")
    return Value::string(item);
  if (tokens == "bool") {
    if (item == "true" || item == "True" || item == "1")
      return Value::boolean(true);
    if (item == "false" || item == "False" || item == "0")
      return Value::boolean(false);
    return failure("`{0}` is no bool; write `true` or `false`", item);
  }
  int64_t integer;
  if (tokens == "int") {
    if (!item.getAsInteger(10, integer))
      return Value::integer(integer);
    return failure("`{0}` is no int", item);
  }
  double number;
  if (!item.getAsDouble(number) && std::isfinite(number))
    return Value::real(number);
  return failure("`{0}` is no number", item);
}

/// A token that JSON spells, in the type of the input.
static llvm::Expected<Value> typedItem(const Value &value,
                                       llvm::StringRef tokens) {
  bool fits = (tokens == "str" && value.isString()) ||
              (tokens == "bool" && value.isBool()) ||
              (tokens == "int" && value.isInt()) ||
              (tokens == "float" && (value.isInt() || value.isFloat()));
  if (!fits)
    return failure("the token {0} is of another type than `--tokens={1}`",
                   value.str(), tokens);
  return tokens == "float" ? Value::real(value.toDouble()) : value;
}

/// The code point that `text` consists of, or none.
static std::optional<uint32_t> singleCodePoint(llvm::StringRef text) {
  llvm::SmallVector<llvm::UTF32, 4> points(text.size());
  const llvm::UTF8 *source = text.bytes_begin();
  llvm::UTF32 *target = points.data();
  if (llvm::ConvertUTF8toUTF32(&source, text.bytes_end(), &target,
                               target + points.size(),
                               llvm::strictConversion) != llvm::conversionOK ||
      target - points.data() != 1)
    return std::nullopt;
  return points[0];
}

static std::string encode(uint32_t codePoint) {
  char buffer[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
  char *end = buffer;
  llvm::ConvertCodePointToUTF8(codePoint, end);
  return std::string(buffer, end);
}

/// Appends the values of `a..z` or `0..9`.
static llvm::Error addRange(llvm::StringRef low, llvm::StringRef high,
                            llvm::StringRef tokens,
                            std::vector<Value> &values) {
  constexpr uint64_t maxSize = 1 << 20;
  int64_t first = 0, last = 0;
  bool numbers = !low.getAsInteger(10, first) && !high.getAsInteger(10, last);
  std::optional<uint32_t> from = singleCodePoint(low),
                          to = singleCodePoint(high);
  if (tokens == "str" && from && to && !numbers) {
    first = *from;
    last = *to;
  } else if (!numbers) {
    return failure("the range `{0}..{1}` needs two numbers or two characters",
                   low, high);
  }
  if (first > last)
    return failure("the range `{0}..{1}` ends before it begins", low, high);
  if (static_cast<uint64_t>(last) - static_cast<uint64_t>(first) >= maxSize)
    return failure("the range `{0}..{1}` has more than {2} tokens, which is "
                   "the limit",
                   low, high, maxSize);
  for (int64_t i = first; i <= last; ++i) {
    std::string item =
        numbers ? std::to_string(i) : encode(static_cast<uint32_t>(i));
    llvm::Expected<Value> value = parseItem(item, tokens);
    if (!value)
      return value.takeError();
    values.push_back(*value);
  }
  return llvm::Error::success();
}

/// What is wrong with a vocabulary as a whole.
static llvm::Error checkVocabulary(llvm::ArrayRef<Value> values) {
  if (values.empty())
    return failure("a vocabulary needs at least one token");
  std::vector<Value> sorted = values.vec();
  llvm::sort(sorted);
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return failure("the token {0} occurs twice", twice->str());
  return llvm::Error::success();
}

llvm::Expected<std::vector<Value>>
rasp::parseVocabulary(llvm::StringRef text, llvm::StringRef tokens) {
  std::vector<Value> values;
  text = text.trim();
  if (text.starts_with("[")) {
    llvm::Expected<std::vector<Value>> items = ir::parseJSONList(text);
    if (!items)
      return items.takeError();
    for (const Value &item : *items) {
      llvm::Expected<Value> value = typedItem(item, tokens);
      if (!value)
        return value.takeError();
      values.push_back(*value);
    }
  } else {
    llvm::SmallVector<llvm::StringRef> items;
    text.split(items, ',');
    for (llvm::StringRef item : items) {
      item = item.trim();
      size_t dots = item.find("..");
      if (item.empty())
        return failure("an empty token; write a JSON list for tokens with "
                       "blanks or commas");
      if (dots != llvm::StringRef::npos && dots > 0 && dots + 2 < item.size()) {
        if (llvm::Error error =
                addRange(item.take_front(dots), item.drop_front(dots + 2),
                         tokens, values))
          return error;
        continue;
      }
      llvm::Expected<Value> value = parseItem(item, tokens);
      if (!value)
        return value.takeError();
      values.push_back(*value);
    }
  }
  if (llvm::Error error = checkVocabulary(values))
    return error;
  return values;
}

static constexpr llvm::StringLiteral keys[] = {"tokens", "vocab", "max-seq-len",
                                               "causal", "output"};
static constexpr const char *knownKeys =
    "tokens, vocab, max-seq-len, causal and output";
/// The longest `max-seq-len`.
static constexpr unsigned longestInput = 1 << 20;

llvm::Error CompileOptions::set(llvm::StringRef key, llvm::StringRef text) {
  text = text.trim();
  if (key == "tokens") {
    if (!llvm::is_contained({"str", "int", "float", "bool"}, text))
      return failure("`tokens` is `{0}`, but must be str, int, float or bool",
                     text);
    tokens = text.str();
  } else if (key == "vocab") {
    llvm::Expected<std::vector<Value>> values =
        parseVocabulary(text, tokens.value_or("str"));
    if (!values)
      return values.takeError();
    vocabulary = std::move(*values);
  } else if (key == "max-seq-len") {
    unsigned number;
    if (text.getAsInteger(10, number) || number == 0 || number > longestInput)
      return failure("`max-seq-len` is `{0}`, but must be a number from 1 to "
                     "{1}",
                     text, longestInput);
    maxSeqLen = number;
  } else if (key == "causal") {
    if (text != "true" && text != "false")
      return failure("`causal` is `{0}`, but must be true or false", text);
    causal = text == "true";
  } else if (key == "output") {
    output = text.str();
  } else {
    return failure("there is no option `{0}`; there are {1}", key, knownKeys);
  }
  return llvm::Error::success();
}

/// Reports keys that are no options, or stand there twice.
static void checkKeys(llvm::ArrayRef<frontend::Pragma> pragmas,
                      ir::Diagnostics &diags) {
  llvm::StringMap<const frontend::Pragma *> seen;
  for (const frontend::Pragma &pragma : pragmas) {
    if (!llvm::is_contained(keys, pragma.key)) {
      ir::NearestName nearest(pragma.key);
      for (llvm::StringRef key : keys)
        nearest.consider(key);
      diags
          .emit(pragma.keyRange, ir::diag::UnknownPragma, pragma.key,
                nearest.name().empty() ? std::string("; there are ") + knownKeys
                                       : nearest.question())
          .fixIt = nearest.name();
      continue;
    }
    auto [before, isNew] = seen.try_emplace(pragma.key, &pragma);
    if (isNew)
      continue;
    diags.emit(pragma.keyRange, ir::diag::RepeatedPragma, pragma.key);
    diags.emit(before->second->keyRange, ir::diag::GivenBefore);
    before->second = &pragma;
  }
}

void CompileOptions::addPragmas(llvm::ArrayRef<frontend::Pragma> pragmas,
                                ir::Diagnostics &diags) {
  checkKeys(pragmas, diags);
  CompileOptions fromFile;
  fromFile.tokens = tokens;
  // The vocabulary is read in the type of the tokens, wherever that stands.
  for (bool typeFirst : {true, false})
    for (const frontend::Pragma &pragma : pragmas) {
      if ((pragma.key == "tokens") != typeFirst ||
          (pragma.key == "tokens" && tokens) ||
          (pragma.key == "vocab" && vocabulary) ||
          !llvm::is_contained(keys, pragma.key))
        continue;
      if (llvm::Error error = fromFile.set(pragma.key, pragma.value))
        diags.emit(pragma.range, ir::diag::BadOption,
                   llvm::toString(std::move(error)));
      if (pragma.key == "output")
        fromFile.outputRange = pragma.range;
    }
  auto take = [](auto &mine, auto &theirs) {
    if (!mine)
      mine = theirs;
  };
  take(tokens, fromFile.tokens);
  take(vocabulary, fromFile.vocabulary);
  take(maxSeqLen, fromFile.maxSeqLen);
  take(causal, fromFile.causal);
  if (!output)
    outputRange = fromFile.outputRange;
  take(output, fromFile.output);
}

llvm::json::Value CompileOptions::toJSON() const {
  llvm::json::Array tokensOfVocabulary;
  if (vocabulary)
    for (const Value &value : *vocabulary)
      tokensOfVocabulary.push_back(value.toJSON());
  return llvm::json::Object{{"tokens", tokens.value_or("str")},
                            {"vocab", std::move(tokensOfVocabulary)},
                            {"max_seq_len", maxSeqLen.value_or(1)},
                            {"causal", causal.value_or(false)},
                            {"output", output.value_or("")}};
}

llvm::Expected<CompileOptions>
CompileOptions::fromJSON(const llvm::json::Value &json) {
  const llvm::json::Object *object = json.getAsObject();
  if (!object)
    return failure("the compile options are no JSON object");
  CompileOptions options;
  auto tokens = object->getString("tokens");
  auto length = object->getInteger("max_seq_len");
  auto causal = object->getBoolean("causal");
  auto output = object->getString("output");
  const llvm::json::Array *vocabulary = object->getArray("vocab");
  if (!tokens || !length || !causal || !output || !vocabulary)
    return failure("the compile options are incomplete");
  if (*length < 1 || *length > longestInput)
    return failure("`max_seq_len` is {0}, but must be a number from 1 to {1}",
                   *length, longestInput);
  if (llvm::Error error = options.set("tokens", *tokens))
    return error;
  options.maxSeqLen = static_cast<unsigned>(*length);
  options.causal = *causal;
  options.output = output->str();
  options.vocabulary.emplace();
  for (const llvm::json::Value &item : *vocabulary) {
    std::optional<Value> scalar = Value::fromJSON(item);
    if (!scalar)
      return failure("a token must be a string, a number or a bool");
    llvm::Expected<Value> value = typedItem(*scalar, *tokens);
    if (!value)
      return value.takeError();
    options.vocabulary->push_back(*value);
  }
  if (llvm::Error error = checkVocabulary(*options.vocabulary))
    return error;
  return options;
}
