//===- backend/tools/run/TextTable.cpp - aligned columns ------------------===//

#include "backend/tools/run/TextTable.h"
#include "runtime/Atom.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Locale.h"
#include "llvm/Support/Process.h"
#include <algorithm>

using namespace rasp;

/// The terminal must not take what a token holds for a command.
static std::string escapeControls(llvm::StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      os << llvm::format("\\x%02x", static_cast<unsigned char>(c));
    else
      os << c;
  return escaped;
}

static size_t widthOf(llvm::StringRef text) {
  return std::max(llvm::sys::locale::columnWidth(text), 0);
}

/// How wide a line may be: that of the terminal, or what files are wide.
static size_t lineWidth() {
  unsigned columns = llvm::sys::Process::StandardOutColumns();
  return columns ? columns : 120;
}

void TextTable::addRow(std::vector<std::string> cells) {
  for (std::string &cell : cells)
    cell = escapeControls(cell);
  rows.push_back(std::move(cells));
}

void TextTable::printBlock(llvm::raw_ostream &os, llvm::ArrayRef<size_t> widths,
                           size_t begin, size_t end) const {
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t column = 0; column < std::min(end, row.size()); ++column) {
      if (column >= leading && column < begin)
        continue;
      std::string padding(widths[column] - widthOf(row[column]), ' ');
      line += column < leading ? "  " + row[column] + padding
                               : "  " + padding + row[column];
    }
    os << llvm::StringRef(line).rtrim() << "\n";
  }
}

void TextTable::print(llvm::raw_ostream &os) const {
  std::vector<size_t> widths;
  for (const std::vector<std::string> &row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, widthOf(cell));
  }
  size_t used = 0, begin = leading;
  for (size_t column = 0; column < std::min<size_t>(leading, widths.size());
       ++column)
    used += 2 + widths[column];
  do {
    size_t end = begin, width = used;
    while (end < widths.size() &&
           (end == begin || width + 2 + widths[end] <= lineWidth()))
      width += 2 + widths[end++];
    printBlock(os, widths, begin, end);
    begin = end;
  } while (begin < widths.size());
}

static std::string format(double number, const char *how) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(how, number);
  return text;
}

std::string rasp::shortNumber(double number) {
  return number == 0 ? "." : format(number, "%.3g");
}

std::string rasp::shortAtom(const rt::Atom &atom) {
  if (const auto *truth = std::get_if<bool>(&atom))
    return *truth ? "T" : "F";
  if (const auto *number = std::get_if<double>(&atom)) {
    std::string text = format(*number, "%.4g");
    bool looksWhole = text.find_first_not_of("-0123456789") == text.npos;
    return looksWhole ? text + ".0" : text;
  }
  if (const auto *string = std::get_if<std::string>(&atom))
    if (!string->empty() && string->find(' ') == string->npos)
      return *string;
  std::string text;
  llvm::raw_string_ostream os(text);
  rt::printPython(os, atom);
  return text;
}
