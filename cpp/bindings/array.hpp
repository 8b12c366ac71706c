// NumPy arrays as the core's views: named once, checked once. What does not fit is not an error
// here: the caller gets nothing and leaves the call to scikit-learn.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <vector>

#include "metrics/labels.hpp"
#include "support/span.hpp"

namespace mlestar::bindings {

namespace py = pybind11;

// The core's dtype for an array in native byte order; nothing for any other (object, string,
// complex, ...).
std::optional<dtype> dtype_of(const py::array& array);

// One axis. Also a single column (n, 1) where `allow_column`.
std::optional<vector_view> as_vector(py::handle object, bool allow_column = false);

// None gives an empty view.
std::optional<vector_view> as_optional(py::handle object);

// Two axes; one axis counts as a single column.
std::optional<matrix_view> as_matrix(py::handle object);

std::optional<metrics::string_array> as_strings(py::handle object);

// A new one-dimensional array with a copy of the values.
template <class T, class Source>
py::array_t<T> to_array(const std::vector<Source>& values) {
    py::array_t<T> result(static_cast<py::ssize_t>(values.size()));
    std::transform(values.begin(), values.end(), result.mutable_data(),
                   [](const Source& value) { return static_cast<T>(value); });
    return result;
}

}  // namespace mlestar::bindings
