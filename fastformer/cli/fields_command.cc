#include <cmath>
#include <iostream>
#include <sstream>

#include "fastformer/cli/commands.h"
#include "fastformer/train/recipe.h"

namespace fastformer::cli {
namespace {

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const std::string& value) { return "\"" + value + "\""; }
std::string text_of(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ", ") + text_of(value);
  return "[" + text + "]";
}
template <class Number>
std::string text_of(Number value) {
  std::ostringstream out;
  out.precision(15);
  out << value;
  return out.str();
}

std::string allowed(const base::Constraint& constraint) {
  std::string text;
  for (const auto& choice : constraint.choices) text += (text.empty() ? "" : ", ") + choice;
  if (!text.empty()) return text;
  if (std::isfinite(constraint.minimum) && std::isfinite(constraint.maximum)) {
    return text_of(constraint.minimum) + " to " + text_of(constraint.maximum);
  }
  return std::isfinite(constraint.minimum) ? "from " + text_of(constraint.minimum) : "";
}

template <class Config>
void print_section(const char* name, const Config& config) {
  std::cout << "\n## [" << name
            << "]\n\n| field | default | allowed | meaning |\n|---|---|---|---|\n";
  Config::visit_fields(config, [](const char* key, const auto& field, const char* help,
                                  const base::Constraint& constraint = {}) {
    std::cout << "| `" << key << "` | `" << text_of(field) << "` | " << allowed(constraint) << " | "
              << help << " |\n";
  });
}

template <class Config>
void print_section(const char* name) {
  const Config config;
  print_section(name, config);
}

}  // namespace

void add_fields_command(CLI::App& app) {
  auto* command = app.add_subcommand("fields", "Print every field of a recipe, as Markdown");
  command->callback([] {
    std::cout << "# The fields of a recipe\n\nWritten by `fastformer fields`. A recipe is a TOML "
                 "file; `--set section.field=value` overrides it.\n";
    print_section<train::TaskConfig>("task");
    print_section<text::TokenizerConfig>("text");
    print_section<train::TrainConfig>("train");
    std::cout << "\n# Classification\n";
    print_section<data::DataConfig>("data");
    print_section<tasks::ModelConfig>("model");
    std::cout << "\n# Recommendation\n";
    print_section<data::ClickDataConfig>("data");
    print_section("model", tasks::recommender_preset("fastformer"));
    std::cout << "\n# Summarization\n";
    print_section<data::PairDataConfig>("data");
    print_section<tasks::SummarizerConfig>("model");
    print_section<tasks::SearchConfig>("search");
  });
}

}  // namespace fastformer::cli
