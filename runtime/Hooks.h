//===- runtime/Hooks.h - names and shapes of activations --------*- C++ -*-===//
//
// A hook point is a place in the forward pass whose activation can be read and
// replaced, under the name and with the shape that TransformerLens gives it.
// Hooks.def lists them all. Points that TransformerLens fires only if the
// configuration has a switch for them (`use_attn_in`) are points of a model
// only if its file has that switch; asking for another one is an error.
//
// `unembed.hook_in` and `unembed.hook_out` are younger than TransformerLens
// 1.14; they fire here always.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_HOOKS_H
#define RASP_RUNTIME_HOOKS_H

#include "runtime/ModelJSON.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <tuple>
#include <vector>

namespace rasp::rt {

enum class HookKind : uint8_t {
#define HOOK(kind, name, module, axes, gate) kind,
#include "runtime/Hooks.def"
};

struct HookPoint {
  HookKind kind;
  int layer = -1; ///< -1 outside the layers

  /// "blocks.1.attn.hook_q"
  std::string name() const;
  bool operator==(const HookPoint &) const = default;
  bool operator<(const HookPoint &other) const {
    return std::tie(kind, layer) < std::tie(other.kind, other.layer);
  }
};

enum class Axis : uint8_t {
  Sequence, ///< of the batch
  Position, ///< of a token, BOS is 0
  Head,
  Query, ///< position that looks
  Key,   ///< position that is looked at
  Direction,
  Column, ///< of a head
  Unit,   ///< hidden
  Output,
};

/// The axes of an activation, slowest first:
///
///   Tokens        [Sequence, Position]
///   Residual      [Sequence, Position, Direction]
///   HeadResidual  [Sequence, Position, Head, Direction]
///   HeadVector    [Sequence, Position, Head, Column]
///   Attention     [Sequence, Head, Query, Key]
///   Hidden        [Sequence, Position, Unit]
///   Logits        [Sequence, Position, Output]
llvm::ArrayRef<Axis> axesOf(HookKind kind);

/// "position", for messages.
llvm::StringRef nameOf(Axis axis);

bool isInLayer(HookKind kind);

/// Knows the hook points of one model. The sizes are those of its file: a layer
/// has as many heads and hidden units as any.
class HookTable {
public:
  explicit HookTable(const Model &model);

  /// All points that fire, in order.
  llvm::ArrayRef<HookPoint> points() const { return all; }
  bool fires(HookKind kind) const;
  /// The points where the residual stream itself is: before, in and behind each
  /// layer.
  std::vector<HookPoint> residualStream() const;
  const FileSizes &sizes() const { return theSizes; }
  llvm::SmallVector<unsigned, 4> shapeOf(HookKind kind, unsigned batch,
                                         unsigned length) const;

  /// Finds the point of a full name, or of the short form that
  /// TransformerLens has for its caches: `attn_out0`, `k6`, `pre5`, `embed`,
  /// `resid_post-1` (layers count from the end if negative), `pattern0attn`;
  /// also its aliases `attn`, `attn_logits`, `key`, `query`, `value`,
  /// `mlp_pre`, `mlp_post`. The error says what may be meant.
  llvm::Expected<HookPoint> find(llvm::StringRef name) const;

  /// The points of a list `NAME,NAME,...` in the order in which they fire. A
  /// name may be a pattern, `blocks.*.attn.hook_?`; one that fits no point is
  /// an error. The empty list stands for all points.
  llvm::Expected<std::vector<HookPoint>> select(llvm::StringRef list) const;

private:
  llvm::Expected<HookPoint> findShort(llvm::StringRef name) const;
  llvm::Error unknown(llvm::StringRef name) const;

  FileSizes theSizes;
  HookSwitches switches;
  std::vector<HookPoint> all;
};

} // namespace rasp::rt

#endif
