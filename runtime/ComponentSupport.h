//===- runtime/ComponentSupport.h - who writes and reads what ---*- C++ -*-===//
//
// Which components of a model write into which residual directions and read
// from which, as its weights have it: not what the file says of them. A head
// reads a direction through Q only if the other side of the score can be other
// than 0, through V only if that ends up in some direction. The circuit of a
// model in which all that can matter is kept is `writes` times `reads`.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_COMPONENTSUPPORT_H
#define RASP_RUNTIME_COMPONENTSUPPORT_H

#include "runtime/Model.h"
#include <string>
#include <vector>

namespace rasp::rt {

/// A matrix of component by direction; a component is a hook, named as in
/// `/residual/json`.
struct SupportMatrix {
  std::vector<std::string> components;
  std::vector<std::vector<bool>> directions; ///< by component, [d_model]
};

/// `hook_embed`, `hook_pos_embed`, for each layer
/// `blocks.L.attn.hook_result[H]` and `blocks.L.hook_mlp_out`.
SupportMatrix writesOf(const Model &model);

/// For each layer `blocks.L.hook_q_input[H]`, `..._k_...`, `..._v_...` and
/// `blocks.L.hook_mlp_in`; `unembed`.
SupportMatrix readsOf(const Model &model);

} // namespace rasp::rt

#endif
