#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fastformer::metrics {

inline constexpr const char* kItemScoresFile = "test_items.csv";

/// The scores of a model on each item of the test part, for tasks whose scores are means over
/// items: the impressions of a recommender, the documents of a summarizer. Used to compare
/// systems.
///
///   ItemScores items{.metrics = {"auc", "mrr"}};
///   items.add(hash, {0.75, 0.5});
///   write_item_scores(folder / kItemScoresFile, items);
///
/// The file is CSV with one row per item, in the order of the test part:
///
///   item,auc,mrr
///   3f2a90c4d1e8b755,0.75,0.5
struct ItemScores {
  std::vector<std::string> metrics;  ///< [M]
  std::vector<std::uint64_t> items;  ///< [N], hashes of input and true answer
  std::vector<double> scores;        ///< [N, M]

  /// Adds an item. Throws std::invalid_argument unless there is one score per metric.
  void add(std::uint64_t item, const std::vector<double>& item_scores);

  /// The scores of one metric for all items, [N].
  std::vector<double> column(std::size_t metric) const;
};

/// Throws std::runtime_error if the file cannot be written.
void write_item_scores(const std::filesystem::path& path, const ItemScores& items);
/// Throws std::invalid_argument with file and line if the file is not valid.
ItemScores read_item_scores(const std::filesystem::path& path);

inline constexpr const char* kClassPredictionsFile = "test_predictions.csv";

/// The predictions of a model for the documents of the test part, in the order of that part.
/// Classes are numbered from 0 in the order of test.json. The file is CSV with one row per
/// document: the numbers of the classes and, if known, the row in the source file (from 1) and the
/// names:
///
///   label_number,predicted_number,row,label,predicted,probability
///   0,1,17,market,sport,0.8125
struct ClassPredictions {
  std::vector<std::int32_t> labels;     ///< [N]
  std::vector<std::int32_t> predicted;  ///< [N]
  std::vector<std::int64_t> rows = {};  ///< [N], from 1; empty: unknown, as the fields below
  std::vector<float> probability = {};  ///< [N], probability of the predicted class
  std::vector<std::string> names = {};  ///< names of the classes
};

/// Throws std::runtime_error if the file cannot be written.
void write_class_predictions(const std::filesystem::path& path,
                             const ClassPredictions& predictions);
/// Reads only the numbers of the classes. Throws std::invalid_argument with file and line if the
/// file is not valid.
ClassPredictions read_class_predictions(const std::filesystem::path& path);

}  // namespace fastformer::metrics
