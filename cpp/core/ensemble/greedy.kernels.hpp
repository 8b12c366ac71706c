// Loops over one block of rows for one candidate.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"
#include "support/math.hpp"

namespace mlestar::ensemble {

struct greedy_kernels {
    // Sum of log of the clipped mean kept * mean + share * candidate. Values within [low, high].
    double (*log_sum)(const double* mean, const double* candidate, double kept, double share,
                      double low, double high, std::int64_t count);
    // The same with row weights and, where `mean_sum` is not null, values divided by their row's
    // sum.
    double (*log_sum_general)(const double* mean, const double* candidate, const double* mean_sum,
                              const double* candidate_sum, const double* weight, double kept,
                              double share, double low, double high, std::int64_t count);
    double (*dot)(const double* a, const double* b, const double* weight, std::int64_t count);
    void (*blend)(const double* mean, const double* candidate, double kept, double share,
                  std::int64_t count, double* target);
};

}  // namespace mlestar::ensemble

#ifdef MLESTAR_LEVEL
namespace mlestar::ensemble::MLESTAR_LEVEL {
namespace {

constexpr std::int64_t longest = 1024;

double clip(double p, double low, double high) {
    const double raised = p < low ? low : p;
    return raised > high ? high : raised;
}

// One logarithm for sixteen rows: the product of sixteen values of at least 1e-16 is above 1e-256.
double log_sum(const double* mean, const double* candidate, double kept, double share, double low,
               double high, std::int64_t count) {
    constexpr std::int64_t width = longest / 16;
    double product[width];
    const std::int64_t rows = count / width;
    for (std::int64_t l = 0; l < width; ++l) product[l] = 1.0;
    for (std::int64_t r = 0; r < rows; ++r) {
        const double* m = mean + r * width;
        const double* c = candidate + r * width;
        for (std::int64_t l = 0; l < width; ++l)
            product[l] *= clip(kept * m[l] + share * c[l], low, high);
    }
    for (std::int64_t i = rows * width; i < count; ++i)
        product[i - rows * width] *= clip(kept * mean[i] + share * candidate[i], low, high);
    for (std::int64_t l = 0; l < width; ++l) product[l] = math::log_normal(product[l]);
    return lane_sum(width, [&](std::int64_t l) { return product[l]; });
}

double log_sum_general(const double* mean, const double* candidate, const double* mean_sum,
                       const double* candidate_sum, const double* weight, double kept, double share,
                       double low, double high, std::int64_t count) {
    double value[longest];
    for (std::int64_t i = 0; i < count; ++i) value[i] = kept * mean[i] + share * candidate[i];
    if (mean_sum != nullptr)
        for (std::int64_t i = 0; i < count; ++i)
            value[i] /= kept * mean_sum[i] + share * candidate_sum[i];
    for (std::int64_t i = 0; i < count; ++i) value[i] = math::log_normal(clip(value[i], low, high));
    if (weight == nullptr) return lane_sum(count, [&](std::int64_t i) { return value[i]; });
    return lane_sum(count, [&](std::int64_t i) { return value[i] * weight[i]; });
}

double dot(const double* a, const double* b, const double* weight, std::int64_t count) {
    if (weight == nullptr) return lane_sum(count, [=](std::int64_t i) { return a[i] * b[i]; });
    return lane_sum(count, [=](std::int64_t i) { return a[i] * b[i] * weight[i]; });
}

void blend(const double* mean, const double* candidate, double kept, double share,
           std::int64_t count, double* target) {
    for (std::int64_t i = 0; i < count; ++i) target[i] = kept * mean[i] + share * candidate[i];
}

}  // namespace

extern const greedy_kernels greedy_kernels_table;
const greedy_kernels greedy_kernels_table = {log_sum, log_sum_general, dot, blend};

}  // namespace mlestar::ensemble::MLESTAR_LEVEL
#endif
