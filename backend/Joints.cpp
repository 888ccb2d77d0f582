//===- backend/Joints.cpp - what components are functions of --------------===//
//
// Every component says which joint values its inputs take, so that a
// certificate can go through them one by one.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Source;

void Lowering::excludeImpossible(Joint &joint) const {
  if (joint.isSum || joint.part != 0)
    return;
  size_t count = 1;
  for (uint32_t size : joint.sizes)
    count *= size;
  for (auto [dim, source] : llvm::enumerate(joint.sources)) {
    if (!source || !sets.isKept(source) || !sets.of(source).hasTable)
      continue;
    const ir::JointTable &table = sets.of(source).table;
    std::vector<size_t> dims;
    for (Source operand : table.sources)
      if (auto *found = llvm::find(joint.sources, operand);
          found != joint.sources.end() && operand != source)
        dims.push_back(static_cast<size_t>(found - joint.sources.begin()));
    if (dims.size() != table.sources.size())
      continue;
    joint.matters.resize(count, true);
    Odometer at(joint.sizes);
    for (size_t i = 0; i < count; ++i, at.next()) {
      size_t entry = 0;
      for (auto [d, size] : llvm::zip_equal(dims, table.sizes))
        entry = entry * size + at.at[d];
      if (table.entries[entry] != static_cast<int32_t>(at.at[dim]))
        joint.matters[i] = false;
    }
  }
  if (!llvm::is_contained(joint.matters, false))
    joint.matters.clear();
}

JointId Lowering::addJoint(Joint joint) {
  excludeImpossible(joint);
  auto [it, isNew] =
      joints.try_emplace(joint, static_cast<JointId>(circuit.joints.size()));
  if (isNew)
    circuit.joints.push_back(std::move(joint));
  return it->second;
}

/// `matters(i)` for each of `count` combinations; empty if all do.
template <typename Fn>
static std::vector<bool> maskOf(size_t count, Fn matters) {
  std::vector<bool> mask(count);
  bool all = true;
  for (size_t i = 0; i < count; ++i) {
    mask[i] = matters(i);
    all &= mask[i];
  }
  if (all)
    mask.clear();
  return mask;
}

JointId Lowering::jointOf(const FunctionTable &table) {
  Joint joint;
  joint.sources = table.sources;
  joint.sizes = table.sizes;
  joint.matters = maskOf(table.entries.size(), [&](size_t i) {
    return !std::isnan(table.entries[i]);
  });
  return addJoint(std::move(joint));
}

JointId Lowering::jointOf(const SelectorSide &side) {
  if (side.nodes.size() == 1)
    return jointOf(side.nodes[0]);
  Joint joint;
  joint.sources = side.sources;
  joint.sizes = side.sizes;
  joint.matters = maskOf(side.tupleOfEntry.size(),
                         [&](size_t i) { return side.tupleOfEntry[i] >= 0; });
  return addJoint(std::move(joint));
}

JointId Lowering::jointOfSource(Source source) {
  Joint joint;
  joint.sources = {source};
  joint.sizes = {static_cast<uint32_t>(sets.valuesOf(source).size())};
  return addJoint(std::move(joint));
}

JointId Lowering::jointOfPart(const Node *width, unsigned part) {
  Joint joint;
  joint.sources = {width};
  joint.sizes = {sets.domain().maxSeqLen + 1};
  joint.part = part;
  return addJoint(std::move(joint));
}

std::optional<JointId> Lowering::jointOfAll(llvm::ArrayRef<JointId> parts) {
  constexpr size_t most = 1 << 16;
  Joint all;
  size_t count = 1;
  for (JointId id : parts) {
    const Joint &part = circuit.joints[id];
    if (part.isSum || part.part != 0)
      return std::nullopt;
    for (auto [source, size] : llvm::zip(part.sources, part.sizes))
      if (!llvm::is_contained(all.sources, source)) {
        all.sources.push_back(source);
        all.sizes.push_back(size);
        count *= size;
        if (count > most)
          return std::nullopt;
      }
  }
  std::vector<uint32_t> at(all.sources.size());
  all.matters = maskOf(count, [&](size_t i) {
    for (size_t d = at.size(); d-- > 0; i /= all.sizes[d])
      at[d] = static_cast<uint32_t>(i % all.sizes[d]);
    return llvm::all_of(parts, [&](JointId id) {
      const Joint &part = circuit.joints[id];
      size_t own = 0;
      for (auto [source, size] : llvm::zip(part.sources, part.sizes))
        own = own * size +
              at[static_cast<size_t>(llvm::find(all.sources, source) -
                                     all.sources.begin())];
      return part.matters.empty() || part.matters[own];
    });
  });
  return addJoint(std::move(all));
}

JointId Lowering::jointOf(const Node *sop) {
  return sets.isKept(sop) && sets.of(sop).known ? jointOfSource(sop)
                                                : jointOfOperands(sop);
}

JointId Lowering::jointOfView(const View &view, const Node *sop) {
  auto sourceOf = [&](DirId dir) -> Source {
    std::optional<JointId> joint = circuit[dir].joint;
    return joint && circuit.joints[*joint].sources.size() == 1
               ? circuit.joints[*joint].sources[0]
               : nullptr;
  };
  auto isReadFrom = [&](DirId dir, Source source) {
    return sourceOf(dir) == source ||
           llvm::any_of(circuit.forms, [&](const SourceForm &form) {
             return form.source == source &&
                    llvm::any_of(form.view.terms, [&](const Term &term) {
                      return term.dir == dir;
                    });
           });
  };
  for (const Term &term : view.terms)
    if (Source source = sourceOf(term.dir);
        source && ir::isElementwise(source->kind()) &&
        llvm::all_of(view.terms, [&](const Term &other) {
          return isReadFrom(other.dir, source);
        }))
      return *circuit[term.dir].joint;
  return jointOfOperands(sop);
}

JointId Lowering::jointOfOperands(const Node *sop) {
  const ir::NodeValues &values = sets.of(sop);
  Joint joint;
  if (values.known && values.hasTable) {
    joint.sources.assign(values.table.sources.begin(),
                         values.table.sources.end());
    joint.sizes.assign(values.table.sizes.begin(), values.table.sizes.end());
    joint.matters = maskOf(values.table.entries.size(), [&](size_t i) {
      return values.table.entries[i] != ir::JointTable::impossible;
    });
    return addJoint(std::move(joint));
  }
  View scalar = scalarOf(sop);
  if (values.known)
    return jointOfValues(sop, scalar, {});
  joint.isSum = true;
  joint.sum = scalar;
  joint.low = values.low;
  joint.high = values.high;
  return addJoint(std::move(joint));
}

JointId Lowering::jointOfValues(const Node *sop, const View &scalar,
                                llvm::ArrayRef<double> byValue) {
  std::vector<double> numbers;
  for (const ir::Value &value : sets.of(sop).values)
    numbers.push_back(value.toDouble());
  auto same = [&](const SourceForm &form) {
    return form.source == sop && form.view == scalar;
  };
  if (llvm::none_of(circuit.forms, same))
    circuit.forms.push_back({sop, scalar, numbers});
  Joint joint;
  joint.sources = {sop};
  joint.sizes = {static_cast<uint32_t>(numbers.size())};
  joint.matters = maskOf(numbers.size(), [&](size_t i) {
    return byValue.empty() || !std::isnan(byValue[i]);
  });
  return addJoint(std::move(joint));
}

bool Lowering::isByValue(JointId id, const Node *sop) const {
  const Joint &joint = circuit.joints[id];
  return joint.isSum || (joint.sources.size() == 1 && joint.sources[0] == sop);
}
