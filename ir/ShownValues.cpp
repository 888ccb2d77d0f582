//===- ir/ShownValues.cpp - value sets as dumps show them -----------------===//

#include "ir/ShownValues.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::ir;

ShownValues ShownValues::of(llvm::ArrayRef<Value> values, size_t maxItems) {
  ShownValues shown;
  for (size_t i = 0; i < values.size();) {
    if (shown.items.size() == maxItems && i + 1 < values.size()) {
      shown.count = values.size();
      break;
    }
    size_t end = i + 1;
    if (values[i].isInt())
      while (end < values.size() && values[end].isInt() &&
             values[end].asInt() ==
                 values[i].asInt() + static_cast<int64_t>(end - i))
        ++end;
    if (end - i < 3)
      end = i + 1;
    shown.items.push_back({values[i], values[end - 1]});
    i = end;
  }
  return shown;
}

llvm::raw_ostream &rasp::ir::operator<<(llvm::raw_ostream &os,
                                        const ShownValues &shown) {
  if (!shown.known)
    return os << "too many values";
  os << '{';
  llvm::ListSeparator separator;
  for (const ShownValues::Item &item : shown.items) {
    os << separator << item.first;
    if (item.last != item.first)
      os << ".." << item.last;
  }
  if (shown.count)
    os << separator << "... " << *shown.count << " values";
  return os << '}';
}

std::string rasp::ir::printValueSet(llvm::ArrayRef<Value> values,
                                    size_t maxItems) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << ShownValues::of(values, maxItems);
  return text;
}
