//===- test/unit/backend/SharedCoordinatesTest.cpp - coordinates used twice
//-===//

#include "Compiled.h"
#include "runtime/ActivationCache.h"
#include "runtime/CertificateChecker.h"
#include "runtime/ComponentSupport.h"
#include "runtime/Interventions.h"
#include "runtime/TensorList.h"
#include "runtime/Transformer.h"
#include "runtime/Unfolding.h"
#include "runtime/VariableDecoder.h"
#include "runtime/dump/Dump.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace rasp;

namespace {

/// A model of -Os, and the one with a coordinate for every direction.
struct Shared {
  explicit Shared(llvm::StringRef program) {
    std::unique_ptr<Compilation> compilation =
        compileText(program, rt::DType::Float32, false, true);
    if (compilation)
      model = compilation->makeModel();
    map = llvm::cantFail(rt::ResidualMap::make(model));
    EXPECT_TRUE(map->isShared());
    unfolding = llvm::cantFail(rt::unfold(model, *map));
  }
  /// All inputs up to a length, BOS first.
  std::vector<std::vector<uint32_t>> inputs(unsigned longest) const {
    std::vector<std::vector<uint32_t>> all{{model.input.bosId}};
    for (size_t i = 0; i < all.size(); ++i)
      for (uint32_t t = 0; t < model.input.values.size(); ++t)
        if (all[i].size() <= longest) {
          all.push_back(all[i]);
          all.back().push_back(t);
        }
    all.erase(all.begin());
    return all;
  }
  std::string problem() const {
    llvm::Expected<rt::Unfolding> made =
        rt::unfold(model, llvm::cantFail(rt::ResidualMap::make(model)));
    return made ? "" : llvm::toString(made.takeError());
  }
  std::vector<std::string> certified() {
    rt::Certificate certificate =
        llvm::cantFail(rt::certificateFromJSON(model.certificate));
    certificate.weightHash = rt::hashOfWeights(model);
    return rt::checkCertificate(model, certificate).problems;
  }
  /// The last direction that is cleared by one unit, or by two.
  const rt::ClearedDirection &cleared(size_t units) const {
    const rt::ClearedDirection *last = nullptr;
    for (const rt::ClearedDirection &own : unfolding->cleared)
      if (own.units.size() == units &&
          (!last || std::pair(own.layer, own.units) >
                        std::pair(last->layer, last->units)))
        last = &own;
    EXPECT_TRUE(last);
    return *last;
  }
  rt::Matrix &wIn(const rt::ClearedDirection &own) {
    return model.layers[own.layer].wIn;
  }
  rt::Matrix &wOut(const rt::ClearedDirection &own) {
    return model.layers[own.layer].wOut;
  }

  rt::Model model;
  std::optional<rt::ResidualMap> map;
  std::optional<rt::Unfolding> unfolding;
};

} // namespace

static const char *const sorting = "#@ vocab: a,b,c\n#@ max-seq-len: 4\n"
                                   "sorted = sort(tokens, tokens);\n";
/// Means in it may come out below 0.
static const std::string reaching = [] {
  auto file = llvm::MemoryBuffer::getFile(RASP_TEST_DIR
                                          "/programs/reachable_from_a.rasp");
  return file ? (*file)->getBuffer().str() : "";
}();

TEST(SharedCoordinates, TheUnfoldedModelComputesTheSame) {
  for (llvm::StringRef program :
       {llvm::StringRef(sorting), llvm::StringRef(reaching)}) {
    Shared shared(program);
    rt::Transformer<float> folded(shared.model),
        unfolded(shared.unfolding->model);
    rt::Transformer<float>::Workspace one, other;
    for (const std::vector<uint32_t> &ids : shared.inputs(4)) {
      rt::Logits<float> a = folded.forward(ids, one),
                        b = unfolded.forward(ids, other);
      for (unsigned t = 1; t < ids.size(); ++t)
        for (unsigned o = 0; o < folded.numOutputs(); ++o)
          ASSERT_EQ(a(t, o), b(t, o));
    }
  }
}

