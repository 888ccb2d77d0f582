//===- runtime/dump/DumpText.cpp - a model's weights as text --------------===//

#include "runtime/Atom.h"
#include "runtime/dump/Dump.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Unicode.h"
#include <cmath>
#include <numeric>
#include <set>

using namespace rasp::rt;

/// What is shown of long tables and lists, and how wide a table may be.
static constexpr size_t mostRows = 12, mostColumns = 16, mostListed = 8,
                        mostWidth = 78;

namespace {
using Row = std::vector<std::string>;

class TextPrinter {
public:
  TextPrinter(llvm::raw_ostream &os, Meanings &meanings,
              const Analysis &analysis, const DumpRequest &request)
      : os(os), meanings(meanings), model(meanings.model), analysis(analysis),
        request(request) {}
  void print();

private:
  size_t atMost(size_t limit, size_t size) const {
    return request.isWhole ? size : std::min(limit, size);
  }
  void printTitle();
  void printEmbeddings();
  void printLayer(unsigned layer);
  void printHead(const HeadReport &head);
  void printSelection(const HeadReport &head, const SelectionReport &report);
  void printRelation(const SelectionReport &report);
  void printHardness(const HeadReport &head);
  void printMoves(const HeadReport &head);
  void printClearings(unsigned layer);
  void printGroup(unsigned layer, const UnitGroup &group);
  /// `reads` are the directions that it is a function of, if any.
  void printFunction(const FunctionReport &function,
                     llvm::ArrayRef<unsigned> reads);
  void printByValue(const FunctionReport &function,
                    llvm::ArrayRef<unsigned> reads);
  void printGrid(const FunctionReport &function);
  void printList(const FunctionReport &function);
  void printOutput();
  void printVerdict(const Verdict &verdict, unsigned indent);
  /// Whether some columns did not fit.
  bool printTable(const std::vector<Row> &rows, unsigned indent,
                  size_t headColumns = 1);
  /// A line `indent name    text`.
  void printEntry(llvm::StringRef name, const llvm::Twine &text);

  std::string inputName(unsigned variable) const {
    return meanings.certificate->variables[variable].name;
  }
  std::string inputText(unsigned variable, size_t value) const;
  /// What a function is at a joint value: the value of its variable, or the
  /// number in one of its directions.
  std::string resultText(const FunctionReport &function, size_t direction,
                         size_t joint) const;
  std::string listDirections(llvm::ArrayRef<unsigned> directions) const;
  bool isOneHot(const FunctionReport &function) const;
  std::string valuesText(llvm::ArrayRef<uint32_t> values) const;

  llvm::raw_ostream &os;
  Meanings &meanings;
  const Model &model;
  const Analysis &analysis;
  const DumpRequest &request;
};
} // namespace

static size_t widthOf(llvm::StringRef text) {
  int width = llvm::sys::unicode::columnWidthUTF8(text);
  return width < 0 ? text.size() : width;
}

/// Control characters would tear tables apart.
static std::string shown(const Atom &atom) {
  std::string text = displayText(atom);
  bool isPlain = !text.empty() && llvm::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  });
  if (isPlain)
    return text;
  std::string quoted;
  llvm::raw_string_ostream stream(quoted);
  printJSON(stream, atom);
  return quoted;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

void TextPrinter::printEntry(llvm::StringRef name, const llvm::Twine &text) {
  os << "    ";
  os << llvm::left_justify(name, 9) << text << "\n";
}

void TextPrinter::printVerdict(const Verdict &verdict, unsigned indent) {
  if (verdict.kind == Verdict::AsLabelled)
    return;
  os.indent(indent) << (verdict.kind == Verdict::Wrong ? "!! not as labelled: "
                                                       : "?? unchecked: ")
                    << verdict.reason << "\n";
}

