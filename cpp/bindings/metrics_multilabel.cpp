#include "metrics/multilabel.hpp"

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::metrics_multilabel {
namespace {

// (hits, predicted, true) of each label, weight of the samples all right, weight of all.
py::object label_counts(py::handle y_true, py::handle y_pred, py::handle weight) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    const auto w = as_optional(weight);
    if (!t || !p || !w) return py::none();
    std::optional<metrics::set_counts> found;
    {
        const gil_scope scope(t->rows * t->columns);
        found = metrics::count_by_label(*t, *p, *w);
    }
    if (!found) return py::none();
    return py::make_tuple(to_array<double>(found->hit), to_array<double>(found->predicted),
                          to_array<double>(found->truth), found->exact, found->weight);
}

// (hits, predicted, true) of each sample.
py::object sample_counts(py::handle y_true, py::handle y_pred) {
    const auto t = as_matrix(y_true);
    const auto p = as_matrix(y_pred);
    if (!t || !p) return py::none();
    std::optional<metrics::set_counts> found;
    {
        const gil_scope scope(t->rows * t->columns);
        found = metrics::count_by_sample(*t, *p);
    }
    if (!found) return py::none();
    return py::make_tuple(to_array<double>(found->hit), to_array<double>(found->predicted),
                          to_array<double>(found->truth));
}

}  // namespace
}  // namespace mlestar::bindings::metrics_multilabel

void mlestar::bindings::add_metrics_multilabel(py::module_& module) {
    using namespace metrics_multilabel;
    module.def("label_counts", label_counts, py::arg("y_true"), py::arg("y_pred"),
               py::arg("weight"));
    module.def("sample_counts", sample_counts, py::arg("y_true"), py::arg("y_pred"));
}
