//===- ir/DiagnosticsJSON.cpp - messages for editors ----------------------===//

#include "ir/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp::ir;
using llvm::SMLoc;
using llvm::SMRange;
using llvm::StringRef;

static StringRef severityName(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return "error";
  case Severity::Warning:
    return "warning";
  case Severity::Note:
    return "note";
  case Severity::Remark:
    return "remark";
  }
  llvm_unreachable("all severities are listed");
}

namespace {

class Writer {
public:
  Writer(llvm::json::OStream &json, const llvm::SourceMgr &sources)
      : json(json), sources(sources) {}

  /// A message; notes follow inside of it.
  void write(const Diagnostic &diagnostic, llvm::ArrayRef<Diagnostic> notes) {
    json.object([&] {
      const llvm::MemoryBuffer *buffer = bufferOf(diagnostic.range);
      json.attribute("file", buffer ? llvm::json::Value(llvm::json::fixUTF8(
                                          buffer->getBufferIdentifier()))
                                    : llvm::json::Value(nullptr));
      json.attribute("severity", severityName(diagnostic.severity));
      json.attribute("name", diagnostic.name);
      json.attribute("message", llvm::json::fixUTF8(diagnostic.message));
      json.attributeBegin("range");
      writeRange(diagnostic.range, buffer);
      json.attributeEnd();
      json.attributeArray("fixits", [&] {
        if (diagnostic.fixIt.empty() || !buffer)
          return;
        json.object([&] {
          json.attributeBegin("range");
          writeRange(diagnostic.range, buffer);
          json.attributeEnd();
          json.attribute("text", llvm::json::fixUTF8(diagnostic.fixIt));
        });
      });
      if (diagnostic.severity == Severity::Note)
        return;
      json.attributeArray("notes", [&] {
        for (const Diagnostic &note : notes)
          write(note, {});
      });
    });
  }

private:
  const llvm::MemoryBuffer *bufferOf(SMRange range) const {
    unsigned id =
        range.isValid() ? sources.FindBufferContainingLoc(range.Start) : 0;
    return id ? sources.getMemoryBuffer(id) : nullptr;
  }

  void writeRange(SMRange range, const llvm::MemoryBuffer *buffer) {
    if (!buffer) {
      json.value(nullptr);
      return;
    }
    json.object([&] {
      for (auto [key, place] :
           {std::pair("start", range.Start), std::pair("end", range.End)}) {
        json.attributeBegin(key);
        writePlace(place.getPointer(), *buffer);
        json.attributeEnd();
      }
    });
  }

  void writePlace(const char *place, const llvm::MemoryBuffer &buffer) {
    StringRef before(buffer.getBufferStart(),
                     size_t(place - buffer.getBufferStart()));
    size_t lineStart = before.rfind('\n') + 1; // after none: 0
    json.object([&] {
      json.attribute("line", before.count('\n') + 1);
      json.attribute("column", 1 + llvm::count_if(before.drop_front(lineStart),
                                                  [](char c) {
                                                    return (c & 0xc0) != 0x80;
                                                  }));
      json.attribute("offset", before.size());
    });
  }

  llvm::json::OStream &json;
  const llvm::SourceMgr &sources;
};

} // namespace

void Diagnostics::printJSON(llvm::raw_ostream &os) const {
  llvm::ArrayRef<Diagnostic> rest = list;
  while (!rest.empty()) {
    llvm::ArrayRef<Diagnostic> notes =
        rest.drop_front().take_while([](const Diagnostic &diagnostic) {
          return diagnostic.severity == Severity::Note;
        });
    llvm::json::OStream json(os);
    Writer(json, sources).write(rest.front(), notes);
    json.flush();
    os << '\n';
    rest = rest.drop_front(1 + notes.size());
  }
}
