#include <pybind11/stl.h>

#include <algorithm>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/preprocessing_result.hpp"
#include "bindings/rooms.hpp"
#include "preprocessing/scale.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::preprocessing_scale {
namespace {

using preprocessing::column_moments;
using preprocessing::row_norm;
using preprocessing::scale_map;

// Moments cross into Python as an array of six rows: weight, sum and square, each in two doubles.
constexpr py::ssize_t moment_rows = 6;
using doubles = converted<double>;

py::array_t<double> to_rows(const std::vector<column_moments>& moments) {
    const auto columns = static_cast<py::ssize_t>(moments.size());
    py::array_t<double> result({moment_rows, columns});
    double* target = result.mutable_data();
    const auto put = [&](auto member) {
        target = std::transform(moments.begin(), moments.end(), target,
                                [&](const column_moments& m) { return (m.*member).high; });
        target = std::transform(moments.begin(), moments.end(), target,
                                [&](const column_moments& m) { return (m.*member).low; });
    };
    put(&column_moments::weight);
    put(&column_moments::sum);
    put(&column_moments::square);
    return result;
}

std::vector<column_moments> from_rows(const doubles& rows, const char* name) {
    if (rows.ndim() != 2 || rows.shape(0) != moment_rows)
        throw argument_error(std::string(name) + " must be an array of six rows");
    const auto columns = static_cast<std::size_t>(rows.shape(1));
    std::vector<column_moments> result(columns);
    const double* at = rows.data();
    std::transform(result.begin(), result.end(), result.begin(), [&](const column_moments&) {
        const column_moments one{{at[0], at[columns]},
                                 {at[2 * columns], at[3 * columns]},
                                 {at[4 * columns], at[5 * columns]}};
        ++at;
        return one;
    });
    return result;
}

// None to decline: infinity, or what is no matrix of numbers.
py::object moments_of(py::handle X, py::handle weight) {
    const auto x = as_matrix(X);
    const auto w = as_optional(weight);
    if (!x || !w) return py::none();
    std::optional<std::vector<column_moments>> result;
    {
        const gil_scope scope(x->rows * x->columns);
        result = preprocessing::moments_of(*x, *w);
    }
    return result ? py::object(to_rows(*result)) : py::none();
}

py::array_t<double> merge_moments(const doubles& one, const doubles& other) {
    auto merged = from_rows(one, "one");
    const auto added = from_rows(other, "other");
    if (merged.size() != added.size())
        throw argument_error("other has " + std::to_string(added.size()) +
                             " columns, but must have " + std::to_string(merged.size()));
    auto from = added.begin();
    std::transform(merged.begin(), merged.end(), merged.begin(), [&](column_moments moments) {
        moments.merge(*from++);
        return moments;
    });
    return to_rows(merged);
}

// (least, largest) of each column; None to decline.
py::object extremes_of(py::handle X) {
    const auto x = as_matrix(X);
    if (!x) return py::none();
    std::optional<preprocessing::column_extremes> result;
    {
        const gil_scope scope(x->rows * x->columns);
        result = preprocessing::extremes_of(*x);
    }
    if (!result) return py::none();
    return py::make_tuple(to_array<double>(result->low), to_array<double>(result->high));
}

scale_map map_of(const std::string& name) {
    if (name == "subtract") return scale_map::subtract;
    if (name == "divide") return scale_map::divide;
    if (name == "subtract_divide") return scale_map::subtract_divide;
    if (name == "multiply") return scale_map::multiply;
    if (name == "multiply_add") return scale_map::multiply_add;
    throw argument_error("map is '" + name +
                         "', but must be subtract, divide, subtract_divide, multiply or "
                         "multiply_add");
}

std::vector<double> parameter(const std::optional<doubles>& given, const matrix_view& x,
                              const char* name) {
    if (!given) return {};
    if (given->size() != x.columns)
        throw argument_error(std::string(name) + " has " + std::to_string(given->size()) +
                             " values, but must have one for each of " + std::to_string(x.columns) +
                             " columns");
    return {given->data(), given->data() + given->size()};
}

// False to decline: infinity, or what is no matrix of numbers.
bool scale_into(py::handle X, const std::string& map, const std::optional<doubles>& first,
                const std::optional<doubles>& second,
                const std::optional<std::pair<double, double>>& clip, py::handle out) {
    const auto x = as_matrix(X);
    if (!x) return false;
    preprocessing::scale_plan plan{map_of(map), parameter(first, *x, "first"),
                                   parameter(second, *x, "second")};
    const bool two = plan.map == scale_map::subtract_divide || plan.map == scale_map::multiply_add;
    if (plan.first.empty() || plan.second.empty() == two)
        throw argument_error(two ? "first and second must both be given"
                                 : "first must be given, and second must be None");
    if (clip) {
        plan.clips = true;
        plan.low = clip->first;
        plan.high = clip->second;
    }
    const auto result = result_of(*x, out);
    const gil_scope scope(x->rows * x->columns);
    return preprocessing::scale_into(*x, plan, result);
}

row_norm norm_of(const std::string& name) {
    if (name == "l1") return row_norm::l1;
    if (name == "l2") return row_norm::l2;
    if (name == "max") return row_norm::max;
    throw argument_error("norm is '" + name + "', but must be l1, l2 or max");
}

bool normalize_into(py::handle X, const std::string& norm, py::handle out) {
    const auto x = as_matrix(X);
    if (!x) return false;
    const row_norm kind = norm_of(norm);
    const auto result = result_of(*x, out);
    const gil_scope scope(x->rows * x->columns);
    return preprocessing::normalize_into(*x, kind, result);
}

bool binarize_into(py::handle X, double threshold, py::handle out) {
    const auto x = as_matrix(X);
    if (!x) return false;
    const auto result = result_of(*x, out);
    const gil_scope scope(x->rows * x->columns);
    return preprocessing::binarize_into(*x, threshold, result);
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_scale

void mlestar::bindings::add_preprocessing_scale(py::module_& module) {
    using namespace preprocessing_scale;
    module.def("moments_of", moments_of, py::arg("X"), py::arg("weight"));
    module.def("merge_moments", merge_moments, py::arg("one"), py::arg("other"));
    module.def("extremes_of", extremes_of, py::arg("X"));
    module.def("scale_into", scale_into, py::arg("X"), py::arg("map"), py::arg("first"),
               py::arg("second"), py::arg("clip"), py::arg("out"));
    module.def("normalize_into", normalize_into, py::arg("X"), py::arg("norm"), py::arg("out"));
    module.def("binarize_into", binarize_into, py::arg("X"), py::arg("threshold"), py::arg("out"));
}
