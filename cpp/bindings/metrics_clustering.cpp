#include <pybind11/stl.h>

#include "bindings/array.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "metrics/clustering.hpp"
#include "metrics/labels.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::metrics_clustering {
namespace {

// Of labels, or of the counts of pairs of clusters where there are any.
std::optional<metrics::contingency> table_of(py::handle labels_true, py::handle labels_pred,
                                             py::handle counts) {
    const auto t = as_vector(labels_true);
    const auto p = as_vector(labels_pred);
    const auto n = as_optional(counts);
    if (!t || !p || !n) return std::nullopt;
    const gil_scope scope(t->size);
    return *n ? metrics::contingency_of(*t, *p, *n) : metrics::contingency_table(*t, *p);
}

// (points, true clusters, predicted clusters, sum of squared cells, of squared sums by row and by
// column, mutual information, entropies of both): what every score of agreement is made of.
py::object agreement(py::handle labels_true, py::handle labels_pred, py::handle counts) {
    const auto table = table_of(labels_true, labels_pred, counts);
    if (!table) return py::none();
    return py::make_tuple(
        table->points, table->row_sums.size(), table->column_sums.size(),
        metrics::sum_of_squares(table->counts), metrics::sum_of_squares(table->row_sums),
        metrics::sum_of_squares(table->column_sums), metrics::mutual_information(*table),
        metrics::entropy(table->row_sums), metrics::entropy(table->column_sums));
}

// (agreement as above, mutual information expected by chance)
py::object chance_agreement(py::handle labels_true, py::handle labels_pred, py::handle counts) {
    const auto table = table_of(labels_true, labels_pred, counts);
    if (!table) return py::none();
    double expected = 0.0;
    {
        const gil_scope scope(release_above);
        expected = metrics::expected_mutual_information(table->row_sums, table->column_sums,
                                                        table->points);
    }
    return py::make_tuple(table->row_sums.size(), table->column_sums.size(),
                          metrics::mutual_information(*table), metrics::entropy(table->row_sums),
                          metrics::entropy(table->column_sums), expected);
}

// `metric`: euclidean, manhattan or precomputed.
py::object silhouettes(py::handle points, py::handle labels, const std::string& metric) {
    using metrics::distance_metric;
    const bool precomputed = metric == "precomputed";
    if (!precomputed && metric != "euclidean" && metric != "manhattan")
        throw argument_error("metric is '" + metric +
                             "', but must be euclidean, manhattan or precomputed");
    const auto kind =
        metric == "manhattan" ? distance_metric::manhattan : distance_metric::euclidean;
    const auto x = as_matrix(points);
    const auto y = as_vector(labels);
    if (!x || !y) return py::none();
    std::optional<std::vector<double>> result;
    {
        const gil_scope scope(x->rows * x->rows);
        const auto codes = metrics::encode_integers(*y, {});
        if (codes) {
            const auto clusters = static_cast<std::int64_t>(codes->values.size());
            result = precomputed ? metrics::silhouettes_precomputed(*x, codes->codes, clusters)
                                 : metrics::silhouettes(kind, *x, codes->codes, clusters);
        }
    }
    return result ? py::object(to_array<double>(*result)) : py::none();
}

// (centres, sums of squared distances to them, mean distances to them, sizes)
py::object cluster_spread(py::handle points, py::handle labels) {
    const auto x = as_matrix(points);
    const auto y = as_vector(labels);
    if (!x || !y) return py::none();
    std::optional<metrics::cluster_spread> result;
    {
        const gil_scope scope(x->rows * x->columns);
        const auto codes = metrics::encode_integers(*y, {});
        if (codes)
            result = metrics::spread_of(*x, codes->codes,
                                        static_cast<std::int64_t>(codes->values.size()));
    }
    if (!result) return py::none();
    const auto clusters = static_cast<py::ssize_t>(result->sizes.size());
    return py::make_tuple(to_array<double>(result->centres).attr("reshape")(clusters, x->columns),
                          to_array<double>(result->squares), to_array<double>(result->distances),
                          to_array<std::int64_t>(result->sizes));
}

}  // namespace
}  // namespace mlestar::bindings::metrics_clustering

void mlestar::bindings::add_metrics_clustering(py::module_& module) {
    using namespace metrics_clustering;
    module.def("agreement", agreement, py::arg("labels_true"), py::arg("labels_pred"),
               py::arg("counts") = py::none());
    module.def("chance_agreement", chance_agreement, py::arg("labels_true"), py::arg("labels_pred"),
               py::arg("counts") = py::none());
    module.def("silhouettes", silhouettes, py::arg("points"), py::arg("labels"), py::arg("metric"));
    module.def("cluster_spread", cluster_spread, py::arg("points"), py::arg("labels"));
}
