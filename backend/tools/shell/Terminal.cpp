//===- backend/tools/shell/Terminal.cpp - line editing --------------------===//
//
// Through libedit's readline interface, where the build found it.
//
//===----------------------------------------------------------------------===//

#include "backend/tools/shell/Reader.h"

using namespace rasp::shell;

#if !RASP_HAVE_LIBEDIT

std::unique_ptr<LineSource> rasp::shell::makeTerminal(Completions) {
  return makeStandardInput(&llvm::outs());
}

#else

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <editline/readline.h>

// The C interface passes no context to its callbacks.
static Completions *completions;
static std::vector<std::string> *candidates;

/// Called with state 0, 1, 2, ... until there is no further candidate.
static char *nextCandidate(const char *word, int state) {
  static size_t next;
  if (state == 0) {
    *candidates = (*completions)();
    next = 0;
  }
  while (next < candidates->size()) {
    const std::string &candidate = (*candidates)[next++];
    if (llvm::StringRef(candidate).starts_with(word))
      return strdup(candidate.c_str());
  }
  return nullptr;
}

static char **complete(const char *word, int, int) {
  rl_attempted_completion_over = 1; // no file names
  return rl_completion_matches(word, nextCandidate);
}

static volatile std::sig_atomic_t interrupted;

namespace {

class Terminal : public LineSource {
public:
  explicit Terminal(Completions names) : names(std::move(names)) {
    completions = &this->names;
    candidates = &found;
    rl_initialize();
    rl_readline_name = const_cast<char *>("rasp");
    rl_attempted_completion_function = complete;
    static char breaks[] = " \t\n\"()[]{},;=<>!+-*/%^#";
    rl_basic_word_break_characters = breaks;
    using_history();
    stifle_history(maxHistory);
    llvm::SmallString<128> home;
    if (llvm::sys::path::home_directory(home)) {
      llvm::sys::path::append(home, ".rasp_history");
      historyPath = home.str();
      read_history(historyPath.c_str());
    }
    // Ctrl-C gives up the line, not the session.
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, nullptr);
  }

  ~Terminal() override {
    if (!historyPath.empty())
      write_history(historyPath.c_str());
  }

  std::optional<std::string> readLine(llvm::StringRef prompt) override {
    llvm::outs().flush();
    interrupted = 0;
    char *line = readline(prompt.str().c_str());
    if (!line) {
      if (interrupted)
        llvm::outs() << '\n';
      return std::nullopt;
    }
    std::string text(line);
    free(line);
    return text;
  }

  void remember(llvm::StringRef input) override {
    std::string line = input.trim().str();
    if (line.empty())
      return;
    for (char &c : line)
      if (c == '\n')
        c = ' ';
    add_history(line.c_str());
  }

  bool wasCancelled() const override { return interrupted; }

private:
  static constexpr int maxHistory = 1000;

  Completions names;
  std::vector<std::string> found;
  std::string historyPath;
};

} // namespace

std::unique_ptr<LineSource> rasp::shell::makeTerminal(Completions names) {
  return std::make_unique<Terminal>(std::move(names));
}

#endif
