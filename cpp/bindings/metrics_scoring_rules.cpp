#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/scoring_rules.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_scoring_rules {
namespace {

// (score, whether every row of probabilities sums to one)
py::object as_score(const std::optional<metrics::score>& found) {
    return found ? py::object(py::make_tuple(found->value, found->normalized)) : py::none();
}

// Two columns or more go by row; one axis or one column is the probability of the larger label.
py::object log_loss(py::handle y_true, py::handle probability, py::handle weight, py::handle labels,
                    bool normalize) {
    const auto y = as_vector(y_true);
    const auto p = as_matrix(probability);
    const auto w = as_optional(weight);
    const auto l = as_optional(labels);
    if (!y || !p || !w || !l) return py::none();
    std::optional<metrics::score> result;
    {
        const gil_scope scope(p->rows * p->columns);
        result = p->columns == 1 ? metrics::log_loss(*y, p->column(0), *w, *l, normalize)
                                 : metrics::log_loss(*y, *p, *w, *l, normalize);
    }
    return as_score(result);
}

py::object brier_score(py::handle y_true, py::handle probability, py::handle weight,
                       py::handle labels, std::optional<std::int64_t> positive) {
    const auto y = as_vector(y_true);
    const auto p = as_matrix(probability);
    const auto w = as_optional(weight);
    const auto l = as_optional(labels);
    if (!y || !p || !w || !l) return py::none();
    std::optional<metrics::score> result;
    {
        const gil_scope scope(p->rows * p->columns);
        result = p->columns == 1 ? metrics::brier_score(*y, p->column(0), *w, positive)
                                 : metrics::brier_score(*y, *p, *w, *l);
    }
    return as_score(result);
}

// `rule`: log or brier.
py::object indicator_score(const std::string& rule, py::handle y_true, py::handle probability,
                           py::handle weight, bool normalize) {
    if (rule != "log" && rule != "brier")
        throw argument_error("rule is '" + rule + "', but must be log or brier");
    const auto kind = rule == "log" ? metrics::rule::log : metrics::rule::brier;
    const auto y = as_matrix(y_true);
    const auto p = as_matrix(probability);
    const auto w = as_optional(weight);
    if (!y || !p || !w) return py::none();
    std::optional<metrics::score> result;
    {
        const gil_scope scope(p->rows * p->columns);
        result = metrics::indicator_score(kind, *y, *p, *w, normalize);
    }
    return as_score(result);
}

// One axis or one column is the decision value of the larger of two labels.
py::object hinge_loss(py::handle y_true, py::handle decision, py::handle weight,
                      py::handle labels) {
    const auto y = as_vector(y_true);
    const auto d = as_matrix(decision);
    const auto w = as_optional(weight);
    const auto l = as_optional(labels);
    if (!y || !d || !w || !l) return py::none();
    std::optional<double> result;
    {
        const gil_scope scope(d->rows * d->columns);
        result = d->columns == 1 ? metrics::hinge_loss(*y, d->column(0), *w)
                                 : metrics::hinge_loss(*y, *d, *w, *l);
    }
    return result ? py::object(py::float_(*result)) : py::none();
}

}  // namespace
}  // namespace mlestar::bindings::metrics_scoring_rules

void mlestar::bindings::add_metrics_scoring_rules(py::module_& module) {
    using namespace metrics_scoring_rules;
    module.def("log_loss", log_loss, py::arg("y_true"), py::arg("probability"), py::arg("weight"),
               py::arg("labels"), py::arg("normalize"));
    module.def("brier_score", brier_score, py::arg("y_true"), py::arg("probability"),
               py::arg("weight"), py::arg("labels"), py::arg("positive"));
    module.def("indicator_score", indicator_score, py::arg("rule"), py::arg("y_true"),
               py::arg("probability"), py::arg("weight"), py::arg("normalize"));
    module.def("hinge_loss", hinge_loss, py::arg("y_true"), py::arg("decision"), py::arg("weight"),
               py::arg("labels"));
}
