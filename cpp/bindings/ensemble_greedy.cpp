#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/callback.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/method.hpp"
#include "bindings/rooms.hpp"
#include "ensemble/greedy.hpp"
#include "ensemble/greedy_callback.hpp"
#include "ensemble/greedy_labels.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::ensemble_greedy {
namespace {

using ensemble::callback_selection;
using ensemble::greedy_metric;
using ensemble::greedy_selection;
using ensemble::label_selection;

greedy_metric metric_of(const std::string& name) {
    if (name == "log_loss") return greedy_metric::log_loss;
    if (name == "rmse") return greedy_metric::rmse;
    if (name == "mse") return greedy_metric::mse;
    if (name == "brier") return greedy_metric::brier;
    if (name == "roc_auc") return greedy_metric::roc_auc;
    if (name == "average_precision") return greedy_metric::average_precision;
    throw argument_error("metric is '" + name +
                         "', but must be log_loss, rmse, mse, brier, roc_auc or average_precision");
}

matrix_view prediction_of(const py::handle& object) {
    const auto view = as_matrix(object);
    if (!view || view->columns == 0)
        throw argument_error("predictions must be numeric arrays of one or two axes, not empty");
    return *view;
}

std::unique_ptr<greedy_selection> make(const std::string& metric, const py::list& predictions,
                                       py::handle y, py::handle weight, std::int64_t most_kept) {
    const auto target = as_vector(y);
    const auto w = as_optional(weight);
    if (!target) throw argument_error("y must be a numeric array of one axis, not empty");
    if (!w) throw argument_error("sample_weight must be a numeric array of one axis or None");
    std::vector<matrix_view> views(predictions.size());
    std::transform(predictions.begin(), predictions.end(), views.begin(), prediction_of);
    const gil_scope scope(static_cast<std::int64_t>(views.size()) * target->size);
    return std::make_unique<greedy_selection>(metric_of(metric), std::move(views), *target, *w,
                                              most_kept);
}

py::array_t<double> candidate_errors(const greedy_selection& selection) {
    std::vector<double> errors;
    {
        const gil_scope scope(selection.work());
        errors = selection.candidate_errors();
    }
    return to_array<double>(errors);
}

std::unique_ptr<label_selection> make_labels(const py::list& predictions, py::handle y,
                                             py::handle weight) {
    const auto target = as_vector(y);
    const auto w = as_optional(weight);
    if (!target) throw argument_error("y must be a numeric array of one axis, not empty");
    if (!w) throw argument_error("sample_weight must be a numeric array of one axis or None");
    std::vector<matrix_view> views(predictions.size());
    std::transform(predictions.begin(), predictions.end(), views.begin(), prediction_of);
    const gil_scope scope(static_cast<std::int64_t>(views.size()) * target->size);
    return std::make_unique<label_selection>(std::move(views), *target, *w);
}

py::array candidate_tables(const label_selection& selection) {
    std::vector<double> tables;
    {
        const gil_scope scope(selection.work());
        tables = selection.candidate_tables();
    }
    return to_array<double>(tables).reshape(
        {selection.models(), selection.classes(), selection.classes()});
}

using doubles = contiguous<double>;

// The code that the capsule points to must outlive the selection: mlestar.ensemble sees to that.
std::unique_ptr<callback_selection> make_callback(const py::capsule& metric, double sign,
                                                  const doubles& predictions, const doubles& y,
                                                  const std::optional<doubles>& weight) {
    if (predictions.ndim() != 2 || predictions.shape(1) != y.size() ||
        (weight && weight->size() != y.size()))
        throw argument_error(
            "predictions, y and weight must be of shapes (models, rows), (rows,) and (rows,)");
    return std::make_unique<callback_selection>(callback_of(metric), sign, predictions.data(),
                                                predictions.shape(0), y.data(),
                                                weight ? weight->data() : nullptr, y.size());
}

py::tuple callback_errors(const callback_selection& selection) {
    callback_selection::errors found;
    {
        const callback_scope scope;
        found = selection.candidate_errors();
    }
    py::object failed = py::none();
    if (found.failed >= 0) failed = py::int_(found.failed);
    return py::make_tuple(to_array<double>(found.values), failed);
}

doubles mean_with(const callback_selection& selection, std::int64_t model) {
    doubles mean(selection.rows());
    selection.mean_with(model, mean.mutable_data());
    return mean;
}

}  // namespace
}  // namespace mlestar::bindings::ensemble_greedy

void mlestar::bindings::add_ensemble_greedy(py::module_& module) {
    using namespace ensemble_greedy;
    py::class_<greedy_selection>(module, "GreedySelection")
        .def(py::init(&make), py::arg("metric"), py::arg("predictions"), py::arg("y"),
             py::arg("weight"), py::arg("most_kept") = std::int64_t{1} << 30,
             py::keep_alive<1, 3>())
        .def("candidate_errors", candidate_errors)
        .def("add", method(&greedy_selection::add), py::arg("model"));
    py::class_<label_selection>(module, "LabelSelection")
        .def(py::init(&make_labels), py::arg("predictions"), py::arg("y"), py::arg("weight"),
             py::keep_alive<1, 2>())
        .def("candidate_tables", candidate_tables)
        .def("add", method(&label_selection::add), py::arg("model"));
    py::class_<callback_selection>(module, "CallbackSelection")
        .def(py::init(&make_callback), py::arg("metric"), py::arg("sign"), py::arg("predictions"),
             py::arg("y"), py::arg("weight"))
        .def("candidate_errors", callback_errors)
        .def("mean_with", mean_with, py::arg("model"))
        .def("add", method(&callback_selection::add), py::arg("model"));
}
