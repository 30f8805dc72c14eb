#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/train/optimizer/adam_history.h"
#include "fastformer/train/optimizer/gradient.h"

namespace fastformer::train {

struct AdamConfig {
  double beta1 = 0.9;       ///< decay of the moving average of gradients, in [0, 1)
  double beta2 = 0.999;     ///< decay of the moving average of their squares, in [0, 1)
  double epsilon = 1e-8;    ///< added to the root of the latter average, above 0
  double weight_decay = 0;  ///< per step, times the learning rate; decoupled (AdamW)

  /// Throws std::invalid_argument with a sentence for a value out of range.
  void validate() const;
};

/// Adam (Kingma and Ba, arXiv:1412.6980) and AdamW (Loshchilov and Hutter, arXiv:1711.05101) over
/// the weights of a model, which it changes in place.
///
///   Adam adam(parameters, {.weight_decay = 0.01}, {"embedding.token.weight"});
///   for (...) {
///     adam.bring_up_to_date("embedding.token.weight", batch_rows);
///     ...forward and backward...
///     adam.step(gradients, learning_rate);
///   }
///   adam.bring_up_to_date_all();  // before evaluating or saving the weights
///
/// At step t, with the gradient g:
///   m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
///   w <- (1 - lr wd) w - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
/// where lr is the learning rate of the step times the factor of the parameter (default 1). Weight
/// decay applies only to tensors with two or more dimensions, except `*.normalization.weight`.
///
/// For a parameter in `row_sparse` ([rows, d], an embedding table), a step costs only the rows that
/// it touches. The result is that of dense Adam up to rounding: a row that was skipped catches up
/// when it is next needed (see AdamHistory). Between steps, only rows that were brought up to date
/// have the values of dense Adam, so call bring_up_to_date before reading weights.
class Adam {
 public:
  /// Throws std::invalid_argument unless all parameters are contiguous float32 or float64 CPU
  /// tensors, all names in `row_sparse` are parameters with two dimensions, and all names in
  /// `factors` are parameters, with a finite factor of 0 or more.
  Adam(const std::map<std::string, at::Tensor>& parameters, AdamConfig config,
       const std::set<std::string>& row_sparse, const std::map<std::string, double>& factors = {});

  Adam(const Adam&) = delete;
  Adam& operator=(const Adam&) = delete;
  Adam(Adam&&) = default;
  Adam& operator=(Adam&&) = default;

  /// One step. A parameter without a gradient, or with an empty one, is treated as having a zero
  /// gradient: its moments shrink and its weights still change. A row-sparse parameter also accepts
  /// a dense gradient; a dense parameter does not accept rows. Throws std::invalid_argument, before
  /// any change, for an unknown name, a wrong type or shape, rows that are not ascending or not in
  /// the table, or a learning rate out of range.
  void step(const std::map<std::string, Gradient>& gradients, double learning_rate);

  /// Brings `rows` (int64, any order, duplicates allowed) of a row-sparse parameter up to date.
  /// Does nothing for a dense parameter. Throws std::invalid_argument for an unknown name or row.
  void bring_up_to_date(const std::string& name, const at::Tensor& rows);
  void bring_up_to_date_all();

  std::int64_t steps() const { return static_cast<std::int64_t>(learning_rates_.size()); }

  /// Copies of `<parameter>.first_moment`, `<parameter>.second_moment`, `<parameter>.last_step`
  /// ([rows] int64, row-sparse parameters only), `step` ([] int64) and `learning_rates` ([step]
  /// double). A run that loads them with the weights of the same step continues bit for bit.
  std::map<std::string, at::Tensor> state() const;
  /// Throws std::invalid_argument, before any change, unless `state` has exactly these names with
  /// the types, shapes and ranges of the parameters.
  void load_state(const std::map<std::string, at::Tensor>& state);

 private:
  /// Factor of the learning rate, and weight decay.
  using Pace = std::pair<double, double>;
  struct Parameter {
    at::Tensor weight;
    at::Tensor first_moment;
    at::Tensor second_moment;
    at::Tensor last_step;  ///< [rows] int64, undefined for a dense parameter
    Pace pace;

    bool row_sparse() const { return last_step.defined(); }
  };
  /// Parts of a step that write to disjoint memory, in a fixed order.
  using Work = std::vector<std::function<void()>>;

  const Parameter& find(const std::string& name) const;
  const AdamHistory& history(const Parameter& parameter) const;
  kernels::AdamConstants constants() const;
  /// Throws std::invalid_argument if the rate is out of range for a parameter.
  void check_rate(double learning_rate) const;
  void append(double learning_rate);
  std::map<std::string, at::Tensor> state_tensors() const;

  void catch_up(Parameter& parameter, const std::vector<std::int64_t>& rows);
  template <class T>
  void catch_up_rows(Parameter& parameter, const std::vector<std::int64_t>& rows);
  template <class T>
  void add_dense(Parameter& parameter, const at::Tensor& gradient, Work& work) const;
  template <class T>
  void add_rows(Parameter& parameter, const std::vector<std::int64_t>& rows,
                const at::Tensor& values, Work& work) const;

  AdamConfig config_;
  std::map<std::string, Parameter> parameters_;
  std::map<Pace, AdamHistory> histories_;
  std::vector<double> learning_rates_;  ///< of all steps, without factors
};

}  // namespace fastformer::train
