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

/// Builds the value as nlohmann's parser does; rejects what parse_strict_json() lists, with a
/// std::invalid_argument that does not name the place.
template <class Json>
class StrictJsonBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  /// Adding a name to an ordered object takes time proportional to its number of names.
  static constexpr std::size_t kMostNames =
      std::is_same_v<Json, nlohmann::ordered_json> ? 10'000 : 1'000'000;

  explicit StrictJsonBuilder(Json& value, std::size_t most_names = kMostNames)
      : Base(value), most_names_(most_names) {}

  bool start_object(std::size_t size) {
    names_.emplace_back();
    deeper();
    return Base::start_object(size);
  }
  bool key(std::string& name) {
    if (!names_.back().insert(name).second) {
      fail("the name '" + excerpt(name) + "' appears twice in one JSON object; keep one of them");
    }
    if (++count_ > most_names_) fail("has more than " + std::to_string(most_names_) + " names");
    return Base::key(name);
  }
  bool end_object() {
    names_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t size) {
    deeper();
    if (++lists_ > kMostLists) {
      fail("has more than " + std::to_string(kMostLists) + " lists");
    }
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
  static constexpr int kDeepest = 64;
  static constexpr std::size_t kMostLists = 1'000'000;  // each takes some 60 bytes, even if empty

  [[noreturn]] static void fail(const std::string& what) { throw std::invalid_argument(what); }
  void deeper() {
    if (++depth_ <= kDeepest) return;
    fail("contains lists and objects nested more than " + std::to_string(kDeepest) +
         " levels deep");
  }

  std::vector<std::unordered_set<std::string>> names_;  ///< names in each enclosing object
  std::size_t most_names_, count_ = 0, lists_ = 0;
  int depth_ = 0;
};

/// Parses JSON with nlohmann's parser, but also rejects a repeated name in an object (the last
/// value would win), a NUL byte (it would end the text), more than 64 levels of nesting, and more
/// than `most_names` names in all: a million, or 10,000 for an ordered_json, whose insertion is
/// slow.
///
///   const auto header = parse_strict_json<nlohmann::json>(text, "model.safetensors");
///
/// `Json` is nlohmann::json, or nlohmann::ordered_json if the order of names matters. Throws
/// std::invalid_argument whose message starts with `where`.
template <class Json>
Json parse_strict_json(std::string_view text, const std::string& where,
                       std::size_t most_names = StrictJsonBuilder<Json>::kMostNames) {
  if (text.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(where + ": is not JSON, it contains a NUL byte");
  }
  Json value;
  StrictJsonBuilder<Json> builder(value, most_names);
  try {
    Json::sax_parse(text.begin(), text.end(), &builder);
  } catch (const typename Json::exception& error) {
    throw std::invalid_argument(where + ": is not valid JSON (" + excerpt(error.what(), 200) + ")");
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(where + ": " + error.what());
  }
  return value;
}

}  // namespace fastformer::base
