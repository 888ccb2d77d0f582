//===- backend/Layout.cpp - coordinates of the residual stream ------------===//

#include "backend/Layout.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <numeric>

using namespace rasp::backend;

/// Equal scores stay equal when they are divided, whatever by, and how unequal
/// others are is known with a margin for that. Quotients are rounded, which
/// harms none that is small.
static bool standsInexactRoot(const Head &head) {
  constexpr double largestScore = 256;
  return !head.proportional && head.selected <= largestScore;
}

/// By layer, without those that clear directions.
static std::vector<unsigned> hiddenUnits(const Circuit &circuit) {
  std::vector<unsigned> hidden(circuit.layers);
  for (const Neuron &neuron : circuit.neurons)
    if (neuron.layer < hidden.size())
      ++hidden[neuron.layer];
  return hidden;
}

/// By layer, all of them.
static std::vector<unsigned> widthsOf(const Circuit &circuit,
                                      const Layout &layout) {
  std::vector<unsigned> hidden = hiddenUnits(circuit);
  for (const Clearing &clearing : layout.clearings)
    hidden[clearing.layer] += clearing.numUnits();
  return hidden;
}

const Layout::ClearingUnits *Layout::clearingOf(DirId dir) const {
  auto found = llvm::find_if(
      clearings, [&](const Clearing &own) { return own.dir == dir; });
  return found == clearings.end() ? nullptr : &*found;
}

Layout rasp::backend::layOut(const Circuit &circuit) {
  Layout layout;
  size_t count = circuit.directions.size();
  // A variable is laid out where its first direction would be.
  std::map<std::tuple<unsigned, WriterKind, std::string>, size_t> first;
  auto groupOf = [&](size_t i) {
    const Direction &dir = circuit.directions[i];
    return std::tuple(dir.time, dir.writer, dir.space);
  };
  for (size_t i = 0; i < count; ++i)
    first.try_emplace(groupOf(i), i);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](size_t a, size_t b) {
    const Direction &left = circuit.directions[a];
    const Direction &right = circuit.directions[b];
    // BOS, which has number 0, comes first.
    if ((a == 0) != (b == 0))
      return a == 0;
    return std::tuple(left.time, left.writer, first[groupOf(a)]) <
           std::tuple(right.time, right.writer, first[groupOf(b)]);
  });
  layout.placeOf.resize(count);
  layout.coordinateOf.resize(count);
  std::vector<std::optional<unsigned>> clearedIn(count);
  for (const Direction &dir : circuit.directions)
    if (dir.reuse)
      clearedIn[static_cast<uint32_t>(dir.reuse->of)] = dir.reuse->layer;
  for (unsigned place = 0; place < count; ++place) {
    size_t i = order[place];
    const Direction &dir = circuit.directions[i];
    layout.order.push_back(DirId(static_cast<uint32_t>(i)));
    layout.placeOf[i] = place;
    // What it takes over was written before, so it has its place.
    unsigned at =
        dir.reuse ? layout.coordinate(dir.reuse->of) : layout.dModel++;
    layout.coordinateOf[i] = at;
    if (!layout.subspaces.empty()) {
      Subspace &last = layout.subspaces.back();
      if (last.name == dir.space && last.writer == dir.writer &&
          last.time == dir.time && last.end == at &&
          last.clearedIn == clearedIn[i]) {
        ++last.end;
        continue;
      }
    }
    layout.subspaces.push_back({dir.space, at, at + 1, place, dir.writer,
                                dir.time, clearedIn[i], dir.node});
  }
  std::vector<unsigned> units = hiddenUnits(circuit);
  for (const Clearing &clearing : clearingsOf(circuit)) {
    layout.clearings.push_back({clearing, units[clearing.layer]});
    units[clearing.layer] += clearing.numUnits();
  }
  size_t widest = 1;
  for (const Head &head : circuit.heads)
    widest = std::max({widest, head.scores.size(), head.outputs.size()});
  while (static_cast<size_t>(layout.root) * layout.root < widest)
    ++layout.root;
  layout.dHead = llvm::all_of(circuit.heads, standsInexactRoot)
                     ? static_cast<unsigned>(widest)
                     : layout.root * layout.root;
  return layout;
}

