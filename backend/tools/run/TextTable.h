//===- backend/tools/run/TextTable.h - aligned columns ----------*- C++ -*-===//

#ifndef RASP_BACKEND_TOOLS_RUN_TEXTTABLE_H
#define RASP_BACKEND_TOOLS_RUN_TEXTTABLE_H

#include "runtime/Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace rasp {

/// Rows of cells, printed with columns as wide as their widest cell: the
/// leading ones to the left, others to the right. What is wider than a line is
/// cut into blocks of columns, each with the leading ones. Control characters
/// in cells are shown escaped.
class TextTable {
public:
  explicit TextTable(unsigned leading) : leading(leading) {}

  /// Rows may differ in length.
  void addRow(std::vector<std::string> cells);
  bool isEmpty() const { return rows.empty(); }
  void print(llvm::raw_ostream &os) const;

private:
  void printBlock(llvm::raw_ostream &os, llvm::ArrayRef<size_t> widths,
                  size_t begin, size_t end) const;

  unsigned leading;
  std::vector<std::vector<std::string>> rows;
};

/// A number in few characters: `1`, `0.333`, `-2.5e-07`; `.` for zero.
std::string shortNumber(double number);

/// A value in few characters: `a`, `' '`, `T`, `3`, `0.333`, `2.0`.
std::string shortAtom(const rt::Atom &atom);

} // namespace rasp

#endif
