// Searching sorted numbers for many at a time, without a branch: how many of them are not above
// each. Kernels only; everything is `static`, or the linker could merge it across levels.
#pragma once

#include <cstdint>

namespace mlestar {

inline constexpr int search_lanes = 8;

// `sorted` holds 2^k - 1 numbers for some k, padded with infinity; `half` is 2^(k - 1), or 0 where
// there is none.
static inline void search_eight(const double* x, const double* sorted, std::int64_t half,
                                std::int64_t* found) {
    std::int64_t place[search_lanes];
    for (int l = 0; l < search_lanes; ++l) place[l] = 0;
    for (std::int64_t step = half; step > 0; step >>= 1)
        for (int l = 0; l < search_lanes; ++l)
            place[l] += sorted[place[l] + step - 1] <= x[l] ? step : 0;
    for (int l = 0; l < search_lanes; ++l) found[l] = place[l];
}

}  // namespace mlestar
