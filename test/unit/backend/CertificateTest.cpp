//===- test/unit/backend/CertificateTest.cpp - what a certificate is worth ===//

#include "Compiled.h"
#include "backend/tools/Verify.h"
#include "runtime/CertificateChecker.h"
#include "runtime/ModelJSON.h"
#include "runtime/TensorList.h"

using namespace rasp;

static const char *const hist = R"(
#@ vocab: a,b,c
#@ max-seq-len: 4
hist = selector_width(select(tokens, tokens, ==));
)";
static const char *const mostFrequent = R"(
#@ vocab: a,b
#@ max-seq-len: 4
often = selector_width(select(tokens, tokens, ==));
more = selector_width(select(often, often, >));
first = aggregate(select(more, 0, ==) and select(indices, indices, <=),
                  indices);
answer = round(first * 3) if often > 1 else "none";
)";
static const char *const mean = R"(
#@ tokens: int
#@ vocab: 0..3
#@ max-seq-len: 4
mean = aggregate(select(indices, indices, <=), tokens_int);
answer = mean > 1.5 and indices > 0;
)";

static const char *const level = R"rasp(
#@ vocab: ["(", ")", "{"]
#@ max-seq-len: 20
so_far = select(indices, indices, <=);
opened = selector_width(select(tokens, "(", ==) and so_far);
closed = selector_width(select(tokens, ")", ==) and so_far);
level = opened - closed if tokens == "(" else opened - closed + 1;
x = selector_width(select(level, level, ==) and so_far);
)rasp";

namespace {
struct Certified {
  std::unique_ptr<Compilation> compilation;
  rt::Model model;
  rt::Certificate certificate;

  explicit Certified(const char *text, rt::DType dtype = rt::DType::Float32,
                     bool everything = false)
      : compilation(compileText(text, dtype, everything)) {
    model = compilation->makeModel();
    certificate = llvm::cantFail(rt::certificateFromJSON(model.certificate));
  }
  /// As if the certificate had been made for the weights as they are now.
  bool holds() {
    certificate.weightHash = rt::hashOfWeights(model);
    return rt::checkCertificate(model, certificate).problems.empty();
  }
  bool isRight() {
    VerifyOptions options;
    options.mode = VerifyOptions::Exhaustive;
    return verify(model, compilation->output, options).mismatches == 0;
  }
};
} // namespace

TEST(Certificate, HoldsForWhatIsCompiled) {
  for (const char *text : {hist, mostFrequent, mean})
    for (rt::DType dtype : {rt::DType::Float32, rt::DType::Float64}) {
      Certified certified(text, dtype);
      rt::CertificateReport report =
          rt::checkCertificate(certified.model, certified.certificate);
      EXPECT_TRUE(report.problems.empty()) << text << report.problems.front();
      EXPECT_GT(report.directions, 0u);
      EXPECT_LE(report.largestShare, 1 + 1e-6);
      EXPECT_GT(report.outputMargin, 2 * report.outputError);
    }
}

TEST(Certificate, BelongsToItsWeights) {
  Certified certified(hist);
  certified.model.bU[0] += 1;
  rt::CertificateReport report =
      rt::checkCertificate(certified.model, certified.certificate);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0], "the certificate belongs to other weights");
}

// Weights of heads and of the output that are wrong by a quarter either break
// the certificate, or the model is right in spite of them. (What hidden units
// compute is defined by their weights: whether that is what the program means
// is for rasp-verify to say.)
TEST(Certificate, BreaksWithTheModel) {
  size_t edited = 0, wrong = 0, broken = 0;
  for (const char *text : {hist, mostFrequent, mean}) {
    Certified certified(text);
    auto tryEach = [&](rt::Matrix &matrix) {
      for (Eigen::Index row = 0; row < matrix.rows(); ++row)
        for (rt::Matrix::InnerIterator it(matrix, row); it; ++it) {
          double before = it.value();
          it.valueRef() = before * 1.25;
          ++edited;
          bool holds = certified.holds(), right = certified.isRight();
          broken += !holds;
          wrong += !right;
          EXPECT_TRUE(!holds || right)
              << text << "a weight " << before << " in row " << row;
          it.valueRef() = before;
        }
    };
    for (rt::Layer &layer : certified.model.layers) {
      for (rt::Head &head : layer.heads)
        for (rt::Matrix *matrix : {&head.wQ, &head.wK, &head.wV, &head.wO})
          tryEach(*matrix);
    }
    tryEach(certified.model.wU);
    EXPECT_TRUE(certified.holds());
  }
  EXPECT_GT(edited, 50u);
  EXPECT_GT(wrong, edited / 4);
  EXPECT_GE(broken, wrong);
}

// A bound that is less than what the weights give is found out.
TEST(Certificate, ClaimsNoLessThanThereIs) {
  Certified certified(mostFrequent);
  size_t found = 0;
  for (rt::Certificate::Direction &direction :
       certified.certificate.directions) {
    if (direction.error == 0)
      continue;
    double before = direction.error;
    direction.error = before / 16;
    found += !certified.holds();
    direction.error = before;
  }
  EXPECT_GT(found, 3u);
  EXPECT_TRUE(certified.holds());
}

// A head whose step is small lets through what is not selected: how much must
// be said, and BOS must not see anything of it.
TEST(Certificate, KnowsWhatASoftHeadLeaks) {
  // Step codes, which are less noisy than sums, are those of -O0.
  Certified certified(level, rt::DType::Float32, /*everything=*/true);
  auto soft = [](const rt::Certificate::Head &head) { return head.leak > 0; };
  auto head = llvm::find_if(certified.certificate.heads, soft);
  ASSERT_NE(head, certified.certificate.heads.end());
  EXPECT_EQ(head->step, 16);
  EXPECT_LT(head->leak, 21 * std::exp(-15));
  EXPECT_TRUE(certified.holds());
  head->leak /= 2;
  EXPECT_FALSE(certified.holds());
  head->leak = 0;
  EXPECT_FALSE(certified.holds());
  head->leak = 1e-4;
  EXPECT_TRUE(certified.holds());
  // What BOS adds to its own score as a query; it stands in the row of BOS.
  rt::Matrix &query = certified.model.layers[head->layer].heads[head->head].wQ;
  for (rt::Matrix::InnerIterator it(query, 0); it; ++it)
    if (it.value() > 0)
      it.valueRef() = 0;
  EXPECT_FALSE(certified.holds());
}

TEST(Certificate, ReadsWhatItPrints) {
  Certified certified(mean);
  std::string once, again;
  llvm::raw_string_ostream(once) << certified.model.certificate;
  llvm::raw_string_ostream(again) << rt::toJSON(llvm::cantFail(
      rt::certificateFromJSON(llvm::cantFail(rt::parseJSON(once)))));
  // The reader leaves out what only people look at.
  rt::Certificate read = llvm::cantFail(
      rt::certificateFromJSON(llvm::cantFail(rt::parseJSON(again))));
  EXPECT_EQ(read.heads.size(), certified.certificate.heads.size());
  EXPECT_EQ(read.readout.expected, certified.certificate.readout.expected);
  EXPECT_EQ(read.domains.size(), certified.certificate.domains.size());
}
