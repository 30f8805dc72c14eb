#include "fastformer/linear/solver.h"

#include <linear.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <stdexcept>

namespace fastformer::linear {
namespace {

void ignore(const char*) {}

// Rows as LIBLINEAR takes them: columns from 1, the bias behind the last one, -1 at the end.
class Problem {
 public:
  Problem(const std::vector<SparseRow>& rows, std::int64_t columns)
      : columns_(static_cast<int>(columns)), targets_(rows.size()) {
    std::size_t nodes = 0;
    for (const auto& row : rows) nodes += row.size() + 2;
    nodes_.reserve(nodes);
    for (const auto& row : rows) {
      begins_.push_back(nodes_.data() + nodes_.size());
      for (const auto& [column, value] : row) nodes_.push_back({column + 1, value});
      nodes_.push_back({columns_ + 1, 1.0});
      nodes_.push_back({-1, 0.0});
    }
  }

  std::vector<double>& targets() { return targets_; }
  // Gives every row that has a column the column's value.
  void set_values(std::span<const double> of_columns) {
    for (auto& node : nodes_) {
      if (node.index > 0 && node.index <= columns_) {
        node.value = of_columns[static_cast<std::size_t>(node.index) - 1];
      }
    }
  }

  // Weights [columns + 1], the bias last, of the class +1 against -1.
  std::vector<double> solve(int solver, double c) {
    ::problem problem = {.l = static_cast<int>(targets_.size()),
                         .n = columns_ + 1,
                         .y = targets_.data(),
                         .x = begins_.data(),
                         .bias = 1};
    ::parameter parameter = {};
    parameter.solver_type = solver;
    parameter.C = c;
    parameter.eps = 0.1;
    parameter.p = 0.1;
    if (const char* error = check_parameter(&problem, &parameter)) {
      throw std::runtime_error(std::string("LIBLINEAR: ") + error);
    }
    // LIBLINEAR visits the rows in an order that it draws from the C library.
    std::srand(1);
    const std::unique_ptr<::model, void (*)(::model*)> model(
        train(&problem, &parameter), [](::model* m) { free_and_destroy_model(&m); });
    const double sign = model->label[0] == 1 ? 1 : -1;
    std::vector<double> weights(model->w, model->w + columns_ + 1);
    for (auto& weight : weights) weight *= sign;
    return weights;
  }

