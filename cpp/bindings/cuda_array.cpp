#include "bindings/cuda_array.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace mlestar::bindings {
namespace {

std::optional<dtype> dtype_of(std::string_view code) {
    if (code.size() != 3 || (code[0] != '<' && code[0] != '|')) return std::nullopt;
    const std::string_view kind = code.substr(1);
    if (kind == "f8") return dtype::f64;
    if (kind == "f4") return dtype::f32;
    if (kind == "i8") return dtype::i64;
    if (kind == "i4") return dtype::i32;
    if (kind == "i2") return dtype::i16;
    if (kind == "i1") return dtype::i8;
    if (kind == "u8") return dtype::u64;
    if (kind == "u4") return dtype::u32;
    if (kind == "u2") return dtype::u16;
    if (kind == "u1") return dtype::u8;
    if (kind == "b1") return dtype::boolean;
    return std::nullopt;
}

}  // namespace

std::optional<device_matrix> as_device_matrix(py::handle object) {
    const auto attribute = py::getattr(object, "__cuda_array_interface__", py::none());
    if (!py::isinstance<py::dict>(attribute)) return std::nullopt;
    const auto fields = py::reinterpret_borrow<py::dict>(attribute);
    if (fields.contains("mask") && !fields["mask"].is_none()) return std::nullopt;
    const auto type = dtype_of(fields["typestr"].cast<std::string>());
    const auto shape = fields["shape"].cast<py::tuple>();
    const auto address = fields["data"].cast<py::tuple>()[0].cast<std::uintptr_t>();
    if (!type || address == 0 || shape.empty() || shape.size() > 2) return std::nullopt;
    matrix_view view;
    view.data = reinterpret_cast<const std::byte*>(address);
    view.type = *type;
    view.rows = shape[0].cast<std::int64_t>();
    view.columns = shape.size() == 2 ? shape[1].cast<std::int64_t>() : 1;
    view.column_stride = static_cast<std::int64_t>(size_of(*type));
    view.row_stride = view.columns * view.column_stride;
    if (fields.contains("strides") && !fields["strides"].is_none()) {
        const auto strides = fields["strides"].cast<py::tuple>();
        view.row_stride = strides[0].cast<std::int64_t>();
        if (strides.size() == 2) view.column_stride = strides[1].cast<std::int64_t>();
    }
    return device_matrix{view, cuda::device_of(view.data)};
}

std::optional<device_vector> as_device_optional(py::handle object) {
    if (object.is_none()) return device_vector{{}, -1};
    const auto matrix = as_device_matrix(object);
    if (!matrix || matrix->view.columns != 1) return std::nullopt;
    return device_vector{matrix->view.column(0), matrix->device};
}

}  // namespace mlestar::bindings
