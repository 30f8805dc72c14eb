// The module fastformer._runtime: what fastformer/__init__.py stands on.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "fastformer/runtime/classifier.h"
#include "fastformer/runtime/explanation_json.h"
#include "metrics_bindings.h"

namespace nb = nanobind;

namespace {

using fastformer::python::array_of;
using fastformer::runtime::Classifier;
using Texts = std::vector<std::string>;

std::vector<fastformer::Prediction> predictions(const Classifier& classifier, const Texts& texts) {
  const nb::gil_scoped_release released;
  return classifier.classify(std::span(texts));
}

}  // namespace

NB_MODULE(_runtime, module) {
  module.attr("__version__") = FASTFORMER_VERSION;
  fastformer::python::bind_metrics(module);
  nb::class_<Classifier>(module, "Classifier")
      .def_static(
          "load",
          [](const std::string& path, int threads, std::int64_t max_batch_tokens) {
            const nb::gil_scoped_release released;
            return Classifier::load(path,
                                    {.threads = threads, .max_batch_tokens = max_batch_tokens});
          },
          nb::arg("path"), nb::arg("threads"), nb::arg("max_batch_tokens"))
      .def_prop_ro("labels", [](const Classifier& self) { return self.frame().labels; })
      .def_prop_ro("multi_label",
                   [](const Classifier& self) { return self.frame().several_labels(); })
      .def_prop_ro("width", [](const Classifier& self) { return self.network().width(); })
      .def("probabilities",
           [](const Classifier& self, const Texts& texts) {
             std::vector<double> values;
             values.reserve(texts.size() * self.frame().labels.size());
             for (const auto& one : predictions(self, texts)) {
               values.insert(values.end(), one.probabilities.begin(), one.probabilities.end());
             }
             return array_of(std::move(values), self.frame().labels.size());
           })
      .def("labels_of",
           [](const Classifier& self, const Texts& texts) {
             std::vector<std::vector<std::string>> labels;
             for (auto& one : predictions(self, texts)) labels.push_back(std::move(one.labels));
             return labels;
           })
      .def("top",
           [](const Classifier& self, const Texts& texts, std::size_t k) {
             std::vector<std::vector<std::pair<std::string, double>>> top;
             for (const auto& one : predictions(self, texts)) top.push_back(self.top(one, k));
             return top;
           })
      .def("embed",
           [](const Classifier& self, const Texts& texts) {
             fastformer::Vectors vectors;
             {
               const nb::gil_scoped_release released;
               vectors = self.embed(std::span(texts));
             }
             return array_of(std::move(vectors.values), vectors.width);
           })
      .def("explain", [](const Classifier& self, const std::string& text) {
        const nb::gil_scoped_release released;
        return fastformer::runtime::explanation_json(self, text);
      });
}
