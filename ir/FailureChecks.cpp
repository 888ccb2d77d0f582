//===- ir/FailureChecks.cpp - ops that fail, before they run --------------===//

#include "ir/FailureChecks.h"
#include "ir/Description.h"
#include "ir/FailingInputs.h"
#include "llvm/ADT/STLExtras.h"

using namespace rasp::ir;

namespace {

/// How an op fails, and for which operands.
struct Finding {
  bool always = false;
  /// Whether it is a failure only if an input shows it.
  bool onlyIfSeen = false;
  std::string reason;
  llvm::SmallVector<Value, 3> operands;
};

} // namespace

static llvm::SMRange rangeOf(const Node *node) {
  return node->ranges().empty() ? llvm::SMRange() : node->ranges().front();
}

static std::optional<Finding> checkElementwise(const Node *node,
                                               const ValueSets &sets) {
  const NodeValues &values = sets.of(node);
  if (!values.partial || (!values.known && !values.isAbridged()))
    return std::nullopt;
  return Finding{values.values.empty(), false,
                 explain(values.failure, node->kind(), values.failingOperands),
                 values.failingOperands};
}

/// Comparisons fail by the kinds of their operands alone.
static std::optional<Finding> checkSelect(const Node *node,
                                          const ValueSets &sets) {
  const NodeValues &keys = sets.of(node->operand(0));
  const NodeValues &queries = sets.of(node->operand(1));
  if (!keys.known || !queries.known)
    return std::nullopt;
  auto firstOfKind = [](const NodeValues &set, bool strings) -> const Value * {
    for (const Value &value : set.values)
      if (value.isString() == strings)
        return &value;
    return nullptr;
  };
  bool works = false;
  std::optional<Finding> finding;
  for (bool strings : {false, true}) {
    const Value *key = firstOfKind(keys, strings);
    for (bool otherStrings : {false, true}) {
      const Value *query = firstOfKind(queries, otherStrings);
      if (!key || !query)
        continue;
      EvalResult result = compare(node->compare(), *key, *query);
      works |= bool(result);
      if (!result && !finding)
        finding = Finding{
            false,
            false,
            ("`" + spelling(node->compare()) + "` of a string and a number")
                .str(),
            {*key, *query}};
    }
  }
  if (finding)
    finding->always = !works;
  return finding;
}

static bool isMixed(const Node *node, const ValueSets &sets) {
  if (!node->isSop())
    return false;
  const NodeValues &set = sets.of(node);
  auto isString = [](const Value &value) { return value.isString(); };
  return set.known && llvm::any_of(set.values, isString) &&
         !llvm::all_of(set.values, isString);
}

/// Whether an aggregate may select several strings. That no query has two keys
/// is often more than the analysis can tell.
static bool mayAverageStrings(const Node *node, ValueSets &sets) {
  return node->kind() == OpKind::Aggregate &&
         !sets.of(node->operand(1)).numeric &&
         !sets.selectors().facts(node->operand(0)).atMostOneKey;
}

/// Strings and numbers in one sequence; said where they first meet. (Not of
/// aggregates: whether they ever take their default, a number, is often more
/// than the analysis can tell.)
static bool checkMixture(const Node *node, const ValueSets &sets) {
  return isElementwise(node->kind()) && isMixed(node, sets) &&
         llvm::none_of(node->operands(), [&](const Node *operand) {
           return isMixed(operand, sets);
         });
}

static std::string printInput(llvm::ArrayRef<Value> input) {
  std::string text = "[";
  llvm::raw_string_ostream os(text);
  llvm::interleave(
      input, os, [&](const Value &token) { token.printJSON(os); }, ",");
  os << "]";
  return text;
}

/// ", where `x` is 0 and `y` is 1"
static std::string circumstances(const Node *node, const Finding &finding) {
  std::string text;
  if (finding.operands.size() != node->operands().size())
    return text;
  for (auto [operand, value] :
       llvm::zip_equal(node->operands(), finding.operands)) {
    if (operand->kind() == OpKind::Const)
      continue;
    text += text.empty() ? ", where " : " and ";
    text += describe(operand) + " is " + value.str();
  }
  return text;
}

bool rasp::ir::checkFailures(const Node *root, ValueSets &values,
                             Diagnostics &diags, const Node *program) {
  std::vector<std::pair<const Node *, Finding>> findings;
  std::vector<const Node *> suspects;
  bool good = true;
  for (const Node *node : reachable(root)) {
    std::optional<Finding> finding;
    if (isElementwise(node->kind()))
      finding = checkElementwise(node, values);
    else if (node->kind() == OpKind::Select)
      finding = checkSelect(node, values);
    else if (mayAverageStrings(node, values))
      finding = Finding{false, /*onlyIfSeen=*/true, "", {}};
    if (checkMixture(node, values))
      findings.emplace_back(
          node, Finding{false,
                        false,
                        explain(Failure::MixedTypes, node->kind(), {}),
                        {}});
    // What fails because an operand always does is no news.
    if (finding && llvm::all_of(node->operands(), [&](const Node *operand) {
          if (operand->isSelector())
            return true;
          const NodeValues &set = values.of(operand);
          return !set.known || !set.values.empty();
        })) {
      good &= !finding->always;
      findings.emplace_back(node, std::move(*finding));
    }
  }
  for (const auto &[node, finding] : findings)
    if (!finding.always && !llvm::is_contained(suspects, node))
      suspects.push_back(node);
  std::optional<FailingInputs> inputs;
  bool isTold =
      diags.policy().isTold(diag::MayFail.name, diag::MayFail.onRequest);
  if (program && isTold && !suspects.empty())
    inputs.emplace(suspects, program, values.domain());
  for (const auto &[node, finding] : findings) {
    if (finding.always) {
      diags.emit(rangeOf(node), diag::AlwaysFails, finding.reason,
                 circumstances(node, finding));
      continue;
    }
    const FailingInputs::Found *found = inputs ? inputs->of(node) : nullptr;
    if (!found && (finding.onlyIfSeen || (inputs && inputs->triedAll())))
      continue;
    diags.emit(rangeOf(node), diag::MayFail,
               finding.onlyIfSeen ? found->reason : finding.reason,
               circumstances(node, finding));
    if (found)
      diags.emit({}, diag::FailingInput, printInput(found->input));
  }
  return good;
}
