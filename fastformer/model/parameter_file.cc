#include "fastformer/model/parameter_file.h"

#include <stdexcept>

#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"

namespace fastformer::model {
namespace {

constexpr const char* kAdvice =
    "; the file does not match config.json: copy the whole model directory again";

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const auto extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

}  // namespace

void throw_missing_parameter(const std::string& name, const std::string& source,
                             const std::string& advice) {
  throw std::invalid_argument(source + ": the parameter '" + name + "' is missing" + advice);
}

void throw_unknown_parameter(const std::string& name, const std::vector<std::string>& names,
                             const std::string& source, const std::string& advice) {
  throw std::invalid_argument(source + ": the model has no parameter '" + base::excerpt(name) +
                              "'" + base::suggestion(name, names) + advice);
}

void throw_other_shape(const std::string& where, const std::string& found,
                       const std::string& expected, const std::string& advice) {
  throw std::invalid_argument(where + " has the shape " +
                              base::excerpt(found + ", but the model expects " + expected, 200) +
                              advice);
}

ParameterFile::ParameterFile(const std::filesystem::path& path)
    : file_(base::SafetensorsFile::map(path)) {}

const base::TensorView& ParameterFile::take(const std::string& name,
                                            const std::vector<std::int64_t>& shape) {
  const auto found = file_.tensors().find(name);
  if (found == file_.tensors().end()) {
    throw_missing_parameter(name, file_.path().string(), kAdvice);
  }
  if (found->second.shape != shape) {
    throw_other_shape(where(name), text_of(found->second.shape), text_of(shape), kAdvice);
  }
  taken_.insert(name);
  return found->second;
}

const base::TensorView& ParameterFile::take_list(const std::string& name) {
  const auto found = file_.tensors().find(name);
  const bool is_list = found != file_.tensors().end() && found->second.shape.size() == 1;
  return take(name, is_list ? found->second.shape : std::vector<std::int64_t>{0});
}

std::string ParameterFile::quantized_type(const std::string& name) const {
  const auto found = file_.tensors().find(name);
  const bool quantized =
      found != file_.tensors().end() && file_.tensors().contains(name + ".scale");
  return quantized ? found->second.dtype : "";
}

std::string ParameterFile::where(const std::string& name) const {
  return file_.path().string() + ": the parameter '" + name + "'";
}

void ParameterFile::finish() const {
  for (const auto& entry : file_.tensors()) {
    if (taken_.contains(entry.first)) continue;
    throw_unknown_parameter(entry.first, {taken_.begin(), taken_.end()}, file_.path().string(),
                            kAdvice);
  }
}

}  // namespace fastformer::model
