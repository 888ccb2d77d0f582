//===- test/unit/backend/CircuitTextTest.cpp - circuits as text -----------===//

#include "backend/Assemble.h"
#include "backend/CircuitParser.h"
#include "backend/DirectionNames.h"
#include "backend/HeadChain.h"
#include "backend/Lowering.h"
#include "runtime/TensorList.h"
#include "test/unit/backend/Compiled.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <limits>

using namespace rasp;
using namespace rasp::backend;

static std::string printed(const Circuit &circuit) {
  std::string text;
  llvm::raw_string_ostream os(text);
  backend::print(os, circuit);
  return text;
}

static std::string printed(const Circuit &circuit, const Layout &layout) {
  std::string text;
  llvm::raw_string_ostream os(text);
  backend::print(os, circuit, layout);
  return text;
}

namespace {
/// A text, what came of reading it, and all that was said about it.
struct ReadText {
  explicit ReadText(llvm::StringRef text) {
    unsigned id = sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(text, "t.circuit"), llvm::SMLoc());
    CircuitRanges ranges;
    circuit = parseCircuit(id, diags, &ranges);
    EXPECT_EQ(circuit.has_value(), !diags.hasErrors()) << text.str();
    bool holds = circuit && verify(*circuit, diags, &ranges);
    EXPECT_EQ(holds, !diags.hasErrors());
  }

  bool isGood() const { return circuit && !diags.hasErrors(); }
  /// `3:7: message [Name]` for each message, and what the first one marks.
  std::string messages() {
    std::string text;
    for (const ir::Diagnostic &diagnostic : diags.all()) {
      if (diagnostic.range.isValid()) {
        auto [line, column] = sources.getLineAndColumn(diagnostic.range.Start);
        text += llvm::formatv("{0}:{1}: ", line, column);
      }
      text += llvm::formatv("{0} [{1}]\n", diagnostic.message, diagnostic.name);
    }
    return text;
  }

  llvm::SourceMgr sources;
  ir::Diagnostics diags{sources};
  std::optional<Circuit> circuit;
};
} // namespace

