#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/data/line_stream.h"
#include "fastformer/data/reader.h"

namespace fastformer::data {

/// The news.tsv of MIND (Wu et al. 2020), or the folder that holds it: id, category, subcategory,
/// title, abstract, url, title entities, abstract entities and, where someone has added it, body;
/// separated by tabs, without quoting. The label is the category, the text title and abstract (and
/// body with mind_body), the group the id.
class MindReader final : public Reader {
 public:
  MindReader(const DataConfig& config, const std::filesystem::path& path);
  bool next(Example& example) override;

 private:
  bool body_;
  std::string separator_;
  LineStream lines_;
  std::string line_;
  std::vector<std::string_view> cells_;
};

}  // namespace fastformer::data
