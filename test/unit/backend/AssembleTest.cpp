//===- test/unit/backend/AssembleTest.cpp ---------------------------------===//

#include "backend/Assemble.h"
#include "Compiled.h"
#include "runtime/HookedPass.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rasp;
using namespace rasp::backend;

static const char *reverse = "#@ vocab: a,b,c\n"
                             "#@ max-seq-len: 4\n"
                             "flip = select(indices, length - 1 - indices, ==);"
                             "\nreverse = aggregate(flip, tokens);\n";

TEST(Assemble, AtomsKeepTheirKinds) {
  for (const ir::Value &value :
       {ir::Value::integer(-3), ir::Value::real(2.0), ir::Value::boolean(true),
        ir::Value::string("x")})
    EXPECT_EQ(toValue(toAtom(value)), value);
}

TEST(Assemble, EmbeddingsHaveBosInTheirRows) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  rt::Model model =
      assemble(c->circuit, c->layout, c->domain, rt::DType::Float32);
  EXPECT_EQ(model.input.bosId, 3u);
  EXPECT_EQ(model.input.padId, 4u);
  EXPECT_EQ(model.wE.rows(), 5);
  EXPECT_EQ(model.wPos.rows(), 5);
  EXPECT_EQ(model.config.nCtx, 5u);
  unsigned bos = c->layout.coordinate(Circuit::bos);
  for (int row = 0; row < 5; ++row)
    EXPECT_EQ(model.wE.coeff(row, bos), row == 3);
  // Position 0 is that of BOS and adds nothing.
  EXPECT_EQ(model.wPos.row(0).norm(), 0);
  for (unsigned at = 0; at < c->layout.order.size(); ++at) {
    const Direction &dir = c->circuit[c->layout.order[at]];
    EXPECT_EQ(model.residualLabels[at], dir.residualLabel());
    for (int i = 0; i < 4 && dir.writer == WriterKind::PosEmbed; ++i)
      EXPECT_EQ(model.wPos.coeff(i + 1, at), dir.table[i]);
  }
}

TEST(Assemble, QueriesCarryStepAndRootOfTheWidth) {
  std::unique_ptr<Compilation> c = compileText(reverse);
  ASSERT_TRUE(c);
  rt::Model model =
      assemble(c->circuit, c->layout, c->domain, rt::DType::Float32);
  size_t seen = 0;
  for (unsigned l = 0; l < model.layers.size(); ++l) {
    unsigned h = 0;
    for (const Head &head : c->circuit.heads) {
      if (head.layer != l)
        continue;
      const rt::Head &made = model.layers[l].heads[h++];
      double factor = head.step * std::ceil(std::sqrt(model.config.dHead));
      for (size_t s = 0; s < head.scores.size(); ++s) {
        const ScoreTerm &score = head.scores[s];
        int column = static_cast<int>(s);
        EXPECT_EQ(made.bQ[column], score.query.constant * factor);
        EXPECT_EQ(made.bK[column], score.key.constant);
        for (const Term &term : score.query.terms)
          EXPECT_EQ(made.wQ.coeff(c->layout.coordinate(term.dir), column),
                    term.weight * factor);
        for (const Term &term : score.key.terms)
          EXPECT_EQ(made.wK.coeff(c->layout.coordinate(term.dir), column),
                    term.weight);
      }
      for (size_t o = 0; o < head.outputs.size(); ++o) {
        int row = static_cast<int>(o);
        unsigned target = c->layout.coordinate(head.outputs[o].target);
        EXPECT_EQ(made.wO.coeff(row, target), 1);
        EXPECT_EQ(made.wO.row(row).nonZeros(), 1);
      }
      ++seen;
    }
    EXPECT_EQ(h, model.layers[l].heads.size());
  }
  EXPECT_EQ(seen, c->circuit.heads.size());
}

TEST(Assemble, WeightsHaveThePrecisionOfTheFile) {
  const char *tenths = "#@ vocab: [0.1, 0.7]\n#@ tokens: float\n"
                       "#@ max-seq-len: 2\nx = tokens_float * 0.3;\n";
  std::unique_ptr<Compilation> c = compileText(tenths, rt::DType::Float32);
  ASSERT_TRUE(c);
  for (rt::DType dtype : {rt::DType::Float32, rt::DType::Float64}) {
    rt::Model model = assemble(c->circuit, c->layout, c->domain, dtype);
    bool onlyFloats = true;
    for (const rt::Matrix *matrix : {&model.wE, &model.wU})
      for (Eigen::Index row = 0; row < matrix->outerSize(); ++row)
        for (rt::Matrix::InnerIterator it(*matrix, row); it; ++it)
          onlyFloats &= static_cast<float>(it.value()) == it.value();
    EXPECT_EQ(onlyFloats, dtype == rt::DType::Float32);
  }
}

