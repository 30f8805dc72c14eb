// The module fastformer._runtime, used by fastformer/__init__.py, rouge.py and ranking.py.
#include <nanobind/nanobind.h>

#include "classifier_bindings.h"
#include "metrics_bindings.h"

NB_MODULE(_runtime, module) {
  using fastformer::runtime::Classifier;
  // Objects that live until the interpreter ends are no fault.
  nanobind::set_leak_warnings(false);
  module.attr("__version__") = FASTFORMER_VERSION;
  fastformer::python::bind_classifier<Classifier>(
      module, [](const Classifier& self) -> const Classifier& { return self; });
  fastformer::python::bind_metrics(module);
}