/// The circuit that the text of `circuit` says, which must be the same.
static std::optional<Circuit> readBack(const Circuit &circuit) {
  std::string text = printed(circuit);
  ReadText reading(text);
  EXPECT_TRUE(reading.isGood()) << reading.messages() << text;
  if (!reading.circuit)
    return std::nullopt;
  EXPECT_EQ(printed(*reading.circuit), text);
  return reading.circuit;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// Text and circuit of a program say the same to all that reads circuits.
static void checkReadBack(Compilation &compilation) {
  const Circuit &circuit = compilation.circuit;
  std::optional<Circuit> read = readBack(circuit);
  if (!read)
    return;
  EXPECT_EQ(longestHeadChain(*read), longestHeadChain(circuit));
  EXPECT_EQ(countParameters(*read, compilation.domain),
            countParameters(circuit, compilation.domain));
  Layout layout = layOut(circuit), other = layOut(*read);
  EXPECT_EQ(other.coordinateOf, layout.coordinateOf);
  EXPECT_EQ(printed(*read, other), printed(circuit, layout));
  EXPECT_EQ(other.dHead, layout.dHead);
  rt::Model model =
      assemble(circuit, layout, compilation.domain, compilation.dtype);
  rt::Model again =
      assemble(*read, other, compilation.domain, compilation.dtype);
  EXPECT_EQ(rt::hashOfWeights(again), rt::hashOfWeights(model));
  EXPECT_EQ(again.residualLabels, model.residualLabels);
  EXPECT_EQ(again.output.values, model.output.values);
  EXPECT_EQ(again.output.kind, model.output.kind);
  EXPECT_EQ(again.output.label, model.output.label);
  EXPECT_EQ(again.output.type, model.output.type);
  EXPECT_EQ(again.output.tolerance, model.output.tolerance);
}

/// The passes do the same to what was read.
static void checkPasses(Compilation &compilation) {
  LoweringOptions options;
  options.unitRoundoff =
      compilation.dtype == rt::DType::Float64 ? 0x1p-53 : 0x1p-24;
  Lowering lowering(*compilation.values, *compilation.names, options,
                    compilation.diags);
  std::optional<Circuit> circuit = lowering.run(compilation.compiled);
  if (!circuit)
    return; // the program compiles in another way only
  std::optional<Circuit> read = readBack(*circuit);
  if (!read)
    return;
  for (auto pass : {schedule, levelWidths}) {
    pass(*circuit);
    pass(*read);
    EXPECT_EQ(printed(*read), printed(*circuit));
    EXPECT_TRUE(isScheduled(*read));
  }
  // Something to remove: half of what is put out.
  auto drop = [](Circuit &circuit) {
    Readout &readout = circuit.readout;
    readout.logits.resize((readout.logits.size() + 1) / 2);
    if (!readout.numerical)
      readout.values.resize(readout.logits.size());
    removeDead(circuit);
  };
  drop(*circuit);
  drop(*read);
  EXPECT_EQ(printed(*read), printed(*circuit));
  readBack(*circuit);
}

namespace {
struct Level {
  bool everything = false, smallest = false, causal = false, passes = false;
};
} // namespace

/// Compiles the programs of a folder; how many there are.
static unsigned checkAll(const char *folder, Level level) {
  std::vector<std::string> paths;
  std::error_code error;
  std::string root = RASP_TEST_DIR;
  for (llvm::sys::fs::directory_iterator it(root + folder, error), end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".rasp")
      paths.push_back(it->path());
  llvm::sort(paths);
  for (const std::string &path : paths) {
    SCOPED_TRACE(path);
    auto file = llvm::MemoryBuffer::getFile(path);
    if (!file) {
      ADD_FAILURE() << file.getError().message();
      continue;
    }
    Compilation compilation;
    compilation.setText((*file)->getBuffer(), path);
    SynthesisOptions effort;
    effort.smallest = level.smallest;
    CompileOptions options;
    if (level.causal)
      options.causal = true;
    bool compiled = compilation.evaluate(std::move(options)) &&
                    compilation.inferValues({}, level.everything) &&
                    compilation.synthesise(effort);
    // Some programs are refused with a causal mask.
    EXPECT_TRUE(compiled || level.causal);
    if (!compiled)
      continue;
    checkReadBack(compilation);
    if (level.passes)
      checkPasses(compilation);
  }
  return static_cast<unsigned>(paths.size());
}

TEST(CircuitText, ExamplesReadBack) {
  EXPECT_GE(checkAll("/../examples", {}), 20u);
  checkAll("/../examples", {.everything = true});
  checkAll("/../examples", {.smallest = true});
  checkAll("/../examples", {.causal = true});
}

TEST(CircuitText, ProgramsReadBack) {
  EXPECT_GE(checkAll("/programs", {}), 100u);
}

TEST(CircuitText, PlainProgramsReadBack) {
  checkAll("/programs", {.everything = true});
}

TEST(CircuitText, SmallestProgramsReadBack) {
  checkAll("/programs", {.smallest = true});
}

TEST(CircuitText, CausalProgramsReadBack) {
  checkAll("/programs", {.causal = true});
}

TEST(CircuitText, PassesDoTheSame) {
  checkAll("/../examples", {.passes = true});
}

TEST(CircuitText, AnyVocabularyReadsBack) {
  auto compilation = compileText(
      "#@ vocab: [\"]\", \"[\", \"\\\"\", \"\\\\\", \"#\", \"#2\", \":\", "
      "\" \", \"\", \"//\", \"\\n\", \"\\u0001\", \"\\u007f\", \"\xc3\xa9\", "
      "\"a:b\"]\n"
      "#@ max-seq-len: 3\n"
      "last = aggregate(select(indices, indices - 1, ==), tokens);\n");
  ASSERT_TRUE(compilation);
  checkReadBack(*compilation);
  std::string text = printed(compilation->circuit);
  for (const char *name :
       {"[last:\"]\"]", "[last:\"[\"]", "[last:\"\\\"\"]", "[last:\"#2\"]",
        "[last::]", "[last:\" \"]", "[last://]", "[last:\"\\n\"]",
        "[last:\"\\u0001\"]", "[last:\xc3\xa9]", "[last:a:b]"})
    EXPECT_NE(text.find(name), std::string::npos) << name << "\n" << text;
}

//===----------------------------------------------------------------------===//
// Directions and numbers
//===----------------------------------------------------------------------===//

TEST(DirectionName, TextAndBack) {
  const DirectionName names[] = {
      {"tokens", "a"}, {"tokens", ""},   {"", ""},       {"", "a"},
      {"a:b", "c"},    {"a", "b:c"},     {"a#2", ""},    {"a", "b#2"},
      {"a", "b", 2},   {"a", "", 12},    {"a\n", "\t"},  {"\"", "\\"},
      {"[", "]"},      {" a", "b "},     {"a b", "c d"}, {"//", "%@"},
      {"h", ">=2"},    {"a", "\x01\x7f"}};
  std::set<std::string> texts;
  for (const DirectionName &name : names) {
    std::string text = name.text();
    EXPECT_TRUE(texts.insert(text).second) << text;
    EXPECT_EQ(llvm::StringRef(text).find('\n'), llvm::StringRef::npos);
    std::optional<DirectionName> read = DirectionName::parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->space, name.space) << text;
    EXPECT_EQ(read->label, name.label) << text;
    EXPECT_EQ(read->number, name.number) << text;
  }
  EXPECT_EQ(names[0].text(), "[tokens:a]");
  EXPECT_EQ(names[1].text(), "[tokens]");
  EXPECT_EQ(names[5].text(), "[a:b:c]");
  EXPECT_EQ(names[8].text(), "[a:b#2]");
}

TEST(DirectionName, OtherTextIsNone) {
  for (const char *text :
       {"",          "[",      "]",      "[]",     "[:a]",
        "[a:]",      "[a",     "a]",     "[a#]",   "[a#0]",
        "[a#x]",     "[a#1x]", "[a\"b]", "[\"a]",  "[\"a\"b]",
        "[\"\\q\"]", "[a[b]",  "[a\\b]", "[a#-1]", "[a#99999999999999999999]"})
    EXPECT_FALSE(DirectionName::parse(text)) << text;
}

/// `bos`, an embedded direction and a number that is put out.
static Circuit smallCircuit(std::vector<double> table) {
  Circuit circuit;
  Direction bos;
  bos.space = "bos";
  bos.atBos = 1;
  bos.table.assign(table.size(), 0);
  Direction tokens;
  tokens.space = "tokens";
  for (double entry : table) {
    tokens.low = std::min(tokens.low, entry);
    tokens.high = std::max(tokens.high, entry);
  }
  tokens.table = std::move(table);
  circuit.directions = {bos, tokens};
  circuit.readout.name = "out";
  circuit.readout.type = "float";
  circuit.readout.numerical = true;
  circuit.readout.logits = {View::of(DirId(1))};
  return circuit;
}

