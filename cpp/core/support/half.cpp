#include "support/half.hpp"

#include <cstring>

namespace mlestar {

void widen_halves(const std::byte* source, std::int64_t rows, std::int64_t columns,
                  std::int64_t row_stride, std::int64_t column_stride, bool brain, float* target) {
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
            std::uint16_t bits;
            std::memcpy(&bits, source + i * row_stride + j * column_stride, sizeof bits);
            *target++ = brain ? float_of_brain(bits) : float_of_half(bits);
        }
    }
}

}  // namespace mlestar
