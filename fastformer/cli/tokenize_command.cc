#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "fastformer/cli/commands.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/text/bert_tokenizer.h"
#include "fastformer/text/tokenizer.h"

namespace fastformer::cli {
namespace {

struct TokenizeFlags {
  std::filesystem::path model;
  std::string input = "-";
  bool ids = false;
};

std::unique_ptr<text::Tokenizer> tokenizer_of(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw std::invalid_argument(
        folder.string() +
        " is not a folder; give a model directory, with tokenizer.json or vocab.txt");
  }
  const auto model = folder / "model";
  if (!std::filesystem::exists(folder / "tokenizer.json") &&
      std::filesystem::exists(model / "tokenizer.json")) {
    throw std::invalid_argument(
        folder.string() +
        " is a run directory; give its model directory instead: " + model.string());
  }
  return text::is_bert_folder(folder) ? text::load_bert_tokenizer(folder)
                                      : text::load_tokenizer(folder);
}

void tokenize(const TokenizeFlags& flags) {
  const auto tokenizer = tokenizer_of(flags.model);
  data::LineStream lines(flags.input);
  std::vector<std::int32_t> ids;
  const char* space = "";
  const auto put = [&](const auto& token) {
    std::cout << space << token;
    space = " ";
  };
  for (std::string line; lines.next(line); std::cout << '\n') {
    space = "";
    ids.clear();
    if (flags.ids) {
      tokenizer->encode(line, ids);
      for (const auto id : ids) put(id);
    } else {
      for (const auto& token : tokenizer->tokens(line)) put(token);
    }
  }
  std::cout.flush();
}

}  // namespace

void add_tokenize_command(CLI::App& app) {
  const auto flags = std::make_shared<TokenizeFlags>();
  auto* command = app.add_subcommand("tokenize", "Print the tokens of each line of text");
  command
      ->add_option(
          "model", flags->model,
          "Model directory, or the folder of a BERT model with vocab.txt or tokenizer.json")
      ->required();
  command->add_option("input", flags->input, "Input file; -: standard input")
      ->capture_default_str();
  command->add_flag("--ids", flags->ids, "Print token ids instead of tokens");
  command->callback([flags] { tokenize(*flags); });
}

}  // namespace fastformer::cli
