#include "fastformer/classification/distillation.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/model_directory.h"
#include "fastformer/base/printable.h"
#include "fastformer/base/random.h"
#include "fastformer/classification/classifier.h"
#include "fastformer/linear/linear_part.h"
#include "fastformer/runtime/classifier_frame.h"

namespace fastformer::classification {
namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr const char* kScoresFile = "teacher.f32";
constexpr std::size_t kTexts = 4096;  // that a teacher gets at a time

// The place of each of `labels` among those of a teacher.
std::vector<std::size_t> places_of(const std::vector<std::string>& labels,
                                   const std::vector<std::string>& of_teacher,
                                   const std::string& directory) {
  if (labels.size() != of_teacher.size()) {
    throw std::invalid_argument("train.teacher: " + directory + " has " +
                                std::to_string(of_teacher.size()) + " labels, but the data have " +
                                std::to_string(labels.size()) +
                                "; give a model of the same labels");
  }
  std::vector<std::size_t> places;
  for (const auto& label : labels) {
    const auto found = std::ranges::find_if(of_teacher, [&](const auto& other) {
      return normalized_label(other) == normalized_label(label);
    });
    if (found == of_teacher.end()) {
      throw std::invalid_argument("train.teacher: " + directory + " does not have the label '" +
                                  base::excerpt(label) + "'; give a model of the same labels");
    }
    places.push_back(static_cast<std::size_t>(found - of_teacher.begin()));
  }
  return places;
}

// KL of two distributions along the last dimension, from their logarithms.
at::Tensor divergence(const at::Tensor& teacher, const at::Tensor& student) {
  return (teacher.exp() * (teacher - student)).sum(-1);
}

void write_rows(const std::filesystem::path& file, const at::Tensor& rows) {
  base::write_file_atomically(file, [&](std::ostream& out) {
    out.write(static_cast<const char*>(rows.const_data_ptr()),
              static_cast<std::streamsize>(rows.nbytes()));
  });
}

}  // namespace

void DistillationConfig::visit_fields(base::FieldVisitor& visit) {
  visit("teacher", teachers,
        "model directories of classifiers with the same labels, whose probabilities the model "
        "learns beside the labels; of several, their mean",
        base::file_path());
  visit("teacher_weight", weight,
        "weight of the teacher's probabilities in the loss, against that of the labels",
        base::between(0, 1));
  visit("temperature", temperature,
        "the logits of teacher and model are divided by it before they are compared",
        base::between(0.1, 100));
}

at::Tensor teacher_loss(const at::Tensor& logits, const at::Tensor& teacher, double temperature,
                        bool several) {
  const auto student = logits / temperature;
  const auto target = teacher.to(logits.scalar_type()) / temperature;
  const auto each =
      several ? divergence(at::stack({at::log_sigmoid(target), at::log_sigmoid(-target)}, -1),
                           at::stack({at::log_sigmoid(student), at::log_sigmoid(-student)}, -1))
                    .sum(-1)
              : divergence(at::log_softmax(target, -1), at::log_softmax(student, -1));
  return each.mean() * (temperature * temperature);
}

TeacherScores::TeacherScores(std::vector<std::string> teachers, const Dataset& dataset,
                             TextsOfPart texts_of, std::filesystem::path cache, data::Notice notice,
                             const Options& options)
    : teachers_(std::move(teachers)),
      dataset_(dataset),
      texts_of_(std::move(texts_of)),
      cache_(std::move(cache)),
      notice_(std::move(notice)),
      options_(options) {
  for (const auto& directory : teachers_) {
    const auto loaded = runtime::ClassifierDirectory::load(directory, [](const auto&) {});
    const auto& frame = loaded.frame;
    if (frame.several_labels() != dataset.several_labels) {
      throw std::invalid_argument(
          "train.teacher: " + directory +
          (frame.several_labels() ? " predicts several labels per document, but the data have "
                                    "classes"
                                  : " predicts one class per document, but the data have several "
                                    "labels per document") +
          "; give a model of the same labels");
    }
    places_of(dataset.labels, frame.labels, directory);
  }
}

