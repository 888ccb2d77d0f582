//===- test/property/CertifiedErrors.cpp - bounds against reality ---------===//

#include "test/property/CertifiedErrors.h"
#include "ir/Interpreter.h"
#include "runtime/CertificateChecker.h"
#include "runtime/HookedPass.h"
#include "runtime/ResidualMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace rasp;
using namespace rasp::property;
using rt::Certificate;

namespace {
/// Keeps what the MLP of each layer sees.
template <typename T> struct StreamBeforeMlps : rt::HookVisitor<T> {
  std::vector<rt::Tensor<T>> streams;

  bool wants(const rt::HookPoint &point) const override {
    return point.kind == rt::HookKind::ResidMid;
  }
  bool visit(const rt::HookPoint &, rt::Tensor<T> &activation) override {
    streams.push_back(activation);
    return false;
  }
};

class Measurement {
public:
  Measurement(const Compilation &compilation, const rt::Model &model,
              const Certificate &certificate,
              const std::vector<rt::DirectionTable> &tables,
              const rt::ResidualMap &map)
      : compilation(compilation), model(model), certificate(certificate),
        tables(tables) {
    for (const rt::Subspace &space : map.subspaces())
      for (unsigned at = space.begin; at < space.end; ++at)
        places.push_back({at, space.clearedIn});
  }

  void run(CertifiedErrors &result);

private:
  void findNodes();
  std::optional<size_t> entryOf(const rt::DirectionTable &table) const;
  template <typename T>
  void compare(const rt::HookedPass<T> &pass, const std::vector<uint32_t> &ids,
               const ir::Interpreter &interpreter,
               ir::Interpreter::State &state, CertifiedErrors &result);
  void valuesAt(llvm::ArrayRef<uint32_t> ids,
                llvm::ArrayRef<ir::RootResult> results, unsigned position);

  const Compilation &compilation;
  const rt::Model &model;
  const Certificate &certificate;
  const std::vector<rt::DirectionTable> &tables;
  /// Where each direction is, and the half-layer that clears it.
  struct Place {
    unsigned coordinate, clearedIn;
  };
  std::vector<Place> places;
  std::vector<const ir::Node *> nodes;        ///< by variable; null without one
  std::vector<std::optional<size_t>> current; ///< value number by variable
};
} // namespace

void Measurement::findNodes() {
  llvm::StringMap<const ir::Node *> byName;
  for (const ir::Node *node : ir::reachable(compilation.compiled))
    byName[compilation.names->of(node)] = node;
  using Kind = Certificate::VariableKind;
  for (const Certificate::Variable &variable : certificate.variables) {
    bool hasNode = !variable.interval && variable.kind != Kind::Token &&
                   variable.kind != Kind::Position &&
                   variable.kind != Kind::Sum;
    nodes.push_back(hasNode ? byName.lookup(variable.name) : nullptr);
  }
}

void Measurement::valuesAt(llvm::ArrayRef<uint32_t> ids,
                           llvm::ArrayRef<ir::RootResult> results,
                           unsigned position) {
  using Kind = Certificate::VariableKind;
  current.assign(nodes.size(), std::nullopt);
  size_t root = 1;
  for (size_t v = 0; v < nodes.size(); ++v) {
    Kind kind = certificate.variables[v].kind;
    if (kind == Kind::Token)
      current[v] = ids[position];
    else if (kind == Kind::Position)
      current[v] = position - 1;
    if (!nodes[v])
      continue;
    const ir::RootResult &own = results[root++];
    if (!own)
      continue;
    llvm::ArrayRef<ir::Value> values = compilation.values->valuesOf(nodes[v]);
    const ir::Value &value = own.values[position - 1];
    auto found = llvm::lower_bound(values, value);
    if (found != values.end() && *found == value)
      current[v] = static_cast<size_t>(found - values.begin());
  }
  // A sum has the value that its directions add up to.
  for (const Certificate::Form &form : certificate.forms) {
    if (certificate.variables[form.variable].kind != Kind::Sum)
      continue;
    double sum = form.constant;
    bool known = true;
    for (auto [direction, weight] : form.terms) {
      std::optional<size_t> entry = entryOf(tables[direction]);
      known &= entry.has_value();
      if (entry)
        sum += weight * tables[direction].entries[*entry].value;
    }
    for (size_t i = 0; i < form.values.size() && known; ++i)
      if (std::fabs(form.values[i] - sum) < 1e-6 * (1 + std::fabs(sum)))
        current[form.variable] = i;
  }
}

