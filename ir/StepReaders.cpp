//===- ir/StepReaders.cpp - readers that see few steps of an s-op ---------===//

#include "ir/StepReaders.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <map>

using namespace rasp::ir;

namespace {
/// `scale * x + offset`, as doubles compute it up to `error`.
struct Affine {
  double scale = 1, offset = 0, error = 0;
};

class StepSearch {
public:
  using ValuesOf =
      llvm::function_ref<std::optional<llvm::ArrayRef<Value>>(const Node *)>;

  StepSearch(double low, double high, const UserMap &users, ValuesOf valuesOf)
      : low(low), high(high), users(users), valuesOf(valuesOf) {}

  StepReaders run(const Node *sop);

private:
  /// Whether the reader's cuts were added, seen from operand `side`.
  bool addCuts(const Node *reader, unsigned side, llvm::ArrayRef<Affine> forms);
  bool addThresholds(llvm::ArrayRef<Affine> forms,
                     llvm::ArrayRef<double> thresholds);
  /// The forms of an affine op; none if it is not affine or they are many.
  std::optional<std::vector<Affine>> imageOf(const Node *reader, unsigned side,
                                             llvm::ArrayRef<Affine> forms);
  /// The distinct numbers among the values of an s-op; none if they are not
  /// known, or strings among them while `strings` may not be.
  std::optional<std::vector<double>> numbersOf(const Node *sop, bool strings);
  double sizeOf(const Affine &form) const {
    return std::fabs(form.scale) * std::max(std::fabs(low), std::fabs(high)) +
           std::fabs(form.offset);
  }

  double low, high;
  const UserMap &users;
  ValuesOf valuesOf;
  StepReaders result;
};
} // namespace

/// More cuts make profiles that are larger than what is cut.
static constexpr size_t maxCuts = 4096, maxForms = 256;

static std::optional<std::vector<double>>
numbersAmong(llvm::ArrayRef<Value> values, bool strings) {
  std::vector<double> numbers;
  for (const Value &value : values)
    if (value.isNumeric())
      numbers.push_back(value.toDouble());
    else if (!strings)
      return std::nullopt;
  llvm::sort(numbers);
  numbers.erase(llvm::unique(numbers), numbers.end());
  return numbers;
}

std::optional<std::vector<double>> StepSearch::numbersOf(const Node *sop,
                                                         bool strings) {
  std::optional<llvm::ArrayRef<Value>> values = valuesOf(sop);
  return values ? numbersAmong(*values, strings) : std::nullopt;
}

bool StepSearch::addThresholds(llvm::ArrayRef<Affine> forms,
                               llvm::ArrayRef<double> thresholds) {
  if (result.cuts.size() + forms.size() * thresholds.size() > maxCuts)
    return false;
  constexpr double unitRoundoff = std::numeric_limits<double>::epsilon();
  for (const Affine &form : forms)
    for (double threshold : thresholds) {
      if (form.scale == 0)
        continue;
      double rounding =
          form.error + 4 * unitRoundoff * (sizeOf(form) + std::fabs(threshold));
      result.cuts.push_back({(threshold - form.offset) / form.scale,
                             2 * rounding / std::fabs(form.scale)});
    }
  return true;
}

bool StepSearch::addCuts(const Node *reader, unsigned side,
                         llvm::ArrayRef<Affine> forms) {
  switch (reader->kind()) {
  case OpKind::Eq:
  case OpKind::Ne:
  case OpKind::Lt:
  case OpKind::Le:
  case OpKind::Gt:
  case OpKind::Ge: {
    auto numbers = numbersOf(reader->operand(1 - side), /*strings=*/true);
    return numbers && addThresholds(forms, *numbers);
  }
  case OpKind::In:
    return addThresholds(
        forms, *numbersAmong(reader->table().values, /*strings=*/true));
  case OpKind::Not:
  case OpKind::And:
  case OpKind::Or:
  case OpKind::Indicator:
    return addThresholds(forms, {0.0});
  case OpKind::Where:
    return side == 0 && addThresholds(forms, {0.0});
  case OpKind::Round: {
    for (const Affine &form : forms) {
      double size = sizeOf(form);
      double first = form.scale * (form.scale < 0 ? high : low) + form.offset;
      double last = form.scale * (form.scale < 0 ? low : high) + form.offset;
      if (last - first > maxCuts || size > 1e15)
        return false;
      std::vector<double> halves;
      for (double half = std::floor(first) - 0.5; half <= last + 1; ++half)
        halves.push_back(half);
      if (!addThresholds(form, halves))
        return false;
    }
    return true;
  }
  default:
    return false;
  }
}

std::optional<std::vector<Affine>>
StepSearch::imageOf(const Node *reader, unsigned side,
                    llvm::ArrayRef<Affine> forms) {
  std::vector<Affine> images;
  auto add = [&](const Affine &form, double scale, double offset) {
    constexpr double unitRoundoff = std::numeric_limits<double>::epsilon();
    Affine image{form.scale * scale, form.offset * scale + offset,
                 form.error * std::fabs(scale)};
    image.error += 2 * unitRoundoff *
                   (sizeOf(form) * std::fabs(scale) + std::fabs(offset));
    images.push_back(image);
  };
  OpKind kind = reader->kind();
  if (kind == OpKind::Pos || kind == OpKind::Neg) {
    for (const Affine &form : forms)
      add(form, kind == OpKind::Neg ? -1 : 1, 0);
    return images;
  }
  if (kind != OpKind::Add && kind != OpKind::Sub && kind != OpKind::Mul &&
      kind != OpKind::Div)
    return std::nullopt;
  if (kind == OpKind::Div && side == 1)
    return std::nullopt;
  auto numbers = numbersOf(reader->operand(1 - side), /*strings=*/false);
  if (!numbers || numbers->size() * forms.size() > maxForms)
    return std::nullopt;
  for (const Affine &form : forms)
    for (double number : *numbers) {
      if (kind == OpKind::Add)
        add(form, 1, number);
      else if (kind == OpKind::Sub)
        side == 0 ? add(form, 1, -number) : add(form, -1, number);
      else if (kind == OpKind::Mul)
        add(form, number, 0);
      else if (number != 0)
        add(form, 1 / number, 0);
    }
  return images;
}

StepReaders StepSearch::run(const Node *sop) {
  // In topological order, so that an image is complete when it is read.
  std::map<unsigned, std::pair<const Node *, std::vector<Affine>>> work;
  work[sop->id()] = {sop, {Affine()}};
  while (!work.empty()) {
    auto [node, forms] = work.begin()->second;
    work.erase(work.begin());
    auto found = users.find(node);
    if (found == users.end()) {
      result.complete = false;
      continue;
    }
    for (const Node *reader : found->second) {
      if (!isElementwise(reader->kind())) {
        result.complete = false;
        continue;
      }
      for (auto [side, operand] : llvm::enumerate(reader->operands())) {
        if (operand != node)
          continue;
        auto at = static_cast<unsigned>(side);
        if (addCuts(reader, at, forms)) {
          result.readers.insert({reader, at});
        } else if (auto image = imageOf(reader, at, forms)) {
          result.images.insert(reader);
          work[reader->id()] = {reader, std::move(*image)};
        } else {
          result.complete = false;
        }
      }
    }
  }
  return std::move(result);
}

StepReaders rasp::ir::findStepReaders(const Node *sop, double low, double high,
                                      const UserMap &users,
                                      StepSearch::ValuesOf valuesOf) {
  return StepSearch(low, high, users, valuesOf).run(sop);
}
