//===- ir/Diagnostics.cpp - errors, warnings, notes, remarks --------------===//

#include "ir/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Unicode.h"

using namespace rasp::ir;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;

std::vector<llvm::StringLiteral> rasp::ir::kindNames(Severity wanted) {
  std::vector<llvm::StringLiteral> names;
#define DIAG(Name, severity, text, signature)                                  \
  if (Severity::severity == wanted)                                            \
    names.push_back(#Name);
#include "ir/Diagnostics.def"
  return names;
}

std::string rasp::ir::counted(uint64_t count, StringRef noun) {
  return (llvm::Twine(count) + " " + noun + (count == 1 ? "" : "s")).str();
}

Diagnostic &Diagnostics::add(Diagnostic made, bool onRequest) {
  if (made.severity != Severity::Note)
    leavesOut = made.severity == Severity::Warning &&
                !thePolicy.isTold(made.name, onRequest);
  if (leavesOut)
    return leftOut = std::move(made);
  if (made.severity == Severity::Warning && thePolicy.isError(made.name)) {
    made.severity = Severity::Error;
    made.promoted = true;
  }
  errors += made.severity == Severity::Error;
  return list.emplace_back(std::move(made));
}

static llvm::SourceMgr::DiagKind sourceMgrKind(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return llvm::SourceMgr::DK_Error;
  case Severity::Warning:
    return llvm::SourceMgr::DK_Warning;
  case Severity::Note:
    return llvm::SourceMgr::DK_Note;
  case Severity::Remark:
    return llvm::SourceMgr::DK_Remark;
  }
  llvm_unreachable("all severities are listed");
}

//===----------------------------------------------------------------------===//
// Lines that SourceMgr draws no caret for
//===----------------------------------------------------------------------===//

/// A longer line is shown only around the place in question.
static constexpr size_t maxLineSize = 400;
static constexpr size_t contextSize = 60;

/// The line of the buffer around `position`, without its end.
static StringRef lineAround(StringRef buffer, const char *position) {
  size_t offset = position - buffer.begin();
  size_t begin = buffer.take_front(offset).find_last_of("\r\n");
  begin = begin == StringRef::npos ? 0 : begin + 1;
  size_t end = buffer.find_first_of("\r\n", offset);
  return buffer.slice(begin, end);
}

static bool isControl(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}
static bool isContinuation(char c) { return (c & 0xc0) == 0x80; }

/// How many columns a terminal needs; tabs go to multiples of 8.
static size_t displayWidth(StringRef text) {
  size_t width = 0;
  while (!text.empty()) {
    // Bytes that continue nothing stand for themselves.
    size_t most =
        std::min<size_t>(llvm::getNumBytesForUTF8(text.front()), text.size());
    size_t size = 1;
    while (size < most && isContinuation(text[size]))
      ++size;
    int columns = llvm::sys::unicode::columnWidthUTF8(text.take_front(size));
    if (text.front() == '\t')
      width = (width / 8 + 1) * 8;
    else
      width += columns < 0 ? 1 : columns;
    text = text.drop_front(size);
  }
  return width;
}

/// The part of a long line around the text from `start` to `end`.
static StringRef window(StringRef line, const char *start, const char *end) {
  if (line.size() <= maxLineSize)
    return line;
  const char *first =
      start - std::min<size_t>(start - line.begin(), contextSize);
  end = std::min(end, start + maxLineSize);
  const char *last = end + std::min<size_t>(line.end() - end, contextSize);
  while (first < start && isContinuation(*first))
    ++first;
  while (last < line.end() && isContinuation(*last))
    ++last;
  return {first, static_cast<size_t>(last - first)};
}

/// Line, caret row and fix-it row in columns of the terminal.
static void printLine(llvm::raw_ostream &os, StringRef line, SMRange range,
                      StringRef fixIt) {
  const char *start = range.Start.getPointer();
  const char *end = std::min(range.End.getPointer(), line.end());
  StringRef shown = window(line, start, std::max(start, end));
  end = std::clamp(end, start, shown.end());
  StringRef ellipsis = shown.begin() == line.begin() ? "" : "...";

  size_t offset = start - shown.begin();
  std::string text =
      ellipsis.str() + llvm::json::fixUTF8(shown.take_front(offset));
  size_t caret = displayWidth(text);
  text += llvm::json::fixUTF8(shown.substr(offset, end - start));
  size_t width = displayWidth(text) - caret;
  text += llvm::json::fixUTF8(shown.drop_front(offset + (end - start)));

  for (size_t i = 0, column = 0; i < text.size(); ++i) {
    if (isControl(text[i]) && text[i] != '\t') {
      os << '?'; // terminals take orders from such characters
      ++column;
    } else if (text[i] == '\t') {
      size_t next = (column / 8 + 1) * 8;
      os.indent(next - column);
      column = next;
    } else {
      os << text[i];
      if (i + 1 == text.size() || !isContinuation(text[i + 1]))
        column = displayWidth(StringRef(text).take_front(i + 1));
    }
  }
  os << (shown.end() == line.end() ? "\n" : "...\n");
  os.indent(caret) << '^' << std::string(width ? width - 1 : 0, '~') << '\n';
  if (!fixIt.empty() && !fixIt.contains('\n'))
    os.indent(caret) << fixIt << '\n';
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

void Diagnostics::print(llvm::raw_ostream &os,
                        const Diagnostic &diagnostic) const {
  auto kind = sourceMgrKind(diagnostic.severity);
  std::string message = (diagnostic.message + " [" + diagnostic.name +
                         (diagnostic.promoted ? ",-Werror]" : "]"))
                            .str();
  SMLoc start = diagnostic.range.Start;
  unsigned bufferId =
      start.isValid() ? sources.FindBufferContainingLoc(start) : 0;
  if (bufferId == 0) {
    llvm::SMDiagnostic("", kind, message).print(nullptr, os);
    return;
  }

  const llvm::MemoryBuffer *buffer = sources.getMemoryBuffer(bufferId);
  StringRef line = lineAround(buffer->getBuffer(), start.getPointer());
  if (line.size() > maxLineSize || !llvm::all_of(line, [](char c) {
        return llvm::isPrint(c) || c == '\t';
      })) {
    StringRef before(line.begin(), start.getPointer() - line.begin());
    size_t column =
        1 + llvm::count_if(before, [](char c) { return !isContinuation(c); });
    StringRef file = buffer->getBufferIdentifier();
    std::string place =
        llvm::formatv("{0}:{1}:{2}", file == "-" ? "<stdin>" : file,
                      sources.FindLineNumber(start, bufferId), column)
            .str();
    llvm::SMDiagnostic(place, kind, message).print(nullptr, os);
    printLine(os, line, diagnostic.range, diagnostic.fixIt);
    return;
  }

  llvm::SmallVector<llvm::SMFixIt, 1> fixIts;
  if (!diagnostic.fixIt.empty())
    fixIts.emplace_back(diagnostic.range, diagnostic.fixIt);
  sources.PrintMessage(
      os, sources.GetMessage(start, kind, message, diagnostic.range, fixIts));
}

void Diagnostics::printAll(llvm::raw_ostream &os) const {
  for (const Diagnostic &diagnostic : list)
    print(os, diagnostic);
}
