//===- FrontendTest.cpp - what text tests would say clumsily --------------===//

#include "frontend/Evaluator.h"
#include "frontend/LargeStack.h"
#include "frontend/Parser.h"
#include "frontend/Source.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace rasp;

namespace {

/// A program read from a string.
struct Reading {
  explicit Reading(const std::string &text) : diags(sources) {
    buffer = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "test.rasp"), {});
  }
  Reading &evaluate() {
    evaluation = frontend::evaluateProgram(buffer, program, diags);
    return *this;
  }
  std::string errors() const {
    std::string names;
    for (const ir::Diagnostic &diagnostic : diags.all())
      if (diagnostic.severity == ir::Severity::Error)
        names += diagnostic.name.str() + " ";
    return names;
  }
  std::string text(llvm::SMRange range) const {
    return {range.Start.getPointer(), range.End.getPointer()};
  }
  std::string names() const {
    std::string all;
    for (const frontend::Binding &binding : evaluation.bindings)
      all += binding.name + " ";
    return all;
  }

  llvm::SourceMgr sources;
  ir::Diagnostics diags;
  unsigned buffer;
  ir::Program program;
  frontend::Evaluation evaluation;
};

std::string errorsOf(const std::string &text) {
  return Reading(text).evaluate().errors();
}

std::string repeat(const std::string &text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; ++i)
    all += text;
  return all;
}

TEST(Source, CodePointsAreBytes) {
  Reading reading("a\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9Ez");
  auto source = frontend::Source::read(reading.buffer, reading.diags);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->codePoints(), U"a\u00E9\u20AC\U0001D11Ez");
  EXPECT_EQ(reading.text(source->range(0, 1)), "a");
  EXPECT_EQ(reading.text(source->range(2, 3)), "\xE2\x82\xAC");
  EXPECT_EQ(reading.text(source->range(4, 5)), "z");
  EXPECT_EQ(reading.text(source->range(5, 9)), "");
}

TEST(Source, RejectsOtherEncodings) {
  EXPECT_EQ(errorsOf("# \xE9\nx = 1;"), "NotUtf8 ");
  EXPECT_EQ(errorsOf("# \xC0\x80\nx = 1;"), "NotUtf8 ");
}

TEST(Source, ByteOrderMarkAndLineEndings) {
  Reading reading("\xEF\xBB\xBF# first\r\nx = 1;\r\ny = \"\xC3\xA9\"[0];\r\n");
  EXPECT_EQ(reading.evaluate().errors(), "");
  EXPECT_EQ(reading.names(), "x y ");
}

TEST(Pragmas, AreRead) {
  Reading reading("#@ vocab: [\"a\", \"b\"] \n  #@max-seq-len:5\r\n"
                  "# @ no: pragma\nx = \"#@ no: pragma\";\n#@ causal\n");
  std::vector<frontend::Pragma> pragmas =
      frontend::readPragmas(reading.sources, reading.buffer);
  ASSERT_EQ(pragmas.size(), 3u);
  EXPECT_EQ(pragmas[0].key, "vocab");
  EXPECT_EQ(pragmas[0].value, "[\"a\", \"b\"]");
  EXPECT_EQ(reading.text(pragmas[0].range), pragmas[0].value);
  EXPECT_EQ(pragmas[1].key, "max-seq-len");
  EXPECT_EQ(pragmas[1].value, "5");
  EXPECT_EQ(pragmas[2].key, "causal");
  EXPECT_EQ(pragmas[2].value, "");
}

TEST(Bindings, AreOrderedByLastAssignment) {
  Reading reading("a = indices; b = 1; tokens = tokens_int; "
                  "s = select(1, 1, ==); a = a + 1; l = [length];");
  EXPECT_EQ(reading.evaluate().errors(), "");
  EXPECT_EQ(reading.names(), "b tokens s a l ");
  EXPECT_EQ(reading.evaluation.lastSop()->name, "a");
  EXPECT_EQ(reading.evaluation.find("s")->kind,
            frontend::BindingKind::Selector);
  EXPECT_EQ(reading.evaluation.find("length"), nullptr);
  EXPECT_EQ(reading.text(reading.evaluation.find("a")->range), "a");
}

TEST(Nodes, AreMadeOnceAndOnlyWhenNeeded) {
  Reading reading(
      "a = indices + 1; def f(x) { return x + 1; } b = f(indices);");
  EXPECT_EQ(reading.evaluate().errors(), "");
  EXPECT_EQ(reading.program.nodes().size(), 3u);
  const ir::Node *node = reading.evaluation.find("b")->node;
  EXPECT_EQ(node, reading.evaluation.find("a")->node);
  EXPECT_EQ(node->name(), "a");
  ASSERT_EQ(node->ranges().size(), 2u);
  EXPECT_EQ(reading.text(node->ranges()[1]), "x + 1");
}

