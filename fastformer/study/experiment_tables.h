#pragma once

#include <string>

#include "fastformer/study/experiment.h"
#include "fastformer/study/experiment_results.h"

namespace fastformer::study {

/// The results of an experiment as text. What is not finished is shown as missing.

/// results.csv: a row a cell, in the order of the file, with all scores of the task. They are
/// shares, not percent; the last column, training_seconds, is the only one that a second run of the
/// same grid may change.
std::string results_csv(const Experiment& experiment, const ExperimentResults& results);

/// results.md: a table a data set with a row a variant: mean and deviation over the seeds, the
/// difference from the first variant, the paper's figures; below them a row a baseline.
std::string results_markdown(const Experiment& experiment, const ExperimentResults& results);

/// results.json: all of that as numbers, for scripts/plot and other programs.
std::string results_json(const Experiment& experiment, const ExperimentResults& results);

/// Collects the results and writes the three files into the experiment's folder, each at once.
/// Processes that work on one experiment take turns.
void write_results(const Experiment& experiment, ResultsCollector& collector);

}  // namespace fastformer::study