bool TextPrinter::printTable(const std::vector<Row> &rows, unsigned indent,
                             size_t headColumns) {
  std::vector<size_t> widths;
  for (const Row &row : rows)
    for (auto [c, cell] : llvm::enumerate(row)) {
      if (c >= widths.size())
        widths.push_back(0);
      widths[c] = std::max(widths[c], widthOf(cell));
    }
  // As many columns as fit; the first ones stand before each part.
  size_t begin = headColumns;
  size_t columns = widths.size();
  auto head =
      std::accumulate(widths.begin(), widths.begin() + headColumns, size_t(0)) +
      2 * headColumns;
  do {
    size_t end = begin, width = indent + head;
    while (end < columns && (end == begin || width + widths[end] < mostWidth))
      width += widths[end++] + 1;
    for (const Row &row : rows) {
      std::string line(indent, ' ');
      auto add = [&](size_t c, llvm::StringRef gap, bool toTheLeft) {
        llvm::StringRef cell = c < row.size() ? llvm::StringRef(row[c]) : "";
        std::string padding(widths[c] - widthOf(cell), ' ');
        line += (toTheLeft ? cell.str() + padding : padding + cell.str()) +
                gap.str();
      };
      for (size_t c = 0; c < headColumns; ++c)
        add(c, "  ", true);
      for (size_t c = begin; c < end; ++c)
        add(c, " ", false);
      os << llvm::StringRef(line).rtrim() << "\n";
    }
    begin = end;
  } while (begin < columns && request.isWhole);
  return begin < columns;
}

std::string
TextPrinter::listDirections(llvm::ArrayRef<unsigned> directions) const {
  std::string text;
  for (size_t i = 0; i < directions.size();) {
    const Subspace *space = meanings.spaceOf(directions[i]);
    size_t end = i + 1;
    while (space && end < directions.size() &&
           meanings.spaceOf(directions[end]) == space)
      ++end;
    constexpr size_t few = 3;
    text += text.empty() ? "" : ", ";
    if (end - i > few && !request.isWhole)
      text += llvm::formatv("{0} ({1} directions)", space->variable, end - i);
    else
      for (size_t at = i; at < end; ++at)
        text += (at == i ? "" : ", ") + meanings.nameOf(directions[at]);
    i = end;
    size_t names = llvm::StringRef(text).count(',');
    if (!request.isWhole && names + 1 >= mostListed && i < directions.size())
      return text + " and " + counted(directions.size() - i, "more direction");
  }
  return text.empty() ? "nothing" : text;
}

std::string TextPrinter::inputText(unsigned variable, size_t value) const {
  llvm::ArrayRef<Atom> values = meanings.valuesOf(variable);
  return values.empty() ? "#" + std::to_string(value) : shown(values[value]);
}

std::string TextPrinter::resultText(const FunctionReport &function,
                                    size_t direction, size_t joint) const {
  if (!function.occurs.empty() && !function.occurs[joint])
    return "";
  if (!function.decoded.empty())
    return shown(meanings.atom(function.decoded[joint]));
  return shortText(function.numbers[direction][joint]);
}

