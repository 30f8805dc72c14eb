// Row-sparse parameters: they must end where dense Adam ends, and go on after a reload.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "fastformer/train/optimizer/adam.h"

namespace fastformer::train {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

constexpr std::int64_t kRows = 40;
constexpr std::int64_t kWidth = 11;  // no multiple of a vector

double warm_up_then_decay(int step, int steps) {
  return 1e-2 * std::min(1.0, step / 20.0) * (1.0 - 0.9 * step / steps);
}

/// Draws rows so unevenly that some are touched at every step and some once in thousands.
class RowGradients {
 public:
  explicit RowGradients(at::ScalarType type) : type_(type) {}

  Gradient next() {
    std::vector<std::int64_t> which;
    for (std::int64_t row = 0; row < kRows; ++row) {
      const double chance = std::pow(0.75, static_cast<double>(row));
      if (uniform_(engine_) < chance) which.push_back(row);
    }
    const auto count = static_cast<std::int64_t>(which.size());
    std::vector<double> values;
    // From a thousandth of epsilon to far above it: epsilon decides in some rows.
    for (std::int64_t i = 0; i < count * kWidth; ++i) {
      values.push_back(normal_(engine_) * std::pow(10.0, -11 * uniform_(engine_)));
    }
    return {.dense = {},
            .rows = at::tensor(which, at::kLong),
            .row_values = at::tensor(values, at::kDouble).view({count, kWidth}).to(type_)};
  }

