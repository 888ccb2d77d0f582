//===- runtime/Certificate.cpp - certificates as JSON ---------------------===//

#include "runtime/Certificate.h"

#include "runtime/NumberList.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace rasp::rt;
namespace json = llvm::json;

static constexpr llvm::StringLiteral formatName = "raspc-certificate";
static constexpr int64_t formatVersion = 1;
/// More combinations than the compiler tabulates.
static constexpr uint64_t maxCombinations = 1 << 22;

uint64_t Certificate::sizeOf(const Domain &domain, uint64_t limit) const {
  uint64_t size = 1;
  for (unsigned variable : domain.variables) {
    size *= variables[variable].size;
    if (size >= limit)
      return limit;
  }
  return size;
}

static llvm::StringRef spelling(Certificate::VariableKind kind) {
  constexpr llvm::StringLiteral names[] = {"token", "position", "moved", "mean",
                                           "width", "derived",  "sum"};
  return names[static_cast<size_t>(kind)];
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

template <typename T> static json::Value optional(const std::optional<T> &v) {
  return v ? json::Value(*v) : json::Value(nullptr);
}

json::Value rasp::rt::toJSON(const Certificate &certificate) {
  json::Array variables, forms, domains, directions, heads;
  for (const Certificate::Variable &variable : certificate.variables) {
    json::Object entry{{"name", variable.name},
                       {"kind", spelling(variable.kind)},
                       {"size", variable.size}};
    if (variable.interval)
      entry["interval"] = json::Array{variable.low, variable.high};
    variables.push_back(std::move(entry));
  }
  for (const Certificate::Form &form : certificate.forms) {
    json::Array terms;
    for (auto [direction, weight] : form.terms)
      terms.push_back(json::Array{direction, numberToJSON(weight)});
    forms.push_back(json::Object{{"variable", form.variable},
                                 {"terms", std::move(terms)},
                                 {"constant", numberToJSON(form.constant)},
                                 {"values", numbersToJSON(form.values)}});
  }
  for (const Certificate::Domain &domain : certificate.domains) {
    json::Object entry{{"variables", json::Array(domain.variables)}};
    if (!domain.excluded.empty())
      entry["excluded"] = numbersToJSON(
          std::vector<double>(domain.excluded.begin(), domain.excluded.end()));
    domains.push_back(std::move(entry));
  }
  for (const Certificate::Direction &direction : certificate.directions) {
    json::Object entry{{"label", direction.label},
                       {"writer", direction.writer},
                       {"range", json::Array{numberToJSON(direction.low),
                                             numberToJSON(direction.high)}},
                       {"at_bos", numberToJSON(direction.atBos)},
                       {"error", numberToJSON(direction.error)}};
    if (direction.variable) {
      entry["variable"] = *direction.variable;
      if (!direction.values.empty())
        entry["values"] = numbersToJSON(direction.values);
    }
    if (direction.domain) {
      entry["domain"] = *direction.domain;
      entry["input_error"] = numberToJSON(direction.inputError);
      entry["input_tolerance"] = optional(direction.inputTolerance);
    }
    directions.push_back(std::move(entry));
  }
  for (const Certificate::Head &head : certificate.heads) {
    json::Array moves;
    for (const Certificate::Move &move : head.moves) {
      json::Object entry{{"direction", move.target},
                         {"averages", move.averages}};
      if (move.domain) {
        entry["domain"] = *move.domain;
        entry["values"] = numbersToJSON(move.values);
      }
      moves.push_back(std::move(entry));
    }
    heads.push_back(
        json::Object{{"layer", head.layer},
                     {"head", head.head},
                     {"selector", head.selector},
                     {"construction", head.construction},
                     {"step", numberToJSON(head.step)},
                     {"selected", numberToJSON(head.selected)},
                     {"proportional", head.proportional},
                     {"score_error", numberToJSON(head.scoreError)},
                     {"score_tolerance", numberToJSON(head.scoreTolerance)},
                     {"tie_error", numberToJSON(head.tieError)},
                     {"leak", numberToJSON(head.leak)},
                     {"keys", json::Array(head.keys)},
                     {"queries", json::Array(head.queries)},
                     {"moves", std::move(moves)}});
  }
  const Certificate::Output &readout = certificate.readout;
  json::Object output{
      {"name", certificate.output},
      {"kind", readout.numerical ? "numerical" : "categorical"},
      {"domain", optional(readout.domain)},
      {"expected", numbersToJSON(std::vector<double>(readout.expected.begin(),
                                                     readout.expected.end()))},
      {"error", numberToJSON(readout.error)},
      {"margin", numberToJSON(readout.margin)}};
  json::Object result{{"format", formatName},
                      {"version", formatVersion},
                      {"program", certificate.program},
                      {"state_sha256", certificate.weightHash},
                      {"unit_roundoff", certificate.unitRoundoff},
                      {"max_seq_len", certificate.maxSeqLen},
                      {"causal", certificate.causal},
                      {"variables", std::move(variables)},
                      {"forms", std::move(forms)},
                      {"domains", std::move(domains)},
                      {"directions", std::move(directions)},
                      {"heads", std::move(heads)},
                      {"output", std::move(output)}};
  return result;
}

json::Value rasp::rt::toJSON(const Certificate::Reach &reach) {
  json::Object result{{"longest", reach.longest}};
  if (reach.unlimited)
    result["at_least"] = true;
  else
    result["limited_by"] = reach.limitedBy;
  return result;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Reads members and remembers the first thing that is not as it should be.
class Reader {
public:
  std::string problem;

  void fail(const llvm::Twine &what) {
    if (problem.empty())
      problem = what.str();
  }
  const json::Value *member(const json::Object &object, llvm::StringRef key) {
    const json::Value *value = object.get(key);
    if (!value)
      fail("no `" + key + "`");
    return value;
  }
  double real(const json::Object &object, llvm::StringRef key) {
    const json::Value *value = member(object, key);
    std::optional<double> result = value ? value->getAsNumber() : std::nullopt;
    if (!result)
      fail("`" + key + "` is no number");
    return result.value_or(0);
  }
  uint64_t index(const json::Value *value, uint64_t end,
                 const llvm::Twine &what) {
    std::optional<int64_t> result =
        value ? value->getAsInteger() : std::nullopt;
    if (!result || *result < 0 || static_cast<uint64_t>(*result) >= end) {
      fail(what + " is not an integer below " + llvm::Twine(end));
      return 0;
    }
    return static_cast<uint64_t>(*result);
  }
  unsigned index(const json::Object &object, llvm::StringRef key,
                 uint64_t end) {
    return static_cast<unsigned>(
        index(member(object, key), end, "`" + key + "`"));
  }
  std::string text(const json::Object &object, llvm::StringRef key) {
    const json::Value *value = member(object, key);
    std::optional<llvm::StringRef> result =
        value ? value->getAsString() : std::nullopt;
    if (!result)
      fail("`" + key + "` is no string");
    return result.value_or("").str();
  }
  bool boolean(const json::Object &object, llvm::StringRef key) {
    const json::Value *value = member(object, key);
    std::optional<bool> result = value ? value->getAsBoolean() : std::nullopt;
    if (!result)
      fail("`" + key + "` is neither true nor false");
    return result.value_or(false);
  }
  /// The elements of a list of objects.
  std::vector<const json::Object *> objects(const json::Object &object,
                                            llvm::StringRef key) {
    std::vector<const json::Object *> result;
    const json::Value *value = member(object, key);
    const json::Array *array = value ? value->getAsArray() : nullptr;
    if (!array)
      fail("`" + key + "` is no list");
    for (size_t i = 0; array && i < array->size(); ++i) {
      if (const json::Object *element = (*array)[i].getAsObject())
        result.push_back(element);
      else
        fail("`" + key + "` has an element that is no object");
    }
    return result;
  }
  std::vector<unsigned> indices(const json::Object &object, llvm::StringRef key,
                                uint64_t end) {
    std::vector<unsigned> result;
    const json::Value *value = member(object, key);
    const json::Array *array = value ? value->getAsArray() : nullptr;
    if (!array)
      fail("`" + key + "` is no list");
    for (size_t i = 0; array && i < array->size(); ++i)
      result.push_back(static_cast<unsigned>(
          index(&(*array)[i], end, "an element of `" + key + "`")));
    return result;
  }
  /// A list of numbers, plain or as runs; null stands for NaN.
  std::vector<double> numbers(const json::Object &object, llvm::StringRef key) {
    std::vector<double> result;
    const json::Value *value = member(object, key);
    if (!value)
      return result;
    llvm::Expected<std::vector<double>> list =
        numbersFromJSON(*value, maxCombinations);
    if (list)
      return std::move(*list);
    fail("`" + key + "` " + llvm::toString(list.takeError()));
    return result;
  }
};
} // namespace

static void readVariables(Reader &reader, const json::Object &object,
                          Certificate &result) {
  using Kind = Certificate::VariableKind;
  constexpr Kind kinds[] = {Kind::Token, Kind::Position, Kind::Moved,
                            Kind::Mean,  Kind::Width,    Kind::Derived,
                            Kind::Sum};
  for (const json::Object *entry : reader.objects(object, "variables")) {
    Certificate::Variable variable;
    variable.name = reader.text(*entry, "name");
    std::string kind = reader.text(*entry, "kind");
    auto found = llvm::find_if(
        kinds, [&](Kind known) { return spelling(known) == kind; });
    if (found == std::end(kinds))
      reader.fail("a variable of the unknown kind `" + kind + "`");
    else
      variable.kind = *found;
    variable.size = reader.index(*entry, "size", maxCombinations);
    if (const json::Value *interval = entry->get("interval")) {
      const json::Array *ends = interval->getAsArray();
      if (!ends || ends->size() != 2 || !(*ends)[0].getAsNumber() ||
          !(*ends)[1].getAsNumber() || variable.size != 2) {
        reader.fail("an `interval` that is no pair of numbers");
      } else {
        variable.interval = true;
        variable.low = *(*ends)[0].getAsNumber();
        variable.high = *(*ends)[1].getAsNumber();
      }
    }
    result.variables.push_back(std::move(variable));
  }
}

/// `values` must have one entry for each combination.
static void requireSize(Reader &reader, const Certificate &certificate,
                        std::optional<unsigned> domain, size_t size) {
  if (!reader.problem.empty())
    return;
  uint64_t expected = domain ? certificate.sizeOf(certificate.domains[*domain],
                                                  maxCombinations + 1)
                             : 0;
  if (size != expected)
    reader.fail("a table of " + llvm::Twine(size) +
                " entries over a domain of " + llvm::Twine(expected));
}

llvm::Expected<Certificate>
rasp::rt::certificateFromJSON(const json::Value &value) {
  Certificate result;
  Reader reader;
  auto finish = [&]() -> llvm::Expected<Certificate> {
    if (reader.problem.empty())
      return std::move(result);
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   reader.problem);
  };
  const json::Object *object = value.getAsObject();
  if (!object || object->getString("format") != formatName) {
    reader.fail("no certificate");
    return finish();
  }
  if (object->getInteger("version") != formatVersion) {
    reader.fail(
        "a certificate of another version; this program reads version " +
        llvm::Twine(formatVersion));
    return finish();
  }
  result.program = reader.text(*object, "program");
  result.weightHash = reader.text(*object, "state_sha256");
  result.unitRoundoff = reader.real(*object, "unit_roundoff");
  result.maxSeqLen = reader.index(*object, "max_seq_len", 1 << 30);
  result.causal = reader.boolean(*object, "causal");
  readVariables(reader, *object, result);

  size_t numVariables = result.variables.size();
  for (const json::Object *entry : reader.objects(*object, "domains")) {
    Certificate::Domain domain;
    domain.variables = reader.indices(*entry, "variables", numVariables);
    if (!reader.problem.empty())
      return finish();
    uint64_t size = result.sizeOf(domain, maxCombinations + 1);
    if (size > maxCombinations)
      reader.fail("a domain of more than " + llvm::Twine(maxCombinations) +
                  " combinations");
    if (entry->get("excluded")) {
      for (double d : reader.numbers(*entry, "excluded"))
        domain.excluded.push_back(d != 0);
      if (domain.excluded.size() != size)
        reader.fail("`excluded` does not fit its domain");
    }
    result.domains.push_back(std::move(domain));
  }

  size_t numDomains = result.domains.size();
  auto readDomain = [&](const json::Object &entry) -> std::optional<unsigned> {
    const json::Value *own = entry.get("domain");
    if (!own || own->getAsNull())
      return std::nullopt;
    return reader.index(entry, "domain", numDomains);
  };
  auto entries = reader.objects(*object, "directions");
  for (const json::Object *entry : entries) {
    Certificate::Direction direction;
    direction.label = reader.text(*entry, "label");
    direction.writer = reader.text(*entry, "writer");
    direction.error = reader.real(*entry, "error");
    direction.atBos = reader.real(*entry, "at_bos");
    const json::Array *ends = entry->getArray("range");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    auto end = [&](size_t i, double otherwise) {
      return ends && i < ends->size()
                 ? (*ends)[i].getAsNumber().value_or(otherwise)
                 : otherwise;
    };
    direction.low = end(0, -infinity);
    direction.high = end(1, infinity);
    direction.domain = readDomain(*entry);
    if (entry->get("variable")) {
      direction.variable = reader.index(*entry, "variable", numVariables);
      if (entry->get("values"))
        direction.values = reader.numbers(*entry, "values");
      if (reader.problem.empty() && !direction.values.empty() &&
          direction.values.size() != result.variables[*direction.variable].size)
        reader.fail("`values` of " + direction.label +
                    " do not fit their variable");
    }
    result.directions.push_back(std::move(direction));
  }
  size_t numDirections = result.directions.size();
  for (const json::Object *entry : reader.objects(*object, "forms")) {
    Certificate::Form form;
    form.variable = reader.index(*entry, "variable", numVariables);
    form.constant = reader.real(*entry, "constant");
    form.values = reader.numbers(*entry, "values");
    const json::Array *terms = entry->getArray("terms");
    if (!terms)
      reader.fail("a form without `terms`");
    for (size_t i = 0; terms && i < terms->size(); ++i) {
      const json::Array *pair = (*terms)[i].getAsArray();
      if (!pair || pair->size() != 2 || !(*pair)[1].getAsNumber()) {
        reader.fail("a term that is no pair of numbers");
        break;
      }
      form.terms.emplace_back(
          reader.index(&(*pair)[0], numDirections, "a term's direction"),
          *(*pair)[1].getAsNumber());
    }
    if (reader.problem.empty() &&
        form.values.size() != result.variables[form.variable].size)
      reader.fail("a form's `values` do not fit its variable");
    result.forms.push_back(std::move(form));
  }
  for (const json::Object *entry : reader.objects(*object, "heads")) {
    Certificate::Head head;
    head.layer = reader.index(*entry, "layer", 1 << 20);
    head.head = reader.index(*entry, "head", 1 << 20);
    head.selector = reader.text(*entry, "selector");
    head.construction = entry->getString("construction").value_or("").str();
    head.step = reader.real(*entry, "step");
    head.selected = reader.real(*entry, "selected");
    head.proportional = reader.boolean(*entry, "proportional");
    head.scoreError = reader.real(*entry, "score_error");
    head.tieError = reader.real(*entry, "tie_error");
    // Files of before heads could leak have none.
    if (entry->get("leak"))
      head.leak = reader.real(*entry, "leak");
    head.keys = reader.indices(*entry, "keys", numDomains);
    head.queries = reader.indices(*entry, "queries", numDomains);
    for (const json::Object *own : reader.objects(*entry, "moves")) {
      Certificate::Move move;
      move.target = reader.index(*own, "direction", numDirections);
      move.averages = reader.boolean(*own, "averages");
      move.domain = readDomain(*own);
      if (move.domain) {
        move.values = reader.numbers(*own, "values");
        requireSize(reader, result, move.domain, move.values.size());
      }
      head.moves.push_back(std::move(move));
    }
    result.heads.push_back(std::move(head));
  }
  if (const json::Object *output = object->getObject("output")) {
    result.output = reader.text(*output, "name");
    result.readout.numerical = reader.text(*output, "kind") == "numerical";
    result.readout.domain = readDomain(*output);
    for (double d : reader.numbers(*output, "expected"))
      result.readout.expected.push_back(static_cast<int32_t>(
          std::isnan(d) || std::fabs(d) > 0x1p30 ? -1 : d));
    requireSize(reader, result, result.readout.domain,
                result.readout.expected.size());
    result.readout.error = reader.real(*output, "error");
    result.readout.margin = reader.real(*output, "margin");
  } else {
    reader.fail("no `output`");
  }
  return finish();
}