/// Whether each value of the only input has a direction of its own.
bool TextPrinter::isOneHot(const FunctionReport &function) const {
  return function.inputs.size() == 1 && function.directions.size() > 2 &&
         llvm::all_of(function.numbers, [](const std::vector<double> &own) {
           return llvm::count(own, 1) == 1 &&
                  llvm::count(own, 0) + 1 == static_cast<long>(own.size());
         });
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void TextPrinter::printByValue(const FunctionReport &function,
                               llvm::ArrayRef<unsigned> reads) {
  unsigned input = function.inputs.front();
  size_t size = function.numbers.front().size();
  size_t columns = atMost(mostColumns, size);
  std::vector<Row> rows(1, {inputName(input)});
  for (size_t i = 0; i < columns; ++i)
    rows[0].push_back(inputText(input, i));
  bool areNumbersPlain =
      !function.decoded.empty() && function.directions.size() > 1 &&
      llvm::all_of(function.numbers, [](const std::vector<double> &own) {
        return llvm::all_of(own, [](double number) {
          return std::fabs(number) < 1e-3 || std::fabs(number - 1) < 1e-3;
        });
      });
  // What goes in, where that is a number or two.
  llvm::SmallVector<unsigned, 2> own;
  for (unsigned d : reads)
    if (llvm::ArrayRef(meanings.tables->tables[d].variables) ==
        llvm::ArrayRef(function.inputs))
      own.push_back(d);
  if (own.size() <= 2)
    for (unsigned d : own) {
      Row &row = rows.emplace_back(1, "of " + meanings.bracketed(d));
      for (size_t i = 0; i < columns; ++i)
        row.push_back(shortText(meanings.tables->tables[d].entries[i].value));
    }
  size_t directions = atMost(4, function.directions.size());
  if (areNumbersPlain)
    directions = 0;
  for (size_t d = 0; d < directions; ++d) {
    Row &row = rows.emplace_back(1, meanings.bracketed(function.directions[d]));
    for (size_t i = 0; i < columns; ++i)
      row.push_back(function.occurs.empty() || function.occurs[i]
                        ? shortText(function.numbers[d][i])
                        : "");
  }
  bool isIdentity = inputName(input) == function.variable;
  if (!function.decoded.empty() && !isIdentity) {
    Row &row = rows.emplace_back(1, function.variable);
    for (size_t i = 0; i < columns; ++i)
      row.push_back(resultText(function, 0, i));
  }
  if (columns < size)
    for (Row &row : rows)
      row.push_back("...");
  if (printTable(rows, 8) || columns < size)
    os.indent(8) << "... " << size << " values\n";
  if (directions < function.directions.size() && !areNumbersPlain)
    os.indent(8) << "... "
                 << counted(function.directions.size() - directions,
                            "more direction")
                 << "\n";
}

void TextPrinter::printGrid(const FunctionReport &function) {
  unsigned down = function.inputs[0], across = function.inputs[1];
  size_t height = meanings.tables->sizeOf(down),
         width = meanings.tables->sizeOf(across);
  size_t rowCount = atMost(mostRows, height),
         columns = atMost(mostColumns, width);
  size_t grids = function.decoded.empty() ? function.directions.size() : 1;
  size_t shownGrids = atMost(2, grids);
  for (size_t d = 0; d < shownGrids; ++d) {
    std::string what = function.decoded.empty()
                           ? meanings.bracketed(function.directions[d])
                           : function.variable;
    os.indent(8) << what << ", by " << inputName(down) << " (down) and "
                 << inputName(across) << " (across)\n";
    std::vector<Row> rows(1, {""});
    for (size_t c = 0; c < columns; ++c)
      rows[0].push_back(inputText(across, c));
    for (size_t r = 0; r < rowCount; ++r) {
      Row &row = rows.emplace_back(1, inputText(down, r));
      for (size_t c = 0; c < columns; ++c)
        row.push_back(resultText(function, d, r * width + c));
    }
    if (columns < width)
      for (Row &row : rows)
        row.push_back("...");
    if (printTable(rows, 8) || rowCount < height || columns < width)
      os.indent(8) << "... " << height << " by " << width << " values\n";
  }
  if (shownGrids < grids)
    os.indent(8) << "... " << counted(grids - shownGrids, "more direction")
                 << "\n";
}

void TextPrinter::printList(const FunctionReport &function) {
  size_t size = function.numbers.front().size();
  size_t directions =
      function.decoded.empty() ? atMost(4, function.directions.size()) : 1;
  std::vector<Row> rows(1);
  for (unsigned input : function.inputs)
    rows[0].push_back(inputName(input));
  for (size_t d = 0; d < directions; ++d)
    rows[0].push_back(function.decoded.empty()
                          ? meanings.bracketed(function.directions[d])
                          : function.variable);
  size_t listed = 0, occurring = 0;
  for (size_t i = 0; i < size; ++i) {
    if (!function.occurs.empty() && !function.occurs[i])
      continue;
    ++occurring;
    if (!request.isWhole && listed == mostRows)
      continue;
    ++listed;
    Row row(function.inputs.size());
    size_t rest = i;
    for (size_t v = function.inputs.size(); v-- > 0;) {
      size_t own = meanings.tables->sizeOf(function.inputs[v]);
      row[v] = inputText(function.inputs[v], rest % own);
      rest /= own;
    }
    for (size_t d = 0; d < directions; ++d)
      row.push_back(resultText(function, d, i));
    rows.push_back(std::move(row));
  }
  printTable(rows, 8);
  if (listed < occurring)
    os.indent(8) << "... " << counted(occurring - listed, "more joint value")
                 << "\n";
}

void TextPrinter::printFunction(const FunctionReport &function,
                                llvm::ArrayRef<unsigned> reads) {
  printVerdict(function.verdict, 8);
  if (function.numbers.empty())
    return;
  if (function.inputs.empty()) {
    for (auto [d, numbers] :
         llvm::zip_equal(function.directions, function.numbers))
      os.indent(8) << meanings.bracketed(d) << " is " << shortText(numbers[0])
                   << "\n";
  } else if (function.inputs.size() == 1) {
    printByValue(function, reads);
  } else if (function.inputs.size() == 2) {
    printGrid(function);
  } else {
    printList(function);
  }
}

//===----------------------------------------------------------------------===//
// Parts of the model
//===----------------------------------------------------------------------===//

void TextPrinter::printTitle() {
  const Config &config = model.config;
  os << (model.output.label.empty() ? config.modelName : model.output.label)
     << ": " << counted(model.numLayers(), "layer") << ", "
     << counted(config.dModel, "direction") << ", "
     << counted(model.input.values.size(), "token") << ", inputs up to length "
     << config.nCtx - 1 << "; "
     << (config.dtype == DType::Float32 ? "float32" : "float64") << ", "
     << (config.causal ? "causal" : "bidirectional") << "\n";
  if (!meanings.whyUnlabelled.empty())
    os << "without labels: " << meanings.whyUnlabelled
       << "; directions are shown by number\n";
}

void TextPrinter::printEmbeddings() {
  os << "\nembedding\n";
  if (analysis.embeddings.empty()) {
    for (const Matrix *matrix : {&model.wE, &model.wPos}) {
      std::set<unsigned> directions;
      for (Eigen::Index row = 0; row < matrix->rows(); ++row)
        for (Matrix::InnerIterator it(*matrix, row); it; ++it)
          if (it.value() != 0)
            directions.insert(it.col());
      os << "  " << (matrix == &model.wE ? "token" : "position") << " writes "
         << listDirections(
                std::vector<unsigned>(directions.begin(), directions.end()))
         << "\n";
    }
    return;
  }
  for (const FunctionReport &function : analysis.embeddings) {
    os << "  " << function.variable;
    const Subspace *space = meanings.spaceOf(function.directions.front());
    if (space && !space->sourceLines.empty())
      os << "  " << meanings.lineText(space->sourceLines);
    os << "\n";
    if (space && space->role == "bookkeeping" &&
        function.verdict.kind == Verdict::AsLabelled) {
      os.indent(8) << "1 at BOS, else 0\n";
    } else if (isOneHot(function)) {
      printVerdict(function.verdict, 8);
      os.indent(8) << "a direction for each of "
                   << counted(function.directions.size(), "value") << "\n";
    } else {
      printFunction(function, {});
    }
  }
}

std::string TextPrinter::valuesText(llvm::ArrayRef<uint32_t> values) const {
  std::string text;
  llvm::interleave(
      values, [&](uint32_t value) { text += shown(meanings.atom(value)); },
      [&] { text += ","; });
  return text;
}

void TextPrinter::printRelation(const SelectionReport &report) {
  using Cell = SelectionReport::Cell;
  if (report.cells.empty() && report.verdict.kind == Verdict::AsLabelled)
    printEntry("", "as do the weights, for " + std::to_string(report.keys) +
                       " different keys and " + std::to_string(report.queries) +
                       " queries");
  if (report.cells.empty() || report.cells.front().empty())
    return;
  size_t height = report.cells.size(), width = report.cells.front().size();
  if (height == 1 && width == 1) {
    Cell cell = report.cells[0][0];
    printEntry("", cell == Cell::All    ? "every query selects every key"
                   : cell == Cell::None ? "no query selects a key"
                                        : "some queries select some keys");
    return;
  }
  // What the two sides compare; a constant says nothing.
  auto isConstant = [](llvm::ArrayRef<std::vector<uint32_t>> values, size_t i) {
    return llvm::all_of(
        values, [&](const auto &own) { return own[i] == values[0][i]; });
  };
  auto used = [&](llvm::ArrayRef<std::vector<uint32_t>> values,
                  llvm::ArrayRef<std::string> titles) {
    std::vector<size_t> places;
    for (size_t i = 0; i < titles.size(); ++i)
      if (!isConstant(values, i) && llvm::none_of(places, [&](size_t other) {
            return titles[other] == titles[i];
          }))
        places.push_back(i);
    return places;
  };
  std::vector<size_t> ofKeys = used(report.keyValues, report.keyTitles),
                      ofQueries = used(report.queryValues, report.queryTitles);
  auto title = [](llvm::StringRef side, llvm::ArrayRef<size_t> places,
                  llvm::ArrayRef<std::string> titles) {
    std::string text = side.str();
    for (size_t i : places)
      text += (i == places.front() ? " " : ", ") + titles[i];
    return text;
  };
  auto values = [&](llvm::ArrayRef<size_t> places,
                    llvm::ArrayRef<uint32_t> own) {
    llvm::SmallVector<uint32_t, 4> chosen;
    for (size_t i : places)
      chosen.push_back(own[i]);
    return chosen.empty() ? std::string("any") : valuesText(chosen);
  };
  size_t rowCount = atMost(mostRows, height),
         columns = atMost(mostColumns, width);
  printEntry("", title("across: key", ofKeys, report.keyTitles) + "; " +
                     title("down: query", ofQueries, report.queryTitles));
  std::vector<Row> rows(1, {""});
  for (size_t k = 0; k < columns; ++k)
    rows[0].push_back(values(ofKeys, report.keyValues[k]));
  for (size_t q = 0; q < rowCount; ++q) {
    Row &row = rows.emplace_back(1, values(ofQueries, report.queryValues[q]));
    for (size_t k = 0; k < columns; ++k)
      row.emplace_back(1, static_cast<char>(report.cells[q][k]));
  }
  if (columns < width)
    for (Row &row : rows)
      row.push_back("...");
  if (printTable(rows, 13) || rowCount < height || columns < width)
    os.indent(13) << "... " << counted(width, "key value") << ", "
                  << counted(height, "query value") << "\n";
}

void TextPrinter::printSelection(const HeadReport &head,
                                 const SelectionReport &report) {
  printEntry("selects",
             "`" + report.selector + "`: " +
                 (report.cells.size() == 1 && report.cells[0].size() == 1 &&
                          report.cells[0][0] == SelectionReport::All
                      ? "all keys"
                      : report.condition));
  if (head.selections.size() > 1)
    printVerdict(report.verdict, 13);
  // The second of equal selectors has the same table.
  if (&report == &head.selections.front())
    printRelation(report);
}

void TextPrinter::printHardness(const HeadReport &head) {
  if (!head.isMeasured)
    return;
  std::vector<std::string> parts;
  if (std::isfinite(head.lead))
    parts.push_back("selected keys lead others by " + shortText(head.lead) +
                    " logits");
  if (head.bosCounts)
    parts.push_back("BOS counts as a selected key");
  else if (std::isfinite(head.overBos))
    parts.push_back("BOS by " + shortText(head.overBos));
  if (!head.neverEmpty && std::isfinite(head.bosOver) && !head.bosCounts)
    parts.push_back("BOS leads others by " + shortText(head.bosOver));
  if (head.neverEmpty)
    parts.push_back("every query selects a key");
  std::string text;
  llvm::interleave(
      parts, [&](const std::string &part) { text += part; },
      [&] { text += "; "; });
  if (!text.empty())
    printEntry("hard", text);
}

void TextPrinter::printMoves(const HeadReport &head) {
  // Whole variables that are moved as they are, then the rest.
  struct Bundle {
    std::string text;
    size_t count = 0;
    bool averages = false, isPlain = false;
  };
  std::vector<Bundle> bundles;
  for (const MoveReport &move : head.moves) {
    const Subspace *to = meanings.spaceOf(move.target);
    const auto &terms = move.value.terms;
    const Subspace *from =
        terms.size() == 1 && terms[0].second == 1 && move.value.constant == 0
            ? meanings.spaceOf(terms[0].first)
            : nullptr;
    bool isPlain = from && to && from->role != "bookkeeping" &&
                   from->labels[terms[0].first - from->begin] ==
                       to->labels[move.target - to->begin];
    bool isShare = from && from->role == "bookkeeping";
    std::string text =
        isPlain ? from->variable + " -> " + to->variable
        : isShare
            ? "the weight of BOS -> " + meanings.bracketed(move.target)
            : textOf(move.value, meanings, request.isWhole ? ~size_t(0) : 6) +
                  " -> " + meanings.bracketed(move.target);
    if (isPlain && !bundles.empty() && bundles.back().text == text) {
      ++bundles.back().count;
      continue;
    }
    bundles.push_back({std::move(text), 1, move.averages && !isShare, isPlain});
  }
  size_t listed = atMost(mostListed, bundles.size());
  for (size_t i = 0; i < listed; ++i) {
    const Bundle &bundle = bundles[i];
    std::string text = bundle.text;
    if (bundle.isPlain && bundle.count > 1)
      text += ", " + counted(bundle.count, "direction");
    if (bundle.averages)
      text += " (mean of what is selected)";
    printEntry(i == 0 ? "moves" : "", text);
  }
  if (listed < bundles.size())
    printEntry("", "... " + counted(bundles.size() - listed, "more direction"));
  for (const MoveReport &move : head.moves)
    if (move.verdict.kind != Verdict::AsLabelled) {
      printVerdict(move.verdict, 13);
      break;
    }
}

void TextPrinter::printHead(const HeadReport &head) {
  os << llvm::formatv("  head {0}.{1}", head.layer, head.number);
  if (!head.selections.empty())
    os << "  " << head.selections.front().selector << "  "
       << meanings.lineText(head.selections.front().sourceLines);
  else if (!head.name.empty())
    os << "  " << head.name;
  os << "\n";
  // Of parts of it, the parts tell.
  bool isOfParts =
      llvm::any_of(head.moves,
                   [&](const MoveReport &move) {
                     return move.verdict.reason == head.verdict.reason;
                   }) ||
      (head.selections.size() > 1 &&
       llvm::any_of(head.selections, [&](const SelectionReport &own) {
         return own.verdict.reason == head.verdict.reason;
       }));
  if (!isOfParts)
    printVerdict(head.verdict, 4);
  printEntry("keys", "read " + listDirections(head.keyReads));
  printEntry("queries", "read " + listDirections(head.queryReads));
  for (const SelectionReport &selection : head.selections)
    printSelection(head, selection);
  printHardness(head);
  printMoves(head);
  if (!head.construction.empty())
    printEntry("built as", head.construction +
                               llvm::formatv(" (rank {0})", head.rank).str());
}

/// `0-3, 7`
static std::string ranges(llvm::ArrayRef<unsigned> numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1)
      ++end;
    text += (text.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (end > i + 1)
      text += "-" + std::to_string(numbers[end - 1]);
    i = end;
  }
  return text;
}

