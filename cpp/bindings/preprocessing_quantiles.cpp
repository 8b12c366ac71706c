#include "preprocessing/quantiles.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <tuple>

#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/preprocessing_pairs.hpp"
#include "bindings/preprocessing_result.hpp"
#include "bindings/rooms.hpp"
#include "preprocessing/quantiles_map.hpp"

namespace mlestar::bindings::preprocessing_quantiles {
namespace {

// None to decline: infinity, or what is no matrix of numbers.
py::object order_statistics(py::handle X, const std::vector<double>& fractions, double missing) {
    require_fractions(fractions);
    const auto x = as_matrix(X);
    if (!x) return py::none();
    std::optional<preprocessing::order_pairs> result;
    {
        const gil_scope scope(x->rows * x->columns, 4);
        result = preprocessing::order_statistics(*x, fractions, missing);
    }
    return result ? py::object(to_tuple(*result)) : py::none();
}

// False to decline: infinity, or what is no matrix of numbers. `knots`: (columns, shares).
bool quantile_map_into(py::handle X, const converted<double>& knots,
                       const std::vector<double>& shares,
                       const std::optional<std::pair<double, double>>& normal, py::handle out) {
    const auto x = as_matrix(X);
    if (!x) return false;
    if (knots.ndim() != 2 || knots.shape(0) != x->columns || shares.empty() ||
        knots.shape(1) != static_cast<py::ssize_t>(shares.size()))
        throw argument_error("knots must have a row of as many numbers as shares for each of " +
                             std::to_string(x->columns) + " columns");
    preprocessing::quantile_plan plan{
        {knots.data(), knots.data() + knots.size()}, shares, normal.has_value(), 0.0, 0.0};
    if (normal) std::tie(plan.low, plan.high) = *normal;
    const auto ascend = [](const double* first, std::size_t count) {
        return std::all_of(first, first + count, [](double v) { return v == v; }) &&
               std::is_sorted(first, first + count);
    };
    const double* row = plan.knots.data() - shares.size();
    std::vector<char> rows(static_cast<std::size_t>(x->columns));
    if (!ascend(shares.data(), shares.size()) || !std::all_of(rows.begin(), rows.end(), [&](char) {
            return ascend(row += shares.size(), shares.size());
        }))
        throw argument_error("knots and shares must ascend, and none may be NaN");
    const auto result = result_of(*x, out);
    const gil_scope scope(x->rows * x->columns, 8);
    return preprocessing::quantile_map_into(*x, plan, result);
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_quantiles

void mlestar::bindings::add_preprocessing_quantiles(py::module_& module) {
    using namespace preprocessing_quantiles;
    module.def("order_statistics", order_statistics, py::arg("X"), py::arg("fractions"),
               py::arg("missing"));
    module.def("quantile_map_into", quantile_map_into, py::arg("X"), py::arg("knots"),
               py::arg("shares"), py::arg("normal"), py::arg("out"));
}
