//===- runtime/Unfolding.cpp - a coordinate per direction -----------------===//

#include "runtime/Unfolding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace rasp::rt;
namespace json = llvm::json;

namespace {

/// A direction, as its coordinate sees it.
struct Tenant {
  unsigned direction, liveFrom, clearedIn;
  const Subspace *space;
};

class Unfolder {
public:
  Unfolder(const Model &model, const ResidualMap &map)
      : model(model), map(map), tenants(model.config.dModel) {}

  llvm::Expected<Unfolding> run();

private:
  template <typename... Args>
  llvm::Error fail(const char *format, Args &&...args) const {
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        llvm::formatv(format, std::forward<Args>(args)...).str());
  }

  llvm::Error findTenants();
  llvm::Error findClearings();
  void describe();

  /// Who has a coordinate when a half-layer reads it, and when it writes it.
  unsigned readerAt(unsigned coordinate, unsigned halfLayer) const {
    return tenantFrom(coordinate, halfLayer);
  }
  unsigned writerAt(unsigned coordinate, unsigned halfLayer) const {
    return tenantFrom(coordinate, halfLayer + 1);
  }
  /// The first one that is not cleared before a half-layer.
  unsigned tenantFrom(unsigned coordinate, unsigned halfLayer) const {
    for (const Tenant &tenant : tenants[coordinate])
      if (tenant.clearedIn >= halfLayer)
        return tenant.direction;
    llvm_unreachable("the last one stays");
  }
  /// A matrix that reads the stream in its rows, or writes it in its columns.
  Matrix unfoldRows(const Matrix &matrix, unsigned halfLayer) const;
  Matrix unfoldColumns(const Matrix &matrix, unsigned halfLayer) const;
  Vector unfoldVector(const Vector &vector, unsigned halfLayer) const;

  const Model &model;
  const ResidualMap &map;
  std::vector<std::vector<Tenant>> tenants; ///< by coordinate, in order
  Unfolding result;
};

} // namespace

llvm::Error Unfolder::findTenants() {
  for (const Subspace &space : map.subspaces())
    for (unsigned at = space.begin; at < space.end; ++at) {
      result.coordinateOf.push_back(at);
      tenants[at].push_back({space.first + at - space.begin, space.liveFrom,
                             space.clearedIn, &space});
    }
  for (auto [coordinate, own] : llvm::enumerate(tenants)) {
    llvm::stable_sort(own, [](const Tenant &a, const Tenant &b) {
      return a.clearedIn < b.clearedIn;
    });
    if (own.empty() || own.back().clearedIn != ~0u)
      return fail("the file does not say what direction {0} holds in the end",
                  coordinate);
    for (size_t i = 0; i < own.size(); ++i)
      if (own[i].liveFrom >= own[i].clearedIn ||
          (i > 0 && own[i].liveFrom < own[i - 1].clearedIn))
        return fail("direction {0} holds two variables at once", coordinate);
  }
  return llvm::Error::success();
}

/// Whether the only non-zero of a row, or of a column of one by columns, is
/// `value` at `place`.
template <typename Sparse>
static bool isOnly(const Sparse &matrix, unsigned line, unsigned place,
                   double value) {
  size_t count = 0;
  bool isThere = false;
  for (typename Sparse::InnerIterator it(matrix, line); it; ++it) {
    count += it.value() != 0;
    isThere |= it.index() == static_cast<int>(place) && it.value() == value;
  }
  return count == 1 && isThere;
}

llvm::Error Unfolder::findClearings() {
  for (auto [coordinate, own] : llvm::enumerate(tenants))
    for (size_t i = 0; i + 1 < own.size(); ++i) {
      const Subspace &space = *own[i].space;
      unsigned layer = own[i].clearedIn / 2 - 1;
      if (layer >= model.layers.size())
        return fail("direction {0} is cleared in layer {1}, which there is not",
                    coordinate, layer);
      result.cleared.push_back(
          {own[i].direction, own[i + 1].direction, layer,
           space.clearingUnits[own[i].direction - space.first]});
    }
  using ByColumn = Eigen::SparseMatrix<double, Eigen::ColMajor>;
  std::vector<std::optional<ByColumn>> inputs(model.layers.size());
  for (const ClearedDirection &cleared : result.cleared) {
    const Layer &layer = model.layers[cleared.layer];
    unsigned coordinate = result.coordinateOf[cleared.direction];
    std::optional<ByColumn> &in = inputs[cleared.layer];
    if (!in)
      in = ByColumn(layer.wIn);
    double sign = 1;
    for (unsigned unit : cleared.units) {
      if (unit >= layer.wIn.cols())
        return fail("direction {0} is cleared by hidden unit {1} of layer {2}, "
                    "which there is not",
                    coordinate, unit, cleared.layer);
      if (!isOnly<ByColumn>(*in, unit, coordinate, sign) ||
          !isOnly<Matrix>(layer.wOut, unit, coordinate, -sign) ||
          layer.bIn[unit] != 0)
        return fail("hidden unit {0} does not clear direction {1}", unit,
                    coordinate);
      sign = -1;
    }
  }
  return llvm::Error::success();
}

