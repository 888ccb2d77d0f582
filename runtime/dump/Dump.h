//===- runtime/dump/Dump.h - a model's weights, told ------------*- C++ -*-===//

#ifndef RASP_RUNTIME_DUMP_DUMP_H
#define RASP_RUNTIME_DUMP_DUMP_H

#include "runtime/dump/Analysis.h"
#include "llvm/Support/raw_ostream.h"

namespace rasp::rt {

/// A part of a layer, as users write it: `--head=1.0`.
struct PartNumber {
  unsigned layer = 0, number = 0;
};

/// What to show of a model.
struct DumpRequest {
  std::vector<unsigned> layers; ///< empty for all
  /// If there are any of these, nothing else is shown.
  std::vector<PartNumber> heads, neurons;
  std::vector<unsigned> dimensions;
  bool isWhole = false; ///< long tables too

  bool isDetail() const {
    return !heads.empty() || !neurons.empty() || !dimensions.empty();
  }
};

/// For people.
void printText(llvm::raw_ostream &os, Meanings &meanings,
               const Analysis &analysis, const DumpRequest &request);
/// For scripts: one object.
llvm::json::Value toJSON(Meanings &meanings, const Analysis &analysis,
                         const DumpRequest &request);

/// `checked: 2 heads, ...; all as labelled`
std::string summaryOf(const Analysis &analysis);
/// What is not as labelled, a line each.
std::vector<std::string> problemsOf(const Meanings &meanings,
                                    const Analysis &analysis);

/// Everything about one part, weight by weight; also for people.
void printHeadWeights(llvm::raw_ostream &os, const Meanings &meanings,
                      PartNumber part);
void printNeuron(llvm::raw_ostream &os, Meanings &meanings, PartNumber part,
                 bool isWhole);
void printDimension(llvm::raw_ostream &os, const Meanings &meanings,
                    const Analysis &analysis, unsigned dimension, bool isWhole);

/// The values of its domain on which a hidden unit is active.
struct Activity {
  llvm::SmallVector<unsigned, 3> inputs; ///< variables of the certificate
  /// What goes into the unit, by joint value; NaN where that never occurs.
  std::vector<double> preactivations;
};
/// None if the file does not say what the unit is a function of.
std::optional<Activity> activityOf(Meanings &meanings, PartNumber neuron);

/// A component that writes or reads a direction, with its weight.
struct Access {
  std::string component; ///< `head 1.0`, `neuron 0.2`, `token d`
  std::string place;     ///< `W_Q column 0`
  double weight = 0;
};
std::vector<Access> writersOf(const Model &model, unsigned direction);
std::vector<Access> readersOf(const Model &model, unsigned direction);

} // namespace rasp::rt

#endif
