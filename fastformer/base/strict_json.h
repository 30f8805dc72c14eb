#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "fastformer/base/printable.h"

namespace fastformer::base {

/// Builds the value as nlohmann does, and refuses what parse_strict_json() says.
template <class Json>
class StrictJsonBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  StrictJsonBuilder(Json& value, const std::string& where) : Base(value), where_(where) {}

  bool start_object(std::size_t size) {
    names_.emplace_back();
    deeper();
    return Base::start_object(size);
  }
  bool key(std::string& name) {
    if (!names_.back().insert(name).second) {
      fail("the name '" + excerpt(name) + "' appears twice in one JSON object; keep one of them");
    }
    if (++count_ > kMostNames) {
      fail("has more than " + std::to_string(kMostNames) + " names; is it another file?");
    }
    return Base::key(name);
  }
  bool end_object() {
    names_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t size) {
    deeper();
    return Base::start_array(size);
  }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }

 protected:
  /// How many lists and objects are around the place.
  int depth() const { return depth_; }

 private:
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

  static constexpr int kDeepest = 64;
  // An ordered object looks through all its names to add one.
  static constexpr std::size_t kMostNames =
      std::is_same_v<Json, nlohmann::ordered_json> ? 10'000 : 1'000'000;

  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(where_ + ": " + what);
  }
  void deeper() {
    if (++depth_ <= kDeepest) return;
    fail("holds lists and objects more than " + std::to_string(kDeepest) +
         " levels deep; is it another file?");
  }

  const std::string& where_;
  std::vector<std::unordered_set<std::string>> names_;  ///< of the objects around the place
  std::size_t count_ = 0;
  int depth_ = 0;
};

/// Parses JSON as nlohmann does, but refuses what it lets through: a name that appears twice in an
/// object (the last would win), a NUL byte (it would end the text), and what would cost more than a
/// file of settings should, that is values nested deeply and a million names.
///
///   const auto header = parse_strict_json<nlohmann::json>(text, "model.safetensors");
///
/// `Json` is nlohmann::json, or nlohmann::ordered_json where the order of names matters.
/// Throws std::invalid_argument that starts with `where` and the line.
template <class Json>
Json parse_strict_json(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(where + ": is not JSON, it contains a NUL byte");
  }
  Json value;
  StrictJsonBuilder<Json> builder(value, where);
  try {
    Json::sax_parse(text.begin(), text.end(), &builder);
  } catch (const typename Json::exception& error) {
    throw std::invalid_argument(where + ": is not valid JSON (" + excerpt(error.what(), 200) + ")");
  }
  return value;
}

}  // namespace fastformer::base
