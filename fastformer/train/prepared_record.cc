#include "fastformer/train/prepared_record.h"

#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string_view>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/base/random.h"
#include "fastformer/base/strict_json.h"

namespace fastformer::train {
namespace {

using Json = nlohmann::ordered_json;

// Empty for a source that is not there any more.
std::string state_of(const std::filesystem::path& source) {
  data::CacheKey key;
  try {
    key.add_source(source);
  } catch (const std::invalid_argument&) {
    return {};
  }
  return key.hexadecimal();
}

std::uint64_t with_length(std::string_view text, std::uint64_t hash) {
  return base::fnv1a(text, base::fnv1a(std::to_string(text.size()) + ":", hash));
}

// The first source that is not as it was; an empty text: none.
std::string changed_source(const Json& record, const std::vector<RecipeSource>& sources) {
  for (const auto& [field, path] : sources) {
    const auto& states = record.at("sources");
    const auto before = states.find(path.string());
    if (before == states.end() || *before != state_of(path)) return field + ": " + path.string();
  }
  return {};
}

}  // namespace

std::string prepared_record(const std::vector<PreparedPart>& parts,
                            const std::vector<RecipeSource>& sources) {
  Json record = {{"parts", Json::object()}, {"sources", Json::object()}};
  for (const auto& [name, checksum] : parts) record["parts"][name] = base::hexadecimal(checksum);
  for (const auto& source : sources) {
    record["sources"][source.path.string()] = state_of(source.path);
  }
  return record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void check_prepared(const std::filesystem::path& folder, const std::vector<PreparedPart>& parts,
                    const std::vector<RecipeSource>& sources) {
  const auto path = folder / kPreparedFile;
  try {
    const auto record = base::parse_strict_json<Json>(base::read_small_file(path), path.string());
    for (const auto& [name, checksum] : parts) {
      if (record.at("parts").value(name, "") == base::hexadecimal(checksum)) continue;
      const auto source = changed_source(record, sources);
      throw std::invalid_argument(
          source.empty()
              ? name + " is not the same as when " + folder.string() +
                    " was started, although its files have not changed; give another --output"
              : source + " has changed since " + folder.string() + " was started, so " + name +
                    " is different; restore the original, or give another --output");
    }
  } catch (const Json::exception&) {
    throw std::invalid_argument(path.string() +
                                ": is damaged, so it cannot show whether the data has "
                                "changed; give another --output");
  }
}

std::uint64_t checksum_of(const std::vector<std::string>& texts) {
  auto hash = base::fnv1a("");
  for (const auto& text : texts) hash = with_length(text, hash);
  return hash;
}

std::uint64_t checksum_of(const nn::ParameterMap& parameters) {
  auto hash = base::kChecksumStart;
  for (const auto& [name, tensor] : parameters) {
    hash = base::checksum(std::span<const char>(name), hash);
    const auto dense = tensor.detach().contiguous();
    // Every type that is saved has a multiple of four bytes.
    const std::span<const std::uint32_t> words(
        static_cast<const std::uint32_t*>(dense.const_data_ptr()), dense.nbytes() / 4);
    hash = base::checksum(words, hash);
  }
  return hash;
}

}  // namespace fastformer::train
