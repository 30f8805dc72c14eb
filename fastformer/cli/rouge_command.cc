#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_report.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct RougeFlags {
  fs::path candidates, references, pairs;
  std::string candidate_field = "candidate", reference_field = "reference";
  std::string sentences = "\\n";
  bool stem = false, json = false;
};

void replace_all(std::string& text, const std::string& from, char to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
    text.replace(at, from.size(), 1, to);
  }
}

std::unique_ptr<summarization::PairReader> open_pairs(const RougeFlags& flags) {
  if (!flags.references.empty()) {
    return summarization::open_parallel(flags.candidates, flags.references);
  }
  return summarization::open_jsonl(flags.candidates, flags.candidate_field, flags.reference_field);
}

void score(const RougeFlags& flags) {
  const auto reader = open_pairs(flags);
  metrics::RougeScorer scorer(flags.stem);
  metrics::RougeReport report;
  std::string each;
  for (summarization::TextPair pair; reader->next(pair);) {
    if (!flags.references.empty()) {
      replace_all(pair.source, flags.sentences, '\n');
      replace_all(pair.target, flags.sentences, '\n');
    }
    report.add(scorer.score(pair.source, pair.target));
    if (!flags.pairs.empty()) each += report.last_pair_json() + "\n";
  }
  if (report.pairs() == 0) {
    throw std::invalid_argument(flags.candidates.string() +
                                ": is empty, expected at least one summary");
  }
  if (!flags.pairs.empty()) base::write_file_atomically(flags.pairs, each);
  if (flags.json) {
    std::cout << report.json() << '\n';
    return;
  }
  std::cout << report.pairs() << " pairs" << (flags.stem ? ", words stemmed" : "")
            << "; means with 95 % intervals\n"
            << report.table();
}

}  // namespace

void add_rouge_command(CLI::App& app) {
  const auto flags = std::make_shared<RougeFlags>();
  auto* command =
      app.add_subcommand("rouge",
                         "Compare summaries with references: ROUGE-1, -2, -L and -Lsum, with the "
                         "same results as the Python package rouge-score");
  command
      ->add_option("candidates", flags->candidates,
                   "Summaries, one per line; without a file of references: JSON Lines with summary "
                   "and reference in two fields")
      ->required();
  command->add_option("references", flags->references, "References, one per line");
  command->add_flag("--stem", flags->stem, "Compare word stems (Porter)");
  command
      ->add_option("--sentences", flags->sentences,
                   "Separator of the sentences in a line, for ROUGE-Lsum; default: a backslash "
                   "followed by n")
      ->type_name("TEXT");
  command
      ->add_option("--candidate-field", flags->candidate_field, "JSON Lines: field of the summary")
      ->capture_default_str();
  command
      ->add_option("--reference-field", flags->reference_field,
                   "JSON Lines: field of the reference")
      ->capture_default_str();
  command
      ->add_option("--pairs", flags->pairs,
                   "Also write the scores of each pair to this file, as JSON Lines")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "Print JSON");
  command->callback([flags] { score(*flags); });
}

}  // namespace fastformer::cli
