#include <iostream>
#include <memory>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/config_tree.h"
#include "fastformer/cli/commands.h"
#include "fastformer/nn/mixer.h"
#include "fastformer/train/efficiency_results.h"
#include "fastformer/train/stop_signal.h"

namespace fastformer::cli {
namespace {

struct EfficiencyFlags {
  std::filesystem::path output = "runs/efficiency";
  train::EfficiencyOptions options;
  std::vector<std::string> set;
};

void measure(EfficiencyFlags flags) {
  base::ConfigTree tree;
  for (const auto& assignment : flags.set) tree.set(assignment);
  tree.check_sections({"model"});
  tree.read_section("model", flags.options.encoder);

  if (flags.options.mixers.empty()) flags.options.mixers = nn::mixer_names();
  base::create_folder(flags.output);
  const auto csv = flags.output / "efficiency.csv", table = flags.output / "efficiency.md";
  auto cells = train::read_efficiency(csv);
  const train::StopSignal stop;
  train::measure_efficiency(flags.options, cells, stop, [&](const train::EfficiencyCell& cell) {
    cells.push_back(cell);
    train::write_efficiency(csv, cells);
    std::cerr << cell.mixer << ' ' << cell.pass << " n = " << cell.length << ": "
              << (cell.measured() ? std::to_string(cell.milliseconds) + " ms a layer" : cell.status)
              << std::endl;
  });
  base::write_file_atomically(table, train::efficiency_markdown(cells));
  if (stop.requested()) {
    throw Stopped("stopped; the same command goes on where it was: " + csv.string());
  }
  std::cout << train::efficiency_markdown(cells) << "table " << table.string() << "\ncells "
            << csv.string() << '\n';
}

}  // namespace

void add_efficiency_command(CLI::App& app) {
  const auto flags = std::make_shared<EfficiencyFlags>();
  auto& options = flags->options;
  auto* command = app.add_subcommand(
      "efficiency", "Measure time and memory of the mixers at growing lengths of text");
  command->add_option("--output", flags->output, "Folder of the results; a second call goes on")
      ->capture_default_str();
  command->add_option("--mixers", options.mixers, "By default all")->delimiter(',');
  command->add_option("--lengths", options.lengths, "Tokens of a sequence")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--passes", options.passes, "inference, training")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--tokens", options.tokens, "Of a batch, whatever the length")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--precision", options.precision, "Of the numbers that enter products")
      ->check(CLI::IsMember({"fp32", "bf16", "auto"}))
      ->capture_default_str();
  command->add_option("--threads", options.threads, "Processor cores to use; 0: all")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--rounds", options.rounds, "Timed passes of each cell")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--budget", options.budget_seconds, "Seconds for one cell, else skipped")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--set", flags->set, "Of the layers: model.window=256")
      ->type_name("KEY=VALUE");
  command->callback([flags] { measure(*flags); });
}

}  // namespace fastformer::cli
