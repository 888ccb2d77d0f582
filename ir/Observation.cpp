//===- ir/Observation.cpp - a program on all of its inputs ----------------===//

#include "ir/Observation.h"
#include "ir/Interpreter.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

std::optional<Observation>
Observation::make(const Node *root, const Domain &domain, size_t maxValues) {
  std::vector<const Node *> sops, ofLength;
  llvm::DenseSet<const Node *> dependsOnTokens;
  for (const Node *node : reachable(root)) {
    bool isToken = isLeaf(node->kind()) && node->kind() != OpKind::Indices &&
                   node->kind() != OpKind::Const;
    if (isToken || llvm::any_of(node->operands(), [&](const Node *operand) {
          return dependsOnTokens.contains(operand);
        }))
      dependsOnTokens.insert(node);
    if (!node->isSop())
      continue;
    sops.push_back(node);
    if (!dependsOnTokens.contains(node))
      ofLength.push_back(node);
  }
  // Values to store, and steps of selectors over one input per length.
  double longest = domain.maxSeqLen, inputs = 1, values = 0;
  double steps = longest * longest * longest / 3;
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    inputs *= static_cast<double>(domain.vocabulary.size());
    values += inputs * length * static_cast<double>(sops.size());
    if (values > static_cast<double>(maxValues))
      break;
  }
  Observation observation;
  if (values <= static_cast<double>(maxValues))
    observation.run(sops, domain, domain.vocabulary);
  else if (steps * static_cast<double>(ofLength.size()) <=
           16 * static_cast<double>(maxValues))
    observation.run(ofLength, domain, domain.vocabulary.front());
  if (observation.tokenIds.empty())
    return std::nullopt;
  return observation;
}

void Observation::run(llvm::ArrayRef<const Node *> sops, const Domain &domain,
                      llvm::ArrayRef<Value> vocabulary) {
  Interpreter::Options semantics;
  semantics.causal = domain.causal;
  Interpreter interpreter(sops, semantics);
  Interpreter::State state(interpreter);
  for (unsigned length = 1; length <= domain.maxSeqLen; ++length) {
    // Counts through all inputs, the first token fastest.
    std::vector<uint32_t> tokens(length);
    std::vector<Value> input(length);
    for (size_t carry = 0; carry < length;) {
      for (auto [value, token] : llvm::zip(input, tokens))
        value = vocabulary[token];
      llvm::ArrayRef<RootResult> results = interpreter.run(input, state);
      if (llvm::all_of(results, [](const RootResult &r) { return bool(r); })) {
        llvm::append_range(tokenIds, tokens);
        for (auto [sop, result] : llvm::zip(sops, results))
          llvm::append_range(columns[sop], result.values);
      }
      for (carry = 0; carry < length; ++carry) {
        if (++tokens[carry] < vocabulary.size())
          break;
        tokens[carry] = 0;
      }
    }
  }
}
