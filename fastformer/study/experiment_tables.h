#pragma once

#include <string>

#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_results.h"

namespace fastformer::study {

/// The results of an experiment as text. Unfinished cells are shown as missing.

/// results.csv: a row per cell, in the order of the file, with all scores of the task, as shares
/// and not percent. A second run of the same grid can change only the last column,
/// training_seconds.
std::string results_csv(const Experiment& experiment, const ExperimentResults& results);

/// results.md: a table per data set with a row per variant: mean and deviation over the seeds, the
/// difference from the first variant, the paper's figures; then a row per baseline.
std::string results_markdown(const Experiment& experiment, const ExperimentResults& results);

/// results.json: the same as numbers, for scripts/plot and other programs.
std::string results_json(const Experiment& experiment, const ExperimentResults& results);

/// Collects the results and writes the three files to the experiment's folder, each atomically.
/// Processes that share an experiment take turns. Returns the content of results.md.
std::string write_results(const Experiment& experiment, ResultsCollector& collector);

}  // namespace fastformer::study
