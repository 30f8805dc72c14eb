#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "fastformer/classification/data_config.h"
#include "fastformer/classification/readers/formats.h"
#include "fastformer/data/bad_row.h"
#include "fastformer/data/line_stream.h"

namespace fastformer::classification {
namespace {

constexpr std::string_view kPrefix = "__label__";
constexpr std::string_view kBlank = " \t";

// Takes the label at the head of `line` off; empty where there is none.
std::string_view take_label(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  if (!line.starts_with(kPrefix)) return {};
  const auto word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word.substr(kPrefix.size());
}

class FasttextReader final : public Reader {
 public:
  FasttextReader(const DataConfig& config, const std::filesystem::path& file)
      : several_labels_(config.several_labels()), lines_(file, config.encoding) {}

  bool next(Example& example) override {
    do {
      if (!lines_.next(line_)) return false;
    } while (line_.find_first_not_of(kBlank) == std::string::npos);
    example.where = lines_.where();
    example.group.clear();
    std::string_view rest = line_;
    example.label = take_label(rest);
    for (auto next = take_label(rest); !next.empty(); next = take_label(rest)) {
      if (!several_labels_) {
        throw data::BadRow(example.where + ": has the labels '" + example.label + "' and '" +
                           std::string(next) +
                           "'; set data.multi_label = true if documents have several labels");
      }
      example.labels.emplace_back(next);
    }
    example.text = rest;
    return true;
  }

  std::vector<std::string> notices() const override {
    const auto notice = lines_.notice();
    return notice.empty() ? std::vector<std::string>() : std::vector{notice};
  }

 private:
  bool several_labels_;
  data::LineStream lines_;
  std::string line_;
};

}  // namespace

std::unique_ptr<Reader> open_fasttext(const DataConfig& config, const std::filesystem::path& file) {
  return std::make_unique<FasttextReader>(config, file);
}

}  // namespace fastformer::classification
