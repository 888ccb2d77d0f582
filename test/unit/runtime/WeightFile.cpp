//===- test/unit/runtime/WeightFile.cpp - writing and reading models ------===//

#include "runtime/WeightFile.h"
#include "Models.h"
#include "runtime/Tokenizer.h"
#include "runtime/Transformer.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>
#include <limits>

using namespace rasp;
using namespace rasp::rt;

namespace {

/// A folder for one test's files.
class WeightFile : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("rasp-weights", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> result = folder;
    llvm::sys::path::append(result, name);
    return result.str().str();
  }

  llvm::SmallString<128> folder;
};

} // namespace

/// Empty for success.
static std::string messageOf(llvm::Error error) {
  return llvm::toString(std::move(error));
}

static std::string bytesOf(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

static void store(const std::string &path, llvm::StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << bytes;
  ASSERT_FALSE(error);
}

static void expectSame(const Matrix &a, const Matrix &b) {
  ASSERT_LE(b.rows(), a.rows());
  ASSERT_LE(b.cols(), a.cols());
  Eigen::MatrixXd padded = Eigen::MatrixXd::Zero(a.rows(), a.cols());
  padded.topLeftCorner(b.rows(), b.cols()) = Eigen::MatrixXd(b);
  EXPECT_EQ(Eigen::MatrixXd(a), padded);
}

static void expectSame(const Model &a, const Model &b) {
  EXPECT_EQ(a.config.dModel, b.config.dModel);
  EXPECT_EQ(a.config.dHead, b.config.dHead);
  EXPECT_EQ(a.config.nCtx, b.config.nCtx);
  EXPECT_EQ(a.config.causal, b.config.causal);
  EXPECT_EQ(a.config.dtype, b.config.dtype);
  EXPECT_EQ(a.config.modelName, b.config.modelName);
  EXPECT_EQ(a.input.values, b.input.values);
  EXPECT_EQ(a.input.bosId, b.input.bosId);
  EXPECT_EQ(a.input.padId, b.input.padId);
  EXPECT_EQ(a.output.kind, b.output.kind);
  EXPECT_EQ(a.output.label, b.output.label);
  EXPECT_EQ(a.output.type, b.output.type);
  EXPECT_EQ(a.output.values, b.output.values);
  EXPECT_EQ(a.output.tolerance, b.output.tolerance);
  EXPECT_EQ(a.residualLabels, b.residualLabels);
  EXPECT_EQ(a.residual, b.residual);
  EXPECT_EQ(a.circuit, b.circuit);
  EXPECT_EQ(a.ir, b.ir);
  EXPECT_EQ(a.options, b.options);
  EXPECT_EQ(a.programText, b.programText);
  EXPECT_EQ(a.programName, b.programName);
  EXPECT_EQ(a.examples, b.examples);

  expectSame(a.wE, b.wE);
  expectSame(a.wPos, b.wPos);
  expectSame(a.wU, b.wU);
  EXPECT_EQ(a.bU, b.bU);
  ASSERT_EQ(std::max<size_t>(a.layers.size(), 1), b.layers.size());
  for (size_t l = 0; l < a.layers.size(); ++l) {
    ASSERT_EQ(a.layers[l].heads.size(), b.layers[l].heads.size());
    for (size_t h = 0; h < a.layers[l].heads.size(); ++h) {
      expectSame(a.layers[l].heads[h].wQ, b.layers[l].heads[h].wQ);
      expectSame(a.layers[l].heads[h].wK, b.layers[l].heads[h].wK);
      expectSame(a.layers[l].heads[h].wV, b.layers[l].heads[h].wV);
      expectSame(a.layers[l].heads[h].wO, b.layers[l].heads[h].wO);
    }
    EXPECT_EQ(a.layers[l].bO, b.layers[l].bO);
    EXPECT_EQ(a.layers[l].bOut, b.layers[l].bOut);
    expectSame(a.layers[l].wIn, b.layers[l].wIn);
    expectSame(a.layers[l].wOut, b.layers[l].wOut);
  }
}

static void roundTrip(const Model &model, const std::string &path,
                      Padding padding) {
  ASSERT_EQ(messageOf(writeModel(model, path, padding)), "");
  llvm::Expected<Model> read = readModel(path);
  ASSERT_TRUE(bool(read)) << messageOf(read.takeError());
  EXPECT_FALSE(read->edited);
  Model rounded = model;
  roundToDType(rounded);
  expectSame(rounded, *read);

  // What was read writes the same file again.
  std::string again = path + ".again";
  ASSERT_EQ(messageOf(writeModel(*read, again, padding)), "");
  EXPECT_EQ(bytesOf(path), bytesOf(again));
}

static void roundTrip(const Model &model, const std::string &path) {
  roundTrip(model, path, Padding::Uniform);
  roundTrip(model, path, Padding::None);
}

TEST_F(WeightFile, RoundTrip) {
  for (DType dtype : {DType::Float32, DType::Float64}) {
    Model model = test::makeReverse(5, dtype);
    model.examples = {{std::string("a"), std::string("b")}, {std::string("b")}};
    model.residual = llvm::json::Object{{"d_model", 8}};
    model.circuit = llvm::json::Array{1, "two", nullptr};
    model.options = llvm::json::Object{{"output", "reverse"}};
    model.programText = "reverse = \"\xc3\xa9\";\n";
    roundTrip(model, path("reverse.h5"));
  }
  roundTrip(test::makeShare(4, true, DType::Float64), path("share.h5"));
  roundTrip(test::makeNot(), path("not.h5"));
  roundTrip(test::makeIdentity({true, int64_t(-1), -1.0, 0.1,
                                std::string("true"), std::string("\"\n\\")}),
            path("identity.h5"));
}

TEST_F(WeightFile, RoundTripOfLargerModels) {
  // Large enough for tiles.
  for (unsigned seed = 0; seed < 6; ++seed)
    roundTrip(test::makeRandom(seed, 1 + seed, 3, 150 + seed, 30, 200, seed % 2,
                               seed % 3 ? DType::Float32 : DType::Float64),
              path("random.h5"));
}

TEST_F(WeightFile, SparseTensorsTakeLittleSpace) {
  Model model = test::makeRandom(1, 1, 1, 4000, 5, 6, false, DType::Float32);
  Layer &layer = model.layers[0];
  layer.wIn = Matrix(4000, 20000);
  layer.wOut = Matrix(20000, 4000);
  layer.bIn = Vector::Zero(20000);
  layer.wIn.reserve(std::vector<int>(4000, 400));
  layer.wOut.reserve(std::vector<int>(20000, 1));
  for (int m = 0; m < 20000; ++m) {
    layer.wIn.insert(m % 50, m) = 1;
    layer.wOut.insert(m, 3000 + m % 50) = 1;
  }
  roundTrip(model, path("sparse.h5"));
  uint64_t size = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(path("sparse.h5"), size));
  EXPECT_LT(size, 25u << 20) << "640 MB if dense";
}

