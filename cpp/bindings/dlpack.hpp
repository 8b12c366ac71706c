// The part of DLPack's C exchange API (dmlc/dlpack, version 1) that reads a tensor without a Python
// call: PyTorch has had it since 2.10. Layouts are the standard's.
#pragma once

#include <cstdint>

namespace mlestar::bindings::dlpack {

inline constexpr std::uint32_t major_version = 1;
inline constexpr const char* attribute = "__dlpack_c_exchange_api__";
inline constexpr const char* capsule = "dlpack_exchange_api";

enum class device_type : std::int32_t { cpu = 1, cuda_host = 3 };
enum class type_code : std::uint8_t {
    integer = 0,
    unsigned_integer = 1,
    floating = 2,
    bfloat = 4,
    boolean = 6
};

struct device {
    device_type type;
    std::int32_t number;
};

struct data_type {
    type_code code;
    std::uint8_t bits;
    std::uint16_t lanes;
};

struct tensor {
    void* data;
    device where;
    std::int32_t ndim;
    data_type type;
    std::int64_t* shape;
    std::int64_t* strides;  // elements; null for row-major
    std::uint64_t byte_offset;
};

struct exchange_header {
    struct {
        std::uint32_t major;
        std::uint32_t minor;
    } version;
    exchange_header* previous;
};

struct exchange_api {
    exchange_header header;
    void* managed_tensor_allocator;
    void* managed_tensor_from_py_object_no_sync;
    void* managed_tensor_to_py_object_no_sync;
    // A view that holds until control goes back to Python; null where there is none.
    int (*tensor_from_py_object_no_sync)(void* object, tensor* out);
    void* current_work_stream;
};

}  // namespace mlestar::bindings::dlpack
