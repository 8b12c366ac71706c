#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/regression.hpp"

namespace mlestar::bindings::metrics_regression {
namespace {

// The error of a single output is a float, those of several an array.
template <metrics::error_kind Kind>
py::object mean_error(py::handle y_true, py::handle y_pred, py::handle weight) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(t->rows * t->columns);
        result = metrics::mean_error(Kind, *t, *p, *w);
    }
    if (!result) return py::none();
    if (result->size() == 1) return py::float_(result->front());
    return to_array<double>(*result);
}

// (residual sums, total sums), one value an output.
py::object explained(py::handle y_true, py::handle y_pred, py::handle weight) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<metrics::explained_sums> result;
    {
        const gil_scope scope(t->rows * t->columns);
        result = metrics::explained(*t, *p, *w);
    }
    if (!result) return py::none();
    if (result->residual.size() == 1)
        return py::make_tuple(result->residual.front(), result->total.front());
    return py::make_tuple(to_array<double>(result->residual), to_array<double>(result->total));
}

}  // namespace
}  // namespace mlestar::bindings::metrics_regression

void mlestar::bindings::add_metrics_regression(py::module_& module) {
    using namespace metrics_regression;
    module.def("mean_squared_error", mean_error<metrics::error_kind::squared>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"));
    module.def("mean_absolute_error", mean_error<metrics::error_kind::absolute>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"));
    module.def("explained", explained, py::arg("y_true"), py::arg("y_pred"), py::arg("weight"));
}
