//===- runtime/NumberList.cpp - lists of numbers as JSON ------------------===//

#include "runtime/NumberList.h"

#include <cmath>
#include <limits>

using namespace rasp::rt;
namespace json = llvm::json;

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

json::Value rasp::rt::numberToJSON(double number) {
  if (std::isnan(number))
    return nullptr;
  // Whole numbers are shorter as such.
  if (number == std::floor(number) && std::fabs(number) < 0x1p53)
    return static_cast<int64_t>(number);
  return number;
}

json::Value rasp::rt::numbersToJSON(llvm::ArrayRef<double> numbers) {
  auto same = [](double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  };
  json::Array runs, plain;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && same(numbers[end], numbers[i]))
      ++end;
    runs.push_back(numberToJSON(numbers[i]));
    runs.push_back(static_cast<int64_t>(end - i));
    i = end;
  }
  if (runs.size() < numbers.size())
    return json::Object{{"runs", std::move(runs)}};
  for (double number : numbers)
    plain.push_back(numberToJSON(number));
  return plain;
}

static llvm::Expected<double> numberFromJSON(const json::Value &value) {
  if (value.getAsNull())
    return std::numeric_limits<double>::quiet_NaN();
  if (std::optional<double> number = value.getAsNumber())
    return *number;
  return fail("has an element that is no number");
}

llvm::Expected<std::vector<double>>
rasp::rt::numbersFromJSON(const json::Value &value, size_t limit) {
  const json::Array *plain = value.getAsArray();
  const json::Object *packed = value.getAsObject();
  const json::Array *runs = packed ? packed->getArray("runs") : nullptr;
  if (!plain && (!runs || runs->size() % 2 != 0))
    return fail("is no list of numbers");
  const json::Array &list = plain ? *plain : *runs;
  std::vector<double> result;
  for (size_t i = 0; i < list.size(); i += plain ? 1 : 2) {
    llvm::Expected<double> number = numberFromJSON(list[i]);
    if (!number)
      return number.takeError();
    std::optional<int64_t> count = plain ? 1 : list[i + 1].getAsInteger();
    if (!count || *count < 1)
      return fail("has a count that is no positive integer");
    if (uint64_t(*count) > limit - result.size())
      return fail("is longer than " + llvm::Twine(limit));
    result.insert(result.end(), *count, *number);
  }
  return result;
}
