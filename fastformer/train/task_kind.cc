#include "fastformer/train/task_kind.h"

#include <ATen/ATen.h>

#include <sstream>

#include "fastformer/base/format.h"

namespace fastformer::train {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream out;
  out << tensor.sizes();
  return out.str();
}

}  // namespace

std::string parameter_table(const nn::ParameterMap& parameters) {
  std::string text;
  for (const auto& [name, weight] : parameters) {
    text += base::format("%-58s %16s\n", name.c_str(), shape_text(weight).c_str());
  }
  const auto [all, outside_tables] = nn::count_of(parameters);
  return text + base::format(
                    "parameters %ld (%.1f MB), %ld of them outside the embedding\n"
                    "at most %.2f million multiply-adds per token, forward\n",
                    all, static_cast<double>(all) * 4 / 1e6, outside_tables,
                    static_cast<double>(outside_tables) / 1e6);
}

}  // namespace fastformer::train
