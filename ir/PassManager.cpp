//===- ir/PassManager.cpp - what is seen of passes while they run ---------===//

#include "ir/PassManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace rasp::ir;
using llvm::StringRef;

PassManager::PassManager(PassOptions options, StringRef name,
                         llvm::raw_ostream &os)
    : theOptions(std::move(options)), name(name == "-" ? "stdin" : name),
      os(os), timers("passes", "Passes") {}

PassManager::~PassManager() {
  if (theOptions.timePasses)
    timers.print(os, /*ResetAfterPrint=*/true);
  else
    timers.clear();
}

bool PassManager::fail(const llvm::Twine &what) {
  theFailure = what.str();
  return false;
}

bool PassManager::failToDump(const llvm::Twine &what) {
  theFileTrouble = what.str();
  return false;
}

bool PassManager::dump(StringRef pass, StringRef extension, bool changed,
                       StringRef text) {
  StringRef folder = theOptions.dumpDir;
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return failToDump("'" + folder + "': " + code.message());
  std::string number = llvm::utostr(count);
  number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0');
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name + "." + number + "." + pass +
                                    (changed ? ".changed." : ".") + extension);
  llvm::Error failure = llvm::writeToOutput(path, [&](llvm::raw_ostream &file) {
    file << text;
    return llvm::Error::success();
  });
  if (!failure)
    return true;
  return failToDump(llvm::toString(std::move(failure)));
}

bool PassManager::run(StringRef pass, StringRef extension, Print print,
                      Verify verify,
                      llvm::function_ref<std::optional<bool>()> transform) {
  auto text = [&] {
    std::string result;
    llvm::raw_string_ostream stream(result);
    print(stream);
    return result;
  };
  std::string before;
  if (theOptions.verifyEach)
    before = text();

  llvm::Timer *timer = nullptr;
  if (theOptions.timePasses) {
    auto found = llvm::find_if(
        timerOf, [&](const auto &entry) { return entry.first == pass; });
    if (found == timerOf.end()) {
      timerOf.emplace_back(pass.str(),
                           std::make_unique<llvm::Timer>(pass, pass, timers));
      found = std::prev(timerOf.end());
    }
    timer = found->second.get();
  }
  std::optional<bool> outcome;
  {
    llvm::TimeRegion region(timer);
    outcome = transform();
  }
  if (!outcome)
    return true;
  bool changed = *outcome;
  ++count;
  stopped = stopped || pass == theOptions.stopAfter;

  bool shown = theOptions.printAfterAll ||
               llvm::is_contained(theOptions.printAfter, pass) ||
               (theOptions.printChanged && changed);
  if (shown)
    os << "// after " << pass << (changed ? "" : ", unchanged") << "\n"
       << text();
  else if (theOptions.printChanged)
    os << "// after " << pass << ", unchanged\n";
  if (!theOptions.dumpDir.empty() && !dump(pass, extension, changed, text()))
    return false;
  if (!theOptions.verifyEach)
    return true;
  if (!changed && text() != before)
    return fail("pass `" + pass + "` says that it changed nothing, but did");
  return verify() || fail("pass `" + pass + "` leaves what is not well-formed");
}