std::uint64_t TeacherScores::checksum() const {
  auto hash = base::fnv1a("");
  for (const auto& directory : teachers_) {
    for (const auto* file : {base::kWeightsFile, linear::kLinearFile, "config.json"}) {
      const auto path = std::filesystem::path(directory) / file;
      if (std::filesystem::exists(path)) hash = base::fnv1a(base::read_file(path), hash);
    }
  }
  return hash;
}

at::Tensor TeacherScores::computed(const LabelledCorpus& part) const {
  constexpr double kLeast = 1e-12;
  const auto& labels = dataset_.labels;
  const auto classes = std::ssize(labels);
  const auto sum = at::zeros({part.size(), classes}, at::kDouble);
  auto* rows = sum.mutable_data_ptr<double>();
  for (const auto& directory : teachers_) {
    if (notice_) {
      notice_("the teacher " + directory + " reads " + std::to_string(part.size()) +
              " documents, once");
    }
    const auto teacher = Classifier::load(directory, options_);
    const auto places = places_of(labels, teacher.labels(), directory);
    std::vector<std::string> texts;
    std::int64_t first = 0;
    const auto flush = [&] {
      for (const auto& prediction : teacher.classify(texts)) {
        for (std::size_t c = 0; c < labels.size(); ++c) {
          rows[first * classes + static_cast<std::int64_t>(c)] +=
              prediction.probabilities[places[c]] / static_cast<double>(teachers_.size());
        }
        ++first;
      }
      texts.clear();
    };
    texts_of_(part, [&](std::int64_t, std::string_view text) {
      texts.emplace_back(text);
      if (texts.size() == kTexts) flush();
    });
    flush();
  }
  const auto p = sum.clamp(kLeast, 1);
  return (dataset_.several_labels ? p.log() - (1 - p).clamp_min(kLeast).log() : p.log())
      .to(at::kFloat);
}

at::Tensor TeacherScores::scores_of(const LabelledCorpus& part) const {
  const auto classes = std::ssize(dataset_.labels);
  if (cache_.empty() || part.size() == 0) return computed(part);
  data::CacheKey key;
  key.add(std::string("teacher"));
  key.add(kFormatVersion);
  // The model may read less of a text than the teacher, and other words.
  texts_of_(part, [&](std::int64_t, std::string_view text) { key.add(std::string(text)); });
  for (const auto& label : dataset_.labels) key.add(label);
  key.add(static_cast<std::int64_t>(checksum()));
  key.add(static_cast<std::int64_t>(options_.precision));
  const auto folder = data::prepared_folder(
      cache_, key,
      [&](const std::filesystem::path& fresh) { write_rows(fresh / kScoresFile, computed(part)); },
      notice_);
  return at::from_file((folder / kScoresFile).string(), /*shared=*/false, part.size() * classes,
                       at::kFloat)
      .view({part.size(), classes});
}

at::Tensor TeacherScores::logits(std::span<const DocumentOfPart> documents) {
  std::vector<at::Tensor> rows;
  for (const auto& [part, row] : documents) {
    auto& scores = parts_[part];
    if (!scores.defined()) scores = scores_of(*part);
    rows.push_back(scores[row]);
  }
  return at::stack(rows);
}

TextsOfPart texts_in_files(const DataConfig& config, const Dataset& dataset) {
  return [config, &dataset](const LabelledCorpus& part, const auto& use) {
    const bool unlabelled = &part == &dataset.unlabelled;
    const auto& entries = unlabelled ? config.unlabelled
                          : &part == &dataset.validation && !config.validation.empty()
                              ? config.validation
                              : config.train;
    std::int64_t record = 0, row = 0;
    for_each_example(unlabelled ? config.without_labels() : config, entries, [&](Example& example) {
      if (row < part.size() && part.texts.record(row) == record) {
        use(row++, example.text);
      }
      ++record;
    });
    if (row == part.size()) return;
    throw std::runtime_error("the files changed while they were read; start again");
  };
}

TextsOfPart texts_in_memory(std::span<const Example> examples) {
  return [examples](const LabelledCorpus& part, const auto& use) {
    for (std::int64_t row = 0; row < part.size(); ++row) {
      use(row, examples[static_cast<std::size_t>(part.texts.record(row))].text);
    }
  };
}

}  // namespace fastformer::classification