 private:
  int columns_;
  std::vector<double> targets_;
  std::vector<feature_node> nodes_;
  std::vector<feature_node*> begins_;
};

// idf, or 1; 0 for the columns that the member does not use.
std::vector<float> scale_of(const LabelledRows& rows, std::span<const std::int64_t> used,
                            const NgramTable& table, const MemberConfig& config) {
  std::vector<std::int64_t> texts(static_cast<std::size_t>(table.size()));
  for (const auto row : used) {
    std::int32_t last = -1;
    for (const auto column : rows.columns[static_cast<std::size_t>(row)]) {
      if (column != last) ++texts[static_cast<std::size_t>(column)];
      last = column;
    }
  }
  const double n = static_cast<double>(used.size());
  std::vector<float> scale(texts.size());
  for (std::size_t i = 0; i < scale.size(); ++i) {
    const bool enough = texts[i] >= config.minimum_texts;
    if (!enough || !config.uses(table.key(static_cast<std::int32_t>(i)))) continue;
    scale[i] = config.weighting == Weighting::kTfidf
                   ? static_cast<float>(std::log((1 + n) / (1 + static_cast<double>(texts[i]))) + 1)
                   : 1.0f;
  }
  return scale;
}

// ln((p / |p|) / (q / |q|)), where p and q are 1 + the number of texts of the class and of the
// rest.
std::vector<double> log_count_ratios(const std::vector<SparseRow>& values,
                                     const std::vector<double>& targets, std::size_t columns) {
  std::vector<double> p(columns, 1), q(columns, 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& counts = targets[i] > 0 ? p : q;
    for (const auto& [column, value] : values[i]) ++counts[static_cast<std::size_t>(column)];
  }
  double p_sum = 0, q_sum = 0;
  for (std::size_t f = 0; f < columns; ++f) {
    p_sum += p[f];
    q_sum += q[f];
  }
  for (std::size_t f = 0; f < columns; ++f) p[f] = std::log((p[f] / p_sum) / (q[f] / q_sum));
  return p;
}

}  // namespace

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

std::vector<std::int32_t> all_classes(std::int64_t count) {
  std::vector<std::int32_t> classes(static_cast<std::size_t>(count));
  std::iota(classes.begin(), classes.end(), 0);
  return classes;
}

std::vector<bool> word_columns(const NgramTable& table) {
  std::vector<bool> words;
  for (const auto key : table.keys()) words.push_back(NgramKey(key).kind() == NgramKind::kWords);
  return words;
}

LinearMember fit(const LabelledRows& rows, std::span<const std::int64_t> used,
                 std::span<const std::int32_t> of_classes, const NgramTable& table,
                 const MemberConfig& config) {
  set_print_string_function(ignore);
  const auto columns = static_cast<std::size_t>(table.size());
  const auto classes = of_classes.size();
  LinearMember member{.config = config,
                      .classes = std::ssize(of_classes),
                      .scale = scale_of(rows, used, table, config),
                      .weights = std::vector<std::uint16_t>(columns * classes),
                      .bias = std::vector<float>(classes)};
  const auto is_word = word_columns(table);
  std::vector<SparseRow> values;
  for (const auto row : used) {
    values.push_back(row_of(config.weighting, member.scale, is_word,
                            rows.columns[static_cast<std::size_t>(row)]));
    values.back().shrink_to_fit();
  }
  Problem problem(values, table.size());
  const bool ratios = config.weighting == Weighting::kNaiveBayes;
  std::vector<double> factors(columns, 1);
  // Of two classes the second has the weights of the first with the other sign.
  const bool mirrored = classes == 2 && !rows.targets.several;
  const std::size_t solved = mirrored ? 1 : classes;
  for (std::size_t c = 0; c < solved; ++c) {
    auto& targets = problem.targets();
    bool some = false, all = true;
    for (std::size_t i = 0; i < used.size(); ++i) {
      const auto labels = rows.targets.of(used[i]);
      const bool is_class = std::binary_search(labels.begin(), labels.end(), of_classes[c]);
      targets[i] = is_class ? 1 : -1;
      some = some || is_class;
      all = all && is_class;
    }
    if (!some || all) {
      member.bias[c] = some ? 1 : -1;
      continue;
    }
    if (ratios) {
      factors = log_count_ratios(values, targets, columns);
      problem.set_values(factors);
    }
    const auto weights = problem.solve(ratios ? L2R_LR_DUAL : L2R_L2LOSS_SVC_DUAL, config.c);
    for (std::size_t f = 0; f < columns; ++f) {
      member.weights[f * classes + c] = to_bfloat16(static_cast<float>(weights[f] * factors[f]));
    }
    member.bias[c] = static_cast<float>(weights[columns]);
  }
  if (mirrored) {
    member.bias[1] = -member.bias[0];
    for (std::size_t f = 0; f < columns; ++f) {
      member.weights[2 * f + 1] = member.weights[2 * f] ^ 0x8000;  // the sign bit
    }
  }
  return member;
}

std::vector<double> scores(const LinearMember& member, const LabelledRows& rows,
                           std::span<const std::int64_t> used, const NgramTable& table) {
  const auto is_word = word_columns(table);
  const auto classes = static_cast<std::size_t>(member.classes);
  std::vector<double> result(used.size() * classes);
  for (std::size_t i = 0; i < used.size(); ++i) {
    member.add_scores(row_of(member.config.weighting, member.scale, is_word,
                             rows.columns[static_cast<std::size_t>(used[i])]),
                      std::span(result).subspan(i * classes, classes));
  }
  return result;
}

}  // namespace fastformer::linear
