//===- test/unit/backend/NoiseTest.cpp - refusals for want of precision ---===//

#include "backend/Lowering.h"
#include "Compiled.h"

using namespace rasp;

/// The first message of a lowering whose numbers have so few bits.
static std::string refusalOf(Compilation &compilation, double unitRoundoff) {
  ir::Diagnostics diags(compilation.sources);
  backend::LoweringOptions options;
  options.unitRoundoff = unitRoundoff;
  backend::Lowering(*compilation.values, *compilation.names, options, diags)
      .run(compilation.compiled);
  return diags.all().empty() ? "" : diags.all().front().name.str();
}

TEST(Noise, ScoresOfFewBitsAreRefused) {
  for (const char *text : {"#@ vocab: a,b\n#@ max-seq-len: 60\n"
                           "r = aggregate(select(indices, length - indices - "
                           "1, ==), indices);",
                           "#@ vocab: a,b\n#@ max-seq-len: 60\n"
                           "r = selector_width(select(indices, indices - 1, ==));",
                           "#@ vocab: a,b\n#@ max-seq-len: 60\n"
                           "m = aggregate(full_s, indicator(tokens == \"a\"));"
                           "r = selector_width(select(indices, m * 7, ==));"}) {
    std::unique_ptr<Compilation> compilation = compileText(text);
    ASSERT_TRUE(compilation);
    for (int bits = 2; bits < 24; ++bits)
      printf("%d %s\n", bits, refusalOf(*compilation, std::ldexp(1, -bits)).c_str());
  }
}