void TextPrinter::printGroup(unsigned layer, const UnitGroup &group) {
  llvm::SetVector<llvm::StringRef> variables, constructions;
  llvm::SetVector<unsigned> lines;
  for (const FunctionReport &function : group.functions) {
    variables.insert(function.variable);
    for (unsigned d : function.directions)
      if (const Subspace *space = meanings.spaceOf(d)) {
        lines.insert(space->sourceLines.begin(), space->sourceLines.end());
        if (!space->construction.empty())
          constructions.insert(space->construction);
      }
  }
  os << llvm::formatv("  neurons {0}.{1}  ", layer, ranges(group.units));
  llvm::interleaveComma(variables, os);
  std::string at = meanings.lineText(lines.getArrayRef());
  os << (at.empty() ? "" : "  ") << at << "\n";
  printEntry("read", listDirections(group.reads));
  for (const FunctionReport &function : group.functions) {
    // Of several variables or domains, each is named.
    if (group.functions.size() > 1)
      printEntry("write", listDirections(function.directions));
    printFunction(function, group.reads);
  }
  for (llvm::StringRef construction : constructions)
    printEntry("built as", construction);
}

/// What the layer makes room for.
void TextPrinter::printClearings(unsigned layer) {
  for (const ClearedDirection &own : meanings.unfolding->cleared)
    if (own.layer == layer)
      os << llvm::formatv(
          "  neurons {0}.{1}  clear dim {2} of `{3}`, for "
          "`{4}`\n",
          layer, ranges(own.units), meanings.coordinateOf(own.direction),
          meanings.nameOf(own.direction), meanings.nameOf(own.next));
}

