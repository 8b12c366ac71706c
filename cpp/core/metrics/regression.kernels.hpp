// Sums over one block of one output.
#pragma once

#include <cstdint>

#include "support/lanes.hpp"

namespace mlestar::metrics {

struct moments {
    double residual = 0.0;  // sum w (y - p)^2, or w |y - p|
    double weight = 0.0;    // sum w
    double mean = 0.0;      // weighted mean of y
    double square = 0.0;    // sum w (y - mean)^2
};

struct regression_kernels {
    double (*squared)(const double* y, const double* p, const double* weight, std::int64_t count);
    double (*absolute)(const double* y, const double* p, const double* weight, std::int64_t count);
    double (*total)(const double* weight, std::int64_t count);
    moments (*explained)(const double* y, const double* p, const double* weight,
                         std::int64_t count);
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

// Two passes over a block in L1: its mean first, so that no digits cancel; taken from the first
// value, so that a constant block has a square of exactly zero.
moments explained(const double* y, const double* p, const double* weight, std::int64_t count) {
    moments block;
    block.residual = squared(y, p, weight, count);
    const double first = y[0];
    if (weight == nullptr) {
        block.weight = static_cast<double>(count);
        const double sum = lane_sum(count, [=](std::int64_t i) { return y[i] - first; });
        const double mean = first + sum / block.weight;
        block.mean = mean;
        block.square = lane_sum(count, [=](std::int64_t i) { return square(y[i] - mean); });
        return block;
    }
    block.weight = total(weight, count);
    const double sum = lane_sum(count, [=](std::int64_t i) { return (y[i] - first) * weight[i]; });
    const double mean = block.weight == 0.0 ? first : first + sum / block.weight;
    block.mean = mean;
    block.square = lane_sum(count, [=](std::int64_t i) { return square(y[i] - mean) * weight[i]; });
    return block;
}

}  // namespace

extern const regression_kernels regression_kernels_table;
const regression_kernels regression_kernels_table = {squared, absolute, total, explained};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
