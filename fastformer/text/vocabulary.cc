#include "fastformer/text/vocabulary.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/printable.h"

namespace fastformer::text {

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  ids_.reserve(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    ids_.emplace(tokens_[i], static_cast<std::int32_t>(i));
  }
  unknown_id_ = ids_.at("[UNK]");
  const auto pad = ids_.find(std::string_view("[PAD]"));
  pad_id_ = pad == ids_.end() ? unknown_id_ : pad->second;
}

Vocabulary Vocabulary::from_counts(const TokenCounts& counts, std::int64_t minimum_count,
                                   std::int64_t size_limit) {
  std::vector<std::pair<std::int64_t, std::string_view>> ranked;
  for (const auto& [token, count] : counts) {
    if (count >= minimum_count && token != "[PAD]" && token != "[UNK]" &&
        !base::has_control_characters(token)) {
      ranked.emplace_back(-count, token);
    }
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> tokens = {"[PAD]", "[UNK]"};
  for (const auto& entry : ranked) {
    if (static_cast<std::int64_t>(tokens.size()) >= size_limit) break;
    tokens.emplace_back(entry.second);
  }
  return Vocabulary(std::move(tokens));
}

Vocabulary Vocabulary::load(const std::filesystem::path& path) {
  const std::string content = base::read_small_file(path);
  std::vector<std::string> tokens;
  std::unordered_map<std::string_view, std::size_t> lines;
  lines.reserve(static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')) + 1);
  for (std::size_t begin = 0; begin < content.size();) {
    const auto end = std::min(content.find('\n', begin), content.size());
    std::string_view line(content.data() + begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (base::has_control_characters(line)) {
      throw std::invalid_argument(path.string() + ":" + std::to_string(tokens.size() + 1) +
                                  ": the token '" + base::excerpt(line) +
                                  "' has a control character; remove it");
    }
    const auto [first, inserted] = lines.emplace(line, lines.size() + 1);
    if (!inserted) {
      throw std::invalid_argument(path.string() + ":" + std::to_string(tokens.size() + 1) +
                                  ": the token '" + base::excerpt(line) + "' stands on line " +
                                  std::to_string(first->second) +
                                  " already; each token needs one line of its own");
    }
    tokens.emplace_back(line);
    begin = end + 1;
  }
  if (!lines.contains("[UNK]")) {
    throw std::invalid_argument(path.string() +
                                ": no line is '[UNK]', the token that stands for unknown words");
  }
  return Vocabulary(std::move(tokens));
}

void Vocabulary::save(const std::filesystem::path& path) const {
  std::string content;
  for (const auto& token : tokens_) content += token + '\n';
  base::write_file_atomically(path, content);
}

std::int32_t Vocabulary::id(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? unknown_id_ : found->second;
}

}  // namespace fastformer::text
