// Views over memory that somebody else owns: what every room of the core takes as input.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar {

// The element types the core reads in place. Kernels exist for f64, f32 and i64; a loader decodes
// the rest.
enum class dtype : std::uint8_t { f64, f32, i64, i32, i16, i8, u64, u32, u16, u8, boolean };
inline constexpr int dtype_count = 11;

constexpr std::size_t size_of(dtype type) {
    constexpr std::size_t sizes[dtype_count] = {8, 4, 8, 4, 2, 1, 8, 4, 2, 1, 1};
    return sizes[static_cast<int>(type)];
}

constexpr bool is_floating(dtype type) { return type == dtype::f64 || type == dtype::f32; }

// One axis of a strided array. The stride is in bytes and may be negative or zero.
struct vector_view {
    const std::byte* data = nullptr;
    dtype type = dtype::f64;
    std::int64_t size = 0;
    std::int64_t stride = 0;

    bool contiguous() const {
        return size < 2 || stride == static_cast<std::int64_t>(size_of(type));
    }
    explicit operator bool() const { return data != nullptr; }
};

// Two axes of a strided array; strides in bytes.
struct matrix_view {
    const std::byte* data = nullptr;
    dtype type = dtype::f64;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t row_stride = 0;
    std::int64_t column_stride = 0;

    vector_view column(std::int64_t j) const {
        return {data + j * column_stride, type, rows, row_stride};
    }
};

}  // namespace mlestar
