// Arrays on a GPU as the core's views, by the CUDA array interface (version 2 and 3). What does not
// fit is not an error here: the caller gets nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

#include "cuda/devices.hpp"
#include "support/span.hpp"

namespace mlestar::bindings {

namespace py = pybind11;

struct device_matrix {
    matrix_view view;
    int device = 0;
};

struct device_vector {
    vector_view view;
    int device = 0;
};

// Two axes; one axis counts as a single column.
std::optional<device_matrix> as_device_matrix(py::handle object);

// One axis. None gives an empty view, on the device of nobody (-1).
std::optional<device_vector> as_device_optional(py::handle object);

}  // namespace mlestar::bindings
