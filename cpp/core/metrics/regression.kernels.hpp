// Sums over one block of one output.
#pragma once

#include <cstdint>

#include "metrics/tweedie.kernels.hpp"
#include "support/lanes.hpp"
#include "support/math.hpp"

namespace mlestar::metrics {

struct moments {
    double residual = 0.0;  // sum w (y - p)^2, or w loss(y, p)
    double weight = 0.0;    // sum w
    double mean = 0.0;      // weighted mean of y - origin
    double square = 0.0;    // sum w (y - mean)^2
    bool valid = true;      // every value lies where the loss is defined
};

// Weighted sum of a loss; clears `valid` (never sets it) where the loss is not defined. `parameter`
// is the quantile of the pinball loss and the power of Tweedie's deviance.
using error_kernel = double (*)(const double* y, const double* p, const double* weight,
                                std::int64_t count, double parameter, bool* valid);

struct regression_kernels {
    error_kernel squared, absolute, squared_log, percentage, pinball;
    error_kernel poisson, gamma, tweedie_below_zero, tweedie_above_one;
    // Of y from one prediction for all.
    double (*tweedie_constant)(const double* y, double p, const double* weight, std::int64_t count,
                               double power);
    double (*largest)(const double* y, const double* p, std::int64_t count);  // of |y - p|
    void (*difference)(const double* y, const double* p, std::int64_t count, double* result);
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

constexpr std::int64_t longest = 1024;  // a block

// Sums without a condition in the term run in one loop.
template <class Term>
double sum(const double* weight, std::int64_t count, Term term) {
    if (weight == nullptr) return lane_sum(count, term);
    return lane_sum(count, [=](std::int64_t i) { return term(i) * weight[i]; });
}

double squared(const double* y, const double* p, const double* weight, std::int64_t count, double,
               bool*) {
    return sum(weight, count, [=](std::int64_t i) { return square(y[i] - p[i]); });
}

double absolute(const double* y, const double* p, const double* weight, std::int64_t count, double,
                bool*) {
    return sum(weight, count, [=](std::int64_t i) { return magnitude(y[i] - p[i]); });
}

// The others go through a small buffer: the loss loop has no order and vectorizes.
template <class Loss>
double sum_of(const double* y, const double* p, const double* weight, std::int64_t count,
              Loss loss) {
    double value[longest];
    for (std::int64_t i = 0; i < count; ++i) value[i] = loss(y[i], p[i]);
    return sum(weight, count, [&value](std::int64_t i) { return value[i]; });
}

// Whether all x > bound (or >= bound); false for NaN.
bool all_above(const double* x, std::int64_t count, double bound) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= x[i] > bound ? 0 : 1;
    return wrong == 0;
}

bool all_from(const double* x, std::int64_t count, double bound) {
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) wrong |= x[i] >= bound ? 0 : 1;
    return wrong == 0;
}

// What a loop sees on its way: 0 while everything is as it should be; NaN is not.
std::int64_t unless(bool holds) { return holds ? 0 : 1; }

double squared_log(const double* y, const double* p, const double* weight, std::int64_t count,
                   double, bool* valid) {
    double value[longest];
    std::int64_t other = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        other |= unless(y[i] > -1.0) | unless(p[i] > -1.0);
        other |= unless(y[i] < 1e290) | unless(p[i] < 1e290);
        value[i] = square(math::log1p_difference(y[i], p[i]));
    }
    if (other == 0) return sum(weight, count, [&value](std::int64_t i) { return value[i]; });
    if (!all_above(y, count, -1.0) || !all_above(p, count, -1.0)) *valid = false;
    return sum_of(y, p, weight, count,
                  [](double a, double b) { return square(math::log1p(a) - math::log1p(b)); });
}

double percentage(const double* y, const double* p, const double* weight, std::int64_t count,
                  double, bool*) {
    constexpr double least = 2.220446049250313e-16;  // scikit-learn's guard against division by 0
    return sum_of(y, p, weight, count, [](double a, double b) {
        const double size = magnitude(a);
        return magnitude(b - a) / (size > least ? size : least);
    });
}

double pinball(const double* y, const double* p, const double* weight, std::int64_t count,
               double alpha, bool*) {
    return sum_of(y, p, weight, count, [=](double a, double b) {
        const double d = a - b;
        return (d >= 0.0 ? alpha : alpha - 1.0) * d;
    });
}

