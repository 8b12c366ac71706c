// Choosing the few values around a quantile: one pass, no branch on the data.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar::metrics {

struct quantile_kernels {
    // |y - p|
    void (*absolute)(const double* y, const double* p, std::int64_t count, double* result);
    // Copies the values in [low, high] to `kept` (room for `count`), their weights to
    // `kept_weight` (null: none are given); returns how many. Adds what lies below `low`.
    std::int64_t (*gather)(const double* value, const double* weight, std::int64_t count,
                           double low, double high, double* kept, double* kept_weight,
                           double* below);
    // Whether all are finite; and, for weights, not negative.
    bool (*finite)(const double* value, std::int64_t count);
    bool (*usable)(const double* weight, std::int64_t count, double* total);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

void absolute(const double* y, const double* p, std::int64_t count, double* result) {
    for (std::int64_t i = 0; i < count; ++i) result[i] = __builtin_fabs(y[i] - p[i]);
}

std::int64_t gather(const double* value, const double* weight, std::int64_t count, double low,
                    double high, double* kept, double* kept_weight, double* below) {
    std::int64_t found = 0;
    if (weight == nullptr) {
        std::int64_t less = 0;
        for (std::int64_t i = 0; i < count; ++i) less += value[i] < low ? 1 : 0;
        for (std::int64_t i = 0; i < count; ++i) {
            kept[found] = value[i];
            found += (value[i] >= low) & (value[i] <= high) ? 1 : 0;
        }
        *below += static_cast<double>(less);
        return found;
    }
    double lighter[1024];  // a block
    for (std::int64_t i = 0; i < count; ++i) lighter[i] = value[i] < low ? weight[i] : 0.0;
    *below += lane_sum(count, [&](std::int64_t i) { return lighter[i]; });
    for (std::int64_t i = 0; i < count; ++i) {
        kept[found] = value[i];
        kept_weight[found] = weight[i];
        // A row without weight is no row.
        found += (value[i] >= low) & (value[i] <= high) & (weight[i] > 0.0) ? 1 : 0;
    }
    return found;
}

bool finite(const double* value, std::int64_t count) {
    return lane_sum(count, [=](std::int64_t i) { return value[i] * 0.0; }) == 0.0;
}

bool usable(const double* weight, std::int64_t count, double* total) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= weight[i] >= 0.0 ? 0 : 1;
    *total += lane_sum(count, [=](std::int64_t i) { return weight[i]; });
    return wrong == 0 && finite(weight, count);
}

}  // namespace

extern const quantile_kernels quantile_kernels_table;
const quantile_kernels quantile_kernels_table = {absolute, gather, finite, usable};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
