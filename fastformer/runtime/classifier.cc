#include "fastformer/runtime/classifier.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <variant>

#include "fastformer/base/model_directory.h"
#include "fastformer/base/out_of_memory.h"
#include "fastformer/base/printable.h"
#include "fastformer/kernels/parallel.h"
#include "fastformer/runtime/additive_network.h"

namespace fastformer::runtime {
namespace {

// Sequences of numbers, one after another.
struct Ragged {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets = {0};

  void close() { offsets.push_back(std::ssize(ids)); }
  std::int64_t size() const { return std::ssize(offsets) - 1; }
  void append(const Ragged& other) {
    const auto before = std::ssize(ids);
    ids.insert(ids.end(), other.ids.begin(), other.ids.end());
    for (std::size_t i = 1; i < other.offsets.size(); ++i) {
      offsets.push_back(before + other.offsets[i]);
    }
  }
};

}  // namespace

// Consecutive texts as token ids, and their scores by the linear members.
struct Classifier::Batch {
  Ragged tokens;
  std::vector<double> scores;

  TokenRows rows() const { return {tokens.ids, tokens.offsets}; }
  std::span<double> scores_of(std::int64_t text, std::size_t count) {
    return std::span(scores).subspan(static_cast<std::size_t>(text) * count, count);
  }
  std::span<const double> scores_of(std::int64_t text, std::size_t count) const {
    return std::span(scores).subspan(static_cast<std::size_t>(text) * count, count);
  }
  std::string description() const {
    return "a batch of " + std::to_string(tokens.size()) + " texts and " +
           std::to_string(tokens.ids.size()) + " tokens";
  }
};

Classifier::Classifier(ClassifierFrame frame, std::unique_ptr<const Network> network,
                       const Options& options)
    : frame_(std::move(frame)), network_(std::move(network)), options_(options) {
  if (options.max_batch_tokens < 1) {
    throw std::invalid_argument("max_batch_tokens is " + std::to_string(options.max_batch_tokens) +
                                "; expected at least 1");
  }
  const kernels::ComputeScope check(options.precision, options.threads);  // throws
}

Classifier Classifier::load(const std::filesystem::path& directory, const Options& options) {
  const auto refuse = [](const std::string& mixer) {
    throw std::invalid_argument("model.mixer.name is '" + base::excerpt(mixer) +
                                "', but the runtime supports only 'additive'; use the program "
                                "fastformer");
  };
  auto loaded = ClassifierDirectory::load(directory, [&](const base::ConfigTree& tree) {
    const auto* mixer = tree.find("model.mixer", "name");
    const auto* name = mixer == nullptr ? nullptr : std::get_if<std::string>(&mixer->value);
    if (name != nullptr && *name != "additive") refuse(*name);
  });
  if (loaded.config.pretrained) {
    throw std::invalid_argument(directory.string() +
                                " has a pre-trained encoder, which the runtime does not support; "
                                "use the program fastformer");
  }
  if (!AdditiveNetwork::serves(loaded.config)) refuse(loaded.config.text.encoder.mixer.name());
  auto& frame = loaded.frame;
  auto network = std::make_unique<AdditiveNetwork>(
      loaded.config, frame.tokenizer->vocabulary_size(), std::ssize(frame.labels),
      directory / base::kWeightsFile, options.precision);
  return Classifier(std::move(frame), std::move(network), options);
}

// Threads tokenize texts and score them with the linear members, a piece at a time; then `use` gets
// the batch. Its size follows the bytes of the texts, since their tokens are not known before.
template <class Text>
void Classifier::for_each_batch(std::span<const Text> texts, bool with_scores,
                                const std::function<void(const Batch&)>& use) const {
  constexpr std::int64_t kBytesPerToken = 4, kScoresPerToken = 32, kPiecesPerThread = 4;
  const auto limit = frame_.token_limit();
  const auto score_count = with_scores ? frame_.linear_score_count() : 0;
  const auto fixed_cost = 1 + static_cast<std::int64_t>(score_count) / kScoresPerToken;
  const kernels::ComputeScope scope(options_.precision, options_.threads);
  const auto total = std::ssize(texts);
  for (std::int64_t first = 0, last = 0; first < total; first = last) {
    for (std::int64_t cost = 0; last < total && cost < options_.max_batch_tokens; ++last) {
      cost += fixed_cost +
              static_cast<std::int64_t>(std::min(limit, texts[last].size() / kBytesPerToken));
    }
    Batch batch;
    const auto read = [&] {
      const auto count = std::min(
          last - first, std::max<std::int64_t>(kPiecesPerThread * kernels::thread_count(), 1));
      std::vector<Ragged> pieces(count);
      batch.scores.resize(static_cast<std::size_t>(last - first) * score_count);
      kernels::share_items(count, [&](std::int64_t piece) {
        const auto end = first + (last - first) * (piece + 1) / count;
        for (auto i = first + (last - first) * piece / count; i < end; ++i) {
          frame_.tokenizer->encode(texts[i], pieces[piece].ids, limit);
          pieces[piece].close();
          if (score_count > 0) frame_.score(texts[i], batch.scores_of(i - first, score_count));
        }
      });
      batch.tokens = std::move(pieces.front());
      for (std::int64_t piece = 1; piece < count; ++piece) batch.tokens.append(pieces[piece]);
    };
    base::naming_memory([&] { return "a batch of " + std::to_string(last - first) + " texts"; },
                        read);
    base::naming_memory([&] { return batch.description(); }, [&] { use(batch); });
  }
}

template <class Text>
std::vector<Prediction> Classifier::classify_all(std::span<const Text> texts,
                                                 std::int64_t* tokens) const {
  std::vector<Prediction> result(texts.size());
  std::int64_t done = 0;
  const auto score_count = frame_.linear_score_count();
  for_each_batch(texts, /*with_scores=*/true, [&](const Batch& batch) {
    const auto logits = network_->logits(batch.rows(), options_, nullptr);
    const auto classes = std::ssize(frame_.labels);
    constexpr std::int64_t kGrain = 16;
    kernels::parallel_for(0, batch.tokens.size(), kGrain, [&](auto begin, auto end) {
      for (auto i = begin; i < end; ++i) {
        result[done + i] = frame_.predict(std::span(logits).subspan(i * classes, classes),
                                          batch.scores_of(i, score_count));
      }
    });
    done += batch.tokens.size();
    if (tokens != nullptr) *tokens += std::ssize(batch.tokens.ids);
  });
  return result;
}

Prediction Classifier::classify(std::string_view text) const {
  const std::array texts = {text};
  return classify(std::span<const std::string_view>(texts)).front();
}

std::vector<Prediction> Classifier::classify(std::span<const std::string> texts) const {
  return classify_all(texts, nullptr);
}

std::vector<Prediction> Classifier::classify(std::span<const std::string_view> texts,
                                             std::int64_t* tokens) const {
  return classify_all(texts, tokens);
}

Explanation Classifier::explain(std::string_view text) const {
  Explanation result;
  const std::array texts = {text};
  for_each_batch<std::string_view>(texts, /*with_scores=*/true, [&](const Batch& batch) {
    NetworkTrace trace;
    const auto logits = network_->logits(batch.rows(), options_, &trace);
    result.prediction = frame_.predict(logits, batch.scores);
    result.pooling_weights = std::move(trace.pooling_weights);
    for (auto& layer : trace.layers) {
      result.layers.push_back({std::move(layer.query_weights), std::move(layer.key_weights)});
    }
  });
  result.ngrams = ngrams(text, top(result.prediction, 1).front().first);
  result.tokens = frame_.tokenizer->tokens(text, frame_.token_limit());
  return result;
}

template <class Text>
Vectors Classifier::embed_all(std::span<const Text> texts, std::int64_t* tokens) const {
  Vectors vectors{.width = static_cast<std::size_t>(network_->width()), .values = {}};
  for_each_batch(texts, /*with_scores=*/false, [&](const Batch& batch) {
    const auto rows = network_->vectors(batch.rows(), options_);
    vectors.values.insert(vectors.values.end(), rows.begin(), rows.end());
    if (tokens != nullptr) *tokens += std::ssize(batch.tokens.ids);
  });
  return vectors;
}

Vectors Classifier::embed(std::span<const std::string> texts) const {
  return embed_all(texts, nullptr);
}

Vectors Classifier::embed(std::span<const std::string_view> texts, std::int64_t* tokens) const {
  return embed_all(texts, tokens);
}

}  // namespace fastformer::runtime
