#include <iostream>
#include <memory>

#include "fastformer/base/format.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/experiment_progress.h"
#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_runner.h"
#include "fastformer/study/experiment_tables.h"

namespace fastformer::cli {
namespace {

struct ExperimentFlags {
  std::filesystem::path file;
  std::vector<std::string> only;
  bool dry_run = false, table = false;
};

std::string what_happens_to(const study::CellStatus& status,
                            const std::vector<std::string>& metrics) {
  switch (status.state) {
    case study::CellState::kFinished:
      return metrics::scores_text(status.result->test->scores, metrics);
    case study::CellState::kInterrupted:
      return "resumes from its checkpoint";
    case study::CellState::kChanged:
      return "runs again: `" + status.change->now + "`, was `" + status.change->before + "`";
    default:
      return "runs";
  }
}

void list_cells(const study::Experiment& experiment, const std::vector<const study::Cell*>& cells) {
  std::size_t width = 0, to_run = 0;
  for (const auto* cell : cells) width = std::max(width, cell->name.size());
  for (const auto* cell : cells) {
    const auto status = study::status_of(*cell);
    std::cout << base::format("%-*s  %-11s  ", static_cast<int>(width), cell->name.c_str(),
                              study::to_string(status.state).c_str())
              << what_happens_to(status, experiment.metrics()) << '\n';
    if (status.state != study::CellState::kFinished) ++to_run;
  }
  std::cout << cells.size() << " cells, " << to_run << " to run\n";
}

void print_place(const study::Experiment& experiment) {
  std::cout << "tables in " << (experiment.file().output / "results.md").string() << std::endl;
}

void run(const study::Experiment& experiment, const std::vector<const study::Cell*>& cells) {
  experiment.check_ready(cells);
  ExperimentProgress progress(cells, experiment.metrics());
  const auto outcome = study::run_experiment(experiment, cells, progress);
  if (!outcome.in_use.empty()) {
    std::cout << outcome.in_use.size() << " of " << cells.size()
              << " cells are in use by other processes, which add them to the tables\n";
  }
  print_place(experiment);
  if (outcome.stopped) {
    throw Stopped("stopped; all work is saved; run the same command again to resume");
  }
  if (!outcome.failed.empty()) {
    throw std::runtime_error(std::to_string(outcome.failed.size()) + " of " +
                             std::to_string(cells.size()) + " cells failed, the " + "first is " +
                             outcome.failed.front()->name +
                             "; see the messages above, then run the same command again");
  }
}

void experiment(const ExperimentFlags& flags) {
  const auto experiment = study::Experiment::load(flags.file);
  const auto cells = experiment.select(flags.only);
  if (flags.dry_run) return list_cells(experiment, cells);
  if (!flags.table) return run(experiment, cells);
  study::ResultsCollector collector(experiment);
  std::cout << study::write_results(experiment, collector);
  print_place(experiment);
}

}  // namespace

void add_experiment_command(CLI::App& app) {
  const auto flags = std::make_shared<ExperimentFlags>();
  auto* command = app.add_subcommand(
      "experiment", "Train every variant on every data set with every seed, and compare them");
  command->add_option("file", flags->file, "Experiment file (.toml); see recipes/study/")
      ->required();
  command->add_option("--only", flags->only, "Run only cells whose name contains this text")
      ->type_name("TEXT");
  auto* dry_run = command->add_flag("--dry-run", flags->dry_run,
                                    "List the cells and their states without running them");
  command
      ->add_flag("--table", flags->table, "Only write and print the tables of the finished cells")
      ->excludes(dry_run);
  command->callback([flags] { experiment(*flags); });
}

}  // namespace fastformer::cli
