#include "fastformer/train/optimizer/adam.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/train/optimizer/adam_checks.h"

namespace fastformer::train {
namespace {

// Fixed, so that blocks do not depend on the number of threads.
constexpr std::int64_t kElementsPerChunk = 1 << 14;

std::int64_t rows_per_chunk(const at::Tensor& weight) {
  return std::max<std::int64_t>(1, kElementsPerChunk / std::max<std::int64_t>(1, weight.size(1)));
}

ReplayPrecision precision_of(const std::map<std::string, at::Tensor>& parameters) {
  const bool any_double = std::any_of(parameters.begin(), parameters.end(), [](const auto& entry) {
    return entry.second.defined() && entry.second.scalar_type() == at::kDouble;
  });
  return any_double ? ReplayPrecision::for_double() : ReplayPrecision::for_float();
}

// Biases and the weights of layer norms are not matrices: shrinking them does not regularise.
bool takes_decay(const std::string& name, const at::Tensor& weight) {
  return weight.dim() >= 2 && !name.ends_with(".normalization.weight");
}

std::vector<std::int64_t> all_rows(const at::Tensor& weight) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(weight.size(0)));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

std::vector<std::int64_t> to_vector(const at::Tensor& rows) {
  const at::Tensor contiguous = rows.contiguous();
  const std::int64_t* begin = contiguous.const_data_ptr<std::int64_t>();
  return {begin, begin + contiguous.numel()};
}

void run_all(const std::vector<std::function<void()>>& work) {
  kernels::parallel_for(0, static_cast<std::int64_t>(work.size()), 1,
                        [&](std::int64_t begin, std::int64_t end) {
                          for (auto i = begin; i < end; ++i) work[static_cast<std::size_t>(i)]();
                        });
}

/// The memory of a parameter, from which slices are cut.
template <class T>
struct Memory {
  T* weight;
  T* first_moment;
  T* second_moment;

  kernels::AdamSlice<T> slice(std::int64_t start, std::int64_t count) const {
    return {weight + start, first_moment + start, second_moment + start,
            static_cast<std::size_t>(count)};
  }
};

template <class T, class Parameter>
Memory<T> memory_of(Parameter& parameter) {
  return {parameter.weight.template mutable_data_ptr<T>(),
          parameter.first_moment.template mutable_data_ptr<T>(),
          parameter.second_moment.template mutable_data_ptr<T>()};
}

bool is_empty(const Gradient& gradient) {
  return !gradient.dense.defined() && !gradient.rows.defined();
}

/// The plans of the distinct steps at which a set of rows was last touched.
class PlanTable {
 public:
  void add(std::int64_t from) {
    if (index_.try_emplace(from, steps_.size()).second) steps_.push_back(from);
  }
  void fill(const AdamHistory& history) {
    plans_.resize(steps_.size());
    kernels::parallel_for(
        0, static_cast<std::int64_t>(steps_.size()), 8, [&](std::int64_t begin, std::int64_t end) {
          for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            plans_[i] = history.plan(steps_[i]);
          }
        });
  }
  const ReplayPlan& at(std::int64_t from) const { return plans_[index_.at(from)]; }

 private:
  std::unordered_map<std::int64_t, std::size_t> index_;
  std::vector<std::int64_t> steps_;
  std::vector<ReplayPlan> plans_;
};

void check_range(const char* name, double value, bool accepted, const char* expected) {
  if (!accepted) {
    throw std::invalid_argument("AdamConfig: " + std::string(name) + " is " +
                                std::to_string(value) + "; expected " + expected);
  }
}

}  // namespace

Adam::Adam(const std::map<std::string, at::Tensor>& parameters, AdamConfig config,
           const std::set<std::string>& row_sparse, const std::map<std::string, double>& factors)
    : config_((config.validate(), config)) {
  for (const auto& [name, factor] : factors) check_factor(name, factor);
  const auto precision = precision_of(parameters);
  for (const auto& [name, weight] : parameters) {
    check_parameter(name, weight, row_sparse.contains(name));
    Parameter& parameter = parameters_[name];
    parameter.weight = weight.detach();
    parameter.first_moment = at::zeros_like(parameter.weight);
    parameter.second_moment = at::zeros_like(parameter.weight);
    const auto factor = factors.find(name);
    parameter.pace = {factor == factors.end() ? 1.0 : factor->second,
                      takes_decay(name, weight) ? config.weight_decay : 0.0};
    histories_.try_emplace(parameter.pace, constants(), parameter.pace.second, precision);
    if (row_sparse.contains(name)) {
      parameter.last_step = at::zeros({weight.size(0)}, at::kLong);
    }
  }
  for (const std::string& name : row_sparse) find(name);
  for (const auto& [name, factor] : factors) find(name);
}

