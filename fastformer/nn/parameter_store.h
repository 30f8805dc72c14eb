#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fastformer::nn {

/// All parameters of a model by name, in the order of the names.
using ParameterMap = std::map<std::string, at::Tensor>;

/// Where parameters come from, if they are not drawn.
class ParameterSource {
 public:
  virtual ~ParameterSource() = default;

  /// A parameter by its name. Throws std::invalid_argument, before it allocates memory, if the
  /// source lacks it or has it in another shape; the shape may come from anyone.
  virtual at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape,
                          at::ScalarType dtype) = 0;
  /// Called when the model has all its parameters. Throws std::invalid_argument for what the source
  /// should not have.
  virtual void finish(const ParameterMap& /*parameters*/) {}
};

/// Creates the parameters of a model. Modules request parameters by name and keep the tensor; the
/// optimizer, checkpoints and model files use the map. Requesting a name again returns the same
/// tensor, so that layers can share parameters.
///
///   ParameterStore store(/*seed=*/1);
///   at::Tensor weight = store.normal("classifier.weight", {4, 256});
///   store.finish();
///
/// The store draws the values or reads them from a file. In the latter case, memory is allocated
/// only after the file is known to have a tensor of that name, shape and type.
class ParameterStore {
 public:
  /// `deviation`: standard deviation of initial values; the default is that of the authors' code.
  explicit ParameterStore(std::uint64_t seed, at::ScalarType dtype = at::kFloat,
                          double deviation = 0.02);

  /// The parameters of a model.safetensors. Requesting a parameter throws std::invalid_argument if
  /// the file lacks it, or has it with another shape or type or with values that are not finite.
  /// Throws as base::SafetensorsFile does.
  static ParameterStore from_file(const std::filesystem::path& path,
                                  at::ScalarType dtype = at::kFloat);

  /// Parameters with names and shapes alone, which take no memory.
  static ParameterStore without_values(at::ScalarType dtype = at::kFloat);

  /// Reads the parameters whose names begin with `prefix` from `source`, by the rest of their
  /// names.
  void read_from(std::string prefix, std::shared_ptr<ParameterSource> source);

  /// Call it after the model has requested all its parameters. Closes the file; throws
  /// std::invalid_argument if the file has a tensor that was not requested.
  void finish();

  /// Values drawn from the normal distribution N(0, deviation^2).
  at::Tensor normal(const std::string& name, const std::vector<std::int64_t>& shape) {
    return normal(name, shape, deviation_);
  }
  at::Tensor normal(const std::string& name, const std::vector<std::int64_t>& shape,
                    double deviation);
  at::Tensor constant(const std::string& name, const std::vector<std::int64_t>& shape,
                      double value);

  const ParameterMap& parameters() const { return parameters_; }

 private:
  at::Tensor create(const std::string& name, const std::vector<std::int64_t>& shape,
                    const std::function<void(at::Tensor&)>& initialize);

  at::Generator generator_;
  at::ScalarType dtype_;
  double deviation_;
  at::Device device_ = at::kCPU;  ///< at::kMeta: without values
  std::vector<std::pair<std::string, std::shared_ptr<ParameterSource>>> sources_;  ///< by prefix
  ParameterMap parameters_;
};

/// Copies `values` to `parameters`. Throws std::invalid_argument naming the first parameter that is
/// missing, unknown, or of another shape or type; in that case nothing is copied.
void assign(const ParameterMap& parameters, const ParameterMap& values, const std::string& source);

/// A deep copy, which later training steps do not change.
ParameterMap clone(const ParameterMap& parameters);

/// Numbers of parameters of a model. `outside_tables` excludes the embedding tables of tokens,
/// pairs and positions, from each of which a token reads only one row.
struct ParameterCount {
  std::int64_t all = 0, outside_tables = 0;
};

ParameterCount count_of(const ParameterMap& parameters);

}  // namespace fastformer::nn
