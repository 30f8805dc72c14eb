#include "fastformer/text/tokenizer_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::text {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostTokens = 10'000'000;

Json parse(const std::filesystem::path& path) {
  return base::parse_strict_json<Json>(base::read_small_file(path), path.string());
}

class Fields {
 public:
  explicit Fields(const std::filesystem::path& path) : json_(parse(path)), where_(path.string()) {}

  // The object at a name; a JSON null where there is none.
  const Json& part(const char* name) const {
    static const Json none;
    const auto found = json_.is_object() ? json_.find(name) : json_.end();
    return found == json_.end() ? none : *found;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(where_ + ": " + what +
                                "; choose a model with BERT's WordPiece tokenizer");
  }
  void expect(const char* name, const char* key, const Json& expected) const {
    const auto& object = part(name);
    const auto found = object.is_object() ? object.find(key) : object.end();
    const Json value = object.is_object() && found != object.end() ? *found : Json();
    if (value == expected) return;
    fail(std::string(name) + "." + key + " is " + base::excerpt(value.dump()) + ", expected " +
         expected.dump());
  }
  // true, false, or `otherwise` where it is null or missing.
  bool flag(const char* name, const char* key, bool otherwise) const {
    const auto& object = part(name);
    if (!object.contains(key) || object[key].is_null()) return otherwise;
    if (!object[key].is_boolean()) {
      fail(std::string(name) + "." + key + " is " + base::excerpt(object[key].dump()) +
           ", expected true or false");
    }
    return object[key].get<bool>();
  }

  std::vector<std::string> tokens() const;

 private:
  std::int64_t id_of(const std::string& token, const Json& value) const {
    if (!value.is_number_integer() || value < 0 || value >= kMostTokens) {
      fail("the token '" + base::excerpt(token) + "' has the id " + base::excerpt(value.dump()) +
           ", expected a whole number from 0 on");
    }
    return value.get<std::int64_t>();
  }

  Json json_;
  std::string where_;
};

std::vector<std::string> Fields::tokens() const {
  std::vector<std::string> tokens;
  const auto put = [&](const std::string& token, std::int64_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= tokens.size()) tokens.resize(index + 1);
    tokens[index] = token;
  };
  const auto& model = part("model");
  if (!model.contains("vocab") || !model["vocab"].is_object()) {
    fail("model.vocab is no object of tokens and ids");
  }
  const auto& vocabulary = model["vocab"];
  for (const auto& entry : vocabulary.items()) put(entry.key(), id_of(entry.key(), entry.value()));
  for (const auto& added : part("added_tokens")) {
    const bool complete = added.is_object() && added.contains("content") && added.contains("id") &&
                          added["content"].is_string();
    if (!complete)
      fail("added_tokens holds " + base::excerpt(added.dump()) + ", which is no token");
    const auto token = added["content"].get<std::string>();
    if (!vocabulary.contains(token) && added.value("special", Json()) != true) {
      fail("adds the token '" + base::excerpt(token) +
           "', which is found in texts before they are "
           "cut into words");
    }
    put(token, id_of(token, added["id"]));
  }
  return tokens;
}

}  // namespace

bool WordPieceJson::is_one(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return false;
  const auto json = parse(path);
  return json.is_object() && json.contains("model") && !json.contains("format");
}

WordPieceJson WordPieceJson::read(const std::filesystem::path& path) {
  const Fields fields(path);
  fields.expect("model", "type", "WordPiece");
  fields.expect("model", "unk_token", "[UNK]");
  fields.expect("model", "continuing_subword_prefix", "##");
  fields.expect("model", "max_input_chars_per_word", 100);
  fields.expect("normalizer", "type", "BertNormalizer");
  fields.expect("normalizer", "clean_text", true);
  fields.expect("normalizer", "handle_chinese_chars", true);
  fields.expect("pre_tokenizer", "type", "BertPreTokenizer");
  WordPieceJson result{.tokens = fields.tokens()};
  result.lowercase = fields.flag("normalizer", "lowercase", true);
  result.strip_accents = fields.flag("normalizer", "strip_accents", result.lowercase);
  return result;
}

}  // namespace fastformer::text
