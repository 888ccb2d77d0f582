//===- ir/UselessOps.cpp - ops whose result is no news --------------------===//

#include "ir/UselessOps.h"
#include "ir/Description.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace rasp::ir;
using llvm::StringRef;

namespace {

/// What is found of all ops that a piece of text stands for.
struct Verdict {
  bool canBeTrue = false, canBeFalse = false;
  bool selects = false, isSelect = false;
  bool defaultCounts = false, isAggregate = false;
  const Node *op = nullptr; ///< the first
};

using Place = std::pair<const char *, const char *>;

} // namespace

static StringRef textAt(Place place) {
  return {place.first, size_t(place.second - place.first)};
}

/// Whether `text` is one call, of `callee` if that is given.
static bool isCall(StringRef text, StringRef callee = "") {
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  StringRef name = text.take_while(isWord);
  StringRef rest = text.drop_front(name.size()).ltrim();
  if (name.empty() || !rest.starts_with("(") || !rest.ends_with(")"))
    return false;
  if (!callee.empty())
    return name == callee;
  unsigned depth = 0;
  for (size_t i = 0; i + 1 < rest.size(); ++i) {
    depth += rest[i] == '(';
    depth -= rest[i] == ')';
    if (depth == 0)
      return false;
  }
  return true;
}

static bool isComparison(OpKind kind) {
  return llvm::is_contained(
      {OpKind::Eq, OpKind::Ne, OpKind::Lt, OpKind::Gt, OpKind::Le, OpKind::Ge},
      kind);
}

/// Whether a pair of a key and a query may compare true.
static bool maySelect(const Node *select, ValueSets &values) {
  constexpr size_t mostPairs = 1 << 16;
  if (values.selectors().facts(select).alwaysFalse)
    return false;
  const NodeValues &keys = values.of(select->operand(0));
  const NodeValues &queries = values.of(select->operand(1));
  if (!keys.known || !queries.known || keys.values.empty() ||
      queries.values.empty() ||
      keys.values.size() > mostPairs / queries.values.size())
    return true;
  return llvm::any_of(keys.values, [&](const Value &key) {
    return llvm::any_of(queries.values, [&](const Value &query) {
      EvalResult result = compare(select->compare(), key, query);
      return !result || result.value.isTruthy();
    });
  });
}

static void look(const Node *node, ValueSets &values, Verdict &verdict) {
  if (node->kind() == OpKind::Select) {
    verdict.isSelect = true;
    verdict.selects |= maySelect(node, values);
  } else if (node->kind() == OpKind::Aggregate) {
    verdict.isAggregate = true;
    verdict.defaultCounts |=
        !values.selectors().facts(node->operand(0)).neverEmpty;
  } else {
    const NodeValues &set = values.of(node);
    bool unknown = !set.known || set.partial || set.values.empty();
    for (const Value &value : set.values)
      (value.isTruthy() ? verdict.canBeTrue : verdict.canBeFalse) = true;
    if (unknown)
      verdict.canBeTrue = verdict.canBeFalse = true;
  }
}

static void report(Place place, const Verdict &verdict, ValueSets &values,
                   Diagnostics &diags) {
  llvm::SMRange range(llvm::SMLoc::getFromPointer(place.first),
                      llvm::SMLoc::getFromPointer(place.second));
  if (verdict.isSelect) {
    if (!verdict.selects && isCall(textAt(place), "select"))
      diags.emit(range, diag::EmptySelector);
  } else if (verdict.isAggregate) {
    // A default of 0 may be one that nobody wrote.
    const Value &own = verdict.op->value();
    if (!verdict.defaultCounts && isCall(textAt(place), "aggregate") &&
        !(own.isInt() && own.asInt() == 0))
      diags.emit(range, diag::UnusedDefault, own.str());
  } else if (verdict.canBeTrue != verdict.canBeFalse &&
             !isCall(textAt(place))) {
    diags.emit(range, diag::ConstantComparison,
               verdict.canBeTrue ? "True" : "False");
    constexpr size_t mostShown = 8;
    for (const Node *operand : verdict.op->operands())
      if (operand->kind() != OpKind::Const && values.of(operand).known)
        diags.emit({}, diag::ComparedSet, describe(operand),
                   printValueSet(values.of(operand).values, mostShown));
  }
}

void rasp::ir::warnOfUselessOps(const Node *written, const Node *analysed,
                                ValueSets &values, Diagnostics &diags) {
  llvm::DenseSet<const Node *> known;
  for (const Node *node : reachable(analysed))
    known.insert(node);
  llvm::MapVector<Place, Verdict> verdicts;
  for (const Node *node : reachable(written)) {
    if (!isComparison(node->kind()) && node->kind() != OpKind::Select &&
        node->kind() != OpKind::Aggregate)
      continue;
    for (llvm::SMRange range : node->ranges()) {
      Verdict &verdict =
          verdicts[{range.Start.getPointer(), range.End.getPointer()}];
      if (!verdict.op)
        verdict.op = node;
      if (known.contains(node))
        look(node, values, verdict);
      else // nothing is certain
        verdict.canBeTrue = verdict.canBeFalse = verdict.selects =
            verdict.defaultCounts = true;
    }
  }
  std::vector<Place> places;
  for (const auto &[place, verdict] : verdicts)
    places.push_back(place);
  for (Place place : places)
    report(place, verdicts[place], values, diags);
}
