//===- backend/CircuitParser.cpp - circuits from text ---------------------===//

#include "backend/CircuitParser.h"
#include "backend/DirectionNames.h"
#include "ir/Lexer.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Token;
using llvm::StringRef;

namespace {

/// A few characters may stand for long tables: all of a circuit together have
/// at most so many entries.
constexpr size_t mostEntries = 1 << 26;

class CircuitParser {
public:
  CircuitParser(unsigned bufferId, ir::Diagnostics &diags,
                CircuitRanges &ranges)
      : lexer(bufferId, diags, ir::Lexer::Brackets::Label), diags(diags),
        ranges(ranges) {}

  std::optional<Circuit> run();

private:
  /// What the parser of an attribute says of a name.
  enum class Attribute : uint8_t { Parsed, Failed, Unknown };

  // All return whether they found what they parse, and have reported it
  // otherwise.
  bool symbol(std::string &name);
  bool number(double &number) { return assign(number, lexer.parseNumber()); }
  bool small(unsigned &count) { return assign(count, lexer.parseCount(~0u)); }
  bool construction(std::string &construction);
  bool table(std::vector<double> &table);
  bool tableEntries(std::vector<double> &table);
  bool values(std::vector<ir::Value> &values);
  bool label(DirectionName &name, Token &token);
  bool reference(DirId &dir);
  bool find(const DirectionName &name, const Token &token, DirId &dir);
  bool findReused();
  bool sum(View &view);
  bool sumIn(StringRef opening, View &view);
  /// `owner` has the attributes, `known` are their names.
  bool attributes(StringRef owner, StringRef known,
                  llvm::function_ref<Attribute(StringRef)> parse);

  bool direction();
  bool layer();
  bool head(unsigned layer);
  bool score(Head &head);
  bool move(Head &head);
  bool unit(unsigned layer);
  bool output();
  bool logit();

  template <typename To, typename From>
  static bool assign(To &to, const std::optional<From> &from) {
    if (from)
      to = static_cast<To>(*from);
    return from.has_value();
  }
  static Attribute outcome(bool parsed) {
    return parsed ? Attribute::Parsed : Attribute::Failed;
  }

