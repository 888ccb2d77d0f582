//===- backend/tools/run/ShowVariables.cpp - variables by position --------===//

#include "backend/tools/run/Show.h"
#include "backend/tools/run/TextTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace rasp;

/// So many values are listed where several fit.
static constexpr size_t maxListed = 3;

static std::string textOf(const rt::DecodedValue &value) {
  switch (value.kind) {
  case rt::DecodedValue::Values: {
    std::string text;
    for (const rt::Atom &atom :
         llvm::ArrayRef(value.values)
             .take_front(std::min(maxListed, value.values.size())))
      text += (text.empty() ? "" : "|") + shortAtom(atom);
    size_t more =
        value.values.size() - std::min(maxListed, value.values.size());
    return more ? text + "|+" + std::to_string(more) : text;
  }
  case rt::DecodedValue::Number:
    return shortAtom(value.number);
  case rt::DecodedValue::None:
    return "none";
  case rt::DecodedValue::Absent:
  case rt::DecodedValue::Unknown:
    return "?";
  }
  llvm_unreachable("every kind returns");
}

namespace {
template <typename T> class Printer {
public:
  Printer(llvm::raw_ostream &os, const Inside<T> &inside,
          const rt::VariableDecoder &decoder, ProgramValues *program)
      : os(os), inside(inside), decoder(decoder),
        positions(inside.options.positionsOf(inside.input.ids.size())),
        shown(decoder.variables().size()), meant(shown.size()) {
    llvm::erase(positions, 0u); // BOS has no values
    hasMeaning =
        program && program->run(rt::tokensOf(inside.model, inside.input));
    for (size_t v = 0; v < meant.size() && hasMeaning; ++v)
      meant[v] = program->of(decoder.variables()[v]);
    if (hasMeaning)
      meantOutput = program->output();
  }

  void print() {
    for (unsigned half = 0; half <= inside.numHalfLayers(); ++half)
      printHalfLayer(half);
    printOutput();
    if (!hasMeaning)
      os << "the program says nothing of this input\n";
    else if (!firstDifference.empty())
      os << "first difference from the program: " << firstDifference << "\n";
    else
      os << "nothing differs from what the program says\n";
  }

private:
  /// Adds a row and, where the program says otherwise, one with that.
  void addRow(TextTable &table, llvm::StringRef name,
              llvm::ArrayRef<std::string> texts,
              llvm::ArrayRef<rt::Atom> expected, llvm::ArrayRef<bool> differs,
              bool isCertain) {
    bool anyDiffers = llvm::is_contained(differs, true);
    std::vector<std::string> row{expected.empty() ? " "
                                 : anyDiffers     ? "!"
                                 : isCertain      ? "="
                                                  : "~",
                                 name.str()};
    llvm::append_range(row, texts);
    table.addRow(std::move(row));
    if (!anyDiffers)
      return;
    std::vector<std::string> program{"", "  the program says"};
    for (auto [position, differs] : llvm::zip_equal(positions, differs))
      program.push_back(differs ? shortAtom(expected[position - 1]) : "");
    table.addRow(std::move(program));
  }

  void printHalfLayer(unsigned half) {
    TextTable table(2);
    table.addRow(inside.header(positions, 2));
    bool isShown = inside.options.showsHalfLayer(half), any = false;
    for (size_t v = 0; v < shown.size(); ++v) {
      std::vector<std::string> texts;
      llvm::SmallVector<bool> differs;
      bool isCertain = true, isThere = false;
      for (unsigned position : positions) {
        rt::DecodedValue value =
            decoder.decode(v, inside.stream(half, position), half);
        isThere |= value.kind != rt::DecodedValue::Absent;
        isCertain &= value.isCertain();
        texts.push_back(textOf(value));
        differs.push_back(!meant[v].empty() &&
                          !value.admits(meant[v][position - 1]));
        if (differs.back() && firstDifference.empty())
          firstDifference =
              ("`" + decoder.variables()[v] + "` after " +
               nameOfHalfLayer(half) + " at position " + llvm::Twine(position))
                  .str();
      }
      if (!isThere || texts == shown[v])
        continue;
      shown[v] = texts;
      any = true;
      addRow(table, decoder.variables()[v], texts, meant[v], differs,
             isCertain);
    }
    if (!any || !isShown)
      return;
    os << "after " << nameOfHalfLayer(half) << "\n";
    table.print(os);
  }

  void printOutput() {
    TextTable table(2);
    std::vector<std::string> texts;
    llvm::SmallVector<bool> differs;
    for (unsigned position : positions) {
      rt::DecodedValue value;
      value.kind = rt::DecodedValue::Values;
      value.values = {inside.input.output[position - 1]};
      // Numbers that are not listed are as exact as the file promises.
      const auto *number = std::get_if<double>(&value.values[0]);
      const rt::OutputVocab &output = inside.model.output;
      if (number && output.kind == rt::OutputVocab::Numerical &&
          output.values.empty()) {
        value.kind = rt::DecodedValue::Number;
        value.number = *number;
        value.error = output.tolerance;
      }
      texts.push_back(textOf(value));
      differs.push_back(hasMeaning && !value.admits(meantOutput[position - 1]));
      if (differs.back() && firstDifference.empty())
        firstDifference =
            ("the output at position " + llvm::Twine(position)).str();
    }
    os << "output\n";
    table.addRow(inside.header(positions, 2));
    addRow(table, inside.model.output.label, texts, meantOutput, differs,
           /*isCertain=*/true);
    table.print(os);
  }

  llvm::raw_ostream &os;
  const Inside<T> &inside;
  const rt::VariableDecoder &decoder;
  std::vector<unsigned> positions;
  std::vector<std::vector<std::string>> shown; ///< last, by variable
  bool hasMeaning = false;
  std::vector<std::vector<rt::Atom>> meant; ///< by variable
  std::vector<rt::Atom> meantOutput;
  std::string firstDifference;
};
} // namespace

template <typename T>
void rasp::showVariables(llvm::raw_ostream &os, const Inside<T> &inside,
                         const rt::VariableDecoder &decoder,
                         ProgramValues *program) {
  Printer<T>(os, inside, decoder, program).print();
}

template void rasp::showVariables(llvm::raw_ostream &, const Inside<float> &,
                                  const rt::VariableDecoder &, ProgramValues *);
template void rasp::showVariables(llvm::raw_ostream &, const Inside<double> &,
                                  const rt::VariableDecoder &, ProgramValues *);