//===----------------------------------------------------------------------===//
// What directions claim, on all inputs
//===----------------------------------------------------------------------===//

/// Runs the model on all inputs and compares the final residual stream with
/// what the circuit says of each direction: what BOS holds, bounds, errors.
template <typename T>
static void expectDirectionsHold(const Compilation &c, rt::DType dtype) {
  rt::Model model = assemble(c.circuit, c.layout, c.domain, dtype);
  rt::HookedPass<T> pass(model);
  uint32_t tokens = static_cast<uint32_t>(c.domain.vocabulary.size());
  double roundoff = dtype == rt::DType::Float32 ? 0x1p-24 : 0x1p-53;
  unsigned failures = 0;
  auto check = [&](const rt::Tensor<T> &residual) {
    if (failures)
      return;
    for (unsigned row = 0; row < residual.shape[1]; ++row)
      for (unsigned at = 0; at < residual.shape[2]; ++at) {
        const Direction &dir = c.circuit[c.layout.order[at]];
        double value = static_cast<double>(*residual.at(0, row, at));
        double slack = 4 * roundoff * std::fabs(value);
        double low = row ? dir.low - dir.error : dir.atBos;
        double high = row ? dir.high + dir.error : dir.atBos;
        if (row == 0)
          slack = 1e3 * roundoff * (1 + std::fabs(dir.atBos));
        if (value >= low - slack && value <= high + slack)
          continue;
        ADD_FAILURE() << dir.residualLabel() << " is " << value
                      << " at position " << row << ", outside " << low << ".."
                      << high;
        ++failures;
      }
  };
  for (unsigned length = 1; length <= c.domain.maxSeqLen; ++length) {
    std::vector<uint32_t> ids(length + 1, 0);
    ids[0] = model.input.bosId;
    for (unsigned carry = 0; carry <= length;) {
      check(pass.runUntil(pass.numLayers(), ids));
      carry = 1;
      while (carry <= length && ++ids[carry] == tokens)
        ids[carry++] = 0;
    }
  }
}

TEST(Directions, HoldWhatTheCircuitSays) {
  const char *options = "#@ max-seq-len: 4\n#@ vocab: ";
  const char *programs[] = {
      "a,b,c\nx = aggregate(select(indices, length - 1 - indices, ==), "
      "tokens);",
      "a,b,c\nx = selector_width(select(tokens, tokens, ==));",
      "a,b\nh = selector_width(select(tokens, tokens, ==));\n"
      "x = selector_width(select(h, h, ==));",
      "a,b,c\nx = sort(tokens, tokens);",
      "1,2,4\n#@ tokens: int\n"
      "x = aggregate(select(indices, indices, <=), tokens_int);",
      "1,2,4\n#@ tokens: int\n"
      "m = aggregate(select(indices, indices, <=), tokens_int);\n"
      "x = aggregate(select(m, m, <), tokens_int, 0.1) * 3;",
      "a,b\nw = selector_width(select(tokens, tokens, ==));\n"
      "v = selector_width(select(indices, indices, <));\n"
      "x = w * v if tokens == \"a\" else w - v;",
      "a,b\nw = selector_width(select(tokens, tokens, <));\n"
      "m = aggregate(select(indices, indices, <=), indicator(tokens == \"a\"));"
      "\nx = m * m if w > 1 else m;",
      "a,b\nx = has_focus(select(tokens, \"a\", ==) and "
      "select(indices, indices, <));",
      "a,b\nw = selector_width(select(tokens, tokens, ==));\n"
      "x = aggregate(select(w, w, >) and select(indices, indices, !=), w, 9);",
  };
  for (const char *program : programs)
    for (const char *mask : {"false", "true"}) {
      std::string text =
          std::string("#@ causal: ") + mask + "\n" + options + program + "\n";
      SCOPED_TRACE(text);
      if (auto c = compileText(text, rt::DType::Float32))
        expectDirectionsHold<float>(*c, rt::DType::Float32);
      if (auto c = compileText(text, rt::DType::Float64))
        expectDirectionsHold<double>(*c, rt::DType::Float64);
    }
}
