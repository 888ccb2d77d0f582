//===- runtime/dump/Details.cpp - one head, neuron or direction -----------===//

#include "runtime/Atom.h"
#include "runtime/dump/Dump.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <limits>

using namespace rasp::rt;

/// What is shown of long lists.
static constexpr size_t mostListed = 40;

static std::string partName(const char *kind, size_t layer, size_t number) {
  return llvm::formatv("{0} {1}.{2}", kind, layer, number);
}

//===----------------------------------------------------------------------===//
// Who writes and reads a direction
//===----------------------------------------------------------------------===//

std::vector<Access> rasp::rt::writersOf(const Model &model,
                                        unsigned direction) {
  std::vector<Access> writers;
  auto add = [&](std::string component, std::string place, double weight) {
    if (weight != 0)
      writers.push_back({std::move(component), std::move(place), weight});
  };
  for (Eigen::Index t = 0; t < model.wE.rows(); ++t) {
    std::string token = t < static_cast<Eigen::Index>(model.input.values.size())
                            ? displayText(model.input.values[t])
                        : t == model.input.bosId ? "BOS"
                        : t == model.input.padId ? "PAD"
                                                 : std::to_string(t);
    add("token " + token, "W_E", model.wE.coeff(t, direction));
  }
  for (Eigen::Index p = 0; p < model.wPos.rows(); ++p)
    add(p == 0 ? "position of BOS" : "position " + std::to_string(p - 1),
        "W_pos", model.wPos.coeff(p, direction));
  for (auto [l, layer] : llvm::enumerate(model.layers)) {
    for (auto [h, head] : llvm::enumerate(layer.heads))
      for (Eigen::Index c = 0; c < head.wO.rows(); ++c)
        add(partName("head", l, h), "W_O column " + std::to_string(c),
            head.wO.coeff(c, direction));
    add("layer " + std::to_string(l), "b_O", layer.bO[direction]);
    for (Eigen::Index n = 0; n < layer.wOut.rows(); ++n)
      add(partName("neuron", l, n), "W_out", layer.wOut.coeff(n, direction));
    add("layer " + std::to_string(l), "b_out", layer.bOut[direction]);
  }
  return writers;
}

