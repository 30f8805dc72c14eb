// The C interface (fastformer.h) for C++: objects that free themselves, and exceptions.
#ifndef FASTFORMER_HPP
#define FASTFORMER_HPP

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer.h"

namespace fastformer::c {

/// What fastformer_last_error() says.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A trained text classifier. Immutable; safe to share between threads. All functions throw Error.
///
///   const fastformer::c::Classifier classifier("runs/ag_news/model");
///   std::cout << classifier.classify("Oil prices fall again") << '\n';
class Classifier {
 public:
  explicit Classifier(const std::string& directory, std::int32_t threads = 0) {
    fastformer_options options;
    fastformer_options_init(&options);
    options.threads = threads;
    handle_.reset(fastformer_classifier_load(directory.c_str(), &options));
    if (!handle_) throw Error(fastformer_last_error());
    const auto count = fastformer_classifier_label_count(handle_.get());
    for (std::size_t i = 0; i < count; ++i) {
      labels_.emplace_back(fastformer_classifier_label(handle_.get(), i));
    }
  }

  /// In the order of probabilities.
  const std::vector<std::string>& labels() const { return labels_; }

  /// The most probable label.
  const std::string& classify(std::string_view text) const {
    const auto probabilities = this->probabilities(std::span(&text, 1));
    std::size_t best = 0;
    for (std::size_t i = 1; i < labels_.size(); ++i) {
      if (probabilities[i] > probabilities[best]) best = i;
    }
    return labels_[best];
  }

  /// [texts, labels], row by row.
  std::vector<double> probabilities(std::span<const std::string_view> texts) const {
    const auto rows = rows_of(texts);
    std::vector<double> result(texts.size() * labels_.size());
    check(fastformer_classify(handle_.get(), rows.data(), rows.size(), result.data(), nullptr));
    return result;
  }

  /// [texts, width()], row by row.
  std::vector<float> embed(std::span<const std::string_view> texts) const {
    const auto rows = rows_of(texts);
    std::vector<float> result(texts.size() * width());
    check(fastformer_embed(handle_.get(), rows.data(), rows.size(), result.data()));
    return result;
  }
  std::size_t width() const { return fastformer_classifier_width(handle_.get()); }

  /// See fastformer_explain().
  std::string explain(std::string_view text) const {
    char* json = nullptr;
    check(fastformer_explain(handle_.get(), {text.data(), text.size()}, &json));
    const std::unique_ptr<char, void (*)(char*)> owned(json, fastformer_string_free);
    return json;
  }

 private:
  struct Free {
    void operator()(fastformer_classifier* handle) const { fastformer_classifier_free(handle); }
  };
  static void check(int code) {
    if (code != FASTFORMER_OK) throw Error(fastformer_last_error());
  }
  static std::vector<fastformer_text> rows_of(std::span<const std::string_view> texts) {
    std::vector<fastformer_text> rows;
    for (const auto& text : texts) rows.push_back({text.data(), text.size()});
    return rows;
  }

  std::unique_ptr<fastformer_classifier, Free> handle_;
  std::vector<std::string> labels_;
};

}  // namespace fastformer::c

#endif