static bool isSame(double a, double b) {
  return llvm::bit_cast<uint64_t>(a) == llvm::bit_cast<uint64_t>(b);
}

TEST(CircuitText, TablesReadBackToTheBit) {
  const std::vector<double> tables[] = {
      {0, 0},
      {0, 0, 0},
      {0, 1, 2},
      {1, 2, 3, 3, 3, 3, 2, 1},
      {-2, -1, 0, 1},
      {-1, -0.0, 1, 2, 3},
      {-0.0, 1, 2, 3},
      {-0.0, -0.0, -0.0, 0.0},
      {0.5, 1.5, 2.5, 3.5},
      {0x1p53 - 2, 0x1p53 - 1, 0x1p53, 0x1p53, 0x1p53},
      {0x1p60, 0x1p60 + 512, 0x1p60 + 1024},
      {-0x1p53, -0x1p53 + 1, -0x1p53 + 2},
      {5e-324, 1e308, 0.1, 1.0 / 3, 1e16, 1e-5, 123456789.125},
  };
  for (const std::vector<double> &table : tables) {
    std::optional<Circuit> read = readBack(smallCircuit(table));
    ASSERT_TRUE(read);
    EXPECT_TRUE(std::equal(table.begin(), table.end(),
                           read->directions[1].table.begin(),
                           read->directions[1].table.end(), isSame));
  }
  EXPECT_NE(printed(smallCircuit({0, 0, 0, 4, 5, 6, 7, 9}))
                .find("table {0 x 3, 4..7, 9} }"),
            std::string::npos);
}

TEST(CircuitText, EveryMemberReadsBack) {
  Circuit circuit = smallCircuit({0, 1});
  Direction moved;
  moved.writer = WriterKind::Head;
  moved.space = "moved";
  moved.time = 1;
  moved.low = -0.25;
  moved.high = 1e300;
  moved.error = std::numeric_limits<double>::infinity();
  moved.grid = 0x1p-30;
  moved.exactZero = true;
  moved.atBos = -0.0;
  moved.errorAtBos = 1e-9;
  moved.construction = "said \"so\" // really";
  circuit.directions.push_back(moved);
  moved.writer = WriterKind::Mlp;
  moved.time = 4;
  moved.stays = true;
  circuit.directions.push_back(moved); // of the same name
  circuit.directions[3].reuse = {DirId(2), 0};
  Head head;
  head.name = "a head";
  head.construction = "by hand";
  head.scores.push_back({View::of(DirId(1)), View::ofConstant(-0.0), 1, 3});
  head.scores.push_back(
      {View::of(DirId(0), -1), View::ofConstant(2), ScoreTerm::ofBos});
  head.conjunctScores = {0.5, 0};
  head.selected = 7;
  head.proportional = true;
  head.step = 16;
  head.scoreError = 1e-3;
  head.tieError = 1e-4;
  head.leak = 1e-5;
  head.outputs.push_back({View::of(DirId(1), -3), DirId(2)});
  circuit.heads.push_back(head);
  circuit.neurons.push_back(
      {View::of(DirId(1), 0.1) - View::ofConstant(0.3), {{DirId(3), -0.5}}, 1});
  circuit.layers = 3; // the last of them is empty
  circuit.readout.error = 0.1;
  circuit.readout.tolerance = 0.2;
  circuit.readout.values = {ir::Value::real(0), ir::Value::real(1e16)};
  circuit.readout.name = "1 out";

  std::optional<Circuit> read = readBack(circuit);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->directions.size(), 4u);
  for (size_t i : {2, 3}) {
    const Direction &other = read->directions[i], &one = circuit.directions[i];
    EXPECT_EQ(other.writer, one.writer);
    EXPECT_EQ(other.space, one.space);
    EXPECT_EQ(other.label, one.label);
    EXPECT_EQ(other.time, one.time);
    EXPECT_EQ(other.low, one.low);
    EXPECT_EQ(other.high, one.high);
    EXPECT_EQ(other.error, one.error);
    EXPECT_EQ(other.grid, one.grid);
    EXPECT_EQ(other.exactZero, one.exactZero);
    EXPECT_TRUE(isSame(other.atBos, one.atBos));
    EXPECT_EQ(other.errorAtBos, one.errorAtBos);
    EXPECT_EQ(other.construction, one.construction);
    EXPECT_EQ(other.stays, one.stays);
    EXPECT_EQ(other.reuse, one.reuse);
  }
  ASSERT_EQ(read->heads.size(), 1u);
  const Head &other = read->heads[0];
  EXPECT_EQ(other.name, head.name);
  EXPECT_EQ(other.construction, head.construction);
  ASSERT_EQ(other.scores.size(), 2u);
  for (size_t i : {0, 1}) {
    EXPECT_EQ(other.scores[i].key, head.scores[i].key);
    EXPECT_EQ(other.scores[i].query, head.scores[i].query);
    EXPECT_EQ(other.scores[i].conjunct, head.scores[i].conjunct);
    EXPECT_EQ(other.scores[i].disjunct, head.scores[i].disjunct);
  }
  EXPECT_TRUE(isSame(other.scores[0].query.constant, -0.0));
  EXPECT_EQ(other.conjunctScores, head.conjunctScores);
  EXPECT_EQ(other.selected, head.selected);
  EXPECT_EQ(other.proportional, head.proportional);
  EXPECT_EQ(other.step, head.step);
  EXPECT_EQ(other.scoreError, head.scoreError);
  EXPECT_EQ(other.tieError, head.tieError);
  EXPECT_EQ(other.leak, head.leak);
  EXPECT_EQ(other.layer, 0u);
  ASSERT_EQ(other.outputs.size(), 1u);
  EXPECT_EQ(other.outputs[0].value, head.outputs[0].value);
  EXPECT_EQ(other.outputs[0].target, DirId(2));
  ASSERT_EQ(read->neurons.size(), 1u);
  EXPECT_EQ(read->neurons[0].input, circuit.neurons[0].input);
  EXPECT_EQ(read->neurons[0].outputs, circuit.neurons[0].outputs);
  EXPECT_EQ(read->layers, 3u);
  EXPECT_EQ(read->readout.name, circuit.readout.name);
  EXPECT_EQ(read->readout.type, circuit.readout.type);
  EXPECT_EQ(read->readout.numerical, true);
  EXPECT_EQ(read->readout.values, circuit.readout.values);
  EXPECT_EQ(read->readout.logits, circuit.readout.logits);
  EXPECT_EQ(read->readout.error, circuit.readout.error);
  EXPECT_EQ(read->readout.tolerance, circuit.readout.tolerance);
}

