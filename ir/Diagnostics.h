//===- ir/Diagnostics.h - errors, warnings, notes, remarks ------*- C++ -*-===//
//
// Every message is declared once in Diagnostics.def with its severity, its
// text and the types of its arguments:
//
//   diags.emit(range, diag::UnknownName, name);
//
// is checked at compile time. Messages are rendered by llvm::SourceMgr and end
// in the name of their kind: `... [UnknownName]`. A note belongs to the message
// before it.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_IR_DIAGNOSTICS_H
#define RASP_IR_DIAGNOSTICS_H

#include "ir/DiagnosticPolicy.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"
#include <string>
#include <type_traits>
#include <vector>

namespace rasp::ir {

enum class Severity : uint8_t { Error, Warning, Note, Remark };

/// One kind of message; `Args` are the types that its text is filled with.
template <typename... Args> struct DiagKind {
  llvm::StringLiteral name;
  Severity severity;
  llvm::StringLiteral text;
  bool onRequest = false; ///< a warning that only `-W` and its name turn on
};

namespace diag {
template <typename> struct KindOf;
template <typename... Args> struct KindOf<void(Args...)> {
  using type = DiagKind<Args...>;
};
#define DIAG(Name, severity, text, signature)                                  \
  inline constexpr KindOf<signature>::type Name{#Name, Severity::severity,     \
                                                text};
#define DIAG_ON_REQUEST(Name, severity, text, signature)                       \
  inline constexpr KindOf<signature>::type Name{#Name, Severity::severity,     \
                                                text, true};
#include "ir/Diagnostics.def"
} // namespace diag

/// The names of all kinds of a severity, in the order of the table.
std::vector<llvm::StringLiteral> kindNames(Severity severity);

/// One emitted message.
struct Diagnostic {
  llvm::StringRef name;
  Severity severity;
  llvm::SMRange range; ///< invalid when the message is about no text
  std::string message;
  /// What would repair it: the text to put in place of `range`, or empty.
  std::string fixIt;
  /// The language's own name for what is wrong with a value, such as
  /// "python-type"; empty where `name` says it all.
  llvm::StringRef category;
  /// A warning that counts as an error.
  bool promoted = false;
};

/// A message that no list has yet.
template <typename... Args>
Diagnostic makeDiagnostic(llvm::SMRange range, const DiagKind<Args...> &kind,
                          const std::type_identity_t<Args> &...args) {
  return {kind.name, kind.severity,
          range,     llvm::formatv(kind.text.data(), args...).str(),
          "",        ""};
}

/// "1 head", "2 heads".
std::string counted(uint64_t count, llvm::StringRef noun);

/// Collects messages, in the order in which they were emitted; prints them on
/// request. Positions refer to buffers of the SourceMgr.
class Diagnostics {
public:
  explicit Diagnostics(llvm::SourceMgr &sources, DiagnosticPolicy policy = {})
      : sources(sources), thePolicy(std::move(policy)) {}

  /// What the policy leaves out is not kept, and neither are its notes; what is
  /// returned for it may be written to all the same.
  template <typename... Args>
  Diagnostic &emit(llvm::SMRange range, const DiagKind<Args...> &kind,
                   const std::type_identity_t<Args> &...args) {
    return add(makeDiagnostic(range, kind, args...), kind.onRequest);
  }
  /// `onRequest`: a warning that is told only where it is asked for.
  Diagnostic &add(Diagnostic diagnostic, bool onRequest = false);

  /// Takes over the messages of an attempt whose messages were kept apart under
  /// the same policy.
  void append(const Diagnostics &other) {
    list.insert(list.end(), other.list.begin(), other.list.end());
    errors += other.errors;
    leavesOut = false;
  }

  bool hasErrors() const { return errors != 0; }
  unsigned errorCount() const { return errors; }
  llvm::ArrayRef<Diagnostic> all() const { return list; }
  llvm::SourceMgr &sourceMgr() { return sources; }
  const DiagnosticPolicy &policy() const { return thePolicy; }
  /// Concerns what is emitted from now on.
  void setPolicy(DiagnosticPolicy policy) { thePolicy = std::move(policy); }
  /// Forgets all messages, so that a session can begin its next input.
  void clear() {
    list.clear();
    errors = 0;
  }

  /// Writes `diagnostic` with file, line, column and caret.
  void print(llvm::raw_ostream &os, const Diagnostic &diagnostic) const;
  void printAll(llvm::raw_ostream &os) const;
  /// One JSON object per line, for each message with its notes; README.md has
  /// the members.
  void printJSON(llvm::raw_ostream &os) const;

private:
  llvm::SourceMgr &sources;
  DiagnosticPolicy thePolicy;
  std::vector<Diagnostic> list;
  unsigned errors = 0;
  Diagnostic leftOut;
  bool leavesOut = false; ///< the last message, and so its notes
};

} // namespace rasp::ir

#endif
