//===- backend/Readout.cpp - from the stream to values --------------------===//
//
// Ints, bools and strings are read as one logit per value. A number s needs no
// one-hot code for that: 2vs - v^2 is largest for the v nearest to s; with
// `numberedOutput` strings are put out as numbers as well. Floats are read as
// the number itself; the decoder takes the nearest of the values that can
// occur.
//
//===----------------------------------------------------------------------===//

#include "backend/Lowering.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace rasp;
using namespace rasp::backend;
using ir::Node;
using ir::Value;

static constexpr size_t maxListedValues = 4096;

void Lowering::setExpected(const Node *output) {
  Readout &readout = circuit.readout;
  readout.joint = jointOf(output);
  const ir::NodeValues &values = sets.of(output);
  // The decoder's value for each value of the s-op: the nearest number, or the
  // value itself.
  std::vector<int32_t> decoded;
  auto isLess = [](const Value &a, double b) { return a.toDouble() < b; };
  for (const Value &value : values.values) {
    auto begin = readout.values.begin(), end = readout.values.end(), it = begin;
    if (readout.type == "string") {
      it = std::find_if(begin, end, [&](const Value &other) {
        return ir::pythonEqual(value, other);
      });
    } else if (begin != end) {
      double number = value.toDouble();
      it = std::lower_bound(begin, end, number, isLess);
      if (it == end || (it != begin && number - std::prev(it)->toDouble() <
                                           it->toDouble() - number))
        --it;
    }
    decoded.push_back(it == end ? -1 : static_cast<int32_t>(it - begin));
  }
  if (isByValue(*readout.joint, output)) {
    readout.expected = std::move(decoded);
    return;
  }
  for (int32_t entry : values.table.entries)
    readout.expected.push_back(entry == ir::JointTable::impossible
                                   ? -1
                                   : decoded[static_cast<size_t>(entry)]);
}

bool Lowering::buildReadout(const Node *output) {
  if (!chooseReadout(output))
    return false;
  setExpected(output);
  for (const View &logit : circuit.readout.logits)
    circuit.readout.error = std::max(circuit.readout.error, read(logit).error);
  return !failed;
}

void Lowering::readNearest(const View &scalar, llvm::ArrayRef<double> numbers) {
  for (double number : numbers) {
    View logit = scalar * (2 * number);
    logit.constant -= number * number;
    circuit.readout.logits.push_back(std::move(logit));
  }
}

/// How wrong logits may be that differ by 1 beside the right value.
static constexpr double worstLogit = 0.45;

bool Lowering::readStrings(const Node *output) {
  Readout &readout = circuit.readout;
  readout.type = "string";
  const ir::NodeValues &values = sets.of(output);
  // Numbers that are equal are one value.
  std::vector<double> numbers;
  for (const Value &value : values.values) {
    auto known = llvm::find_if(readout.values, [&](const Value &other) {
      return ir::pythonEqual(value, other);
    });
    numbers.push_back(static_cast<double>(known - readout.values.begin()));
    if (known == readout.values.end())
      readout.values.push_back(value);
  }
  if (options.numberedOutput && readout.values.size() > 2) {
    View scalar = functionOf(output, numbers, "number");
    if (failed)
      return false;
    std::vector<double> all(readout.values.size());
    std::iota(all.begin(), all.end(), 0);
    readNearest(scalar, all);
    if (llvm::all_of(readout.logits, [&](const View &logit) {
          return read(logit).error <= worstLogit;
        })) {
      remark(View(), output, ir::diag::OutputByNumber, readout.logits.size(),
             read(scalar).error);
      return true;
    }
    readout.logits.clear();
  }
  for (size_t i = 0; i < readout.values.size(); ++i) {
    std::vector<double> isValue;
    for (double number : numbers)
      isValue.push_back(number == static_cast<double>(i));
    View view = functionOf(output, isValue, readout.values[i].display());
    if (failed)
      return false;
    double error = read(view).error;
    if (error > 0.25) {
      refuseNoise(output, error, 0.25, view);
      return false;
    }
    readout.logits.push_back(std::move(view));
  }
  remark(View(), output, ir::diag::OutputByIndicators, readout.logits.size(),
         options.numberedOutput ? "numbers for them would have large errors"
                                : "strings are not numbered at this level");
  return true;
}

bool Lowering::chooseReadout(const Node *output) {
  Readout &readout = circuit.readout;
  readout.node = output;
  readout.name = spaceName(output);
  assert(!(sets.of(output).known && sets.of(output).values.empty()) &&
         "checkFailures refuses what has no value");
  if (!sets.of(output).known && !sets.of(output).numeric)
    return requireValues(output, "the readout");
  const ir::NodeValues &values = sets.of(output);
  auto has = [&](ir::ValueKind kind) {
    return llvm::any_of(values.values,
                        [&](const Value &v) { return v.kind() == kind; });
  };
  bool strings = has(ir::ValueKind::String);
  bool floats = !values.known || has(ir::ValueKind::Float);
  bool ints = has(ir::ValueKind::Int);

  if (strings)
    return readStrings(output);

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
      refuseNoise(output, error, 0.4, scalar);
      return false;
    }
    readNearest(scalar, numbers);
    readout.numerical = numbers.size() > maxListedValues ||
                        llvm::any_of(readout.logits, [&](const View &logit) {
                          return read(logit).error > worstLogit;
                        });
    for (double number : numbers)
      readout.values.push_back(
          ints ? Value::integer(static_cast<int64_t>(number))
               : Value::boolean(number != 0));
    if (readout.numerical) {
      readout.logits = {scalar};
      readout.tolerance = 0.5;
    } else {
      remark(View(), output, ir::diag::OutputByNumber, readout.logits.size(),
             error);
    }
    return true;
  }

  readout.numerical = true;
  readout.logits.push_back(scalar);
  if (values.known && numbers.size() <= maxListedValues && error < gap / 2) {
    for (double number : numbers)
      readout.values.push_back(Value::real(number));
    readout.tolerance = numbers.size() > 1 ? gap / 2 : 1;
  } else if (values.known && numbers.size() <= maxListedValues) {
    refuseNoise(output, error, gap / 2, scalar);
    return false;
  } else {
    // The number is the output: it must be right to three decimals, or to six
    // digits where all values are large.
    double smallest =
        values.low > 0 || values.high < 0
            ? std::min(std::fabs(values.low), std::fabs(values.high))
            : 0;
    double tolerance = std::max(1e-3, 1e-6 * smallest);
    if (error > tolerance) {
      refuseNoise(output, error, tolerance, scalar);
      return false;
    }
    readout.tolerance = error;
  }
  return true;
}