//===----------------------------------------------------------------------===//
// What is refused
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral starts = R"(circuit @starts(layers = 1) {
  dir [bos] embed time 0 in 0..0 bos 1 { grid 1, table {0, 0} }
  dir [tokens:a] embed time 0 in 0..1 bos 0 { grid 1, table {1, 0} }
  dir [w:1/(w+1)] head time 1 in 0.25..1 error 1e-07 bos 1
  dir [w] mlp time 2 in 0..3 error 2e-06 bos 0 by "polygon of a width"
  layer 0 {
    head @first step 256 by "key classes 1" { tie_error 1e-07 }
      score key([tokens:a]) query(-[bos] + 1)
      score key([bos]) query(1) { of_bos }
      move [bos] -> [w:1/(w+1)]
    relu(-4*[w:1/(w+1)] + 2) -> 1.5*[w]
    relu(-6*[w:1/(w+1)] + 2) -> 1*[w]
  }
  output float { error 2e-06, tolerance 0.5 }
  logit number = 2*[w]
}
)";

/// What is said of `starts` where `from` is `to`.
static std::string messagesWith(llvm::StringRef from, llvm::StringRef to,
                                llvm::StringRef base = starts) {
  size_t at = base.find(from);
  EXPECT_NE(at, llvm::StringRef::npos) << from.str();
  ReadText reading(
      (base.take_front(at) + to + base.drop_front(at + from.size())).str());
  return reading.messages();
}

TEST(CircuitText, TheDocumentedTextReadsBack) {
  ReadText reading(starts);
  ASSERT_TRUE(reading.isGood()) << reading.messages();
  EXPECT_EQ(printed(*reading.circuit), starts.str());
}

TEST(CircuitText, OrderSpaceAndCommentsDoNotMatter) {
  ReadText reading("circuit @c (layers=0) { // one\n"
                   "dir[bos]embed time 0 in 0..0 bos 1{table{0,0},grid 1}\n"
                   "dir [x] embed time 0 in 0..1 bos 0 { table {0, 1} }\n"
                   "output float logit number = 1 + 2*[x#1]\n"
                   "  - [bos] }");
  ASSERT_TRUE(reading.isGood()) << reading.messages();
  EXPECT_EQ(printed(*reading.circuit),
            "circuit @c(layers = 0) {\n"
            "  dir [bos] embed time 0 in 0..0 bos 1 { grid 1, table {0, 0} }\n"
            "  dir [x] embed time 0 in 0..1 bos 0 { table {0, 1} }\n"
            "  output float\n"
            "  logit number = -[bos] + 2*[x] + 1\n"
            "}\n");
}

