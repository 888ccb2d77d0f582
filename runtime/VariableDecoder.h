//===- runtime/VariableDecoder.h - variables in the stream ------*- C++ -*-===//
//
// Reads the values of the program's variables from the residual stream, and
// says what the stream holds for a value, by the codes that the file gives
// (`/residual/json`, FORMAT.md): for each direction, the numbers that it has
// for each value of its variable.
//
// A direction may tell some values apart only, and only some directions of a
// variable may be there yet. What the stream says is therefore a set: the
// values whose numbers fit all directions. A number fits if it is as near as
// the certificate allows, or within a quarter of the way to the next number
// that means something else.
//
// At position 0, BOS, variables have no values.
//
//===----------------------------------------------------------------------===//

#ifndef RASP_RUNTIME_VARIABLEDECODER_H
#define RASP_RUNTIME_VARIABLEDECODER_H

#include "runtime/Hooks.h"
#include "runtime/ResidualMap.h"

namespace rasp::rt {

/// What the stream says of a variable at a position.
struct DecodedValue {
  enum Kind : uint8_t {
    Values,  ///< one of `values`, the nearest first; of equal numbers, one
    Number,  ///< `number`, wrong by `error` at most; its values are not listed
    None,    ///< no value fits, as after an intervention
    Absent,  ///< no direction of the variable is complete, or none any more
    Unknown, ///< the file gives no code for those that are
  };
  Kind kind = Absent;
  std::vector<Atom> values;
  double number = 0, error = 0;

  /// Whether the stream says as much as there is to say.
  bool isCertain() const {
    return kind == Number || (kind == Values && values.size() == 1);
  }
  /// Whether the variable may have this value. Equal numbers are one value, as
  /// they are for a model.
  bool admits(const Atom &value) const;
};

/// What is written into directions to set a variable.
struct EncodedValue {
  std::vector<unsigned> directions; ///< ascending
  std::vector<double> numbers;
};

/// What one direction of a variable holds.
struct DirectionCode {
  unsigned direction = 0; ///< its coordinate
  unsigned number = 0;    ///< see Subspace::first
  /// The half-layers after which it is complete, and that clears it.
  unsigned liveFrom = 0, clearedIn = ~0u;
  bool hasCode = false;
  /// Of a variable without listed values: `scale * value + offset`.
  double scale = 1, offset = 0;
  /// The least and the greatest number for each value, NaN where it does not
  /// matter.
  std::vector<double> low, high;
  double error = 0;     ///< bound of the certificate
  double tolerance = 0; ///< how far from its range a number may be

  bool isThereAfter(unsigned halfLayer) const {
    return liveFrom <= halfLayer && halfLayer < clearedIn;
  }
};

class VariableDecoder {
public:
  /// An error if the file describes the stream in a way that does not fit.
  static llvm::Expected<VariableDecoder> make(const Model &model);

  /// The variables that have directions, in the order of these.
  llvm::ArrayRef<std::string> variables() const { return names; }
  /// Whether something of a variable can be read after a half-layer.
  bool isThereAfter(size_t variable, unsigned halfLayer) const;

  /// Reads variable number `variable` from the stream at one position,
  /// [d_model], as it is after a half-layer: 0 is the embedding, 2 l + 1 the
  /// attention of layer l, 2 l + 2 its MLP.
  template <typename T>
  DecodedValue decode(size_t variable, const T *residual,
                      unsigned halfLayer) const;

  /// What the directions of a variable that are complete after a half-layer
  /// hold for a value. Directions for which that does not matter are left out;
  /// where a value has a range of numbers, its low end is taken. An error if
  /// the value never occurs, nothing of the variable is there yet, or a
  /// direction has no code.
  llvm::Expected<EncodedValue>
  encode(llvm::StringRef variable, const Atom &value, unsigned halfLayer) const;

  /// The values of a variable; empty if they are not listed.
  llvm::ArrayRef<Atom> valuesOf(size_t variable) const {
    return all[variable].values;
  }
  /// What its directions hold, in the order of these.
  llvm::ArrayRef<DirectionCode> codesOf(size_t variable) const {
    return all[variable].parts;
  }

private:
  using Part = DirectionCode;
  struct Variable {
    std::vector<Atom> values; ///< empty if they are not listed
    std::vector<Part> parts;
  };

  llvm::Error readSubspace(const Subspace &space,
                           const llvm::json::Object &object);
  llvm::Error readCode(const llvm::json::Value &json,
                       llvm::ArrayRef<Atom> values, Part &part) const;
  void setTolerances(const Model &model);

  std::vector<std::string> names;
  std::vector<Variable> all;
};

/// The half-layer after which the stream is as a hook shows it, for hooks that
/// show the stream or a copy of it; none for others.
std::optional<unsigned> halfLayerOf(const HookPoint &point, unsigned layers);

/// The half-layer after which the stream holds what a hook shows, be that the
/// stream or what is added to it.
unsigned halfLayerAround(const HookPoint &point, unsigned layers);

/// The hook that shows the stream as a half-layer left it.
HookPoint streamAfter(unsigned halfLayer);

} // namespace rasp::rt

#endif
