#include "fastformer/train/starting_model.h"

#include <c10/core/GradMode.h>

#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "fastformer/base/format.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/nn/tensor_file.h"
#include "fastformer/train/prepared_record.h"

namespace fastformer::train {
namespace {

// The values of all fields as they are written, by "section.field".
std::map<std::string, std::string> fields_of(const base::ConfigTree& tree) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(tree.to_toml());
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line.substr(1, line.size() - 2);
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    fields[section + "." + line.substr(0, equals)] = line.substr(equals + 3);
  }
  return fields;
}

bool only_trains(const std::string& field) {
  static const std::set<std::string> names = {"model.preset", "text.minimum_count",
                                              "text.vocabulary_size", "text.model_file"};
  return names.contains(field) || field.find("dropout") != std::string::npos ||
         field.find("deviation") != std::string::npos;
}

nn::ParameterMap weights_of(const std::filesystem::path& directory) {
  return nn::load_tensors(directory / base::kWeightsFile).tensors;
}

}  // namespace

StartingModel::StartingModel(std::filesystem::path directory, const base::ConfigTree& own,
                             const base::ConfigTree& recipe, const std::set<std::string>& free)
    : directory_(std::move(directory)) {
  const auto here = fields_of(recipe);
  for (const auto& [field, value] : fields_of(own)) {
    if (only_trains(field) || free.contains(field)) continue;
    const auto found = here.find(field);
    if (found != here.end() && found->second == value) continue;
    throw std::invalid_argument("train.from: " + directory_.string() + " has " + field + " = " +
                                value + ", but the recipe has " +
                                (found == here.end() ? "no such field" : found->second) +
                                "; give the recipe the value of the model");
  }
  checksum_ = checksum_of(weights_of(directory_));
}

std::vector<std::string> StartingModel::copy_to(const nn::ParameterMap& parameters,
                                                std::int64_t last) const {
  const auto weights = weights_of(directory_);
  const c10::NoGradGuard no_gradients;
  std::vector<std::string> notices = {"training starts from " + directory_.string()};
  for (const auto& [name, parameter] : parameters) {
    const auto found = weights.find(name);
    const auto where = "train.from: the parameter '" + name + "' of " + directory_.string();
    if (found == weights.end()) throw std::invalid_argument(where + " is missing");
    const auto& start = found->second;
    const bool fits = start.dim() == parameter.dim() && start.dim() > 0 &&
                      start.size(0) <= parameter.size(0) &&
                      start.sizes().slice(1) == parameter.sizes().slice(1) &&
                      start.scalar_type() == parameter.scalar_type();
    if (!fits) {
      std::ostringstream shapes;
      shapes << start.sizes() << ", that of the recipe " << parameter.sizes();
      throw std::invalid_argument(where + " has the shape " + shapes.str() +
                                  "; train from a model of the same shape");
    }
    const auto rows = start.size(0), all = parameter.size(0);
    if (rows == all) {
      parameter.copy_(start);
      continue;
    }
    parameter.narrow(0, 0, rows - last).copy_(start.narrow(0, 0, rows - last));
    parameter.narrow(0, all - last, last).copy_(start.narrow(0, rows - last, last));
    notices.push_back(base::format("%s: %lld of %lld rows are new", name.c_str(),
                                   static_cast<long long>(all - rows),
                                   static_cast<long long>(all)));
  }
  return notices;
}

}  // namespace fastformer::train
