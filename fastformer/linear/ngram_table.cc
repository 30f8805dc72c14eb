#include "fastformer/linear/ngram_table.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

namespace fastformer::linear {
namespace {

constexpr std::size_t kMaximumNgrams = std::size_t{1} << 24;
constexpr std::uint32_t kMinimumTexts = 2;

// The lowest bits of a key are no hash.
std::size_t position_of(std::uint64_t key) { return static_cast<std::size_t>(key >> 3); }

// In how many texts each n-gram occurs: a hash table with open addressing.
class TextCounter {
 public:
  TextCounter() : slots_(std::size_t{1} << 16) {}

  void begin_text() { ++text_; }
  void add(std::uint64_t key) {
    auto& slot = find(key);
    if (slot.texts == 0) {
      slot = {key, 1, text_};
      if (++used_ * 2 >= slots_.size()) grow();
    } else if (slot.last_text != text_) {
      ++slot.texts;
      slot.last_text = text_;
    }
  }

  // The most frequent first, equally frequent ones in the order of their keys.
  std::vector<std::uint64_t> frequent() const {
    std::vector<Slot> kept;
    for (const auto& slot : slots_) {
      if (slot.texts >= kMinimumTexts) kept.push_back(slot);
    }
    std::sort(kept.begin(), kept.end(), [](const Slot& a, const Slot& b) {
      return a.texts != b.texts ? a.texts > b.texts : a.key < b.key;
    });
    std::vector<std::uint64_t> keys;
    for (const auto& slot : kept) keys.push_back(slot.key);
    return keys;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t texts = 0;  // 0: the slot is free
    std::uint32_t last_text = 0;
  };

  Slot& find(std::uint64_t key) {
    auto i = position_of(key);
    while (true) {
      auto& slot = slots_[i++ & (slots_.size() - 1)];
      if (slot.texts == 0 || slot.key == key) return slot;
    }
  }

  void grow() {
    const std::uint32_t least = used_ > kMaximumNgrams ? kMinimumTexts : 1;
    const auto kept = std::count_if(slots_.begin(), slots_.end(),
                                    [&](const Slot& slot) { return slot.texts >= least; });
    std::vector<Slot> old(std::bit_ceil(static_cast<std::size_t>(kept) * 4));
    old.swap(slots_);
    used_ = static_cast<std::size_t>(kept);
    for (const auto& slot : old) {
      if (slot.texts >= least) find(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  std::uint32_t text_ = 0;
};

}  // namespace

NgramTable::NgramTable(const NgramConfig& config, const text::TokenizerConfig& text,
                       std::vector<std::uint64_t> keys)
    : text_config_(text),
      reader_(config, text),
      keys_(std::move(keys)),
      slots_(std::bit_ceil(keys_.size() * 2 + 1)) {
  for (std::size_t column = 0; column < keys_.size(); ++column) {
    auto i = position_of(keys_[column]);
    while (slots_[i & (slots_.size() - 1)].column >= 0) ++i;
    slots_[i & (slots_.size() - 1)] = {static_cast<std::uint32_t>(keys_[column] >> 32),
                                       static_cast<std::int32_t>(column)};
  }
}

NgramTable NgramTable::learn(const NgramConfig& config, const text::TokenizerConfig& text,
                             const text::TextSource& texts) {
  const NgramReader reader(config, text);
  TextCounter counter;
  texts([&](std::string_view document) {
    counter.begin_text();
    reader.visit(document, [&](const Ngram& ngram) { counter.add(ngram.key.value()); });
  });
  return NgramTable(config, text, counter.frequent());
}

NgramTable NgramTable::most_frequent(std::int64_t count) const {
  auto keys = keys_;
  if (count < size()) keys.resize(static_cast<std::size_t>(count));
  return NgramTable(config(), text_config_, std::move(keys));
}

std::int32_t NgramTable::find(std::uint64_t key) const {
  auto i = position_of(key);
  while (true) {
    const auto& slot = slots_[i++ & (slots_.size() - 1)];
    if (slot.column < 0) return -1;
    if (slot.check == static_cast<std::uint32_t>(key >> 32) &&
        keys_[static_cast<std::size_t>(slot.column)] == key) {
      return slot.column;
    }
  }
}

void NgramTable::encode(std::string_view text, std::vector<std::int32_t>& columns) const {
  reader_.visit(text, [&](const Ngram& ngram) {
    const auto column = find(ngram.key.value());
    if (column >= 0) columns.push_back(column);
  });
}

std::vector<std::pair<std::int32_t, std::string>> NgramTable::spellings(
    std::string_view text) const {
  std::vector<std::pair<std::int32_t, std::string>> spellings;
  std::unordered_set<std::int32_t> seen;
  reader_.visit(text, [&](const Ngram& ngram) {
    const auto column = find(ngram.key.value());
    if (column >= 0 && seen.insert(column).second) {
      spellings.emplace_back(column, ngram.spelling());
    }
  });
  return spellings;
}

}  // namespace fastformer::linear