TEST(CircuitText, WhatIsNoCircuitIsRefused) {
  const char *const cases[][3] = {
      {"circuit", "program",
       "1:1: expected `circuit`, found `program` [UnexpectedTextToken]\n"},
      {"@starts", "starts",
       "1:9: expected a name such as `@reverse`, found `starts` "
       "[UnexpectedTextToken]\n"},
      {"layers = 1", "layers = 4000000000",
       "1:26: the circuit says `layers = 4000000000`, but has 1 "
       "[LayerCount]\n"},
      {"layers = 1", "layers = 40000000000",
       "1:26: `40000000000` is too large for a count, which is at most "
       "4294967295 [NumberTooLarge]\n"},
      {"layer 0", "layer 1",
       "6:9: layer 1 stands here, layer 0 comes next [LayerNumber]\n"},
      {"layer 0 {", "layer 0 { layer 1 {",
       "6:13: expected `relu` or `}`, found `layer` [UnexpectedTextToken]\n"},
      {"[tokens:a]", "[tokens:a",
       "3:7: label has no closing `]` on its line [UnterminatedLabel]\n"},
      {"[tokens:a]", "[tokens:\"a]",
       "3:15: string has no closing `\"` on its line [UnterminatedString]\n"},
      {"[tokens:a]", "[\"]\":\"\\q\"]",
       "3:13: `\\q` is no escape; a backslash itself is written `\\\\` "
       "[BadEscape]\n"},
      {"[tokens:a]", "[tokens:]",
       "3:7: expected a direction such as `[tokens:a]`, found `[tokens:]` "
       "[UnexpectedTextToken]\n"},
      {"[tokens:a]", "[bos]",
       "3:7: the direction `[bos]` is defined twice; a second one of that "
       "name is `[bos#2]` [DirectionTaken]\n"},
      {"key([tokens:a]", "key([tokens:b]",
       "8:17: no direction is called `[tokens:b]`; did you mean "
       "`[tokens:a]`? [UnknownDirection]\n"},
      {"key([tokens:a]", "key([other]",
       "8:17: no direction is called `[other]` [UnknownDirection]\n"},
      {"-[bos] + 1", "-[bos] + [bos] + 1",
       "8:44: `[bos]` stands twice in one sum [RepeatedTerm]\n"},
      {"-[bos] + 1", "1 - [bos] + 1",
       "8:47: a constant stands twice in one sum [RepeatedTerm]\n"},
      {"-[bos] + 1", "",
       "8:35: expected a direction such as `[tokens:a]`, found `)` "
       "[UnexpectedTextToken]\n"},
      {"2*[w]", "1e999*[w]",
       "15:18: `1e999` is too large for a number [NumberTooLarge]\n"},
      {"mlp time", "unit time",
       "5:11: expected `embed`, `pos_embed`, `head` or `mlp`, found `unit` "
       "[UnexpectedTextToken]\n"},
      {"0..3", "0..",
       "5:29: expected a number, found `error` "
       "[UnexpectedTextToken]\n"},
      {"by \"polygon of a width\"", "by polygon",
       "5:51: expected a string, found `polygon` [UnexpectedTextToken]\n"},
      {"grid 1", "grind 1",
       "2:42: `grind` is no attribute of a direction; these are `grid`, "
       "`exact_zero`, `bos_error`, `stays`, `reuses`, `table` "
       "[BadTextAttribute]\n"},
      {"grid 1", "grid 1, grid 1",
       "2:50: `grid` stands here twice [BadTextAttribute]\n"},
      {"grid 1", "1",
       "2:42: expected an attribute, found `1` "
       "[UnexpectedTextToken]\n"},
      {"{0, 0}", "{0 x 4000000000}",
       "2:61: `4000000000` is too large for a count, which is at most "
       "67108864 [NumberTooLarge]\n"},
      {"{0, 0}", "{0, 0..67108863}",
       "2:60: the tables of the circuit are longer than 67108864, which is "
       "the limit [TooLong]\n"},
      {"{0, 0}", "{0..9000000000}",
       "2:57: the tables of the circuit are longer than 67108864, which is "
       "the limit [TooLong]\n"},
      {"{0, 0}", "{1..0}",
       "2:57: `..` stands between whole numbers that ascend, up to 2^53 "
       "[BadTextAttribute]\n"},
      {"{0, 0}", "{0.5..1.5}",
       "2:57: `..` stands between whole numbers that ascend, up to 2^53 "
       "[BadTextAttribute]\n"},
      {"{0, 0}", "{0..inf}",
       "2:57: `..` stands between whole numbers that ascend, up to 2^53 "
       "[BadTextAttribute]\n"},
      {"of_bos", "of_bos, conjunct 0",
       "9:7: `of_bos` means that the score is of no conjunct "
       "[BadTextAttribute]\n"},
      {"of_bos", "of_head",
       "9:35: `of_head` is no attribute of a score; these are `of_bos`, "
       "`conjunct`, `disjunct` [BadTextAttribute]\n"},
      {"tie_error", "error",
       "7:47: `error` is no attribute of a head; these are `conjuncts`, "
       "`selected`, `proportional`, `score_error`, `tie_error`, `leak` "
       "[BadTextAttribute]\n"},
      {"-> 1.5*[w]", "->",
       "12:5: expected a number, found `relu` [UnexpectedTextToken]\n"},
      {"output float", "output number",
       "14:10: expected `int`, `float`, `bool` or `string`, found `number` "
       "[UnexpectedTextToken]\n"},
      {"error 2e-06, tol", "leak 2e-06, tol",
       "14:18: `leak` is no attribute of the output; these are `error`, "
       "`tolerance`, `values` [BadTextAttribute]\n"},
      {"output float { error 2e-06, tolerance 0.5 }\n  logit number",
       "output float { values {1.0} }\n  logit 1.0",
       "14:25: `values` are those of the logits where the output is no "
       "`number` [BadTextAttribute]\n"},
      {"2*[w]\n", "2*[w]\n  logit 1 = 0\n",
       "16:9: expected `number`, found `1` [UnexpectedTextToken]\n"},
      {"2*[w]\n}", "2*[w]\n} }",
       "16:3: expected the end of the text, found `}` [UnexpectedTextToken]\n"},
      {"2*[w]\n}", "2*[w]\n",
       "17:1: expected `}`, found the end of the text "
       "[UnexpectedTextToken]\n"},
  };
  for (auto [from, to, expected] : cases)
    EXPECT_EQ(messagesWith(from, to), expected) << from << " -> " << to;
}

