// Sums over one block of one output.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar::metrics {

struct moments {
    double residual = 0.0;  // sum w (y - p)^2, or w |y - p|
    double weight = 0.0;    // sum w
    double mean = 0.0;      // weighted mean of y - origin
    double square = 0.0;    // sum w (y - mean)^2
};

struct regression_kernels {
    double (*squared)(const double* y, const double* p, const double* weight, std::int64_t count);
    double (*absolute)(const double* y, const double* p, const double* weight, std::int64_t count);
    double (*total)(const double* weight, std::int64_t count);
    double (*origin)(const double* y, std::int64_t count);
    moments (*explained)(const double* y, const double* p, const double* weight, std::int64_t count,
                         double origin);
};

}  // namespace mlestar::metrics

#ifdef MLESTAR_LEVEL
namespace mlestar::metrics::MLESTAR_LEVEL {
namespace {

double square(double x) { return x * x; }
double magnitude(double x) { return __builtin_fabs(x); }

double squared(const double* y, const double* p, const double* weight, std::int64_t count) {
    if (weight == nullptr)
        return lane_sum(count, [=](std::int64_t i) { return square(y[i] - p[i]); });
    return lane_sum(count, [=](std::int64_t i) { return square(y[i] - p[i]) * weight[i]; });
}

double absolute(const double* y, const double* p, const double* weight, std::int64_t count) {
    if (weight == nullptr)
        return lane_sum(count, [=](std::int64_t i) { return magnitude(y[i] - p[i]); });
    return lane_sum(count, [=](std::int64_t i) { return magnitude(y[i] - p[i]) * weight[i]; });
}

double total(const double* weight, std::int64_t count) {
    return lane_sum(count, [=](std::int64_t i) { return weight[i]; });
}

// About the mean: the block's, taken from its first value, so that a constant column's is that
// constant. Means are kept as distances from it, or a large mean would eat the digits of their
// differences.
double origin(const double* y, std::int64_t count) {
    const double first = y[0];
    const double sum = lane_sum(count, [=](std::int64_t i) { return y[i] - first; });
    return first + sum / static_cast<double>(count);
}

// Two passes over a block in L1: its mean first, so that no digits cancel.
moments explained(const double* y, const double* p, const double* weight, std::int64_t count,
                  double origin) {
    moments block;
    block.residual = squared(y, p, weight, count);
    if (weight == nullptr) {
        block.weight = static_cast<double>(count);
        const double sum = lane_sum(count, [=](std::int64_t i) { return y[i] - origin; });
        const double mean = sum / block.weight;
        block.mean = mean;
        block.square =
            lane_sum(count, [=](std::int64_t i) { return square((y[i] - origin) - mean); });
        return block;
    }
    block.weight = total(weight, count);
    const double sum = lane_sum(count, [=](std::int64_t i) { return (y[i] - origin) * weight[i]; });
    const double mean = block.weight == 0.0 ? 0.0 : sum / block.weight;
    block.mean = mean;
    block.square =
        lane_sum(count, [=](std::int64_t i) { return square((y[i] - origin) - mean) * weight[i]; });
    return block;
}

}  // namespace

extern const regression_kernels regression_kernels_table;
const regression_kernels regression_kernels_table = {squared, absolute, total, origin, explained};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
