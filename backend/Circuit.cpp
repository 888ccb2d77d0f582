//===- backend/Circuit.cpp - views and clean-up ---------------------------===//

#include "backend/Circuit.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

using namespace rasp::backend;

View &View::operator+=(const View &other) {
  constant += other.constant;
  llvm::SmallVector<Term, 4> merged;
  const Term *a = terms.begin(), *b = other.terms.begin();
  while (a != terms.end() || b != other.terms.end()) {
    if (b == other.terms.end() || (a != terms.end() && a->dir < b->dir)) {
      merged.push_back(*a++);
    } else if (a == terms.end() || b->dir < a->dir) {
      merged.push_back(*b++);
    } else {
      double weight = a->weight + b->weight;
      if (weight != 0)
        merged.push_back({a->dir, weight});
      ++a, ++b;
    }
  }
  terms = std::move(merged);
  return *this;
}

View View::operator+(const View &other) const {
  View result = *this;
  result += other;
  return result;
}

View View::operator-(const View &other) const { return *this + other * -1; }

View View::operator*(double factor) const {
  if (factor == 0)
    return View();
  View result = *this;
  // No zero has a sign.
  result.constant = result.constant * factor + 0.0;
  for (Term &term : result.terms)
    term.weight *= factor;
  return result;
}

bool View::operator<(const View &other) const {
  auto less = [](const Term &a, const Term &b) {
    return std::tie(a.dir, a.weight) < std::tie(b.dir, b.weight);
  };
  if (terms != other.terms)
    return std::lexicographical_compare(terms.begin(), terms.end(),
                                        other.terms.begin(), other.terms.end(),
                                        less);
  return constant < other.constant;
}

llvm::StringRef rasp::backend::writerName(WriterKind writer) {
  switch (writer) {
  case WriterKind::TokenEmbed:
    return "embed";
  case WriterKind::PosEmbed:
    return "pos_embed";
  case WriterKind::Head:
    return "head";
  case WriterKind::Mlp:
    return "mlp";
  }
  llvm_unreachable("every writer has a name");
}

bool Joint::operator<(const Joint &other) const {
  auto keyOf = [](const Joint &joint) {
    return std::tie(joint.sources, joint.sizes, joint.part, joint.matters,
                    joint.isSum, joint.sum, joint.low, joint.high);
  };
  return keyOf(*this) < keyOf(other);
}

std::string Direction::residualLabel() const {
  return label.empty() ? space : space + ":" + label;
}

std::vector<double> Head::usualConjunctScores() const {
  size_t count = 0;
  for (const ScoreTerm &score : scores)
    if (score.conjunct != ScoreTerm::ofBos)
      count = std::max<size_t>(count, score.conjunct + size_t(1));
  return std::vector<double>(std::min(count, scores.size()), 1);
}

double rasp::backend::gridOf(llvm::ArrayRef<double> numbers) {
  double grid = 0;
  for (double number : numbers) {
    if (number == 0)
      continue;
    int exponent;
    double mantissa = std::frexp(std::fabs(number), &exponent);
    auto bits = static_cast<uint64_t>(std::ldexp(mantissa, 53));
    double own = std::ldexp(1.0, exponent - 53 + llvm::countr_zero(bits));
    grid = grid == 0 ? own : std::min(grid, own);
  }
  return grid;
}

double rasp::backend::atBos(const Circuit &circuit, const View &view) {
  double sum = view.constant;
  for (const Term &term : view.terms)
    sum += term.weight * circuit[term.dir].atBos;
  return sum;
}

unsigned rasp::backend::timeOf(const Circuit &circuit, const View &view) {
  unsigned time = 0;
  for (const Term &term : view.terms)
    time = std::max(time, circuit[term.dir].time);
  return time;
}

/// Numbers of directions, heads, what they move, hidden units, what they write.
static std::array<size_t, 5> sizesOf(const Circuit &circuit) {
  size_t moved = 0, written = 0;
  for (const Head &head : circuit.heads)
    moved += head.outputs.size();
  for (const Neuron &neuron : circuit.neurons)
    written += neuron.outputs.size();
  return {circuit.directions.size(), circuit.heads.size(), moved,
          circuit.neurons.size(), written};
}