/// [late] takes over [early], which layer 0 clears.
static constexpr llvm::StringLiteral shared = R"(circuit @shared(layers = 2) {
  dir [bos] embed time 0 in 0..0 bos 1 { grid 1, table {0, 0} }
  dir [a] embed time 0 in 0..1 bos 0 { grid 1, table {1, 0} }
  dir [early] mlp time 2 in 0..1 bos 0 { grid 1 }
  dir [other] mlp time 4 in 0..1 bos 0 { grid 1 }
  dir [late] mlp time 4 in 0..1 bos 0 { grid 1, reuses [a] cleared 0 }
  layer 0 {
    relu([a]) -> 1*[early]
  }
  layer 1 {
    relu([early]) -> 1*[other]
    relu([early]) -> 1*[late]
  }
  output float
  logit number = [other] + [late]
}
)";

/// The layer that writes [late] clears [early].
static std::string swapped() {
  std::string text = shared.str();
  text.replace(text.find("cleared 0"), 9, "cleared 1");
  return text;
}

TEST(CircuitVerifier, SaysWhatCannotBeTakenOver) {
  EXPECT_EQ(messagesWith("cleared 0", "cleared 0", shared), "");
  EXPECT_EQ(messagesWith("cleared 0", "cleared 1", shared), "");
  EXPECT_EQ(messagesWith("relu([early]) -> 1*[late]", "relu([a]) -> 1*[late]",
                         shared),
            "6:3: `[late]` cannot take over `[a]`: that one is read after the "
            "MLP of layer 0 has cleared it [BadReuse]\n");
  EXPECT_EQ(
      messagesWith("reuses [a] cleared 0", "reuses [early] cleared 0", shared),
      "6:3: `[late]` cannot take over `[early]`: that one is not "
      "complete before the MLP of layer 0, which should clear it "
      "[BadReuse]\n");
  EXPECT_EQ(messagesWith("bos 0 { grid 1 }\n  dir [late]",
                         "bos 0 { reuses [a] cleared 0 }\n  dir [late]",
                         shared),
            "6:3: `[late]` cannot take over `[a]`: another direction does "
            "[BadReuse]\n");
  EXPECT_EQ(messagesWith("0..1 bos 0 { grid 1, table {1, 0} }",
                         "0..1 bos 0 { table {0.1, 0.3} }", swapped()),
            "6:3: `[late]` cannot take over `[a]`: the MLP of layer 1 clears "
            "the one and writes the other, and rounds what they add up to "
            "[BadReuse]\n");
  EXPECT_EQ(messagesWith("reuses [a]", "reuses [b]", shared),
            "6:56: no direction is called `[b]`; did you mean `[a]`? "
            "[UnknownDirection]\n");
}