const Adam::Parameter& Adam::find(const std::string& name) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, parameter] : parameters_) names.push_back(known);
    throw std::invalid_argument("Adam: there is no parameter '" + name + "'" +
                                base::suggestion(name, names));
  }
  return found->second;
}

const AdamHistory& Adam::history(const Parameter& parameter) const {
  return histories_.at(parameter.pace);
}

kernels::AdamConstants Adam::constants() const {
  return {config_.beta1, config_.beta2, config_.epsilon};
}

void Adam::check_rate(double learning_rate) const {
  check_learning_rate(learning_rate, 0);
  for (const auto& [pace, history] : histories_) {
    check_learning_rate(learning_rate * pace.first, pace.second);
  }
}

void Adam::append(double learning_rate) {
  for (auto& [pace, history] : histories_) history.append(learning_rate * pace.first);
  learning_rates_.push_back(learning_rate);
}

void Adam::step(const std::map<std::string, Gradient>& gradients, double learning_rate) {
  for (const auto& [name, gradient] : gradients) {
    const Parameter& parameter = find(name);
    check_gradient(name, parameter.weight, parameter.row_sparse(), gradient);
  }
  check_rate(learning_rate);

  // Rows catch up to the step before; only then does this one exist.
  std::map<std::string, std::vector<std::int64_t>> touched;
  for (const auto& [name, gradient] : gradients) {
    Parameter& parameter = parameters_.at(name);
    if (!parameter.row_sparse() || is_empty(gradient)) continue;
    touched[name] =
        gradient.dense.defined() ? all_rows(parameter.weight) : to_vector(gradient.rows);
    catch_up(parameter, touched[name]);
  }
  append(learning_rate);

  Work work;
  for (auto& [name, parameter] : parameters_) {
    const auto found = gradients.find(name);
    const Gradient gradient = found == gradients.end() ? Gradient{} : found->second;
    const bool is_float = parameter.weight.scalar_type() == at::kFloat;
    if (!parameter.row_sparse()) {
      is_float ? add_dense<float>(parameter, gradient.dense, work)
               : add_dense<double>(parameter, gradient.dense, work);
    } else if (!is_empty(gradient)) {
      const at::Tensor& values = gradient.dense.defined() ? gradient.dense : gradient.row_values;
      is_float ? add_rows<float>(parameter, touched[name], values, work)
               : add_rows<double>(parameter, touched[name], values, work);
    }
  }
  run_all(work);
}

template <class T>
void Adam::add_dense(Parameter& parameter, const at::Tensor& gradient, Work& work) const {
  const Memory<T> memory = memory_of<T>(parameter);
  const at::Tensor contiguous = gradient.defined() ? gradient.contiguous() : at::Tensor();
  const kernels::AdamConstants constants = this->constants();
  const kernels::AdamStep step = history(parameter).step(steps());
  const std::int64_t count = parameter.weight.numel();
  for (std::int64_t start = 0; start < count; start += kElementsPerChunk) {
    const auto slice = memory.slice(start, std::min(kElementsPerChunk, count - start));
    work.push_back([contiguous, constants, step, slice, start] {
      const T* values = contiguous.defined() ? contiguous.const_data_ptr<T>() + start : nullptr;
      kernels::adam_update(constants, step, values, slice);
    });
  }
}

// `rows` outlives `work`.
template <class T>
void Adam::add_rows(Parameter& parameter, const std::vector<std::int64_t>& rows,
                    const at::Tensor& values, Work& work) const {
  const Memory<T> memory = memory_of<T>(parameter);
  const at::Tensor contiguous = values.contiguous();
  const kernels::AdamConstants constants = this->constants();
  const kernels::AdamStep step = history(parameter).step(steps());
  const std::int64_t now = steps();
  const std::int64_t width = parameter.weight.size(1);
  std::int64_t* last_step = parameter.last_step.mutable_data_ptr<std::int64_t>();
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::int64_t chunk = rows_per_chunk(parameter.weight);
  for (std::int64_t start = 0; start < count; start += chunk) {
    const std::int64_t end = std::min(start + chunk, count);
    work.push_back([=, &rows] {
      const T* gradient = contiguous.const_data_ptr<T>();
      for (std::int64_t i = start; i < end; ++i) {
        const std::int64_t row = rows[static_cast<std::size_t>(i)];
        kernels::adam_update(constants, step, gradient + i * width,
                             memory.slice(row * width, width));
        last_step[row] = now;
      }
    });
  }
}

