#include "fastformer/tasks/summarizer_directory.h"

#include "fastformer/tasks/model_files.h"

namespace fastformer::tasks {

void save_summarizer(const std::filesystem::path& directory,
                     const data::PairDataConfig& data_config, const SearchConfig& search,
                     const text::Tokenizer& tokenizer, const Summarizer& model,
                     const std::string& card) {
  base::ConfigTree tree;
  tree.write_section("summarizer", ModelFormat{});
  tree.write_section("model", model.config());
  tree.write_section("search", search);
  tree.write_section("data", data_config);
  write_model_files(directory, tree, model.parameters(), tokenizer, card);
}

SummarizerDirectory load_summarizer(const std::filesystem::path& directory) {
  SummarizerDirectory result;
  SummarizerConfig config;
  read_model_files(directory, "summarizer", [&](const base::ConfigTree& tree) {
    ModelFormat format;
    tree.read_section("summarizer", format);
    tree.check_sections({"summarizer", "model", "search", "data"});
    config = read_summarizer_config(tree);
    tree.read_section("search", result.search);
    tree.read_section("data", result.data_config);
  });
  result.tokenizer = text::load_tokenizer(directory);
  result.model = std::make_unique<Summarizer>(config, vocabulary_of(*result.tokenizer), /*seed=*/0);
  load_weights(directory, result.model->parameters());
  return result;
}

}  // namespace fastformer::tasks