double poisson(const double* y, const double* p, const double* weight, std::int64_t count, double,
               bool* valid) {
    double value[longest];
    std::int64_t other = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        // A quotient near 0 may be anything to the logarithm: times y, it is nothing beside p.
        const double quotient = y[i] / p[i];
        other |= unless(y[i] >= 0.0) | unless(p[i] > 0.0) | unless(quotient < 1e300);
        value[i] = 2.0 * (y[i] * math::log_normal(quotient) - y[i] + p[i]);
    }
    if (other == 0) return sum(weight, count, [&value](std::int64_t i) { return value[i]; });
    if (!all_from(y, count, 0.0) || !all_above(p, count, 0.0)) *valid = false;
    return sum_of(y, p, weight, count, [](double a, double b) {
        const double entropy = a * math::log(a / b);
        return 2.0 * ((a == 0.0 ? 0.0 : entropy) - a + b);
    });
}

double gamma(const double* y, const double* p, const double* weight, std::int64_t count, double,
             bool* valid) {
    double value[longest];
    std::int64_t other = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const double quotient = y[i] / p[i];
        other |= unless(y[i] > 0.0) | unless(p[i] > 0.0);
        other |= unless(quotient > 1e-300) | unless(quotient < 1e300);
        value[i] = 2.0 * (quotient - 1.0 - math::log_normal(quotient));
    }
    if (other == 0) return sum(weight, count, [&value](std::int64_t i) { return value[i]; });
    if (!all_above(y, count, 0.0) || !all_above(p, count, 0.0)) *valid = false;
    return sum_of(y, p, weight, count,
                  [](double a, double b) { return 2.0 * (math::log(b / a) + a / b - 1.0); });
}

double tweedie(const double* y, const double* p, const double* weight, std::int64_t count,
               double power) {
    double of_y[longest], of_p[longest];
    powers_of_y(y, count, power, of_y);
    powers(p, count, 1.0 - power, of_p);
    return sum(weight, count,
               [&](std::int64_t i) { return deviance(y[i], of_y[i], p[i], of_p[i], power); });
}

// The same bits as a block of p gives.
double tweedie_constant(const double* y, double p, const double* weight, std::int64_t count,
                        double power) {
    double of_y[longest], of_p;
    powers_of_y(y, count, power, of_y);
    powers(&p, 1, 1.0 - power, &of_p);
    return sum(weight, count,
               [&](std::int64_t i) { return deviance(y[i], of_y[i], p, of_p, power); });
}

double tweedie_below_zero(const double* y, const double* p, const double* weight,
                          std::int64_t count, double power, bool* valid) {
    if (!all_above(p, count, 0.0)) *valid = false;
    return tweedie(y, p, weight, count, power);
}

double tweedie_above_one(const double* y, const double* p, const double* weight, std::int64_t count,
                         double power, bool* valid) {
    const bool positive = power < 2.0 ? all_from(y, count, 0.0) : all_above(y, count, 0.0);
    if (!positive || !all_above(p, count, 0.0)) *valid = false;
    return tweedie(y, p, weight, count, power);
}

// Magnitudes compare as the integers that hold them; those of infinity and NaN are the largest, so
// that they come out as they are.
double largest(const double* y, const double* p, std::int64_t count) {
    std::int64_t most = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto here = __builtin_bit_cast(std::int64_t, magnitude(y[i] - p[i]));
        most = here > most ? here : most;
    }
    return __builtin_bit_cast(double, most);
}

void difference(const double* y, const double* p, std::int64_t count, double* result) {
    for (std::int64_t i = 0; i < count; ++i) result[i] = y[i] - p[i];
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
    block.residual = squared(y, p, weight, count, 0.0, nullptr);
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
const regression_kernels regression_kernels_table = {squared,
                                                     absolute,
                                                     squared_log,
                                                     percentage,
                                                     pinball,
                                                     poisson,
                                                     gamma,
                                                     tweedie_below_zero,
                                                     tweedie_above_one,
                                                     tweedie_constant,
                                                     largest,
                                                     difference,
                                                     total,
                                                     origin,
                                                     explained};

}  // namespace mlestar::metrics::MLESTAR_LEVEL
#endif
