#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/ranking.hpp"
#include "metrics/ranking_columns.hpp"
#include "support/error.hpp"

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

// (ROC AUC, average precision); the larger label is positive.
py::object roc_auc_and_average_precision(py::handle y_true, py::handle score) {
    const auto y = as_vector(y_true);
    const auto s = as_vector(score);
    if (!y || !s) return py::none();
    std::optional<metrics::ranking_scores> result;
    {
        const gil_scope scope(y->size * work_per_row);
        result = metrics::roc_auc_and_average_precision(*y, *s);
    }
    if (!result) return py::none();
    return py::make_tuple(result->roc_auc, result->average_precision);
}

using metrics::ranking_metric;

ranking_metric metric_of(const std::string& name) {
    if (name == "roc_auc") return ranking_metric::roc_auc;
    if (name == "average_precision") return ranking_metric::average_precision;
    throw argument_error("metric is '" + name + "', but must be roc_auc or average_precision");
}

py::object as_values(const std::optional<std::vector<double>>& found) {
    return found ? py::object(to_array<double>(*found)) : py::none();
}

// One value a class, label or column; NaN where it is undefined.
py::object class_scores(const std::string& metric, py::handle codes, py::handle score,
                        py::handle weight) {
    const auto kind = metric_of(metric);
    const auto c = as_vector(codes);
    const auto s = as_matrix(score);
    const auto w = as_optional(weight);
    if (!c || !s || !w) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(s->rows * s->columns * work_per_row);
        result = metrics::class_scores(kind, *c, *s, *w);
    }
    return as_values(result);
}

py::object label_scores(const std::string& metric, py::handle y_true, py::handle score,
                        py::handle weight) {
    const auto kind = metric_of(metric);
    const auto y = as_matrix(y_true);
    const auto s = as_matrix(score);
    const auto w = as_optional(weight);
    if (!y || !s || !w) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(s->rows * s->columns * work_per_row);
        result = metrics::label_scores(kind, *y, *s, *w);
    }
    return as_values(result);
}

py::object sample_scores(const std::string& metric, py::handle y_true, py::handle score) {
    const auto kind = metric_of(metric);
    const auto y = as_matrix(y_true);
    const auto s = as_matrix(score);
    if (!y || !s) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(s->rows * s->columns * work_per_row);
        result = metrics::sample_scores(kind, *y, *s);
    }
    return as_values(result);
}

// Row a, column b: class a against class b by column a.
py::object pair_scores(py::handle codes, py::handle score) {
    const auto c = as_vector(codes);
    const auto s = as_matrix(score);
    if (!c || !s) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(s->rows * s->columns * work_per_row);
        result = metrics::pair_scores(*c, *s);
    }
    if (!result) return py::none();
    return to_array<double>(*result).attr("reshape")(s->columns, s->columns);
}

bool rows_sum_to_one(py::handle score) {
    const auto s = as_matrix(score);
    if (!s) return false;
    const gil_scope scope(s->rows * s->columns);
    return metrics::rows_sum_to_one(*s);
}

}  // namespace
}  // namespace mlestar::bindings::metrics_ranking

void mlestar::bindings::add_metrics_ranking(py::module_& module) {
    using namespace metrics_ranking;
    module.def("roc_auc", roc_auc, py::arg("y_true"), py::arg("score"), py::arg("weight"));
    module.def("average_precision", average_precision, py::arg("y_true"), py::arg("score"),
               py::arg("weight"), py::arg("positive"));
    module.def("roc_auc_and_average_precision", roc_auc_and_average_precision, py::arg("y_true"),
               py::arg("score"));
    module.def("class_scores", class_scores, py::arg("metric"), py::arg("codes"), py::arg("score"),
               py::arg("weight"));
    module.def("label_scores", label_scores, py::arg("metric"), py::arg("y_true"), py::arg("score"),
               py::arg("weight"));
    module.def("sample_scores", sample_scores, py::arg("metric"), py::arg("y_true"),
               py::arg("score"));
    module.def("pair_scores", pair_scores, py::arg("codes"), py::arg("score"));
    module.def("rows_sum_to_one", rows_sum_to_one, py::arg("score"));
}
