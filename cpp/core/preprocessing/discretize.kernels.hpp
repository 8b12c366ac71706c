// A block of one column as bins.
#pragma once

#include <cstdint>

namespace mlestar::preprocessing {

struct discretize_kernels {
    // Each edge compared with each value: for few edges. True where a value is not finite.
    bool (*count_few)(const double* x, std::int64_t count, const double* edges, std::int64_t many,
                      std::int32_t* codes);
    // By bisection: `edges` and `half` as search_eight takes them.
    bool (*bisect)(const double* x, std::int64_t count, const double* edges, std::int64_t half,
                   std::int32_t* codes);
};

}  // namespace mlestar::preprocessing

#ifdef MLESTAR_LEVEL
#include "support/search.hpp"

namespace mlestar::preprocessing::MLESTAR_LEVEL {
namespace {

bool not_finite(const double* x, std::int64_t count) {
    std::uint64_t found = 0;
    for (std::int64_t i = 0; i < count; ++i)
        found |= 0x7FEFFFFFFFFFFFFF - (__builtin_bit_cast(std::uint64_t, x[i]) << 1 >> 1);
    return found >> 63 != 0;
}

bool count_few(const double* x, std::int64_t count, const double* edges, std::int64_t many,
               std::int32_t* codes) {
    constexpr int lanes = 16;
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        std::int64_t found[lanes];
        for (int l = 0; l < lanes; ++l) found[l] = 0;
        for (std::int64_t k = 0; k < many; ++k)
            for (int l = 0; l < lanes; ++l) found[l] += edges[k] <= x[i + l] ? 1 : 0;
        for (int l = 0; l < lanes; ++l) codes[i + l] = static_cast<std::int32_t>(found[l]);
    }
    for (; i < count; ++i) {
        std::int32_t found = 0;
        for (std::int64_t k = 0; k < many; ++k) found += edges[k] <= x[i] ? 1 : 0;
        codes[i] = found;
    }
    return not_finite(x, count);
}

bool bisect(const double* x, std::int64_t count, const double* edges, std::int64_t half,
            std::int32_t* codes) {
    std::int64_t found[search_lanes];
    double last[search_lanes];
    for (std::int64_t i = 0; i < count; i += search_lanes) {
        const std::int64_t some = count - i < search_lanes ? count - i : search_lanes;
        const double* values = x + i;
        if (some < search_lanes) {
            for (int l = 0; l < search_lanes; ++l) last[l] = values[l < some ? l : 0];
            values = last;
        }
        search_eight(values, edges, half, found);
        for (std::int64_t l = 0; l < some; ++l) codes[i + l] = static_cast<std::int32_t>(found[l]);
    }
    return not_finite(x, count);
}

}  // namespace

extern const discretize_kernels discretize_kernels_table;
const discretize_kernels discretize_kernels_table = {count_few, bisect};

}  // namespace mlestar::preprocessing::MLESTAR_LEVEL
#endif