TEST(CircuitVerifier, SaysWhatDoesNotHold) {
  const char *const cases[][3] = {
      {"dir [bos]",
       "dir [x] embed time 0 in 0..0 bos 1 { table {0, 0} }\n"
       "dir [bos]",
       "2:3: `[x]` comes first; the first direction must be `[bos]`, an "
       "`embed` that is 1 at BOS and 0 elsewhere [BadBos]\n"},
      {"bos 1", "bos 2",
       "2:3: `[bos]` is 2 at BOS; the first direction must be `[bos]`, an "
       "`embed` that is 1 at BOS and 0 elsewhere [BadBos]\n"},
      {"0..0 bos", "0..1 bos",
       "2:3: `[bos]` lies in 0..1 elsewhere; the first direction must be "
       "`[bos]`, an `embed` that is 1 at BOS and 0 elsewhere [BadBos]\n"},
      {"[bos] embed", "[bos] pos_embed",
       "2:3: `[bos]` is of `pos_embed`; the first direction must be `[bos]`, "
       "an `embed` that is 1 at BOS and 0 elsewhere [BadBos]\n"},
      {"[tokens:a] embed time 0", "[tokens:a] embed time 1",
       "3:3: `[tokens:a]` has time 1, but embeddings have time 0 "
       "[BadDirectionTime]\n"
       "7:5: head `first` of layer 0 reads `[tokens:a]` at time 1, but it is "
       "there after time 1 only [ReadTooEarly]\n"},
      {"head time 1", "head time 2",
       "4:3: `[w:1/(w+1)]` has time 2, but heads write at odd times "
       "[BadDirectionTime]\n"
       "7:5: head `first` of layer 0 writes `[w:1/(w+1)]` at time 1, but the "
       "direction says 2 [WrongWriteTime]\n"
       "11:5: unit 0 of layer 0 reads `[w:1/(w+1)]` at time 2, but it is "
       "there after time 2 only [ReadTooEarly]\n"
       "12:5: unit 1 of layer 0 reads `[w:1/(w+1)]` at time 2, but it is "
       "there after time 2 only [ReadTooEarly]\n"},
      {"mlp time 2", "mlp time 0",
       "5:3: `[w]` has time 0, but hidden units write at even times, from 2 "
       "on [BadDirectionTime]\n"
       "11:5: unit 0 of layer 0 writes `[w]` at time 2, but the direction "
       "says 0 [WrongWriteTime]\n"
       "12:5: unit 1 of layer 0 writes `[w]` at time 2, but the direction "
       "says 0 [WrongWriteTime]\n"},
      {"mlp time 2", "mlp time 4",
       "12:5: unit 1 of layer 0 writes `[w]` at time 2, but the direction "
       "says 4 [WrongWriteTime]\n"},
      {"{1, 0}", "{1, 0, 0}",
       "3:3: `[tokens:a]` has a table of 3 numbers, but that of `[bos]` has 2 "
       "[BadDirectionTable]\n"},
      {"{1, 0}", "{2, 0}",
       "3:3: `[tokens:a]` has 2 in its table, but lies in 0..1 "
       "[BadDirectionTable]\n"},
      {", table {1, 0}", "",
       "3:3: `[tokens:a]` has no table; an embedding needs one "
       "[BadDirectionTable]\n"},
      {"1e-07 bos 1", "1e-07 bos 1 { table {1} }",
       "4:3: `[w:1/(w+1)]` has a table, but is of `head`; only embeddings "
       "have one [BadDirectionTable]\n"},
      {"0.25..1", "1..0.25",
       "4:3: `[w:1/(w+1)]` lies in 1..0.25; the lower bound must not exceed "
       "the upper one [UnorderedBounds]\n"},
      {"0.25..1", "0.25..inf",
       "4:3: a bound of `[w:1/(w+1)]` is inf; a finite number is needed "
       "[BadCircuitNumber]\n"},
      {"error 1e-07", "error -1",
       "4:3: the error of `[w:1/(w+1)]` is -1; a number from 0 on is needed "
       "[BadCircuitNumber]\n"},
      {"grid 1", "grid 3",
       "2:3: the grid of `[bos]` is 3; a power of two or 0 is needed "
       "[BadCircuitNumber]\n"},
      {"step 256", "step 0",
       "7:5: the step of head `first` of layer 0 is 0; a finite number above "
       "0 is needed [BadCircuitNumber]\n"},
      {"{ tie_error 1e-07 }", "{ leak -1 }",
       "7:5: the leak of head `first` of layer 0 is -1; a number from 0 on is "
       "needed [BadCircuitNumber]\n"},
      {"{ tie_error 1e-07 }", "{ conjuncts {} }",
       "7:5: head `first` of layer 0 has a score of conjunct 0, but "
       "`conjuncts` are 0 [UnknownConjunct]\n"},
      {"query(-[bos] + 1)", "query(-[bos] + 1) { conjunct 4000000000 }",
       "7:5: head `first` of layer 0 has a score of conjunct 4000000000, but "
       "`conjuncts` are 2 [UnknownConjunct]\n"},
      {"-4*[w:1/(w+1)]", "-0*[w:1/(w+1)]",
       "11:5: a weight of `[w:1/(w+1)]` in unit 0 of layer 0 is -0; a finite "
       "number other than 0 is needed [BadCircuitNumber]\n"},
      {"1.5*[w]", "inf*[w]",
       "11:5: a weight of `[w]` in unit 0 of layer 0 is inf; a finite number "
       "is needed [BadCircuitNumber]\n"},
      {"1.5*[w]", "1.5*[bos]",
       "11:5: unit 0 of layer 0 writes `[bos]`, which is of `embed` "
       "[WrongWriter]\n"},
      {"1.5*[w]", "1.5*[w] 1*[w]",
       "11:5: unit 0 of layer 0 writes `[w]`, which it writes already "
       "[WrittenTwice]\n"},
      {"move [bos] -> [w:1/(w+1)]", "move [bos] -> [w]",
       "7:5: head `first` of layer 0 writes `[w]`, which is of `mlp` "
       "[WrongWriter]\n"
       "4:3: `[w:1/(w+1)]` is of `head`, but no head writes it "
       "[NeverWritten]\n"},
      {"move [bos] -> [w:1/(w+1)]", "",
       "7:5: head `first` of layer 0 writes nothing [WritesNothing]\n"
       "4:3: `[w:1/(w+1)]` is of `head`, but no head writes it "
       "[NeverWritten]\n"},
      {"move [bos] -> [w:1/(w+1)]",
       "move [bos] -> [w:1/(w+1)] move [bos] -> [w:1/(w+1)]",
       "7:5: head `first` of layer 0 writes `[w:1/(w+1)]`, which it writes "
       "already [WrittenTwice]\n"},
      {"    relu(-4*",
       "    head @other step 1 move 1 -> [w:1/(w+1)]\n    relu(-4*",
       "11:5: head `other` of layer 0 writes `[w:1/(w+1)]`, which head `first` "
       "of layer 0 writes already [WrittenTwice]\n"},
      {"  layer 0", "  dir [y] mlp time 2 in 0..1 bos 0\n  layer 0",
       "6:3: `[y]` is of `mlp`, but no unit writes it [NeverWritten]\n"},
      {"  logit number = 2*[w]\n", "",
       "14:3: the output has no logit; there must be one for each value "
       "[BadReadout]\n"},
      {"logit number = 2*[w]", "logit number = 1 logit number = 2*[w]",
       "14:3: the output has 2 logits; a number has 1 [BadReadout]\n"},
      {"logit number = 2*[w]", "logit 1.0 = 1 logit 1.0 = 2*[w]",
       "14:3: the output has the value 1.0 twice; each value needs a logit of "
       "its own [BadReadout]\n"},
      {"logit number = 2*[w]", "logit 1 = 2*[w]",
       "14:3: the output has the value 1; its type is `float` "
       "[BadReadout]\n"},
      {"tolerance 0.5", "tolerance -0.5",
       "14:3: the tolerance of the output is -0.5; a number from 0 on is "
       "needed [BadCircuitNumber]\n"},
      {"0.25..1 error 1e-07 bos 1", "0.25..1 bos 1 { reuses [bos] cleared 0 }",
       "4:3: `[w:1/(w+1)]` cannot take over `[bos]`: that one stays until the "
       "end [BadReuse]\n"},
      {"error 1e-07 bos 1", "bos 1 { reuses [tokens:a] cleared 1 }",
       "4:3: `[w:1/(w+1)]` cannot take over `[tokens:a]`: there is no layer 1 "
       "[BadReuse]\n"},
      {"error 1e-07 bos 1", "bos 1 { reuses [tokens:a] cleared 0 }",
       "4:3: `[w:1/(w+1)]` cannot take over `[tokens:a]`: it is written before "
       "the MLP of layer 0 has cleared that one [BadReuse]\n"},
      {"number = 2*[w]", "number = 0*[w]",
       "15:3: a weight of `[w]` in the output is 0; a finite number other "
       "than 0 is needed [BadCircuitNumber]\n"},
  };
  for (auto [from, to, expected] : cases)
    EXPECT_EQ(messagesWith(from, to), expected) << from << " -> " << to;
}

