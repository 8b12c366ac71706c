#include "metrics/retrieval.hpp"

#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::metrics_retrieval {
namespace {

using metrics::retrieval_metric;

py::object as_number(const std::optional<double>& found) {
    return found ? py::object(py::float_(*found)) : py::none();
}

template <retrieval_metric Metric>
py::object mean_over_rows(py::handle y_true, py::handle score, py::handle weight) {
    const auto t = as_matrix(y_true);
    const auto s = as_matrix(score);
    const auto w = as_optional(weight);
    if (!t || !s || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(s->rows * s->columns * 4);
        result = metrics::mean_over_rows(Metric, *t, *s, *w);
    }
    return as_number(result);
}

py::object discounted_gain(py::handle gain, py::handle score, py::handle weight,
                           py::handle discount, bool ignore_ties, bool normalized) {
    const auto g = as_matrix(gain);
    const auto s = as_matrix(score);
    const auto w = as_optional(weight);
    const auto d = as_vector(discount);
    if (!g || !s || !w || !d) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(s->rows * s->columns * 10);
        result = metrics::discounted_gain(*g, *s, *w, *d, ignore_ties, normalized);
    }
    return as_number(result);
}

py::object top_k_accuracy(py::handle codes, py::handle score, py::handle weight, std::int64_t k,
                          bool normalize) {
    const auto c = as_vector(codes);
    const auto s = as_matrix(score);
    const auto w = as_optional(weight);
    if (!c || !s || !w) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(s->rows * s->columns);
        result = metrics::top_k_accuracy(*c, *s, *w, k, normalize);
    }
    return as_number(result);
}

}  // namespace
}  // namespace mlestar::bindings::metrics_retrieval

void mlestar::bindings::add_metrics_retrieval(py::module_& module) {
    using namespace metrics_retrieval;
    const auto define = [&](const char* name, auto function) {
        module.def(name, function, py::arg("y_true"), py::arg("score"), py::arg("weight"));
    };
    define("coverage_error", mean_over_rows<retrieval_metric::coverage>);
    define("label_ranking_average_precision", mean_over_rows<retrieval_metric::average_precision>);
    define("label_ranking_loss", mean_over_rows<retrieval_metric::ranking_loss>);
    module.def("discounted_gain", discounted_gain, py::arg("gain"), py::arg("score"),
               py::arg("weight"), py::arg("discount"), py::arg("ignore_ties"),
               py::arg("normalized"));
    module.def("top_k_accuracy", top_k_accuracy, py::arg("codes"), py::arg("score"),
               py::arg("weight"), py::arg("k"), py::arg("normalize"));
}
