#include "fastformer/text/vocabulary.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"

namespace fastformer::text {

void TokenCounter::add(std::string_view token) {
  const auto found = counts_.find(token);
  if (found != counts_.end()) {
    ++found->second;
    return;
  }
  counts_.emplace(token, 1);
  if (counts_.size() <= limit_) return;
  for (std::int64_t rare = 1; counts_.size() > limit_ / 2; ++rare) {
    std::erase_if(counts_, [rare](const auto& entry) { return entry.second <= rare; });
  }
}

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  ids_.reserve(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    ids_.add(tokens_[i], static_cast<std::int32_t>(i));
  }
  unknown_id_ = ids_.find("[UNK]");
  const auto pad = ids_.find("[PAD]");
  pad_id_ = pad < 0 ? unknown_id_ : pad;
}

Vocabulary Vocabulary::from_counts(const TokenCounts& counts, std::int64_t minimum_count,
                                   std::int64_t size_limit) {
  return Vocabulary({"[PAD]", "[UNK]"}).extended(counts, minimum_count, size_limit);
}

Vocabulary Vocabulary::extended(const TokenCounts& counts, std::int64_t minimum_count,
                                std::int64_t size_limit) const {
  std::vector<std::pair<std::int64_t, std::string_view>> ranked;
  for (const auto& [token, count] : counts) {
    if (count >= minimum_count && token != "[PAD]" && token != "[UNK]" && !contains(token) &&
        !base::has_control_characters(token)) {
      ranked.emplace_back(-count, token);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  auto tokens = tokens_;
  for (const auto& entry : ranked) {
    if (static_cast<std::int64_t>(tokens.size()) >= size_limit) break;
    tokens.emplace_back(entry.second);
  }
  return Vocabulary(std::move(tokens));
}

Vocabulary Vocabulary::load(const std::filesystem::path& path) {
  const std::string content = base::read_small_file(path);
  std::vector<std::string> tokens;
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = std::min(content.find('\n', begin), content.size());
    std::string_view line(content.data() + begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    tokens.emplace_back(line);
    begin = end + 1;
  }
  return from_tokens(std::move(tokens), path.string());
}

Vocabulary Vocabulary::from_tokens(std::vector<std::string> tokens, const std::string& file) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!base::has_control_characters(tokens[i])) continue;
    throw std::invalid_argument(file + ":" + std::to_string(i + 1) + ": the token '" +
                                base::excerpt(tokens[i]) + "' has a control character; remove it");
  }
  if (std::find(tokens.begin(), tokens.end(), "[UNK]") == tokens.end()) {
    throw std::invalid_argument(file + ": has no token '[UNK]', the token for unknown words");
  }
  return Vocabulary(std::move(tokens));
}

void Vocabulary::save(const std::filesystem::path& path) const {
  std::string content;
  for (const auto& token : tokens_) content += token + '\n';
  base::write_file_atomically(path, content);
}

std::int32_t Vocabulary::id(std::string_view token, std::uint64_t hash) const {
  const auto found = ids_.find(token, hash);
  return found < 0 ? unknown_id_ : found;
}

}  // namespace fastformer::text
