#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fastformer/base/config_field.h"
#include "fastformer/classification/dataset.h"
#include "fastformer/classification/pretrained/frozen_documents.h"
#include "fastformer/data/cache.h"
#include "fastformer/kernels/options.h"

namespace fastformer::classification {

/// The fields of section [train] for learning from other classifiers.
struct DistillationConfig {
  std::vector<std::string> teachers;  ///< model directories; empty: none
  double weight = 0.5;
  double temperature = 2;

  explicit operator bool() const { return !teachers.empty(); }
  void visit_fields(base::FieldVisitor& visit);
};

/// The mean over B documents of T^2 KL(softmax(teacher / T) || softmax(logits / T)) (Hinton et al.,
/// arXiv 1503.02531); with `several` labels per document, of the sum over the labels of the same
/// for the probabilities sigmoid(z / T) and 1 - sigmoid(z / T). T = `temperature`. logits and
/// teacher [B, C] -> scalar, 0 where both agree; differentiable by `logits`.
at::Tensor teacher_loss(const at::Tensor& logits, const at::Tensor& teacher, double temperature,
                        bool several);

/// Calls its argument with row and text of each document of a part, in order.
using TextsOfPart =
    std::function<void(const LabelledCorpus& part,
                       const std::function<void(std::int64_t row, std::string_view text)>& use)>;

/// What teachers say about the documents of a part: the logits of the mean of their probabilities.
/// They are computed once for all documents of a part.
///
///   TeacherScores teacher({"runs/minilm/model"}, dataset, texts_of, "runs/cache");
///   teacher_loss(logits, teacher.logits(documents), 2, false).backward();
class TeacherScores {
 public:
  /// Checks the teachers at once, and loads their networks when they are needed. The scores of a
  /// part are a file in `cache`, where other runs find them; without a cache, they are in memory.
  /// `dataset` must outlive the object. Throws std::invalid_argument for a directory that is no
  /// classifier, or one of other labels.
  TeacherScores(std::vector<std::string> teachers, const Dataset& dataset, TextsOfPart texts_of,
                std::filesystem::path cache = {}, data::Notice notice = {},
                const Options& options = {});

  /// [documents, C], in the order of the data set's labels.
  at::Tensor logits(std::span<const DocumentOfPart> documents);

  /// Checksum of the teachers' files.
  std::uint64_t checksum() const;

 private:
  at::Tensor computed(const LabelledCorpus& part) const;
  at::Tensor scores_of(const LabelledCorpus& part) const;

  std::vector<std::string> teachers_;
  const Dataset& dataset_;
  TextsOfPart texts_of_;
  std::filesystem::path cache_;
  data::Notice notice_;
  Options options_;
  std::map<const LabelledCorpus*, at::Tensor> parts_;  ///< [N, C]
};

/// The texts of a data set that prepare() made of files, or of examples. Throws std::runtime_error
/// if the files have changed.
TextsOfPart texts_in_files(const DataConfig& config, const Dataset& dataset);
TextsOfPart texts_in_memory(std::span<const Example> examples);

}  // namespace fastformer::classification
