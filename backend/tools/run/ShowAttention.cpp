//===- backend/tools/run/ShowAttention.cpp - patterns by head -------------===//

#include "backend/tools/run/Show.h"
#include "backend/tools/run/TextTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace rasp;
namespace json = llvm::json;

static llvm::ArrayRef<json::Value> listIn(const json::Value &value,
                                          llvm::StringRef key) {
  const json::Object *object = value.getAsObject();
  const json::Array *list = object ? object->getArray(key) : nullptr;
  return list ? llvm::ArrayRef(list->data(), list->size())
              : llvm::ArrayRef<json::Value>();
}

/// The lines of the program that a node of the IR comes from: " (line 4)".
static std::string linesOf(const rt::Model &model, llvm::StringRef name) {
  for (const json::Value &node : listIn(model.ir, "nodes")) {
    const json::Object *object = node.getAsObject();
    if (!object || object->getString("name") != name)
      continue;
    std::string lines;
    for (const json::Value &line : listIn(node, "source_lines"))
      lines += (lines.empty() ? "" : ", ") +
               std::to_string(line.getAsInteger().value_or(0));
    return lines.empty() ? "" : " (line " + lines + ")";
  }
  return "";
}

/// ": `flip` (line 4)", or nothing if the file does not say.
static std::string selectorOf(const rt::Model &model, unsigned layer,
                              unsigned head) {
  for (const json::Value &node : listIn(model.circuit, "nodes")) {
    const json::Object *object = node.getAsObject();
    llvm::ArrayRef<json::Value> selectors = listIn(node, "selectors");
    if (!object || selectors.empty() || object->getInteger("layer") != layer ||
        object->getInteger("head") != head)
      continue;
    llvm::StringRef name = selectors[0].getAsString().value_or("");
    return (": `" + name + "`" + linesOf(model, name)).str();
  }
  return "";
}

template <typename T>
void rasp::showAttention(llvm::raw_ostream &os, const Inside<T> &inside) {
  std::vector<unsigned> positions =
      inside.options.positionsOf(inside.input.ids.size());
  std::vector<std::string> header = inside.header(positions, 1);
  for (unsigned l = 0; l < inside.model.numLayers(); ++l) {
    if (!inside.options.layers.contains(l))
      continue;
    const rt::Tensor<T> &pattern =
        inside.cache[{rt::HookKind::Pattern, static_cast<int>(l)}];
    for (unsigned h = 0; h < inside.model.layers[l].heads.size(); ++h) {
      os << "attention of layer " << l << ", head " << h
         << selectorOf(inside.model, l, h) << "\n";
      TextTable table(1);
      table.addRow(header);
      for (auto [row, query] : llvm::enumerate(positions)) {
        std::vector<std::string> cells{header[row + 1]};
        for (unsigned key : positions)
          cells.push_back(
              shortNumber(*pattern.at(inside.sequence, h, query, key)));
        table.addRow(std::move(cells));
      }
      table.print(os);
    }
  }
}

template void rasp::showAttention(llvm::raw_ostream &, const Inside<float> &);
template void rasp::showAttention(llvm::raw_ostream &, const Inside<double> &);
