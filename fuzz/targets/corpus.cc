#include "fastformer/data/corpus.h"

#include <cstring>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/random.h"
#include "target.h"

namespace fastformer::fuzz {

// The header's checksum is mended, so that changes of the rest get behind it: that of what the
// header's counts leave of the file.
std::string with_checksum(std::string bytes) {
  constexpr std::size_t kHeader = 64, kCounts = 16, kChecksum = 40;
  if (bytes.size() < kHeader) return bytes;
  std::int64_t counts[3];
  std::memcpy(counts, bytes.data() + kCounts, sizeof(counts));
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (counts[0] < 0 || counts[0] > size || counts[1] < 0 || counts[1] > size) return bytes;
  const auto rows = static_cast<std::size_t>(counts[0]),
             tokens = static_cast<std::size_t>(counts[1]);
  const auto offsets = kHeader + (tokens + 1) / 2 * 8;
  if (bytes.size() < offsets + 16 * rows + 8) return bytes;
  const auto part = [&]<class T>(std::size_t at, std::size_t count, T) {
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), bytes.data() + at, count * sizeof(T));
    return values;
  };
  const auto hash = [](const auto& values, std::uint64_t start) {
    return base::checksum(std::span(values), start);
  };
  auto sum = hash(part(kHeader, tokens, std::int32_t{}), base::kChecksumStart);
  sum = hash(part(offsets, rows + 1, std::int64_t{}), sum);
  sum = hash(part(offsets + 8 * (rows + 1), rows, std::int64_t{}), sum);
  sum = hash(std::vector<std::int64_t>(counts, counts + 3), sum);
  std::memcpy(bytes.data() + kChecksum, &sum, sizeof(sum));
  return bytes;
}

constexpr std::int64_t kTokens = std::int64_t{1} << 31;

void run(std::string_view bytes) {
  const auto corpus =
      data::Corpus::open(write("a.tokens", with_checksum(std::string(bytes))), kTokens);
  data::CorpusWriter writer(folder() / "copy.tokens");
  std::int64_t tokens = 0;
  for (std::int64_t row = 0; row < corpus.size(); ++row) {
    tokens += std::ssize(corpus.tokens(row));
    writer.add(corpus.tokens(row), corpus.record(row));
  }
  check(tokens == corpus.total_tokens(), "the rows hold all tokens");
  const auto copy = writer.finish();
  check(copy.size() == corpus.size() && copy.empty() == corpus.empty(), "rows survive");
}

}  // namespace fastformer::fuzz
