#include "preprocessing/encode.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "bindings/contiguous.hpp"
#include "bindings/gil.hpp"
#include "bindings/preprocessing_coders.hpp"
#include "bindings/preprocessing_columns.hpp"
#include "bindings/rooms.hpp"

namespace mlestar::bindings::preprocessing_encode {
namespace {

using preprocessing::category_column;

// [(rows, counts), ...]: of each column's distinct values in ascending order, the first row that
// holds it and how many do. None to decline.
py::object categories_of(const py::list& X) {
    const auto columns = columns_of(X);
    if (!columns) return py::none();
    std::optional<std::vector<preprocessing::found_categories>> found;
    {
        const gil_scope scope((*columns)[0].rows(), 8);
        found = preprocessing::categories_of(*columns);
    }
    if (!found) return py::none();
    py::list result(found->size());
    std::size_t place = 0;
    std::for_each(found->begin(), found->end(), [&](const auto& one) {
        result[place++] =
            py::make_tuple(to_array<std::int64_t>(one.rows), to_array<std::int64_t>(one.counts));
    });
    return result;
}

preprocessing::coder coder_of(py::handle categories) {
    if (const auto text = as_strings(categories)) {
        std::vector<std::u32string> values(static_cast<std::size_t>(text->size));
        std::int64_t row = 0;
        std::transform(values.begin(), values.end(), values.begin(), [&](const std::u32string&) {
            const auto* data = reinterpret_cast<const char32_t*>(text->data + row++ * text->stride);
            return std::u32string(data, static_cast<std::size_t>(text->characters));
        });
        return preprocessing::coder_of_strings(values);
    }
    const auto numbers = as_vector(categories);
    if (!numbers) throw argument_error("categories must be a list of arrays of numbers or strings");
    if (is_floating(numbers->type)) {
        const auto values = py::cast<converted<double>>(categories);
        return preprocessing::coder_of_reals({values.data(), values.data() + values.size()});
    }
    if (numbers->type == dtype::u64) {
        const auto values = py::cast<converted<std::uint64_t>>(categories);
        if (std::any_of(values.data(), values.data() + values.size(),
                        [](std::uint64_t v) { return v >> 63 != 0; }))
            throw argument_error("categories holds integers beyond int64");
    }
    const auto values = py::cast<converted<std::int64_t>>(categories);
    return preprocessing::coder_of_integers({values.data(), values.data() + values.size()});
}

column_coders coders_of(const py::list& categories) {
    column_coders result;
    std::for_each(categories.begin(), categories.end(),
                  [&](py::handle one) { result.coders.push_back(coder_of(one)); });
    return result;
}

std::vector<std::int64_t> sizes(const column_coders& coders) {
    std::vector<std::int64_t> result(coders.coders.size());
    std::transform(coders.coders.begin(), coders.coders.end(), result.begin(),
                   [](const auto& one) { return one->size(); });
    return result;
}

// For each column, `values` holds what is written for each code, and last for what has none.
void require_values(const column_coders& coders, const std::vector<py::array>& values,
                    py::ssize_t item, const char* name) {
    auto given = values.begin();
    const bool good =
        values.size() == coders.coders.size() &&
        std::all_of(coders.coders.begin(), coders.coders.end(), [&](const auto& coder) {
            const py::array& one = *given++;
            return one.ndim() == 1 && one.shape(0) == coder->size() + 1 && one.itemsize() == item &&
                   (one.flags() & in_place) == in_place;
        });
    if (!good)
        throw argument_error(std::string(name) +
                             " must have, for each column, one contiguous array with an element of "
                             "the result for each category and one more");
}

py::object encode_into(const column_coders& coders, const py::list& X,
                       const std::vector<py::array>& values, py::handle out) {
    const auto columns = columns_of(X);
    if (!columns) return py::none();
    require_as_many(coders, *columns);
    const auto result = elements_of(out, (*columns)[0].rows(), std::ssize(*columns));
    require_apart(*columns, result);
    require_values(coders, values, result.item, "values");
    std::vector<const std::byte*> data(values.size());
    std::transform(values.begin(), values.end(), data.begin(),
                   [](const py::array& one) { return static_cast<const std::byte*>(one.data()); });
    preprocessing::unknown_columns unknown;
    {
        const gil_scope scope(result.rows * result.columns, 2);
        unknown = preprocessing::encode_into(coders.coders, *columns, data, result);
    }
    return to_object(unknown);
}

py::object one_hot_into(const column_coders& coders, const py::list& X,
                        const std::vector<contiguous<std::int32_t>>& places, py::array one,
                        py::array zero, py::handle out) {
    const auto columns = columns_of(X);
    if (!columns) return py::none();
    require_as_many(coders, *columns);
    if (!py::isinstance<py::array>(out) || py::reinterpret_borrow<py::array>(out).ndim() != 2)
        throw argument_error("out must be an array of two axes");
    const auto width = py::reinterpret_borrow<py::array>(out).shape(1);
    const auto result = elements_of(out, (*columns)[0].rows(), width);
    require_apart(*columns, result);
    if (result.by_columns) throw argument_error("out must be in C order");
    require_values(coders, {places.begin(), places.end()}, sizeof(std::int32_t), "places");
    const auto inside = [&](const contiguous<std::int32_t>& some) {
        return std::all_of(some.data(), some.data() + some.size(),
                           [&](std::int32_t place) { return place >= -1 && place < width; });
    };
    if (!std::all_of(places.begin(), places.end(), inside))
        throw argument_error("places must lie between -1 and the columns of out");
    if (one.size() != 1 || one.itemsize() != result.item || zero.size() != 1 ||
        zero.itemsize() != result.item)
        throw argument_error("one and zero must be arrays of one element of out's dtype");
    std::vector<const std::int32_t*> data(places.size());
    std::transform(places.begin(), places.end(), data.begin(),
                   [](const auto& some) { return some.data(); });
    alignas(8) std::byte values[2][8];
    std::memcpy(values[0], one.data(), static_cast<std::size_t>(result.item));
    std::memcpy(values[1], zero.data(), static_cast<std::size_t>(result.item));
    preprocessing::unknown_columns unknown;
    {
        const gil_scope scope(result.rows * std::max<std::int64_t>(width, std::ssize(*columns)));
        unknown = preprocessing::one_hot_into(coders.coders, *columns, data, values[0], values[1],
                                              result);
    }
    return to_object(unknown);
}

// (indices, row starts) of a CSR matrix whose rows have ones at these places, -1 being none.
py::tuple sparse_rows_of(const contiguous<std::int32_t>& places) {
    if (places.ndim() != 2) throw argument_error("places must have two axes");
    const std::int64_t rows = places.shape(0), columns = places.shape(1);
    preprocessing::sparse_rows found;
    {
        const gil_scope scope(rows * columns);
        found = preprocessing::sparse_rows_of(places.data(), rows, columns);
    }
    if (found.stored > std::numeric_limits<std::int32_t>::max())
        throw argument_error("places must have less than 2147483648 that are not -1");
    auto starts = to_array<std::int32_t>(found.starts);
    py::array_t<std::int32_t> indices(static_cast<py::ssize_t>(found.stored));
    std::int32_t* const target = indices.mutable_data();
    {
        const gil_scope scope(rows * columns);
        preprocessing::sparse_indices_into(places.data(), rows, columns, starts.data(), target);
    }
    return py::make_tuple(indices, starts);
}

// Codes of objects in a dictionary of codes, its length for what is not there; NaN of any object is
// `nan`. With `grow`, what is not there gets the next code. None where an object has no hash.
py::object object_codes(const py::array& values, py::dict known, py::handle nan, bool grow) {
    if (values.ndim() != 1 || values.dtype().kind() != 'O') return py::none();
    const auto count = static_cast<std::size_t>(values.shape(0));
    const auto* const data = static_cast<const std::byte*>(values.data());
    const auto stride = values.strides(0);
    py::array_t<std::int32_t> result(values.shape(0));
    const auto unknown = static_cast<std::int32_t>(known.size());
    auto next = static_cast<long>(known.size());
    py::ssize_t row = 0;
    constexpr py::ssize_t prefetched = 12;  // objects lie anywhere
    std::int32_t* const target = result.mutable_data();
    const bool good = std::all_of(target, target + count, [&](std::int32_t& code) {
        PyObject* value;
        if (const py::ssize_t later = row + prefetched; later < values.shape(0)) {
            std::memcpy(&value, data + later * stride, sizeof value);
            __builtin_prefetch(value);
        }
        std::memcpy(&value, data + row++ * stride, sizeof value);
        if (value == nullptr) value = Py_None;  // as NumPy reads what was never written
        if (PyFloat_Check(value) && PyFloat_AS_DOUBLE(value) != PyFloat_AS_DOUBLE(value))
            value = nan.ptr();
        const auto kept = py::reinterpret_borrow<py::object>(value);
        PyObject* const found = PyDict_GetItemWithError(known.ptr(), value);
        if (found != nullptr) {
            const long held = PyLong_AsLong(found);
            if (held < 0 || held > std::numeric_limits<std::int32_t>::max()) return false;
            code = static_cast<std::int32_t>(held);
            return true;
        }
        if (PyErr_Occurred() != nullptr) return false;
        code = unknown;
        if (!grow) return true;
        code = static_cast<std::int32_t>(next);
        const auto number = py::reinterpret_steal<py::object>(PyLong_FromLong(next++));
        return PyDict_SetItem(known.ptr(), value, number.ptr()) == 0;
    });
    if (good) return result;
    if (PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_TypeError) == 0)
        throw py::error_already_set();
    PyErr_Clear();
    return py::none();
}

}  // namespace
}  // namespace mlestar::bindings::preprocessing_encode

void mlestar::bindings::add_preprocessing_encode(py::module_& module) {
    using namespace preprocessing_encode;
    py::class_<column_coders>(module, "ColumnCoders")
        .def(py::init(&coders_of), py::arg("categories"))
        .def("sizes", sizes);
    module.def("categories_of", categories_of, py::arg("X"));
    module.def("encode_into", encode_into, py::arg("coders"), py::arg("X"), py::arg("values"),
               py::arg("out"));
    module.def("one_hot_into", one_hot_into, py::arg("coders"), py::arg("X"), py::arg("places"),
               py::arg("one"), py::arg("zero"), py::arg("out"));
    module.def("object_codes", object_codes, py::arg("values"), py::arg("known"), py::arg("nan"),
               py::arg("grow"));
    module.def("sparse_rows_of", sparse_rows_of, py::arg("places"));
}
