#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/precision.h"
#include "fastformer/train/optimizer/adam.h"
#include "fastformer/train/optimizer/schedule.h"

namespace fastformer::train {

/// The names of the scores of a task.
struct Measures {
  std::vector<std::string>
      validation;                 ///< scores of validation; the first is train.metric's default
  std::vector<std::string> test;  ///< scores of the test part, the loss last
  std::vector<std::string> main;  ///< scores of `test` that tables of results show
  std::string items;              ///< what the test part consists of: "documents"

  /// Measures with `main` and the loss on both parts.
  static Measures of(const std::vector<std::string>& main, const std::string& items);
};

enum class Optimizer : std::uint8_t { kAdam, kAdamW };

/// The fields of the recipe's [train] section that all tasks share. A step is one update of the
/// weights.
struct TrainConfig {
  std::int64_t seed = 1;
  std::int64_t epochs = 0;
  std::int64_t max_steps = 0;
  double max_minutes = 0;
  std::int64_t accumulation = 1;
  std::string from;
  std::string word_vectors;
  Optimizer optimizer = Optimizer::kAdam;
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  Schedule schedule = Schedule::kLinear;
  double warmup_fraction = 0;
  double clip_norm = 0;
  std::string metric = "auto";
  std::int64_t evaluate_every = 0;
  std::int64_t patience = 0;
  std::int64_t checkpoint_every = 0;
  std::int64_t log_every = 50;
  std::int64_t threads = 0;
  kernels::Precision precision = kernels::Precision::kFp32;

  /// `metric` can be "auto" or one of measures.validation.
  void visit_fields(base::FieldVisitor& visit, const Measures& measures);
  /// Throws std::invalid_argument with one sentence.
  void validate() const;

  AdamConfig adam() const { return {beta1, beta2, epsilon, weight_decay}; }
};

}  // namespace fastformer::train

namespace fastformer::base {
template <>
inline constexpr std::array kWords<train::Optimizer> = {"adam", "adamw"};
}  // namespace fastformer::base
