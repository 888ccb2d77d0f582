//===- test/unit/runtime/Dump.cpp - parts of the disassembler -------------===//

#include "runtime/dump/AtomOps.h"
#include "runtime/dump/ProgramGraph.h"
#include "runtime/dump/UnitSums.h"
#include <gtest/gtest.h>

using namespace rasp::rt;

static std::optional<Atom> apply(const char *op, std::vector<Atom> operands) {
  return applyOp(op, operands, std::nullopt);
}

static Atom operator""_i(unsigned long long i) { return int64_t(i); }

TEST(AtomOps, AreThoseOfTheLanguage) {
  EXPECT_EQ(apply("add", {2_i, 3_i}), 5_i);
  EXPECT_EQ(apply("add", {2_i, 0.5}), Atom(2.5));
  EXPECT_EQ(apply("add", {"ab", "c"}), Atom("abc"));
  EXPECT_EQ(apply("mul", {"ab", 2_i}), Atom("abab"));
  EXPECT_EQ(apply("div", {1_i, 4_i}), Atom(0.25));
  // The sign of the divisor.
  EXPECT_EQ(apply("mod", {int64_t(-7), 3_i}), 2_i);
  EXPECT_EQ(apply("mod", {7_i, int64_t(-3)}), Atom(int64_t(-2)));
  EXPECT_EQ(apply("mod", {-0.5, 2_i}), Atom(1.5));
  EXPECT_EQ(apply("pow", {2_i, 10_i}), 1024_i);
  EXPECT_EQ(apply("pow", {2_i, int64_t(-1)}), Atom(0.5));
  // Halves to even.
  EXPECT_EQ(apply("round", {2.5}), 2_i);
  EXPECT_EQ(apply("neg", {true}), Atom(int64_t(-1)));
  EXPECT_EQ(apply("eq", {1_i, 1.0}), Atom(true));
  EXPECT_EQ(apply("lt", {"a", "b"}), Atom(true));
  EXPECT_EQ(apply("and", {"", 1_i}), Atom(false));
  EXPECT_EQ(apply("where", {0_i, "x", "y"}), Atom("y"));
  EXPECT_EQ(apply("indicator", {0.5}), 1_i);
}

TEST(AtomOps, HaveNoResultWhereTheProgramFails) {
  EXPECT_EQ(apply("div", {1_i, 0_i}), std::nullopt);
  EXPECT_EQ(apply("mod", {1_i, 0.0}), std::nullopt);
  EXPECT_EQ(apply("add", {"a", 1_i}), std::nullopt);
  EXPECT_EQ(apply("lt", {"a", 1_i}), std::nullopt);
  EXPECT_EQ(apply("neg", {"a"}), std::nullopt);
  EXPECT_EQ(apply("add", {INT64_MAX, 1_i}), std::nullopt);
  EXPECT_EQ(apply("pow", {0_i, int64_t(-1)}), std::nullopt);
  EXPECT_EQ(apply("lookup", {0_i}), std::nullopt);
  EXPECT_EQ(apply("someday", {1_i, 2_i}), std::nullopt);
}

TEST(AtomOps, LookUpInContainers) {
  AtomTable list{false, {}, {"a", "b", "c"}};
  EXPECT_EQ(applyOp("lookup", {1_i}, list), Atom("b"));
  EXPECT_EQ(applyOp("lookup", {Atom(int64_t(-1))}, list), Atom("c"));
  EXPECT_EQ(applyOp("lookup", {3_i}, list), std::nullopt);
  EXPECT_EQ(applyOp("in", {Atom("c")}, list), Atom(true));
  EXPECT_EQ(applyOp("in", {1_i}, list), Atom(false));
  AtomTable dict{true, {1_i, "k"}, {"one", 2_i}};
  EXPECT_EQ(applyOp("lookup", {Atom(1.0)}, dict), Atom("one"));
  EXPECT_EQ(applyOp("lookup", {Atom("k")}, dict), 2_i);
  EXPECT_EQ(applyOp("lookup", {Atom("x")}, dict), std::nullopt);
}