Matrix Unfolder::unfoldRows(const Matrix &matrix, unsigned halfLayer) const {
  std::vector<Eigen::Triplet<double>> entries;
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      entries.emplace_back(readerAt(row, halfLayer), it.col(), it.value());
  Matrix unfolded(result.coordinateOf.size(), matrix.cols());
  unfolded.setFromTriplets(entries.begin(), entries.end());
  return unfolded;
}

Matrix Unfolder::unfoldColumns(const Matrix &matrix, unsigned halfLayer) const {
  std::vector<Eigen::Triplet<double>> entries;
  for (Eigen::Index row = 0; row < matrix.outerSize(); ++row)
    for (Matrix::InnerIterator it(matrix, row); it; ++it)
      entries.emplace_back(row, writerAt(it.col(), halfLayer), it.value());
  Matrix unfolded(matrix.rows(), result.coordinateOf.size());
  unfolded.setFromTriplets(entries.begin(), entries.end());
  return unfolded;
}

Vector Unfolder::unfoldVector(const Vector &vector, unsigned halfLayer) const {
  Vector unfolded = Vector::Zero(result.coordinateOf.size());
  for (Eigen::Index i = 0; i < vector.size(); ++i)
    unfolded[writerAt(i, halfLayer)] = vector[i];
  return unfolded;
}

/// Labels and map of the unfolded model.
void Unfolder::describe() {
  Model &own = result.model;
  own.residualLabels.clear();
  json::Object &residual = *own.residual.getAsObject();
  residual["d_model"] = result.coordinateOf.size();
  json::Array &list = *residual.getArray("subspaces");
  for (auto [space, value] : llvm::zip_equal(map.subspaces(), list)) {
    json::Object &object = *value.getAsObject();
    unsigned size = space.end - space.begin;
    object["range"] = json::Array{space.first, space.first + size};
    object.erase("cleared_in_half_layer");
    object.erase("clearing_units");
    for (unsigned at = space.begin; at < space.end; ++at)
      own.residualLabels.push_back(space.labelOf(at));
  }
}

llvm::Expected<Unfolding> Unfolder::run() {
  if (llvm::Error error = findTenants())
    return error;
  if (llvm::Error error = findClearings())
    return error;
  Model &own = result.model;
  own = model;
  own.config.dModel = result.coordinateOf.size();
  own.wE = unfoldColumns(model.wE, 0);
  own.wPos = unfoldColumns(model.wPos, 0);
  own.wU = unfoldRows(model.wU, 2 * model.numLayers() + 1);
  for (auto [l, layer] : llvm::enumerate(own.layers)) {
    unsigned attention = 2 * l + 1, mlp = attention + 1;
    for (Head &head : layer.heads) {
      for (Matrix *matrix : {&head.wQ, &head.wK, &head.wV})
        *matrix = unfoldRows(*matrix, attention);
      head.wO = unfoldColumns(head.wO, attention);
    }
    // The units that clear are the last ones.
    unsigned hidden = layer.wIn.cols();
    std::vector<bool> clears(hidden, false);
    for (const ClearedDirection &cleared : result.cleared)
      if (cleared.layer == l)
        for (unsigned unit : cleared.units) {
          if (clears[unit])
            return fail("hidden unit {0} of layer {1} clears two directions",
                        unit, l);
          clears[unit] = true;
        }
    while (hidden > 0 && clears[hidden - 1])
      --hidden;
    clears.resize(hidden);
    if (llvm::is_contained(clears, true))
      return fail("the hidden units of layer {0} that clear directions are not "
                  "its last ones",
                  l);
    layer.bIn.conservativeResize(hidden);
    layer.wIn.conservativeResize(layer.wIn.rows(), hidden);
    layer.wOut.conservativeResize(hidden, layer.wOut.cols());
    for (ClearedDirection &cleared : result.cleared) {
      if (cleared.layer != l)
        continue;
      unsigned coordinate = result.coordinateOf[cleared.direction];
      cleared.isSwap = layer.bOut[coordinate] != 0;
      for (unsigned unit = 0; unit < hidden; ++unit)
        cleared.isSwap |= layer.wOut.coeff(unit, coordinate) != 0;
    }
    layer.bO = unfoldVector(layer.bO, attention);
    layer.bOut = unfoldVector(layer.bOut, mlp);
    layer.wIn = unfoldRows(layer.wIn, mlp);
    layer.wOut = unfoldColumns(layer.wOut, mlp);
  }
  describe();
  return std::move(result);
}

llvm::Expected<Unfolding> rasp::rt::unfold(const Model &model,
                                           const ResidualMap &map) {
  assert(map.isShared() && "every direction has a coordinate");
  return Unfolder(model, map).run();
}
