#include "fastformer/nn/precision.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "fastformer/kernels/bf16_product.h"
#include "fastformer/nn/additive_attention.h"

namespace fastformer::nn {
namespace {

using kernels::Operands;

class Precision : public ::testing::Test {
 protected:
  void TearDown() override { set_precision("fp32"); }
};

TEST_F(Precision, AutoTakesBf16WhereTheCpuHasIt) {
  EXPECT_EQ(token_operands(), Operands::kFloat);
  EXPECT_EQ(precision(), "fp32");
  set_precision("bf16");
  EXPECT_EQ(token_operands(), Operands::kBf16);
  EXPECT_EQ(precision(), "bf16");
  set_precision("auto");
  EXPECT_EQ(token_operands() == Operands::kBf16, kernels::has_bf16_products());
  EXPECT_THROW(set_precision("fp16"), std::invalid_argument);
}

// bf16 keeps 8 bits: outputs and gradients stay within a few thousandths of fp32, and differ.
TEST_F(Precision, AttentionInBf16StaysCloseToFp32) {
  const std::vector<std::int64_t> values = {0, 40, 41, 200};
  for (const auto* form : {"shared_query", "merged"}) {
    EncoderConfig config;
    config.width = 64;
    config.heads = 4;
    config.form = form;
    const auto run = [&] {
      at::manual_seed(1);
      ParameterStore store(2, at::kFloat, 0.1);
      const AdditiveAttention attention(config, store, "a");
      const auto x = at::randn({200, 64}).requires_grad_(true);
      const auto y = attention.forward(x, Offsets(values), nullptr);
      y.backward(at::randn({200, 64}));
      return std::vector{y.detach(), x.grad(), store.parameters().at("a.query.weight").grad(),
                         store.parameters().at("a.transform.weight").grad()};
    };
    set_precision("fp32");
    const auto exact = run();
    set_precision("bf16");
    const auto rounded = run();
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const auto error = ((exact[i] - rounded[i]).norm() / exact[i].norm()).item<double>();
      EXPECT_GT(error, 1e-6) << form << " " << i;
      EXPECT_LT(error, 1e-2) << form << " " << i;
    }
  }
}

}  // namespace
}  // namespace fastformer::nn