void Adam::bring_up_to_date(const std::string& name, const at::Tensor& rows) {
  const Parameter& parameter = find(name);
  if (!parameter.row_sparse()) return;
  check_rows(name, parameter.weight, rows);
  std::vector<std::int64_t> distinct = to_vector(rows);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  catch_up(parameters_.at(name), distinct);
}

void Adam::bring_up_to_date_all() {
  for (auto& [name, parameter] : parameters_) {
    if (parameter.row_sparse()) catch_up(parameter, all_rows(parameter.weight));
  }
}

void Adam::catch_up(Parameter& parameter, const std::vector<std::int64_t>& rows) {
  if (parameter.weight.scalar_type() == at::kFloat) {
    catch_up_rows<float>(parameter, rows);
  } else {
    catch_up_rows<double>(parameter, rows);
  }
}

template <class T>
void Adam::catch_up_rows(Parameter& parameter, const std::vector<std::int64_t>& rows) {
  const std::int64_t now = steps();
  std::int64_t* last_step = parameter.last_step.mutable_data_ptr<std::int64_t>();
  std::vector<std::int64_t> behind;
  PlanTable plans;
  for (const std::int64_t row : rows) {
    if (last_step[row] == now) continue;
    behind.push_back(row);
    plans.add(last_step[row]);
  }
  if (behind.empty()) return;
  plans.fill(history(parameter));

  const Memory<T> memory = memory_of<T>(parameter);
  const kernels::AdamConstants constants = this->constants();
  const std::int64_t width = parameter.weight.size(1);
  const std::int64_t grain = rows_per_chunk(parameter.weight);
  kernels::parallel_for(0, static_cast<std::int64_t>(behind.size()), grain,
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t i = begin; i < end; ++i) {
                            const std::int64_t row = behind[static_cast<std::size_t>(i)];
                            const ReplayPlan& plan = plans.at(last_step[row]);
                            const auto slice = memory.slice(row * width, width);
                            if (!plan.steps.empty())
                              kernels::adam_replay(constants, plan.steps, slice);
                            for (const auto& series : plan.series)
                              kernels::adam_replay(series, slice);
                            last_step[row] = now;
                          }
                        });
}

void AdamConfig::validate() const {
  check_range("beta1", beta1, beta1 >= 0 && beta1 < 1, "at least 0 and below 1");
  check_range("beta2", beta2, beta2 >= 0 && beta2 < 1, "at least 0 and below 1");
  check_range("epsilon", epsilon, epsilon > 0 && std::isfinite(epsilon), "a number above 0");
  check_range("weight_decay", weight_decay, weight_decay >= 0 && std::isfinite(weight_decay),
              "a number of 0 or more");
}

// Aliases of what the parameters hold, without `step` and `learning_rates`.
std::map<std::string, at::Tensor> Adam::state_tensors() const {
  nn::ParameterMap result;
  for (const auto& [name, parameter] : parameters_) {
    result[name + ".first_moment"] = parameter.first_moment;
    result[name + ".second_moment"] = parameter.second_moment;
    if (parameter.row_sparse()) result[name + ".last_step"] = parameter.last_step;
  }
  return result;
}

std::map<std::string, at::Tensor> Adam::state() const {
  nn::ParameterMap result;
  for (const auto& [name, tensor] : state_tensors()) result[name] = tensor.clone();
  result["step"] = at::scalar_tensor(steps(), at::kLong);
  at::Tensor history = at::empty({steps()}, at::kDouble);
  std::copy(learning_rates_.begin(), learning_rates_.end(), history.mutable_data_ptr<double>());
  result["learning_rates"] = std::move(history);
  return result;
}

void Adam::load_state(const std::map<std::string, at::Tensor>& state) {
  nn::ParameterMap own = state_tensors();
  const std::vector<double> rates = learning_rates_of(state);
  for (const double rate : rates) check_rate(rate);
  for (const auto& [name, tensor] : own) {
    const at::Tensor& value = tensor_named(state, name);
    check_like("the state's '" + name + "'", value, tensor);
    if (name.ends_with(".last_step")) {
      check_last_steps(name, value, static_cast<std::int64_t>(rates.size()));
    }
  }
  nn::ParameterMap expected = own;
  expected["step"] = expected["learning_rates"] = at::Tensor();
  check_names(state, expected);

  for (auto& [name, tensor] : own) tensor.copy_(state.at(name));
  for (auto& [pace, history] : histories_) history.clear();
  learning_rates_.clear();
  for (const double rate : rates) append(rate);
}

}  // namespace fastformer::train
