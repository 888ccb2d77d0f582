//===- test/unit/backend/CircuitTest.cpp ----------------------------------===//

#include "backend/Circuit.h"
#include "gtest/gtest.h"

using namespace rasp::backend;

static DirId dir(unsigned i) { return DirId(i); }

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

TEST(View, Arithmetic) {
  View a = View::of(dir(2), 3) + View::of(dir(1)) + View::ofConstant(4);
  ASSERT_EQ(a.terms.size(), 2u);
  EXPECT_EQ(a.terms[0], (Term{dir(1), 1}));
  EXPECT_EQ(a.terms[1], (Term{dir(2), 3}));
  EXPECT_EQ(a.constant, 4);
  View b = a * -2;
  EXPECT_EQ(b.terms[1], (Term{dir(2), -6}));
  EXPECT_EQ(b.constant, -8);
  EXPECT_EQ(a - View::of(dir(2), 3), View::of(dir(1)) + View::ofConstant(4));
}

TEST(View, WhatCancelsIsGone) {
  View a = View::of(dir(1)) + View::of(dir(2));
  EXPECT_TRUE((a - a).isConstant());
  EXPECT_EQ((a - a).constant, 0);
  EXPECT_TRUE((a * 0).isConstant());
  EXPECT_EQ(a * 0, View());
}

TEST(View, OrderIsTotal) {
  View views[] = {View(), View::ofConstant(1), View::of(dir(1)),
                  View::of(dir(1), 2), View::of(dir(2))};
  for (const View &a : views)
    for (const View &b : views)
      EXPECT_EQ((a < b) + (b < a) + (a == b), 1);
}

//===----------------------------------------------------------------------===//
// Circuits
//===----------------------------------------------------------------------===//

namespace {
/// `bos`, two embedded directions, and what tests add.
class CircuitTest : public testing::Test {
protected:
  Circuit circuit;

  CircuitTest() {
    add("bos", WriterKind::TokenEmbed, 0);
    circuit.directions[0].atBos = 1;
  }
  DirId add(const char *space, WriterKind writer, unsigned time,
            double atBos = 0) {
    Direction direction;
    direction.space = space;
    direction.writer = writer;
    direction.time = time;
    direction.atBos = atBos;
    circuit.directions.push_back(direction);
    return dir(static_cast<unsigned>(circuit.directions.size() - 1));
  }
  DirId addHead(const View &key, const View &query, const View &value,
                unsigned layer) {
    DirId target = add("moved", WriterKind::Head, 2 * layer + 1);
    Head head;
    head.scores.push_back({key, query});
    head.outputs.push_back({value, target});
    head.layer = layer;
    circuit.heads.push_back(head);
    return target;
  }
  DirId addNeuron(const View &input, unsigned layer) {
    DirId target = add("computed", WriterKind::Mlp, 2 * layer + 2);
    circuit.neurons.push_back({input, {{target, 1}}, layer});
    return target;
  }
};
} // namespace

TEST_F(CircuitTest, ValuesAtBosAndTimes) {
  DirId a = add("a", WriterKind::TokenEmbed, 0, 5);
  DirId b = add("b", WriterKind::Mlp, 4, -1);
  View view = View::of(a, 2) + View::of(b) + View::ofConstant(0.5);
  EXPECT_EQ(atBos(circuit, view), 9.5);
  EXPECT_EQ(timeOf(circuit, view), 4u);
  EXPECT_EQ(timeOf(circuit, View::ofConstant(1)), 0u);
}

TEST_F(CircuitTest, ResidualLabels) {
  Direction direction;
  direction.space = "tokens";
  EXPECT_EQ(direction.residualLabel(), "tokens");
  direction.label = "a";
  EXPECT_EQ(direction.residualLabel(), "tokens:a");
}

TEST_F(CircuitTest, DeadComponentsGo) {
  DirId tokens = add("tokens", WriterKind::TokenEmbed, 0);
  DirId unread = add("unread", WriterKind::PosEmbed, 0);
  DirId moved =
      addHead(View::of(Circuit::bos), View::ofConstant(1), View::of(tokens), 0);
  addHead(View::of(unread), View::ofConstant(1), View::of(tokens), 0);
  DirId dead = addNeuron(View::of(unread), 1);
  DirId alive = addNeuron(View::of(moved), 1);
  // A unit that writes both stays, for one of them.
  circuit.neurons[1].outputs.push_back({dead, 3});
  circuit.readout.logits.push_back(View::of(alive));
  removeDead(circuit);
  ASSERT_EQ(circuit.directions.size(), 4u);
  EXPECT_EQ(circuit.directions[0].space, "bos");
  EXPECT_EQ(circuit.directions[1].space, "tokens");
  ASSERT_EQ(circuit.heads.size(), 1u);
  EXPECT_EQ(circuit.heads[0].outputs[0].value, View::of(dir(1)));
  EXPECT_EQ(circuit.heads[0].outputs[0].target, dir(2));
  ASSERT_EQ(circuit.neurons.size(), 1u);
  ASSERT_EQ(circuit.neurons[0].outputs.size(), 1u);
  EXPECT_EQ(circuit.neurons[0].outputs[0], (Term{dir(3), 1}));
  EXPECT_EQ(circuit.neurons[0].input, View::of(dir(2)));
  EXPECT_EQ(circuit.readout.logits[0], View::of(dir(3)));
}

TEST_F(CircuitTest, HeadsWithEqualScoresAreOne) {
  DirId tokens = add("tokens", WriterKind::TokenEmbed, 0);
  View key = View::of(tokens), query = View::ofConstant(1);
  DirId early = addHead(key, query, View::of(tokens), 0);
  DirId other = addHead(key, query * 2, View::of(tokens), 0);
  DirId late = addHead(key, query, View::of(other), 1);
  circuit.readout.logits = {View::of(early) + View::of(late)};
  schedule(circuit);
  ASSERT_EQ(circuit.heads.size(), 2u);
  EXPECT_EQ(circuit.heads[1].layer, 1u);
  EXPECT_EQ(circuit.heads[1].outputs.size(), 2u);
  EXPECT_EQ(circuit[early].time, 3u);
  EXPECT_EQ(circuit.layers, 2u);
}

TEST_F(CircuitTest, HeadsThatAreReadBeforeStay) {
  DirId tokens = add("tokens", WriterKind::TokenEmbed, 0);
  View key = View::of(tokens), query = View::ofConstant(1);
  DirId early = addHead(key, query, View::of(tokens), 0);
  DirId late = addHead(key, query, View::of(early), 1);
  DirId hidden = addNeuron(View::of(early), 0);
  circuit.readout.logits = {View::of(hidden) + View::of(late)};
  schedule(circuit);
  ASSERT_EQ(circuit.heads.size(), 2u);
  EXPECT_EQ(circuit.heads[0].layer, 0u);
  EXPECT_EQ(circuit[early].time, 1u);
}