void TextPrinter::printLayer(unsigned number) {
  const LayerReport &layer = analysis.layers[number];
  os << "\nlayer " << number << "\n";
  for (const HeadReport &head : layer.heads)
    printHead(head);
  for (const UnitGroup &group : layer.groups)
    printGroup(number, group);
  if (meanings.unfolding)
    printClearings(number);
  if (layer.heads.empty() && layer.groups.empty())
    os << "  nothing\n";
}

void TextPrinter::printOutput() {
  os << "\nunembedding  " << model.output.label << "\n";
  printVerdict(analysis.output, 4);
  size_t listed = atMost(mostRows, analysis.logits.size());
  std::vector<Row> rows;
  for (const LogitReport &logit :
       llvm::ArrayRef(analysis.logits).take_front(listed))
    rows.push_back(
        {logit.value.empty() && model.output.kind == OutputVocab::Numerical
             ? "number"
             : logit.value,
         "= " +
             textOf(logit.input, meanings, request.isWhole ? ~size_t(0) : 8)});
  printTable(rows, 4, 2);
  if (listed < analysis.logits.size())
    os.indent(4) << "... "
                 << counted(analysis.logits.size() - listed, "more logit")
                 << "\n";
  if (std::isfinite(analysis.margin))
    printEntry(model.output.kind == OutputVocab::Numerical ? "margin" : "lead",
               "the right " +
                   llvm::Twine(model.output.kind == OutputVocab::Numerical
                                   ? "number is within the tolerance by "
                                   : "logit leads by ") +
                   shortText(analysis.margin));
}

