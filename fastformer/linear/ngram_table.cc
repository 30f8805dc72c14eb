#include "fastformer/linear/ngram_table.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <unordered_set>

namespace fastformer::linear {
namespace {

constexpr std::size_t kMaximumNgrams = std::size_t{1} << 24;

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

  // Those in enough texts, the most frequent first, equally frequent ones in the order of their
  // keys.
  std::vector<std::uint64_t> kept() const {
    const std::uint32_t least = NgramTable::keeps_single_texts(text_) ? 1 : 2;
    std::vector<Slot> slots;
    for (const auto& slot : slots_) {
      if (slot.texts >= least) slots.push_back(slot);
    }
    std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) {
      return a.texts != b.texts ? a.texts > b.texts : a.key < b.key;
    });
    std::vector<std::uint64_t> keys;
    for (const auto& slot : slots) keys.push_back(slot.key);
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
    const std::uint32_t least = used_ > kMaximumNgrams ? 2 : 1;
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

// The columns of words that a thread has seen. Most words of a text are frequent ones, and a word
// has dozens of n-grams of characters. Takes at most 9 MB.
class NgramTable::WordCache {
 public:
  WordCache() : slots_(kFewest) {}

  // The columns of the word with this key; `append` finds those of a new word.
  template <class Append>
  std::span<const std::int32_t> columns_of(NgramKey key, const Append& append) {
    auto* slot = &find(key.value());
    if (slot->key == 0) {
      const bool full = 2 * ++used_ > slots_.size() || columns_.size() > kMostColumns;
      if (full) slot = &make_room(key.value());
      const auto first = columns_.size();
      append(columns_);
      *slot = {key.value(), static_cast<std::uint32_t>(first),
               static_cast<std::uint32_t>(columns_.size() - first)};
    }
    return std::span(columns_).subspan(slot->first, slot->count);
  }

 private:
  struct Slot {
    std::uint64_t key = 0;  // 0: the slot is free; keys of words are not 0
    std::uint32_t first = 0, count = 0;
  };
  static constexpr std::size_t kFewest = 1024, kMost = 65536, kMostColumns = std::size_t{1} << 20;

  Slot& find(std::uint64_t key) {
    auto i = position_of(key);
    while (true) {
      auto& slot = slots_[i++ & (slots_.size() - 1)];
      if (slot.key == 0 || slot.key == key) return slot;
    }
  }

  // Grows, or clears the cache; the free slot for `key`.
  Slot& make_room(std::uint64_t key) {
    if (slots_.size() == kMost || columns_.size() > kMostColumns) {
      slots_.assign(kFewest, {});
      columns_.clear();
      used_ = 1;
    } else {
      std::vector<Slot> old(2 * slots_.size());
      old.swap(slots_);
      for (const auto& slot : old) {
        if (slot.key != 0) find(slot.key) = slot;
      }
    }
    return find(key);
  }

  std::vector<Slot> slots_;  // a power of two of them
  std::size_t used_ = 0;
  std::vector<std::int32_t> columns_;
};

// A cache for each thread that is encoding a text.
class NgramTable::CachePool {
 public:
  std::unique_ptr<WordCache> acquire() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<WordCache>();
    auto cache = std::move(free_.back());
    free_.pop_back();
    return cache;
  }
  void release(std::unique_ptr<WordCache> cache) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(cache));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> free_;
};

NgramTable::NgramTable(const NgramConfig& config, const text::TokenizerConfig& text,
                       std::vector<std::uint64_t> keys)
    : text_config_(text),
      reader_(config, text),
      keys_(std::move(keys)),
      slots_(std::bit_ceil(keys_.size() * 2 + 1)),
      caches_(std::make_shared<CachePool>()) {
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
  return NgramTable(config, text, counter.kept());
}

NgramTable NgramTable::most_frequent(std::int64_t count) const {
  auto keys = keys_;
  if (count < size()) keys.resize(static_cast<std::size_t>(count));
  return NgramTable(config(), text_config_, std::move(keys));
}

// Compares the position and the upper 32 bits only: an unknown n-gram gets the column of another
// with a probability of about 2^-32. The whole key would cost a second cache miss.
std::int32_t NgramTable::find(NgramKey key) const {
  auto i = position_of(key.value());
  while (true) {
    const auto& slot = slots_[i++ & (slots_.size() - 1)];
    if (slot.column < 0 || slot.check == static_cast<std::uint32_t>(key.value() >> 32)) {
      return slot.column;
    }
  }
}

void NgramTable::prefetch(NgramKey key) const {
  __builtin_prefetch(&slots_[position_of(key.value()) & (slots_.size() - 1)]);
}

// Those of the word alone and of its characters.
void NgramTable::append_columns(const NgramWord& word, std::vector<std::int32_t>& columns) const {
  const auto add = [&](NgramKey key) {
    if (const auto column = find(key); column >= 0) columns.push_back(column);
  };
  if (!word.sequences.empty()) add(word.sequences.front().key);
  reader_.visit_characters(word.text, [&](const Ngram& ngram) { add(ngram.key); });
}

void NgramTable::encode(std::string_view text, std::vector<std::int32_t>& columns) const {
  constexpr std::size_t kLongestCached = 64;  // bytes
  auto cache = caches_->acquire();
  std::vector<NgramKey> sequences;  // their slots are prefetched
  reader_.visit_words(text, [&](const NgramWord& word) {
    if (word.text.size() > kLongestCached) {
      append_columns(word, columns);
    } else {
      const auto known = cache->columns_of(
          word.key, [&](std::vector<std::int32_t>& found) { append_columns(word, found); });
      columns.insert(columns.end(), known.begin(), known.end());
    }
    for (std::size_t n = 1; n < word.sequences.size(); ++n) {
      sequences.push_back(word.sequences[n].key);
      prefetch(sequences.back());
    }
  });
  for (const auto key : sequences) {
    if (const auto column = find(key); column >= 0) columns.push_back(column);
  }
  caches_->release(std::move(cache));
}

std::vector<std::pair<std::int32_t, std::string>> NgramTable::spellings(
    std::string_view text) const {
  std::vector<std::pair<std::int32_t, std::string>> spellings;
  std::unordered_set<std::int32_t> seen;
  reader_.visit(text, [&](const Ngram& ngram) {
    const auto column = find(ngram.key);
    if (column >= 0 && seen.insert(column).second) {
      spellings.emplace_back(column, ngram.spelling());
    }
  });
  return spellings;
}

}  // namespace fastformer::linear