TEST(Nodes, OfTheLibraryComeFromTheCall) {
  Reading reading("a = 1 + sort(tokens_int, tokens_int) / length;");
  EXPECT_EQ(reading.evaluate().errors(), "");
  for (const ir::Node &node : reading.program.nodes()) {
    std::string text = reading.text(node.ranges().front());
    if (node.kind() == ir::OpKind::Aggregate) {
      EXPECT_EQ(text, "sort(tokens_int, tokens_int)");
    } else if (node.name() == "length") {
      EXPECT_EQ(text, "length");
    }
  }
}

TEST(Nodes, InsideFunctionsAreNamedLast) {
  Reading reading("def f(x) { y = x + 1; z = y * 2; return z; } "
                  "a = f(indices);");
  EXPECT_EQ(reading.evaluate().errors(), "");
  const ir::Node *node = reading.evaluation.find("a")->node;
  EXPECT_EQ(node->name(), "a");
  EXPECT_EQ(node->operand(0)->name(), "y");
}

TEST(FixIts, NameWhatIsMeant) {
  Reading reading("a = tokns;\nb = 1");
  reading.evaluate();
  ASSERT_EQ(reading.diags.all().size(), 2u);
  EXPECT_EQ(reading.diags.all()[0].fixIt, ";");
  EXPECT_EQ(reading.text(reading.diags.all()[0].range), "");
  EXPECT_EQ(reading.diags.all()[1].fixIt, "tokens");
  EXPECT_EQ(reading.text(reading.diags.all()[1].range), "tokns");
}

TEST(Limits, Nesting) {
  EXPECT_EQ(
      errorsOf("a = " + repeat("(", 10000) + "1" + repeat(")", 10000) + ";"),
      "");
  EXPECT_EQ(
      errorsOf("a = " + repeat("[", 30000) + "1" + repeat("]", 30000) + ";"),
      "NestedTooDeep ");
  EXPECT_EQ(errorsOf("a = " + repeat("not ", 200000) + "indices;"),
            "NestedTooDeep ");
  EXPECT_EQ(errorsOf(repeat("for i in [1] {", 30000)), "NestedTooDeep ");
  EXPECT_EQ(
      errorsOf("def f(x) { return f; } a = f" + repeat("(1)", 200000) + ";"),
      "NestedTooDeep ");
}

TEST(Limits, LongChains) {
  Reading reading("a = indices" + repeat(" + indices", 100000) + ";");
  EXPECT_EQ(reading.evaluate().errors(), "");
  std::string text;
  llvm::raw_string_ostream os(text);
  frontend::printAST(reading.buffer, reading.diags, os);
  EXPECT_EQ(llvm::StringRef(text).count('\n'), 200003u);
}

TEST(Limits, Work) {
  EXPECT_EQ(
      errorsOf("for i in range(9999) { for j in range(9999) { a = 1; } }"),
      "TooManySteps ");
  EXPECT_EQ(errorsOf("for i in range(1000) {"
                     "  a = [indices + j for j in range(i * 1000, i * 1000 + "
                     "1000)]; }"),
            "ProgramTooLarge ");
  EXPECT_EQ(errorsOf("def f(n) { return f(n) + f(n); } a = f(1);"),
            "RecursionTooDeep ");
  EXPECT_EQ(errorsOf("a = \"ab\"; for i in range(99) { a = a + a; }"),
            "TooLong ");
  EXPECT_EQ(errorsOf("a = [1]; for i in range(99) { a = a + a; }"), "TooLong ");
}

TEST(Limits, Errors) {
  Reading syntax(repeat("a = ;\n", 5000));
  syntax.evaluate();
  EXPECT_EQ(syntax.diags.errorCount(), 101u);
  EXPECT_EQ(syntax.diags.all().back().name, "TooManyErrors");
  Reading block("def f() {\n" + repeat("a = ;\n", 5000) + "return 1; }");
  EXPECT_EQ(block.evaluate().diags.errorCount(), 101u);
  Reading semantic(repeat("a = 1 / 0;\n", 5000));
  EXPECT_EQ(semantic.evaluate().diags.errorCount(), 101u);
}

TEST(Evaluator, RunsStatementByStatement) {
  Reading reading("x = 2; y = tokns; z = x * 3; z;");
  frontend::runWithLargeStack([&] {
    ast::Context context;
    ast::Module module =
        frontend::parse(reading.buffer, reading.diags, context);
    ASSERT_EQ(module.statements.size(), 4u);
    frontend::Evaluator evaluator(reading.program, reading.diags, {});
    EXPECT_TRUE(evaluator.run(module.statements[0]));
    EXPECT_FALSE(evaluator.run(module.statements[1]));
    EXPECT_TRUE(evaluator.run(module.statements[2]));
    EXPECT_TRUE(evaluator.run(module.statements[3]));
    EXPECT_EQ(evaluator.lookup("out")->atom(), ir::Value::integer(6));
    EXPECT_EQ(evaluator.lookup("nothing"), std::nullopt);
    EXPECT_TRUE(llvm::is_contained(evaluator.names(), "sort"));
    EXPECT_TRUE(llvm::is_contained(evaluator.names(), "z"));
  });
}

} // namespace