TEST(SharedCoordinates, TheMapSaysWhoseTheyAreWhen) {
  Shared shared(sorting);
  rt::HookedPass<float> folded(shared.model), unfolded(shared.unfolding->model);
  rt::ActivationCache<float> one(
      *folded.hooks().select("blocks.*.hook_resid*")),
      other(*unfolded.hooks().select("blocks.*.hook_resid*"));
  std::vector<uint32_t> ids{shared.model.input.bosId, 2, 0, 1, 1};
  folded.run({ids}, &one);
  unfolded.run({ids}, &other);
  size_t compared = 0;
  for (unsigned half = 0; half <= 2 * shared.model.numLayers(); ++half)
    for (unsigned at = 0; at < shared.model.config.dModel; ++at) {
      const rt::Subspace *space = shared.map->find(at, half);
      ASSERT_TRUE(space);
      unsigned direction = space->first + at - space->begin;
      for (unsigned t = 0; t < ids.size(); ++t, ++compared)
        ASSERT_EQ(*one[rt::streamAfter(half)].at(0, t, at),
                  *other[rt::streamAfter(half)].at(0, t, direction))
            << space->labelOf(at) << " after half-layer " << half;
    }
  EXPECT_GT(compared, 0u);
}

TEST(SharedCoordinates, VariablesAreGoneOnceTheyAreCleared) {
  Shared shared(reaching);
  rt::VariableDecoder decoder =
      llvm::cantFail(rt::VariableDecoder::make(shared.model));
  unsigned layers = shared.model.numLayers();
  size_t gone = 0;
  for (auto [v, name] : llvm::enumerate(decoder.variables())) {
    bool ends = llvm::all_of(decoder.codesOf(v), [](const auto &code) {
      return code.clearedIn != ~0u;
    });
    EXPECT_EQ(decoder.isThereAfter(v, 2 * layers), !ends) << name;
    if (!ends)
      continue;
    ++gone;
    std::vector<float> stream(shared.model.config.dModel);
    EXPECT_EQ(decoder.decode(v, stream.data(), 2 * layers).kind,
              rt::DecodedValue::Absent);
    llvm::Expected<rt::EncodedValue> code =
        decoder.encode(name, decoder.valuesOf(v).front(), 2 * layers);
    ASSERT_FALSE(bool(code));
    EXPECT_EQ(llvm::toString(code.takeError()),
              "nothing of `" + name + "` is in the residual stream any more");
  }
  EXPECT_GT(gone, 0u);
}

/// What is done to a variable does nothing to those that come after it, but
/// for what they are computed from.
TEST(SharedCoordinates, InterventionsKeepToTheirVariable) {
  Shared shared(sorting);
  std::vector<uint32_t> ids{shared.model.input.bosId, 2, 0, 1, 1};
  auto logitsOf = [&](const rt::Model &model, llvm::StringRef spec) {
    rt::HookedPass<float> pass(model);
    std::vector<rt::Intervention> made =
        llvm::cantFail(rt::parseAblation(spec, model));
    rt::Intervener<float> intervener(pass, made);
    llvm::cantFail(intervener.check(ids.size(), 0));
    return pass.run({ids}, &intervener).data;
  };
  size_t variables = 0;
  for (const rt::Subspace &space : shared.map->subspaces()) {
    std::string spec = space.variable + "=zero";
    EXPECT_EQ(logitsOf(shared.model, spec),
              logitsOf(shared.unfolding->model, spec))
        << spec;
    ++variables;
  }
  EXPECT_GT(variables, 3u);
}

TEST(SharedCoordinates, LabelsStandForADirectionWhereItIs) {
  Shared shared(sorting);
  const rt::ClearedDirection &own = shared.unfolding->cleared.front();
  const std::string &label =
      shared.unfolding->model.residualLabels[own.direction];
  auto messageAt = [&](const std::string &hook) {
    auto made = rt::parseInterventions(
        llvm::json::Object{
            {"interventions",
             llvm::json::Array{llvm::json::Object{
                 {"hook", hook}, {"action", "zero"}, {"directions", label}}}}},
        shared.model);
    return made ? "" : llvm::toString(made.takeError());
  };
  std::string layer = std::to_string(own.layer);
  EXPECT_EQ(messageAt("blocks." + layer + ".hook_resid_pre"), "");
  EXPECT_EQ(messageAt("blocks." + layer + ".hook_resid_post"),
            "interventions[0].directions: `" + label +
                "` does not have its place to itself at `blocks." + layer +
                ".hook_resid_post`");
}

