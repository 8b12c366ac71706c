#include <pybind11/stl.h>

#include <algorithm>
#include <iterator>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/regression.hpp"
#include "metrics/regression_quantile.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_regression {
namespace {

// The error of a single output is a float, those of several an array.
py::object as_outputs(const std::optional<std::vector<double>>& result) {
    if (!result) return py::none();
    if (result->size() == 1) return py::float_(result->front());
    return to_array<double>(*result);
}

py::object mean_error_of(metrics::error_kind kind, py::handle y_true, py::handle y_pred,
                         py::handle weight, double parameter) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(t->rows * t->columns);
        result = metrics::mean_error(kind, *t, *p, *w, parameter);
    }
    return as_outputs(result);
}

template <metrics::error_kind Kind>
py::object mean_error(py::handle y_true, py::handle y_pred, py::handle weight) {
    return mean_error_of(Kind, y_true, y_pred, weight, 0.0);
}

template <metrics::error_kind Kind>
py::object mean_error_with(py::handle y_true, py::handle y_pred, py::handle weight,
                           double parameter) {
    return mean_error_of(Kind, y_true, y_pred, weight, parameter);
}

py::object tweedie_of_mean(py::handle y, py::handle weight, double power) {
    const auto t = as_vector(y, true);
    const auto w = as_optional(weight);
    if (!t || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(t->size);
        result = metrics::tweedie_of_mean(*t, *w, power);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

metrics::error_request request_of(const std::pair<std::string, double>& named) {
    using metrics::error_kind;
    const auto& [name, parameter] = named;
    if (name == "squared") return {error_kind::squared, parameter};
    if (name == "absolute") return {error_kind::absolute, parameter};
    if (name == "squared_log") return {error_kind::squared_log, parameter};
    if (name == "percentage") return {error_kind::percentage, parameter};
    if (name == "pinball") return {error_kind::pinball, parameter};
    if (name == "tweedie") return {error_kind::tweedie, parameter};
    throw argument_error("errors names '" + name +
                         "', but every name must be squared, absolute, squared_log, percentage, "
                         "pinball or tweedie");
}

// ([mean error of each output] for each error, residual sums, total sums) from one pass.
py::object mean_errors(const std::vector<std::pair<std::string, double>>& errors, bool with_r2,
                       py::handle y_true, py::handle y_pred, py::handle weight) {
    std::vector<metrics::error_request> requests;
    std::transform(errors.begin(), errors.end(), std::back_inserter(requests), request_of);
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<metrics::error_means> result;
    {
        const gil_scope scope(t->rows * t->columns);
        result = metrics::mean_errors(requests, with_r2, *t, *p, *w);
    }
    if (!result) return py::none();
    return py::make_tuple(result->means, to_array<double>(result->residual),
                          to_array<double>(result->total));
}

py::object max_error(py::handle y_true, py::handle y_pred) {
    const auto t = as_vector(y_true, true);
    const auto p = as_vector(y_pred, true);
    if (!t || !p) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(t->size);
        result = metrics::max_error(*t, *p);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

// Of y, or of |y - y_pred| where that is not None.
py::object quantile(py::handle y, py::handle y_pred, py::handle weight, double fraction) {
    const auto t = as_vector(y, true);
    const auto p = y_pred.is_none() ? vector_view{} : as_vector(y_pred, true);
    const auto w = as_optional(weight);
    if (!t || !p || !w || !(fraction >= 0.0 && fraction <= 1.0)) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(t->size * 4);
        result = metrics::quantile(*t, *p, *w, fraction);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

// (residual sums, total sums, means of y), one value an output.
py::object explained_about(py::handle y_true, py::handle y_pred, py::handle weight, bool centred) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<metrics::explained_sums> result;
    {
        const gil_scope scope(t->rows * t->columns);
        result = metrics::explained(*t, *p, *w, centred);
    }
    if (!result) return py::none();
    if (result->residual.size() == 1)
        return py::make_tuple(result->residual.front(), result->total.front(),
                              result->mean.front());
    return py::make_tuple(to_array<double>(result->residual), to_array<double>(result->total),
                          to_array<double>(result->mean));
}

py::object explained(py::handle y_true, py::handle y_pred, py::handle weight) {
    return explained_about(y_true, y_pred, weight, false);
}

py::object explained_variance(py::handle y_true, py::handle y_pred, py::handle weight) {
    return explained_about(y_true, y_pred, weight, true);
}

}  // namespace
}  // namespace mlestar::bindings::metrics_regression

void mlestar::bindings::add_metrics_regression(py::module_& module) {
    using namespace metrics_regression;
    using metrics::error_kind;
    const auto define = [&](const char* name, auto function) {
        module.def(name, function, py::arg("y_true"), py::arg("y_pred"), py::arg("weight"));
    };
    define("mean_squared_error", mean_error<error_kind::squared>);
    define("mean_absolute_error", mean_error<error_kind::absolute>);
    define("mean_squared_log_error", mean_error<error_kind::squared_log>);
    define("mean_absolute_percentage_error", mean_error<error_kind::percentage>);
    define("explained", explained);
    define("explained_variance", explained_variance);
    module.def("mean_pinball_loss", mean_error_with<error_kind::pinball>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"), py::arg("alpha"));
    module.def("mean_tweedie_deviance", mean_error_with<error_kind::tweedie>, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"), py::arg("power"));
    module.def("tweedie_of_mean", tweedie_of_mean, py::arg("y"), py::arg("weight"),
               py::arg("power"));
    module.def("mean_errors", mean_errors, py::arg("errors"), py::arg("with_r2"), py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"));
    module.def("max_error", max_error, py::arg("y_true"), py::arg("y_pred"));
    module.def("quantile", quantile, py::arg("y"), py::arg("y_pred"), py::arg("weight"),
               py::arg("fraction"));
}
