//===- backend/tools/Explanation.cpp - what became of a program -----------===//

#include "backend/tools/Explanation.h"
#include "backend/Explain.h"
#include "backend/Remarks.h"
#include "frontend/Library.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"

using namespace rasp;
using ir::Node;

/// What the program assigns and the output does not depend on.
static void tellUnused(const Compilation &compilation, ir::Remarks &remarks) {
  std::vector<const Node *> used = ir::reachable(compilation.output);
  llvm::DenseSet<const Node *> isUsed(used.begin(), used.end());
  for (const frontend::Binding &binding : compilation.bindings.bindings)
    if (binding.node && !isUsed.contains(binding.node))
      remarks.push_back(
          {binding.node,
           ir::makeDiagnostic(binding.range, ir::diag::NotUsed, binding.name,
                              *compilation.options.output)});
}

ir::Remarks rasp::remarksOn(const Compilation &compilation) {
  ir::Remarks all;
  ir::remarkOnSameOps(compilation.output, compilation.sources, all);
  for (ir::Remark &remark : all)
    remark.node = compilation.module->replaced.lookup(remark.node);
  llvm::append_range(all, compilation.remarks);
  tellUnused(compilation, all);
  if (compilation.circuit.layers > 0)
    llvm::append_range(
        all, backend::collectRemarks(compilation.circuit, compilation.compiled,
                                     *compilation.names, *compilation.values));
  // Buffers have their places in the order in which they were read.
  auto place = [&](const ir::Remark &remark) {
    llvm::SMLoc start = remark.diagnostic.range.Start;
    unsigned buffer = start.isValid()
                          ? compilation.sources.FindBufferContainingLoc(start)
                          : 0;
    // Without a place: after all that have one.
    return buffer ? std::pair(buffer, start.getPointer())
                  : std::pair(~0u, static_cast<const char *>(nullptr));
  };
  llvm::stable_sort(all, [&](const ir::Remark &a, const ir::Remark &b) {
    return place(a) < place(b);
  });
  return all;
}

void rasp::addRemarks(Compilation &compilation, const llvm::Regex *filter) {
  constexpr size_t most = 1000;
  std::vector<const Node *> compiled = ir::reachable(compilation.compiled);
  llvm::DenseSet<const Node *> named(compiled.begin(), compiled.end());
  size_t count = 0;
  for (ir::Remark &remark : remarksOn(compilation)) {
    if ((filter && !filter->match(remark.diagnostic.name)) || ++count > most)
      continue;
    if (named.contains(remark.node))
      remark.diagnostic.message = "`" +
                                  compilation.names->of(remark.node).str() +
                                  "`: " + remark.diagnostic.message;
    compilation.diags.add(std::move(remark.diagnostic));
  }
  if (count > most)
    compilation.diags.emit({}, ir::diag::RemarksLeftOut,
                           ir::counted(count - most, "more remark"));
}

namespace {
/// What a name stands for: as written in the program, or as compiled.
struct Named {
  const Node *written = nullptr, *compiled = nullptr;
};
} // namespace

static Named findNamed(const Compilation &compilation, llvm::StringRef name) {
  // As --emit=ir writes it.
  if (name.consume_front("%")) {
    for (const Node *node : ir::reachable(compilation.compiled))
      if (compilation.names->of(node) == name)
        return {nullptr, node};
    return {};
  }
  if (const frontend::Binding *binding = compilation.bindings.find(name))
    return {binding->node, nullptr};
  for (const Node *node : ir::reachable(compilation.compiled))
    if (compilation.names->of(node) == name)
      return {nullptr, node};
  ir::NodeNames asWritten(compilation.output);
  for (const Node *node : ir::reachable(compilation.output))
    if (asWritten.of(node) == name)
      return {node, nullptr};
  if (name == "out")
    return {compilation.output, nullptr};
  if (name == "tokens")
    for (const Node *node : ir::reachable(compilation.compiled))
      if (ir::isLeaf(node->kind()) && node->kind() != ir::OpKind::Const &&
          node->kind() != ir::OpKind::Indices)
        return {nullptr, node};
  return {};
}

/// The name that is nearest to one that nothing has; empty if none is near.
static std::string nearestName(const Compilation &compilation,
                               llvm::StringRef name) {
  std::string nearest;
  unsigned best = 3;
  auto consider = [&](llvm::StringRef other) {
    unsigned distance = other.edit_distance(name, true, best);
    if (distance < best) {
      best = distance;
      nearest = other.str();
    }
  };
  for (const frontend::Binding &binding : compilation.bindings.bindings)
    if (binding.node)
      consider(binding.name);
  for (const Node *node : ir::reachable(compilation.compiled))
    consider(compilation.names->of(node));
  return nearest;
}

