#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/classification.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_classification {
namespace {

py::object accuracy(py::handle y_true, py::handle y_pred, py::handle weight, bool normalize) {
    const auto t = as_vector(y_true);
    const auto p = as_vector(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(t->size);
        result = metrics::accuracy(*t, *p, *w, normalize);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

// (labels, matrix): the matrix is int64 unless the weights are fractions.
py::object confusion_matrix(py::handle y_true, py::handle y_pred, py::handle weight) {
    const auto t = as_vector(y_true);
    const auto p = as_vector(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<metrics::confusion> result;
    {
        const gil_scope scope(t->size);
        result = metrics::confusion_matrix(*t, *p, *w);
    }
    if (!result) return py::none();
    const bool whole = !*w || !is_floating(w->type);
    const auto n = static_cast<py::ssize_t>(result->labels.size());
    const py::array cells = whole ? py::array(to_array<std::int64_t>(result->cells))
                                  : py::array(to_array<double>(result->cells));
    return py::make_tuple(to_array<std::int64_t>(result->labels), cells.attr("reshape")(n, n));
}

metrics::average average_of(const std::string& name) {
    if (name == "none") return metrics::average::none;
    if (name == "binary") return metrics::average::binary;
    if (name == "micro") return metrics::average::micro;
    if (name == "macro") return metrics::average::macro;
    if (name == "weighted") return metrics::average::weighted;
    throw argument_error("average is '" + name +
                         "', but must be none, binary, micro, macro or weighted");
}

// (precision, recall, fscore, support, undefined, unseen labels, terms): arrays for average "none",
// else floats; `undefined` says of each of the three whether a denominator was zero.
py::object precision_recall_fscore(py::handle y_true, py::handle y_pred, py::handle weight,
                                   double beta, const std::string& average, std::int64_t positive,
                                   std::optional<std::vector<std::int64_t>> labels,
                                   double zero_division) {
    const auto t = as_vector(y_true);
    const auto p = as_vector(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    const metrics::fscore_options options{beta, average_of(average), positive, std::move(labels),
                                          zero_division};
    std::optional<metrics::fscores> result;
    {
        const gil_scope scope(t->size);
        result = metrics::precision_recall_fscore(*t, *p, *w, options);
    }
    if (!result) return py::none();
    const auto undefined = py::make_tuple(result->precision_undefined, result->recall_undefined,
                                          result->fscore_undefined);
    if (options.mode != metrics::average::none)
        return py::make_tuple(result->precision[0], result->recall[0], result->fscore[0],
                              py::none(), undefined, result->unseen, result->terms);
    const py::array support = *w ? py::array(to_array<double>(result->support))
                                 : py::array(to_array<std::int64_t>(result->support));
    return py::make_tuple(to_array<double>(result->precision), to_array<double>(result->recall),
                          to_array<double>(result->fscore), support, undefined, result->unseen,
                          result->terms);
}

}  // namespace
}  // namespace mlestar::bindings::metrics_classification

void mlestar::bindings::add_metrics_classification(py::module_& module) {
    using namespace metrics_classification;
    module.def("accuracy", accuracy, py::arg("y_true"), py::arg("y_pred"), py::arg("weight"),
               py::arg("normalize"));
    module.def("confusion_matrix", confusion_matrix, py::arg("y_true"), py::arg("y_pred"),
               py::arg("weight"));
    module.def("precision_recall_fscore", precision_recall_fscore, py::arg("y_true"),
               py::arg("y_pred"), py::arg("weight"), py::arg("beta"), py::arg("average"),
               py::arg("positive"), py::arg("labels"), py::arg("zero_division"));
}
