#include <algorithm>
#include <string_view>

#include "bindings/array.hpp"
#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/rooms.hpp"
#include "model_selection/gather.hpp"
#include "support/error.hpp"

namespace mlestar::bindings::model_selection_gather {
namespace {

// Kinds whose elements are their bytes: not objects, nor NumPy's strings of any length, whose bytes
// point into memory of their array's.
constexpr std::string_view bytes_alone = "biufcmMSU";

// Contiguous and on an element's boundary; a copy where the caller's are not.
using row_numbers = contiguous<std::int64_t>;

// Rows of an array of one or two axes whose rows are contiguous; None to decline (objects, other
// layouts).
py::object take_rows(py::handle source, const row_numbers& rows) {
    if (!py::isinstance<py::array>(source)) return py::none();
    const auto array = py::reinterpret_borrow<py::array>(source);
    if (array.ndim() != 1 && array.ndim() != 2) return py::none();
    const py::dtype type = array.dtype();
    if (bytes_alone.find(type.kind()) == std::string_view::npos) return py::none();
    const bool contiguous = array.ndim() == 1 || array.strides(1) == array.itemsize();
    if (!contiguous || array.size() == 0) return py::none();
    if (!model_selection::within(rows.data(), rows.size(), array.shape(0)))
        throw argument_error("rows holds a number that is not a row of the array");
    std::vector<py::ssize_t> shape(array.shape(), array.shape() + array.ndim());
    shape[0] = rows.size();
    py::array result(type, shape);
    const auto row_bytes =
        static_cast<std::int64_t>(array.itemsize() * (array.ndim() == 2 ? array.shape(1) : 1));
    auto* const target = static_cast<std::byte*>(result.mutable_data());
    {
        const gil_scope scope(rows.size() * (row_bytes / 8 + 1));
        model_selection::take_rows(static_cast<const std::byte*>(array.data()), array.strides(0),
                                   row_bytes, rows.data(), rows.size(), target);
    }
    return result;
}

struct extent {
    const std::byte* first;
    const std::byte* last;
};

// Addresses that an array's elements lie between.
extent extent_of(const py::array& array) {
    const auto* low = static_cast<const std::byte*>(array.data());
    const std::byte* high = low + array.itemsize();
    const auto reach = [&](py::ssize_t axis) {
        const py::ssize_t far = (array.shape(axis) - 1) * array.strides(axis);
        low += std::min<py::ssize_t>(far, 0);
        high += std::max<py::ssize_t>(far, 0);
    };
    reach(0);
    if (array.ndim() == 2) reach(1);
    return {low, high};
}

// Rows of an array of one or two axes into `target`, which is contiguous, by rows or by columns.
// False to decline: whatever does not fit.
bool take_rows_into(py::handle source, const row_numbers& rows, py::handle into) {
    if (!py::isinstance<py::array>(source) || !py::isinstance<py::array>(into)) return false;
    const auto array = py::reinterpret_borrow<py::array>(source);
    auto target = py::reinterpret_borrow<py::array>(into);
    const py::ssize_t axes = array.ndim();
    if ((axes != 1 && axes != 2) || target.ndim() != axes || rows.ndim() != 1) return false;
    const py::dtype type = array.dtype();
    if (bytes_alone.find(type.kind()) == std::string_view::npos || !target.dtype().equal(type) ||
        !target.writeable() || array.size() == 0 || target.size() == 0)
        return false;
    const std::int64_t item = array.itemsize();
    if (item == 0) return false;  // nothing to copy, and nothing to divide by
    const std::int64_t columns = axes == 2 ? array.shape(1) : 1;
    if (target.shape(0) != rows.size() || (axes == 2 && target.shape(1) != columns)) return false;
    const bool c_order = (target.flags() & py::array::c_style) != 0;
    const bool by_rows = c_order && (axes == 1 || array.strides(1) == item || columns == 1);
    if (!c_order && (target.flags() & py::array::f_style) == 0) return false;
    const extent from = extent_of(array);
    const extent to = extent_of(target);
    if (from.first < to.last && to.first < from.last) return false;
    const py::array numbers = rows;
    const extent order = extent_of(numbers);
    if (order.first < to.last && to.first < order.last) return false;
    if (!model_selection::within(rows.data(), rows.size(), array.shape(0))) return false;
    auto* const out = static_cast<std::byte*>(target.mutable_data());
    const auto* const in = static_cast<const std::byte*>(array.data());
    const gil_scope scope(rows.size() * (item * columns / 8 + 1));
    if (by_rows)
        model_selection::take_rows(in, array.strides(0), item * columns, rows.data(), rows.size(),
                                   out);
    else if (c_order)
        model_selection::take_transposed(in, array.strides(0), array.strides(1), item, columns,
                                         rows.data(), rows.size(), out);
    else
        model_selection::take_columns(in, array.strides(0), array.strides(1), item, columns,
                                      rows.data(), rows.size(), out);
    return true;
}

}  // namespace
}  // namespace mlestar::bindings::model_selection_gather

void mlestar::bindings::add_model_selection_gather(py::module_& module) {
    using namespace model_selection_gather;
    module.def("take_rows", take_rows, py::arg("source"), py::arg("rows"));
    module.def("take_rows_into", take_rows_into, py::arg("source"), py::arg("rows"),
               py::arg("out"));
}
