#include "fastformer/run/answers.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "fastformer/base/format.h"
#include "fastformer/data/line_stream.h"
#include "fastformer/data/table_text.h"
#include "fastformer/runtime/classifier.h"
#include "fastformer/runtime/explanation_json.h"

namespace fastformer::run {
namespace {

using Texts = std::vector<std::string>;

// The lines of the input in batches; one by one for a person at a terminal.
void for_each_batch(const std::string& input, const std::function<void(const Texts&)>& use) {
  constexpr std::size_t kMostTexts = 4096, kMostBytes = std::size_t{1} << 22;
  const bool waits = input == "-" && isatty(STDIN_FILENO) != 0;
  data::LineStream lines(input);
  Texts texts;
  std::size_t bytes = 0;
  const auto pass = [&] {
    if (!texts.empty()) use(texts);
    texts.clear();
    bytes = 0;
    if (!std::cout.flush()) {
      throw std::runtime_error("standard output: cannot be written; check the free space");
    }
  };
  for (std::string line; lines.next(line);) {
    bytes += line.size();
    texts.push_back(std::move(line));
    if (waits || texts.size() == kMostTexts || bytes >= kMostBytes) pass();
  }
  pass();
}

std::string class_cells(const runtime::Classifier& classifier, const Prediction& prediction,
                        std::size_t top) {
  std::string cells;
  for (const auto& [label, probability] : classifier.top(prediction, top)) {
    cells += data::tsv_cell(label) + base::format("\t%.4f\t", probability);
  }
  return cells;
}

// The predicted labels in one cell, and their probabilities in another.
std::string label_cells(const runtime::Classifier& classifier, const Prediction& prediction) {
  std::string labels, probabilities;
  for (const auto& [label, probability] :
       classifier.top(prediction, classifier.frame().labels.size())) {
    if (std::ranges::find(prediction.labels, label) == prediction.labels.end()) continue;
    labels += (labels.empty() ? "" : ";") + label;
    probabilities += (probabilities.empty() ? "" : ";") + base::format("%.4f", probability);
  }
  return (labels.empty() ? "none" : data::tsv_cell(labels)) + "\t" + probabilities + "\t";
}

}  // namespace

void classify(const Request& request) {
  const auto classifier = runtime::Classifier::load(request.model, request.options);
  for_each_batch(request.input, [&](const Texts& texts) {
    const auto predictions = classifier.classify(texts);
    std::string out;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      out += classifier.frame().several_labels()
                 ? label_cells(classifier, predictions[i])
                 : class_cells(classifier, predictions[i], request.top);
      out += data::tsv_cell(texts[i]) + "\n";
    }
    std::cout << out;
  });
}

void explain(const Request& request) {
  const auto classifier = runtime::Classifier::load(request.model, request.options);
  for_each_batch(request.input, [&](const Texts& texts) {
    for (const auto& text : texts) {
      std::cout << runtime::explanation_json(classifier, text) << "\n";
    }
  });
}

void embed(const Request& request) {
  const auto classifier = runtime::Classifier::load(request.model, request.options);
  for_each_batch(request.input, [&](const Texts& texts) {
    const auto vectors = classifier.embed(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::string out;
      for (const float value : vectors.row(i)) {
        out += (out.empty() ? "" : "\t") + base::format("%.9g", static_cast<double>(value));
      }
      std::cout << out << "\n";
    }
  });
}

}  // namespace fastformer::run
