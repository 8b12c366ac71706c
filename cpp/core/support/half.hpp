// Half-precision numbers, widened exactly.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlestar {

// IEEE 754 binary16.
inline float float_of_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
    const std::uint32_t rest = half & 0x7FFF;
    if (rest >= 0x7C00)  // infinity and NaN
        return __builtin_bit_cast(float, sign | 0x7F800000 | (rest & 0x3FF) << 13);
    // The exponent is too small by 112 once the bits stand in place; a product puts that right,
    // exactly, subnormal numbers included.
    const float scale = __builtin_bit_cast(float, std::uint32_t{(127 + 112) << 23});
    const float magnitude = __builtin_bit_cast(float, rest << 13) * scale;
    return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, magnitude) | sign);
}

// bfloat16: the upper half of a float.
inline float float_of_brain(std::uint16_t brain) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(brain) << 16);
}

// Rows of two-byte numbers, row-major into `target`; strides in bytes.
void widen_halves(const std::byte* source, std::int64_t rows, std::int64_t columns,
                  std::int64_t row_stride, std::int64_t column_stride, bool brain, float* target);

}  // namespace mlestar
