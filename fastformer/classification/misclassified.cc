#include "fastformer/classification/misclassified.h"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <stdexcept>

#include "fastformer/base/atomic_file.h"
#include "fastformer/base/format.h"
#include "fastformer/classification/readers/reader.h"
#include "fastformer/data/table_text.h"

namespace fastformer::classification {
namespace {

struct Misclassified {
  std::size_t row;
  std::string where, label, text;
};

}  // namespace

void write_misclassified(const std::filesystem::path& path, const DataConfig& config,
                         const std::vector<std::string>& files, const Evaluation& evaluation,
                         const std::vector<std::string>& labels) {
  std::vector<Misclassified> rows;
  std::size_t row = 0;
  for_each_example(config, files, [&](Example& example) {
    if (row == evaluation.predicted.size())
      throw std::runtime_error("the files changed while they were read; start again");
    const auto& predicted = labels[static_cast<std::size_t>(evaluation.predicted[row])];
    if (normalized_label(predicted) != example.label) {
      rows.push_back({row, example.where, example.label, example.text});
    }
    ++row;
  });
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    return evaluation.label_probability[a.row] < evaluation.label_probability[b.row];
  });
  base::write_file_atomically(path, [&](std::ostream& out) {
    out << "where,label,predicted,probability,label_probability,text\n";
    for (const auto& wrong : rows) {
      const auto predicted = static_cast<std::size_t>(evaluation.predicted[wrong.row]);
      out << data::csv_cell(wrong.where) << ',' << data::csv_cell(wrong.label) << ','
          << data::csv_cell(labels[predicted])
          << base::format(",%.4f,%.4f,", evaluation.probability[wrong.row],
                          evaluation.label_probability[wrong.row])
          << data::csv_cell(wrong.text) << '\n';
    }
  });
}

}  // namespace fastformer::classification
