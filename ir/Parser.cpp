//===- ir/Parser.cpp - from text to RASP IR -------------------------------===//

#include "ir/Parser.h"
#include "ir/Lexer.h"
#include "ir/NearestName.h"
#include "ir/Printer.h"
#include "ir/Verifier.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <limits>
#include <map>
#include <set>

using namespace rasp::ir;
using llvm::StringRef;

/// As long as any `max-seq-len` may be.
static constexpr unsigned longestInput = 1 << 20;

namespace {
class Parser {
public:
  Parser(unsigned bufferId, Module &module, Diagnostics &diags)
      : lexer(bufferId, diags), diags(diags), module(module),
        program(module.program) {}

  bool run();

private:
  bool parseHeader();
  bool parseOption();
  bool parseLine();
  const Node *parseDefinition();
  const Node *parseOp(OpKind kind, const Token &first);
  /// Null after an error, and for the name of a line that had one.
  const Node *parseOperand();
  bool parseAttribute(OpKind kind, Attributes &attributes);
  bool parseTable(Attribute attribute, Table &table);
  bool parseType(const Node *op);
  bool parseFacts(const Node *op);
  bool parseValueSet(ShownValues &shown);
  std::optional<Encoding> parseEncoding();
  bool parseOutputs();
  void skipLine();
  void nameOps();

  Lexer lexer;
  Diagnostics &diags;
  Module &module;
  Program &program;
  /// Null for what could not be read.
  llvm::StringMap<const Node *> defined;
  std::vector<std::pair<const Node *, std::string>> names;
  std::map<Value, const Node *> literals;
};
} // namespace

bool Parser::run() {
  program.keepVerbatim(true);
  auto restore = llvm::make_scope_exit([&] { program.keepVerbatim(false); });
  unsigned before = diags.errorCount();
  if (!parseHeader())
    return false;
  while (lexer.peek().kind == Token::ValueName)
    if (!parseLine())
      skipLine();
  if (!parseOutputs() || diags.errorCount() != before)
    return false;
  nameOps();
  return verify(module, diags);
}

