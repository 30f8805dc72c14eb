#include "fastformer/model/bert_config.h"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::model {
namespace {

using kernels::Activation;
using Json = nlohmann::json;

constexpr std::int64_t kMostLayers = 1000;

// Other spellings of the same two functions are of later versions of the library.
constexpr std::array<std::pair<const char*, Activation>, 5> kActivations = {
    {{"gelu", Activation::kGelu},
     {"gelu_new", Activation::kGeluTanh},
     {"relu", Activation::kRelu},
     {"gelu_python", Activation::kGelu},
     {"gelu_pytorch_tanh", Activation::kGeluTanh}}};

// One config.json, read field by field.
class BertFields {
 public:
  BertFields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail("is not a JSON object; expected the config.json of a BERT model");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument(where_ + ": " + what);
  }
  /// null counts as absent, as in the library that writes these files.
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  void require(const char* key) const {
    if (find(key) != nullptr) return;
    fail(std::string("has no ") + key + "; expected the config.json of a BERT model");
  }
  void read(const char* key, std::int64_t least, std::int64_t& field,
            std::int64_t most = std::int64_t{1} << 31) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number_integer() || *value < least || *value > most) {
      fail(std::string(key) + " is " + base::excerpt(value->dump()) +
           ", expected a whole number from " + std::to_string(least) + " to " +
           std::to_string(most));
    }
    field = value->get<std::int64_t>();
  }
  /// A number of at least 0 and below 1.
  void read_share(const char* key, double& field) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number() || *value < 0 || *value >= 1) {
      fail(std::string(key) + " is " + base::excerpt(value->dump()) +
           ", expected a number of at least 0 and below 1");
    }
    field = value->get<double>();
  }
  /// Empty if the field is missing.
  std::string text(const char* key) const {
    const auto* value = find(key);
    if (value == nullptr) return "";
    if (!value->is_string())
      fail(std::string(key) + " is " + base::excerpt(value->dump()) + ", expected text");
    return value->get<std::string>();
  }

 private:
  const Json& json_;
  std::string where_;
};

// The fields of the shape, which DistilBERT names otherwise.
struct ShapeNames {
  const char *width, *layers, *heads, *ffn_width, *activation, *dropout, *attention_dropout;
};
constexpr ShapeNames kBertNames = {
    "hidden_size", "num_hidden_layers",   "num_attention_heads",         "intermediate_size",
    "hidden_act",  "hidden_dropout_prob", "attention_probs_dropout_prob"};
constexpr ShapeNames kDistilBertNames = {"dim",        "n_layers", "n_heads",          "hidden_dim",
                                         "activation", "dropout",  "attention_dropout"};

void check_architecture(const BertFields& fields) {
  const auto type = fields.text("model_type");
  if (!type.empty() && type != "bert" && type != "unilm" && type != "distilbert") {
    fields.fail("model_type is '" + base::excerpt(type) +
                "', but only models of the types 'bert', 'distilbert' and 'unilm' can be read, and "
                "no command converts others; choose a BERT model");
  }
  const auto positions = fields.text("position_embedding_type");
  std::int64_t bins = 0;
  fields.read("rel_pos_bins", 0, bins);
  if ((!positions.empty() && positions != "absolute") || bins > 0) {
    fields.fail(
        "the model has relative positions, but only position_embedding_type 'absolute' is "
        "supported; choose a model with absolute positions");
  }
  const auto* decoder = fields.find("is_decoder");
  if (decoder != nullptr && *decoder != false) {
    fields.fail("is_decoder is set, but only encoders are supported; choose an encoder");
  }
}

Activation activation_of(const BertFields& fields, const char* key) {
  const auto name = fields.text(key);
  if (name.empty()) return Activation::kGelu;
  std::vector<std::string> names;
  for (const auto& [known, activation] : kActivations) {
    if (name == known) return activation;
    names.emplace_back(known);
  }
  fields.fail(std::string(key) + " is '" + base::excerpt(name) + "'" +
              base::suggestion(name, names));
}

}  // namespace

void BertConfig::visit_fields(base::FieldVisitor& visit) {
  visit("vocabulary_size", vocabulary_size, "tokens", base::at_least(1));
  visit("width", width, "hidden size: width of the vector of a token", base::at_least(1));
  visit("layers", layers, "layers", base::between(0, kMostLayers));
  visit("heads", heads, "attention heads; divides width", base::at_least(1));
  visit("ffn_width", ffn_width, "inner width of the feed-forward block", base::at_least(1));
  visit("max_positions", max_positions, "largest number of tokens per text", base::at_least(1));
  visit("token_types", token_types, "number of token types", base::at_least(0));
  visit("activation", activation, "activation function of the feed-forward block");
  visit("epsilon", epsilon, "added to the variance in layer normalization", base::between(0, 1));
  visit("dropout", dropout, "dropout rate", base::between(0, 0.99));
  visit("attention_dropout", attention_dropout, "dropout rate of the attention weights",
        base::between(0, 0.99));
}

void BertConfig::validate() const {
  if (width % heads == 0) return;
  throw std::invalid_argument("width = " + std::to_string(width) +
                              " must be a multiple of heads = " + std::to_string(heads));
}

BertConfig BertConfig::from_json(std::string_view json, const std::string& where) {
  const auto parsed = base::parse_strict_json<Json>(json, where);
  const BertFields fields(parsed, where);
  check_architecture(fields);
  const bool distilled = fields.text("model_type") == "distilbert";
  const auto& names = distilled ? kDistilBertNames : kBertNames;
  for (const auto* key : {"vocab_size", names.width, names.layers, names.heads, names.ffn_width}) {
    fields.require(key);
  }
  BertConfig config;
  fields.read("vocab_size", 1, config.vocabulary_size);
  fields.read(names.width, 1, config.width);
  fields.read(names.layers, 0, config.layers, kMostLayers);
  fields.read(names.heads, 1, config.heads);
  fields.read(names.ffn_width, 1, config.ffn_width);
  fields.read("max_position_embeddings", 1, config.max_positions);
  config.activation = activation_of(fields, names.activation);
  fields.read_share(names.dropout, config.dropout);
  fields.read_share(names.attention_dropout, config.attention_dropout);
  if (distilled) {
    config.token_types = 0;
  } else {
    fields.read("type_vocab_size", 0, config.token_types);
    fields.read_share("layer_norm_eps", config.epsilon);
  }
  if (config.width % config.heads != 0) {
    fields.fail(std::string(names.width) + " " + std::to_string(config.width) +
                " is not a multiple of the " + std::to_string(config.heads) + " " + names.heads +
                "; check the file");
  }
  return config;
}

BertConfig BertConfig::load(const std::filesystem::path& path) {
  return from_json(base::read_small_file(path), path.string());
}

BertConfig BertConfig::of_model(const base::ConfigTree& tree, const std::filesystem::path& folder) {
  if (tree.contains("pretrained")) {
    BertConfig config;
    tree.read_section("pretrained", config);
    return config;
  }
  if (!std::filesystem::is_directory(folder)) {
    throw std::invalid_argument(
        "model.pretrained: the folder " + folder.string() +
        " does not exist; give that of a BERT model (scripts/setup --tests installs the one that "
        "the recipes name)");
  }
  return load(folder / "config.json");
}

}  // namespace fastformer::model
