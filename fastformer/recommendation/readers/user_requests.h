#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/recommendation/recommender.h"

namespace fastformer::recommendation {

/// What a file of users is: `jsonl`, or MIND's behaviors.tsv, its folder or its zip archive;
/// `auto`: by the name.
enum class RequestFormat : std::uint8_t { kAuto, kJsonl, kMind };

/// Reads users to recommend items to, one after another:
///   jsonl   {"user": "U1", "history": ["N1", "N2"], "candidates": ["N3"]}; user and candidates are
///           optional, ids may be numbers
///   mind    the impressions of a behaviors.tsv; the shown items are the candidates, without their
///           labels, and an impression that shows none has no candidates
///
///   UserRequestReader reader("users.jsonl", RequestFormat::kAuto, recommender.data_config());
///   for (fastformer::UserRequest request; reader.next(request);) use(request);
class UserRequestReader {
 public:
  /// Throws std::invalid_argument for a file that cannot be read, or whose name does not tell the
  /// format.
  UserRequestReader(const std::string& input, RequestFormat format, const DataConfig& config);

  /// False at the end. Throws std::invalid_argument that names file and line for a record that
  /// cannot be read.
  bool next(UserRequest& request);
  /// The next requests, `count` at most; none at the end.
  std::vector<UserRequest> next_batch(std::size_t count);
  /// What people should know about the file so far; empty: nothing.
  std::string notice() const;

 private:
  bool next_object(UserRequest& request);
  bool next_impression(UserRequest& request);

  std::optional<data::JsonLines> objects_;
  std::optional<data::LineStream> impressions_;
  std::vector<std::string_view> cells_, words_;
  std::optional<bool> labelled_;  ///< whether shown items end in -0 or -1
  bool ended_ = false;
};

}  // namespace fastformer::recommendation

namespace fastformer::base {
template <>
inline constexpr std::array kWords<recommendation::RequestFormat> = {"auto", "jsonl", "mind"};
}  // namespace fastformer::base
