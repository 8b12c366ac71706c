// Filling in, over long rows as in scale.kernels.hpp.
#pragma once

#include <cstdint>

namespace mlestar::preprocessing {

struct impute_kernels {
    // True where x holds what may not be there; the result is apart from x.
    bool (*fill_nan_f64)(const double* x, std::int64_t size, std::int64_t width,
                         const double* values, double missing, double* result);
    bool (*fill_nan_f32)(const float* x, std::int64_t size, std::int64_t width, const float* values,
                         float missing, float* result);
    bool (*fill_number_f64)(const double* x, std::int64_t size, std::int64_t width,
                            const double* values, double missing, double* result);
    bool (*fill_number_f32)(const float* x, std::int64_t size, std::int64_t width,
                            const float* values, float missing, float* result);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

inline std::uint64_t bits_of(double x) { return __builtin_bit_cast(std::uint64_t, x) << 1 >> 1; }
inline std::uint32_t bits_of(float x) { return __builtin_bit_cast(std::uint32_t, x) << 1 >> 1; }

constexpr std::uint64_t infinity_of(double) { return 0x7FF0000000000000; }
constexpr std::uint32_t infinity_of(float) { return 0x7F800000u; }

// The sign bits of what is summed by "or" tell of infinity, or of anything that is not finite.
template <bool OfNan, class T>
bool fill(const T* __restrict x, std::int64_t size, std::int64_t width, const T* __restrict values,
          T missing, T* __restrict result) {
    using bits = decltype(bits_of(T{}));
    bits found = 0;
    for (std::int64_t at = 0; at < size; at += width) {
        const std::int64_t places = width < size - at ? width : size - at;
        bits here = 0;
        for (std::int64_t c = 0; c < places; ++c) {
            const T value = x[at + c];
            const bits one = bits_of(value);
            here |= OfNan ? (one ^ infinity_of(T{})) - 1 : infinity_of(T{}) - 1 - one;
            const bool present = OfNan ? value == value : value != missing;
            result[at + c] = present ? value : values[c];
        }
        found |= here;
    }
    return found >> (8 * sizeof found - 1) != 0;
}

}  // namespace

extern const impute_kernels impute_kernels_table;
const impute_kernels impute_kernels_table = {fill<true, double>, fill<true, float>,
                                             fill<false, double>, fill<false, float>};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
