//===- backend/Tables.cpp - functions of several sources ------------------===//
//
// A table over joint values of sources becomes, in this order of preference:
// a constant or a function of one source where the others do not matter, a sum
// of functions of one source each, and otherwise one hidden layer that is
// either
//
// * a packing: a linear form of the sources whose value decides the outcome,
//   read through a profile; or
// * cells: relu(e1 + ... + em - (m-1)) for a combination of classes, e_i the
//   0/1 view of a class of source i; combinations with the same outcome are
//   grouped into boxes. One source may stay a raw scalar: then each cell has a
//   profile of it, held down by -B(m - e1 - ... - em) while the cell is not
//   the right one.
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
using ir::OpKind;
using ir::Source;

static constexpr double anyNumber = std::numeric_limits<double>::quiet_NaN();

//===----------------------------------------------------------------------===//
// Neurons
//===----------------------------------------------------------------------===//

void Lowering::addNeuron(const View &input, DirId target, double weight) {
  auto [it, isNew] = neurons.try_emplace(input, circuit.neurons.size());
  if (isNew)
    circuit.neurons.push_back(
        Neuron{input, {}, nextMlp(timeOf(circuit, input)) / 2 - 1});
  Neuron &neuron = circuit.neurons[it->second];
  for (Term &term : neuron.outputs)
    if (term.dir == target) {
      term.weight += weight;
      return;
    }
  neuron.outputs.push_back({target, weight});
  Direction &dir = circuit[target];
  dir.time = std::max(dir.time, 2 * neuron.layer + 2);
  dir.atBos += weight * std::max(0.0, atBos(circuit, input));
}

DirId Lowering::newMlpDirection(const Naming &naming) {
  Direction direction;
  direction.writer = WriterKind::Mlp;
  direction.node = naming.node;
  direction.space = spaceName(naming.node);
  direction.label = naming.label;
  return newDirection(std::move(direction));
}

void Lowering::finishMlpDirection(DirId dir, double low, double high,
                                  double error) {
  circuit[dir].low = low;
  circuit[dir].high = high;
  circuit[dir].error = error;
  circuit[dir].grid = error == 0 ? 1 : 0;
}

View Lowering::emitProfile(const View &coordinate, const Profile &profile,
                           const Naming &naming, double low, double high) {
  View view = coordinate * profile.linear;
  Reading linear = read(view);
  view.constant += profile.constant;
  if (profile.units.empty())
    return view;
  DirId dir = newMlpDirection(naming);
  for (const ProfileUnit &unit : profile.units) {
    View input = coordinate * unit.slope;
    input.constant += unit.offset;
    addNeuron(input, dir, unit.weight);
  }
  finishMlpDirection(dir, low - profile.constant - linear.high,
                     high - profile.constant - linear.low, profile.error);
  circuit[dir].exactZero = profile.exactZero && profile.constant == 0;
  return view + View::of(dir);
}

//===----------------------------------------------------------------------===//
// Linear forms
//===----------------------------------------------------------------------===//