void Parser::skipLine() {
  while (lexer.peek().kind != Token::End && !lexer.startsLine())
    lexer.take();
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

bool Parser::parseHeader() {
  if (!lexer.expect("program"))
    return false;
  if (lexer.peek().kind == Token::Symbol)
    module.header.name = lexer.nameOf(lexer.take());
  if (!lexer.expect("("))
    return false;
  for (bool first = true; !lexer.peek().is(")"); first = false)
    if ((!first && !lexer.expect(",")) || !parseOption())
      return false;
  return lexer.expect(")") && lexer.expect("{");
}

bool Parser::parseOption() {
  ProgramHeader &header = module.header;
  Token key = lexer.peek();
  if (key.kind != Token::Word) {
    lexer.unexpected("an option");
    return false;
  }
  lexer.take();
  if (!lexer.expect("="))
    return false;
  if (key.is("tokens")) {
    if (!llvm::is_contained({"str", "int", "float", "bool"},
                            lexer.peek().text)) {
      lexer.unexpected("`str`, `int`, `float` or `bool`");
      return false;
    }
    header.tokens = lexer.take().text.str();
    return true;
  }
  if (key.is("vocab")) {
    Token first = lexer.peek();
    header.vocabulary.clear();
    bool good = lexer.expect("[") &&
                lexer.parseValues(header.vocabulary, "]") && lexer.expect("]");
    header.vocabularyRange = lexer.rangeFrom(first);
    if (good && header.vocabulary.empty())
      diags.emit(header.vocabularyRange, diag::HeaderVocabulary, "no token");
    return good;
  }
  if (key.is("max_seq_len")) {
    Token first = lexer.peek();
    std::optional<uint64_t> length = lexer.parseCount(longestInput);
    header.maxSeqLen = length.value_or(0);
    if (length == 0)
      diags.emit(first.range(), diag::BadTextAttribute, key.text,
                 "must be at least 1");
    return length.has_value();
  }
  if (key.is("causal")) {
    header.causal = true;
    return lexer.expect("true");
  }
  diags.emit(key.range(), diag::UnknownHeaderOption, key.text);
  return false;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

bool Parser::parseLine() {
  Token first = lexer.take();
  std::string name = lexer.nameOf(first);
  bool isNew = !defined.contains(name);
  if (!isNew)
    diags.emit(first.range(), diag::NameTaken, name);
  const Node *op = parseDefinition();
  if (op) {
    module.ops.push_back(op);
    names.emplace_back(op, name);
  }
  defined.try_emplace(name, op);
  return op;
}

const Node *Parser::parseDefinition() {
  if (!lexer.expect("="))
    return nullptr;
  Token mnemonic = lexer.peek();
  if (mnemonic.kind != Token::Word) {
    lexer.unexpected("an op");
    return nullptr;
  }
  lexer.take();
  std::optional<OpKind> kind = opCalled(mnemonic.text);
  if (!kind) {
    NearestName nearest(mnemonic.text);
    for (OpKind op : allOps())
      nearest.consider(rasp::ir::mnemonic(op));
    diags
        .emit(mnemonic.range(), diag::UnknownOp, mnemonic.text,
              nearest.question())
        .fixIt = nearest.name();
    return nullptr;
  }
  const Node *op = parseOp(*kind, mnemonic);
  if (!op || !parseType(op) || !parseFacts(op))
    return nullptr;
  if (lexer.peek().kind != Token::End && !lexer.startsLine()) {
    lexer.unexpected("the end of the line");
    return nullptr;
  }
  return op;
}

const Node *Parser::parseOp(OpKind kind, const Token &first) {
  StringRef mnemonic = first.text;
  llvm::SmallVector<const Node *, 3> operands;
  llvm::SmallVector<llvm::SMRange, 3> ranges;
  bool good = true;
  while (!lexer.peek().is("{") && !lexer.peek().is(":")) {
    if (!ranges.empty() && !lexer.expect(","))
      return nullptr;
    Token operand = lexer.peek();
    if (operand.is("-")) {
      // The sign is part of the literal.
    } else if (operand.kind != Token::ValueName &&
               operand.kind != Token::Number && operand.kind != Token::String &&
               !operand.is("True") && !operand.is("False")) {
      lexer.unexpected("an operand");
      return nullptr;
    }
    operands.push_back(parseOperand());
    ranges.push_back(lexer.rangeFrom(operand));
    good &= operands.back() != nullptr;
  }
  if (operands.size() != arity(kind)) {
    diags.emit(first.range(), diag::OperandCount, mnemonic,
               counted(arity(kind), "operand"),
               static_cast<unsigned>(operands.size()));
    good = false;
  }
  for (auto [i, operand] : llvm::enumerate(operands))
    if (good && operand->type() != operandType(kind, i)) {
      diags.emit(ranges[i], diag::OperandType, unsigned(i), mnemonic,
                 operand->isSop() ? "value" : "selector",
                 operand->isSop() ? "selector" : "value");
      good = false;
    }
  Attributes attributes;
  if (!parseAttribute(kind, attributes) || !good)
    return nullptr;
  return program.op(kind, operands, std::move(attributes),
                    lexer.rangeFrom(first));
}

const Node *Parser::parseOperand() {
  if (lexer.peek().kind != Token::ValueName) {
    std::optional<Value> value = lexer.parseValue();
    if (!value)
      return nullptr;
    const Node *&literal = literals[*value];
    if (!literal) {
      literal = program.constant(*value);
      module.ops.push_back(literal);
    }
    return literal;
  }
  Token token = lexer.take();
  std::string name = lexer.nameOf(token);
  if (auto found = defined.find(name); found != defined.end())
    return found->second;
  NearestName nearest(name);
  for (const auto &[op, other] : names)
    nearest.consider(other);
  std::string found = nearest.name().empty() ? "" : "%" + nearest.name();
  diags
      .emit(token.range(), diag::UnknownOperand, name,
            found.empty() ? "" : "; did you mean `" + found + "`?")
      .fixIt = found;
  return nullptr;
}

bool Parser::parseAttribute(OpKind kind, Attributes &attributes) {
  Attribute attribute = attributeOf(kind);
  if (attribute == Attribute::None)
    return true;
  if (!lexer.expect("{"))
    return false;
  switch (attribute) {
  case Attribute::None:
    break;
  case Attribute::Default:
    if (!lexer.expect("default"))
      return false;
    [[fallthrough]];
  case Attribute::Atom: {
    std::optional<Value> value = lexer.parseValue();
    if (!value)
      return false;
    attributes.value = *value;
    break;
  }
  case Attribute::Comparison: {
    if (!lexer.expect("key"))
      return false;
    std::optional<CompareOp> compare = comparisonSpelled(lexer.peek().text);
    if (!compare) {
      lexer.unexpected("a comparison");
      return false;
    }
    lexer.take();
    attributes.compare = *compare;
    if (!lexer.expect("query"))
      return false;
    break;
  }
  case Attribute::Container:
  case Attribute::List:
    attributes.table.emplace();
    if (!parseTable(attribute, *attributes.table))
      return false;
    break;
  }
  return lexer.expect("}");
}

namespace {
/// Values that are equal to the language are one.
struct PythonOrder {
  bool operator()(const Value &a, const Value &b) const {
    return !pythonEqual(a, b) && a < b;
  }
};
} // namespace

bool Parser::parseTable(Attribute attribute, Table &table) {
  Token first = lexer.peek();
  if (lexer.consume("["))
    return lexer.parseValues(table.values, "]") && lexer.expect("]");
  if (attribute == Attribute::List) {
    lexer.unexpected("a list");
    return false;
  }
  if (first.kind == Token::String) {
    table.kind = Table::String;
    std::string text = lexer.unquote(lexer.take());
    for (StringRef rest = text; !rest.empty();) {
      size_t size = 1;
      while (size < rest.size() && (rest[size] & 0xc0) == 0x80)
        ++size;
      table.values.push_back(Value::string(rest.take_front(size)));
      rest = rest.drop_front(size);
    }
    return true;
  }
  table.kind = Table::Dict;
  if (!lexer.consume("{")) {
    lexer.unexpected("a list, a string or a dict");
    return false;
  }
  std::set<Value, PythonOrder> keys;
  while (!lexer.peek().is("}")) {
    if (!table.keys.empty() && !lexer.expect(","))
      return false;
    Token key = lexer.peek();
    std::optional<Value> keyValue = lexer.parseValue();
    if (!keyValue)
      return false;
    if (!keys.insert(*keyValue).second)
      diags.emit(lexer.rangeFrom(key), diag::KeyTaken, keyValue->str());
    if (!lexer.expect(":"))
      return false;
    std::optional<Value> value = lexer.parseValue();
    if (!value)
      return false;
    table.keys.push_back(*keyValue);
    table.values.push_back(*value);
  }
  return lexer.expect("}");
}

bool Parser::parseType(const Node *op) {
  if (!lexer.expect(":"))
    return false;
  Token type = lexer.peek();
  StringRef own = op->isSop() ? "value" : "selector";
  if (!type.is("value") && !type.is("selector")) {
    lexer.unexpected("`value` or `selector`");
    return false;
  }
  lexer.take();
  if (type.text != own) {
    diags.emit(type.range(), diag::ResultTypeMismatch, mnemonic(op->kind()),
               own, type.text);
    return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

bool Parser::parseFacts(const Node *op) {
  while (true) {
    Token fact = lexer.peek();
    if (op->isSelector() &&
        (fact.is("in") || fact.is("kept") || fact.is("as"))) {
      diags.emit(fact.range(), diag::FactOfSelector, fact.text);
      return false;
    }
    if (lexer.consume("in")) {
      ShownValues shown;
      if (!parseValueSet(shown))
        return false;
      module.values[op] = std::move(shown);
    } else if (lexer.consume("kept")) {
      module.kept.insert(op);
    } else if (lexer.consume("as")) {
      std::optional<Encoding> encoding = parseEncoding();
      if (!encoding)
        return false;
      module.encodings[op] = *encoding;
    } else if (fact.kind == Token::Place) {
      lexer.take();
      auto [line, column] = fact.text.drop_front().split(':');
      Place place;
      if (line.getAsInteger(10, place.line) ||
          column.getAsInteger(10, place.column)) {
        diags.emit(fact.range(), diag::UnknownTextToken,
                   ("`" + fact.text + "`").str());
        return false;
      }
      module.places[op] = place;
    } else {
      return true;
    }
  }
}

std::optional<Encoding> Parser::parseEncoding() {
  for (Encoding encoding :
       {Encoding::View, Encoding::OneHot, Encoding::Scalar, Encoding::Code})
    if (lexer.consume(spelling(encoding)))
      return encoding;
  lexer.unexpected("`view`, `onehot`, `scalar` or `code`");
  return std::nullopt;
}

bool Parser::parseValueSet(ShownValues &shown) {
  if (lexer.consume("too")) {
    shown = ShownValues::tooMany();
    return lexer.expect("many") && lexer.expect("values");
  }
  if (!lexer.expect("{"))
    return false;
  while (!lexer.peek().is("}")) {
    if (!shown.items.empty() && !lexer.expect(","))
      return false;
    if (lexer.consume("...")) {
      shown.count = lexer.parseCount(std::numeric_limits<uint64_t>::max());
      return shown.count && lexer.expect("values") && lexer.expect("}");
    }
    Token item = lexer.peek();
    std::optional<Value> low = lexer.parseValue();
    if (!low)
      return false;
    std::optional<Value> high = low;
    if (lexer.consume("..") && !(high = lexer.parseValue()))
      return false;
    bool isRun = *low != *high;
    if (isRun && (!low->isInt() || !high->isInt() || !(*low < *high)))
      diags.emit(lexer.rangeFrom(item), diag::BadRun, low->str(), high->str());
    if (!shown.items.empty() && !(shown.items.back().last < *low))
      diags.emit(lexer.rangeFrom(item), diag::UnorderedValues,
                 shown.items.back().last.str(), low->str());
    shown.items.push_back({*low, *high});
  }
  return lexer.expect("}");
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

bool Parser::parseOutputs() {
  if (!lexer.expect("output"))
    return false;
  do {
    if (lexer.peek().kind != Token::ValueName) {
      lexer.unexpected("the name of an output");
      return false;
    }
    Token first = lexer.peek();
    const Node *output = parseOperand();
    if (output && output->isSelector())
      diags.emit(first.range(), diag::OutputType, lexer.nameOf(first));
    module.outputs.push_back(output);
  } while (lexer.consume(","));
  if (!lexer.expect("}"))
    return false;
  if (lexer.peek().kind == Token::End)
    return true;
  lexer.unexpected("the end of the text");
  return false;
}

/// A name without the number that tells it from others.
static StringRef withoutNumber(StringRef name) {
  auto [rest, number] = name.rsplit('.');
  return !number.empty() && llvm::all_of(number, llvm::isDigit) ? rest : name;
}

/// Gives ops the names of variables that their names show, and to those that
/// the printer would call otherwise even so, their whole name.
void Parser::nameOps() {
  for (const auto &[op, name] : names)
    if (StringRef variable = withoutNumber(name); !variable.contains('.'))
      program.setName(op, variable);
  NodeNames printed = NodeNames::ofOps(module.ops);
  bool differs = llvm::any_of(names, [&](const auto &entry) {
    return printed.of(entry.first) != entry.second;
  });
  if (differs)
    for (const auto &[op, name] : names)
      program.rename(op, name);
}

bool rasp::ir::parse(unsigned bufferId, Module &module, Diagnostics &diags) {
  return Parser(bufferId, module, diags).run();
}
