#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/ranking.hpp"

namespace mlestar::bindings::metrics_ranking {
namespace {

// Sorting a row costs about as much as reading ten.
constexpr std::int64_t work_per_row = 10;

py::object roc_auc(py::handle y_true, py::handle score, py::handle weight) {
    const auto y = as_vector(y_true);
    const auto s = as_vector(score);
    const auto w = as_optional(weight);
    if (!y || !s || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(y->size, work_per_row);
        result = metrics::roc_auc(*y, *s, *w);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

py::object average_precision(py::handle y_true, py::handle score, py::handle weight,
                             std::int64_t positive) {
    const auto y = as_vector(y_true);
    const auto s = as_vector(score);
    const auto w = as_optional(weight);
    if (!y || !s || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(y->size, work_per_row);
        result = metrics::average_precision(*y, *s, *w, positive);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

}  // namespace
}  // namespace mlestar::bindings::metrics_ranking

void mlestar::bindings::add_metrics_ranking(py::module_& module) {
    using namespace metrics_ranking;
    module.def("roc_auc", roc_auc, py::arg("y_true"), py::arg("score"), py::arg("weight"));
    module.def("average_precision", average_precision, py::arg("y_true"), py::arg("score"),
               py::arg("weight"), py::arg("positive"));
}