std::optional<LinearForm>
Lowering::linearForm(const Node *sop, llvm::ArrayRef<Source> sources) {
  const ir::NodeValues &values = sets.of(sop);
  if (llvm::is_contained(sources, sop))
    return LinearForm{{{sop, 1}}, 0};
  if (values.known && values.values.size() == 1 &&
      values.values[0].isNumeric())
    return LinearForm{{}, values.values[0].toDouble()};
  auto combine = [&](double a, double b) -> std::optional<LinearForm> {
    auto left = linearForm(sop->operand(0), sources);
    auto right = linearForm(sop->operand(1), sources);
    if (!left || !right)
      return std::nullopt;
    LinearForm sum;
    sum.constant = a * left->constant + b * right->constant;
    for (auto [source, c] : left->coefficients)
      sum.coefficients.emplace_back(source, a * c);
    for (auto [source, c] : right->coefficients) {
      auto it = llvm::find_if(sum.coefficients, [&, s = source](auto &entry) {
        return entry.first == s;
      });
      if (it == sum.coefficients.end())
        sum.coefficients.emplace_back(source, b * c);
      else
        it->second += b * c;
    }
    llvm::erase_if(sum.coefficients,
                   [](auto &entry) { return entry.second == 0; });
    return sum;
  };
  auto scale = [&](const Node *operand,
                   double factor) -> std::optional<LinearForm> {
    auto form = linearForm(operand, sources);
    if (!form)
      return std::nullopt;
    form->constant *= factor;
    for (auto &entry : form->coefficients)
      entry.second *= factor;
    return form;
  };
  auto constantOf = [&](const Node *operand) -> std::optional<double> {
    const ir::NodeValues &own = sets.of(operand);
    if (own.known && own.values.size() == 1 && own.values[0].isNumeric())
      return own.values[0].toDouble();
    return std::nullopt;
  };
  switch (sop->kind()) {
  case OpKind::TokensInt:
  case OpKind::TokensFloat:
    // The token stands for its number where the input consists of numbers.
    if (llvm::is_contained(sources, nullptr) &&
        llvm::all_of(sets.domain().vocabulary,
                     [](const ir::Value &v) { return v.isInt(); }))
      return LinearForm{{{nullptr, 1}}, 0};
    return std::nullopt;
  case OpKind::Pos:
    return linearForm(sop->operand(0), sources);
  case OpKind::Neg:
    return scale(sop->operand(0), -1);
  case OpKind::Add:
    return combine(1, 1);
  case OpKind::Sub:
    return combine(1, -1);
  case OpKind::Mul:
    if (auto factor = constantOf(sop->operand(0)))
      return scale(sop->operand(1), *factor);
    if (auto factor = constantOf(sop->operand(1)))
      return scale(sop->operand(0), *factor);
    return std::nullopt;
  case OpKind::Div:
    if (auto divisor = constantOf(sop->operand(1)))
      if (*divisor != 0)
        return scale(sop->operand(0), 1 / *divisor);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::vector<LinearForm>
Lowering::collectForms(const Node *sop, llvm::ArrayRef<Source> sources) {
  std::vector<LinearForm> forms;
  llvm::SmallVector<const Node *> work{sop};
  llvm::DenseMap<const Node *, bool> seen;
  auto add = [&](const std::optional<LinearForm> &form) {
    if (form && form->coefficients.size() > 1 && forms.size() < 8)
      forms.push_back(*form);
  };
  while (!work.empty() && seen.size() < 64) {
    const Node *node = work.pop_back_val();
    if (seen[node] || !ir::isElementwise(node->kind()) ||
        llvm::is_contained(sources, node))
      continue;
    seen[node] = true;
    if (auto form = linearForm(node, sources)) {
      add(form);
      continue;
    }
    switch (node->kind()) {
    case OpKind::Eq:
    case OpKind::Ne:
    case OpKind::Lt:
    case OpKind::Le:
    case OpKind::Gt:
    case OpKind::Ge: {
      auto left = linearForm(node->operand(0), sources);
      auto right = linearForm(node->operand(1), sources);
      if (!left || !right)
        break;
      // The sign of the difference decides.
      LinearForm difference = *left;
      difference.constant -= right->constant;
      for (auto [source, c] : right->coefficients) {
        auto it = llvm::find_if(
            difference.coefficients,
            [&, s = source](auto &entry) { return entry.first == s; });
        if (it == difference.coefficients.end())
          difference.coefficients.emplace_back(source, -c);
        else
          it->second -= c;
      }
      add(difference);
      break;
    }
    default:
      break;
    }
    for (const Node *operand : node->operands())
      work.push_back(operand);
  }
  return forms;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
/// Walks all entries of a table in order.
struct Odometer {
  llvm::ArrayRef<uint32_t> sizes;
  llvm::SmallVector<uint32_t, 3> at;
  explicit Odometer(llvm::ArrayRef<uint32_t> sizes)
      : sizes(sizes), at(sizes.size(), 0) {}
  void next() {
    for (size_t k = sizes.size(); k-- > 0;) {
      if (++at[k] < sizes[k])
        return;
      at[k] = 0;
    }
  }
};

/// The values of a source sorted into classes that the table does not tell
/// apart.
struct Classes {
  std::vector<uint32_t> classOf;
  std::vector<uint32_t> representative;
};
} // namespace

static size_t strideOf(llvm::ArrayRef<uint32_t> sizes, size_t dim) {
  size_t stride = 1;
  for (size_t k = dim + 1; k < sizes.size(); ++k)
    stride *= sizes[k];
  return stride;
}

/// Merges the values of dimension `dim` whose slices agree wherever both are
/// known; the table keeps one slice per class.
static Classes mergeDimension(llvm::SmallVectorImpl<uint32_t> &sizes,
                              std::vector<double> &entries, size_t dim) {
  size_t stride = strideOf(sizes, dim), count = sizes[dim];
  size_t outer = entries.size() / (stride * count);
  size_t slice = outer * stride;
  std::vector<std::vector<double>> merged;
  Classes classes;
  std::vector<double> own(slice);
  for (uint32_t value = 0; value < count; ++value) {
    for (size_t o = 0; o < outer; ++o)
      for (size_t i = 0; i < stride; ++i)
        own[o * stride + i] = entries[(o * count + value) * stride + i];
    size_t chosen = merged.size();
    for (size_t c = 0; c < merged.size() && chosen == merged.size(); ++c) {
      bool agrees = true;
      for (size_t i = 0; i < slice && agrees; ++i)
        agrees = std::isnan(own[i]) || std::isnan(merged[c][i]) ||
                 own[i] == merged[c][i];
      if (agrees)
        chosen = c;
    }
    if (chosen == merged.size()) {
      merged.push_back(own);
      classes.representative.push_back(value);
    } else {
      for (size_t i = 0; i < slice; ++i)
        if (std::isnan(merged[chosen][i]))
          merged[chosen][i] = own[i];
    }
    classes.classOf.push_back(static_cast<uint32_t>(chosen));
  }
  sizes[dim] = static_cast<uint32_t>(merged.size());
  entries.resize(slice * merged.size());
  for (size_t o = 0; o < outer; ++o)
    for (size_t c = 0; c < merged.size(); ++c)
      for (size_t i = 0; i < stride; ++i)
        entries[(o * merged.size() + c) * stride + i] =
            merged[c][o * stride + i];
  return classes;
}

static std::pair<double, double> rangeOfEntries(llvm::ArrayRef<double> entries) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double entry : entries)
    if (!std::isnan(entry)) {
      low = std::min(low, entry);
      high = std::max(high, entry);
    }
  return low <= high ? std::pair(low, high) : std::pair(0.0, 0.0);
}

