#include <string_view>

#include "bindings/array.hpp"
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
using row_numbers = py::array_t<std::int64_t, int{py::array::c_style} |
                                                  int{py::detail::npy_api::NPY_ARRAY_ALIGNED_}>;

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

}  // namespace
}  // namespace mlestar::bindings::model_selection_gather

void mlestar::bindings::add_model_selection_gather(py::module_& module) {
    using namespace model_selection_gather;
    module.def("take_rows", take_rows, py::arg("source"), py::arg("rows"));
}
