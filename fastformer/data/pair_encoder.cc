#include "fastformer/data/pair_encoder.h"

#include <utility>

namespace fastformer::data {

void PairWriter::add(const LimitedIds& source, const LimitedIds& target, std::int32_t number) {
  source_.add(source.ids, number, source.truncated);
  target_.add(target.ids, number, target.truncated);
  ++size_;
}

void PairWriter::finish() {
  source_.finish();
  target_.finish();
}

PairEncoder::PairEncoder(const text::Tokenizer& tokenizer, const PairDataConfig& config)
    : queue_(
          [&tokenizer, source_limit = config.max_source_tokens,
           target_limit = config.max_target_tokens](Item& item) {
            item.source = encode_limited(tokenizer, item.pair.source, source_limit);
            item.target = encode_limited(tokenizer, item.pair.target, target_limit);
            item.pair = {};
          },
          [source_minimum = static_cast<std::size_t>(config.min_source_tokens),
           target_minimum = static_cast<std::size_t>(config.min_target_tokens)](Item& item) {
            if (item.source.ids.size() < source_minimum ||
                item.target.ids.size() < target_minimum) {
              ++item.writer->dropped.too_short;
            } else {
              item.writer->add(item.source, item.target, item.number);
            }
          }) {}

void PairEncoder::add(TextPair pair, std::int32_t number, PairWriter& writer) {
  if (pair.empty()) {
    ++writer.dropped.empty;
    return;
  }
  const std::size_t bytes = pair.source.size() + pair.target.size();
  queue_.add({std::move(pair), number, &writer, {}, {}}, bytes);
}

}  // namespace fastformer::data
