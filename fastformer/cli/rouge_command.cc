#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

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

std::string replaced(std::string_view text, std::string_view from, char to) {
  if (from.empty()) return std::string(text);
  std::string result;
  for (auto at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    result.append(text.substr(0, at)) += to;
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
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
      pair.source = replaced(pair.source, flags.sentences, '\n');
      pair.target = replaced(pair.target, flags.sentences, '\n');
    }
    try {
      report.add(scorer.score(pair.source, pair.target));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(pair.where + ": " + error.what());
    }
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
  auto* command = app.add_subcommand(
      "rouge",
      "Compare summaries with references: ROUGE-1, -2, -L and -Lsum, equal to rouge-score's");
  command
      ->add_option(
          "candidates", flags->candidates,
          "Summaries, one per line; without references, JSON Lines with both in two fields")
      ->required();
  command->add_option("references", flags->references, "References, one per line");
  command->add_flag("--stem", flags->stem, "Compare word stems (Porter)");
  command
      ->add_option(
          "--sentences", flags->sentences,
          "Separator of sentences in a line, for ROUGE-Lsum; default: a backslash and an n")
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
