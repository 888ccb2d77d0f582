//===- backend/tools/shell/Reader.cpp - from lines to inputs --------------===//

#include "backend/tools/shell/Reader.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include <iostream>

using namespace rasp::shell;

namespace {

class StandardInput : public LineSource {
public:
  explicit StandardInput(llvm::raw_ostream *os) : os(os) {}

  std::optional<std::string> readLine(llvm::StringRef prompt) override {
    if (os) {
      *os << prompt;
      os->flush();
    }
    std::string line;
    if (!std::getline(std::cin, line))
      return std::nullopt;
    return line;
  }

private:
  llvm::raw_ostream *os;
};

/// A bracket, and whether it is a brace around statements.
struct Open {
  char bracket;
  bool isBlock;
};

} // namespace

std::unique_ptr<LineSource>
rasp::shell::makeStandardInput(llvm::raw_ostream *os) {
  return std::make_unique<StandardInput>(os);
}

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

/// A command of the shell ends with its line.
static bool isCommand(llvm::StringRef text) {
  if (text.starts_with(":"))
    return true;
  llvm::StringRef word = text.take_while(isWord);
  llvm::StringRef after = text.drop_front(word.size()).ltrim(" \t");
  if (word == "s") // `s-op examples on`
    return after.consume_front("-") && after.ltrim().consume_front("op") &&
           after.ltrim(" \top").starts_with("examples");
  return llvm::is_contained(
             {"set", "show", "examples", "selector", "exit", "quit"}, word) ||
         text.starts_with("full seq display");
}

Progress rasp::shell::progressOf(llvm::StringRef text) {
  text = text.ltrim();
  bool command = isCommand(text);
  llvm::SmallVector<Open> open;
  Progress progress;
  // Whether an expression ends before the current token; a brace after it
  // begins a block.
  bool afterValue = false;
  bool finished = true;
  while (!text.empty()) {
    char c = text.front();
    if (llvm::isSpace(c)) {
      text = text.drop_front();
      continue;
    }
    if (c == '#') {
      text = text.drop_until([](char end) { return end == '\n'; });
      continue;
    }
    if (c == '"') {
      size_t end = text.find_first_of("\"\r\n", 1);
      if (end == llvm::StringRef::npos || text[end] != '"')
        return {}; // the parser says what is wrong
      text = text.drop_front(end + 1);
      afterValue = true;
      finished = false;
      continue;
    }
    if (isWord(c)) {
      llvm::StringRef word = text.take_while(isWord);
      text = text.drop_front(word.size());
      afterValue = !llvm::is_contained(
          {"in", "if", "else", "and", "or", "not", "return"}, word);
      finished = false;
      continue;
    }
    text = text.drop_front();
    finished = false;
    switch (c) {
    case '(':
    case '[':
    case '{':
      open.push_back({c, c == '{' && afterValue});
      afterValue = false;
      break;
    case ')':
    case ']':
    case '}':
      if (open.empty())
        return {};
      finished = open.pop_back_val().isBlock && c == '}';
      afterValue = !finished;
      break;
    case ';':
      if (!open.empty() && !open.back().isBlock)
        return {};
      finished = true;
      afterValue = false;
      break;
    default:
      afterValue = false;
    }
  }
  progress.inBrackets = !open.empty();
  progress.openBlocks =
      llvm::count_if(open, [](const Open &item) { return item.isBlock; });
  progress.isComplete = open.empty() && (finished || command);
  return progress;
}

std::optional<std::string> rasp::shell::readInput(LineSource &lines,
                                                  bool &unfinished) {
  unfinished = false;
  std::string text;
  std::string prompt = ">> ";
  for (;;) {
    std::optional<std::string> line = lines.readLine(prompt);
    if (lines.wasCancelled())
      return "";
    if (!line) {
      unfinished = !llvm::StringRef(text).trim().empty();
      return unfinished ? std::optional(text) : std::nullopt;
    }
    bool isEmpty = llvm::StringRef(*line).trim().empty();
    text += *line + "\n";
    Progress progress = progressOf(text);
    if (progress.isComplete || (isEmpty && !progress.inBrackets))
      return text;
    prompt = std::string(2 * progress.openBlocks, ' ') + ".. ";
  }
}
