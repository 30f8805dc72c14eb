#pragma once

#include <nanobind/nanobind.h>

namespace fastformer::python {

namespace nb = nanobind;

/// Adds `rouge`, `rank` and `ranking_metrics` to the module.
void bind_metrics(nb::module_& module);

}  // namespace fastformer::python