/// The edges of `/circuit/json` are the ones that the weights have: who writes
/// a coordinate before somebody reads it.
TEST(SharedCoordinates, TheCircuitHasTheEdgesOfTheWeights) {
  struct End {
    std::string component, port;
    unsigned half;
  };
  auto endOf = [](llvm::StringRef hook) -> End {
    if (hook == "hook_embed" || hook == "hook_pos_embed")
      return {hook == "hook_embed" ? "E" : "P", "", 0};
    if (!hook.consume_front("blocks."))
      return {"END", "in", ~0u};
    unsigned layer = 0, head = 0;
    EXPECT_FALSE(hook.consumeInteger(10, layer));
    std::string number = std::to_string(layer);
    if (hook.starts_with(".hook_mlp"))
      return {"M" + number, "in", 2 * layer + 2};
    auto [name, index] = hook.split('[');
    EXPECT_FALSE(index.consumeInteger(10, head));
    llvm::StringRef port = name.substr(name.find("hook_") + 5, 1);
    return {"A" + number + "." + std::to_string(head), port.str(),
            2 * layer + 1};
  };
  using Edge = std::tuple<std::string, std::string, std::string, unsigned>;
  for (llvm::StringRef program :
       {llvm::StringRef(sorting), llvm::StringRef(reaching)}) {
    Shared shared(program);
    std::set<Edge> told, found;
    rt::SupportMatrix writes = rt::writesOf(shared.model),
                      reads = rt::readsOf(shared.model);
    for (auto [from, written] :
         llvm::zip_equal(writes.components, writes.directions))
      for (auto [to, read] :
           llvm::zip_equal(reads.components, reads.directions))
        for (unsigned d = 0; d < shared.model.config.dModel; ++d)
          if (End a = endOf(from), b = endOf(to);
              written[d] && read[d] && a.half < b.half)
            found.insert({a.component, b.component, b.port, d});
    const llvm::json::Object &circuit = *shared.model.circuit.getAsObject();
    std::set<std::string> roles;
    std::set<int64_t> withoutBos;
    for (const llvm::json::Value &value : *circuit.getArray("edges")) {
      const llvm::json::Object &edge = *value.getAsObject();
      std::string role = edge.getString("role")->str();
      roles.insert(role);
      if (role != "bookkeeping")
        withoutBos.insert(*edge.getInteger("i"));
      for (const llvm::json::Value &range : *edge.getArray("dims")) {
        const llvm::json::Array &ends = *range.getAsArray();
        for (int64_t d = *ends[0].getAsInteger(); d < *ends[1].getAsInteger();
             ++d)
          told.insert(
              {edge.getString("src")->str(), edge.getString("dst")->str(),
               edge.getString("port")->str(), static_cast<unsigned>(d)});
      }
    }
    EXPECT_EQ(told, found);
    EXPECT_TRUE(roles.count("clearing"));
    const llvm::json::Object &sets = *circuit.getObject("circuits");
    std::set<int64_t> semantic;
    for (const llvm::json::Value &number :
         *sets.getObject("semantic")->getArray("edges"))
      semantic.insert(*number.getAsInteger());
    EXPECT_EQ(semantic, withoutBos);
  }
}

/// What an MLP takes away is no part of what comes after it.
TEST(SharedCoordinates, AVariableIsNotWhatIsCleared) {
  Shared shared(sorting);
  const rt::ClearedDirection &own = shared.unfolding->cleared.front();
  std::string layer = std::to_string(own.layer);
  const rt::Subspace *next = nullptr;
  for (const rt::Subspace &space : shared.map->subspaces())
    if (space.first <= own.next &&
        own.next - space.first < space.end - space.begin)
      next = &space;
  ASSERT_TRUE(next);
  auto made = rt::parseInterventions(
      llvm::json::Object{
          {"interventions", llvm::json::Array{llvm::json::Object{
                                {"hook", "blocks." + layer + ".hook_mlp_out"},
                                {"action", "zero"},
                                {"variable", next->variable}}}}},
      shared.model);
  if (!made) {
    EXPECT_EQ(llvm::toString(made.takeError()),
              "interventions[0].variable: at none of these hooks is there "
              "anything of `" +
                  next->variable + "` in the residual stream");
    return;
  }
  unsigned at = shared.unfolding->coordinateOf[own.direction];
  for (const rt::Intervention &intervention : *made)
    EXPECT_FALSE(llvm::is_contained(
        intervention.selected.at(rt::Axis::Direction), int64_t(at)));
}

