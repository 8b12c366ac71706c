// The array that a transform writes: checked once, for every transform.
#pragma once

#include <algorithm>

#include "bindings/array.hpp"
#include "preprocessing/scale.hpp"
#include "support/error.hpp"

namespace mlestar::bindings {

struct memory_extent {
    const std::byte* first;
    const std::byte* last;
};

// Addresses that a view's elements lie between.
inline memory_extent extent_of(const matrix_view& x) {
    const std::int64_t down = (x.rows - 1) * x.row_stride;
    const std::int64_t across = (x.columns - 1) * x.column_stride;
    const auto item = static_cast<std::int64_t>(size_of(x.type));
    return {x.data + std::min<std::int64_t>(down, 0) + std::min<std::int64_t>(across, 0),
            x.data + std::max<std::int64_t>(down, 0) + std::max<std::int64_t>(across, 0) + item};
}

// `out` as what a transform of x writes; argument_error where it cannot be.
inline preprocessing::result_view result_of(const matrix_view& x, py::handle out) {
    if (!py::isinstance<py::array>(out)) throw argument_error("out must be a NumPy array");
    auto array = py::reinterpret_borrow<py::array>(out);
    const auto view = as_matrix(out);
    if (array.ndim() != 2 || !view || !is_floating(view->type))
        throw argument_error("out must be an aligned array of two axes, of float64 or float32");
    if (view->rows != x.rows || view->columns != x.columns)
        throw argument_error("out must have the shape of X");
    const bool by_rows = (array.flags() & py::array::c_style) != 0;
    const bool by_columns = !by_rows && (array.flags() & py::array::f_style) != 0;
    if (!by_rows && !by_columns) throw argument_error("out must be contiguous");
    if (!array.writeable()) throw argument_error("out must be writeable");
    const memory_extent from = extent_of(x), to = extent_of(*view);
    const bool apart = from.last <= to.first || to.last <= from.first;
    const bool same = x.data == view->data && x.type == view->type &&
                      (x.row_stride == view->row_stride || x.rows == 1) &&
                      (x.column_stride == view->column_stride || x.columns == 1);
    if (!apart && !same) throw argument_error("out must not overlap X in part");
    return {static_cast<std::byte*>(array.mutable_data()), view->type, x.rows, x.columns,
            by_columns};
}

}  // namespace mlestar::bindings
