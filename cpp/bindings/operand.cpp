#include "bindings/operand.hpp"

#include <string>

#include "bindings/dlpack.hpp"
#include "support/error.hpp"
#include "support/half.hpp"

namespace mlestar::bindings {
namespace {

using dlpack::exchange_api;

// The table itself, or an older one that it names.
const exchange_api* of_our_version(const exchange_api* api) {
    if (api == nullptr || api->header.version.major == dlpack::major_version) return api;
    return of_our_version(reinterpret_cast<const exchange_api*>(api->header.previous));
}

// The exchange table of a type; null where it has none. The last type's is remembered: a loop
// passes one type of tensor.
const exchange_api* exchange_of(PyTypeObject* type) {
    static PyTypeObject* last = nullptr;
    static const exchange_api* known = nullptr;
    if (type == last) return known;
    const exchange_api* found = nullptr;
    const auto attribute = py::reinterpret_steal<py::object>(
        PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), dlpack::attribute));
    if (!attribute) {
        PyErr_Clear();
    } else if (PyCapsule_IsValid(attribute.ptr(), dlpack::capsule)) {
        found = of_our_version(static_cast<const exchange_api*>(
            PyCapsule_GetPointer(attribute.ptr(), dlpack::capsule)));
        if (found != nullptr && found->tensor_from_py_object_no_sync == nullptr) found = nullptr;
    }
    Py_INCREF(type);  // it must not be another type's address one day; a handful in a process
    last = type;
    known = found;
    return found;
}

std::optional<dtype> dtype_of(dlpack::data_type type) {
    using dlpack::type_code;
    if (type.lanes != 1) return std::nullopt;
    switch (type.code) {
        case type_code::floating:
            if (type.bits == 64) return dtype::f64;
            if (type.bits == 32) return dtype::f32;
            return std::nullopt;
        case type_code::integer:
            return type.bits == 64   ? dtype::i64
                   : type.bits == 32 ? dtype::i32
                   : type.bits == 16 ? dtype::i16
                                     : dtype::i8;
        case type_code::unsigned_integer:
            return type.bits == 64   ? dtype::u64
                   : type.bits == 32 ? dtype::u32
                   : type.bits == 16 ? dtype::u16
                                     : dtype::u8;
        case type_code::boolean: return dtype::boolean;
        default: return std::nullopt;
    }
}

// Everything else becomes an array in Python, which also words what cannot.
py::object convert(py::handle object, const char* name) {
    static const py::handle function =
        py::object(py::module_::import("mlestar.metrics._streaming_arrays").attr("to_array"))
            .release();
    return function(object, name);
}

[[noreturn]] void no_rows(const char* name) {
    throw argument_error(std::string(name) + " has no rows, but must have at least one");
}

}  // namespace

operand::operand(py::handle object, const char* name) : name_(name) {
    if (py::isinstance<py::array>(object)) {
        if (read_array(py::reinterpret_borrow<py::array>(object))) return;
    } else if (read_tensor(object)) {
        return;
    }
    owner_ = convert(object, name);
    if (!read_array(py::reinterpret_borrow<py::array>(owner_)))
        throw argument_error(std::string(name) + " has an array that cannot be read");
}

bool operand::read_array(const py::array& array) {
    axes_ = static_cast<int>(array.ndim());
    if (axes_ == 0 || axes_ > 2) return false;
    if (array.size() == 0) no_rows(name_);
    if (auto matrix = as_matrix(array)) {
        view_ = *matrix;
        return true;
    }
    strings_ = mlestar::bindings::as_strings(array);
    if (strings_) return true;
    const py::dtype type = array.dtype();
    if (type.kind() != 'f' || type.itemsize() != 2 || type.byteorder() != '=') return false;
    view_ = {static_cast<const std::byte*>(array.data()),
             dtype::f32,
             array.shape(0),
             axes_ == 2 ? array.shape(1) : 1,
             array.strides(0),
             axes_ == 2 ? array.strides(1) : array.itemsize()};
    widen(false);
    return true;
}

bool operand::read_tensor(py::handle object) {
    const exchange_api* const api = exchange_of(Py_TYPE(object.ptr()));
    if (api == nullptr) return false;
    dlpack::tensor tensor;
    if (api->tensor_from_py_object_no_sync(object.ptr(), &tensor) != 0) {
        PyErr_Clear();
        return false;
    }
    using dlpack::device_type;
    if (tensor.where.type != device_type::cpu && tensor.where.type != device_type::cuda_host)
        return false;
    if (tensor.ndim < 1 || tensor.ndim > 2) return false;
    axes_ = tensor.ndim;
    const std::int64_t rows = tensor.shape[0];
    const std::int64_t columns = axes_ == 2 ? tensor.shape[1] : 1;
    if (rows == 0 || columns == 0) no_rows(name_);
    const bool half = tensor.type.bits == 16 && (tensor.type.code == dlpack::type_code::floating ||
                                                 tensor.type.code == dlpack::type_code::bfloat);
    const auto type = half ? std::optional(dtype::f32) : dtype_of(tensor.type);
    if (!type) return false;
    const std::int64_t item = tensor.type.bits / 8;
    const auto* data = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
    const auto stride = [&](int axis, std::int64_t plain) {
        return item * (tensor.strides == nullptr ? plain : tensor.strides[axis]);
    };
    view_ = {data, *type, rows, columns, stride(0, columns), axes_ == 2 ? stride(1, 1) : item};
    if (half) widen(tensor.type.code == dlpack::type_code::bfloat);
    return true;
}

// The kernels read no half precision.
void operand::widen(bool brain) {
    widened_.resize(static_cast<std::size_t>(view_.rows * view_.columns));
    widen_halves(view_.data, view_.rows, view_.columns, view_.row_stride, view_.column_stride,
                 brain, widened_.data());
    view_.data = reinterpret_cast<const std::byte*>(widened_.data());
    view_.column_stride = sizeof(float);
    view_.row_stride = view_.columns * view_.column_stride;
}

void operand::require_numbers() const {
    if (strings_)
        throw argument_error(std::string(name_) + " holds strings, but must hold numbers");
}

vector_view operand::vector() const {
    require_numbers();
    if (view_.columns != 1)
        throw argument_error(std::string(name_) + " has " + std::to_string(view_.columns) +
                             " columns, but must have one");
    return view_.column(0);
}

}  // namespace mlestar::bindings
