//===- test/unit/backend/WiringTest.cpp -----------------------------------===//

#include "backend/Wiring.h"
#include "Compiled.h"
#include "backend/Explain.h"

using namespace rasp;
using namespace rasp::backend;

static const char *reverse = "#@ vocab: a,b,c\n"
                             "#@ max-seq-len: 4\n"
                             "flip = select(indices, length - indices - 1, ==);"
                             "\nreverse = aggregate(flip, tokens);\n";

static DirId labelled(const Circuit &circuit, llvm::StringRef label) {
  for (uint32_t d = 0; d < circuit.directions.size(); ++d)
    if (circuit.directions[d].residualLabel() == label)
      return DirId(d);
  ADD_FAILURE() << "no " << label.str();
  return Circuit::bos;
}

TEST(Wiring, ChainsGoBackToTheEmbedding) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  Wiring wiring(c->circuit, *c->names);
  DirId moved = labelled(c->circuit, "reverse:b");
  DirId length = labelled(c->circuit, "length");
  DirId share = labelled(c->circuit, "length:1/(w+1)");
  EXPECT_EQ(wiring.chainTo(moved), (std::vector<DirId>{moved, length, share}));
  EXPECT_EQ(wiring.writerOf(share), "head 0.0 (`full_s`)");
  EXPECT_EQ(wiring.writerOf(length), "the MLP of layer 0");
  EXPECT_EQ(wiring.writerOf(labelled(c->circuit, "tokens:a")),
            "the token embedding");
  EXPECT_EQ(wiring.earliestLayer(c->circuit.heads[wiring.headOf(share)]), 0u);
  EXPECT_EQ(wiring.earliestLayer(c->circuit.heads[wiring.headOf(moved)]), 1u);
  EXPECT_EQ(wiring.earliestLayerOfMlp(length), 0u);
  EXPECT_EQ(wiring.unitsOf(length).size(), wiring.numUnits(0));
  EXPECT_TRUE(wiring.chainTo(Circuit::bos).empty());
}

TEST(Explain, ParametersAreTheDifferenceThatDirectionsMake) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  const Circuit &circuit = c->circuit;
  auto without = [&](llvm::ArrayRef<DirId> directions) {
    return countParametersOf(circuit, directions, c->domain);
  };
  EXPECT_EQ(without({}), 0u);
  // A column of the embeddings, of 3 tokens, BOS and padding, and of 4
  // positions and BOS; and a row or column of every matrix of both layers.
  uint64_t layers = 2, heads = 1, dHead = c->layout.dHead,
           dMlp = circuit.neurons.size(), rows = (3 + 2) + (4 + 1);
  EXPECT_EQ(without(labelled(circuit, "tokens:a")),
            rows + layers * (heads * 4 * dHead + 1 + 2 * dMlp + 1));
  // With the only direction that all hidden units write these go as well, but
  // for the one that a model has at least.
  uint64_t dModel = circuit.directions.size();
  uint64_t units = (dMlp - 1) * (2 * (dModel - 1) + 1);
  EXPECT_EQ(without(labelled(circuit, "length")),
            rows + layers * (heads * 4 * dHead + 1 + 2 * dMlp + 1 + units));
}