TEST_F(WeightFile, SmallModelsMakeSmallFiles) {
  ASSERT_EQ(messageOf(writeModel(test::makeReverse(5, DType::Float32),
                                 path("small.h5"))),
            "");
  uint64_t size = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(path("small.h5"), size));
  EXPECT_LT(size, 40u << 10);
}

TEST_F(WeightFile, LogitsOfTheFileAreThoseOfTheRoundedModel) {
  Model model = test::makeRandom(11, 2, 2, 20, 4, 12, false, DType::Float32);
  ASSERT_EQ(messageOf(writeModel(model, path("m.h5"))), "");
  llvm::Expected<Model> read = readModel(path("m.h5"));
  ASSERT_TRUE(bool(read)) << messageOf(read.takeError());
  roundToDType(model);
  Transformer<float> before(model), after(*read);
  Transformer<float>::Workspace workspace, otherWorkspace;
  std::vector<uint32_t> ids = {3, 0, 2, 1, 1};
  Logits<float> a = before.forward(ids, workspace);
  Logits<float> b = after.forward(ids, otherWorkspace);
  for (unsigned t = 0; t < ids.size(); ++t)
    for (unsigned o = 0; o < 3; ++o)
      EXPECT_EQ(a(t, o), b(t, o));
}

TEST_F(WeightFile, EditedWeightsAndProgramsAreNoticed) {
  Model model = test::makeRandom(1, 1, 1, 150, 5, 6, false, DType::Float64);
  model.wE.coeffRef(0, 0) = 12345.678;
  model.programText = std::string(5000, '#') + "original";
  ASSERT_EQ(messageOf(writeModel(model, path("m.h5"))), "");
  std::string good = bytesOf(path("m.h5"));
  double before = 12345.678, after = 12345.679;
  auto text = [](const double &value) {
    return std::string(reinterpret_cast<const char *>(&value), 8);
  };
  for (auto [from, to] :
       {std::pair(text(before), text(after)),
        std::pair(std::string("original"), std::string("modified"))}) {
    std::string bad = good;
    size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos);
    bad.replace(at, 8, to);
    store(path("m.h5"), bad);
    llvm::Expected<Model> read = readModel(path("m.h5"));
    ASSERT_TRUE(bool(read)) << messageOf(read.takeError());
    EXPECT_TRUE(read->edited);
  }
}

