//===- runtime/Interventions.h - changing activations -----------*- C++ -*-===//
//
// An intervention says at which hook points what part of an activation is
// changed, and into what: a number or tensor, the mean over other inputs, or
// what one other input gives there. INTERVENTIONS.md specifies the JSON form.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_INTERVENTIONS_H
#define RASP_RUNTIME_INTERVENTIONS_H

#include "runtime/HookedPass.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <optional>

namespace rasp::rt {

/// The inputs that mean and resample ablation take activations from. Only those
/// with as many tokens as the input itself count.
struct References {
  /// Ids, BOS first; empty to draw `random` ones from the vocabulary.
  std::vector<std::vector<uint32_t>> inputs;
  unsigned random = 64;
  uint64_t seed = 0;

  bool operator==(const References &) const = default;
};

struct Intervention {
  enum class Action : uint8_t {
    Replace,  ///< by `value`
    Add,      ///< `value`
    Mean,     ///< the mean over the references
    Resample, ///< what one reference has there: number i mod their number, for
              ///< input number i
  };
  std::string name; ///< for messages: "interventions[0]"
  std::vector<HookPoint> points;
  Action action = Action::Replace;
  /// Indices along an axis, all of them if there is no entry. Negative ones
  /// count from the end. Along Axis::Sequence: numbers of inputs.
  std::map<Axis, std::vector<int64_t>> selected;
  /// For the selected part without the axis of sequences, in which it is the
  /// same for all. Axes of extent 1, and those that miss in front, are
  /// repeated; no axes at all: one number.
  Tensor<double> value = Tensor<double>::ofNumber(0);
  References from;
  /// Position 0 stays as it is where no positions are selected.
  bool sparesBos = false;
};

/// Reads `{"interventions": [...]}`; an element that is a string is an
/// ablation.
llvm::Expected<std::vector<Intervention>>
parseInterventions(const llvm::json::Value &json, const Model &model);

/// Reads `TARGET[=zero|mean|resample]`. A target is a head (`L1H0`, `A1.0`), an
/// MLP (`M0`), a hidden unit (`L0N3`), an embedding (`E`, `P`), or a variable
/// of the program.
llvm::Expected<std::vector<Intervention>> parseAblation(llvm::StringRef spec,
                                                        const Model &model);

class ResidualMap;
/// Adds the coordinates of variables to the directions that an intervention
/// changes, which are those of hooks of the residual stream. Variables that
/// share coordinates with others have not the same ones at all hooks, so there
/// may be several interventions.
llvm::Expected<std::vector<Intervention>>
selectVariables(Intervention intervention,
                llvm::ArrayRef<std::string> variables, const ResidualMap &map,
                unsigned layers);

/// Makes interventions during passes.
template <typename T> class Intervener : public HookVisitor<T> {
public:
  Intervener(const HookedPass<T> &pass,
             llvm::ArrayRef<Intervention> interventions)
      : pass(pass), interventions(interventions) {}

  /// Whether the interventions fit input number `input` of `length` tokens, BOS
  /// counted: an error if a position is not there, a value has another shape,
  /// or no reference is as long.
  llvm::Error check(unsigned length, int64_t input) const;
  /// Prepares for a pass over inputs that all interventions fit. `inputs` are
  /// the numbers of the batch's inputs among all.
  void begin(unsigned length, llvm::ArrayRef<int64_t> inputs);

  bool wants(const HookPoint &point) const override;
  bool visit(const HookPoint &point, Tensor<T> &activation) override;

private:
  /// By axis, the indices that are changed.
  using Selection = llvm::SmallVector<std::vector<unsigned>, 4>;

  llvm::Error check(const Intervention &intervention, const HookPoint &point,
                    unsigned length) const;
  void collectReferences(size_t i);
  Selection select(const Intervention &intervention, HookKind kind) const;
  /// Whether anything is selected in this batch.
  bool apply(size_t i, const HookPoint &point, Tensor<T> &activation);

  const HookedPass<T> &pass;
  llvm::ArrayRef<Intervention> interventions;
  unsigned length = 0;
  llvm::SmallVector<int64_t> inputs;
  /// Activations of references by intervention and point: their mean, [1, ...],
  /// or all.
  std::map<std::pair<size_t, HookPoint>, Tensor<T>> references;
};

extern template class Intervener<float>;
extern template class Intervener<double>;

} // namespace rasp::rt

#endif
