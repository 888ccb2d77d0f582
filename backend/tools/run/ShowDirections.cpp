//===- backend/tools/run/ShowDirections.cpp - what directions mean --------===//

#include "backend/tools/run/Show.h"
#include "backend/tools/run/TextTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

using namespace rasp;

/// A component in short, as `--ablate` takes it, from a hook's name:
/// `blocks.1.hook_q_input[0]` is `L1H0.q`.
static std::string shortComponent(const std::string &hook) {
  static const llvm::Regex head(
      "^blocks\\.([0-9]+)\\.(attn\\.hook_result|hook_([qkv])_input)"
      "\\[([0-9]+)\\]$");
  static const llvm::Regex mlp("^blocks\\.([0-9]+)\\.hook_mlp_(in|out)$");
  llvm::SmallVector<llvm::StringRef> parts;
  if (head.match(hook, &parts))
    return ("L" + parts[1] + "H" + parts[4] + (parts[3].empty() ? "" : ".") +
            parts[3])
        .str();
  if (mlp.match(hook, &parts))
    return ("M" + parts[1]).str();
  if (hook == "hook_embed")
    return "E";
  return hook == "hook_pos_embed" ? "P" : hook;
}

static std::string shortComponents(llvm::ArrayRef<std::string> hooks) {
  std::vector<std::string> components;
  for (const std::string &hook : hooks)
    components.push_back(shortComponent(hook));
  return llvm::join(components, " ");
}

llvm::Error rasp::showDirections(llvm::raw_ostream &os,
                                 const rt::Model &model) {
  llvm::Expected<rt::ResidualMap> map = rt::ResidualMap::make(model);
  if (!map)
    return map.takeError();
  unsigned columns = map->isShared() ? 8 : 7;
  TextTable table(columns);
  auto addRow = [&](std::vector<std::string> row) {
    row.resize(columns);
    table.addRow(std::move(row));
  };
  addRow({"", "variable", "value", "encoding", "written by", "read by", "line",
          "until"});
  for (const rt::Subspace &space : map->subspaces())
    for (unsigned d = space.begin; d < space.end; ++d) {
      std::vector<std::string> lines;
      for (unsigned line : space.sourceLines)
        lines.push_back(std::to_string(line));
      addRow({std::to_string(d), space.variable, space.labels[d - space.begin],
              space.encoding, shortComponents(space.writers),
              shortComponents(space.readers), llvm::join(lines, ", "),
              space.clearedIn == ~0u
                  ? ""
                  : "M" + std::to_string(space.clearedIn / 2 - 1)});
    }
  os << "residual directions\n";
  table.print(os);
  return llvm::Error::success();
}
