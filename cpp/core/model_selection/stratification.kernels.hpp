// Quantile bins of numbers.
#pragma once

#include <cstdint>

namespace mlestar::model_selection {

struct stratification_kernels {
    // How many of the edges are not above each value.
    void (*bins_of)(const double* values, std::int64_t count, const double* edges,
                    std::int64_t edge_count, std::int32_t* bins);
    bool (*all_finite)(const double* values, std::int64_t count);
};

}  // namespace mlestar::model_selection

#ifdef MLESTAR_LEVEL
namespace mlestar::model_selection::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t few_edges = 32;

void bins_of(const double* values, std::int64_t count, const double* edges, std::int64_t edge_count,
             std::int32_t* bins) {
    if (edge_count <= few_edges) {
        for (std::int64_t i = 0; i < count; ++i) bins[i] = 0;
        for (std::int64_t e = 0; e < edge_count; ++e) {
            const double edge = edges[e];
            for (std::int64_t i = 0; i < count; ++i) bins[i] += values[i] >= edge ? 1 : 0;
        }
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t low = 0;
        for (std::int64_t size = edge_count; size > 0;) {
            const std::int64_t half = size / 2;
            const bool right = values[i] >= edges[low + half];
            low = right ? low + half + 1 : low;
            size = right ? size - half - 1 : half;
        }
        bins[i] = static_cast<std::int32_t>(low);
    }
}

bool all_finite(const double* values, std::int64_t count) {
    double doubtful = 0.0;  // NaN once a value is not finite
    for (std::int64_t i = 0; i < count; ++i) doubtful += values[i] * 0.0;
    return doubtful == 0.0;
}

}  // namespace

extern const stratification_kernels stratification_kernels_table;
const stratification_kernels stratification_kernels_table = {bins_of, all_finite};

}  // namespace mlestar::model_selection::MLESTAR_LEVEL
#endif