TEST(SharedCoordinates, TheCertificateHolds) {
  for (llvm::StringRef program :
       {llvm::StringRef(sorting), llvm::StringRef(reaching)})
    EXPECT_EQ(Shared(program).certified(), std::vector<std::string>());
}

TEST(SharedCoordinates, AUnitThatDoesNotClearIsFound) {
  Shared shared(sorting);
  rt::ClearedDirection own = shared.cleared(1);
  unsigned at = shared.unfolding->coordinateOf[own.direction];
  std::string message = "hidden unit " + std::to_string(own.units[0]) +
                        " does not clear direction " + std::to_string(at);
  {
    Shared wrong = shared;
    wrong.wOut(own).coeffRef(own.units[0], at) = -0.5;
    EXPECT_EQ(wrong.problem(), message);
    EXPECT_EQ(wrong.certified(), std::vector<std::string>{message});
  }
  {
    Shared wrong = shared;
    wrong.wIn(own).coeffRef(0, own.units[0]) = 1;
    EXPECT_EQ(wrong.problem(), message);
  }
  {
    Shared wrong = shared;
    wrong.model.layers[own.layer].bIn[own.units[0]] = 1;
    EXPECT_EQ(wrong.problem(), message);
  }
  {
    Shared wrong = shared;
    wrong.wOut(own).coeffRef(own.units[0], 0) = 1;
    EXPECT_EQ(wrong.problem(), message);
  }
}

/// The unit for negative numbers goes, and the file does not speak of it.
TEST(SharedCoordinates, WhatMayBeNegativeTakesTwoUnits) {
  Shared shared(reaching);
  rt::ClearedDirection own = shared.cleared(2);
  unsigned at = shared.unfolding->coordinateOf[own.direction];
  unsigned last = shared.wIn(own).cols() - 1;
  ASSERT_EQ(own.units[1], last) << "the others would change their numbers";
  shared.wIn(own).coeffRef(at, last) = 0;
  shared.wOut(own).coeffRef(last, at) = 0;
  for (llvm::json::Value &value :
       *shared.model.residual.getAsObject()->getArray("subspaces")) {
    llvm::json::Object &space = *value.getAsObject();
    llvm::json::Array *units = space.getArray("clearing_units");
    if (!units ||
        space.getInteger("cleared_in_half_layer") != 2 * int64_t(own.layer) + 2)
      continue;
    for (llvm::json::Value &list : *units)
      if (list.getAsArray()->size() == 2 &&
          (*list.getAsArray())[1].getAsInteger() == int64_t(last))
        list.getAsArray()->pop_back();
  }
  // The empty unit is no longer one that clears.
  rt::Layer &layer = shared.model.layers[own.layer];
  layer.wIn.conservativeResize(layer.wIn.rows(), last);
  layer.bIn.conservativeResize(last);
  layer.wOut.conservativeResize(last, layer.wOut.cols());
  EXPECT_EQ(shared.problem(), "");
  EXPECT_EQ(shared.certified(),
            std::vector<std::string>{
                "`" + shared.unfolding->model.residualLabels[own.direction] +
                "` may be negative, and then it is not cleared"});
}

TEST(SharedCoordinates, TwoVariablesAtOnceAreFound) {
  Shared shared(sorting);
  for (llvm::json::Value &value :
       *shared.model.residual.getAsObject()->getArray("subspaces"))
    if (value.getAsObject()->get("cleared_in_half_layer"))
      (*value.getAsObject())["cleared_in_half_layer"] =
          2 * int64_t(shared.model.numLayers()) + 2;
  EXPECT_TRUE(llvm::StringRef(shared.problem())
                  .ends_with("holds two variables at once"))
      << shared.problem();
}
