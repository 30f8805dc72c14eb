#include "fastformer/linear/linear_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "fastformer/linear/selection.h"

namespace fastformer::linear {

namespace {

// Ratios for one class against the rest say little where the rest is many classes, and each class
// needs a problem of its own.
constexpr std::int64_t kMaximumNaiveBayesClasses = 10;

// In ascending order, by a radix sort: the columns of a text are hundreds of small numbers.
std::vector<std::int32_t> radix_sorted(std::span<const std::int32_t> columns, std::int64_t size) {
  constexpr std::size_t kFew = 64, kMostDigitBits = 10;
  std::vector<std::int32_t> from(columns.begin(), columns.end());
  if (from.size() < kFew) {
    std::sort(from.begin(), from.end());
    return from;
  }
  std::vector<std::int32_t> to(from.size());
  const auto bits = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(size)));
  const auto digits = (bits + kMostDigitBits - 1) / kMostDigitBits;
  const auto digit_bits = (bits + digits - 1) / digits;
  const auto values = std::size_t{1} << digit_bits;
  for (std::size_t shift = 0; shift < bits; shift += digit_bits) {
    std::array<std::uint32_t, std::size_t{1} << kMostDigitBits> begins = {};
    const auto digit = [&](std::int32_t column) {
      return (static_cast<std::size_t>(column) >> shift) & (values - 1);
    };
    for (const auto column : from) ++begins[digit(column)];
    const auto end = begins.begin() + static_cast<std::ptrdiff_t>(values);
    std::exclusive_scan(begins.begin(), end, begins.begin(), 0U);
    for (const auto column : from) to[begins[digit(column)]++] = column;
    from.swap(to);
  }
  return from;
}

}  // namespace

LinearModel::LinearModel(NgramTable table, std::vector<LinearMember> members,
                         std::vector<Calibration> calibrations)
    : table_(std::move(table)),
      members_(std::move(members)),
      calibrations_(std::move(calibrations)),
      is_word_(word_columns(table_)) {}

LinearModel LinearModel::fit(const LabelledRows& train, const LabelledRows& validation,
                             NgramTable table, const LinearConfig& config) {
  const auto all = all_rows(train.size());
  const auto classes = all_classes(train.targets.classes);
  std::vector<LinearMember> members;
  std::vector<Calibration> calibrations;
  for (const auto& name : config.members) {
    const auto weighting = base::parse_word<Weighting>(name, "linear.members");
    if (weighting == Weighting::kNaiveBayes && train.targets.classes > kMaximumNaiveBayesClasses)
      continue;
    const auto chosen = choose(train, validation, table, weighting, config);
    members.push_back(linear::fit(train, all, classes, table, chosen.config));
    calibrations.push_back(chosen.calibration);
  }
  return LinearModel(std::move(table), std::move(members), std::move(calibrations));
}

LinearModel LinearModel::refitted(const LabelledRows& rows) const {
  std::vector<LinearMember> members;
  for (const auto& member : members_) {
    members.push_back(linear::fit(rows, all_rows(rows.size()), all_classes(rows.targets.classes),
                                  table_, member.config));
  }
  return LinearModel(table_, std::move(members), calibrations_);
}

LinearModel LinearModel::with_columns(std::span<const std::int64_t> columns) const {
  std::vector<std::uint64_t> keys;
  NgramConfig config{.words = 1, .characters = 0};
  for (const auto column : columns) {
    const auto key = table_.key(static_cast<std::int32_t>(column));
    keys.push_back(key.value());
    config.words = std::max(config.words, key.words());
    if (key.kind() == NgramKind::kCharacters) config.characters = table_.config().characters;
  }
  std::vector<LinearMember> members;
  for (const auto& member : members_) {
    const auto classes = static_cast<std::size_t>(member.classes);
    auto& kept = members.emplace_back(LinearMember{.config = member.config,
                                                   .classes = member.classes,
                                                   .scale = {},
                                                   .weights = {},
                                                   .bias = member.bias});
    for (const auto column : columns) {
      const auto row = static_cast<std::size_t>(column);
      kept.scale.push_back(member.scale[row]);
      const auto weights = std::span(member.weights).subspan(row * classes, classes);
      kept.weights.insert(kept.weights.end(), weights.begin(), weights.end());
    }
  }
  return LinearModel(NgramTable(config, table_.text_config(), std::move(keys)), std::move(members),
                     calibrations_);
}

LinearModel LinearModel::without_unused() const {
  std::vector<std::int64_t> used;
  for (std::int64_t column = 0; column < table_.size(); ++column) {
    const bool counts = std::ranges::any_of(members_, [&](const LinearMember& member) {
      return member.scale[static_cast<std::size_t>(column)] != 0;
    });
    if (counts) used.push_back(column);
  }
  return with_columns(used);
}

SparseRow LinearModel::row(std::size_t member, std::span<const std::int32_t> sorted) const {
  return row_of(members_[member].config.weighting, members_[member].scale, is_word_, sorted);
}

std::vector<std::vector<double>> LinearModel::scores(std::span<const std::int32_t> columns) const {
  const auto ascending = radix_sorted(columns, table_.size());
  std::vector<std::vector<double>> scores;
  for (std::size_t k = 0; k < members_.size(); ++k) {
    auto& own = scores.emplace_back(static_cast<std::size_t>(members_[k].classes));
    members_[k].add_scores(row(k, ascending), own);
  }
  return scores;
}

std::vector<std::pair<std::string, double>> LinearModel::contributions(std::string_view text,
                                                                       std::int64_t label,
                                                                       const Pool& pool,
                                                                       Baseline baseline) const {
  const auto spellings = table_.spellings(text);
  std::vector<std::int32_t> columns;
  table_.encode(text, columns);
  const auto ascending = radix_sorted(columns, table_.size());
  std::unordered_map<std::int32_t, double> sums;
  for (std::size_t k = 0; k < members_.size(); ++k) {
    const auto& member = members_[k];
    for (const auto& [column, value] : row(k, ascending)) {
      double weight = member.weight(column, label);
      for (std::int64_t c = 0; baseline == Baseline::kMeanOfClasses && c < member.classes; ++c) {
        weight -= member.weight(column, c) / static_cast<double>(member.classes);
      }
      sums[column] += pool.coefficients[k + 1] * value * weight;
    }
  }
  std::vector<std::pair<std::string, double>> result;
  for (const auto& [column, spelling] : spellings) {
    const auto sum = sums.find(column);
    if (sum != sums.end() && sum->second != 0) result.emplace_back(spelling, sum->second);
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return std::abs(a.second) > std::abs(b.second);
  });
  return result;
}

}  // namespace fastformer::linear
