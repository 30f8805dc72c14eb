#include "fastformer/data/vector_file.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/data/json_lines.h"
#include "fastformer/data/npy_file.h"

namespace fastformer::data {
namespace {

using Json = nlohmann::json;

void append_vector(const Json& value, const std::string& where, Vectors& vectors) {
  if (!value.is_array() || value.empty()) {
    throw std::invalid_argument(where + ": the field 'vector' must be a list of numbers");
  }
  if (vectors.width == 0) vectors.width = value.size();
  if (value.size() != vectors.width) {
    throw std::invalid_argument(where + ": the vector has " + std::to_string(value.size()) +
                                " numbers, those before it " + std::to_string(vectors.width) +
                                "; write the vectors of one model");
  }
  for (const auto& number : value) {
    if (!number.is_number()) {
      throw std::invalid_argument(where + ": the vector holds a JSON " + number.type_name() +
                                  ", but must be a list of numbers");
    }
    vectors.values.push_back(number.get<float>());
  }
}

// Empty where the record has no such field.
std::string text_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void check_finite(const Vectors& vectors, const std::filesystem::path& file) {
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    if (std::isfinite(vectors.values[i])) continue;
    throw std::invalid_argument(file.string() + ": vector " +
                                std::to_string(i / vectors.width + 1) +
                                " holds a number that is not finite; compute it again");
  }
}

bool all_empty(const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    if (!text.empty()) return false;
  }
  return true;
}

}  // namespace

NamedVectors read_vectors(const std::filesystem::path& file) {
  NamedVectors result;
  if (is_npy(file)) {
    result.vectors = read_npy(file);
    check_finite(result.vectors, file);
    return result;
  }
  JsonLines lines(file);
  for (Json object; lines.next(object);) {
    append_vector(required_field(object, "vector", lines.where()), lines.where(), result.vectors);
    result.ids.push_back(text_of(object, "id"));
    result.texts.push_back(text_of(object, "text"));
  }
  if (result.vectors.rows() == 0) {
    throw std::invalid_argument(lines.name() +
                                ": holds no vectors, expected what fastformer embed writes");
  }
  check_finite(result.vectors, file);
  if (all_empty(result.ids)) result.ids.clear();
  if (all_empty(result.texts)) result.texts.clear();
  return result;
}

}  // namespace fastformer::data
