#pragma once

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

namespace fastformer::python {

/// Adds the class `Classifier` to the module. C is a C++ classifier, and runtime_of(const C&) what
/// predicts with it; `load` is called without the GIL.
template <class C, class RuntimeOf>
void bind_classifier(nb::module_& module, const RuntimeOf& runtime_of) {
  using Texts = std::vector<std::string>;
  const auto predictions = [runtime_of](const C& self, const Texts& texts) {
    const nb::gil_scoped_release released;
    return runtime_of(self).classify(std::span(texts));
  };
  nb::class_<C>(module, "Classifier")
      .def_static("load",
                  [](const std::string& path, int threads, std::int64_t max_batch_tokens) {
                    const nb::gil_scoped_release released;
                    return C::load(path,
                                   {.threads = threads, .max_batch_tokens = max_batch_tokens});
                  })
      .def_prop_ro("labels", [=](const C& self) { return runtime_of(self).frame().labels; })
      .def_prop_ro("multi_label",
                   [=](const C& self) { return runtime_of(self).frame().several_labels(); })
      .def_prop_ro("width", [=](const C& self) { return runtime_of(self).network().width(); })
      .def("probabilities",
           [=](const C& self, const Texts& texts) {
             const auto labels = runtime_of(self).frame().labels.size();
             std::vector<double> values;
             values.reserve(texts.size() * labels);
             for (const auto& one : predictions(self, texts)) {
               values.insert(values.end(), one.probabilities.begin(), one.probabilities.end());
             }
             return array_of(std::move(values), labels);
           })
      .def("labels_of",
           [=](const C& self, const Texts& texts) {
             std::vector<std::vector<std::string>> labels;
             for (auto& one : predictions(self, texts)) labels.push_back(std::move(one.labels));
             return labels;
           })
      .def("top",
           [=](const C& self, const Texts& texts, std::size_t k) {
             std::vector<std::vector<std::pair<std::string, double>>> top;
             for (const auto& one : predictions(self, texts)) {
               top.push_back(runtime_of(self).top(one, k));
             }
             return top;
           })
      .def("embed",
           [=](const C& self, const Texts& texts) {
             Vectors vectors;
             {
               const nb::gil_scoped_release released;
               vectors = runtime_of(self).embed(std::span(texts));
             }
             return array_of(std::move(vectors.values), vectors.width);
           })
      .def("explain", [=](const C& self, const std::string& text) {
        const nb::gil_scoped_release released;
        return runtime::explanation_json(runtime_of(self), text);
      });
}

}  // namespace fastformer::python
