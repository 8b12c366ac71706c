#include "bindings/array.hpp"

namespace mlestar::bindings {
namespace {

bool is_array(py::handle object) { return py::isinstance<py::array>(object); }

// Strides that are no multiple of an element, or data off an element's boundary, are rare enough to
// copy.
bool aligned(const py::array& array) {
    return (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
}

const std::byte* data_of(const py::array& array) {
    return static_cast<const std::byte*>(array.data());
}

}  // namespace

std::optional<dtype> dtype_of(const py::array& array) {
    const py::dtype type = array.dtype();
    if (const char order = type.byteorder(); order != '=' && order != '|') return std::nullopt;
    const auto size = type.itemsize();
    switch (type.kind()) {
        case 'f':
            if (size == 8) return dtype::f64;
            if (size == 4) return dtype::f32;
            return std::nullopt;
        case 'i':
            return size == 8   ? dtype::i64
                   : size == 4 ? dtype::i32
                   : size == 2 ? dtype::i16
                               : dtype::i8;
        case 'u':
            return size == 8   ? dtype::u64
                   : size == 4 ? dtype::u32
                   : size == 2 ? dtype::u16
                               : dtype::u8;
        case 'b': return dtype::boolean;
        default: return std::nullopt;
    }
}

std::optional<vector_view> as_vector(py::handle object, bool allow_column) {
    if (!is_array(object)) return std::nullopt;
    const auto array = py::reinterpret_borrow<py::array>(object);
    const bool column = allow_column && array.ndim() == 2 && array.shape(1) == 1;
    if ((array.ndim() != 1 && !column) || array.shape(0) == 0) return std::nullopt;
    const auto type = dtype_of(array);
    if (!type || !aligned(array)) return std::nullopt;
    return vector_view{data_of(array), *type, array.shape(0), array.strides(0)};
}

std::optional<vector_view> as_optional(py::handle object) {
    if (object.is_none()) return vector_view{};
    return as_vector(object);
}

std::optional<matrix_view> as_matrix(py::handle object) {
    if (!is_array(object)) return std::nullopt;
    const auto array = py::reinterpret_borrow<py::array>(object);
    if ((array.ndim() != 1 && array.ndim() != 2) || array.size() == 0) return std::nullopt;
    const auto type = dtype_of(array);
    if (!type || !aligned(array)) return std::nullopt;
    if (array.ndim() == 1)
        return matrix_view{data_of(array),   *type,           array.shape(0), 1,
                           array.strides(0), array.itemsize()};
    return matrix_view{data_of(array),   *type,           array.shape(0), array.shape(1),
                       array.strides(0), array.strides(1)};
}

std::optional<metrics::string_array> as_strings(py::handle object) {
    if (!is_array(object)) return std::nullopt;
    const auto array = py::reinterpret_borrow<py::array>(object);
    const py::dtype type = array.dtype();
    if (array.ndim() != 1 || type.kind() != 'U' || !aligned(array)) return std::nullopt;
    if (const char order = type.byteorder(); order != '=' && order != '|') return std::nullopt;
    return metrics::string_array{data_of(array), array.shape(0), array.strides(0),
                                 static_cast<std::int64_t>(array.itemsize() / 4)};
}

}  // namespace mlestar::bindings
