#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/classification/classifier_model.h"
#include "fastformer/cli/answers/prediction_input.h"
#include "fastformer/cli/answers/prediction_output.h"
#include "fastformer/cli/answers/recommendation_output.h"
#include "fastformer/cli/answers/vector_output.h"
#include "fastformer/cli/commands.h"
#include "fastformer/cli/model_options.h"
#include "fastformer/cli/progress.h"
#include "fastformer/cli/terminal_output.h"
#include "fastformer/recommendation/readers/reader.h"
#include "fastformer/recommendation/readers/user_requests.h"
#include "fastformer/recommendation/recommender.h"
#include "fastformer/train/task_kind.h"

namespace fastformer::cli {

/// What vectors are of; `auto`: documents for a classifier, titles for a recommender.
enum class Embedded : std::uint8_t { kAuto, kDocuments, kTitles, kItems, kUsers };

}  // namespace fastformer::cli

namespace fastformer::base {
template <>
inline constexpr std::array kWords<cli::Embedded> = {"auto", "documents", "titles", "items",
                                                     "users"};
}  // namespace fastformer::base

namespace fastformer::cli {
namespace {

using Json = nlohmann::ordered_json;

struct EmbedFlags {
  std::filesystem::path model, output_file, items;
  InputOptions input;
  Embedded embedded = Embedded::kAuto;
  VectorFormat format = VectorFormat::kAuto;
  bool keep = false;
  Options options;
};

// Writes the output file; `width` is that of its vectors.
void write_vectors(const EmbedFlags& flags, VectorFormat format, std::size_t width,
                   const std::function<void(VectorOutput&, RecordCounter&)>& write) {
  base::write_file_atomically(flags.output_file, [&](std::ostream& out) {
    VectorOutput output(out, format, width);
    RecordCounter counter("vectors", /*output_is_seen=*/false);
    write(output, counter);
    output.finish();
  });
}

// The texts of the input by a model's `embed`.
template <class Model>
void embed_texts(const EmbedFlags& flags, VectorFormat format, const Model& model,
                 const classification::DataConfig& read_as) {
  PredictionInput input(flags.input, read_as);
  const auto width = model.embed({}).width;
  write_vectors(flags, format, width, [&](VectorOutput& output, RecordCounter& counter) {
    std::int64_t row = 0;
    input.for_each_batch([&](const auto& records, const auto& texts) {
      const auto vectors = model.embed(texts);
      for (std::size_t i = 0; i < records.size(); ++i) {
        ++row;
        Json json;
        if (output.has_records()) {
          json = flags.keep ? json_of(records[i].fields)
                            : Json::object({{"row", row}, {"text", records[i].text}});
        }
        output.write(json, vectors.row(i));
      }
      counter.add(records.size());
    });
  });
  for (const auto& notice : input.notices()) log_line(notice);
}

// The items of a file in the training format.
void embed_items(const EmbedFlags& flags, VectorFormat format, const Recommender& recommender,
                 const recommendation::DataConfig& config) {
  constexpr std::int64_t kBatch = 1024;
  recommendation::ItemTable items;
  recommendation::read_items(flags.input.input, config, items);
  write_vectors(flags, format, recommender.embed({}).width,
                [&](VectorOutput& output, RecordCounter& counter) {
                  std::vector<std::string> titles;
                  for (std::int64_t first = 1; first < items.size(); first += kBatch) {
                    const auto end = std::min(first + kBatch, items.size());
                    titles.clear();
                    for (auto n = first; n < end; ++n)
                      titles.push_back(items.title(static_cast<int>(n)));
                    const auto vectors = recommender.embed(titles);
                    for (auto n = first; n < end; ++n) {
                      const auto item = static_cast<std::int32_t>(n);
                      output.write({{"id", items.id(item)}, {"text", items.title(item)}},
                                   vectors.row(static_cast<std::size_t>(n - first)));
                    }
                    counter.add(titles.size());
                  }
                });
}

// The users of a file by their clicks.
void embed_users(const EmbedFlags& flags, VectorFormat format, const Recommender& recommender,
                 const recommendation::DataConfig& config) {
  constexpr std::size_t kBatch = 1024;
  if (flags.items.empty()) {
    throw std::invalid_argument(
        "--vectors users needs the items that the users clicked; name them with --items");
  }
  const auto catalogue = recommender.catalogue(flags.items, {.config = config});
  const auto request_format = base::parse_word<recommendation::RequestFormat>(
      flags.input.format, "--format with --vectors users");
  recommendation::UserRequestReader reader(flags.input.input, request_format, config);
  RequestCounts counts;
  write_vectors(flags, format, recommender.embed({}).width,
                [&](VectorOutput& output, RecordCounter& counter) {
                  std::int64_t row = 0;
                  while (true) {
                    const auto requests = reader.next_batch(kBatch);
                    if (requests.empty()) break;
                    std::vector<std::vector<std::string>> histories;
                    for (const auto& request : requests) {
                      histories.push_back(request.history);
                      counts.add(request, catalogue);
                    }
                    const auto vectors = recommender.embed_users(catalogue, histories);
                    for (std::size_t i = 0; i < requests.size(); ++i) {
                      output.write({{"row", ++row}, {"id", requests[i].user}}, vectors.row(i));
                    }
                    counter.add(requests.size());
                  }
                });
  if (const auto notice = reader.notice(); !notice.empty()) log_line(notice);
  for (const auto& notice : counts.notices(flags.items.string())) log_line(notice);
}

void embed_with_recommender(const EmbedFlags& flags, VectorFormat format) {
  const auto recommender = Recommender::load(flags.model, flags.options);
  auto config = recommender.data_config();
  if (flags.embedded == Embedded::kItems || flags.embedded == Embedded::kUsers) {
    base::ConfigTree::from_assignments(flags.input.set, {"data"}).read_section("data", config);
    if (flags.embedded == Embedded::kItems) return embed_items(flags, format, recommender, config);
    return embed_users(flags, format, recommender, config);
  }
  classification::DataConfig read_as;
  read_as.text_columns = config.title_columns;
  read_as.encoding = config.encoding;
  embed_texts(flags, format, recommender, read_as);
}

void embed(const EmbedFlags& flags) {
  check_model_for("embed", flags.model);
  const auto format = vector_format(flags.format, flags.output_file);
  const bool titles_or_documents =
      flags.embedded != Embedded::kItems && flags.embedded != Embedded::kUsers;
  if (flags.keep && (format == VectorFormat::kNpy || !titles_or_documents)) {
    throw std::invalid_argument(
        "--keep writes the columns of texts to JSON Lines; remove it, or use --output-format "
        "jsonl");
  }
  const bool classifies = base::kind_of_model(flags.model) == model::kClassifierKind;
  const bool fits =
      flags.embedded == Embedded::kAuto || (flags.embedded == Embedded::kDocuments) == classifies;
  if (!fits) {
    throw std::invalid_argument(flags.model.string() + " has no vectors of " +
                                base::word_of(flags.embedded) + ", but of " +
                                (classifies ? "documents" : "titles, items and users"));
  }
  if (flags.embedded == Embedded::kItems && flags.input.format != "auto") {
    throw std::invalid_argument(
        "--format is for texts and users; items are read in the training format, or in that of "
        "--set data.format=...");
  }
  if (flags.embedded != Embedded::kUsers && !flags.items.empty()) {
    throw std::invalid_argument("--items is for --vectors users; remove it");
  }
  if (!classifies) return embed_with_recommender(flags, format);
  const auto classifier = Classifier::load(flags.model, flags.options);
  embed_texts(flags, format, classifier, classifier.data_config());
}

}  // namespace

void add_embed_command(CLI::App& app) {
  const auto flags = std::make_shared<EmbedFlags>();
  auto* command = app.add_subcommand(
      "embed", "Write the vectors of documents, titles, items or users to a file");
  command->add_option("model", flags->model, "Model directory of a classifier or a recommender")
      ->required();
  add_input_options(*command, flags->input);
  command
      ->add_option("--output", flags->output_file,
                   "File for the vectors, one row per record; it appears when all is written")
      ->required();
  add_word_option(*command, "--output-format", flags->format,
                  "npy: an array [records, width] of float32 for NumPy; jsonl: one object per "
                  "record with row, text and vector; auto: by the name of --output");
  add_word_option(*command, "--vectors", flags->embedded,
                  "documents: of a classifier; of a recommender titles: the input is texts; items: "
                  "the input is items in the training format; users: the input is users as in "
                  "recommend --users. auto: documents or titles");
  command->add_option("--items", flags->items,
                      "Items that the users of --vectors users clicked, in the training format");
  command->add_flag("--keep", flags->keep,
                    "Write the columns of the input instead of row and text (jsonl)");
  add_compute_options(*command, flags->options);
  command->callback([flags] { embed(*flags); });
}

}  // namespace fastformer::cli
