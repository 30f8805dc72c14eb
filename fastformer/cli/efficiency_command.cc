#include <iostream>
#include <memory>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/model/encoder_config.h"
#include "fastformer/nn/mixers/mixer.h"
#include "fastformer/study/efficiency_results.h"
#include "fastformer/train/stop_signal.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {
namespace {

struct EfficiencyFlags {
  std::filesystem::path output = "runs/efficiency";
  study::EfficiencyOptions options;
  std::vector<std::string> mixers, set;
};

// --set names a section [model], which all mixers share, or that of one mixer.
void read_fields(const EfficiencyFlags& flags, study::EfficiencyOptions& options) {
  const auto known = model::mixer_names();
  auto sections = known;
  sections.emplace_back("model");
  const auto tree = base::ConfigTree::from_assignments(flags.set, sections);
  if (tree.contains("model.mixer") || tree.contains("model", "mixer")) {
    throw std::invalid_argument(
        "--set: model.mixer is not used here; choose mixers with --mixers and set the fields of a "
        "mixer in its own section, such as sliding_window.window=64");
  }
  tree.read_section("model", options.encoder);
  for (const auto& name : flags.mixers.empty() ? known : flags.mixers) {
    model::MixerConfig mixer(name);
    tree.read_section(name, mixer);
    options.mixers.push_back(std::move(mixer));
  }
}

void measure(EfficiencyFlags flags) {
  read_fields(flags, flags.options);
  base::create_folder(flags.output);
  const auto csv = flags.output / "efficiency.csv", table = flags.output / "efficiency.md";
  auto cells = study::read_efficiency(csv);
  const train::StopSignal stop;
  const auto stopped = [&] { return stop.requested(); };
  study::measure_efficiency(flags.options, cells, stopped, [&](const study::EfficiencyCell& cell) {
    cells.push_back(cell);
    study::write_efficiency(csv, cells);
    std::cerr << cell.mixer << ' ' << cell.pass << " n = " << cell.length << ": "
              << (cell.measured() ? study::digits(cell.milliseconds) + " ms per layer" +
                                        (cell.measured_once() ? ", one pass" : "")
                                  : cell.status)
              << std::endl;
  });
  base::write_file_atomically(table, study::efficiency_markdown(cells));
  if (stop.requested()) {
    throw Stopped("stopped; run the same command again to resume: " + csv.string());
  }
  std::cout << study::efficiency_markdown(cells) << "table " << table.string() << "\ncells "
            << csv.string() << '\n';
}

}  // namespace

void add_efficiency_command(CLI::App& app) {
  const auto flags = std::make_shared<EfficiencyFlags>();
  auto& options = flags->options;
  auto* command = app.add_subcommand(
      "efficiency", "Measure time and memory of the mixers for a range of text lengths");
  command
      ->add_option("--output", flags->output,
                   "Folder for the results; the same command resumes a stopped run")
      ->capture_default_str();
  command->add_option("--mixers", flags->mixers, "Mixers to measure; default: all")->delimiter(',');
  command->add_option("--lengths", options.lengths, "Sequence lengths, in tokens")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--passes", options.passes, "Passes to measure: inference, training")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--tokens", options.tokens, "Tokens per batch, the same for all lengths")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_compute_options(*command, options.compute);
  command
      ->add_option("--rounds", options.rounds,
                   "Timed passes per cell, that is, per mixer, length and pass")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--budget", options.budget_seconds,
                   "Time limit per cell, in seconds; cells that would take longer are skipped")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--set", flags->set,
                   "Override a field of the layers or of a mixer, such as\nmodel.width=64 or "
                   "sliding_window.window=256")
      ->type_name("KEY=VALUE");
  command->callback([flags] { measure(*flags); });
}

}  // namespace fastformer::cli
