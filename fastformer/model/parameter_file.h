#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "fastformer/base/safetensors.h"

namespace fastformer::model {

/// The parameter file of a model directory. It must contain exactly the parameters that the model
/// takes.
///
///   ParameterFile file(directory / base::kWeightsFile);
///   const auto& weight = file.take("classifier.weight", {classes, width});
///   file.finish();
class ParameterFile {
 public:
  /// Maps the file into memory; the tensors are valid while the object exists. Throws as
  /// SafetensorsFile::map does.
  explicit ParameterFile(const std::filesystem::path& path);

  /// Throws std::invalid_argument for a parameter that is missing or has another shape.
  const base::TensorView& take(const std::string& name, const std::vector<std::int64_t>& shape);
  /// The same for a list of any length.
  const base::TensorView& take_list(const std::string& name);
  /// The type of a quantized parameter, which has a tensor `<name>.scale`; "" for any other.
  std::string quantized_type(const std::string& name) const;
  /// "model.safetensors: the parameter 'classifier.weight'", for messages.
  std::string where(const std::string& name) const;
  /// Throws std::invalid_argument for a tensor that was not taken.
  void finish() const;

 private:
  base::SafetensorsFile file_;
  std::set<std::string> taken_;
};

/// Throw std::invalid_argument: `source` lacks the parameter, or has one that is not among the
/// model's `names`.
[[noreturn]] void throw_missing_parameter(const std::string& name, const std::string& source,
                                          const std::string& advice = "");
[[noreturn]] void throw_unknown_parameter(const std::string& name,
                                          const std::vector<std::string>& names,
                                          const std::string& source,
                                          const std::string& advice = "");
/// For a parameter of another shape; `where` names file and parameter.
[[noreturn]] void throw_other_shape(const std::string& where, const std::string& found,
                                    const std::string& expected, const std::string& advice = "");

}  // namespace fastformer::model