TEST(AtomOps, TokensByType) {
  EXPECT_EQ(tokenAs("tokens_int", Atom("42")), 42_i);
  EXPECT_EQ(tokenAs("tokens_int", Atom(" +7 ")), 7_i);
  EXPECT_EQ(tokenAs("tokens_int", Atom(-1.5)), Atom(int64_t(-1)));
  EXPECT_EQ(tokenAs("tokens_int", Atom("x")), std::nullopt);
  EXPECT_EQ(tokenAs("tokens_float", Atom("0.5")), Atom(0.5));
  EXPECT_EQ(tokenAs("tokens_str", 3_i), Atom("3"));
  EXPECT_EQ(tokenAs("tokens_bool", Atom("")), Atom(false));
}

static ProgramGraph graphOf(const char *json) {
  Model model;
  model.ir = *llvm::json::parse(json);
  return ProgramGraph(model);
}

TEST(ProgramGraph, WritesExpressions) {
  ProgramGraph graph = graphOf(R"({"output": "o", "nodes": [
      {"name": "length", "op": "width", "operands": []},
      {"name": "indices", "op": "indices", "operands": []},
      {"name": "o.const", "op": "const", "operands": [], "value": 1},
      {"name": "o.sub", "op": "sub", "operands": ["length", "indices"]},
      {"name": "opposite", "op": "sub", "operands": ["o.sub", "o.const"]},
      {"name": "o.mul", "op": "mul", "operands": ["opposite", "o.sub"]},
      {"name": "flip", "op": "select", "operands": ["indices", "opposite"],
       "compare": "=="},
      {"name": "not", "op": "sel_not", "operands": ["flip"]},
      {"name": "both", "op": "sel_and", "operands": ["flip", "not"]},
      {"name": "o", "op": "neg", "operands": ["o.mul"]}]})");
  auto text = [&](const char *name) { return graph.text(*graph.find(name)); };
  EXPECT_EQ(text("opposite"), "length - indices - 1");
  EXPECT_EQ(graph.shortText(*graph.find("opposite")), "opposite");
  EXPECT_EQ(text("o"), "-(opposite * (length - indices))");
  EXPECT_EQ(text("both"), "key indices == query opposite and "
                          "not (key indices == query opposite)");
  EXPECT_EQ(graph.output(), graph.find("o"));
}

TEST(ProgramGraph, EndsAtWhatMakesNoSense) {
  // An operand that comes later could make a cycle.
  ProgramGraph graph = graphOf(R"({"nodes": [
      {"name": "a", "op": "indices", "operands": []},
      {"name": "b", "op": "neg", "operands": ["c"]},
      {"name": "c", "op": "neg", "operands": ["b"]}]})");
  EXPECT_EQ(graph.nodes().size(), 1u);
  EXPECT_EQ(graphOf("3").nodes().size(), 0u);
}

TEST(UnitSums, AreTheSumsOfAllUnits) {
  Certificate certificate;
  for (uint32_t size : {3, 4}) {
    certificate.variables.emplace_back();
    certificate.variables.back().size = size;
  }
  certificate.directions.resize(3);
  Tables tables(certificate);
  // A function of either variable, and one of both.
  auto fill = [&](unsigned table, llvm::SmallVector<unsigned, 3> variables,
                  llvm::ArrayRef<double> entries) {
    tables.tables[table].variables = std::move(variables);
    for (double entry : entries)
      tables.tables[table].entries.push_back({entry, 0});
  };
  fill(0, {0}, {0, 1, 2});
  fill(1, {1}, {0, 1, -2, 3});
  fill(2, {1, 0}, {1, 0, 0, 0, 2, 0, 0, 0, 3, 4, 0, 0});
  std::vector<TableView> inputs(3);
  inputs[0].terms = {{0, 1}, {1, -1}};
  inputs[0].constant.value = 0.5;
  inputs[1].terms = {{2, 2}};
  inputs[1].constant.value = -3;
  inputs[2].constant.value = 1;
  std::vector<double> weights{1, -2, 10};
  std::vector<double> sums = sumUnits(tables, {0, 1}, weights, inputs);
  ASSERT_EQ(sums.size(), 12u);
  for (size_t a = 0; a < 3; ++a)
    for (size_t b = 0; b < 4; ++b) {
      auto at = [&](unsigned table, size_t i) {
        return tables.tables[table].entries[i].value;
      };
      double expected = std::max(0.0, at(0, a) - at(1, b) + 0.5) -
                        2 * std::max(0.0, 2 * at(2, b * 3 + a) - 3) + 10;
      EXPECT_EQ(sums[a * 4 + b], expected) << a << ", " << b;
    }
}