std::optional<size_t>
Measurement::entryOf(const rt::DirectionTable &table) const {
  size_t index = 0;
  for (unsigned variable : table.variables) {
    if (!current[variable])
      return std::nullopt;
    index = index * certificate.variables[variable].size + *current[variable];
  }
  return index < table.entries.size() ? std::optional(index) : std::nullopt;
}

template <typename T>
void Measurement::compare(const rt::HookedPass<T> &pass,
                          const std::vector<uint32_t> &ids,
                          const ir::Interpreter &interpreter,
                          ir::Interpreter::State &state,
                          CertifiedErrors &result) {
  std::vector<ir::Value> input;
  for (uint32_t id : llvm::ArrayRef(ids).drop_front())
    input.push_back(compilation.domain.vocabulary[id]);
  llvm::ArrayRef<ir::RootResult> results = interpreter.run(input, state);
  if (!results[0])
    return;
  StreamBeforeMlps<T> before;
  rt::Tensor<T> last = pass.runUntil(pass.numLayers(), ids, &before);
  for (unsigned position = 1; position < ids.size(); ++position) {
    valuesAt(ids, results, position);
    for (size_t d = 0; d < tables.size(); ++d) {
      std::optional<size_t> entry = entryOf(tables[d]);
      if (!entry)
        continue;
      const Certificate::Direction &direction = certificate.directions[d];
      if (direction.domain) {
        auto &excluded = certificate.domains[*direction.domain].excluded;
        if (!excluded.empty() && excluded[*entry])
          continue;
      }
      double meant = tables[d].entries[*entry].value;
      const auto &[coordinate, clearedIn] = places[d];
      const rt::Tensor<T> &residual =
          clearedIn == ~0u ? last : before.streams[clearedIn / 2 - 1];
      double error =
          std::fabs(double(*residual.at(0, position, coordinate)) - meant);
      ++result.measured;
      // The tables are computed in doubles.
      double bound = direction.error + 1e-13 * (1 + std::fabs(meant));
      result.largestShare = std::max(result.largestShare, error / bound);
      if (error > bound && result.problem.empty())
        result.problem = llvm::formatv(
            "`{0}` is wrong by {1:e3} at position {2}, certified is {3:e3}",
            direction.label, error, position, direction.error);
    }
  }
}

void Measurement::run(CertifiedErrors &result) {
  if (model.layers.empty())
    return; // embeddings are stored as they are
  findNodes();
  std::vector<const ir::Node *> roots{compilation.output};
  for (const ir::Node *node : nodes)
    if (node)
      roots.push_back(node);
  ir::Interpreter::Options semantics;
  semantics.causal = compilation.domain.causal;
  ir::Interpreter interpreter(roots, semantics);
  ir::Interpreter::State state(interpreter);
  size_t tokens = compilation.domain.vocabulary.size();
  unsigned longest = compilation.domain.maxSeqLen;
  rt::withScalar(model.config.dtype, [&](auto zero) {
    rt::HookedPass<decltype(zero)> pass(model);
    // Every length, with tokens that differ and tokens that do not.
    uint64_t random = 1;
    constexpr unsigned inputsPerLength = 6;
    for (unsigned length = 1; length <= longest; ++length)
      for (unsigned i = 0; i < inputsPerLength; ++i) {
        std::vector<uint32_t> ids{model.input.bosId};
        for (unsigned t = 0; t < length; ++t) {
          random = random * 6364136223846793005u + 1442695040888963407u;
          ids.push_back(
              static_cast<uint32_t>(i == 0 ? 0 : (random >> 33) % tokens));
        }
        compare(pass, ids, interpreter, state, result);
      }
  });
}

CertifiedErrors rasp::property::measureErrors(const Compilation &compilation,
                                              const rt::Model &model) {
  CertifiedErrors result;
  // As a reader gets it.
  llvm::Expected<Certificate> certificate =
      rt::certificateFromJSON(model.certificate);
  if (!certificate) {
    result.problem = llvm::toString(certificate.takeError());
    return result;
  }
  std::vector<rt::DirectionTable> tables;
  rt::CertificateReport report =
      rt::checkCertificate(model, *certificate, &tables);
  if (!report.problems.empty()) {
    result.problem = report.problems.front();
    result.isRefused = true;
    return result;
  }
  rt::ResidualMap map = llvm::cantFail(rt::ResidualMap::make(model));
  Measurement(compilation, model, *certificate, tables, map).run(result);
  return result;
}
