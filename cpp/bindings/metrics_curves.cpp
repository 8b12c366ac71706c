#include <pybind11/stl.h>

#include <limits>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/curves.hpp"
#include "metrics/curves.kernels.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_curves {
namespace {

constexpr std::int64_t work_per_row = 10;  // of a metric that only reads

metrics::keep_rule rule_of(const std::string& name) {
    if (name == "all") return metrics::keep_rule::all;
    if (name == "bends") return metrics::keep_rule::bends;
    if (name == "positives") return metrics::keep_rule::positives;
    throw argument_error("rule is '" + name + "', but must be all, bends or positives");
}

py::array new_array(std::int64_t size, bool single) {
    const std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(size)};
    return py::array(single ? py::dtype::of<float>() : py::dtype::of<double>(), shape);
}

std::unique_ptr<metrics::threshold_counts> count(const vector_view& y, const vector_view& score,
                                                 const vector_view& weight,
                                                 std::optional<std::int64_t> positive,
                                                 metrics::keep_rule rule) {
    const gil_scope scope(y.size * work_per_row);
    return metrics::count_at_thresholds(y, score, weight, positive, rule);
}

// (false positives, true positives, thresholds, all negatives, all positives), thresholds
// descending. With `rates`, counts are fractions of all and a first point (0, 0, infinity) leads
// the way; a total of zero leaves counts as they are.
py::object threshold_counts(py::handle y_true, py::handle y_score, py::handle weight,
                            std::optional<std::int64_t> positive, const std::string& rule,
                            bool rates) {
    const auto y = as_vector(y_true);
    const auto s = as_vector(y_score);
    const auto w = as_optional(weight);
    if (!y || !s || !w) return py::none();
    const auto counts = count(*y, *s, *w, positive, rule_of(rule));
    if (!counts) return py::none();
    const std::int64_t lead = rates ? 1 : 0;
    const std::int64_t size = counts->size() + lead;
    const bool single = s->type == dtype::f32;
    py::array_t<double> fps(size), tps(size);
    py::array threshold = new_array(size, single);
    double* const f = fps.mutable_data();
    double* const t = tps.mutable_data();
    void* const at = threshold.mutable_data();
    const double negatives = counts->negatives(), positives = counts->positives();
    {
        const gil_scope scope(y->size);
        counts->write(f, t, at, lead, 1, rates && negatives > 0.0 ? negatives : 1.0,
                      rates && positives > 0.0 ? positives : 1.0, metrics::curve_kind::counts);
    }
    if (rates) {
        f[0] = t[0] = 0.0;
        if (single)
            static_cast<float*>(at)[0] = std::numeric_limits<float>::infinity();
        else
            static_cast<double*>(at)[0] = std::numeric_limits<double>::infinity();
    }
    return py::make_tuple(fps, tps, threshold, negatives, positives);
}

// (precision, recall, thresholds, all positives), thresholds ascending, the last point (1, 0)
// without one. Recall is a count where there is no positive.
py::object precision_recall(py::handle y_true, py::handle y_score, py::handle weight,
                            std::optional<std::int64_t> positive, const std::string& rule) {
    const auto y = as_vector(y_true);
    const auto s = as_vector(y_score);
    const auto w = as_optional(weight);
    if (!y || !s || !w) return py::none();
    const auto counts = count(*y, *s, *w, positive, rule_of(rule));
    if (!counts) return py::none();
    const std::int64_t size = counts->size();
    py::array_t<double> precision(size + 1), recall(size + 1);
    py::array threshold = new_array(size, s->type == dtype::f32);
    double* const p = precision.mutable_data();
    double* const r = recall.mutable_data();
    void* const at = threshold.mutable_data();
    const double positives = counts->positives();
    {
        const gil_scope scope(y->size);
        counts->write(p, r, at, size - 1, -1, 1.0, positives > 0.0 ? positives : 1.0,
                      metrics::curve_kind::precision_recall);
    }
    p[size] = 1.0;
    r[size] = 0.0;
    return py::make_tuple(precision, recall, threshold, positives);
}

py::object trapezoid_area(py::handle x, py::handle y) {
    const auto a = as_vector(x, true);
    const auto b = as_vector(y, true);
    if (!a || !b) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(a->size);
        result = metrics::trapezoid_area(*a, *b);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

}  // namespace
}  // namespace mlestar::bindings::metrics_curves

void mlestar::bindings::add_metrics_curves(py::module_& module) {
    using namespace metrics_curves;
    module.def("threshold_counts", threshold_counts, py::arg("y_true"), py::arg("score"),
               py::arg("weight"), py::arg("positive"), py::arg("rule"), py::arg("rates"));
    module.def("precision_recall", precision_recall, py::arg("y_true"), py::arg("score"),
               py::arg("weight"), py::arg("positive"), py::arg("rule"));
    module.def("trapezoid_area", trapezoid_area, py::arg("x"), py::arg("y"));
}