View Lowering::realize(Table table, llvm::ArrayRef<LinearForm> forms,
                       const Naming &naming) {
  std::vector<const Node *> key(table.sources.begin(), table.sources.end());
  // NaN is no key: any fixed number that no table holds stands for it.
  std::vector<double> keyEntries = table.entries;
  for (double &entry : keyEntries)
    if (std::isnan(entry))
      entry = -0x1.23456789abcdep+1000;
  auto found = realized.find({key, keyEntries});
  if (found != realized.end())
    return found->second;

  // Sources that do not matter go.
  for (size_t dim = 0; dim < table.sources.size();) {
    llvm::SmallVector<uint32_t, 3> sizes = table.sizes;
    std::vector<double> entries = table.entries;
    mergeDimension(sizes, entries, dim);
    if (sizes[dim] > 1) {
      ++dim;
      continue;
    }
    table.entries = std::move(entries);
    table.sizes.erase(table.sizes.begin() + dim);
    table.sources.erase(table.sources.begin() + dim);
  }

  View view;
  if (table.sources.empty()) {
    double constant = table.entries.empty() ? 0 : table.entries[0];
    view = View::ofConstant(std::isnan(constant) ? 0 : constant);
  } else if (table.sources.size() == 1) {
    view = functionOfSource(table.sources[0], table.entries, naming);
  } else {
    // A sum of functions of one source each, found along the axes through an
    // entry from which all of them are known.
    size_t dims = table.sources.size();
    llvm::SmallVector<size_t, 3> strides;
    for (size_t d = 0; d < dims; ++d)
      strides.push_back(strideOf(table.sizes, d));
    Odometer origin(table.sizes);
    std::vector<std::vector<double>> parts;
    size_t tries = 0;
    for (size_t e = 0; e < table.entries.size() && tries < 16;
         ++e, origin.next()) {
      if (std::isnan(table.entries[e]))
        continue;
      ++tries;
      parts.assign(dims, {});
      bool complete = true;
      for (size_t d = 0; d < dims && complete; ++d)
        for (uint32_t v = 0; v < table.sizes[d]; ++v) {
          size_t at = e - origin.at[d] * strides[d] + v * strides[d];
          parts[d].push_back(table.entries[at] - table.entries[e]);
          complete &= !std::isnan(parts[d].back());
        }
      if (!complete) {
        parts.clear();
        continue;
      }
      Odometer all(table.sizes);
      double scale = 0;
      for (double entry : table.entries)
        if (!std::isnan(entry))
          scale = std::max(scale, std::fabs(entry));
      for (size_t i = 0; i < table.entries.size() && !parts.empty();
           ++i, all.next()) {
        double sum = table.entries[e];
        for (size_t d = 0; d < dims; ++d)
          sum += parts[d][all.at[d]];
        if (!std::isnan(table.entries[i]) &&
            std::fabs(sum - table.entries[i]) > 1e-14 * scale)
          parts.clear();
      }
      if (!parts.empty())
        view.constant = table.entries[e];
      break;
    }
    if (!parts.empty()) {
      for (size_t d = 0; d < dims && !failed; ++d)
        view += functionOfSource(table.sources[d], parts[d], naming);
    } else {
      view = emitTable(table, forms, naming);
    }
  }
  if (!failed)
    realized[{std::move(key), std::move(keyEntries)}] = view;
  return view;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

struct Lowering::Packing {
  View coordinate;
  Profile profile;
  unsigned time;
};

std::optional<Lowering::Packing>
Lowering::findPacking(const Table &table, llvm::ArrayRef<LinearForm> forms) {
  size_t dims = table.sources.size();
  auto [low, high] = rangeOfEntries(table.entries);
  std::optional<Packing> best;
  // `axes[d][v]`: what value v of source d adds to the coordinate.
  auto consider = [&](const View &coordinate,
                      llvm::ArrayRef<std::vector<double>> axes,
                      double constant) {
    double error = read(coordinate).error;
    std::vector<ProfilePoint> all;
    Odometer at(table.sizes);
    double magnitude = 0;
    for (double entry : table.entries) {
      if (!std::isnan(entry)) {
        double x = constant;
        for (size_t d = 0; d < dims; ++d)
          x += axes[d][at.at[d]];
        magnitude = std::max(magnitude, std::fabs(x));
        all.push_back({x, entry});
      }
      at.next();
    }
    llvm::sort(all, [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x < b.x || (a.x == b.x && a.y < b.y);
    });
    std::vector<ProfilePoint> points;
    for (const ProfilePoint &point : all) {
      // Sums that differ by rounding alone are one point.
      if (!points.empty() &&
          point.x - points.back().x <= 1e-13 * (1 + magnitude)) {
        if (points.back().y != point.y)
          return;
        continue;
      }
      points.push_back(point);
    }
    if (points.size() < 2)
      return;
    std::optional<Profile> profile =
        makeProfile(points, error, options.unitRoundoff, true);
    if (!profile || profile->error > 1e-3 * (high - low))
      return;
    unsigned time = nextMlp(timeOf(circuit, coordinate));
    if (!best || time < best->time ||
        (time == best->time &&
         profile->units.size() < best->profile.units.size()))
      best = Packing{coordinate, *profile, time};
  };

  if (llvm::all_of(table.sources, [&](Source s) { return isRaw(s); }))
    for (unsigned signs = 0; signs < 1u << (dims - 1) && dims <= 4; ++signs) {
      View coordinate;
      std::vector<std::vector<double>> axes;
      for (size_t d = 0; d < dims; ++d) {
        SourceState &state = stateOf(table.sources[d]);
        double sign = d && (signs >> (d - 1) & 1) ? -1 : 1;
        coordinate += rawView(state) * sign;
        axes.push_back(rawCoordinates(state));
        for (double &x : axes.back())
          x *= sign;
      }
      if (failed)
        return std::nullopt;
      consider(coordinate, axes, 0);
    }
  for (const LinearForm &form : forms) {
    View coordinate = View::ofConstant(form.constant);
    std::vector<std::vector<double>> axes(dims);
    bool usable = true;
    for (size_t d = 0; d < dims; ++d) {
      axes[d].assign(table.sizes[d], 0);
      for (auto [source, coefficient] : form.coefficients) {
        if (source != table.sources[d])
          continue;
        SourceState &state = stateOf(source);
        usable &= !state.numbers.empty();
        if (!usable)
          break;
        for (size_t v = 0; v < table.sizes[d]; ++v)
          axes[d][v] = coefficient * state.numbers[v];
        coordinate += functionOfSource(source, state.numbers,
                                       Naming{source, ""}) *
                      coefficient;
        if (failed)
          return std::nullopt;
      }
    }
    // Sources that the table no longer depends on may still be in the form.
    for (auto [source, coefficient] : form.coefficients)
      usable &= llvm::is_contained(table.sources, source);
    if (usable)
      consider(coordinate, axes, form.constant);
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

View Lowering::emitTable(const Table &table, llvm::ArrayRef<LinearForm> forms,
                         const Naming &naming) {
  std::optional<Packing> packing = findPacking(table, forms);
  if (failed)
    return View();
  if (packing) {
    // What cells would cost: the count of outcomes that differ from the
    // commonest, after merging; a second raw scalar has to be decoded first.
    llvm::SmallVector<uint32_t, 3> sizes = table.sizes;
    std::vector<double> entries = table.entries;
    unsigned time = 0;
    bool sawRaw = false;
    for (size_t d = 0; d < table.sources.size(); ++d) {
      SourceState &state = stateOf(table.sources[d]);
      unsigned own = 0;
      if (isRaw(table.sources[d])) {
        own = timeOf(circuit, rawView(state));
        if (sawRaw)
          own = nextMlp(own);
        sawRaw = true;
      } else if (state.access == Access::Moved) {
        own = nextAttention(
            patternOf(state.node->operand(0), BosMode::Default).time);
      } else if (state.access == Access::Derived) {
        own = packing->time;
      }
      time = std::max(time, own);
      mergeDimension(sizes, entries, d);
    }
    if (failed)
      return View();
    std::map<double, size_t> outcomes;
    size_t known = 0, commonest = 0;
    for (double entry : entries)
      if (!std::isnan(entry)) {
        ++known;
        commonest = std::max(commonest, ++outcomes[entry]);
      }
    unsigned cellTime = nextMlp(time);
    if (packing->time < cellTime ||
        (packing->time == cellTime &&
         packing->profile.units.size() <= known - commonest)) {
      auto [low, high] = rangeOfEntries(table.entries);
      return emitProfile(packing->coordinate, packing->profile, naming, low,
                         high);
    }
  }
  return emitCells(table, naming);
}

View Lowering::emitCells(const Table &table, const Naming &naming) {
  size_t dims = table.sources.size();
  // The source with most values among the raw ones stays a scalar.
  std::optional<size_t> rawDim;
  for (size_t d = 0; d < dims; ++d)
    if (isRaw(table.sources[d]) &&
        (!rawDim || table.sizes[d] > table.sizes[*rawDim]))
      rawDim = d;

  llvm::SmallVector<uint32_t, 3> sizes = table.sizes;
  std::vector<double> entries = table.entries;
  std::vector<std::vector<View>> indicators(dims);
  double indicatorError = 0;
  for (size_t d = 0; d < dims; ++d) {
    if (rawDim == d)
      continue;
    Classes classes = mergeDimension(sizes, entries, d);
    if (classes.representative.size() == classes.classOf.size() &&
        classes.classOf.size() > 2)
      makeOneHot(table.sources[d]);
    for (uint32_t c = 0; c < sizes[d] && !failed; ++c) {
      std::vector<double> isInClass;
      std::string label;
      for (size_t v = 0; v < classes.classOf.size(); ++v) {
        isInClass.push_back(classes.classOf[v] == c);
        if (classes.classOf[v] == c && label.size() < 24)
          label += (label.empty() ? "" : ",") +
                   stateOf(table.sources[d]).values[v].display();
      }
      indicators[d].push_back(functionOfSource(
          table.sources[d], isInClass, Naming{table.sources[d], label}));
      indicatorError =
          std::max(indicatorError, read(indicators[d].back()).error);
    }
  }
  if (failed)
    return View();

  size_t gates = dims - (rawDim ? 1 : 0);
  double gateError = static_cast<double>(gates) * indicatorError;
  if (gateError > 0.2) {
    diags.emit(rangeOf(naming.node), ir::diag::TooNoisy,
               spaceName(naming.node), gateError);
    failed = true;
    return View();
  }
  auto [low, high] = rangeOfEntries(table.entries);
  DirId dir = newMlpDirection(naming);

  if (!rawDim) {
    std::map<double, size_t> outcomes;
    double background = low;
    for (double entry : entries)
      if (!std::isnan(entry) && ++outcomes[entry] > outcomes[background])
        background = entry;
    // Without a constant, 0 is exactly 0 where views have errors.
    if (indicatorError > 0 && low == 0 && high == 1)
      background = 0;
    std::vector<bool> covered(entries.size(), false);
    bool grow = entries.size() <= 4096;
    Odometer at(sizes);
    double largest = 0;
    for (size_t e = 0; e < entries.size(); ++e, at.next()) {
      if (covered[e] || std::isnan(entries[e]) || entries[e] == background)
        continue;
      double outcome = entries[e];
      std::vector<std::vector<uint32_t>> box;
      for (size_t d = 0; d < dims; ++d)
        box.push_back({at.at[d]});
      // All entries of the box with dimension `d` fixed to `value`.
      auto slab = [&](size_t d, uint32_t value, auto visit) {
        llvm::SmallVector<uint32_t, 3> counts, digit;
        for (size_t k = 0; k < dims; ++k)
          counts.push_back(
              k == d ? 1 : static_cast<uint32_t>(box[k].size()));
        size_t total = std::accumulate(counts.begin(), counts.end(),
                                       size_t(1), std::multiplies<>());
        Odometer inner(counts);
        for (size_t i = 0; i < total; ++i, inner.next()) {
          size_t index = 0;
          for (size_t k = 0; k < dims; ++k)
            index = index * sizes[k] +
                    (k == d ? value : box[k][inner.at[k]]);
          if (!visit(index))
            return false;
        }
        return true;
      };
      if (grow)
        for (size_t d = 0; d < dims; ++d)
          for (uint32_t v = 0; v < sizes[d]; ++v)
            if (v != at.at[d] && slab(d, v, [&](size_t i) {
                  return !covered[i] &&
                         (std::isnan(entries[i]) || entries[i] == outcome);
                }))
              box[d].push_back(v);
      for (uint32_t v : box[0])
        slab(0, v, [&](size_t i) {
          covered[i] = true;
          return true;
        });
      View input;
      unsigned gatesHere = 0;
      for (size_t d = 0; d < dims; ++d) {
        if (box[d].size() == sizes[d])
          continue;
        ++gatesHere;
        // The smaller of the set and its complement is the shorter view.
        if (box[d].size() * 2 <= sizes[d]) {
          for (uint32_t v : box[d])
            input += indicators[d][v];
        } else {
          input.constant += 1;
          for (uint32_t v = 0; v < sizes[d]; ++v)
            if (!llvm::is_contained(box[d], v))
              input += indicators[d][v] * -1;
        }
      }
      // With exact views relu(sum - (m-1)) is exact. With others the bend is
      // moved halfway to the next smaller sum, so that errors there vanish.
      if (indicatorError == 0) {
        input.constant -= gatesHere - 1.0;
      } else {
        input = input * 2;
        input.constant -= 2.0 * gatesHere - 1;
      }
      addNeuron(input, dir, outcome - background);
      largest = std::max(largest, std::fabs(outcome - background));
    }
    double error = 0;
    if (indicatorError > 0)
      error = largest * (2 * gateError + static_cast<double>(2 * dims + 4) *
                                             options.unitRoundoff);
    finishMlpDirection(dir, low - background, high - background, error);
    bool integral = llvm::all_of(outcomes, [&](auto &entry) {
      double d = entry.first - background;
      return d == std::floor(d);
    });
    if (error == 0 && !integral)
      finishMlpDirection(dir, low - background, high - background,
                         options.unitRoundoff * largest);
    circuit[dir].exactZero = true;
    View view = View::of(dir);
    view.constant = background;
    return view;
  }

  // One profile per cell, over the raw source.
  SourceState &state = stateOf(table.sources[*rawDim]);
  View coordinate = rawView(state);
  std::vector<double> axis = rawCoordinates(state);
  double axisError = circuit[*state.raw].error;
  size_t rawStride = strideOf(sizes, *rawDim);
  Odometer at(sizes);
  std::map<std::vector<double>, std::vector<llvm::SmallVector<uint32_t, 3>>>
      cellsByProfile;
  for (size_t e = 0; e < entries.size(); ++e, at.next()) {
    if (at.at[*rawDim] != 0)
      continue;
    std::vector<double> values;
    bool anyKnown = false;
    for (size_t v = 0; v < axis.size(); ++v) {
      values.push_back(entries[e + v * rawStride]);
      anyKnown |= !std::isnan(values.back());
    }
    if (!anyKnown)
      continue;
    for (double &value : values)
      if (std::isnan(value))
        value = -0x1.23456789abcdep+1000;
    cellsByProfile[values].push_back(at.at);
  }
  auto pointsOf = [&](const std::vector<double> &values) {
    std::vector<ProfilePoint> points;
    for (size_t v = 0; v < values.size(); ++v)
      if (values[v] != -0x1.23456789abcdep+1000)
        points.push_back({axis[v], values[v]});
    llvm::sort(points, [](const ProfilePoint &a, const ProfilePoint &b) {
      return a.x < b.x;
    });
    points.erase(llvm::unique(points,
                              [](const ProfilePoint &a, const ProfilePoint &b) {
                                return a.x == b.x;
                              }),
                 points.end());
    return points;
  };
  double error = 0, axisLow = *llvm::min_element(axis),
         axisHigh = *llvm::max_element(axis);
  // Gates that are wrong by d shift a unit by hold * d, as if x were wrong by
  // at most four times the span of x for each unit of d.
  double shift = 4 * (axisHigh - axisLow) * gateError;
  for (auto &[values, cells] : cellsByProfile) {
    std::vector<ProfilePoint> points = pointsOf(values);
    // Every cell starts from `low`: what lies above it is gated in.
    for (ProfilePoint &point : points)
      point.y -= low;
    std::optional<Profile> profile = makeProfile(
        points, axisError + shift, options.unitRoundoff, false);
    double slack = indicatorError == 0 ? 0 : 1, hold = 0x1p-20;
    if (profile)
      for (const ProfileUnit &unit : profile->units)
        hold = std::max(
            hold,
            (1 + slack) * (std::max(unit.slope * axisLow,
                                    unit.slope * axisHigh) +
                           unit.offset) +
                std::fabs(unit.slope) * axisError);
    hold = std::exp2(std::ceil(std::log2(hold)));
    if (!profile || hold * gateError > 0.2) {
      diags.emit(rangeOf(state.node), ir::diag::ValuesTooClose,
                 spaceName(state.node), spaceName(naming.node));
      failed = true;
      return View();
    }
    double cellError = profile->error;
    if (!profile->steps)
      for (const ProfileUnit &unit : profile->units)
        cellError += std::fabs(unit.weight) * hold * gateError;
    for (const ProfileUnit &unit : profile->units)
      cellError += std::fabs(unit.weight) * 8 * options.unitRoundoff * hold *
                   static_cast<double>(gates + 1);
    cellError += std::fabs(profile->constant) * 2 * gateError;
    error = std::max(error, cellError);
    for (const auto &cell : cells) {
      View sum; // of the gates; `gates` when the cell is the right one
      for (size_t d = 0; d < dims; ++d)
        if (d != *rawDim)
          sum += indicators[d][cell[d]];
      if (profile->constant != 0) {
        View input = sum * (1 + slack);
        input.constant -= (1 + slack) * static_cast<double>(gates) - 1;
        addNeuron(input, dir, profile->constant);
      }
      for (const ProfileUnit &unit : profile->units) {
        View input = coordinate * unit.slope + sum * hold;
        input.constant += unit.offset - hold * static_cast<double>(gates);
        addNeuron(input, dir, unit.weight);
      }
    }
  }
  finishMlpDirection(dir, 0, high - low, error);
  circuit[dir].grid = 0;
  View view = View::of(dir);
  view.constant = low;
  return view;
}
