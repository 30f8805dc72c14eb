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

/// Every parameter of a model by its name, in sorted order.
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
/// The store draws the values, or takes them from a file: then nothing is drawn, and nothing is
/// allocated before name, shape and type are those of a tensor in the file.
class ParameterStore {
 public:
  /// `deviation` is the standard deviation of normal(), by default 0.02 as in the authors' code.
  explicit ParameterStore(std::uint64_t seed, at::ScalarType dtype = at::kFloat,
                          double deviation = 0.02);

  /// The parameters of a model.safetensors. Asking for one throws std::invalid_argument where the
  /// file lacks it, has it in another shape or type, or with numbers that are not finite. Throws as
  /// base::SafetensorsFile does.
  static ParameterStore from_file(const std::filesystem::path& path,
                                  at::ScalarType dtype = at::kFloat);

  /// Parameters with names and shapes alone, which take no memory.
  static ParameterStore without_values(at::ScalarType dtype = at::kFloat);

  /// Takes the parameters whose names begin with `prefix` from `source`, by the rest of their
  /// names.
  void read_from(std::string prefix, std::shared_ptr<ParameterSource> source);

  /// To be called when the model has all its parameters. Throws std::invalid_argument for a tensor
  /// of the file that it did not ask for; closes the file.
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

/// Copies `values` into `parameters`. Throws std::invalid_argument naming the first parameter that
/// is missing, unknown, or of another shape or type; nothing is copied then.
void assign(const ParameterMap& parameters, const ParameterMap& values, const std::string& source);

/// A copy that no later training step changes.
ParameterMap clone(const ParameterMap& parameters);

/// Number of parameters of a model. `outside_tables` excludes the embeddings of tokens, pairs and
/// positions, of which a token reads one row each.
struct ParameterCount {
  std::int64_t all = 0, outside_tables = 0;
};

ParameterCount count_of(const ParameterMap& parameters);

}  // namespace fastformer::nn
