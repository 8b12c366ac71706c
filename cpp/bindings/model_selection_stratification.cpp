#include <pybind11/stl.h>

#include <algorithm>
#include <numeric>

#include "bindings/array.hpp"
#include "bindings/generator.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/stratification.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_stratification {
namespace {

using model_selection::label_rows;

py::array quantile_bins(py::handle y, std::int64_t bins) {
    const auto values = as_vector(y);
    if (!values) throw argument_error("y must be an array of one axis, of numbers");
    if (bins < 1 || bins > values->size)
        throw argument_error("bins is " + std::to_string(bins) + ", but must be from 1 to the " +
                             std::to_string(values->size) + " rows");
    std::vector<std::int32_t> result;
    {
        const gil_scope scope(values->size, 10);
        result = model_selection::quantile_bins(*values, bins);
    }
    return to_array<std::int32_t>(result);
}

// A table of labels and folds is kept.
constexpr std::int64_t most_labels = std::int64_t{1} << 24;

void check_size(std::int64_t rows, std::int64_t labels) {
    if (rows < 1 || rows > model_selection::most_stratified_rows || labels < 1 ||
        labels > most_labels)
        throw argument_error(
            "y must have at least one row and fewer than 2**31, and from 1 to 2**24 labels");
}

label_rows from_dense(py::handle y) {
    const auto indicators = as_matrix(y);
    if (!indicators) throw argument_error("y must be an array of two axes, of numbers");
    check_size(indicators->rows, indicators->columns);
    const gil_scope scope(indicators->rows, 10);
    return model_selection::label_rows_of(*indicators);
}

label_rows from_sparse(py::handle starts, py::handle columns, std::int64_t labels) {
    const auto rows = as_vector(starts);
    const auto stored = as_vector(columns);
    if (!rows || !stored)
        throw argument_error("starts and columns must be arrays of one axis, of integers");
    check_size(rows->size - 1, labels);
    const gil_scope scope(stored->size, 4);
    return model_selection::label_rows_of(*rows, *stored, labels);
}

// Rows that have each label.
py::array_t<std::int64_t> counts(const label_rows& y) {
    py::array_t<std::int64_t> result(y.label_count);
    std::int64_t* const data = result.mutable_data();
    std::fill_n(data, y.label_count, 0);
    std::for_each(y.labels.begin(), y.labels.end(), [=](std::int32_t label) { ++data[label]; });
    return result;
}

model_selection::folds deal(const label_rows& y, const std::vector<std::int64_t>& weights,
                            bool exact, bool pairs, const std::optional<py::capsule>& capsule) {
    const auto strange = [&](std::int64_t w) { return w < 1 || w > y.rows(); };
    if (weights.empty() || static_cast<std::int64_t>(weights.size()) > y.rows() ||
        static_cast<std::int64_t>(weights.size()) >= model_selection::most_folds ||
        std::any_of(weights.begin(), weights.end(), strange))
        throw argument_error(
            "weights must hold from 1 to 65534 numbers, at most one a row, each "
            "from 1 to the rows");
    const auto total = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    if (total > model_selection::most_stratified_rows || (exact && total != y.rows()))
        throw argument_error("weights must sum to the rows, or to less than 2**31 if not exact");
    bit_generator* const generator = capsule ? &generator_of(*capsule) : nullptr;
    const gil_scope scope(y.rows(), 20);
    return model_selection::iterative_stratification(y, weights, exact, pairs, generator);
}

}  // namespace
}  // namespace mlestar::bindings::model_selection_stratification

void mlestar::bindings::add_model_selection_stratification(py::module_& module) {
    using namespace model_selection_stratification;
    py::class_<label_rows>(module, "LabelRows")
        .def(py::init(&from_dense), py::arg("y"))
        .def(py::init(&from_sparse), py::arg("starts"), py::arg("columns"), py::arg("labels"))
        .def("counts", [](const label_rows& self) { return counts(self); })
        .def("deal", deal, py::arg("weights"), py::arg("exact"), py::arg("pairs"),
             py::arg("generator"));
    module.def("quantile_bins", quantile_bins, py::arg("y"), py::arg("bins"));
}
