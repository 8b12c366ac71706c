#include "preprocessing/impute.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/gil.hpp"
#include "bindings/preprocessing_result.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::preprocessing_impute {
namespace {

using preprocessing::value_counts;

// A list of (values, counts), one a column; None to decline.
py::object values_of(py::handle X) {
    const auto x = as_matrix(X);
    if (!x) return py::none();
    std::optional<std::vector<value_counts>> result;
    {
        const gil_scope scope(x->rows * x->columns, 16);
        result = preprocessing::values_of(*x);
    }
    if (!result) return py::none();
    py::list columns(result->size());
    std::size_t place = 0;
    std::for_each(result->begin(), result->end(), [&](const value_counts& column) {
        columns[place++] =
            py::make_tuple(to_array<double>(column.values), to_array<std::int64_t>(column.counts));
    });
    return columns;
}

// False to decline: infinity, NaN that is not missing, or what is no matrix of numbers.
bool fill_into(py::handle X, const std::vector<double>& values, double missing, py::handle out) {
    const auto x = as_matrix(X);
    if (!x) return false;
    if (static_cast<std::int64_t>(values.size()) != x->columns)
        throw argument_error("values has " + std::to_string(values.size()) +
                             " numbers, but must have one for each of " +
                             std::to_string(x->columns) + " columns");
    const auto result = result_of(*x, out);
    const gil_scope scope(x->rows * x->columns);
    return preprocessing::fill_into(*x, values, missing, result);
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_impute

void mlestar::bindings::add_preprocessing_impute(py::module_& module) {
    using namespace preprocessing_impute;
    module.def("values_of", values_of, py::arg("X"));
    module.def("fill_into", fill_into, py::arg("X"), py::arg("values"), py::arg("missing"),
               py::arg("out"));
}
