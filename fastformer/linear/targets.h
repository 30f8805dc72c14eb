#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace fastformer::linear {

/// The labels of texts: one class each, or any number of labels that do not exclude each other.
struct Targets {
  std::int64_t classes = 0;
  bool several = false;                     ///< each label is decided on its own
  std::vector<std::int32_t> ids = {};       ///< of all texts, those of a text ascending
  std::vector<std::int64_t> offsets = {0};  ///< [texts + 1]

  /// One class for each text.
  static Targets of_classes(std::vector<std::int32_t> labels, std::int64_t classes) {
    Targets targets{.classes = classes};
    for (std::size_t i = 1; i <= labels.size(); ++i) {
      targets.offsets.push_back(static_cast<std::int64_t>(i));
    }
    targets.ids = std::move(labels);
    return targets;
  }

  std::int64_t size() const { return std::ssize(offsets) - 1; }
  std::span<const std::int32_t> of(std::int64_t text) const {
    const auto begin = offsets[static_cast<std::size_t>(text)];
    const auto end = offsets[static_cast<std::size_t>(text) + 1];
    return std::span(ids).subspan(static_cast<std::size_t>(begin),
                                  static_cast<std::size_t>(end - begin));
  }
  void add(std::span<const std::int32_t> labels) {
    ids.insert(ids.end(), labels.begin(), labels.end());
    offsets.push_back(std::ssize(ids));
  }
};

}  // namespace fastformer::linear
