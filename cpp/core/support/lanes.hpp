// The fixed shape of every floating-point sum: eight lanes, then one tree. Kernels only.
#pragma once

#include <cstdint>

namespace mlestar {

inline constexpr int lane_count = 8;

static inline double combine_lanes(const double* lane) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// Sum of term(i) over [0, count). The term is arithmetic without a condition: GCC 12 drops lanes
// when it vectorizes a conditional one at AVX2 (seen in weighted accuracy). Fill a small buffer
// first instead.
template <class Term>
static inline double lane_sum(std::int64_t count, Term term) {
    double lane[lane_count] = {};
    std::int64_t i = 0;
    for (; i + lane_count <= count; i += lane_count)
        for (int l = 0; l < lane_count; ++l) lane[l] += term(i + l);
    for (int l = 0; l < lane_count && i < count; ++i, ++l) lane[l] += term(i);
    return combine_lanes(lane);
}

}  // namespace mlestar
