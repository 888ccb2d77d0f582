//===- backend/Readout.cpp - from the stream to values --------------------===//
//
// Ints, bools and strings are read as one logit per value. A number s needs no
// one-hot code for that: 2vs - v^2 is largest for the v nearest to s. Floats
// are read as the number itself; the decoder takes the nearest of the values
// that can occur.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Value;

static constexpr size_t maxListedValues = 4096;

bool Lowering::buildReadout(const Node *output) {
  Readout &readout = circuit.readout;
  readout.node = output;
  readout.name = spaceName(output);
  const ir::NodeValues &values = sets.of(output);
  auto has = [&](ir::ValueKind kind) {
    return llvm::any_of(values.values,
                        [&](const Value &v) { return v.kind() == kind; });
  };
  bool strings = has(ir::ValueKind::String);
  bool floats = !values.known || has(ir::ValueKind::Float);
  bool ints = has(ir::ValueKind::Int);

  if (strings) {
    readout.type = "string";
    std::vector<double> isValue(values.values.size(), 0);
    for (size_t i = 0; i < values.values.size(); ++i) {
      isValue.assign(values.values.size(), 0);
      isValue[i] = 1;
      View view = functionOf(output, isValue, values.values[i].display());
      if (failed)
        return false;
      double error = read(view).error;
      if (error > 0.25) {
        diags.emit(rangeOf(output), ir::diag::TooNoisy, spaceName(output),
                   error);
        return false;
      }
      readout.values.push_back(values.values[i]);
      readout.logits.push_back(std::move(view));
    }
    return true;
  }

  readout.type = floats ? "float" : ints ? "int" : "bool";
  View scalar = scalarOf(output);
  if (failed)
    return false;
  double error = read(scalar).error;
  std::vector<double> numbers;
  for (const Value &value : values.values)
    numbers.push_back(value.toDouble());
  llvm::sort(numbers);
  // Numbers that differ by the interpreter's own rounding are one.
  numbers.erase(llvm::unique(numbers,
                             [](double a, double b) {
                               return b - a <=
                                      1e-12 * std::max(1.0, std::fabs(b));
                             }),
                numbers.end());
  double gap = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i + 1 < numbers.size(); ++i)
    gap = std::min(gap, numbers[i + 1] - numbers[i]);

  if (!floats) {
    if (error >= 0.4) {
      diags.emit(rangeOf(output), ir::diag::TooNoisy, spaceName(output), error);
      return false;
    }
    double reach = std::max(std::fabs(values.low), std::fabs(values.high));
    // The nearest value wins by 1 - 2 * error; logits are rounded.
    double rounding = 8 * options.unitRoundoff * reach * reach;
    readout.numerical =
        numbers.size() > maxListedValues || rounding > 0.5 * (1 - 2 * error);
    for (double number : numbers) {
      readout.values.push_back(
          ints ? Value::integer(static_cast<int64_t>(number))
               : Value::boolean(number != 0));
      if (!readout.numerical) {
        View logit = scalar * (2 * number);
        logit.constant -= number * number;
        readout.logits.push_back(std::move(logit));
      }
    }
    if (readout.numerical) {
      readout.logits.push_back(scalar);
      readout.tolerance = 0.5;
    }
    return true;
  }

  readout.numerical = true;
  readout.logits.push_back(scalar);
  if (values.known && numbers.size() <= maxListedValues && error < gap / 2) {
    for (double number : numbers)
      readout.values.push_back(Value::real(number));
    readout.tolerance = numbers.size() > 1 ? gap / 2 : 1;
  } else {
    readout.tolerance = error;
  }
  return true;
}