void TextPrinter::print() {
  if (request.isDetail()) {
    for (PartNumber part : request.heads) {
      printHead(analysis.layers[part.layer].heads[part.number]);
      printHeadWeights(os, meanings, part);
    }
    for (PartNumber part : request.neurons)
      printNeuron(os, meanings, part, request.isWhole);
    for (unsigned dimension : request.dimensions)
      printDimension(os, meanings, analysis, dimension, request.isWhole);
    os << summaryOf(analysis) << "\n";
    return;
  }
  printTitle();
  if (request.layers.empty())
    printEmbeddings();
  for (unsigned layer = 0; layer < analysis.layers.size(); ++layer)
    if (request.layers.empty() || llvm::is_contained(request.layers, layer))
      printLayer(layer);
  if (request.layers.empty())
    printOutput();
  os << "\n" << summaryOf(analysis) << "\n";
}

void rasp::rt::printText(llvm::raw_ostream &os, Meanings &meanings,
                         const Analysis &analysis, const DumpRequest &request) {
  TextPrinter(os, meanings, analysis, request).print();
}

std::string rasp::rt::summaryOf(const Analysis &analysis) {
  size_t heads = 0;
  for (const LayerReport &layer : analysis.layers)
    heads += layer.heads.size();
  struct Part {
    size_t all, wrong, unchecked;
    llvm::StringRef noun;
  };
  const Part parts[] = {
      {heads, analysis.countHeads(Verdict::Wrong),
       analysis.countHeads(Verdict::Unchecked), "head"},
      {analysis.hiddenUnits, analysis.wrongUnits, analysis.uncheckedUnits,
       "hidden unit"},
      {analysis.directions.size(), analysis.countDirections(Verdict::Wrong),
       analysis.countDirections(Verdict::Unchecked), "direction"}};
  auto join = [&](auto countOf) {
    std::string text;
    for (const Part &part : parts)
      if (size_t count = countOf(part))
        text += (text.empty() ? "" : ", ") + counted(count, part.noun);
    return text;
  };
  std::string checked =
      join([](const Part &part) { return part.all - part.unchecked; });
  std::string wrong = join([](const Part &part) { return part.wrong; });
  std::string unchecked = join([](const Part &part) { return part.unchecked; });
  if (analysis.output.kind == Verdict::Wrong)
    wrong += (wrong.empty() ? "" : ", ") + std::string("the output");
  if (analysis.output.kind == Verdict::Unchecked)
    unchecked += (unchecked.empty() ? "" : ", ") + std::string("the output");
  std::string text = "checked: " + (checked.empty() ? "nothing" : checked);
  if (!unchecked.empty())
    text += "; unchecked: " + unchecked;
  if (!wrong.empty())
    return text + "; not as labelled: " + wrong;
  if (checked.empty())
    return text;
  return text + (unchecked.empty() ? "; all as labelled"
                                   : "; what was checked is as labelled");
}

std::vector<std::string> rasp::rt::problemsOf(const Meanings &meanings,
                                              const Analysis &analysis) {
  std::vector<std::string> problems;
  auto add = [&](const Verdict &verdict, const llvm::Twine &what) {
    if (verdict.kind == Verdict::Wrong)
      problems.push_back((what + ": " + verdict.reason).str());
  };
  for (const LayerReport &layer : analysis.layers)
    for (const HeadReport &head : layer.heads)
      add(head.verdict, llvm::formatv("head {0}.{1}", head.layer, head.number));
  for (auto [d, verdict] : llvm::enumerate(analysis.directions))
    add(verdict, llvm::formatv("direction {0} `{1}`", meanings.coordinateOf(d),
                               meanings.nameOf(d)));
  for (auto [l, layer] : llvm::enumerate(analysis.layers))
    for (const UnitGroup &group : layer.groups)
      if (group.functions.empty())
        add(group.verdict,
            llvm::formatv("neurons {0}.{1}", l, ranges(group.units)));
  add(analysis.output, "output");
  return problems;
}