/// What the verifier says of a circuit that no text can say.
static std::string messagesOf(const Circuit &circuit) {
  llvm::SourceMgr sources;
  ir::Diagnostics diags(sources);
  EXPECT_FALSE(verify(circuit, diags));
  std::string text;
  for (const ir::Diagnostic &diagnostic : diags.all())
    text += llvm::formatv("{0} [{1}]\n", diagnostic.message, diagnostic.name);
  return text;
}

TEST(CircuitVerifier, ChecksWhatTextsCannotSay) {
  Circuit circuit = smallCircuit({0, 1});
  circuit.readout.logits = {View::of(DirId(2))};
  EXPECT_EQ(messagesOf(circuit),
            "the output names direction 2 of 2 [UnknownDirectionNumber]\n");
  circuit.readout.logits[0].terms = {{DirId(1), 1}, {DirId(0), 1}};
  EXPECT_EQ(messagesOf(circuit),
            "the terms of the output must ascend: `[tokens]` stands before "
            "`[bos]` [UnorderedTerms]\n");
  circuit = smallCircuit({0, 1});
  circuit.readout.logits[0].constant = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(messagesOf(circuit), "a constant of the output is nan; a finite "
                                 "number is needed [BadCircuitNumber]\n");
  circuit = smallCircuit({0, 1});
  circuit.directions[1].table[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(messagesOf(circuit), "`[tokens]` has nan in its table, but lies in "
                                 "0..1 [BadDirectionTable]\n");
  circuit = smallCircuit({0, 1});
  circuit.readout.type = "list";
  EXPECT_EQ(messagesOf(circuit),
            "the output has the type `list`; `int`, `float`, `bool` or "
            "`string` is needed [BadReadout]\n");
  circuit = smallCircuit({0, 1});
  circuit.neurons.push_back({View::of(DirId(1)), {}, 3});
  circuit.layers = 1;
  EXPECT_EQ(messagesOf(circuit),
            "unit 0 of layer 3 is beyond the last layer; the circuit has 1 "
            "[UnknownLayer]\n"
            "unit 0 of layer 3 writes nothing [WritesNothing]\n");
  EXPECT_FALSE(isScheduled(circuit));
  EXPECT_EQ(messagesOf(Circuit()),
            "there is no direction; the first direction must be `[bos]`, an "
            "`embed` that is 1 at BOS and 0 elsewhere [BadBos]\n"
            "the output has no logit; there must be one for each value "
            "[BadReadout]\n"
            "the output has the type ``; `int`, `float`, `bool` or `string` is "
            "needed [BadReadout]\n");
}

TEST(CircuitText, NoTextIsTooBroken) {
  // Tokens that other places have, characters that go or come.
  llvm::SmallVector<llvm::StringRef, 0> pieces;
  llvm::StringRef(starts).split(pieces, ' ', -1, /*KeepEmpty=*/false);
  uint64_t state = 1;
  auto next = [&](size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  unsigned good = 0;
  for (unsigned trial = 0; trial < 20000; ++trial) {
    std::string text = starts.str();
    for (size_t edits = 1 + next(3); edits > 0; --edits) {
      size_t at = next(text.size());
      switch (next(4)) {
      case 0:
        text.erase(at + 1, 1 + next(20));
        break;
      case 1:
        text.insert(at, pieces[next(pieces.size())].str());
        break;
      case 2:
        text[at] = static_cast<char>(next(256));
        break;
      case 3:
        text.resize(at + 1);
        break;
      }
    }
    SCOPED_TRACE(text);
    ReadText reading(text);
    if (!reading.isGood())
      continue;
    ++good;
    Circuit &circuit = *reading.circuit;
    readBack(circuit);
    for (auto pass : {removeDead, schedule, levelWidths}) {
      pass(circuit);
      readBack(circuit);
    }
    printed(circuit, layOut(circuit));
    longestHeadChain(circuit);
    if (testing::Test::HasFailure())
      return;
  }
  // Most edits of names and numbers leave a circuit.
  EXPECT_GE(good, 100u);
}
