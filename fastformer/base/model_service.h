#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fastformer::base {

/// A request to a model and its answer.
struct Exchange {
  std::string body;  ///< the request: JSON
  /// Receives pieces of the answer while it is made; false: nobody listens any more. Null: the
  /// request is not to be streamed.
  std::function<bool(std::string_view piece)> stream;

  std::string answer;   ///< JSON
  std::string refusal;  ///< one sentence, if the request was bad or too large; then no answer
  bool too_large = false;
  std::int64_t inputs = 0;  ///< number of texts or users
  std::int64_t tokens = 0;  ///< number of tokens read, where the model counts them
};

/// Limits of one request.
struct RequestLimits {
  std::size_t inputs = 1024;           ///< texts or users
  std::size_t text_bytes = 1'000'000;  ///< of one text, and of all that are to be explained
  std::size_t top = 1000;              ///< results per input
  std::size_t work = 1'000'000;        ///< results, reasons or steps of a search in all
};

/// A loaded model that answers requests in JSON: all that a server knows of a model. Immutable;
/// safe to share between threads.
class ModelService {
 public:
  virtual ~ModelService() = default;

  virtual std::string kind() const = 0;  ///< kind_of_model() of its directory: "classifier"
  virtual std::vector<std::string> operations() const = 0;  ///< such as "classify"
  /// What a client needs to know, such as the labels: the members of a JSON object.
  virtual std::string description() const = 0;
  /// Whether `operation` can stream its answer.
  virtual bool streams(std::string_view operation) const = 0;
  /// Whether requests for `operation` gain from being answered together, and take time in
  /// proportion to their length.
  virtual bool joins(std::string_view operation) const = 0;

  /// Answers requests for one of operations(). Fills answer or refusal of each. Throws
  /// std::runtime_error if a computation fails.
  virtual void answer(std::string_view operation, std::span<Exchange* const> exchanges,
                      const RequestLimits& limits) const = 0;
};

}  // namespace fastformer::base
