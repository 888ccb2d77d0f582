//===- runtime/Atom.cpp - text forms of tokens and outputs ----------------===//

#include "runtime/Atom.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

using namespace rasp::rt;

llvm::StringRef rasp::rt::typeName(const Atom &atom) {
  static constexpr llvm::StringLiteral names[] = {"bool", "int", "float",
                                                  "string"};
  return names[atom.index()];
}

double rasp::rt::numberOf(const Atom &atom) {
  if (const auto *number = std::get_if<double>(&atom))
    return *number;
  if (const auto *number = std::get_if<int64_t>(&atom))
    return static_cast<double>(*number);
  if (const auto *truth = std::get_if<bool>(&atom))
    return *truth;
  return std::numeric_limits<double>::quiet_NaN();
}

bool rasp::rt::isSameValue(const Atom &a, const Atom &b) {
  return a == b || numberOf(a) == numberOf(b);
}

/// Python's repr of a float: the shortest digits that read back.
static std::string floatText(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[64];
  auto text = [&](std::chars_format format) {
    auto result = std::to_chars(buffer, buffer + sizeof(buffer), value, format);
    return llvm::StringRef(buffer, result.ptr - buffer);
  };
  llvm::StringRef scientific = text(std::chars_format::scientific);
  int exponent = 0;
  scientific.split('e').second.ltrim('+').getAsInteger(10, exponent);
  if (exponent < -4 || exponent >= 16)
    return scientific.str();
  std::string fixed = text(std::chars_format::fixed).str();
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

void rasp::rt::printJSON(llvm::raw_ostream &os, const Atom &atom) {
  if (auto *number = std::get_if<double>(&atom))
    os << floatText(*number);
  else if (auto *flag = std::get_if<bool>(&atom))
    os << (*flag ? "true" : "false");
  else if (auto *integer = std::get_if<int64_t>(&atom))
    os << *integer;
  else
    os << llvm::json::Value(llvm::json::fixUTF8(std::get<std::string>(atom)));
}

void rasp::rt::printJSON(llvm::raw_ostream &os, llvm::ArrayRef<Atom> atoms) {
  os << '[';
  llvm::interleave(
      atoms, os, [&](const Atom &atom) { printJSON(os, atom); }, ",");
  os << ']';
}

std::optional<Atom> rasp::rt::atomFromJSON(const llvm::json::Value &json) {
  if (auto flag = json.getAsBoolean())
    return std::make_optional<Atom>(*flag);
  if (auto text = json.getAsString())
    return std::make_optional<Atom>(text->str());
  // Of a double, only the former gives an integer; of 2^63, the least one.
  auto integer = json.getAsInteger();
  if (integer &&
      (*integer < 0 ? *json.getAsNumber() < 0 : json.getAsUINT64().has_value()))
    return std::make_optional<Atom>(*integer);
  if (auto number = json.getAsNumber())
    return std::make_optional<Atom>(*number);
  return std::nullopt;
}

std::optional<Atom> rasp::rt::atomFromJSON(const llvm::json::Value &json,
                                           llvm::StringRef type) {
  std::optional<Atom> atom = atomFromJSON(json);
  if (!atom)
    return std::nullopt;
  if (auto *integer = std::get_if<int64_t>(&*atom); integer && type == "float")
    return std::make_optional<Atom>(double(*integer));
  if (typeName(*atom) != type)
    return std::nullopt;
  return atom;
}

void rasp::rt::printPython(llvm::raw_ostream &os, const Atom &atom) {
  if (auto *flag = std::get_if<bool>(&atom)) {
    os << (*flag ? "True" : "False");
    return;
  }
  auto *text = std::get_if<std::string>(&atom);
  if (!text) {
    printJSON(os, atom);
    return;
  }
  bool doubleQuotes = text->find('\'') != std::string::npos &&
                      text->find('"') == std::string::npos;
  char quote = doubleQuotes ? '"' : '\'';
  os << quote;
  for (char c : *text) {
    if (c == quote || c == '\\')
      os << '\\' << c;
    else if (c == '\n')
      os << "\\n";
    else if (c == '\t')
      os << "\\t";
    else if (c == '\r')
      os << "\\r";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      os << llvm::format("\\x%02x", c);
    else
      os << c;
  }
  os << quote;
}

void rasp::rt::printPython(llvm::raw_ostream &os, llvm::ArrayRef<Atom> atoms) {
  os << '[';
  llvm::interleave(
      atoms, os, [&](const Atom &atom) { printPython(os, atom); }, ", ");
  os << ']';
}

std::string rasp::rt::displayText(const Atom &atom) {
  if (auto *flag = std::get_if<bool>(&atom))
    return *flag ? "T" : "F";
  if (auto *text = std::get_if<std::string>(&atom))
    return *text;
  if (auto *integer = std::get_if<int64_t>(&atom))
    return std::to_string(*integer);
  double number = std::get<double>(atom);
  if (!std::isfinite(number) || std::fabs(number) >= 1e16)
    return floatText(number);
  // printf rounds the exact value, ties to even, as Python's round does.
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.3f", number);
  return floatText(std::strtod(buffer, nullptr));
}

/// The type of a sequence: that of its values, and of bools, ints and floats
/// together the last.
static llvm::StringRef sequenceType(llvm::ArrayRef<Atom> atoms) {
  size_t widest = 0;
  for (const Atom &atom : atoms)
    widest = std::max(widest, atom.index());
  static constexpr llvm::StringLiteral names[] = {"bools", "ints", "floats",
                                                  "strings"};
  return names[widest];
}

void rasp::rt::printSequence(llvm::raw_ostream &os,
                             llvm::ArrayRef<Atom> atoms) {
  os << '[';
  bool allEqual =
      atoms.size() > 1 && llvm::all_of(atoms, [&](const Atom &atom) {
        return isSameValue(atom, atoms.front());
      });
  if (allEqual) {
    os << displayText(atoms.front()) << "]*" << atoms.size();
  } else {
    llvm::interleave(
        atoms, os, [&](const Atom &atom) { os << displayText(atom); }, ", ");
    os << ']';
  }
  os << " (" << sequenceType(atoms) << ')';
}