TEST_F(WeightFile, UnwritableModelsLeaveNothingBehind) {
  Model model = test::makeNot();
  std::string existing = path("existing.h5");
  store(existing, "precious");
  model.wU.coeffRef(0, 0) = std::numeric_limits<double>::infinity();
  std::string message = messageOf(writeModel(model, existing));
  EXPECT_NE(message.find("unembed.W_U is not a finite float32"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find(existing), std::string::npos) << message;
  EXPECT_EQ(bytesOf(existing), "precious");

  // Finite, but not as float32.
  model = test::makeNot();
  model.wU.coeffRef(0, 0) = 1e300;
  EXPECT_NE(messageOf(writeModel(model, path("other.h5"))), "");
  EXPECT_FALSE(llvm::sys::fs::exists(path("other.h5")));

  message = messageOf(writeModel(test::makeNot(), path("no/such/folder.h5")));
  EXPECT_NE(message.find("No such file or directory"), std::string::npos)
      << message;
}

TEST_F(WeightFile, ForeignFiles) {
  EXPECT_NE(messageOf(readModel(path("missing.h5")).takeError())
                .find("missing.h5': No such file or directory"),
            std::string::npos);
  store(path("text.h5"), "hello");
  EXPECT_NE(messageOf(readModel(path("text.h5")).takeError())
                .find("expected an HDF5 file"),
            std::string::npos);
  store(path("empty.h5"), "");
  EXPECT_FALSE(bool(readModel(path("empty.h5"))));
  EXPECT_FALSE(bool(readModel(folder)));
}

/// Reads a damaged file. It need not be refused, but if it isn't, it has to
/// run.
static bool survives(const std::string &path, llvm::StringRef bytes) {
  store(path, bytes);
  llvm::Expected<Model> model = readModel(path);
  if (!model) {
    std::string message = messageOf(model.takeError());
    EXPECT_NE(message.find(path), std::string::npos);
    return false;
  }
  Tokenizer tokenizer(*model);
  Transformer<float> transformer(*model);
  Transformer<float>::Workspace workspace;
  std::vector<uint32_t> ids = {model->input.bosId};
  tokenizer.decode(transformer.forward(ids, workspace), 0);
  return true;
}

TEST_F(WeightFile, TruncatedFiles) {
  ASSERT_EQ(messageOf(writeModel(test::makeReverse(5, DType::Float32),
                                 path("good.h5"))),
            "");
  std::string good = bytesOf(path("good.h5"));
  for (size_t size = 0; size < good.size(); size += 601)
    EXPECT_FALSE(
        survives(path("bad.h5"), llvm::StringRef(good).take_front(size)))
        << size;
  EXPECT_FALSE(survives(path("bad.h5"), llvm::StringRef(good).drop_back()));
  EXPECT_TRUE(survives(path("bad.h5"), good));
}

TEST_F(WeightFile, FlippedBits) {
  Model model = test::makeRandom(1, 1, 1, 40, 6, 50, false, DType::Float32);
  model.examples = {{std::string("a"), std::string("b")}};
  ASSERT_EQ(messageOf(writeModel(model, path("good.h5"))), "");
  std::string good = bytesOf(path("good.h5"));
  unsigned refused = 0, tried = 0;
  for (size_t at = 0; at < good.size(); at += 101) {
    std::string bad = good;
    bad[at] ^= 1 << at % 8;
    ++tried;
    refused += !survives(path("bad.h5"), bad);
  }
  EXPECT_GT(refused, tried / 10);
}

TEST_F(WeightFile, OverwrittenWithOnes) {
  ASSERT_EQ(messageOf(writeModel(test::makeShare(5, true, DType::Float64),
                                 path("good.h5"))),
            "");
  std::string good = bytesOf(path("good.h5"));
  for (size_t at = 0; at + 8 < good.size(); at += 200) {
    std::string bad = good;
    bad.replace(at, 8, 8, '\xff');
    survives(path("bad.h5"), bad);
  }
}
