//===- OracleTest.cpp - the corpus of the reference interpreter -----------===//
//
// Every record of test/frontend/rasp-oracle.jsonl that isn't tagged `quirk` is
// read, evaluated and interpreted, and compared by kind, type and value, or by
// being an error. Records tagged `quirk` are counted, and those that differ
// must be the ones listed here.
//
//===----------------------------------------------------------------------===//

#include "frontend/Frontend.h"
#include "ir/Interpreter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace rasp;

namespace {

/// Programs that we read differently on purpose, all of them accidents of the
/// reference; frontend/LANGUAGE.md gives the reasons.
const std::set<std::string> deliberatelyDifferent = {
    // No atom is equal to an s-op: that is an error here, not True.
    "atom-in-list-of-sops-quirk",
    // Parentheses group, nothing else.
    "index-parenthesised-error",
    "index-parenthesised-index-error",
    "index-parenthesised-list-error",
    // `s[-1]` counts from the end whatever the variable `length` holds.
    "shadow-length-then-negative-index",
    // A space may stand before a parenthesis.
    "syntax-aggregate-space-paren",
    "syntax-select-space-paren",
    // Statements end with `;`, not with the line.
    "syntax-two-statements-one-line",
};

struct Record {
  std::string id, source, resultName, kind, type;
  bool isQuirk = false;
  std::vector<ir::Value> input;
  llvm::json::Value value = nullptr;
};

/// JSON has one kind of number, RASP has two: a number that is written with a
/// point or an exponent becomes {"float": number}.
std::string markFloats(llvm::StringRef line) {
  std::string marked;
  bool inString = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"')
      inString = !inString;
    if (inString && line[i] == '\\')
      marked += line[i++];
    llvm::StringRef number = line.drop_front(i).take_while([](char c) {
      return llvm::isDigit(c) || llvm::StringRef("+-.eE").contains(c);
    });
    if (inString || !(llvm::isDigit(line[i]) || line[i] == '-')) {
      marked += line[i];
      continue;
    }
    i += number.size() - 1;
    if (number.find_first_of(".eE") == llvm::StringRef::npos)
      marked += number;
    else
      marked += "{\"float\":" + number.str() + "}";
  }
  return marked;
}

ir::Value toValue(const llvm::json::Value &json) {
  if (auto *object = json.getAsObject())
    return ir::Value::real(*object->getNumber("float"));
  if (auto text = json.getAsString())
    return ir::Value::string(*text);
  if (auto truth = json.getAsBoolean())
    return ir::Value::boolean(*truth);
  return ir::Value::integer(*json.getAsInteger());
}

std::vector<Record> readCorpus() {
  auto buffer =
      llvm::MemoryBuffer::getFile(RASP_TEST_DIR "/frontend/rasp-oracle.jsonl");
  std::vector<Record> records;
  if (!buffer)
    return records;
  llvm::StringRef rest = (*buffer)->getBuffer();
  while (!rest.empty()) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    llvm::json::Value json =
        llvm::cantFail(llvm::json::parse(markFloats(line)));
    const llvm::json::Object &object = *json.getAsObject();
    Record record;
    record.id = object.getString("id")->str();
    record.source = object.getString("source")->str();
    record.resultName = object.getString("result_name")->str();
    record.kind = object.getString("kind")->str();
    record.type = object.getString("type").value_or("").str();
    for (const llvm::json::Value &tag : *object.getArray("tags"))
      record.isQuirk |= tag.getAsString() == "quirk";
    if (auto text = object.getString("input"))
      for (llvm::StringRef rest = *text; !rest.empty();) {
        size_t length = llvm::getNumBytesForUTF8(rest.front());
        record.input.push_back(ir::Value::string(rest.take_front(length)));
        rest = rest.drop_front(length);
      }
    else
      for (const llvm::json::Value &item : *object.getArray("input"))
        record.input.push_back(toValue(item));
    if (const llvm::json::Value *value = object.get("value"))
      record.value = *value;
    records.push_back(std::move(record));
  }
  return records;
}

bool agree(const ir::Value &ours, const ir::Value &theirs) {
  if (ours.isFloat() && theirs.isFloat())
    return std::fabs(ours.asFloat() - theirs.asFloat()) <=
           1e-9 * std::max(1.0, std::fabs(theirs.asFloat()));
  return ours == theirs;
}

/// Empty if the record agrees, else what we get.
std::string difference(const Record &record) {
  llvm::SourceMgr sources;
  unsigned buffer = sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBuffer(record.source, record.id + ".rasp"), {});
  ir::Diagnostics diags(sources);
  ir::Program program;
  frontend::Evaluation evaluation =
      frontend::evaluateProgram(buffer, program, diags);
  if (diags.hasErrors())
    return record.kind == "error" ? "" : diags.all().front().message;

  // The reference tries every expression of the program on the input.
  std::vector<const ir::Node *> roots;
  for (const ir::Node &node : program.nodes())
    roots.push_back(&node);
  ir::Interpreter interpreter(roots);
  ir::Interpreter::State state(interpreter);
  llvm::ArrayRef<ir::RootResult> results = interpreter.run(record.input, state);
  for (const ir::RootResult &result : results)
    if (!result)
      return record.kind == "error" ? "" : result.failure->message();
  if (record.kind == "error")
    return "no error";

  const frontend::Binding *binding = evaluation.find(record.resultName);
  if (!binding)
    return "no such name";
  if (record.kind == "atom") {
    if (binding->kind != frontend::BindingKind::Atom)
      return "no atom";
    ir::Value value = toValue(record.value);
    return agree(binding->atom, value) ? "" : binding->atom.str();
  }
  if (!binding->node)
    return "neither s-op nor selector";
  const ir::RootResult &result = results[binding->node->id()];

  std::string text;
  llvm::raw_string_ostream os(text);
  const llvm::json::Array &rows = *record.value.getAsArray();
  if (record.kind == "selector") {
    if (!binding->node->isSelector())
      return "no selector";
    for (auto [q, row] : llvm::enumerate(rows))
      for (auto [k, bit] : llvm::enumerate(*row.getAsArray()))
        if (result.matrix.get(q, k) != (*bit.getAsInteger() != 0))
          os << "entry " << q << ", " << k << " differs; ";
    return text;
  }

  if (!binding->node->isSop())
    return "no s-op";
  bool same = result.values.size() == rows.size() &&
              ir::kindName(result.kind) == record.type;
  for (size_t i = 0; same && i < rows.size(); ++i)
    same = agree(result.values[i], toValue(rows[i]));
  if (same)
    return "";
  os << ir::kindName(result.kind) << "s:";
  for (const ir::Value &value : result.values)
    os << ' ' << value;
  return text;
}

TEST(Oracle, CorpusAgrees) {
  std::vector<Record> records = readCorpus();
  ASSERT_FALSE(records.empty());
  unsigned compared = 0, agreed = 0, quirks = 0, quirksAgreed = 0;
  std::set<std::string> differentQuirks;
  for (const Record &record : records) {
    std::string found = difference(record);
    if (record.isQuirk) {
      ++quirks;
      quirksAgreed += found.empty();
      if (!found.empty())
        differentQuirks.insert(record.id);
      continue;
    }
    ++compared;
    agreed += found.empty();
    EXPECT_EQ(found, "") << record.id << ":\n"
                         << record.source << record.resultName << " = "
                         << llvm::formatv("{0}", record.value).str();
  }
  llvm::outs() << agreed << " of " << compared << " agree; of the quirks "
               << quirksAgreed << " of " << quirks << '\n';
  EXPECT_EQ(differentQuirks, deliberatelyDifferent);
}

} // namespace
