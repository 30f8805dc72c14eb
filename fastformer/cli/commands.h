#pragma once

#include <CLI/CLI.hpp>

namespace fastformer::cli {

/// Each adds one subcommand to the program; parsing runs it. A command throws what the modules
/// throw.
void add_train_command(CLI::App& app);
void add_autotune_command(CLI::App& app);
void add_experiment_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_embed_command(CLI::App& app);
void add_neighbors_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_tokenize_command(CLI::App& app);
void add_efficiency_command(CLI::App& app);
void add_quantize_command(CLI::App& app);
void add_convert_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_recommend_command(CLI::App& app);
void add_summarize_command(CLI::App& app);
void add_rouge_command(CLI::App& app);
void add_serve_command(CLI::App& app);
void add_fields_command(CLI::App& app);
void add_completions_command(CLI::App& app);

/// Thrown when a run was stopped by a signal after it had saved its state.
struct Stopped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace fastformer::cli