bool rasp::backend::removeDead(Circuit &circuit) {
  std::array<size_t, 5> before = sizesOf(circuit);
  bool reused = undoReuse(circuit);
  size_t count = circuit.directions.size();
  std::vector<bool> live(count, false);
  live[0] = true;
  std::vector<DirId> work;
  auto need = [&](const View &view) {
    for (const Term &term : view.terms)
      if (!live[static_cast<uint32_t>(term.dir)]) {
        live[static_cast<uint32_t>(term.dir)] = true;
        work.push_back(term.dir);
      }
  };

  // Who writes each direction.
  std::vector<std::vector<std::pair<size_t, size_t>>> moved(count);
  std::vector<std::vector<size_t>> computed(count);
  for (size_t h = 0; h < circuit.heads.size(); ++h)
    for (size_t o = 0; o < circuit.heads[h].outputs.size(); ++o)
      moved[static_cast<uint32_t>(circuit.heads[h].outputs[o].target)]
          .emplace_back(h, o);
  for (size_t n = 0; n < circuit.neurons.size(); ++n)
    for (const Term &term : circuit.neurons[n].outputs)
      computed[static_cast<uint32_t>(term.dir)].push_back(n);

  for (const View &logit : circuit.readout.logits)
    need(logit);
  for (uint32_t i = 0; i < count; ++i)
    if (circuit.directions[i].stays)
      need(View::of(DirId(i)));
  while (!work.empty()) {
    auto dir = static_cast<uint32_t>(work.back());
    work.pop_back();
    for (auto [h, o] : moved[dir]) {
      need(circuit.heads[h].outputs[o].value);
      for (const ScoreTerm &score : circuit.heads[h].scores) {
        need(score.key);
        need(score.query);
      }
    }
    for (size_t n : computed[dir])
      need(circuit.neurons[n].input);
  }

  std::vector<DirId> renumbered(count, DirId{0});
  std::vector<Direction> kept;
  for (size_t i = 0; i < count; ++i)
    if (live[i]) {
      renumbered[i] = DirId(static_cast<uint32_t>(kept.size()));
      kept.push_back(std::move(circuit.directions[i]));
    }
  circuit.directions = std::move(kept);

  auto isLive = [&](DirId dir) { return live[static_cast<uint32_t>(dir)]; };
  auto rename = [&](View &view) {
    for (Term &term : view.terms)
      term.dir = renumbered[static_cast<uint32_t>(term.dir)];
  };
  for (Head &head : circuit.heads) {
    llvm::erase_if(head.outputs, [&](const HeadOutput &output) {
      return !isLive(output.target);
    });
    if (head.outputs.empty())
      continue;
    for (HeadOutput &output : head.outputs) {
      rename(output.value);
      output.target = renumbered[static_cast<uint32_t>(output.target)];
    }
    for (ScoreTerm &score : head.scores) {
      rename(score.key);
      rename(score.query);
    }
  }
  llvm::erase_if(circuit.heads,
                 [](const Head &head) { return head.outputs.empty(); });
  for (Neuron &neuron : circuit.neurons) {
    llvm::erase_if(neuron.outputs,
                   [&](const Term &term) { return !isLive(term.dir); });
    if (neuron.outputs.empty())
      continue;
    rename(neuron.input);
    for (Term &term : neuron.outputs)
      term.dir = renumbered[static_cast<uint32_t>(term.dir)];
  }
  llvm::erase_if(circuit.neurons,
                 [](const Neuron &neuron) { return neuron.outputs.empty(); });
  for (View &logit : circuit.readout.logits)
    rename(logit);
  // A joint that is still in use sums directions that are.
  for (Joint &joint : circuit.joints)
    if (llvm::all_of(joint.sum.terms,
                     [&](const Term &term) { return isLive(term.dir); }))
      rename(joint.sum);
    else
      joint = Joint();
  llvm::erase_if(circuit.forms, [&](const SourceForm &form) {
    return !llvm::all_of(form.view.terms,
                         [&](const Term &term) { return isLive(term.dir); });
  });
  for (SourceForm &form : circuit.forms)
    rename(form.view);
  llvm::erase_if(circuit.remarks, [&](const CircuitRemark &remark) {
    return !llvm::all_of(remark.about.terms,
                         [&](const Term &term) { return isLive(term.dir); });
  });
  for (CircuitRemark &remark : circuit.remarks)
    rename(remark.about);
  return reused || sizesOf(circuit) != before;
}
