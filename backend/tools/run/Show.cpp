//===- backend/tools/run/Show.cpp - what of a model is shown --------------===//

#include "backend/tools/run/Show.h"
#include "backend/tools/run/TextTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp;

/// So many positions are shown if nobody asks for others.
static constexpr unsigned maxPositions = 64;

llvm::Expected<NumberChoice> NumberChoice::parse(llvm::StringRef text) {
  NumberChoice choice;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/!text.empty());
  for (llvm::StringRef part : parts) {
    auto [first, last] = part.trim().split('-');
    std::pair<unsigned, unsigned> range;
    if (first.getAsInteger(10, range.first) ||
        (part.contains('-') ? last : first).getAsInteger(10, range.second) ||
        range.second < range.first)
      return llvm::createStringError(
          llvm::inconvertibleErrorCode(),
          "`" + part + "` is no number and no range such as 2-4");
    choice.ranges.push_back(range);
  }
  return choice;
}

bool NumberChoice::contains(unsigned number) const {
  return isAll() || llvm::any_of(ranges, [&](auto range) {
           return range.first <= number && number <= range.second;
         });
}

unsigned NumberChoice::last() const {
  unsigned last = 0;
  for (auto [first, end] : ranges)
    last = std::max(last, end);
  return last;
}

std::vector<rt::HookPoint>
ShowOptions::points(const rt::HookTable &table) const {
  std::vector<rt::HookPoint> points;
  if (variables || residual)
    points = table.residualStream();
  if (attention)
    for (size_t l = 0; l < table.sizes().layers.size(); ++l)
      points.push_back({rt::HookKind::Pattern, static_cast<int>(l)});
  return points;
}

bool ShowOptions::showsHalfLayer(unsigned halfLayer) const {
  return layers.contains(halfLayer == 0 ? 0 : (halfLayer - 1) / 2);
}

std::vector<unsigned> ShowOptions::positionsOf(unsigned length) const {
  std::vector<unsigned> shown;
  for (unsigned position = 0; position < length; ++position)
    if (positions.isAll() ? position <= maxPositions
                          : positions.contains(position))
      shown.push_back(position);
  return shown;
}

template <typename T>
std::vector<std::string> Inside<T>::header(llvm::ArrayRef<unsigned> positions,
                                           unsigned before) const {
  std::vector<std::string> cells(before);
  for (unsigned position : positions)
    cells.push_back(position == 0
                        ? "BOS"
                        : shortAtom(model.input.values[input.ids[position]]));
  return cells;
}

template struct rasp::Inside<float>;
template struct rasp::Inside<double>;

std::string rasp::nameOfHalfLayer(unsigned halfLayer) {
  if (halfLayer == 0)
    return "the embedding";
  return std::string(halfLayer % 2 ? "the attention" : "the MLP") +
         " of layer " + std::to_string((halfLayer - 1) / 2);
}
