#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/linear/ngram_table.h"

namespace fastformer::linear {

/// How the n-grams of a text become numbers, and the loss to train with.
///   kTfidf: (1 + ln count) * idf, where the words and the characters of a text have length 1 each;
///           squared hinge loss (a linear SVM).
///   kNaiveBayes: 1 per n-gram, times its log-count ratio (Wang and Manning 2012, "Baselines and
///           Bigrams"); logistic loss.
enum class Weighting : std::uint8_t { kTfidf, kNaiveBayes };

}  // namespace fastformer::linear

namespace fastformer::base {
template <>
inline constexpr std::array kWords<linear::Weighting> = {"tfidf", "naive_bayes"};
}  // namespace fastformer::base

namespace fastformer::linear {

/// The settings that are selected for a member.
struct MemberConfig {
  Weighting weighting = Weighting::kTfidf;
  std::int64_t words = 2;          ///< longest sequence of words, in words
  bool characters = false;         ///< whether it uses sequences of characters
  std::int64_t minimum_texts = 2;  ///< it uses an n-gram that so many training texts have
  double c = 1;  ///< the inverse of the strength of the L2 penalty, as in LIBLINEAR

  void visit_fields(base::FieldVisitor& visit) {
    visit("weighting", weighting, "how n-grams become numbers");
    visit("words", words, "longest sequence of words",
          base::between(1, NgramConfig::kMaximumWords));
    visit("characters", characters, "whether sequences of characters are used");
    visit("minimum_texts", minimum_texts, "n-grams of fewer training texts are not used",
          base::at_least(1));
    visit("c", c, "inverse of the strength of the L2 penalty", base::at_least(0));
  }
  void validate() const {}
  bool uses(NgramKey key) const {
    return key.kind() == NgramKind::kCharacters ? characters : key.words() <= words;
  }
  /// "tfidf words 1-2 characters C 0.5"; "rare" after the characters if an n-gram of one text
  /// counts.
  std::string description() const;
};

/// Converts a finite number to the nearest bfloat16 (the upper half of a float), and back.
inline std::uint16_t to_bfloat16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
inline float from_bfloat16(std::uint16_t x) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16);
}

/// The features of a text: pairs of column and value, each column once.
using SparseRow = std::vector<std::pair<std::int32_t, float>>;

/// Turns the scores of one member into logits: sharpness * score + bias.
struct Calibration {
  double sharpness = 1;  ///< inverse temperature
  double bias = 0;       ///< 0 for classes that exclude each other
};

/// A linear classifier of n-grams, one-versus-rest:
///   score[c] = bias[c] + sum over the columns f of the text of value[f] * weights[f, c].
struct LinearMember {
  MemberConfig config;
  std::int64_t classes = 0;
  std::vector<float> scale;  ///< [columns] idf, or 1; 0: the member does not use the column
  std::vector<std::uint16_t> weights;  ///< [columns, classes] bfloat16
  std::vector<float> bias;             ///< [classes]

  double weight(std::int32_t column, std::int64_t c) const {
    return from_bfloat16(weights[static_cast<std::size_t>(column * classes + c)]);
  }
  /// Adds the scores of `row`, including the bias, to `scores` [classes].
  void add_scores(const SparseRow& row, std::span<double> scores) const;
};

/// The features of a text with these columns, which must be sorted. `is_word` [columns]: whether a
/// column is an n-gram of words.
SparseRow row_of(Weighting weighting, std::span<const float> scale,
                 const std::vector<bool>& is_word, std::span<const std::int32_t> sorted_columns);

}  // namespace fastformer::linear
