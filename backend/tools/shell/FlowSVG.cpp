//===- backend/tools/shell/FlowSVG.cpp - a layout without Graphviz --------===//
//
// Everything in one column, layer below layer: a head has its rows on the left
// of its matrix.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/shell/Flow.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp;
using namespace rasp::shell;

namespace {

class Painter {
public:
  explicit Painter(const Flow &flow) : flow(flow) {}
  std::string paint();

private:
  static constexpr unsigned rowHeight = 24, letter = 8, gap = 12, fan = 60;

  void rect(unsigned x, unsigned y, unsigned w, unsigned h,
            llvm::StringRef fill, llvm::StringRef stroke = "grey") {
    os << llvm::formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" "
                        "height=\"{3}\" fill=\"{4}\" stroke=\"{5}\"/>\n",
                        x, y, w, h, fill, stroke);
  }
  void text(unsigned x, unsigned y, llvm::StringRef content,
            llvm::StringRef anchor = "middle") {
    os << llvm::formatv("<text x=\"{0}\" y=\"{1}\" text-anchor=\"{2}\">"
                        "{3}</text>\n",
                        x, y, anchor, escaped(content));
  }
  void measure(const Row &row);
  void measure();
  void paintRow(const Row &row, unsigned turn);
  void paintMatrix(const FlowHead &head, unsigned x, unsigned top);
  void paintHead(const FlowHead &head, unsigned number);
  /// Draws a frame later, when its height is known.
  void frame(unsigned top, unsigned inset, llvm::StringRef fill);

  const Flow &flow;
  std::string body;
  llvm::raw_string_ostream os{body};
  std::string frames;
  unsigned y = gap;
  unsigned labelWidth = 0, cellWidth = 3 * letter, width = 0;
};

} // namespace

void Painter::measure(const Row &row) {
  labelWidth = std::max<unsigned>(labelWidth, letter * row.label.size());
  for (const std::string &cell : row.cells)
    cellWidth = std::max<unsigned>(cellWidth, letter * (cell.size() + 1));
}

void Painter::measure() {
  for (const std::string &item : flow.items)
    cellWidth = std::max<unsigned>(cellWidth, letter * (item.size() + 1));
  for (const FlowLayer &layer : flow.layers) {
    for (const FlowHead &head : layer.heads) {
      for (const Row &row : head.operands)
        measure(row);
      for (const FlowHead::Move &move : head.moves) {
        measure(move.values);
        measure(move.result);
      }
    }
    for (const Row &row : layer.forward)
      measure(row);
  }
  labelWidth += 6 * letter; // "Other "
  width = labelWidth + 2 * cellWidth * flow.items.size() + 12 * gap;
}

static llvm::StringRef prefixOf(Row::Kind kind) {
  switch (kind) {
  case Row::Me:
    return "Me ";
  case Row::Other:
    return "Other ";
  case Row::X:
    return "X ";
  case Row::F:
    return "f(X) ";
  case Row::Forward:
    return "FF ";
  case Row::Given:
    return "";
  }
  llvm_unreachable("all kinds of row are listed");
}

void Painter::paintRow(const Row &row, unsigned turn) {
  unsigned x = 3 * gap + labelWidth;
  text(x - gap / 2, y + 16, (prefixOf(row.kind) + row.label).str(), "end");
  for (const std::string &cell : row.cells) {
    rect(x, y, cellWidth, rowHeight, colourOf(row.kind, turn));
    text(x + cellWidth / 2, y + 16, cell);
    x += cellWidth;
  }
  y += rowHeight;
}

void Painter::paintMatrix(const FlowHead &head, unsigned x, unsigned top) {
  for (auto [k, item] : llvm::enumerate(flow.items))
    text(x + k * cellWidth + cellWidth / 2, top + 16, item);
  for (auto [q, row] : llvm::enumerate(head.selected)) {
    unsigned at = top + (q + 1) * rowHeight;
    text(x - gap / 2, at + 16, flow.items[q], "end");
    for (size_t k = 0; k < row.size(); ++k)
      rect(x + k * cellWidth, at, cellWidth, rowHeight,
           row[k] ? selectedColour : unselectedColour);
  }
}

void Painter::frame(unsigned top, unsigned inset, llvm::StringRef fill) {
  frames += llvm::formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" "
                          "height=\"{3}\" rx=\"6\" fill=\"{4}\" "
                          "stroke=\"grey\"/>\n",
                          inset, top, width - 2 * inset, y - top, fill)
                .str();
}

void Painter::paintHead(const FlowHead &head, unsigned number) {
  unsigned top = y;
  text(3 * gap, y + 16,
       llvm::formatv("head {0} (select {1})", number, head.selector).str(),
       "start");
  y += rowHeight;
  unsigned matrixTop = y;
  unsigned left = 3 * gap + labelWidth;
  for (auto [turn, row] : llvm::enumerate(head.operands))
    paintRow(row, turn);
  for (auto [turn, move] : llvm::enumerate(head.moves)) {
    y += gap;
    paintRow(move.values, turn);
    for (auto [q, row] : llvm::enumerate(head.selected))
      for (size_t k = 0; k < row.size(); ++k)
        if (row[k])
          os << llvm::formatv("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" "
                              "y2=\"{3}\" stroke=\"grey\"/>\n",
                              left + k * cellWidth + cellWidth / 2, y,
                              left + q * cellWidth + cellWidth / 2, y + fan);
    if (!move.defaultValue.empty())
      text(left - gap / 2, y + fan / 2, "default " + move.defaultValue, "end");
    y += fan;
    paintRow(move.result, turn);
  }
  paintMatrix(head, left + cellWidth * flow.items.size() + 4 * gap, matrixTop);
  y = std::max<unsigned>(y,
                         matrixTop + rowHeight * (head.selected.size() + 1)) +
      gap;
  frame(top, 2 * gap, "white");
  y += gap;
}

std::string Painter::paint() {
  measure();
  text(gap, y + 16, flow.title, "start");
  y += rowHeight + gap;
  std::string layers;
  for (auto [depth, layer] : llvm::enumerate(flow.layers)) {
    unsigned top = y;
    std::string inner;
    std::swap(inner, frames);
    text(2 * gap, y + 16,
         depth == 0 ? "input" : llvm::formatv("layer {0}", depth).str(),
         "start");
    y += rowHeight;
    for (auto [number, head] : llvm::enumerate(layer.heads))
      paintHead(head, number + 1);
    for (auto [turn, row] : llvm::enumerate(layer.forward))
      paintRow(row, turn);
    y += gap;
    // The frame of the layer lies below those of its heads.
    std::string heads;
    std::swap(heads, frames);
    frame(top, gap, "whitesmoke");
    layers += inner + frames + heads;
    frames.clear();
    y += gap;
  }
  os.flush();
  return llvm::formatv(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" "
             "height=\"{1}\" font-family=\"monospace\" font-size=\"13\">\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
             "{2}{3}</svg>\n",
             width, y, layers, body)
      .str();
}

std::string shell::toSVG(const Flow &flow) { return Painter(flow).paint(); }
