#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/atomic_file.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/data/json_lines.h"
#include "fastformer/metrics/rouge/rouge.h"
#include "fastformer/metrics/rouge/rouge_report.h"
#include "fastformer/summarization/readers/formats.h"

namespace fastformer::cli {
namespace {

namespace fs = std::filesystem;

struct RougeFlags {
  fs::path candidates, pairs;
  std::vector<std::string> references;
  std::string candidate_field = "candidate", reference_field = "reference";
  std::string sentences = "\\n";
  metrics::RougeTokens tokens = metrics::RougeTokens::kRouge;
  bool stem = false, several = false, json = false;
};

// A summary with its references, of which the best counts.
struct Judged {
  std::string where, candidate;
  std::vector<std::string> references;
};
using UseJudged = std::function<void(const Judged&)>;

std::string replaced(std::string_view text, std::string_view from, char to) {
  if (from.empty()) return std::string(text);
  std::string result;
  for (auto at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
    result.append(text.substr(0, at)) += to;
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
}

// Line n of each file of references belongs to line n of the candidates.
void read_files(const RougeFlags& flags, const UseJudged& use) {
  if (flags.candidates == "-" && flags.references.size() > 1) {
    throw std::invalid_argument(
        "-: the standard input is read once for each file of references; give a file");
  }
  std::vector<std::unique_ptr<summarization::PairReader>> readers;
  for (const auto& file : flags.references) {
    readers.push_back(summarization::open_parallel(flags.candidates, file));
  }
  for (summarization::TextPair pair;;) {
    Judged judged;
    for (const auto& reader : readers) {
      if (!reader->next(pair)) continue;  // all end together, or one throws
      judged.references.push_back(replaced(pair.target, flags.sentences, '\n'));
    }
    if (judged.references.empty()) return;
    judged.where = pair.where;
    judged.candidate = replaced(pair.source, flags.sentences, '\n');
    use(judged);
  }
}

void read_objects(const RougeFlags& flags, const UseJudged& use) {
  data::JsonLines lines(flags.candidates);
  for (nlohmann::json object; lines.next(object);) {
    const auto where = lines.where();
    Judged judged{.where = where,
                  .candidate = data::lines_of_field(object, flags.candidate_field, where),
                  .references = {}};
    const auto& value = data::required_field(object, flags.reference_field, where);
    const bool lists = value.is_array() && !value.empty() && value.front().is_array();
    if (value.is_array() && (flags.several || lists)) {
      for (const auto& one : value) {
        judged.references.push_back(data::lines_of_value(one, flags.reference_field, where));
      }
    } else {
      judged.references.push_back(data::lines_of_value(value, flags.reference_field, where));
    }
    if (judged.references.empty()) judged.references.emplace_back();
    use(judged);
  }
}

void score(const RougeFlags& flags) {
  if (flags.several && !flags.references.empty()) {
    throw std::invalid_argument(
        "--several-references is for JSON Lines; with files name one per reference");
  }
  if (flags.stem && flags.tokens != metrics::RougeTokens::kRouge) {
    throw std::invalid_argument("--stem is for the English words of --tokenizer rouge; remove it");
  }
  metrics::RougeScorer scorer(flags.stem, flags.tokens);
  metrics::RougeReport report;
  std::string each;
  std::int64_t wordless = 0;
  const auto best_of = [&](const Judged& judged) {
    auto best = scorer.score(judged.candidate, judged.references.front());
    for (std::size_t i = 1; i < judged.references.size(); ++i) {
      best.take_better(scorer.score(judged.candidate, judged.references[i]));
    }
    return best;
  };
  const UseJudged use = [&](const Judged& judged) {
    const auto best = [&] {
      try {
        return best_of(judged);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(judged.where + ": " + error.what());
      }
    }();
    if (best.reference_words == 0) ++wordless;
    report.add(best);
    if (!flags.pairs.empty()) each += report.last_pair_json() + "\n";
  };
  flags.references.empty() ? read_objects(flags, use) : read_files(flags, use);
  if (report.pairs() == 0) {
    throw std::invalid_argument(flags.candidates.string() +
                                ": is empty, expected at least one summary");
  }
  if (2 * wordless > report.pairs()) {
    log_line(std::to_string(wordless) + " of " + std::to_string(report.pairs()) +
             " references have no word, so that their scores are 0" +
             (flags.tokens == metrics::RougeTokens::kRouge
                  ? "; ROUGE's own words are those of Latin letters and digits, for other scripts "
                    "use --tokenizer unicode or character"
                  : ""));
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
  command->add_option("references", flags->references,
                      "References, one per line; of several files the best reference counts");
  command->add_flag("--stem", flags->stem, "Compare word stems (Porter)");
  command
      ->add_option_function<std::string>(
          "--tokenizer",
          [flags](const std::string& word) {
            flags->tokens = base::parse_word<metrics::RougeTokens>(word, "--tokenizer");
          },
          "rouge: words of Latin letters and digits, like rouge-score; unicode: words of any "
          "script; character: each letter or digit")
      ->check(CLI::IsMember(base::words<metrics::RougeTokens>()))
      ->default_str("rouge");
  command->add_flag("--several-references", flags->several,
                    "JSON Lines: the strings of a list are several references, of which the best "
                    "counts, not the sentences of one; lists of lists always are");
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