std::vector<Access> rasp::rt::readersOf(const Model &model,
                                        unsigned direction) {
  std::vector<Access> readers;
  auto add = [&](const Matrix &matrix, auto componentOf, auto placeOf) {
    for (Matrix::InnerIterator it(matrix, direction); it; ++it)
      if (it.value() != 0)
        readers.push_back(
            {componentOf(it.col()), placeOf(it.col()), it.value()});
  };
  for (auto [l, layer] : llvm::enumerate(model.layers)) {
    for (auto [h, head] : llvm::enumerate(layer.heads))
      for (auto [name, matrix] :
           {std::pair("W_Q", &head.wQ), std::pair("W_K", &head.wK),
            std::pair("W_V", &head.wV)})
        add(
            *matrix, [&](auto) { return partName("head", l, h); },
            [&](auto column) {
              return std::string(name) + " column " + std::to_string(column);
            });
    add(
        layer.wIn, [&](auto unit) { return partName("neuron", l, unit); },
        [](auto) { return std::string("W_in"); });
  }
  add(
      model.wU,
      [&](auto logit) {
        return model.output.kind == OutputVocab::Numerical
                   ? std::string("the output")
                   : "logit " + displayText(model.output.values[logit]);
      },
      [](auto) { return std::string("W_U"); });
  return readers;
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

void rasp::rt::printHeadWeights(llvm::raw_ostream &os, const Meanings &meanings,
                                PartNumber part) {
  const Model &model = meanings.model;
  const Head &head = model.layers[part.layer].heads[part.number];
  os << llvm::formatv("    scores are q . k / sqrt({0}); by column, with "
                      "biases\n",
                      model.config.dHead);
  for (const NamedWeights &own : readingWeights(head)) {
    os << "    " << own.name << "\n";
    for (unsigned c = 0; c < own.matrix.cols(); ++c) {
      Affine column = columnOf(own.matrix, own.bias, c);
      if (!column.terms.empty() || column.constant != 0)
        os << llvm::formatv("      {0,3}  ", c) << textOf(column, meanings)
           << "\n";
    }
  }
  os << "    W_O\n";
  for (Eigen::Index c = 0; c < head.wO.rows(); ++c)
    for (Matrix::InnerIterator it(head.wO, c); it; ++it)
      if (it.value() != 0)
        os << llvm::formatv("      {0,3}  ", c)
           << exactText(it.value(), model.config.dtype) << " -> "
           << meanings.nameOf(it.col()) << "\n";
}

//===----------------------------------------------------------------------===//
// Hidden units
//===----------------------------------------------------------------------===//

std::optional<Activity> rasp::rt::activityOf(Meanings &meanings,
                                             PartNumber neuron) {
  constexpr double mostCombinations = 1 << 20;
  if (!meanings.certificate)
    return std::nullopt;
  const Layer &layer = meanings.model.layers[neuron.layer];
  Tables &tables = *meanings.tables;
  Activity activity;
  const Certificate::Domain *domain = nullptr;
  for (Matrix::InnerIterator it(layer.wOut, neuron.number); it; ++it)
    if (auto index = meanings.certificate->directions[it.col()].domain;
        index && it.value() != 0)
      domain = &meanings.certificate->domains[*index];
  if (!domain)
    return std::nullopt;
  activity.inputs.assign(domain->variables.begin(), domain->variables.end());
  TableView view;
  Affine input = columnOf(layer.wIn, layer.bIn, neuron.number);
  view.constant.value = input.constant;
  for (auto [from, weight] : input.terms) {
    if (tables.tables[from].entries.empty())
      return std::nullopt;
    view.terms.push_back({from, weight});
  }
  double combinations = 1;
  for (unsigned variable : activity.inputs)
    combinations *= tables.sizeOf(variable);
  if (combinations > mostCombinations)
    return std::nullopt;
  std::vector<TableView> views{view};
  tables.restrictTo(activity.inputs, views);
  JointWalk walk(tables, activity.inputs);
  llvm::SmallVector<unsigned, 8> followed;
  for (const TableTerm &term : views[0].terms)
    followed.push_back(walk.follow(tables.tables[term.table].variables));
  JointOccurrence occurrence(meanings, walk, activity.inputs);
  for (size_t i = 0; i < walk.size(); ++i, walk.next()) {
    bool isExcluded = !domain->excluded.empty() && domain->excluded[i];
    activity.preactivations.push_back(
        isExcluded || !occurrence.admits(i)
            ? std::numeric_limits<double>::quiet_NaN()
            : tables.evaluate(views[0], walk, followed).value);
  }
  return activity;
}

void rasp::rt::printNeuron(llvm::raw_ostream &os, Meanings &meanings,
                           PartNumber part, bool isWhole) {
  const Layer &layer = meanings.model.layers[part.layer];
  DType dtype = meanings.model.config.dtype;
  os << llvm::formatv("  neuron {0}.{1}\n", part.layer, part.number);
  if (const ClearedDirection *cleared =
          meanings.clearedBy(part.layer, part.number)) {
    os << llvm::formatv("    is       relu({0}{1})\n",
                        part.number == cleared->units[0] ? "" : "-",
                        meanings.bracketed(cleared->direction))
       << llvm::formatv("    clears   dim {0}, for `{1}`\n",
                        meanings.coordinateOf(cleared->direction),
                        meanings.nameOf(cleared->next));
    return;
  }
  Affine input = columnOf(layer.wIn, layer.bIn, part.number);
  os << "    is       relu(" << textOf(input, meanings) << ")\n";
  for (auto [from, weight] : input.terms)
    os << "    W_in     " << exactText(weight, dtype) << " <- "
       << meanings.nameOf(from) << "\n";
  os << "    b_in     " << exactText(layer.bIn[part.number], dtype) << "\n";
  for (Matrix::InnerIterator it(layer.wOut, part.number); it; ++it) {
    if (it.value() == 0)
      continue;
    os << "    W_out    " << exactText(it.value(), dtype) << " -> "
       << meanings.nameOf(it.col());
    const Subspace *space = meanings.spaceOf(it.col());
    if (space && !space->sourceLines.empty())
      os << "  " << meanings.lineText(space->sourceLines);
    os << "\n";
  }
  std::optional<Activity> activity = activityOf(meanings, part);
  if (!activity) {
    os << "    active   unknown: the file does not list what it depends on\n";
    return;
  }
  size_t all = 0, active = 0;
  for (double number : activity->preactivations) {
    all += !std::isnan(number);
    active += number > 0;
  }
  os << "    active   on " << active << " of " << counted(all, "joint value")
     << "\n";
  size_t listed = 0;
  for (auto [i, number] : llvm::enumerate(activity->preactivations)) {
    if (!(number > 0))
      continue;
    if (!isWhole && listed == mostListed) {
      os << "             ... " << active - listed << " more\n";
      break;
    }
    ++listed;
    size_t rest = i;
    std::string text;
    for (unsigned variable : llvm::reverse(activity->inputs)) {
      size_t size = meanings.tables->sizeOf(variable);
      llvm::ArrayRef<Atom> values = meanings.valuesOf(variable);
      text = meanings.certificate->variables[variable].name + " = " +
             (values.empty() ? "#" + std::to_string(rest % size)
                             : displayText(values[rest % size])) +
             (text.empty() ? "" : ", ") + text;
      rest /= size;
    }
    os << "             " << shortText(number) << " where " << text << "\n";
  }
}

//===----------------------------------------------------------------------===//
// Directions
//===----------------------------------------------------------------------===//

static void printHeld(llvm::raw_ostream &os, const Meanings &meanings,
                      unsigned dimension, const Subspace &space, bool isWhole) {
  const DirectionCode *code = meanings.codeOf(dimension);
  if (!code || !code->hasCode) {
    os << "    holds    "
       << (space.role == "bookkeeping"
               ? "1 at BOS, else 0"
               : "the file does not say, by value of its variable")
       << "\n";
    return;
  }
  if (code->low.empty() || (code->scale != 1 || code->offset != 0)) {
    os << "    holds    ";
    if (code->scale != 1)
      os << exactText(code->scale, DType::Float64) << " * ";
    os << space.variable;
    if (code->offset != 0)
      os << (code->offset < 0 ? " - " : " + ")
         << exactText(std::fabs(code->offset), DType::Float64);
    os << "\n";
    return;
  }
  auto variable = llvm::find(meanings.decoder->variables(), space.variable);
  llvm::ArrayRef<Atom> values = meanings.decoder->valuesOf(
      variable - meanings.decoder->variables().begin());
  size_t listed = isWhole ? values.size() : std::min(mostListed, values.size());
  for (size_t v = 0; v < listed; ++v) {
    os << (v == 0 ? "    holds    " : "             ");
    if (std::isnan(code->low[v]))
      os << "anything";
    else if (code->low[v] == code->high[v])
      os << shortText(code->low[v]);
    else
      os << shortText(code->low[v]) << ".." << shortText(code->high[v]);
    os << " for " << displayText(values[v]) << "\n";
  }
  if (listed < values.size())
    os << "             ... " << counted(values.size() - listed, "more value")
       << "\n";
}

void rasp::rt::printDimension(llvm::raw_ostream &os, const Meanings &meanings,
                              const Analysis &analysis, unsigned dimension,
                              bool isWhole) {
  os << "  dim " << meanings.coordinateOf(dimension) << "  "
     << meanings.nameOf(dimension) << "\n";
  const Verdict &verdict = analysis.directions[dimension];
  if (verdict.kind != Verdict::AsLabelled)
    os << (verdict.kind == Verdict::Wrong ? "    !! not as labelled: "
                                          : "    ?? unchecked: ")
       << verdict.reason << "\n";
  if (const Subspace *space = meanings.spaceOf(dimension)) {
    os << "    of       " << space->variable << ", dims "
       << meanings.coordinateOf(space->begin) << ".."
       << meanings.coordinateOf(space->end - 1) << ", " << space->encoding;
    if (!space->construction.empty())
      os << ", " << space->construction;
    os << "\n";
    if (!space->sourceLines.empty())
      os << "    from     " << meanings.lineText(space->sourceLines) << "\n";
    unsigned live = space->liveFrom;
    os << "    there    after the "
       << (live == 0 ? std::string("embedding")
                     : (live % 2 ? "attention of layer " : "MLP of layer ") +
                           std::to_string((live - 1) / 2));
    if (const ClearedDirection *cleared = meanings.clearingOf(dimension))
      os << ", until the MLP of layer " << cleared->layer << " clears it for `"
         << meanings.nameOf(cleared->next) << "`";
    os << "\n";
    printHeld(os, meanings, dimension, *space, isWhole);
  }
  DType dtype = meanings.model.config.dtype;
  auto list = [&](const char *name, llvm::ArrayRef<Access> accesses) {
    size_t listed =
        isWhole ? accesses.size() : std::min(mostListed, accesses.size());
    for (size_t i = 0; i < listed; ++i)
      os << (i == 0 ? name : "             ")
         << exactText(accesses[i].weight, dtype) << " " << accesses[i].component
         << ", " << accesses[i].place << "\n";
    if (accesses.empty())
      os << name << "nobody\n";
    if (listed < accesses.size())
      os << "             ... " << accesses.size() - listed << " more\n";
  };
  list("    written  ", writersOf(meanings.model, dimension));
  list("    read     ", readersOf(meanings.model, dimension));
}