rasp::rt::Shape rasp::backend::shapeOf(const Circuit &circuit,
                                       const ir::Domain &domain) {
  Layout layout = layOut(circuit);
  std::vector<unsigned> heads(circuit.layers),
      hidden = widthsOf(circuit, layout);
  for (const Head &head : circuit.heads)
    ++heads[head.layer];
  auto largest = [](const std::vector<unsigned> &sizes) {
    return sizes.empty() ? 1 : std::max(1u, *llvm::max_element(sizes));
  };
  rt::Shape shape{};
  shape.layers = std::max(1u, circuit.layers);
  shape.heads = largest(heads);
  shape.dHead = layout.dHead;
  shape.dMlp = largest(hidden);
  shape.dModel = layout.dModel;
  // BOS and padding are tokens as well.
  shape.vocab = static_cast<unsigned>(domain.vocabulary.size()) + 2;
  shape.outputs =
      static_cast<unsigned>(std::max<size_t>(1, circuit.readout.logits.size()));
  shape.parameters = rt::paddedParameters(shape, domain.maxSeqLen + 1);
  uint64_t d = shape.dModel;
  shape.parametersRagged = (shape.vocab + uint64_t(domain.maxSeqLen + 1)) * d;
  for (const Head &head : circuit.heads) {
    uint64_t width = std::max(head.scores.size(), head.outputs.size());
    shape.parametersRagged += 3 * (d * width + width) + width * d;
  }
  for (unsigned l = 0; l < circuit.layers; ++l) {
    shape.parametersRagged += heads[l] ? d : 0;
    shape.parametersRagged += hidden[l] ? 2 * d * hidden[l] + hidden[l] + d : 0;
  }
  return shape;
}

uint64_t rasp::backend::countParameters(const Circuit &circuit,
                                        const ir::Domain &domain) {
  return shapeOf(circuit, domain).parameters;
}

void rasp::backend::print(llvm::raw_ostream &os, const Circuit &circuit,
                          const Layout &layout) {
  std::vector<unsigned> heads(circuit.layers),
      hidden = widthsOf(circuit, layout);
  for (const Head &head : circuit.heads)
    ++heads[head.layer];
  unsigned mostHeads = 0, mostHidden = 0;
  for (unsigned l = 0; l < circuit.layers; ++l) {
    mostHeads = std::max(mostHeads, heads[l]);
    mostHidden = std::max(mostHidden, hidden[l]);
  }
  os << "layout @" << circuit.readout.name << "(d_model = " << layout.dModel
     << ", layers = " << circuit.layers << ", heads = " << mostHeads
     << ", d_head = " << layout.dHead << ", d_mlp = " << mostHidden << ") {\n";
  size_t nameWidth = 0;
  for (const Subspace &space : layout.subspaces)
    nameWidth = std::max(nameWidth, space.name.size());
  for (const Subspace &space : layout.subspaces) {
    std::string range = std::to_string(space.begin);
    if (space.end - space.begin > 1)
      range += ".." + std::to_string(space.end - 1);
    os << "  dim " << llvm::left_justify(range, 9) << " "
       << llvm::left_justify(space.name, nameWidth) << "  ";
    std::string labels;
    for (DirId dir : layout.directionsOf(space))
      if (const std::string &label = circuit[dir].label; !label.empty())
        labels += " " + label;
    if (space.clearedIn)
      labels += " (cleared in layer " + std::to_string(*space.clearedIn) + ")";
    if (labels.empty())
      os << writerName(space.writer);
    else
      os << llvm::left_justify(writerName(space.writer), 9) << labels;
    os << "\n";
  }
  for (unsigned l = 0; l < circuit.layers; ++l) {
    os << "  layer " << l << "  attn";
    for (const Head &head : circuit.heads)
      if (head.layer == l)
        os << " @" << head.name << " (rank " << head.scores.size() << ")";
    if (heads[l] == 0)
      os << " -";
    os << "  mlp ";
    if (hidden[l])
      os << "(hidden " << hidden[l] << ")";
    else
      os << "-";
    os << "\n";
  }
  os << "  unembed  " << circuit.readout.name << " ("
     << ir::counted(circuit.readout.logits.size(),
                    circuit.readout.numerical ? "number" : "logit")
     << ")\n}\n";
}
