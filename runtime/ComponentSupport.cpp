//===- runtime/ComponentSupport.cpp - who writes and reads what -----------===//

#include "runtime/ComponentSupport.h"

#include "llvm/ADT/STLExtras.h"

using namespace rasp::rt;

using Support = std::vector<bool>;

/// Calls `fn(row, column)` for every non-zero.
template <typename Fn> static void forEachNonzero(const Matrix &w, Fn fn) {
  for (Eigen::Index row = 0; row < w.outerSize(); ++row)
    for (Matrix::InnerIterator it(w, row); it; ++it)
      if (it.value() != 0)
        fn(row, it.col());
}

/// The columns of x W + b that can be other than 0.
static Support liveColumns(const Matrix &w, const Vector &b) {
  Support live(w.cols(), false);
  forEachNonzero(w, [&](auto, auto column) { live[column] = true; });
  for (Eigen::Index column = 0; column < b.size(); ++column)
    if (b[column] != 0)
      live[column] = true;
  return live;
}

/// The rows of a matrix with a non-zero in one of `columns`.
static Support rowsInto(const Matrix &w, const Support &columns) {
  Support rows(w.rows(), false);
  forEachNonzero(w, [&](auto row, auto column) {
    rows[row] = rows[row] || columns[column];
  });
  return rows;
}

/// The columns of a matrix with a non-zero in one of `rows`.
static Support columnsFrom(const Matrix &w, const Support &rows) {
  Support columns(w.cols(), false);
  forEachNonzero(w, [&](auto row, auto column) {
    columns[column] = columns[column] || rows[row];
  });
  return columns;
}

static Support all(Eigen::Index size) { return Support(size, true); }

static void add(SupportMatrix &matrix, std::string component,
                Support directions) {
  matrix.components.push_back(std::move(component));
  matrix.directions.push_back(std::move(directions));
}

SupportMatrix rasp::rt::writesOf(const Model &model) {
  SupportMatrix writes;
  add(writes, "hook_embed", columnsFrom(model.wE, all(model.wE.rows())));
  add(writes, "hook_pos_embed",
      columnsFrom(model.wPos, all(model.wPos.rows())));
  for (auto [l, layer] : llvm::enumerate(model.layers)) {
    std::string block = "blocks." + std::to_string(l) + ".";
    for (auto [h, head] : llvm::enumerate(layer.heads))
      add(writes, block + "attn.hook_result[" + std::to_string(h) + "]",
          columnsFrom(head.wO, liveColumns(head.wV, head.bV)));
    // A unit that is never above 0 could be left out, but that takes more than
    // a look at what is zero.
    add(writes, block + "hook_mlp_out",
        columnsFrom(layer.wOut, liveColumns(layer.wIn, layer.bIn)));
  }
  return writes;
}

SupportMatrix rasp::rt::readsOf(const Model &model) {
  SupportMatrix reads;
  for (auto [l, layer] : llvm::enumerate(model.layers)) {
    std::string block = "blocks." + std::to_string(l) + ".";
    for (auto [h, head] : llvm::enumerate(layer.heads)) {
      std::string place = "_input[" + std::to_string(h) + "]";
      add(reads, block + "hook_q" + place,
          rowsInto(head.wQ, liveColumns(head.wK, head.bK)));
      add(reads, block + "hook_k" + place,
          rowsInto(head.wK, liveColumns(head.wQ, head.bQ)));
      add(reads, block + "hook_v" + place,
          rowsInto(head.wV, rowsInto(head.wO, all(head.wO.cols()))));
    }
    add(reads, block + "hook_mlp_in",
        rowsInto(layer.wIn, rowsInto(layer.wOut, all(layer.wOut.cols()))));
  }
  add(reads, "unembed", rowsInto(model.wU, all(model.wU.cols())));
  return reads;
}
