#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/method.hpp"
#include "bindings/rooms.hpp"
#include "ensemble/greedy.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::ensemble_greedy {
namespace {

using ensemble::greedy_metric;
using ensemble::greedy_selection;

greedy_metric metric_of(const std::string& name) {
    if (name == "log_loss") return greedy_metric::log_loss;
    if (name == "rmse") return greedy_metric::rmse;
    if (name == "roc_auc") return greedy_metric::roc_auc;
    throw argument_error("metric is '" + name + "', but must be log_loss, rmse or roc_auc");
}

matrix_view prediction_of(const py::handle& object) {
    const auto view = as_matrix(object);
    if (!view)
        throw argument_error("predictions must be numeric arrays of one or two axes, not empty");
    return *view;
}

std::unique_ptr<greedy_selection> make(const std::string& metric, const py::list& predictions,
                                       py::handle y, py::handle weight) {
    const auto target = as_vector(y);
    const auto w = as_optional(weight);
    if (!target) throw argument_error("y must be a numeric array of one axis, not empty");
    if (!w) throw argument_error("sample_weight must be a numeric array of one axis or None");
    std::vector<matrix_view> views(predictions.size());
    std::transform(predictions.begin(), predictions.end(), views.begin(), prediction_of);
    const gil_scope scope(static_cast<std::int64_t>(views.size()) * target->size);
    return std::make_unique<greedy_selection>(metric_of(metric), views, *target, *w);
}

py::array_t<double> candidate_errors(const greedy_selection& selection) {
    std::vector<double> errors;
    {
        const gil_scope scope(selection.work());
        errors = selection.candidate_errors();
    }
    return to_array<double>(errors);
}

}  // namespace
}  // namespace mlestar::bindings::ensemble_greedy

void mlestar::bindings::add_ensemble_greedy(py::module_& module) {
    using namespace ensemble_greedy;
    py::class_<greedy_selection>(module, "GreedySelection")
        .def(py::init(&make), py::arg("metric"), py::arg("predictions"), py::arg("y"),
             py::arg("weight"))
        .def("candidate_errors", candidate_errors)
        .def("add", method(&greedy_selection::add), py::arg("model"));
}
