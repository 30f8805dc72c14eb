#include "fastformer/runtime/classifier_frame.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <variant>

#include "fastformer/base/finite.h"
#include "fastformer/base/format.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/base/printable.h"
#include "fastformer/model/label_thresholds.h"

namespace fastformer::runtime {
namespace {

Prediction class_of(const ClassifierFrame& frame, std::span<double> logits) {
  const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
  linear::softmax(logits);
  const auto& label = frame.labels[static_cast<std::size_t>(best)];
  return {label, {logits.begin(), logits.end()}, {label}};
}

Prediction labels_of(const ClassifierFrame& frame, std::span<const double> logits) {
  Prediction prediction;
  for (const double logit : logits) prediction.probabilities.push_back(linear::sigmoid(logit));
  auto above = model::labels_above(prediction.probabilities, frame.thresholds);
  std::stable_sort(above.begin(), above.end(), [&](auto a, auto b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  for (const auto label : above) {
    prediction.labels.push_back(frame.labels[static_cast<std::size_t>(label)]);
  }
  if (!prediction.labels.empty()) prediction.label = prediction.labels.front();
  return prediction;
}

// Without its section the shape of the encoder would be that of a folder of the same name.
void check_pretrained(const base::ConfigTree& tree) {
  const auto* folder = tree.find("model", "pretrained");
  const auto* name = folder == nullptr ? nullptr : std::get_if<std::string>(&folder->value);
  if (name == nullptr || name->empty() || tree.contains("pretrained")) return;
  throw std::invalid_argument(
      "names a pre-trained encoder, but has no section [pretrained]; copy the whole model "
      "directory");
}

}  // namespace

std::size_t ClassifierFrame::token_limit() const {
  return max_tokens == 0 ? text::Tokenizer::kNoLimit : static_cast<std::size_t>(max_tokens);
}

std::size_t ClassifierFrame::linear_score_count() const {
  return linear ? linear->model->members().size() * labels.size() : 0;
}

void ClassifierFrame::score(std::string_view text, std::span<double> scores) const {
  if (!linear) return;
  std::vector<std::int32_t> columns;
  linear->model->table().encode(text, columns);
  auto to = scores.begin();
  for (const auto& member : linear->model->scores(columns)) {
    to = std::copy(member.begin(), member.end(), to);
  }
}

Prediction ClassifierFrame::predict(std::span<const double> network,
                                    std::span<const double> scores) const {
  if (scores.size() != linear_score_count()) {
    throw std::logic_error("expected " + std::to_string(linear_score_count()) +
                           " scores of linear members, got " + std::to_string(scores.size()));
  }
  std::vector<double> logits(network.begin(), network.end());
  if (linear) {
    linear::MemberScores members = {std::move(logits)};
    for (std::size_t first = 0; first < scores.size(); first += labels.size()) {
      const auto own = scores.subspan(first, labels.size());
      members.emplace_back(own.begin(), own.end());
    }
    logits = linear->pool.logits(members);
  }
  if (!base::all_finite(logits)) {
    throw std::runtime_error("a logit is not a number; the model has diverged: train it again");
  }
  return several_labels() ? labels_of(*this, logits) : class_of(*this, logits);
}

std::vector<std::pair<std::string, double>> ClassifierFrame::top(const Prediction& prediction,
                                                                 std::size_t k) const {
  std::vector<std::size_t> order(prediction.probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto count = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](auto a, auto b) {
                      const auto &p = prediction.probabilities[a], &q = prediction.probabilities[b];
                      return p != q ? p > q : a < b;
                    });
  std::vector<std::pair<std::string, double>> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.emplace_back(labels[order[i]], prediction.probabilities[order[i]]);
  }
  return result;
}

std::vector<std::pair<std::string, double>> ClassifierFrame::ngrams(std::string_view text,
                                                                    std::string_view label) const {
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) {
    throw std::invalid_argument("the model has no label '" + base::excerpt(label) + "'" +
                                base::suggestion(label, labels));
  }
  if (!linear) return {};
  return linear->model->contributions(
      text, found - labels.begin(), linear->pool,
      several_labels() ? linear::Baseline::kZero : linear::Baseline::kMeanOfClasses);
}

ClassifierDirectory ClassifierDirectory::load(
    const std::filesystem::path& directory,
    const std::function<void(const base::ConfigTree&)>& read) {
  ClassifierDirectory loaded;
  model::ClassifierLabels section;
  base::read_model_config(directory, model::kClassifierKind,
                          {"classifier", "model", "data", "pretrained"},
                          [&](const base::ConfigTree& tree) {
                            read(tree);
                            tree.read_section("classifier", section);
                            check_pretrained(tree);
                            loaded.config = model::ClassifierConfig::read(tree);
                          });
  auto& frame = loaded.frame;
  frame.labels = std::move(section.labels);
  frame.max_tokens = loaded.config.text.token_limit(section.max_tokens);
  frame.tokenizer = text::load_tokenizer(directory);
  if (section.multi_label) {
    frame.thresholds = model::load_thresholds(directory / model::kThresholdsFile, frame.labels);
  }
  const auto linear_file = directory / linear::kLinearFile;
  if (std::filesystem::exists(linear_file)) {
    frame.linear = linear::LinearPart::load(linear_file, std::ssize(frame.labels));
  } else if (section.linear_members) {
    throw std::invalid_argument(directory.string() + ": lacks " + linear::kLinearFile +
                                ", which belongs to the model; copy the whole model directory");
  }
  return loaded;
}

}  // namespace fastformer::runtime
