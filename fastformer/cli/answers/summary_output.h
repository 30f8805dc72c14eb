#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/kernels/options.h"
#include "fastformer/summarization/data_config.h"

namespace fastformer::cli {

/// How `summarize --highlight` marks the chosen sentences in the document.
enum class Highlight : std::uint8_t { kNone, kTerminal, kHtml };

/// The options of `summarize` that shape its output. Those of the other kind of model are refused.
struct SummaryOptions {
  bool json = false, explain = false;
  bool stream = false;                           ///< abstractive
  std::optional<std::int64_t> sentences, words;  ///< extractive: limits of a summary
  std::optional<double> ratio;                   ///< the same, as a share of the document's words
  Highlight highlight = Highlight::kNone;        ///< extractive
  std::vector<std::string> set;                  ///< "search.beams=4", "selection.redundancy=mmr"
  Options compute;
};

/// Prints summaries of documents to the standard output as they come, in their order.
class SummaryOutput {
 public:
  virtual ~SummaryOutput() = default;

  virtual void add(std::string document) = 0;
  /// Prints what is left; call it once, at the end.
  virtual void finish() = 0;
  /// How the training files were read.
  virtual const summarization::DataConfig& data_config() const = 0;
  /// Sentences for the user about empty and truncated documents.
  virtual std::vector<std::string> notices() const = 0;
};

/// Loads a summarizer of either kind. `options` must outlive the result. Throws
/// std::invalid_argument for options that the kind does not have.
std::unique_ptr<SummaryOutput> open_summary_output(const std::filesystem::path& model,
                                                   const SummaryOptions& options);

}  // namespace fastformer::cli

namespace fastformer::base {
template <>
inline constexpr std::array kWords<cli::Highlight> = {"none", "terminal", "html"};
}  // namespace fastformer::base