  ir::Lexer lexer;
  ir::Diagnostics &diags;
  CircuitRanges &ranges;
  Circuit circuit;
  llvm::StringMap<DirId> directions;
  /// Directions that others take over, which may stand below them.
  struct ReusedName {
    DirId by;
    DirectionName name;
    Token token;
  };
  std::vector<ReusedName> reused;
  size_t entries = 0; ///< of all tables
  unsigned layers = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Shared
//===----------------------------------------------------------------------===//

bool CircuitParser::symbol(std::string &name) {
  if (lexer.peek().kind != Token::Symbol) {
    lexer.unexpected("a name such as `@reverse`");
    return false;
  }
  name = lexer.nameOf(lexer.take());
  return true;
}

bool CircuitParser::construction(std::string &construction) {
  if (!lexer.consume("by"))
    return true;
  if (lexer.peek().kind != Token::String) {
    lexer.unexpected("a string");
    return false;
  }
  construction = lexer.unquote(lexer.take());
  return true;
}

bool CircuitParser::tableEntries(std::vector<double> &table) {
  // Whole numbers up to here have all others beside them.
  constexpr double largestWhole = 0x1p53;
  Token start = lexer.peek();
  double first;
  if (!number(first))
    return false;
  size_t count = 1;
  double step = 0;
  if (lexer.consume("x")) {
    if (!assign(count, lexer.parseCount(mostEntries)))
      return false;
  } else if (lexer.consume("..")) {
    double last;
    if (!number(last))
      return false;
    if (first != std::floor(first) || last != std::floor(last) ||
        first > last || first < -largestWhole || last > largestWhole) {
      diags.emit(lexer.rangeFrom(start), ir::diag::BadTextAttribute, "..",
                 "stands between whole numbers that ascend, up to 2^53");
      return false;
    }
    count = static_cast<size_t>(
        std::min<double>(last - first + 1, mostEntries + 1));
    step = 1;
  }
  if (count > mostEntries - entries) {
    diags.emit(lexer.rangeFrom(start), ir::diag::TooLong,
               "the tables of the circuit are", mostEntries);
    return false;
  }
  entries += count;
  for (size_t i = 0; i < count; ++i)
    table.push_back(step == 0 ? first : first + static_cast<double>(i));
  return true;
}

bool CircuitParser::table(std::vector<double> &table) {
  table.clear();
  if (!lexer.expect("{"))
    return false;
  while (!lexer.peek().is("}"))
    if ((!table.empty() && !lexer.expect(",")) || !tableEntries(table))
      return false;
  return lexer.expect("}");
}

bool CircuitParser::values(std::vector<ir::Value> &values) {
  return lexer.expect("{") && lexer.parseValues(values, "}") &&
         lexer.expect("}");
}

bool CircuitParser::label(DirectionName &name, Token &token) {
  token = lexer.peek();
  std::optional<DirectionName> parsed;
  if (token.kind == Token::Label)
    parsed = DirectionName::parse(token.text);
  if (!parsed) {
    lexer.unexpected("a direction such as `[tokens:a]`");
    return false;
  }
  lexer.take();
  name = std::move(*parsed);
  return true;
}

bool CircuitParser::reference(DirId &dir) {
  DirectionName name;
  Token token;
  return label(name, token) && find(name, token, dir);
}

bool CircuitParser::findReused() {
  for (const ReusedName &own : reused)
    if (!find(own.name, own.token, circuit[own.by].reuse->of))
      return false;
  return true;
}

bool CircuitParser::find(const DirectionName &name, const Token &token,
                         DirId &dir) {
  std::string text = name.text();
  auto known = directions.find(text);
  if (known != directions.end()) {
    dir = known->second;
    return true;
  }
  // The nearest one, if the name looks mistyped.
  unsigned best = 3;
  std::string hint;
  for (const Direction &direction : circuit.directions) {
    std::string other = DirectionName{direction.space, direction.label}.text();
    unsigned distance = StringRef(other).edit_distance(text, true, best);
    if (distance < best && directions.contains(other)) {
      best = distance;
      hint = "; did you mean `" + other + "`?";
    }
  }
  diags.emit(token.range(), ir::diag::UnknownDirection, text, hint);
  return false;
}

bool CircuitParser::sum(View &view) {
  bool hasConstant = false;
  llvm::DenseSet<uint32_t> seen;
  bool first = true;
  while (true) {
    bool negative = lexer.consume("-");
    if (!negative && !first && !lexer.consume("+"))
      break;
    first = false;
    double weight = 1;
    Token start = lexer.peek();
    bool isConstant = start.kind == Token::Number;
    if (isConstant && !number(weight))
      return false;
    if (negative)
      weight = -weight;
    if (isConstant && !lexer.consume("*")) {
      if (hasConstant) {
        diags.emit(start.range(), ir::diag::RepeatedTerm, "a constant");
        return false;
      }
      hasConstant = true;
      view.constant = weight;
      continue;
    }
    Token target = lexer.peek();
    DirId dir;
    if (!reference(dir))
      return false;
    if (!seen.insert(static_cast<uint32_t>(dir)).second) {
      diags.emit(target.range(), ir::diag::RepeatedTerm,
                 ("`" + target.text + "`").str());
      return false;
    }
    view.terms.push_back({dir, weight});
  }
  llvm::sort(view.terms,
             [](const Term &a, const Term &b) { return a.dir < b.dir; });
  return true;
}

bool CircuitParser::sumIn(StringRef opening, View &view) {
  return lexer.expect(opening) && lexer.expect("(") && sum(view) &&
         lexer.expect(")");
}

bool CircuitParser::attributes(StringRef owner, StringRef known,
                               llvm::function_ref<Attribute(StringRef)> parse) {
  if (!lexer.consume("{"))
    return true;
  llvm::StringSet<> seen;
  do {
    if (lexer.peek().kind != Token::Word) {
      lexer.unexpected("an attribute");
      return false;
    }
    Token name = lexer.take();
    if (!seen.insert(name.text).second) {
      diags.emit(name.range(), ir::diag::BadTextAttribute, name.text,
                 "stands here twice");
      return false;
    }
    Attribute outcome = parse(name.text);
    if (outcome == Attribute::Unknown)
      diags.emit(
          name.range(), ir::diag::BadTextAttribute, name.text,
          ("is no attribute of " + owner + "; these are " + known).str());
    if (outcome != Attribute::Parsed)
      return false;
  } while (lexer.consume(","));
  return lexer.expect("}");
}

//===----------------------------------------------------------------------===//
// Directions and components
//===----------------------------------------------------------------------===//

bool CircuitParser::direction() {
  Token start = lexer.peek(), token;
  lexer.take();
  DirectionName name;
  if (!label(name, token))
    return false;
  std::string text = name.text();
  auto id = DirId(static_cast<uint32_t>(circuit.directions.size()));
  if (!directions.try_emplace(text, id).second) {
    ++name.number;
    while (directions.contains(name.text()))
      ++name.number;
    diags.emit(token.range(), ir::diag::DirectionTaken, text, name.text());
    return false;
  }

  Direction direction;
  direction.space = std::move(name.space);
  direction.label = std::move(name.label);
  constexpr WriterKind writers[] = {WriterKind::TokenEmbed,
                                    WriterKind::PosEmbed, WriterKind::Head,
                                    WriterKind::Mlp};
  const WriterKind *writer = llvm::find_if(writers, [&](WriterKind kind) {
    return lexer.consume(writerName(kind));
  });
  if (writer == std::end(writers)) {
    lexer.unexpected("`embed`, `pos_embed`, `head` or `mlp`");
    return false;
  }
  direction.writer = *writer;
  if (!lexer.expect("time") || !small(direction.time) || !lexer.expect("in") ||
      !number(direction.low) || !lexer.expect("..") ||
      !number(direction.high) ||
      (lexer.consume("error") && !number(direction.error)) ||
      !lexer.expect("bos") || !number(direction.atBos) ||
      !construction(direction.construction))
    return false;
  auto attribute = [&](StringRef name) {
    if (name == "grid")
      return outcome(number(direction.grid));
    if (name == "bos_error")
      return outcome(number(direction.errorAtBos));
    if (name == "table")
      return outcome(table(direction.table));
    if (name == "reuses") {
      direction.reuse = {Circuit::bos, 0};
      ReusedName &own = reused.emplace_back();
      own.by = id;
      return outcome(label(own.name, own.token) && lexer.expect("cleared") &&
                     small(direction.reuse->layer));
    }
    if (name != "exact_zero" && name != "stays")
      return Attribute::Unknown;
    (name == "stays" ? direction.stays : direction.exactZero) = true;
    return Attribute::Parsed;
  };
  if (!attributes("a direction",
                  "`grid`, `exact_zero`, `bos_error`, `stays`, `reuses`, "
                  "`table`",
                  attribute))
    return false;
  circuit.directions.push_back(std::move(direction));
  ranges.directions.push_back(lexer.rangeFrom(start));
  return true;
}

bool CircuitParser::score(Head &head) {
  Token start = lexer.peek();
  ScoreTerm &score = head.scores.emplace_back();
  lexer.take();
  if (!sumIn("key", score.key) || !sumIn("query", score.query))
    return false;
  bool ofBos = false, ofConjunct = false;
  auto attribute = [&](StringRef name) {
    if (name == "conjunct") {
      ofConjunct = true;
      return outcome(small(score.conjunct));
    }
    if (name == "disjunct")
      return outcome(small(score.disjunct));
    if (name != "of_bos")
      return Attribute::Unknown;
    ofBos = true;
    return Attribute::Parsed;
  };
  if (!attributes("a score", "`of_bos`, `conjunct`, `disjunct`", attribute))
    return false;
  if (ofBos && ofConjunct) {
    diags.emit(lexer.rangeFrom(start), ir::diag::BadTextAttribute, "of_bos",
               "means that the score is of no conjunct");
    return false;
  }
  if (ofBos)
    score.conjunct = ScoreTerm::ofBos;
  return true;
}

bool CircuitParser::move(Head &head) {
  HeadOutput &output = head.outputs.emplace_back();
  lexer.take();
  return sum(output.value) && lexer.expect("->") && reference(output.target);
}

bool CircuitParser::head(unsigned layer) {
  Token start = lexer.take();
  Head head;
  head.layer = layer;
  std::optional<std::vector<double>> conjuncts;
  std::optional<double> selected;
  if (!symbol(head.name) || !lexer.expect("step") || !number(head.step) ||
      !construction(head.construction))
    return false;
  auto attribute = [&](StringRef name) {
    if (name == "conjuncts")
      return outcome(table(conjuncts.emplace()));
    if (name == "selected")
      return outcome(number(selected.emplace()));
    if (name == "score_error")
      return outcome(number(head.scoreError));
    if (name == "tie_error")
      return outcome(number(head.tieError));
    if (name == "leak")
      return outcome(number(head.leak));
    if (name != "proportional")
      return Attribute::Unknown;
    head.proportional = true;
    return Attribute::Parsed;
  };
  if (!attributes("a head",
                  "`conjuncts`, `selected`, `proportional`, `score_error`, "
                  "`tie_error`, `leak`",
                  attribute))
    return false;
  llvm::SMRange range = lexer.rangeFrom(start);
  while (lexer.peek().is("score"))
    if (!score(head))
      return false;
  while (lexer.peek().is("move"))
    if (!move(head))
      return false;
  head.conjunctScores = conjuncts ? *conjuncts : head.usualConjunctScores();
  head.selected = selected ? *selected
                           : std::accumulate(head.conjunctScores.begin(),
                                             head.conjunctScores.end(), 0.0);
  circuit.heads.push_back(std::move(head));
  ranges.heads.push_back(range);
  return true;
}

bool CircuitParser::unit(unsigned layer) {
  Token start = lexer.peek();
  Neuron neuron;
  neuron.layer = layer;
  if (!sumIn("relu", neuron.input) || !lexer.expect("->"))
    return false;
  do {
    Term term;
    if (!number(term.weight) || !lexer.expect("*") || !reference(term.dir))
      return false;
    neuron.outputs.push_back(term);
  } while (lexer.peek().is("-") || lexer.peek().kind == Token::Number);
  circuit.neurons.push_back(std::move(neuron));
  ranges.neurons.push_back(lexer.rangeFrom(start));
  return true;
}

bool CircuitParser::layer() {
  lexer.take();
  Token token = lexer.peek();
  unsigned layer;
  if (!small(layer))
    return false;
  if (layer != layers) {
    diags.emit(token.range(), ir::diag::LayerNumber, layer, layers);
    return false;
  }
  ++layers;
  if (!lexer.expect("{"))
    return false;
  while (lexer.peek().is("head"))
    if (!head(layer))
      return false;
  while (lexer.peek().is("relu"))
    if (!unit(layer))
      return false;
  if (lexer.consume("}"))
    return true;
  lexer.unexpected("`relu` or `}`");
  return false;
}

bool CircuitParser::output() {
  Token start = lexer.peek();
  Readout &readout = circuit.readout;
  if (!lexer.expect("output"))
    return false;
  const Token &type = lexer.peek();
  if (!type.is("int") && !type.is("float") && !type.is("bool") &&
      !type.is("string")) {
    lexer.unexpected("`int`, `float`, `bool` or `string`");
    return false;
  }
  readout.type = lexer.take().text.str();
  std::optional<llvm::SMRange> listed;
  auto attribute = [&](StringRef name) {
    if (name == "error")
      return outcome(number(readout.error));
    if (name == "tolerance")
      return outcome(number(readout.tolerance));
    if (name != "values")
      return Attribute::Unknown;
    Token begin = lexer.peek();
    bool parsed = values(readout.values);
    listed = lexer.rangeFrom(begin);
    return outcome(parsed);
  };
  if (!attributes("the output", "`error`, `tolerance`, `values`", attribute))
    return false;
  ranges.output = lexer.rangeFrom(start);
  while (lexer.peek().is("logit"))
    if (!logit())
      return false;
  if (listed && !readout.numerical) {
    diags.emit(*listed, ir::diag::BadTextAttribute, "values",
               "are those of the logits where the output is no `number`");
    return false;
  }
  return true;
}

bool CircuitParser::logit() {
  Token start = lexer.take();
  Readout &readout = circuit.readout;
  bool isFirst = readout.logits.empty();
  if (isFirst && lexer.peek().is("number"))
    readout.numerical = true;
  if (readout.numerical) {
    if (!lexer.expect("number"))
      return false;
  } else {
    std::optional<ir::Value> value = lexer.parseValue();
    if (!value)
      return false;
    readout.values.push_back(*value);
  }
  if (!lexer.expect("=") || !sum(readout.logits.emplace_back()))
    return false;
  ranges.logits.push_back(lexer.rangeFrom(start));
  return true;
}

std::optional<Circuit> CircuitParser::run() {
  std::optional<unsigned> counted;
  Token count;
  if (!lexer.expect("circuit") || !symbol(circuit.readout.name))
    return std::nullopt;
  if (lexer.consume("(")) {
    if (!lexer.expect("layers") || !lexer.expect("="))
      return std::nullopt;
    count = lexer.peek();
    if (!small(counted.emplace()) || !lexer.expect(")"))
      return std::nullopt;
  }
  if (!lexer.expect("{"))
    return std::nullopt;
  while (lexer.peek().is("dir"))
    if (!direction())
      return std::nullopt;
  if (!findReused())
    return std::nullopt;
  while (lexer.peek().is("layer"))
    if (!layer())
      return std::nullopt;
  if (!output() || !lexer.expect("}"))
    return std::nullopt;
  if (lexer.peek().kind != Token::End) {
    lexer.unexpected("the end of the text");
    return std::nullopt;
  }
  // The number must be that of the layers that follow, so no text makes more
  // layers than it has lines.
  if (counted && *counted != layers) {
    diags.emit(count.range(), ir::diag::LayerCount, *counted, layers);
    return std::nullopt;
  }
  circuit.layers = counted.value_or(0);
  return std::move(circuit);
}

std::optional<Circuit> rasp::backend::parseCircuit(unsigned bufferId,
                                                   ir::Diagnostics &diags,
                                                   CircuitRanges *ranges) {
  CircuitRanges own;
  return CircuitParser(bufferId, diags, ranges ? *ranges : own).run();
}