 private:
  at::ScalarType type_;
  std::mt19937_64 engine_{7};
  std::uniform_real_distribution<double> uniform_;
  std::normal_distribution<double> normal_;
};

Gradient as_dense(const Gradient& gradient) {
  at::Tensor dense = at::zeros({kRows, kWidth}, gradient.row_values.options());
  dense.index_copy_(0, gradient.rows, gradient.row_values);
  return {.dense = dense, .rows = {}, .row_values = {}};
}

at::Tensor start(at::ScalarType type) {
  return at::linspace(-1, 1, kRows * kWidth, at::kDouble).view({kRows, kWidth}).to(type);
}

struct Comparison {
  double batch = 0;  ///< largest difference in the rows of a batch, before the step
  double end = 0;    ///< largest difference in the whole table at the end
};

Comparison compare_with_dense(at::ScalarType type, const AdamConfig& config, int steps,
                              double factor) {
  Tensors lazy = {{"table", start(type)}};
  Tensors full = {{"table", start(type)}};
  Adam lazy_adam(lazy, config, {"table"}, {{"table", factor}});
  Adam full_adam(full, config, {});
  RowGradients gradients(type);
  Comparison result;
  for (int step = 1; step <= steps; ++step) {
    const Gradient gradient = gradients.next();
    lazy_adam.bring_up_to_date("table", gradient.rows);
    const at::Tensor difference =
        lazy["table"].index_select(0, gradient.rows) - full["table"].index_select(0, gradient.rows);
    if (gradient.rows.numel() > 0) {
      result.batch = std::max(result.batch, difference.abs().max().item<double>());
    }
    const double rate = warm_up_then_decay(step, steps);
    lazy_adam.step({{"table", gradient}}, rate);
    full_adam.step({{"table", as_dense(gradient)}}, rate * factor);
  }
  lazy_adam.bring_up_to_date_all();
  result.end = (lazy["table"] - full["table"]).abs().max().item<double>();
  return result;
}

void expect_dense(at::ScalarType type, const AdamConfig& config, int steps, double tolerance,
                  double factor = 1) {
  const Comparison comparison = compare_with_dense(type, config, steps, factor);
  EXPECT_LT(comparison.batch, tolerance) << steps << " steps";
  EXPECT_LT(comparison.end, tolerance) << steps << " steps";
}

TEST(AdamRows, FiftyStepsEndWhereDenseAdamEnds) {
  for (const double weight_decay : {0.0, 0.3}) {
    expect_dense(at::kFloat, {.weight_decay = weight_decay}, 50, 1e-6);
    expect_dense(at::kDouble, {.weight_decay = weight_decay}, 50, 1e-12);
  }
}

// Long enough for gaps beyond the cutoff and for the series to take over from single steps.
TEST(AdamRows, ThousandsOfStepsEndWhereDenseAdamEnds) {
  for (const double weight_decay : {0.0, 0.3}) {
    expect_dense(at::kFloat, {.weight_decay = weight_decay}, 4000, 1e-5);
    expect_dense(at::kDouble, {.weight_decay = weight_decay}, 4000, 1e-12);
  }
}

TEST(AdamRows, CatchesUpWithTheFactorOfItsTable) {
  for (const double weight_decay : {0.0, 0.3}) {
    expect_dense(at::kDouble, {.weight_decay = weight_decay}, 1500, 1e-12, 0.03);
    expect_dense(at::kDouble, {.weight_decay = weight_decay}, 1500, 1e-12, 7);
  }
}

TEST(AdamRows, HoldsForOtherDecayRates) {
  expect_dense(at::kDouble, {.beta1 = 0.0}, 300, 1e-12);
  expect_dense(at::kDouble, {.beta1 = 0.9, .beta2 = 0.5}, 300, 1e-12);  // beta1^2 > beta2
  expect_dense(at::kDouble, {.beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-6}, 1500, 1e-12);
  expect_dense(at::kDouble, {.beta1 = 0.5, .beta2 = 0.9999, .weight_decay = 1}, 1500, 1e-12);
}

TEST(AdamRows, RateThatIsZeroForAWhileMovesNothing) {
  Tensors parameters = {{"table", at::zeros({2, 3})}};
  Adam adam(parameters, {}, {"table"});
  adam.step({{"table", {{}, at::tensor({1}, at::kLong), at::ones({1, 3})}}}, 0.1);
  const at::Tensor after = parameters["table"].clone();
  for (int step = 0; step < 400; ++step) adam.step({}, 0.0);
  adam.bring_up_to_date_all();
  EXPECT_TRUE(at::equal(parameters["table"], after));
}

TEST(AdamRows, TakesADenseGradientToo) {
  Tensors lazy = {{"table", start(at::kDouble)}};
  Tensors full = {{"table", start(at::kDouble)}};
  Adam lazy_adam(lazy, {}, {"table"});
  Adam full_adam(full, {}, {});
  RowGradients gradients(at::kDouble);
  for (int step = 0; step < 20; ++step) {
    const Gradient gradient = gradients.next();
    lazy_adam.step({{"table", step % 5 == 4 ? as_dense(gradient) : gradient}}, 0.01);
    full_adam.step({{"table", as_dense(gradient)}}, 0.01);
  }
  lazy_adam.bring_up_to_date_all();
  EXPECT_LT((lazy["table"] - full["table"]).abs().max().item<double>(), 1e-12);
}

TEST(AdamRows, BringsRowsInAnyOrderUpToDateOnce) {
  Tensors once = {{"table", start(at::kFloat)}};
  Tensors twice = {{"table", start(at::kFloat)}};
  Adam adam_once(once, {}, {"table"});
  Adam adam_twice(twice, {}, {"table"});
  const Gradient gradient = RowGradients(at::kFloat).next();
  for (Adam* adam : {&adam_once, &adam_twice}) {
    adam->step({{"table", gradient}}, 0.1);
    for (int step = 0; step < 30; ++step) adam->step({}, 0.1);
  }
  adam_once.bring_up_to_date("table", at::tensor({0, 1, 2}, at::kLong));
  adam_twice.bring_up_to_date("table", at::tensor({2, 0, 2, 1, 0}, at::kLong));
  adam_twice.bring_up_to_date("table", at::tensor({1}, at::kLong));
  EXPECT_TRUE(at::equal(once["table"], twice["table"]));
  adam_once.bring_up_to_date("table", at::empty({0}, at::kLong));
  EXPECT_THROW(adam_once.bring_up_to_date("tabel", gradient.rows), std::invalid_argument);
  EXPECT_THROW(adam_once.bring_up_to_date("table", at::tensor({kRows}, at::kLong)),
               std::invalid_argument);
}

/// Steps `from` + 1 .. `to` with the gradients that belong to them.
void train(Adam& adam, const std::vector<Gradient>& gradients, int from, int to) {
  for (int step = from; step < to; ++step) {
    const Gradient& gradient = gradients[static_cast<std::size_t>(step)];
    adam.bring_up_to_date("table", gradient.rows);
    adam.step({{"table", gradient}, {"bias", {at::full({3}, 0.1 * step), {}, {}}}},
              1e-3 * (step + 1));
  }
}

TEST(AdamRows, GoesOnBitForBitAfterAReload) {
  RowGradients source(at::kFloat);
  std::vector<Gradient> gradients;
  for (int step = 0; step < 600; ++step) gradients.push_back(source.next());
  const AdamConfig config = {.weight_decay = 0.1};
  Tensors straight = {{"table", start(at::kFloat)}, {"bias", at::ones({3})}};
  const std::map<std::string, double> factors = {{"table", 0.3}};
  Adam adam(straight, config, {"table"}, factors);
  train(adam, gradients, 0, 500);
  const auto state = adam.state();
  Tensors resumed = {{"table", straight["table"].clone()}, {"bias", straight["bias"].clone()}};
  train(adam, gradients, 500, 600);
  adam.bring_up_to_date_all();

  Adam other(resumed, config, {"table"}, factors);
  other.load_state(state);
  train(other, gradients, 500, 600);
  other.bring_up_to_date_all();

  EXPECT_EQ(other.steps(), 600);
  EXPECT_TRUE(at::equal(resumed["table"], straight["table"]));
  EXPECT_TRUE(at::equal(resumed["bias"], straight["bias"]));
  const auto end = other.state();
  for (const auto& [name, tensor] : adam.state()) EXPECT_TRUE(at::equal(tensor, end.at(name)));
}

TEST(AdamRows, NamesItsState) {
  Adam adam({{"table", at::zeros({4, 2})}, {"bias", at::zeros({2})}}, {}, {"table"});
  adam.step({}, 0.25);
  const auto state = adam.state();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"bias.first_moment", "bias.second_moment",
                                             "learning_rates", "step", "table.first_moment",
                                             "table.last_step", "table.second_moment"}));
  EXPECT_EQ(state.at("step").item<std::int64_t>(), 1);
  EXPECT_EQ(state.at("learning_rates")[0].item<double>(), 0.25);
  EXPECT_EQ(state.at("table.last_step").scalar_type(), at::kLong);
}

TEST(AdamRows, RefusesAStateOfOtherParameters) {
  Adam adam({{"table", at::zeros({4, 2})}}, {}, {"table"});
  adam.step({}, 0.1);
  const auto good = adam.state();
  const auto refuse = [&](const std::string& name, const at::Tensor& value) {
    auto state = good;
    if (value.defined()) {
      state[name] = value;
    } else {
      state.erase(name);
    }
    EXPECT_THROW(adam.load_state(state), std::invalid_argument) << name;
  };
  for (const auto& [name, tensor] : good) refuse(name, at::Tensor());
  refuse("bias.first_moment", at::zeros({2}));
  refuse("table.first_moment", at::zeros({4, 3}));
  refuse("table.second_moment", at::zeros({4, 2}, at::kDouble));
  refuse("table.last_step", at::full({4}, 2, at::kLong));
  refuse("table.last_step", at::full({4}, -1, at::kLong));
  refuse("step", at::scalar_tensor(2, at::kLong));
  refuse("step", at::scalar_tensor(-1, at::kLong));
  refuse("learning_rates", at::full({1}, -0.5, at::kDouble));
  adam.load_state(good);
  EXPECT_EQ(adam.steps(), 1);
}

}  // namespace
}  // namespace fastformer::train
