// A table's columns as Python gives them: a list of arrays of one axis, numbers or strings, of one
// length each.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/array.hpp"
#include "preprocessing/encode.hpp"
#include "support/error.hpp"

namespace mlestar::bindings {

// Nothing where an array is of another kind.
inline std::optional<std::vector<preprocessing::category_column>> columns_of(const py::list& X) {
    std::vector<preprocessing::category_column> columns;
    const bool good = std::all_of(X.begin(), X.end(), [&](py::handle one) {
        if (const auto text = as_strings(one); text && text->size > 0 && text->characters > 0) {
            columns.push_back({{}, *text});
            return true;
        }
        const auto numbers = as_vector(one);
        if (numbers) columns.push_back({*numbers, {}});
        return numbers.has_value();
    });
    if (!good || columns.empty()) return std::nullopt;
    if (!std::all_of(columns.begin(), columns.end(),
                     [&](const auto& one) { return one.rows() == columns[0].rows(); }))
        throw argument_error("X has columns of several lengths, but they must have one");
    return columns;
}

// What a transform of columns writes.
inline preprocessing::element_matrix elements_of(py::handle out, std::int64_t rows,
                                                 std::int64_t columns) {
    if (!py::isinstance<py::array>(out)) throw argument_error("out must be a NumPy array");
    auto array = py::reinterpret_borrow<py::array>(out);
    const auto item = static_cast<std::int64_t>(array.itemsize());
    const char kind = array.dtype().kind();
    if (std::string("fiub").find(kind) == std::string::npos ||
        (item != 1 && item != 2 && item != 4 && item != 8))
        throw argument_error("out must be an array of numbers of at most 8 bytes");
    if (array.ndim() != 2 || array.shape(0) != rows || array.shape(1) != columns)
        throw argument_error("out must have shape (" + std::to_string(rows) + ", " +
                             std::to_string(columns) + ")");
    const bool by_rows = (array.flags() & py::array::c_style) != 0;
    const bool by_columns = !by_rows && (array.flags() & py::array::f_style) != 0;
    if (!by_rows && !by_columns) throw argument_error("out must be contiguous");
    if (!array.writeable() || (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
        throw argument_error("out must be writeable and aligned");
    return {static_cast<std::byte*>(array.mutable_data()), item, rows, columns, by_columns};
}

// Whether a result may be written while columns are read.
inline void require_apart(const std::vector<preprocessing::category_column>& columns,
                          const preprocessing::element_matrix& result) {
    const std::byte* const first = result.data;
    const std::byte* const last = first + result.rows * result.columns * result.item;
    const bool apart = std::all_of(columns.begin(), columns.end(), [&](const auto& one) {
        const std::byte* data = one.textual() ? one.strings.data : one.numbers.data;
        const std::int64_t stride = one.textual() ? one.strings.stride : one.numbers.stride;
        const std::int64_t item = one.textual()
                                      ? 4 * one.strings.characters
                                      : static_cast<std::int64_t>(size_of(one.numbers.type));
        const std::int64_t across = (one.rows() - 1) * stride;
        const std::byte* low = data + std::min<std::int64_t>(across, 0);
        const std::byte* high = data + std::max<std::int64_t>(across, 0) + item;
        return high <= first || last <= low;
    });
    if (!apart) throw argument_error("out must not overlap X");
}

// A list of which columns held something without a code; None to decline.
inline py::object to_object(const preprocessing::unknown_columns& unknown) {
    if (!unknown) return py::none();
    return to_array<bool>(*unknown);
}

}  // namespace mlestar::bindings