static llvm::StringRef kindName(frontend::BindingKind kind) {
  switch (kind) {
  case frontend::BindingKind::Sop:
    return "an s-op";
  case frontend::BindingKind::Selector:
    return "a selector";
  case frontend::BindingKind::Atom:
    return "an atom";
  case frontend::BindingKind::List:
    return "a list";
  case frontend::BindingKind::Dict:
    return "a dict";
  case frontend::BindingKind::Function:
    return "a function";
  }
  llvm_unreachable("all kinds are listed");
}

/// The nearest user of an op of the program that is there after compilation,
/// in the form that it has then.
static const Node *successorOf(const Compilation &compilation,
                               const Node *written,
                               const llvm::DenseSet<const Node *> &compiled) {
  llvm::DenseSet<const Node *> depend{written};
  for (const Node *node : ir::reachable(compilation.output)) {
    if (!depend.contains(node) &&
        llvm::none_of(node->operands(), [&](const Node *operand) {
          return depend.contains(operand);
        }))
      continue;
    const Node *own = compilation.module->replaced.lookup(node);
    if (compiled.contains(own))
      return own;
    depend.insert(node);
  }
  llvm_unreachable("the output is compiled");
}

static void printUnused(const Compilation &compilation, llvm::raw_ostream &os) {
  os << "`" << *compilation.options.output
     << "` does not depend on it, so nothing is built for it\n";
}

/// Tells of a name that every program has, and this one makes no use of;
/// whether there is one.
static bool explainStandard(Compilation &compilation, llvm::StringRef name,
                            llvm::raw_ostream &os) {
  using frontend::StandardKind;
  auto refuse = [&](llvm::StringRef kind) {
    compilation.diags.emit({}, ir::diag::NotExplained, name, kind);
  };
  switch (frontend::standardKind(name)) {
  case StandardKind::None:
    return false;
  case StandardKind::Atom:
    refuse("an atom");
    return true;
  case StandardKind::Function:
    refuse("a function of the standard library");
    return true;
  case StandardKind::Leaf:
    os << "`" << name << "`, a built-in s-op";
    break;
  case StandardKind::Variable:
    os << "`" << name << "`, a name of the standard library";
    break;
  }
  os << " that the output does not use\n";
  printUnused(compilation, os);
  return true;
}

bool rasp::explain(Compilation &compilation, llvm::StringRef name,
                   llvm::raw_ostream &os) {
  const frontend::Binding *binding = compilation.bindings.find(name);
  if (binding && !binding->node) {
    compilation.diags.emit(binding->range, ir::diag::NotExplained, name,
                           kindName(binding->kind));
    return false;
  }
  Named named = findNamed(compilation, name);
  if (!named.written && !named.compiled) {
    if (explainStandard(compilation, name, os))
      return !compilation.diags.hasErrors();
    std::string near = nearestName(compilation, name);
    compilation.diags.emit({}, ir::diag::UnknownExplained, name,
                           near.empty() ? ""
                                        : "; did you mean `" + near + "`?");
    return false;
  }
  const Node *node = named.compiled;
  if (!node) {
    std::vector<const Node *> reachable = ir::reachable(compilation.compiled);
    llvm::DenseSet<const Node *> compiled(reachable.begin(), reachable.end());
    if (!compilation.module->replaced.contains(named.written)) {
      os << "`" << name << "`, "
         << (named.written->isSop() ? "an s-op" : "a selector")
         << " that the output does not use\nsource\n";
      backend::printSource(named.written, compilation.sources, os);
      printUnused(compilation, os);
      return true;
    }
    node = compilation.module->replaced.lookup(named.written);
    if (!compiled.contains(node)) {
      node = successorOf(compilation, named.written, compiled);
      os << "`" << name << "` is not there any more: it went into `"
         << compilation.names->of(node) << "`\nsource\n";
      backend::printSource(named.written, compilation.sources, os);
    } else {
      llvm::StringRef own = compilation.names->of(node);
      if (own != name)
        os << "`" << name << "` is `%" << own << "` of the IR\n";
      if (node->kind() != named.written->kind())
        os << "`" << own << "`, " << ir::mnemonic(named.written->kind())
           << " in the program, is compiled in another form\n";
    }
  }
  ir::Remarks remarks = remarksOn(compilation);
  backend::explain({compilation.circuit, compilation.layout,
                    compilation.compiled, *compilation.names,
                    *compilation.values, compilation.sources, remarks},
                   node, os);
  return true;
}
